"""Starts modules of glotmill in processes of their own, with pipes to their standard input and output."""

import asyncio
import os
import sys
from collections.abc import Mapping


async def start_python(module: str, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    """Start `python -m module` with pipes to its standard input and output, in a session of its own.

    The session keeps Ctrl-C in a terminal from the process, and its number is that of the group of all
    processes that it starts. It finds the modules that this process finds, and none of the working
    folder; neither do those that it starts.
    environment: variables that are added to those of this process.
    """
    paths = os.pathsep.join(path for path in sys.path if path)
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # a random.py in the working folder must not stand for the library's
        "-m",
        module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths, "PYTHONSAFEPATH": "1", **environment},
        start_new_session=True,
    )
