"""How a language fills: in the order of its shards, whatever the order in which they are done."""

import importlib
import itertools
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from spy import write

from glotmill.languages import find
from glotmill.recipes.read import read_recipe
from glotmill.recipes.seeds import open_seeds
from glotmill.runner import check
from glotmill.runner.folder import Run
from glotmill.runner.quota import NO_SEED, LanguageQuota

PLAIN = """
about: A test.
seeds: {rows: [{topic: x}]}
steps: [{generate: draft}]
finish:
  - {filter: duplicates, of: draft}
  - {filter: duplicates, of: topic, skip: true}
  - {filter: duplicates, of: topic}
output: {columns: [draft]}
"""


def quota(folder: Path, wanted: int = 100, plain: str = PLAIN, **more: Any) -> LanguageQuota:
    read = read_recipe(write(folder / "mine", plain, draft="{{ topic }}"))
    plan = check.plan(read, find("eng"), open_seeds(read), "m")
    return LanguageQuota(plan, Run(folder), wanted, 4, **more)


def rows(*drafts: str, topics: str = "") -> pl.DataFrame:
    kept = [not draft.startswith("-") for draft in drafts]
    return pl.DataFrame(
        {
            "id": [f"{n}" for n in range(len(drafts))],
            "language": ["eng_Latn"] * len(drafts),
            "draft": drafts,
            "topic": list(topics) or list(drafts),
            "verdict": ["kept" if k else "dropped" for k in kept],
            "reason": [None if k else "too_short" for k in kept],
            "reason_at": [None if k else "draft.length" for k in kept],
        },
        schema_overrides={"reason": pl.String, "reason_at": pl.String},
    )


def about(table: pl.DataFrame) -> dict[str, str]:
    return {
        "seeds": str(table.height),
        "kept": str(table.filter(verdict="kept").height),
        "digest": "d",
        "transient": "0",
    }


SHARDS = [
    rows("a", "b", "-c", "a"),
    rows("B!", "c", "d", "-x"),
    rows("-a", "-b"),
    rows("e", "f", "g", "h", topics="efgd"),
]


def done(made: LanguageQuota, order: Any) -> list[list[Any]]:
    for number in order:
        made.opened += 1
        made.finished(number, about(SHARDS[number]), SHARDS[number])
    names = [made.name(n) for n in range(made.settled)]
    return [made.store.read_rows(name).select("verdict", "reason", "reason_at").rows() for name in names]


def test_first_come_by_place_not_by_time(tmp_path: Path) -> None:
    first = done(quota(tmp_path / "0"), range(4))
    reasons = [[row[1] for row in shard] for shard in first]
    assert reasons == [
        [None, None, "too_short", "duplicate"],
        ["duplicate", None, None, "too_short"],
        ["too_short", "too_short"],
        [None, None, None, "duplicate"],
    ]
    assert [row[2] for row in first[3]] == [None, None, None, "finish.topic.duplicates"]
    for number, order in enumerate(itertools.permutations(range(4)), 1):
        assert done(quota(tmp_path / str(number)), order) == first


def test_rows_wait_on_disk_and_not_in_memory(tmp_path: Path) -> None:
    made = quota(tmp_path)
    made.opened = 4
    made.finished(3, about(SHARDS[3]), SHARDS[3])
    assert made.settled == made.accepted == 0
    assert made.yielded == 4
    assert made.store.read_rows(made.name(3)).equals(SHARDS[3])


def test_going_on_settles_the_same(tmp_path: Path) -> None:
    before = done(quota(tmp_path), range(4))
    files = {p.name: p.read_bytes() for p in (tmp_path / "rows").iterdir()}
    again = quota(tmp_path)
    again.opened = 4
    for number in (2, 0, 3, 1):
        again.finished(number, again.store.about_rows(again.name(number)))
    assert again.accepted == sum(row[0] == "kept" for shard in before for row in shard) == 7
    assert {p.name: p.read_bytes() for p in (tmp_path / "rows").iterdir()} == files


def test_an_earlier_shard_that_changed_changes_the_later(tmp_path: Path) -> None:
    done(quota(tmp_path), range(4))
    again = quota(tmp_path)
    again.opened = 4
    changed = rows("z", "d", "-c", "e")
    again.finished(0, about(changed), changed)
    for number in (1, 2, 3):
        again.finished(number, again.store.about_rows(again.name(number)))
    reasons = [again.store.read_rows(again.name(n))["reason"].to_list() for n in range(4)]
    assert reasons == [
        [None, None, "too_short", None],
        [None, None, "duplicate", "too_short"],
        ["too_short", "too_short"],
        ["duplicate", None, None, "duplicate"],
    ]


