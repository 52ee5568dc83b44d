r"""What must not leave this machine with a run: secrets, paths and servers.

`without_secrets` is what a run folder keeps of a user's options, `public` is what may be published of a
value, `hide_secrets` is for messages, and `Privacy` is for whole files: it also knows this process's own
secrets, the folders in which the user works and the servers that the engine talks to.

Paths are recognised by their shape, since a run may be published from another machine than it was made on:
`file://`, `~/`, `C:\` and `\\server\share` anywhere in a text; POSIX paths where they are a whole value,
follow `name:` or `name=`, or begin with a usual root such as `/home`. Each is cut to its last part.
"""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from glotmill.errors import UsageError

HIDDEN = "(not kept)"

SECRET_NAME = re.compile(
    r"key|secret|passw|auth|cred|cookie|header|bearer|token(?!s|iz)", re.IGNORECASE
)  # of an option or a URL's parameter
SECRET = re.compile(
    r"\b(?:hf_|sk-|sk_live_|rk_live_|gsk_|gh[oprsu]_|github_pat_|glpat-|nvapi-|xox[abeoprs]-|xai-|pplx-|tgp_v1_"
    r"|r8_|npm_|pypi-|dop_v1_|lsv2_|ya29\.|SG\.|AKIA|ASIA|AIza)[A-Za-z0-9_-]{16,}"
    r"|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}(?:\.[\w-]+)?"  # a JSON web token
    r"|\b[Bb]earer\s+(?=[^\s\"']*\d)[\w.~+/-]{16,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY(?:-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z))?",
    re.DOTALL,
)
_LOGIN = re.compile(r"(?<=://)[^/@\s'\"<>]+@")  # https://name:password@host
_PARAMETER = re.compile(r"(?<=[?&])([\w.-]+)=(?!\(not kept\))([^&#\s'\"<>]+)")  # https://host/path?key=value

_SECRET_VARIABLE = re.compile(r"KEY|TOKEN|SECRET|PASSW")
_SECRET_CHARS = 12  # at least; shorter values occur in texts by chance
_PUBLIC_HOSTS = ("huggingface.co", "localhost", "127.0.0.1", "::1")  # hosts that reveal nothing about a user

_ROOTS = (  # folders at the root of a machine that hold users' files
    r"(?:home|Users|root|mnt|media|data|datasets|models|srv|scratch|tmp|var|opt|nfs|gpfs|lustre|fsx|efs|dbfs"
    r"|work|workspace|project|projects|proj|storage|store|disk|ssd|nvme|raid|cache|share|shared|Volumes|private"
    r"|content|kaggle|cluster|export|ceph|beegfs|sdb|vol|volume|volumes|lfs|net)[\w.-]*"
)
_CHAR = r"[^\s/\\'\"`<>|,:;()\[\]{}*?]"  # of a part of a path inside a text
_FOLDERS = r"(?:[^\\/\n:*?\"'<>|]*[^\\/\s:*?\"'<>|]\\{1,2})*"  # of Windows, perhaps with spaces in them
_INSIDE = re.compile(
    r"file://[^\s'\"`<>|,;()\[\]{}]+"
    rf"|(?<![\w/\\.+~-])(?:~(?:[A-Za-z_][\w.-]*)?|\$(?:HOME|\{{HOME\}}|USER))[/\\]+{_CHAR}(?:[/\\]|{_CHAR})*"
    rf"|(?<![\w\\])[A-Za-z]:(?:\\+|/(?=\w)){_FOLDERS}(?:[/\\]|{_CHAR})*"
    rf"|(?<!\\)\\\\[\w.$-]{{2,}}\\(?=[^\\\s]){_FOLDERS}(?:[/\\]|{_CHAR})*"
    rf"|(?<!\\)\\{{4}}[\w.$-]{{2,}}\\\\(?=[^\\\s]){_FOLDERS}(?:[/\\]|{_CHAR})*"  # escaped, as in YAML
    rf"|(?<![\w/.+~-])/{_ROOTS}(?:/{_CHAR}+)+/?"
    rf"|(?<=\w[:=])(?:/{_CHAR}+){{2,}}/?"
)
_VALUE = (
    re.compile(  # a value that is a path as a whole, perhaps with spaces, perhaps behind `name:` or `name=`
        r"(?P<name>[\w.-]{2,}[:=])?"
        r"(?P<path>file://\S[^\n,;]*|(?:~(?:[A-Za-z_][\w.-]*)?|/[^\s/](?:[^/\n]*[^\s/])?)/(?!\s)[^\n,;]*"
        r"|~(?:[A-Za-z_][\w.-]*)?\\[^\n,;]*|[A-Za-z]:[\\/](?!/)[^\n,;]*|\\\\[\w.$-]{2,}\\(?=[^\\\s])[^\n,;]*)"
    )
)
_EXISTING = re.compile(r"(?<![\w/.:])(?:/[^\s/'\"`:,;<>|*?]+){2,}")


