"""Paths to write to must be on a file system of this machine."""

import re
from pathlib import Path

from glotmill.errors import UsageError

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):/+", re.IGNORECASE)  # a Path has only one of the slashes


def local_path(path: str | Path, *, kind: str = "FOLDER", to_hub: str = "") -> Path:
    """Return a path to write to. Raises UsageError for an address such as `hf://` or `s3://`, or no name.

    Journals are appended to, locks are held, and files are renamed when they are complete: object storage
    has none of that.

    kind: FOLDER or FILE, as the message calls it.
    to_hub: the command that takes it to a dataset of the Hub, with `{repo}` for the name.
    """
    if "\0" in str(path):
        raise UsageError(f"{str(path)!r}: holds a NUL byte, which no name of a {kind.lower()} can")
    if (match := _ADDRESS.match(str(path))) is None:
        return Path(path)
    scheme, rest = match[1].lower(), str(path)[match.end() :]
    repo = "/".join(rest.removeprefix("datasets/").split("/")[:2])
    whole = kind == "FOLDER"
    copies = {
        "s3": f"aws s3 {'sync' if whole else 'cp'} {kind} s3://{rest}",
        "gs": f"gcloud storage {'rsync -r' if whole else 'cp'} {kind} gs://{rest}",
        "hf": (to_hub or f"hf upload {{repo}} {kind} --repo-type dataset").format(repo=repo),
    }
    if scheme == "hf" and rest.startswith("buckets/"):
        copies["hf"] = f"hf {'sync' if whole else 'cp'} {kind} hf://{rest}"
    raise UsageError(
        f"{scheme}://{rest}: files there cannot be appended to, locked or renamed; write to a {kind} on a "
        f"local disk, then: {copies.get(scheme, f'rclone copy {kind} REMOTE:{rest}')}"
    )
