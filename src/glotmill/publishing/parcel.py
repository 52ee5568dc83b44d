"""What of a finished run goes to the Hub: its rows, how they were made, and its report; and no secret."""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from hashlib import file_digest, sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import polars as pl

from glotmill import recipe, templates
from glotmill.cards import footers
from glotmill.errors import RecipeError, UsageError
from glotmill.exports.export import MARKER
from glotmill.funnel import funnel
from glotmill.languages import find as find_language
from glotmill.store import Run

_SECRET = re.compile(r"\b(hf_|sk-|ghp_|xox[bp]-|AKIA)[A-Za-z0-9_-]{16,}")
_ROOTED = re.compile(r"(file://)?(/|~|[A-Za-z]:[\\/])\S")  # begins as a path on some machine does
_PATH = re.compile(r"(?<![\w/.:])(?:/[^\s/'\"`:,;<>|*?]+){2,}")
_AGAIN = "run the same `glotmill run` command again: what was answered is kept, nothing is asked twice"


@dataclass(frozen=True)
class Parcel:
    """A run, as it leaves."""

    run: Run
    id: str  # 12 hex digits of the hash of all its rows: the same rows have the same id
    data: dict[str, Path]  # path in the repository -> file
    sha256: dict[str, str]  # of each of these
    footers: list[footers.Footer]
    texts: dict[str, bytes]  # path in the repository -> content

    @property
    def name(self) -> str:
        """What the run is called: its folder."""
        return self.run.folder.resolve().name

    @cached_property
    def ids(self) -> dict[str, set[str]]:
        """The ids of the rows of each language."""
        found: dict[str, set[str]] = {}
        for footer in self.footers:
            if "id" in footer.columns:
                rows = pl.read_parquet(self.data[footer.path], columns=["id"])
                found.setdefault(footer.language, set()).update(map(str, rows["id"]))
        return found

    def about(self) -> dict[str, Any]:
        """What the manifest says of this run."""
        info = self.run.info()
        return {
            "id": self.id,
            "name": self.name,
            "recipe": info["recipe"].get("name"),
            "model": _public(info.get("model")),
            "revision": info.get("revision"),
            "engine": info.get("engine"),
            "rows": {tag: n for tag, n in footers.rows(self.footers).items() if tag != footers.ALL},
        }


def pack(run: Run) -> Parcel:
    """Gather what leaves of a run. Raises UsageError: no run, not finished, a secret in its recipe."""
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
    hashes = {path: _digest(path) for path in files}
    key = "\n".join(f"{path.parent.name} {digest}" for path, digest in hashes.items())
    name = sha256(key.encode()).hexdigest()[:12]
    data: dict[str, Path] = {}
    for path in files:
        tag = path.parent.name
        number = sum(of.startswith(f"data/{tag}/") for of in data)
        data[f"data/{tag}/{footers.SPLIT}-{name}-{number:05d}.parquet"] = path
    read = [footers.read(place, path, path.stat().st_size) for place, path in data.items()]
    try:
        footers.merged(read)
    except ValueError as error:
        raise UsageError(
            f"{run.folder}: {error}\nA dataset has one set of columns; mend the recipe"
        ) from None
    return Parcel(run, name, data, {p: hashes[f] for p, f in data.items()}, read, _texts(run, info, name))


def refuse_no_run(run: Run) -> dict[str, Any]:
    """Return what `run.json` says. Raises UsageError where there is none."""
    if (run.folder / MARKER).is_file():
        raise UsageError(f"{run.folder}: an export; it is runs that are published, name the run's folder")
    return run.info()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def made_by() -> str:
    """Return the name and version of this program."""
    try:
        return f"glotmill {version('glotmill')}"
    except PackageNotFoundError:
        return "glotmill"


def _texts(run: Run, info: dict[str, Any], name: str) -> dict[str, bytes]:
    """The files that tell how the rows were made. Raises UsageError if one holds what looks like a secret."""
    found = {"run.json": json.dumps(_public(info), ensure_ascii=False, indent=1).encode() + b"\n"}
    if folder := _recipe_folder(run, info):
        for path in sorted(folder.rglob("*")):
            place = path.relative_to(folder)
            if (
                path.is_file()
                and not path.is_symlink()
                and not any(p.startswith((".", "__")) for p in place.parts)
            ):
                found[f"recipe/{place.as_posix()}"] = _without_paths(path, run)
    if (report := run.folder / "report.html").is_file():
        found["report.html"] = _without_paths(report, run)
    for part, content in found.items():
        if secret := _SECRET.search(content.decode("utf-8", "ignore")):
            raise UsageError(f"{part}: has what looks like a secret, {secret[1]}...; take it out first")
    return {f"runs/{name}/{part}": content for part, content in sorted(found.items())}


def _recipe_folder(run: Run, info: dict[str, Any]) -> Path | None:
    """Where the recipe's files are as the run used them; nowhere if they were changed since."""
    if (run.folder / "recipe").is_dir():
        return run.folder / "recipe"
    try:
        read = recipe.read(info["recipe"].get("name") or "?")
        for tag, digests in info.get("templates", {}).items():
            now = templates.templates(read, find_language(tag))
            if any(name not in now or now[name].digest != digest for name, digest in digests.items()):
                return None
    except RecipeError:
        return None
    return read.folder if read.file.name == "recipe.yaml" and info.get("templates") else None


def _public(value: Any) -> Any:
    """A value of run.json, in which a path of this machine is its last part, and no secret stands."""
    if isinstance(value, dict):
        return {key: _public(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_public(item) for item in value]
    if not isinstance(value, str):
        return value
    if _ROOTED.match(value) and "\n" not in value:
        return re.split(r"[\\/]", value.rstrip("\\/"))[-1]
    return _SECRET.sub("(not kept)", value)


def _without_paths(file: Path, run: Run) -> bytes:
    """A file's content, without the folders in which the user works.

    Where values are (a recipe, a report), any path that exists on this machine becomes its last part; what
    templates and seeds say of paths is theirs.
    """
    content = file.read_bytes()
    own = {run.folder.resolve().parent, Path.cwd(), Path.home()}
    places = sorted((str(place) for place in own if len(place.parts) > 2), key=len, reverse=True)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return content
    for place in places:
        text = re.sub(rf"{re.escape(place)}(/|(?![\w.-]))", "", text)
    if file.suffix in (".yaml", ".html"):
        text = _PATH.sub(lambda f: f[0].rpartition("/")[2] if _there(f[0]) else f[0], text)
    return text.encode()


def _there(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False
