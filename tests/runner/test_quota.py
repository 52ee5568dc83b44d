"""How a language fills: in the order of its shards, whatever the order in which they are done."""

import importlib
import itertools
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from filling import PLAIN, info, language, rows

from glotmill.runner.finish_filters import LanguageFinish
from glotmill.runner.quota import NO_SEED
from glotmill.runner.run_folder import ShardInfo

SHARDS = [
    rows("a", "b", "-c", "a"),
    rows("B!", "c", "d", "-x"),
    rows("-a", "-b"),
    rows("e", "f", "g", "h", topics="efgd"),
]


def settle(finish: LanguageFinish, order: Any) -> list[list[Any]]:
    for number in order:
        finish.quota.opened += 1
        finish.take(number, info(SHARDS[number]), SHARDS[number])
    tables = [read(finish, number) for number in range(finish.quota.settled)]
    return [table.select("verdict", "reason", "reason_at").rows() for table in tables]


def read(finish: LanguageFinish, number: int) -> pl.DataFrame:
    return finish.run.read_rows(finish.quota.shard_name(number))


def read_info(finish: LanguageFinish, number: int) -> ShardInfo | None:
    return finish.run.shard_info(finish.quota.shard_name(number))


def take_again(finish: LanguageFinish, *numbers: int) -> None:
    for number in numbers:
        on_disk = read_info(finish, number)
        assert on_disk is not None
        finish.take(number, on_disk)


def test_first_come_by_place_not_by_time(tmp_path: Path) -> None:
    first = settle(language(tmp_path / "0"), range(4))
    reasons = [[row[1] for row in shard] for shard in first]
    assert reasons == [
        [None, None, "too_short", "duplicate"],
        ["duplicate", None, None, "too_short"],
        ["too_short", "too_short"],
        [None, None, None, "duplicate"],
    ]
    assert [row[2] for row in first[3]] == [None, None, None, "finish.topic.duplicates"]
    for number, order in enumerate(itertools.permutations(range(4)), 1):
        assert settle(language(tmp_path / str(number)), order) == first


def test_rows_wait_on_disk_and_not_in_memory(tmp_path: Path) -> None:
    finish = language(tmp_path)
    finish.quota.opened = 4
    finish.take(3, info(SHARDS[3]), SHARDS[3])
    assert finish.quota.settled == finish.quota.accepted == 0
    assert finish.quota.accepted_so_far == 4
    assert read(finish, 3).equals(SHARDS[3])


def test_going_on_settles_the_same(tmp_path: Path) -> None:
    before = settle(language(tmp_path), range(4))
    files = {p.name: p.read_bytes() for p in (tmp_path / "rows").iterdir()}
    again = language(tmp_path)
    again.quota.opened = 4
    take_again(again, 2, 0, 3, 1)
    assert again.quota.accepted == sum(row[0] == "kept" for shard in before for row in shard) == 7
    assert {p.name: p.read_bytes() for p in (tmp_path / "rows").iterdir()} == files


def test_an_earlier_shard_that_changed_changes_the_later(tmp_path: Path) -> None:
    settle(language(tmp_path), range(4))
    again = language(tmp_path)
    again.quota.opened = 4
    changed = rows("z", "d", "-c", "e")
    again.take(0, info(changed), changed)
    take_again(again, 1, 2, 3)
    reasons = [read(again, n)["reason"].to_list() for n in range(4)]
    assert reasons == [
        [None, None, "too_short", None],
        [None, None, "duplicate", "too_short"],
        ["too_short", "too_short"],
        ["duplicate", None, None, "duplicate"],
    ]


def test_full_means_that_nothing_more_is_settled(tmp_path: Path) -> None:
    finish = language(tmp_path, target=3)
    settle(finish, (1, 0))
    assert (
        finish.quota.accepted,
        finish.quota.settled,
        finish.quota.is_full,
        finish.quota.is_finished,
        finish.quota.needs_shard,
    ) == (4, 2, True, True, False)
    finish.take(2, info(SHARDS[2]), SHARDS[2])
    assert finish.quota.settled == 2
    assert read_info(finish, 2) is None


