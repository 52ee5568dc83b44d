"""Packs a finished run for the Hub: its rows, its recipe, its report, and no secret."""

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
from glotmill.io.run_files import dataset_files
from glotmill.report.report import report
from glotmill.runner.funnel import funnel
from glotmill.runner.run_folder import Run

_AGAIN = "run the same `glotmill run` command again; replies are kept, and nothing is requested twice"


@dataclass(frozen=True)
class Package:
    """A run, ready to send."""

    run: Run
    state: str  # 12 hex digits of the hash of all its rows
    id: str  # its name in the dataset: the state in which it was first published
    data: dict[str, Path]  # path in the repository -> local file, for rows to send
    sha256: dict[str, str]  # path -> hash of all its row files, including published ones
    footers: list[footers.Footer]  # of the same files
    documents: dict[str, bytes]  # name -> content of run.json, recipe and report
    privacy: Privacy

    @property
    def name(self) -> str:
        """The name of the run: that of its folder."""
        return self.run.folder.resolve().name

    @property
    def texts(self) -> dict[str, bytes]:
        """Path in the repository -> content of the documents."""
        return {f"runs/{self.id}/{name}": content for name, content in self.documents.items()}

    def about(self) -> dict[str, Any]:
        """Return the entry of this run in the manifest."""
        info = self.run.info()
        return {
            "id": self.id,
            "state": self.state,
            "name": self.name,
            "recipe": info["recipe"].get("name"),
            "model": public(info.get("model")),
            "revision": info.get("revision"),
            "engine": info.get("engine"),
            **({"models": _models(info)} if info.get("models") else {}),
            "rows": {tag: n for tag, n in footers.rows(self.footers).items() if tag != footers.ALL},
            "files": sorted(self.sha256),
        }


def _models(info: dict[str, Any]) -> dict[str, Any]:
    """Return the names of the models besides the run's, by their names in the recipe."""
    return {name: public(model.get("model")) for name, model in info["models"].items()}


def build_package(run: Run, token: str | None = None) -> Package:
    """Pack a run. Raises UsageError if it is not a finished run, or if its recipe contains a secret.

    token: of the Hub; a file that contains it is refused.
    """
    info = read_run_info(run)
    for counts in funnel(run):
        if counts.in_dataset != counts.accepted:
            raise UsageError(
                f"{run.folder}: not finished: {counts.language} has {counts.in_dataset:,} rows in its "
                f"dataset; {_AGAIN}"
            )
    files = [path for tag in info["languages"] for path in dataset_files(run.folder, [tag])]
    if not files:
        raise UsageError(f"{run.folder}: has no rows; {_AGAIN}")
    hashes = {path: sha256_of(path) for path in files}
    key = "\n".join(f"{path.parent.name} {sha256_of}" for path, sha256_of in hashes.items())
    state = sha256(key.encode()).hexdigest()[:12]
    data: dict[str, Path] = {}
    for path in files:
        tag = path.parent.name
        data[
            data_path(tag, state, sum(path_in_dataset.startswith(f"data/{tag}/") for path_in_dataset in data))
        ] = path
    file_footers = [footers.read(path, file, file.stat().st_size) for path, file in data.items()]
    try:
        footers.merged(file_footers)
    except ValueError as error:
        raise UsageError(
            f"{run.folder}: {error}\nA dataset has one set of columns; change the recipe"
        ) from None
    digests = {path: hashes[file] for path, file in data.items()}
    of_models = [model.get("engine_args") for model in (info.get("models") or {}).values()]
    privacy_rules = privacy(run.folder, [info.get("engine_args"), *of_models], token)
    return Package(
        run, state, state, data, digests, file_footers, _documents(run, info, privacy_rules), privacy_rules
    )


def data_path(tag: str, id: str, number: int) -> str:
    """Return the path of a row file in a dataset."""
    return f"data/{tag}/{footers.SPLIT}-{id}-{number:05d}.parquet"


def read_run_info(run: Run) -> dict[str, Any]:
    """Return the content of `run.json`. Raises UsageError if the folder is not a run."""
    if (run.folder / MARKER).is_file():
        raise UsageError(f"{run.folder}: an export; publish takes the folder of a run")
    return run.info()


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def program_version() -> str:
    """Return the name and version of this program."""
    try:
        return f"glotmill {version('glotmill')}"
    except PackageNotFoundError:
        return "glotmill"


def _documents(run: Run, info: dict[str, Any], privacy: Privacy) -> dict[str, bytes]:
    """Return run.json, the recipe and the report, redacted.

    Raises UsageError if one contains something like a secret. Paths and servers in templates and seeds are
    content and stay, except for the folders in which the user works.
    """
    info_text = json.dumps(privacy.redact_value(info), ensure_ascii=False, indent=1)
    privacy.refuse("run.json", info_text)
    texts = {"run.json": f"{info_text}\n".encode()}
    for path in _recipe_files(run):
        name = path.relative_to(run.folder).as_posix()
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        privacy.refuse(name, text)
        redact = privacy.redact_paths if path.suffix == ".yaml" else privacy.without_folders
        texts[name] = redact(text).encode("utf-8", "surrogateescape")
    # numbers only: rows that were dropped, perhaps for personal data, are not published
    texts["report.html"] = privacy.redact_paths(report(run, rows=0)).encode("utf-8", "replace")
    return dict(sorted(texts.items()))


def _recipe_files(run: Run) -> Iterator[Path]:
    """Yield the files of the recipe as the run used it."""
    for path in sorted(run.folder.glob("recipe/**/*")):
        names = path.relative_to(run.folder).parts
        if path.is_file() and not path.is_symlink() and not any(n.startswith((".", "__")) for n in names):
            yield path
