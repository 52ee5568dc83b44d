"""What of this machine and its user does not leave with a run: secrets, folders, servers."""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from glotmill.errors import UsageError
from glotmill.io.public import HIDDEN, SECRET
from glotmill.runner.folder import Run

_NAMES = re.compile(r"KEY|TOKEN|SECRET|PASSW")  # of variables with a secret
_SECRET_CHARS = 12  # at least; what is shorter stands in texts by chance
_ANYBODYS = ("huggingface.co", "localhost", "127.0.0.1", "::1")  # hosts that tell nothing of a user
_PATH = re.compile(r"(?<![\w/.:])(?:/[^\s/'\"`:,;<>|*?]+){2,}")


@dataclass(frozen=True)
class Privacy:
    """What is not to leave with one run."""

    secrets: Mapping[str, str] = field(repr=False)  # secret -> what it is
    servers: Mapping[str, str]  # URL, or name of a host -> what is said instead
    folders: tuple[str, ...]  # in which the user works, longest first

    def refuse(self, name: str, text: str) -> None:
        """Raise UsageError where a text has what looks like a secret, or a secret that this process knows."""
        if found := SECRET.search(text):
            raise UsageError(f"{name}: has what looks like a secret, {found[0][:4]}...; take it out first")
        for secret, what in self.secrets.items():
            if secret in text:
                raise UsageError(f"{name}: has the value of {what}; take it out first")

    def text(self, text: str) -> str:
        """Return a text without the folders in which the user works."""
        for folder in self.folders:
            text = re.sub(rf"{re.escape(folder)}(/|(?![\w.-]))", "", text)
        return text

    def told(self, text: str) -> str:
        """Return what is told of a run, without servers and without what looks like a secret."""
        for server, said in self.servers.items():
            text = re.sub(rf"(?<![\w.-]){re.escape(server)}(?![\w-])", said, text, flags=re.IGNORECASE)
        return SECRET.sub(HIDDEN, self.text(text))

    def values(self, text: str) -> str:
        """As `told`; also any path that exists on this machine becomes its last part."""
        return _PATH.sub(lambda f: f[0].rpartition("/")[2] if _there(f[0]) else f[0], self.told(text))


def privacy(run: Run, info: Mapping[str, Any], token: str | None) -> Privacy:
    """Return what is not to leave with a run. token: of the Hub."""
    known = {v: n for n, v in os.environ.items() if _NAMES.search(n) and len(v) >= _SECRET_CHARS}
    secrets = {**known, **({token: "the login to the Hub"} if token else {})}
    own = {run.folder.resolve().parent, Path.cwd(), Path.home()}
    folders = sorted((str(place) for place in own if len(place.parts) > 2), key=len, reverse=True)
    return Privacy(secrets, dict(_servers(info.get("engine_args"))), tuple(folders))


def _servers(value: Any) -> Iterator[tuple[str, str]]:
    """Yield the servers that an engine was told of: who made the rows is the model, where is the user's."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _servers(item)
    elif isinstance(value, str) and re.match(r"\w+://", value):
        yield value, "URL"
        with contextlib.suppress(ValueError):
            parts = urlsplit(value)
            host = parts.hostname or ""
            if host in _ANYBODYS:
                return
            if "." in host:
                yield host, "HOST"
            elif parts.port:  # one word alone may stand in any text
                yield f"{host}:{parts.port}", "HOST"


def _there(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False