@pytest.mark.parametrize(("opened", "shortfall"), [(1, "the seeds are spent after 100 passes"), (0, NO_SEED)])
def test_spent_seeds(tmp_path: Path, opened: int, shortfall: str) -> None:
    finish = language(tmp_path, opened=opened)
    finish.quota.close()
    assert not finish.quota.shortfall
    finish.quota.seeds_spent = True
    finish.quota.close()
    assert finish.quota.shortfall == shortfall


def test_a_shard_that_lost_all_its_rows_early_may_lack_columns(tmp_path: Path) -> None:
    finish = language(tmp_path)
    bare = rows("-x").drop("draft", "topic")
    finish.take(0, info(bare), bare)
    assert finish.quota.settled == 1


NEAR = (
    PLAIN[: PLAIN.index("finish")]
    + """
finish: [{filter: duplicates, of: draft, near: 0.65, against: OLD}]
output: {columns: [draft]}
"""
)
LONG = "the first of some words that are said in a row, so that one of them does not matter much at all"


def test_near_rows_of_other_shards_and_of_an_earlier_dataset(tmp_path: Path) -> None:
    old = pl.DataFrame({"draft": ["old words"] * 2, "language": ["eng_Latn", "fra_Latn"]})
    old.write_parquet(tmp_path / "old.parquet")
    finish = language(tmp_path, recipe=NEAR.replace("OLD", str(tmp_path / "old.parquet")))
    tables = [rows(LONG, "old words"), rows("new words", LONG.replace("row", "queue"), "-" + LONG)]
    for number, table in enumerate(tables):
        finish.take(number, info(table), table)
    tables = [read(finish, n) for n in range(2)]
    assert tables[0].select("reason", "draft_duplicates_first").rows() == [
        (None, None),
        ("near_duplicate", None),
    ]
    assert tables[1].select("reason", "draft_duplicates_first").rows() == [
        *((None, None), ("near_duplicate", "0"), ("too_short", None))
    ]
    assert finish.quota.accepted == 2
    again = language(tmp_path, recipe=NEAR.replace("OLD", str(tmp_path / "old.parquet")))
    again.take(0, info(rows("other")), rows("other"))
    take_again(again, 1)
    changed = read(again, 1)
    assert changed.select("verdict", "draft_duplicates_first").rows() == [("kept", None)] * 2 + [
        ("dropped", None)
    ]


def test_another_earlier_dataset_applies_again(tmp_path: Path) -> None:
    path = tmp_path / "old.parquet"
    for text, accepted in (("nothing", 4), (LONG, 3)):
        pl.DataFrame({"draft": [text]}).write_parquet(path)
        finish = language(tmp_path, recipe=NEAR.replace("OLD", str(path)))
        table = rows(LONG, "a", "b", "c")
        finish.take(0, info(table), table)
        assert finish.quota.accepted == accepted
        assert read(finish, 0).filter(verdict="kept").height == accepted


OWN = """
import polars as pl
def own(text): return pl.lit(None, pl.String)
def keys(text): return text.str.len_chars().cast(pl.UInt64).reshape((-1, 1)).arr.to_list()
def limit(): return 2
def reason(): return "REASON"
"""


def test_an_edited_filter_applies_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    plain = (
        PLAIN[: PLAIN.index("finish")]
        + "finish: [{filter: 'own_keys:own', of: draft}]\noutput: {columns: [draft]}"
    )
    table = rows("a", "b", "c", "dd", "-e")
    for reason in ("too_many", "enough_of_them"):
        (tmp_path / "own_keys.py").write_text(OWN.replace("REASON", reason))
        monkeypatch.delitem(sys.modules, "own_keys", raising=False)
        importlib.invalidate_caches()
        finish = language(tmp_path, recipe=plain)
        on_disk = read_info(finish, 0)
        finish.take(0, on_disk or info(table), None if on_disk else table)
        assert read(finish, 0)["reason"].to_list() == [
            None,
            None,
            reason,
            None,
            "too_short",
        ]
        assert finish.quota.accepted == 3
