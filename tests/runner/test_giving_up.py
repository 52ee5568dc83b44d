"""Small first shards: what a language shows before more of it is opened, and when it is given up."""

import itertools
from pathlib import Path

import polars as pl
import pytest
from filling import PLAIN, info, language, open_all, rows

from glotmill.runner.quota import LanguageQuota, yields_less
from glotmill.runner.run_folder import ShardInfo


def test_the_first_shard_tells_before_others_are_opened(tmp_path: Path) -> None:
    finish = language(tmp_path, target=12)
    assert open_all(finish.quota) == [4]
    finish.take(0, info(half := rows("a", "b", "-c", "-d")), half)
    assert open_all(finish.quota) == [4] * 5, "10 more rows, at (2 + 0.7 x 4) / 8 of each"
    finish.take(1, info(bad := rows("-a", "-b", "-c", "e")), bad)
    assert finish.quota.rate < 0.6
    assert finish.quota.needs_shard


def test_a_doubtful_language_opens_no_more_than_it_has_shown(tmp_path: Path) -> None:
    quota = LanguageQuota(language(tmp_path).quota.plan, 1000, 250, 8)
    opened = []
    for number in range(7):
        sizes = open_all(quota)
        assert len(sizes) == 1
        opened += sizes
        quota.count_finished(number, ShardInfo("d", sizes[0], int(number == 0)))
    assert opened == [8, 8, 16, 32, 64, 128, 250]


@pytest.mark.parametrize(("size", "first"), [(250, 8), (8, 8), (25, 8), (256, 32), (4, 0), (10, 3), (4, 9)])
def test_shards_follow_each_other_without_gaps(tmp_path: Path, size: int, first: int) -> None:
    quota = LanguageQuota(language(tmp_path).quota.plan, 100, size, first)
    starts = [quota.shard_start(number) for number in range(30)]
    sizes = [after - before for before, after in itertools.pairwise(starts)]
    assert starts[0] == 0
    assert sizes[0] == (min(first, size) or size)
    assert sizes == sorted(sizes)
    assert set(sizes[10:]) == {size}
    assert all(size == starts[n] for n, size in enumerate(sizes[:3]) if n and size < quota.shard_size)


def test_a_run_without_a_first_shard_keeps_equal_ones(tmp_path: Path) -> None:
    quota = LanguageQuota(language(tmp_path).quota.plan, 100, 25)
    assert [quota.shard_start(number) for number in range(4)] == [0, 25, 50, 75]


def test_rows_that_a_server_lost_are_no_reason_to_give_a_language_up(tmp_path: Path) -> None:
    finish = language(tmp_path)
    lost = rows(*["-x"] * 8)
    for number in range(12):
        finish.take(number, ShardInfo("d", 8, 0, transient=8), lost)
    assert not finish.quota.is_finished


def test_a_language_that_yields_nothing_is_given_up_soon(tmp_path: Path) -> None:
    finish = language(tmp_path)
    lost = rows(*["-x"] * 8)
    for number in range(4):
        assert not finish.quota.is_finished
        finish.take(number, info(lost), lost)
    assert finish.quota.given_up == (32, 0)
    assert finish.quota.shortfall == (
        "0 of the first 32 seed rows led to an accepted row, under the limit of 10% (--give-up); "
        "most were lost to too_short (32)"
    )


def test_a_good_beginning_does_not_hide_a_bad_end(tmp_path: Path) -> None:
    finish = language(tmp_path, target=10_000)
    good, lost = rows(*[f"r{n}" for n in range(100)]), rows(*["-x"] * 100)
    for number, table in enumerate([good, lost, lost, lost]):
        finish.take(number, info(table), table)
    assert finish.quota.shortfall.startswith("0 of the last 200 ")


def test_a_limit_of_nothing_never_gives_up(tmp_path: Path) -> None:
    finish = language(tmp_path, recipe=PLAIN + "floor: 0\n")
    assert open_all(finish.quota), "without a limit, no shard waits for another"
    lost = rows(*["-x"] * 300)
    finish.take(0, info(lost), lost)
    assert not finish.quota.is_finished


def test_samples_of_one_seed_row_are_no_evidence_of_others(tmp_path: Path) -> None:
    samples = rows(*[f"a{n}" for n in range(12)], *["-x"] * 400).with_columns(
        row=pl.Series([0] * 12 + list(range(1, 401)))
    )
    finish = language(tmp_path)
    finish.take(0, ShardInfo("d", 401, 12), samples)
    assert finish.quota.shortfall.startswith("1 of the first 401 seed rows led to an accepted row")


@pytest.mark.parametrize("floor", [0.02, 0.1, 0.3])
def test_a_language_at_the_limit_is_seldom_given_up(floor: float) -> None:
    """The probability that any of 60 looks is mistaken, exactly: by the number of rows accepted so far."""
    alive, mistaken = {0: 1.0}, 0.0
    for seeds in range(1, 481):
        after = dict.fromkeys(range(seeds + 1), 0.0)
        for count, probability in alive.items():
            after[count] += probability * (1 - floor)
            after[count + 1] += probability * floor
        if seeds % 8 == 0:
            lost = [count for count in after if yields_less(floor, seeds, count)]
            mistaken += sum(after.pop(count) for count in lost)
        alive = after
    assert 0 < mistaken < 0.05
    assert yields_less(floor, 480, int(480 * floor / 8))
    assert not yields_less(floor, 480, int(480 * floor))
    assert not yields_less(0, 10**6, 0)
    assert yields_less(1, 2, 1)
    assert not yields_less(floor, 10**7, 10**7)
