"""Filters that compare each row with the rows kept before it, in little memory. A helper of filters.

The idea. A filter turns a row into a few 64-bit *keys* (see `glotmill.filters`): rows that must not both stay
share a key. `History` holds the keys of all kept rows, so a row is checked by looking up its keys. Where a
shared key is only a hint (MinHash bands), a kept row also leaves a *sketch*, some bytes whose share of equal
places estimates how similar two texts are; it settles whether the row really is a copy.

Memory. Keys live in sorted numpy arrays (`_SortedKeys`) that are merged as in a log-structured merge tree:
each is at least twice as long as the next, so there are O(log n) of them and each key moves O(log n) times.
The latest keys are in a dictionary until there are `_MAX_NEW`.
"""

import inspect
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmill import languages
from glotmill.errors import RecipeError, UsageError

_MAX_NEW = 1 << 16  # new keys in the dictionary before they become a sorted array
_BLOCK = 1 << 12  # sketches in one array
_SCHEMA = {"reason": pl.String, "first": pl.String}


@dataclass(frozen=True)
class Rule:
    """How a filter compares rows; `glotmill.filters` documents each part."""

    keys: pl.Expr
    limit: int
    reason: str
    alike: float
    earlier: Callable[[], Iterator[pl.DataFrame]]


def rule(module: ModuleType, column: pl.Expr, options: Mapping[str, Any]) -> Rule | None:
    """Read the rule of a filter from its module; None if the filter does not compare rows."""
    if not hasattr(module, "keys"):
        return None

    def call(name: str, default: Any, *arguments: Any) -> Any:
        function = getattr(module, name, None)
        if function is None:
            return default
        parameters = inspect.signature(function).parameters
        return function(*arguments, **{name: v for name, v in options.items() if name in parameters})

    return Rule(
        keys=call("keys", None, column),
        limit=call("limit", 1),
        reason=call("reason", module.__name__.rpartition(".")[2]),
        alike=call("alike", 1.0),
        earlier=lambda: call("earlier", iter(()), column),
    )


def over_table(rule: Rule, id: str = "") -> pl.Expr:
    """Return an expression that applies the rule to the rows of one table, in their order.

    id: a column that names the rows; empty: rows have no names.
    -> struct of reason (`empty` where there are no keys, or the rule's reason) and first (the id of the kept
    row that this one is like).
    """
    inputs = [rule.keys.alias("keys"), *([pl.col(id).cast(pl.String).alias("id")] if id else [])]

    def apply(rows: pl.Series) -> pl.Series:
        history = History(rule)
        if rows.len():
            history.begin()
        table = rows.struct.unnest()
        result = history.apply_keys(table["keys"], ids=table["id"] if id else None)
        empty = pl.when(_keys_and_sketches(table["keys"])[0].is_null()).then(pl.lit("empty"))
        return result.with_columns(reason=pl.coalesce(empty, "reason")).to_struct()

    return pl.struct(inputs).map_batches(apply, return_dtype=pl.Struct(_SCHEMA))