def hide_secrets(text: str, token: str | None = None) -> str:
    """Return a text without `token` and without what looks like a token, login or key of any service."""
    text = text.replace(token, "(token)") if token else text
    text = _PARAMETER.sub(lambda m: f"{m[1]}={HIDDEN}" if SECRET_NAME.search(m[1]) else m[0], text)
    return SECRET.sub(HIDDEN, _LOGIN.sub("", text))


def without_secrets(value: Any) -> Any:
    """Return options as JSON keeps them: secrets are hidden, of another object only its type is named.

    The values of this process's secret variables, such as `MY_API_KEY`, are secrets under any name.
    """
    if isinstance(value, Mapping):
        return {
            str(name): HIDDEN if SECRET_NAME.search(str(name)) else without_secrets(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [without_secrets(item) for item in value]
    if isinstance(value, str):
        for secret in _environment_secrets():
            value = value.replace(secret, HIDDEN)
        return hide_secrets(value)
    return value if value is None or isinstance(value, bool | int | float) else f"({type(value).__name__})"


def public(value: Any) -> Any:
    """Return a JSON value in which paths are cut to their last part and secrets are hidden."""
    if isinstance(value, dict):
        return {name: public(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [public(item) for item in value]
    if not isinstance(value, str):
        return value
    if match := _VALUE.fullmatch(value):
        value = (match["name"] or "") + _last_part(match["path"])
    return hide_secrets(_cut_paths(value))


def is_path(value: str) -> bool:
    """Return whether a value is a path from the root of a machine or from a user's home."""
    match = _VALUE.fullmatch(value)
    return match is not None and not match["name"]


@dataclass(frozen=True)
class Privacy:
    """What must not leave with one run."""

    secrets: Mapping[str, str] = field(repr=False)  # secret -> what it is
    servers: Mapping[str, str]  # URL or name of a host -> its replacement
    folders: tuple[str, ...]  # in which the user works, longest first

    def refuse(self, name: str, text: str) -> None:
        """Raise UsageError if a text has what looks like a secret, or a secret that this process knows."""
        if match := SECRET.search(text):
            raise UsageError(f"{name}: has what looks like a secret, {match[0][:4]}...; take it out first")
        for secret, description in self.secrets.items():
            if secret in text:
                raise UsageError(f"{name}: has the value of {description}; take it out first")

    def without_folders(self, text: str) -> str:
        """Return a text without the folders in which the user works."""
        for folder in self.folders:
            text = re.sub(rf"{re.escape(folder)}(/|(?![\w.-]))", "", text)
        return text

    def redact(self, text: str) -> str:
        """Return a text without those folders, servers, and what looks like a secret."""
        for server, replacement in self.servers.items():
            text = re.sub(rf"(?<![\w.-]){re.escape(server)}(?![\w-])", replacement, text, flags=re.IGNORECASE)
        return hide_secrets(self.without_folders(text))

    def redact_paths(self, text: str) -> str:
        """As `redact`; also cut paths of this or another machine to their last part."""
        text = _EXISTING.sub(lambda m: _last_part(m[0]) if _exists(m[0]) else m[0], self.redact(text))
        return _cut_paths(text)

    def redact_value(self, value: Any) -> Any:
        """Return a JSON value in which all texts went through `public` and `redact_paths`."""
        if isinstance(value, dict):
            return {name: self.redact_value(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.redact_value(item) for item in value]
        return self.redact_paths(public(self.redact(value))) if isinstance(value, str) else value


def privacy(folder: Path, engine_args: Any, token: str | None) -> Privacy:
    """Return what must not leave with a run.

    folder: of the run. engine_args: the engine's options, in which its servers are. token: of the Hub.
    """
    secrets = _environment_secrets()
    if token:
        secrets[token] = "the login to the Hub"
    folders = {
        str(path) for path in (folder.resolve().parent, Path.cwd(), Path.home()) if len(path.parts) > 2
    }
    return Privacy(secrets, dict(_servers(engine_args)), tuple(sorted(folders, key=len, reverse=True)))


def _environment_secrets() -> dict[str, str]:
    """Return the secrets in this process's environment: value -> name of the variable."""
    return {
        value: name
        for name, value in os.environ.items()
        if _SECRET_VARIABLE.search(name) and len(value) >= _SECRET_CHARS
    }


def _servers(value: Any) -> Iterator[tuple[str, str]]:
    """Yield the servers in an engine's options: the model is public, where it ran is not."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _servers(item)
    elif isinstance(value, str) and "," in value:
        yield from _servers([part.strip() for part in value.split(",")])
    elif isinstance(value, str) and re.match(r"\w+://", value):
        yield value, "URL"
        with contextlib.suppress(ValueError):
            parts = urlsplit(value)
            host = parts.hostname or ""
            if host in _PUBLIC_HOSTS:
                return
            if "." in host:
                yield host, "HOST"
            elif parts.port:  # a single word may occur in any text
                yield f"{host}:{parts.port}", "HOST"


def _cut_paths(text: str) -> str:
    return _INSIDE.sub(lambda match: _last_part(match[0]), text)


def _last_part(path: str) -> str:
    return re.split(r"[\\/]", path.rstrip("\\/"))[-1]


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False
