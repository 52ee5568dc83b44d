"""The folder of a run, its only state. Only `replies/` costs money: all else can be rebuilt from it."""

import fcntl
import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from pydantic import ValidationError

from glotmill.columns import LANGUAGE, ROW, VERDICT_SCHEMA
from glotmill.errors import UsageError, one_line
from glotmill.io import atomic, checksum, run_files
from glotmill.languages import find as find_language
from glotmill.messages import Reply, Request
from glotmill.recipes.recipe import Recipe

if TYPE_CHECKING:
    from datasets import Dataset

FORMAT = 1  # of the folder
RUN_AGAIN = "run the same `glotmill run` command again: it makes this anew, and asks for no reply twice"
_FIELDS = {
    **{"recipe": dict, "templates": dict, "versions": dict, "engine_args": dict, "languages": list},
    **{"per_language": int, "shard_size": int, "model": str, "engine": str, "seeds": str},
}  # of run.json, and their kinds

_logger = logging.getLogger("glotmill")

# Once: json.dumps makes an encoder for each call.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class DamagedInfo(UsageError):
    """What run.json holds is not what a run writes there."""

    def __init__(self, path: Path, problem: str) -> None:
        self.path, self.problem = path, problem
        super().__init__(f"{path}: {problem}; {RUN_AGAIN}")


