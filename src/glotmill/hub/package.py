"""What of a finished run goes to the Hub: its rows, how they were made, and its report; and no secret."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import file_digest, sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from glotmill.errors import UsageError
from glotmill.export.export import MARKER
from glotmill.hub import footers
from glotmill.io.redact import Privacy, privacy, public
from glotmill.report.report import report
from glotmill.runner.folder import Run
from glotmill.runner.funnel import funnel

_AGAIN = "run the same `glotmill run` command again: what was answered is kept, nothing is asked twice"


@dataclass(frozen=True)
class Package:
    """A run, as it leaves."""

    run: Run
    state: str  # 12 hex digits of the hash of all its rows: the same rows have the same state
    id: str  # what its dataset calls it: the state in which it was first published there
    data: dict[str, Path]  # path in the repository -> file, of the rows that are to be sent
    sha256: dict[str, str]  # of all files of its rows, those that are there already too
    footers: list[footers.Footer]  # of the same files
    beside: dict[str, bytes]  # name -> content, of what tells how the rows were made
    privacy: Privacy

    @property
    def name(self) -> str:
        """What the run is called: its folder."""
        return self.run.folder.resolve().name

    @property
    def texts(self) -> dict[str, bytes]:
        """The files that tell how the rows were made: path in the repository -> content."""
        return {f"runs/{self.id}/{name}": content for name, content in self.beside.items()}

    def about(self) -> dict[str, Any]:
        """What the manifest says of this run."""
        info = self.run.info()
        return {
            "id": self.id,
            "state": self.state,
            "name": self.name,
            "recipe": info["recipe"].get("name"),
            "model": public(info.get("model")),
            "revision": info.get("revision"),
            "engine": info.get("engine"),
            "rows": {tag: n for tag, n in footers.rows(self.footers).items() if tag != footers.ALL},
            "files": sorted(self.sha256),
        }


def pack(run: Run, token: str | None = None) -> Package:
    """Gather what leaves of a run. Raises UsageError: no run, not finished, a secret in its recipe.

    token: of the Hub, which is in no file that leaves.
    """
    info = refuse_no_run(run)
    for found in funnel(run):
        if found.accepted != min(found.kept, found.wanted):
            raise UsageError(
                f"{run.folder}: not finished: {found.language} has {found.accepted:,} rows in its dataset; "
                f"{_AGAIN}"
            )
    files = [
        path for tag in info["languages"] for path in sorted(run.folder.glob(f"dataset/{tag}/*.parquet"))
    ]
    if not files:
        raise UsageError(f"{run.folder}: has no rows; {_AGAIN}")
    hashes = {path: digest(path) for path in files}
    key = "\n".join(f"{path.parent.name} {digest}" for path, digest in hashes.items())
    state = sha256(key.encode()).hexdigest()[:12]
    data: dict[str, Path] = {}
    for path in files:
        tag = path.parent.name
        data[place(tag, state, sum(of.startswith(f"data/{tag}/") for of in data))] = path
    read = [footers.read(path, file, file.stat().st_size) for path, file in data.items()]
    try:
        footers.merged(read)
    except ValueError as error:
        raise UsageError(
            f"{run.folder}: {error}\nA dataset has one set of columns; mend the recipe"
        ) from None
    digests = {path: hashes[file] for path, file in data.items()}
    kept_back = privacy(run.folder, info.get("engine_args"), token)
    return Package(run, state, state, data, digests, read, _beside(run, info, kept_back), kept_back)


def place(tag: str, id: str, number: int) -> str:
    """Return where a file of rows is in a dataset."""
    return f"data/{tag}/{footers.SPLIT}-{id}-{number:05d}.parquet"


def refuse_no_run(run: Run) -> dict[str, Any]:
    """Return what `run.json` says. Raises UsageError where there is none."""
    if (run.folder / MARKER).is_file():
        raise UsageError(f"{run.folder}: an export; it is runs that are published, name the run's folder")
    return run.info()


def digest(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def made_by() -> str:
    """Return the name and version of this program."""
    try:
        return f"glotmill {version('glotmill')}"
    except PackageNotFoundError:
        return "glotmill"


def _beside(run: Run, info: dict[str, Any], privacy: Privacy) -> dict[str, bytes]:
    """The files that tell how the rows were made, in which nothing stands that is not to leave.

    Raises UsageError if one holds what looks like a secret. What templates and seeds say of paths and servers
    is theirs, but for the folders in which the user works.
    """
    info_text = json.dumps(privacy.redact_value(info), ensure_ascii=False, indent=1)
    privacy.refuse("run.json", info_text)
    texts = {"run.json": f"{info_text}\n".encode()}
    for path in _kept(run):
        name = path.relative_to(run.folder).as_posix()
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        privacy.refuse(name, text)
        redact = privacy.redact_paths if path.suffix == ".yaml" else privacy.without_folders
        texts[name] = redact(text).encode("utf-8", "surrogateescape")
    # of numbers alone: rows that were dropped, perhaps for what they say of a person, are not for everybody
    texts["report.html"] = privacy.redact_paths(report(run, rows=0)).encode("utf-8", "replace")
    return dict(sorted(texts.items()))


def _kept(run: Run) -> Iterator[Path]:
    """Yield the files of a recipe as the run used it."""
    for path in sorted(run.folder.glob("recipe/**/*")):
        names = path.relative_to(run.folder).parts
        if path.is_file() and not path.is_symlink() and not any(n.startswith((".", "__")) for n in names):
            yield path