class History:
    """The keys of all rows kept so far.

    A key takes 12 bytes, a row with a sketch of n bytes n more, and a row with an id some 40 more. A million
    different rows of `duplicates` with `near: 0.65` and ids take 0.5 GiB, and 0.65 GiB while sorted arrays
    are merged (benchmarks/duplicates.py --memory 1000000); with `near` off, a tenth of it.

    The value of a key is, with a limit of 1, the number of the kept row that had it first, counted from 1;
    with a higher limit, in how many kept rows it occurred. 0 means a key not seen yet.
    """

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.kept = 0  # rows
        self._checksum = 0  # sum of their keys, modulo 2**64
        self._sorted = _SortedKeys()
        self._new: dict[int, int] = {}  # keys and values since, to be added to those of _sorted
        self._sketches: list[NDArray[np.uint8]] = []  # each (_BLOCK, bytes of a sketch)
        self._ids: list[tuple[int, pl.Series]] = []  # ids of kept rows, after the number of the first

    @property
    def state(self) -> str:
        """Everything that the verdict on the next row depends on, as a short text."""
        return f"{self.kept}:{self._checksum:x}"

    def begin(self, language: str = "") -> None:
        """Take the rule's earlier rows, those of one language if it is given.

        A table without the column `language` counts for every language; its values may be written in any
        form that `languages.find` takes, such as fr. Raises UsageError.
        """
        inputs = self.rule.keys.meta.root_names()
        for table in self.rule.earlier():
            rows = table
            if "language" in rows.columns:
                names = rows["language"].cast(pl.String)
                tags = {name: _tag(name) for name in names.unique().to_list() if name is not None}
                rows = rows.with_columns(names.replace(tags).alias("language"))
            if language and "language" in rows.columns:
                rows = rows.filter(language=language)
            elif language:
                rows = rows.with_columns(language=pl.lit(language))
            if missing := [name for name in inputs if name not in rows.columns]:
                columns = ", ".join(table.columns) or "none of those that are compared"
                raise UsageError(f"earlier rows: no column {missing[0]!r}; the columns are {columns}")
            self.apply(rows)

    def apply(self, rows: pl.DataFrame, id: str = "") -> pl.DataFrame:
        """Apply the rule to the next rows. -> reason; first: the id of the kept row that this one is like.

        id: a column that names the rows; empty: rows have no names.
        """
        keys = rows.select(self.rule.keys.alias("keys"))["keys"]
        return self.apply_keys(keys, ids=rows[id] if id else None)

    def apply_keys(self, keys: pl.Series, ids: pl.Series | None = None) -> pl.DataFrame:
        """Do what `apply` does, for rows whose keys are already computed."""
        lists, sketches = _keys_and_sketches(keys)
        if len(self._new) > _MAX_NEW:
            self._sorted.add(self._new)
            self._new.clear()
        lengths = lists.list.len().fill_null(0)
        flat = lists.filter(lengths > 0).explode().to_numpy()  # all keys of all rows, looked up at once
        flat_keys, flat_values = flat.tolist(), self._sorted.find(flat).tolist()
        kept_before, end = self.kept, 0
        drops: list[bool] = []
        owners: list[int] = []  # number of the kept row that the row is like, from 0; -1: none
        for row, length in enumerate(lengths.to_list()):
            start, end = end, end + length
            values = dict(zip(flat_keys[start:end], flat_values[start:end], strict=True))
            sketch = None if sketches is None or not values else sketches[row]
            drop, owner = False, -1
            if any(values.values()) or not self._new.keys().isdisjoint(values):
                values = {key: value + self._new.get(key, 0) for key, value in values.items()}
                drop, owner = self._compare(values, sketch)
            if not drop:
                self._keep(values, sketch)
            drops.append(drop)
            owners.append(owner)
        dropped = pl.Series(drops, dtype=pl.Boolean)
        if ids is not None:
            self._ids.append((kept_before, ids.filter(~dropped)))
        first = pl.Series("first", [self._id(owner) for owner in owners], pl.String)
        reason = pl.select(pl.when(dropped).then(pl.lit(self.rule.reason)).alias("reason")).to_series()
        return pl.DataFrame([reason, first], schema=_SCHEMA)

    def _compare(self, values: Mapping[int, int], sketch: bytes | None) -> tuple[bool, int]:
        """Return whether a row is dropped, and the kept row that it is like.

        values: of the row's keys. Of several kept rows that share a key, the first is tried first.
        """
        if self.rule.limit > 1:
            return any(count >= self.rule.limit for count in values.values()), -1
        for owner in sorted({value - 1 for value in values.values() if value}):
            if sketch is None or self._is_alike(owner, sketch):
                return True, owner
        return False, -1

    def _is_alike(self, owner: int, sketch: bytes) -> bool:
        block, index = divmod(owner, _BLOCK)
        equal = self._sketches[block][index] == np.frombuffer(sketch, np.uint8)
        return bool(np.mean(equal) >= self.rule.alike)

    def _keep(self, values: Mapping[int, int], sketch: bytes | None) -> None:
        self.kept += 1
        if self.rule.limit > 1:
            self._new.update({key: self._new.get(key, 0) + 1 for key in values})
        else:  # the first row of a key stands for it
            self._new.update(dict.fromkeys([key for key, value in values.items() if not value], self.kept))
        self._checksum = (self._checksum + sum(values)) % 2**64
        if sketch is not None:
            block, index = divmod(self.kept - 1, _BLOCK)
            while len(self._sketches) <= block:
                self._sketches.append(np.zeros((_BLOCK, len(sketch)), np.uint8))
            self._sketches[block][index] = np.frombuffer(sketch, np.uint8)

    def _id(self, owner: int) -> str | None:
        """Return the id of a kept row; None if it has none."""
        index = bisect_right(self._ids, owner, key=lambda entry: entry[0]) - 1
        if owner < 0 or index < 0:
            return None
        start, ids = self._ids[index]
        return str(ids[owner - start])


