"""Starts modules of glotmill in processes of their own, with pipes to their standard input and output."""

import asyncio
import os
import sys
from collections.abc import Mapping


def python_command(module: str) -> list[str]:
    """Return `python -m module`. No random.py of the working folder ever stands for the library's."""
    return [sys.executable, "-P", "-m", module]


def python_environment() -> dict[str, str]:
    """Return variables for a process that finds the modules that this one finds, and none where it stands."""
    paths = os.pathsep.join(path for path in sys.path if path)
    return {**os.environ, "PYTHONPATH": paths, "PYTHONSAFEPATH": "1"}


async def start_python(module: str, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    """Start `python -m module` with pipes to its standard input and output, in a session of its own.

    The session keeps Ctrl-C in a terminal from the process, and its number is that of the group of all
    processes that it starts. It finds the modules that this process finds, and none of the working
    folder; neither do those that it starts.
    environment: variables that are added to those of this process.
    """
    return await asyncio.create_subprocess_exec(
        *python_command(module),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**python_environment(), **environment},
        start_new_session=True,
    )
