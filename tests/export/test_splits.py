"""Shares of a split, and which side a seed falls on."""

import polars as pl
import pytest

from glotmill.errors import UsageError
from glotmill.export import splits


def test_parse() -> None:
    assert splits.parse("train=1") == {"train": 1}
    assert splits.parse(" train = 0.9, validation=0.05,test=.05") == {
        "train": 0.9,
        "validation": 0.05,
        "test": 0.05,
    }
    assert splits.parse("a=0.1,b=0.2,c=0.3,d=0.4") == {"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.4}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("train=0.9,test=0.2", r"the shares sum to 1\.1; make them sum to 1"),
        ("train=0.9", r"the shares sum to 0\.9"),
        ("train=1,test=0", r"the share of 'test' is 0; it must be above 0"),
        ("train=2,test=-1", r"the share of 'train' is 2"),
        ("train=nan,test=1", r"the share of 'train' is nan"),
        ("train", r"'train' is not a split; write it as train=0\.98,test=0\.02"),
        ("", r"'' is not a split"),
        ("train=x", r"'x' is not a number"),
        ("train=0.5,train=0.5", r"'train' twice"),
        ("../up=1", r"'\.\./up=1' is not a split"),
        ("all=1", r"'all=1' is not a split"),
    ],
)
def test_what_is_no_split(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=f"--split .*{told}"):
        splits.parse(text)


def test_shares_are_met_and_order_decides_nothing() -> None:
    keys = pl.Series([f"{n:024x}" for n in range(20_000)])
    shares = splits.parse("train=0.9,validation=0.05,test=0.05")
    sides = splits.assign(keys, shares)
    counts = dict(sides.value_counts().rows())
    assert set(counts) == set(shares)
    assert all(abs(counts[name] - 20_000 * share) < 300 for name, share in shares.items())
    assert splits.assign(keys.reverse(), shares).reverse().equals(sides)


def test_keys_that_come_later_move_none() -> None:
    shares = {"train": 0.5, "test": 0.5}
    first = splits.assign(pl.Series(["a", "b", "c", "a"]), shares)
    more = splits.assign(pl.Series(["x", "a", "y", "b", "c", "a"]), shares)
    assert first.to_list() == more.gather([1, 3, 4, 5]).to_list()
    assert first[0] == first[3]
    assert splits.assign(pl.Series([], dtype=pl.String), shares).to_list() == []


def test_a_seed_stays_where_it_is_from_one_version_to_the_next() -> None:
    found = splits.assign(pl.Series([f"{n:024x}" for n in range(12)]), {"train": 0.7, "test": 0.3})
    assert "".join(name[1] for name in found) == "rrreerrrrree"


def test_shares_that_sum_to_a_little_under_one_leave_the_rest_to_the_last() -> None:
    assert set(splits.assign(pl.Series(["a", "b", "c"]), {"one": 1e-12, "two": 1e-12})) == {"two"}
