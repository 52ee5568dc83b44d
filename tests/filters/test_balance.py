import subprocess
import sys

import polars as pl
import pytest
from sentences import reasons

from glotmill.filters.balance import balance, keys, limit, reason

SOURCE = pl.col("text")


def test_the_first_rows_of_each_value_stay():
    sources = ["a", "b", "a", "a", "b", "c"]
    assert reasons(balance(SOURCE, most=1, per=()), sources) == [
        None,
        None,
        "over_cap",
        "over_cap",
        "over_cap",
        None,
    ]
    assert reasons(balance(SOURCE, most=2, per=()), sources) == [None, None, None, "over_cap", None, None]


def test_rows_of_other_languages_are_counted_apart():
    tags = ["swh_Latn", "fra_Latn", "swh_Latn"]
    assert reasons(balance(SOURCE, most=1), ["a"] * 3, language=tags) == [None, None, "over_cap"]
    apart = balance(SOURCE, most=1, per=("language", "template"))
    assert reasons(apart, ["a"] * 3, language=tags, template=["x", "x", "y"]) == [None, None, None]


def test_values_of_any_kind_are_told_apart():
    assert reasons(balance(SOURCE, most=1, per=()), [None, None, 1]) == [None, "over_cap", None]
    assert reasons(balance(SOURCE, most=1, per="b"), ["x", "x,y"], b=["y,z", "z"]) == [None, None]
    assert reasons(balance(SOURCE, most=1, per=()), [["a", "b"], ["a"], ["a", "b"]]) == [
        None,
        None,
        "over_cap",
    ]


def test_keys_are_shared_by_rows_that_are_counted_together():
    frame = pl.DataFrame({"text": ["a", "b", "a", None], "language": ["x", "x", "y", "x"]})
    made = frame.select(keys(SOURCE, most=1)).to_series()
    assert made.dtype == pl.List(pl.UInt64)
    assert made.list.len().to_list() == [1] * 4
    assert made.explode().n_unique() == 4
    assert frame.select(keys(SOURCE, most=1, per=())).to_series().explode().n_unique() == 3
    assert limit(most=7) == 7
    assert reason() == "over_cap"


def test_keys_are_the_same_in_another_process():
    code = (
        "import polars as pl; from glotmill.filters.balance import keys;"
        "print(pl.DataFrame({'text': ['wiki']}).select(keys(pl.col('text'), most=1, per=())).item()[0])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert pl.DataFrame({"text": ["wiki"]}).select(keys(SOURCE, most=1, per=())).item()[0] == int(out.stdout)


def test_a_cap_under_one_is_refused():
    for made in (balance, keys):
        with pytest.raises(ValueError, match="most 0"):
            made(SOURCE, most=0)
    with pytest.raises(ValueError, match="most 0"):
        limit(most=0)
