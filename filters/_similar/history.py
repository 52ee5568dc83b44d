"""What the rows before held: row after row is judged by them, in little memory. A helper of filters."""

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

_MANY = 1 << 16  # keys that are new since the last run of sorted keys was made
_BLOCK = 1 << 12  # sketches that are kept together
_JUDGED = {"reason": pl.String, "first": pl.String}


@dataclass(frozen=True)
class Rule:
    """How a filter judges a row by the rows before it; `glotmill.filters` tells what each part is."""

    keys: pl.Expr
    limit: int
    reason: str
    alike: float
    earlier: Callable[[], Iterator[pl.DataFrame]]


def rule(module: ModuleType, column: pl.Expr, options: Mapping[str, Any]) -> Rule | None:
    """Return the rule of a filter, from its module; None if it judges each row alone."""

    def ask(name: str, default: Any, *of: Any) -> Any:
        function = getattr(module, name, None)
        if function is None:
            return default
        known = inspect.signature(function).parameters
        return function(*of, **{n: v for n, v in options.items() if n in known})

    if not hasattr(module, "keys"):
        return None
    return Rule(
        keys=ask("keys", None, column),
        limit=ask("limit", 1),
        reason=ask("reason", module.__name__.rpartition(".")[2]),
        alike=ask("alike", 1.0),
        earlier=lambda: ask("earlier", iter(()), column),
    )


def over_table(rule: Rule, id: str = "") -> pl.Expr:
    """Return the rule's verdicts on the rows of one table, in their order.

    id: a column that names the rows; empty: rows have no name.
    -> reason: empty (no keys: null), the rule's reason; first: id of the kept row that this one is like.
    """
    parts = [rule.keys.alias("keys"), *([pl.col(id).cast(pl.String).alias("id")] if id else [])]

    def judge(rows: pl.Series) -> pl.Series:
        seen = Seen(rule)
        if rows.len():
            seen.begin()
        table = rows.struct.unnest()
        found = seen.take(table["keys"], ids=table["id"] if id else None)
        empty = pl.when(_parts(table["keys"])[0].is_null()).then(pl.lit("empty"))
        return found.with_columns(reason=pl.coalesce(empty, "reason")).to_struct()

    return pl.struct(parts).map_batches(judge, return_dtype=pl.Struct(_JUDGED))


class Seen:
    """The keys of all rows that were kept so far.

    A key takes 12 bytes, a row with a sketch of n bytes n more, and one with an id some 40 more. A million
    rows of `duplicates` with `near: 0.65` and ids, all different, take 0.5 GiB, and 0.65 GiB while sorted
    arrays are merged (benchmarks/duplicates.py --memory 1000000); with `near` off, a tenth of it.
    """

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.kept = 0  # rows
        self._sum = 0  # of their keys
        self._known = _Keys()
        self._new: dict[int, int] = {}  # what comes on top of _known
        self._sketches: list[NDArray[np.uint8]] = []
        self._ids: list[tuple[int, pl.Series]] = []  # with the number of the first kept row that they name

    @property
    def state(self) -> str:
        """All that decides about the next row, as a short text."""
        return f"{self.kept}:{self._sum:x}"

    def begin(self, language: str = "") -> None:
        """Take the rows that count as seen before the first; of one language, if it is given.

        A table without the column `language` counts for every language; what it holds may be written as
        `languages.find` takes it, such as fr. Raises UsageError.
        """
        needed = self.rule.keys.meta.root_names()
        for table in self.rule.earlier():
            rows = table
            if "language" in rows.columns:
                named = rows["language"].cast(pl.String)
                tags = {name: _tag(name) for name in named.unique().to_list() if name is not None}
                rows = rows.with_columns(named.replace(tags).alias("language"))
            if language and "language" in rows.columns:
                rows = rows.filter(language=language)
            elif language:
                rows = rows.with_columns(language=pl.lit(language))
            if missing := [name for name in needed if name not in rows.columns]:
                there = ", ".join(table.columns) or "none of those that are compared"
                raise UsageError(f"earlier rows: no column {missing[0]!r}; there is {there}")
            self.judge(rows)

    def judge(self, rows: pl.DataFrame, id: str = "") -> pl.DataFrame:
        """Judge the next rows. -> reason; first: the id of the kept row that this one is like.

        id: a column that names the rows; empty: rows have no name.
        """
        return self.take(rows.select(self.rule.keys.alias("keys"))["keys"], ids=rows[id] if id else None)

    def take(self, made: pl.Series, ids: pl.Series | None = None) -> pl.DataFrame:
        """As `judge`, for rows whose keys are at hand."""
        keys, sketches = _parts(made)
        if len(self._new) > _MANY:
            self._known.add(self._new)
            self._new.clear()
        lengths = keys.list.len().fill_null(0)
        some = keys.filter(lengths > 0).explode().to_numpy()
        flat, values = some.tolist(), self._known.find(some).tolist()
        before, end = self.kept, 0
        judged: list[tuple[bool, int]] = []  # lost, and the number of the row that it is like
        for row, length in enumerate(lengths.to_list()):
            start, end = end, end + length
            mine = dict(zip(flat[start:end], values[start:end], strict=True))
            is_new = not any(mine.values()) and self._new.keys().isdisjoint(mine)
            if not is_new:
                mine = {key: value + self._new.get(key, 0) for key, value in mine.items()}
            sketch = None if sketches is None or not mine else sketches[row]
            judged.append((False, -1) if is_new else self._lost(mine, sketch))
            if not judged[-1][0]:
                self._keep(mine, sketch)
        lost = pl.Series([loss for loss, _ in judged], dtype=pl.Boolean)
        if ids is not None:
            self._ids.append((before, ids.filter(~lost)))
        first = [self._id(owner) for _, owner in judged]
        reason = pl.select(pl.when(lost).then(pl.lit(self.rule.reason))).to_series()
        return pl.DataFrame([reason.alias("reason"), pl.Series("first", first, pl.String)], schema=_JUDGED)

    def _lost(self, mine: Mapping[int, int], sketch: bytes | None) -> tuple[bool, int]:
        if self.rule.limit > 1:
            return any(times >= self.rule.limit for times in mine.values()), -1
        for owner in sorted({value - 1 for value in mine.values() if value}):
            if sketch is None or self._alike(owner, sketch):
                return True, owner
        return False, -1

    def _alike(self, owner: int, sketch: bytes) -> bool:
        block, place = divmod(owner, _BLOCK)
        other = self._sketches[block][place]
        return bool(np.mean(other == np.frombuffer(sketch, np.uint8)) >= self.rule.alike)

    def _keep(self, mine: Mapping[int, int], sketch: bytes | None) -> None:
        self.kept += 1  # so that no row has the number 0, which stands for none
        if self.rule.limit > 1:
            self._new.update({key: self._new.get(key, 0) + 1 for key in mine})
        else:  # the first row of a key stands for it
            self._new.update(dict.fromkeys([key for key, value in mine.items() if not value], self.kept))
        self._sum = (self._sum + sum(mine)) % 2**64
        if sketch is not None:
            block, place = divmod(self.kept - 1, _BLOCK)
            while len(self._sketches) <= block:
                self._sketches.append(np.zeros((_BLOCK, len(sketch)), np.uint8))
            self._sketches[block][place] = np.frombuffer(sketch, np.uint8)

    def _id(self, owner: int) -> str | None:
        at = bisect_right(self._ids, owner, key=lambda named: named[0]) - 1
        if owner < 0 or at < 0:
            return None
        start, ids = self._ids[at]
        return str(ids[owner - start])