class _Info(dict[str, Any]):
    """The content of run.json, which says what is missing in it."""

    def __init__(self, path: Path, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.path = path

    def __missing__(self, name: str) -> Any:
        raise DamagedInfo(self.path, f"holds no {name!r}")


@dataclass(frozen=True)
class ShardInfo:
    """What the file of a finished shard says about itself, in its parquet metadata."""

    digest: str  # LanguagePlan.digest of the shard's seeds
    seeds: int
    kept: int  # rows, before `finish:`
    transient: int = 0  # failures that another try may mend: the shard is then made again
    before: str = ""  # LanguageFinish's state in front of the shard
    requests: int = 0  # that its rows took; 0 in runs of before

    def to_metadata(self) -> dict[str, str]:
        """Return the texts that a parquet file keeps."""
        return {name: str(value) for name, value in asdict(self).items() if value != ""}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> "ShardInfo | None":
        """Read the texts of a parquet file; None if it holds no such texts."""
        try:
            return cls(
                metadata["digest"],
                int(metadata["seeds"]),
                int(metadata["kept"]),
                int(metadata["transient"]),
                metadata.get("before", ""),
                int(metadata.get("requests", 0)),
            )
        except (KeyError, ValueError):
            return None


@dataclass(frozen=True)
class Run:
    """The folder of one run."""

    folder: Path

    # For users.

    def frame(self, language: str = "*") -> pl.DataFrame:
        """Return the accepted rows, of one language (in any usual form) or of all."""
        files = run_files.dataset_files(self.folder, _tags(language))
        return (
            pl.concat([pl.read_parquet(f) for f in files], how="diagonal_relaxed")
            if files
            else pl.DataFrame()
        )

    def dataset(self) -> "Dataset":
        """Return the accepted rows as a `datasets.Dataset`."""
        from datasets import load_dataset

        files = [str(path) for path in run_files.dataset_files(self.folder)]
        if not files:
            raise UsageError(f"{self.folder}: no dataset yet; run the same command again to resume")
        return load_dataset("parquet", data_files=files, split="train", cache_dir=str(self.folder / ".cache"))

    def rows(self, language: str = "*") -> pl.LazyFrame:
        """Return every row of the finished shards, kept and dropped, with `verdict` and `reason`."""
        files = run_files.shard_files(self.folder, _tags(language))
        if not files:
            return pl.LazyFrame(schema={LANGUAGE: pl.String(), **VERDICT_SCHEMA})
        return pl.concat([pl.scan_parquet(f) for f in files], how="diagonal_relaxed")

    def info(self) -> dict[str, Any]:
        """Return the content of `run.json`. Raises UsageError if the folder holds no run, or DamagedInfo."""
        path = self.folder / "run.json"
        try:
            info = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise UsageError(f"{self.folder}: no run here (no run.json)") from None
        except (ValueError, RecursionError) as error:
            raise DamagedInfo(path, f"not JSON: {one_line(error)}") from None
        if not isinstance(info, dict):
            raise DamagedInfo(path, "not a JSON object")
        if info.get("format") != FORMAT:
            raise UsageError(f"{path}: format {info.get('format')!r}; this version reads {FORMAT}")
        for name, kind in _FIELDS.items():
            if name in info and not isinstance(info[name], kind):
                raise DamagedInfo(path, f"{name!r} is of another kind")
        if not all(isinstance(tag, str) for tag in info.get("languages", ())):
            raise DamagedInfo(path, "'languages' are no names")
        return _Info(path, info)

    def recipe(self) -> Recipe:
        """Return the recipe in `run.json`. Raises UsageError."""
        try:
            return Recipe.model_validate(self.info()["recipe"])
        except ValidationError as error:
            raise DamagedInfo(self.folder / "run.json", f"no recipe: {one_line(error)}") from None

    # For the run itself.

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes out. Raises UsageError if one is in, or if files here cannot be locked."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                owner = file.read(20).strip() or "unknown"
                raise UsageError(
                    f"{self.folder}: another process ({owner}) is at this run; wait, or name another folder"
                ) from None
            except OSError as error:
                raise UsageError(
                    f"{self.folder}: files here cannot be locked ({error.strerror}); run on a local "
                    "disk, and copy the folder"
                ) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def write_info(self, info: dict[str, Any]) -> None:
        """Write `run.json` atomically."""
        text = json.dumps({"format": FORMAT, **info}, ensure_ascii=False, indent=1)
        atomic.write_text(self.folder / "run.json", f"{text}\n")

    def replies(self, shard: str) -> dict[str, Reply]:
        """Return the replies in the journal of a shard, by key; an incomplete last line is cut off."""
        path = self.folder / "replies" / f"{shard}.jsonl"
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return {}
        if not raw.endswith(b"\n") and raw:
            size = raw.rfind(b"\n") + 1
            os.truncate(path, size)
            raw = raw[:size]
        replies: dict[str, Reply] = {}
        for number, line in enumerate(raw.splitlines(), 1):
            try:
                fields = json.loads(line)
                key = fields.pop("key")
                for name in ("step", "sample", "model"):  # for people who read journals
                    fields.pop(name, None)
                for name in ("logprobs", "values"):
                    if fields.get(name) is not None:
                        fields[name] = tuple(fields[name])
                replies[key] = Reply(**{"text": "", **fields})  # an empty text is left out
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise UsageError(
                    f"{path}:{number}: not a reply: {error}; remove the line to ask again"
                ) from None
        return replies

    def count_requests(self, language: str) -> int:
        """Return how many requests of a language the engine answered: what was paid for, needed or not."""
        count = 0
        for path in self.folder.glob(f"replies/{language}-*.jsonl"):
            with path.open("rb") as file:
                # In a text, the quotes of this key would be escaped.
                count += sum(line.endswith(b"\n") and b'"failure":' not in line for line in file)
        return count

    def journal(self, shard: str) -> "Journal":
        """Return the journal of a shard, to append to."""
        path = self.folder / "replies" / f"{shard}.jsonl"
        path.parent.mkdir(exist_ok=True)
        return Journal(path)

    def rows_file(self, shard: str) -> Path:
        """Return the path of a shard's rows."""
        return self.folder / "rows" / f"{shard}.parquet"

    def write_rows(self, shard: str, rows: pl.DataFrame, info: "ShardInfo | None" = None) -> None:
        """Write a finished shard atomically."""
        metadata = {**(info.to_metadata() if info else {}), "checksum": checksum.BLANK}
        with atomic.draft_file(self.rows_file(shard)) as draft:
            rows.write_parquet(draft, compression="zstd", metadata=metadata)
            checksum.sign(draft)

    def shard_info(self, shard: str) -> "ShardInfo | None":
        """Return what `write_rows` noted about a shard; None if it is not finished."""
        try:
            metadata = pl.read_parquet_metadata(self.rows_file(shard))
        except (FileNotFoundError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
            return None
        return ShardInfo.from_metadata(metadata)

    def intact_shard(self, shard: str) -> "ShardInfo | None":
        """Return what `write_rows` noted about a shard whose file is as it was written; None for any other.

        Says so where a file is damaged: its rows are then made again.
        """
        path = self.rows_file(shard)
        intact = path.exists() and checksum.is_intact(path)
        info = None if intact is False else self.shard_info(shard)
        if path.exists() and info is None:
            _logger.warning("%s is damaged: its rows are made again from the replies", path)
        return info if intact else None

    def seed_rows(self, shard: str) -> int:
        """Return how many seed rows a finished shard began with."""
        if (info := self.shard_info(shard)) is not None:
            return info.seeds
        with readable(self.rows_file(shard)):
            rows = pl.scan_parquet(self.rows_file(shard))
            is_known = ROW in rows.collect_schema()
            return int(rows.select(pl.n_unique(ROW) if is_known else pl.len()).collect().item())

    def settled_shards(self, language: str) -> list[Path]:
        """Return the files of a language's first shards: those whose rows went through `finish:` in order."""
        paths: list[Path] = []
        for number in count():
            path = self.rows_file(f"{language}-{number:05d}")
            info = self.shard_info(path.stem)
            if info is None or not info.before:
                return paths
            paths.append(path)
        raise AssertionError("count never ends")

    def drop_rows(self, language: str, settled: int) -> None:
        """Remove the rows of shards of a language from number `settled` on; their replies stay."""
        for path in run_files.shard_files(self.folder, [language]):
            if run_files.shard_number(path) >= settled:
                path.unlink()

    def read_rows(self, shard: str, columns: list[str] | None = None) -> pl.DataFrame:
        """Return the rows of a finished shard. Raises UsageError if its file cannot be read."""
        path = self.rows_file(shard)
        with readable(path):
            return pl.read_parquet(path, columns=columns)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Raise UsageError where a file of rows turns out to be damaged."""
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise UsageError(f"{path}: cannot be read: {one_line(error)}; {RUN_AGAIN}") from None


def _tags(language: str) -> list[str] | None:
    return None if language == "*" else [find_language(language).tag]


@dataclass(frozen=True)
class Journal:
    """The journal of a shard, one line per reply, written before anything else sees the reply.

    The file is opened for each line: a reply may arrive after its shard was given up, and is kept as well.
    """

    path: Path

    def append(self, request: Request, reply: Reply, step: str = "") -> None:
        """Write one reply in one call, so that a killed process leaves at most one incomplete line."""
        origin = {"step": step, "sample": request.sample, "model": request.alias}
        fields = {"key": request.key, **{n: v for n, v in origin.items() if v}, **reply.to_json()}
        data = _encode(fields).encode("utf-8", "replace") + b"\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        size = os.fstat(descriptor).st_size
        try:
            while data:  # a signal may split the write
                data = data[os.write(descriptor, data) :]
        except OSError as error:  # a full disk: an incomplete line would spoil the next one
            os.ftruncate(descriptor, size)
            raise OSError(error.errno, error.strerror, str(self.path)) from None
        finally:
            os.close(descriptor)
