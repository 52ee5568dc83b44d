"""Datasets of the Hugging Face Hub as rows, streamed by `datasets`."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from glotmill.errors import EngineError, UsageError, one_line
from glotmill.io.hub_names import HubPath
from glotmill.io.rows import text_blocks
from glotmill.io.rows.text_blocks import Row, fit, select


@dataclass(frozen=True)
class HubRows:
    """The rows of one split of a dataset, which is opened when it is first needed."""

    path: HubPath
    split: str = "train"
    columns: tuple[str, ...] = ()  # to read; empty: all
    opened: Any = field(default=None, repr=False, compare=False)  # the builder, if there is one already

    @cached_property
    def builder(self) -> Any:
        """The datasets.DatasetBuilder. Raises UsageError and EngineError."""
        return self.opened or _open_builder(self.path)

    def splits(self) -> list["HubRows"]:
        """Return the rows of each split. Raises UsageError and EngineError."""
        with hub_errors(self.path.id):
            names = list(self.builder.as_streaming_dataset())
        return [replace(self, split=name, opened=self.builder) for name in names]

    def rows(self) -> Iterator[Row]:
        """Yield the rows as dictionaries. Raises UsageError and EngineError."""
        with hub_errors(self.path.id):
            for row in self._stream():
                yield dict(row)

    def tables(self, columns: Collection[str] | None = None) -> Iterator[Any]:
        """Yield the rows as pyarrow.Tables. columns: skip all others."""
        schema = select(self.schema, columns)
        with hub_errors(self.path.id):
            for table in self._stream().with_format("arrow").iter(text_blocks.ROWS // 4):
                yield fit(table, schema, self.path.id)

    @cached_property
    def schema(self) -> Any:
        """The pyarrow.Schema of all rows; of a dataset that declares none, that of its first row."""
        import pyarrow as pa

        with hub_errors(self.path.id):
            stream = self._stream().with_format("arrow")
            first = next(iter(stream.iter(1)), None)
            schema = first.schema if first is not None else pa.schema([])
            return (stream.features.arrow_schema if stream.features else schema).remove_metadata()

    @property
    def location(self) -> str:
        """The dataset and its state when it was opened."""
        return f"{self.path.id}@{self.builder.hash}"

    @property
    def total(self) -> int | None:
        """How many rows there are, if the dataset says so."""
        splits = self.builder.info.splits or {}
        total: int | None = splits[self.split].num_examples if self.split in splits else None
        return total

    @property
    def fingerprint(self) -> str:
        """A text, equal for the same rows in the same order."""
        return f"{self.builder.hash} {self.path.config or 'default'} {self.split}"

    @property
    def stamp(self) -> tuple[tuple[int, int], ...]:
        """Nothing: an opened dataset stays as it is."""
        return ()

    def _stream(self) -> Any:
        stream = self.builder.as_streaming_dataset(split=self.split)
        return stream.select_columns(list(self.columns)) if self.columns else stream


def _open_builder(path: HubPath) -> Any:
    try:
        from datasets import load_dataset_builder
    except ImportError:
        raise UsageError(
            f"{path.id}: the Hub is read by the package datasets; pip install datasets"
        ) from None
    with hub_errors(path.id):
        return load_dataset_builder(path.id, path.config, revision=path.revision)


@contextmanager
def hub_errors(name: str) -> Iterator[None]:
    """Raise UsageError for what a dataset does not have, and EngineError where the Hub cannot be reached."""
    try:
        yield
    except FileNotFoundError as error:  # no such dataset, or a private one
        raise UsageError(
            f"{name}: no such dataset: {one_line(error)}; check the id, or give the path of a file"
        ) from None
    except OSError as error:
        raise EngineError(f"{name}: cannot be reached as a dataset of the Hub: {one_line(error)}") from None
    except (ValueError, RuntimeError) as error:  # no such config or split
        raise UsageError(f"{name}: cannot be read as a dataset: {one_line(error)}") from None
