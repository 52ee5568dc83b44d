"""Rows judged by the rows before them, in any portions."""

import random
import types
from collections import Counter

import polars as pl
import pytest

from glotmill.filters._similar import history as module
from glotmill.filters._similar.history import History, rule


def unit(**functions):
    made = types.ModuleType("unit")
    made.keys = lambda column: column  # type: ignore[attr-defined]
    for name, function in functions.items():
        setattr(made, name, function)
    return made


def table(rows, **columns):
    return pl.DataFrame({"k": rows, **columns}, schema_overrides={"k": pl.List(pl.UInt64)})


def lost(history, rows):
    return [reason is not None for reason in history.apply(table(rows))["reason"]]


def by_hand(rows, limit):
    kept, said = Counter(), []
    for row in rows:
        said.append(any(kept[key] >= limit for key in row))
        if not said[-1]:
            kept.update(set(row))
    return said


def of(**functions):
    found = rule(unit(**functions), pl.col("k"), {})
    assert found is not None
    return found


@pytest.mark.parametrize("limit", [1, 2, 5])
@pytest.mark.parametrize("many", [10, 1 << 16])
def test_a_row_goes_when_a_key_of_it_came_too_often(limit, many, monkeypatch):
    monkeypatch.setattr(module, "_MAX_NEW", many)
    chance = random.Random(limit)
    rows = [[chance.randrange(400) << 50 for _ in range(chance.randrange(4))] for _ in range(3000)]
    history = History(of(limit=lambda: limit))
    said = []
    while len(said) < len(rows):
        said += lost(history, rows[len(said) : len(said) + chance.randrange(1, 300)])
    assert said == by_hand(rows, limit)
    assert history.kept == said.count(False)


def test_the_largest_and_the_smallest_number_are_keys():
    history = History(of())
    ends = [[0], [2**64 - 1], [1], [2**63]]
    assert lost(history, ends) == [False] * 4
    assert lost(history, ends) == [True] * 4


def test_rows_without_keys_are_kept():
    assert lost(History(of()), [None, [], None, []]) == [False] * 4
    assert lost(History(of()), []) == []


def test_the_state_tells_what_was_kept():
    first, other = History(of()), History(of())
    assert first.state == other.state
    lost(first, [[1], [2], [2]])
    lost(other, [[2]])
    assert first.state != other.state
    lost(other, [[1], [1]])
    assert first.state == other.state


def test_sketches_decide_where_a_key_is_shared():
    def keys(column):
        return pl.struct(keys=column, sketch=pl.col("s"))

    history = History(of(keys=keys, alike=lambda: 0.75))
    rows = table(
        [[1], [1], [1], [2], [1, 2]],
        s=[b"abcd", b"abXY", b"abcX", None, b"none"],
        id=["a", "b", "c", "d", "e"],
    )
    found = history.apply(rows, id="id")
    assert found.rows() == [(None, None), (None, None), ("unit", "a"), (None, None), (None, None)]


def test_the_first_row_is_named_over_batches():
    history = History(of())
    history.apply(table([[7]]))  # a row without a name
    assert history.apply(table([[1], [2], [1]], id=["a", "b", "c"]), id="id")["first"].to_list() == [
        None,
        None,
        "a",
    ]
    assert history.apply(table([[3], [2], [7], [3]], id=["d", "e", "f", "g"]), id="id")[
        "first"
    ].to_list() == [*(None, "b", None, "d")]


def test_each_function_is_given_the_options_it_names():
    asked = {}

    def keys(column, *, a):
        asked["keys"] = a
        return column

    def limit(*, b=3):
        asked["limit"] = b
        return b

    found = rule(unit(keys=keys, limit=limit, reason=lambda: "why"), pl.col("k"), {"a": 1, "c": 2})
    assert asked == {"keys": 1, "limit": 3}
    assert found is not None
    assert (found.limit, found.reason, found.alike) == (3, "why", 1.0)
    assert rule(types.ModuleType("alone"), pl.col("k"), {}) is None


def test_a_million_keys_take_little_memory():
    history = History(of())
    for start in range(0, 1_000_000, 50_000):
        keys = pl.Series(range(start, start + 50_000), dtype=pl.UInt64) * 11_400_714_819_323_198_485 % 2**63
        history.apply_keys(keys.reshape((-1, 5)).arr.to_list())
    held = sum(keys.nbytes + values.nbytes for keys, values in history._sorted._arrays)
    assert held + 12 * len(history._new) == 12_000_000
    assert len(history._new) <= 2 * (1 << 16)


def test_earlier_languages_are_read_in_any_spelling():
    early = table([[1], [2], [3]], language=["fr", "sw", "Klingon"])
    asked = []
    found = rule(unit(earlier=lambda column: asked.append(1) or iter([early])), pl.col("k"), {})
    one = History(found)
    one.begin("fra_Latn")
    assert asked
    assert lost(one, [[1], [2], [3]]) == [True, False, False]
    every = History(found)
    every.begin()
    assert lost(every, [[1], [2], [3]]) == [True] * 3