def _tag(name: str) -> str:
    """The tag of a language; what names none stays as it is."""
    try:
        return languages.find(name).tag
    except RecipeError:
        return name


def _parts(made: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """Keys, and sketches if there are any."""
    if isinstance(made.dtype, pl.Struct):
        return made.struct.field("keys"), made.struct.field("sketch")
    return made, None


class _Keys:
    """Numbers with a value each, in sorted arrays; a value is 0 where a number is not there."""

    def __init__(self) -> None:
        self._runs: list[tuple[NDArray[np.uint64], NDArray[np.uint32]]] = []  # the largest first

    def find(self, keys: NDArray[np.uint64]) -> NDArray[np.uint32]:
        """Return the value of each number."""
        order = np.argsort(keys)  # in order, they lie near each other in the arrays
        ordered, found = keys[order], np.zeros(len(keys), np.uint32)
        for have, values in self._runs:
            at, hit = _places(have, ordered)
            found[order[hit]] = values[at[hit]]
        return found

    def add(self, new: Mapping[int, int]) -> None:
        """Add to the values of numbers."""
        keys = np.fromiter(new.keys(), np.uint64, len(new))
        amounts = np.fromiter(new.values(), np.uint32, len(new))
        order = np.argsort(keys)
        keys, amounts = keys[order], amounts[order]
        for have, values in self._runs:
            at, hit = _places(have, keys)
            values[at[hit]] += amounts[hit]
            keys, amounts = keys[~hit], amounts[~hit]
        self._runs.append((keys, amounts))
        while len(self._runs) > 1 and len(self._runs[-2][0]) < 2 * len(self._runs[-1][0]):
            small, large = self._runs.pop(), self._runs.pop()
            self._runs.append(_merged(large, small))


def _places(have: NDArray[np.uint64], keys: NDArray[np.uint64]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Where numbers are among sorted ones, and whether they are there at all."""
    at = np.searchsorted(have, keys)
    at[at == len(have)] = 0
    return at, have[at] == keys if len(have) else np.zeros(len(keys), np.bool_)


def _merged(
    large: tuple[NDArray[np.uint64], NDArray[np.uint32]], small: tuple[NDArray[np.uint64], NDArray[np.uint32]]
) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
    total = len(large[0]) + len(small[0])
    new = np.searchsorted(large[0], small[0]) + np.arange(len(small[0]))
    old = np.ones(total, np.bool_)
    old[new] = False
    keys, values = np.empty(total, np.uint64), np.empty(total, np.uint32)
    keys[new], keys[old] = small[0], large[0]
    values[new], values[old] = small[1], large[1]
    return keys, values
