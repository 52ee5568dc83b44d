"""Rows in pairs."""

import polars as pl
import pytest

from glotmill.transforms.pair import pair


def test_each_row_meets_the_next_that_differs() -> None:
    rows = pl.DataFrame({"persona": [["a"], ["a"], ["b"], ["c"]]})
    made = pair(rows)
    assert made["persona_a"].to_list() == [["a"], ["a"], ["b"], ["c"]]
    assert made["persona_b"].to_list() == [["b"], ["b"], ["c"], ["a"]]
    assert made["reason"].is_null().all()


@pytest.mark.parametrize("values", [["a"], ["a", "a"], []])
def test_a_row_that_meets_nobody_says_so(values: list[str]) -> None:
    made = pair(pl.DataFrame({"name": values}, schema={"name": pl.String}), column="name")
    assert made["reason"].to_list() == ["no_partner"] * len(values)
    assert made["name_b"].dtype == pl.String