def test_full_means_that_nothing_more_is_settled(tmp_path: Path) -> None:
    made = quota(tmp_path, wanted=3)
    done(made, (1, 0))
    assert (made.accepted, made.settled, made.full, made.over, made.hungry) == (4, 2, True, True, False)
    made.finished(2, about(SHARDS[2]), SHARDS[2])
    assert made.settled == 2
    assert made.store.about_rows(made.name(2)) == {}


def test_as_many_shards_are_opened_as_will_likely_do(tmp_path: Path) -> None:
    made = quota(tmp_path, wanted=12)
    while made.hungry:
        made.opened += 1
    assert made.opened == 5, "12 of 0.7 x 4 a shard"
    made.finished(0, about(SHARDS[2]), SHARDS[2])
    assert made.rate < 0.7
    assert made.hungry


def test_a_language_under_the_floor_is_given_up(tmp_path: Path) -> None:
    made = quota(tmp_path)
    lost = rows(*["-x"] * 50)
    for number in range(4):
        assert not made.over
        made.opened += 1
        made.finished(number, about(lost), lost)
    assert made.short.startswith(
        "0 of the last 200 seed rows were accepted, under the floor of 2%; most were"
    )
    assert made.short.endswith("were lost to too_short (200)")


def test_a_good_beginning_does_not_hide_a_bad_end(tmp_path: Path) -> None:
    made = quota(tmp_path, wanted=10_000)
    good, lost = rows(*[f"r{n}" for n in range(100)]), rows(*["-x"] * 100)
    for number, table in enumerate([good, lost, lost, lost]):
        made.finished(number, about(table), table)
    assert made.short.startswith("0 of the last 200 ") or made.short.startswith("0 of the last 300 ")


def test_a_floor_of_nothing_never_gives_up(tmp_path: Path) -> None:
    made = quota(tmp_path, plain=PLAIN + "floor: 0\n")
    lost = rows(*["-x"] * 300)
    made.finished(0, about(lost), lost)
    assert not made.over


@pytest.mark.parametrize(("opened", "told"), [(1, "the seeds are spent after 100 passes"), (0, NO_SEED)])
def test_spent_seeds(tmp_path: Path, opened: int, told: str) -> None:
    made = quota(tmp_path, opened=opened)
    made.end()
    assert not made.short
    made.seeds_spent = True
    made.end()
    assert made.short == told


def test_a_shard_that_lost_all_its_rows_early_may_lack_columns(tmp_path: Path) -> None:
    made = quota(tmp_path)
    bare = rows("-x").drop("draft", "topic")
    made.finished(0, about(bare), bare)
    assert made.settled == 1


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
    made = quota(tmp_path, plain=NEAR.replace("OLD", str(tmp_path / "old.parquet")))
    tables = [rows(LONG, "old words"), rows("new words", LONG.replace("row", "queue"), "-" + LONG)]
    for number, table in enumerate(tables):
        made.finished(number, about(table), table)
    said = [made.store.read_rows(made.name(n)) for n in range(2)]
    assert said[0].select("reason", "draft_duplicates_first").rows() == [
        (None, None),
        ("near_duplicate", None),
    ]
    assert said[1].select("reason", "draft_duplicates_first").rows() == [
        *((None, None), ("near_duplicate", "0"), ("too_short", None))
    ]
    assert made.accepted == 2
    again = quota(tmp_path, plain=NEAR.replace("OLD", str(tmp_path / "old.parquet")))
    again.finished(0, about(rows("other")), rows("other"))
    again.finished(1, again.store.about_rows(again.name(1)))
    changed = again.store.read_rows(again.name(1))
    assert changed.select("verdict", "draft_duplicates_first").rows() == [("kept", None)] * 2 + [
        ("dropped", None)
    ]


def test_another_earlier_dataset_judges_anew(tmp_path: Path) -> None:
    path = tmp_path / "old.parquet"
    for text, accepted in (("nothing", 4), (LONG, 3)):
        pl.DataFrame({"draft": [text]}).write_parquet(path)
        made = quota(tmp_path, plain=NEAR.replace("OLD", str(path)))
        table = rows(LONG, "a", "b", "c")
        made.finished(0, about(table), table)
        assert made.accepted == accepted
        assert made.store.read_rows(made.name(0)).filter(verdict="kept").height == accepted


OWN = """
import polars as pl
def own(text): return pl.lit(None, pl.String)
def keys(text): return text.str.len_chars().cast(pl.UInt64).reshape((-1, 1)).arr.to_list()
def limit(): return 2
def reason(): return "REASON"
"""


def test_an_edited_filter_judges_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
        made = quota(tmp_path, plain=plain)
        there = made.store.about_rows(made.name(0))
        made.finished(0, there or about(table), None if there else table)
        assert made.store.read_rows(made.name(0))["reason"].to_list() == [
            None,
            None,
            reason,
            None,
            "too_short",
        ]
        assert made.accepted == 3