def _tag(name: str) -> str:
    """Return the tag of a language; an unknown name stays unchanged."""
    try:
        return languages.find(name).tag
    except RecipeError:
        return name


def _keys_and_sketches(column: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """Split what a rule's `keys` gives: lists of keys, and sketches if there are any."""
    if isinstance(column.dtype, pl.Struct):
        return column.struct.field("keys"), column.struct.field("sketch")
    return column, None


class _SortedKeys:
    """A map from uint64 keys to uint32 values, in sorted arrays; 0 means a key that is not in it."""

    def __init__(self) -> None:
        self._arrays: list[tuple[NDArray[np.uint64], NDArray[np.uint32]]] = []  # the longest first

    def find(self, keys: NDArray[np.uint64]) -> NDArray[np.uint32]:
        """Return the value of each key."""
        order = np.argsort(keys)  # neighbours in the query are neighbours in memory
        ordered, result = keys[order], np.zeros(len(keys), np.uint32)
        for array_keys, array_values in self._arrays:
            index, hit = _search(array_keys, ordered)
            result[order[hit]] = array_values[index[hit]]
        return result

    def add(self, new: Mapping[int, int]) -> None:
        """Add amounts to the values of keys."""
        keys = np.fromiter(new.keys(), np.uint64, len(new))
        amounts = np.fromiter(new.values(), np.uint32, len(new))
        order = np.argsort(keys)
        keys, amounts = keys[order], amounts[order]
        for array_keys, array_values in self._arrays:
            index, hit = _search(array_keys, keys)
            array_values[index[hit]] += amounts[hit]
            keys, amounts = keys[~hit], amounts[~hit]
        self._arrays.append((keys, amounts))
        while len(self._arrays) > 1 and len(self._arrays[-2][0]) < 2 * len(self._arrays[-1][0]):
            short, long = self._arrays.pop(), self._arrays.pop()
            self._arrays.append(_merge(long, short))


def _search(
    array: NDArray[np.uint64], keys: NDArray[np.uint64]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the index of each key in a sorted array, and whether it is really there."""
    index = np.searchsorted(array, keys)
    index[index == len(array)] = 0
    return index, array[index] == keys if len(array) else np.zeros(len(keys), np.bool_)


def _merge(
    long: tuple[NDArray[np.uint64], NDArray[np.uint32]], short: tuple[NDArray[np.uint64], NDArray[np.uint32]]
) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
    """Merge two sorted arrays without a common key, and their values."""
    total = len(long[0]) + len(short[0])
    from_short = np.searchsorted(long[0], short[0]) + np.arange(len(short[0]))
    from_long = np.ones(total, np.bool_)
    from_long[from_short] = False
    keys, values = np.empty(total, np.uint64), np.empty(total, np.uint32)
    keys[from_short], keys[from_long] = short[0], long[0]
    values[from_short], values[from_long] = short[1], long[1]
    return keys, values
