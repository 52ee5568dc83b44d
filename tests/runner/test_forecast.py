"""What a run says about the time and the requests that it still takes."""

import math
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import pytest
from filling import info, language, rows
from spy import State, user, write
from virtual_loop import VirtualLoop

from glotmill.cli.progress import _Rate
from glotmill.messages import Request
from glotmill.runner.forecast import cost_of_the_rest, requests_left, rounded, seconds_left
from glotmill.runner.quota import LanguageQuota
from glotmill.runner.run import run_async
from glotmill.runner.run_folder import ShardInfo
from glotmill.runner.schedule import Progress

TWO = """
about: Two steps.
seeds: {draw: {word: [moon, rain, bread, tree, road], number: NUMBERS}}
steps:
  - {generate: question, as: json}
  - {generate: answer, as: json}
finish: [{filter: duplicates, of: id}]
output: {columns: [answer, word, number]}
""".replace("NUMBERS", str(list(range(400))))
WORDS = "{{ word }} {{ number }} {{ language.tag }}"
SHARES = {"eng": 0.95, "fra": 0.9, "swh": 0.7, "hin": 0.5}  # of replies that can be parsed
LENGTHS = {"skewed": 0.7, "very skewed": 1.0}  # of replies: sigma of a log-normal, cut at four medians


def chance(request: Request, purpose: str) -> Random:
    return Random(request.key + purpose)


def simulate(
    folder: Path, spy: State, languages: list[str], sigma: float, **options: Any
) -> list[tuple[float, float | None]]:
    """Run by a clock of its own; return (seconds since the start, seconds left as told), once a second."""
    spy.delay = lambda r: 5 * min(4, math.exp(chance(r, f"length {sigma}").gauss(0, sigma)))
    spy.answer(lambda r: "1" if chance(r, "fate").random() < SHARES[user(r).split()[-1][:3]] else "no")
    told, rate = [], _Rate()

    def watch(progress: Progress) -> None:
        rate.add(progress)
        told.append((progress.seconds, rate.seconds_left(progress)))

    recipe = write(folder / "two", TWO, question=WORDS, answer=WORDS + " {{ question }} " + WORDS)
    loop = VirtualLoop()
    try:
        loop.run_until_complete(
            run_async(
                recipe,
                languages=languages,
                engine="spy:spy",
                model="m",
                folder=folder / "run",
                watch=watch,
                **options,
            )
        )
    finally:
        loop.close()
    return told


RUNS = [
    ([*SHARES], "skewed", 100, 32),
    ([*SHARES], "very skewed", 100, 32),
    ([*SHARES], "very skewed", 60, 8),
    ([*SHARES], "skewed", 100, 256),
    (["fra"], "very skewed", 400, 32),
    (["swh"], "very skewed", 600, 64),
    (["hin"], "skewed", 200, 32),
]


def test_the_time_left_is_honest(tmp_path: Path, spy: State) -> None:
    errors: dict[float, list[float]] = {0.25: [], 0.5: [], 0.75: []}
    for number, (languages, lengths, rows_, window) in enumerate(RUNS):
        told = simulate(
            tmp_path / str(number), spy, languages, LENGTHS[lengths], per_language=rows_, window=window
        )
        assert told[0][1] is None, "nothing is known yet"
        end = told[-1][0]
        for share, of_runs in errors.items():
            now, left = min(told, key=lambda pair: abs(pair[0] - share * end))
            if left is not None:
                of_runs.append(abs(left / (end - now) - 1))
    assert len(errors[0.25]) >= len(RUNS) - 1, "one run is over after three replies, one after the other"
    assert len(errors[0.5]) == len(errors[0.75]) == len(RUNS)
    assert {share: median(of_runs) < 0.25 for share, of_runs in errors.items()} == dict.fromkeys(errors, True)


def quota_of(folder: Path, kept: int, seeds: int = 40, requests: int = 90) -> LanguageQuota:
    quota = language(folder).quota
    quota.count_finished(0, ShardInfo("d", seeds, kept, requests=requests))
    return quota


def test_what_the_rest_will_cost_is_known_from_the_first_rows(tmp_path: Path) -> None:
    assert cost_of_the_rest(language(tmp_path).quota) == ""
    quota = quota_of(tmp_path, kept=2)
    assert requests_left(quota) == 98 * 90 / 2
    assert cost_of_the_rest(quota) == "the missing 98 rows would take about 4,400 more requests"
    quota = quota_of(tmp_path, kept=0)
    assert requests_left(quota) is None
    assert cost_of_the_rest(quota) == "the missing 100 rows would take over 9,000 more requests"
    assert seconds_left([quota], 3.0, [1.0]) is None


def test_shards_of_before_tell_nothing(tmp_path: Path) -> None:
    finish = language(tmp_path)
    finish.take(0, info(table := rows("a", "b")), table)
    assert requests_left(finish.quota) is None
    assert cost_of_the_rest(finish.quota) == ""


@pytest.mark.parametrize(("number", "shown"), [(0.2, 0), (7, 7), (6938, 6900), (99.6, 100), (123456, 120000)])
def test_an_estimate_has_two_digits(number: float, shown: int) -> None:
    assert rounded(number) == shown
