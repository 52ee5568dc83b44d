"""The tables by language: what the page holds of the facts, and what it shows."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from chromium import Page, browser
from empty_facts import filter_facts, length_summary, run_facts
from run_folder import TEXTS, make

from glotmill.languages import Language, table
from glotmill.report.facts import BINS, facts
from glotmill.report.report import write
from glotmill.report.run_facts import Copies, Lengths, RunFacts, ShardCounts
from glotmill.report.tables import tables
from glotmill.runner.run_folder import Run


@pytest.fixture(scope="module")
def facts_of_run(folder: Path) -> RunFacts:
    return facts(Run(folder))


def read(page: Page, at: str, number: int = 0) -> dict[str, list[str]]:
    """Return the text of a table: tag -> cells; under "" its head."""
    table = f"document.querySelectorAll('#{at} table')[{number}]"
    rows = page.run(f"[...{table}.rows].map(row => [...row.cells].map(cell => cell.textContent))")
    return {"": rows[0], **{row[0].split()[-1]: row[1:] for row in rows[1:]}}


def test_the_funnel(page: Page, facts_of_run: RunFacts) -> None:
    rows = read(page, "funnel")
    assert rows[""] == [
        "Language", "Share", "Requests", "Seed rows", "Rows",
        "Answered", "Parsed", "Kept", "Share kept", "Accepted of 25", "Lost to"
    ]  # fmt: skip
    assert [tag for tag in rows if tag] == list(TEXTS)
    for row in facts_of_run.funnel:
        numbers = map(str, (row.requests, row.seed_rows, row.rows, row.answered, row.parsed, row.kept))
        lost = ", ".join(f"{count}\u00a0{reason}" for reason, count in row.dropped.items())
        assert rows[row.language] == ["", *numbers, "60%", str(row.accepted), lost]
    assert rows["tha_Thai"][1:8] == ["95", "50", "50", "45", "40", "30", "60%"]


def test_the_note_on_javascript_goes_once_the_tables_are_drawn(page: Page) -> None:
    assert page.run("document.getElementById('needs')") is None


def test_widths_of_a_bar(page: Page) -> None:
    parts = page.run(
        "[...document.querySelectorAll('#funnel tr:nth-child(1) rect')]"
        ".map(r => [r.getAttribute('class'), +r.getAttribute('x'), +r.getAttribute('width')])"
    )
    assert parts == [["accepted", 0, 60], ["kept", 60, 12], ["dropped", 72, 36], ["failed", 108, 12]]


def test_charts(page: Page) -> None:
    points = page.run("document.querySelector('#acceptance polyline').getAttribute('points')")
    pairs = [tuple(map(float, pair)) for pair in zip(points.split()[::2], points.split()[1::2], strict=True)]
    assert pairs == [(x, pytest.approx(10.6)) for x in (0, 30, 60, 90, 120)], "60 % of 26 pixels, five shards"
    path = page.run("document.querySelector('#lengths path').getAttribute('d')")
    ys = [float(step.split("h")[0]) for step in path.split("V")[1:-1]]
    assert len(ys) == BINS
    assert (min(ys), max(ys), path[:5], path[-3:]) == (0, 26, "M0 26", "V26")
    assert {step.split("h")[1] for step in path.split("V")[1:-1]} == {"5"}


def test_lengths(page: Page, facts_of_run: RunFacts) -> None:
    for number, unit in enumerate(("characters", "tokens")):
        rows, lengths = read(page, "lengths", number), facts_of_run.lengths[unit]
        assert rows[""][1] == f"From 0 to {lengths.width * BINS:,}"
        for tag, summary in lengths.languages.items():
            numbers = (summary.least, summary.p5, summary.median, summary.p95, summary.most)
            assert rows[tag][1:] == [f"{number:,}" for number in numbers]


def test_acceptance(page: Page, facts_of_run: RunFacts) -> None:
    rows = read(page, "acceptance")
    for tag, shards in facts_of_run.shards.items():
        first, last = (f"{shard.kept / shard.rows:.0%}" for shard in (shards[0], shards[-1]))
        assert rows[tag] == ["", str(len(shards)), first, last]


def test_requested_and_detected_languages(page: Page) -> None:
    rows = read(page, "detected")
    assert rows[""] == ["Language", "Correct", "As requested", "eng_Latn"]
    assert rows["eng_Latn"] == ["100%", "40", ""]
    assert rows["tha_Thai"] == ["88%", "35", "5"]
    cells = "[...document.querySelectorAll('#detected tbody tr:last-child td')]"
    assert page.run(f"{cells}.map(c => c.className)") == ["", "same", "other"]


def test_copies(page: Page, facts_of_run: RunFacts) -> None:
    assert read(page, "copies")["hin_Deva"] == ["5\u00a0duplicate", "5\u00a0of 2"]
    assert facts_of_run.copies["hin_Deva"] == Copies({"duplicate": 5}, {2: 5})


def test_a_row_has_the_name_of_its_language(page: Page) -> None:
    heads = page.run("[...document.querySelectorAll('#funnel tbody th')].map(c => [c.scope, c.textContent])")
    assert heads[1] == ["row", "Arabic arb_Arab"]


def test_the_most_frequent_reason_of_each_language_comes_first(tmp_path: Path) -> None:
    run = make(tmp_path / "run", rows=10, texts={tag: TEXTS[tag] for tag in ("eng_Latn", "arb_Arab")})
    for tag, most in (("eng_Latn", "unparsed_json"), ("arb_Arab", "wrong_language")):
        rows = run.read_rows(f"{tag}-00000")
        run.write_rows(f"{tag}-00000", rows.with_columns(pl.col("reason").replace("engine_died", most)))
    write(run, tmp_path / "report.html")
    with browser(tmp_path / "profile") as page:
        page.open(tmp_path / "report.html")
        rows = {tag: cells[-1].split(",")[0] for tag, cells in read(page, "funnel").items()}
    assert rows == {"": "Lost to", "eng_Latn": "2\u00a0unparsed_json", "arb_Arab": "2\u00a0wrong_language"}


def test_names_stay_text_and_a_shortfall_is_marked(tmp_path: Path) -> None:
    run = make(tmp_path / "run", texts={"eng_Latn": TEXTS["eng_Latn"]})
    rows = run.read_rows("eng_Latn-00000")
    run.write_rows("eng_Latn-00000", rows.with_columns(answer_language_detected=pl.lit("<b>x</b>")))
    run.write_info({**info(run), "per_language": 1_026})
    write(run, tmp_path / "report.html")
    with browser(tmp_path / "profile") as page:
        page.open(tmp_path / "report.html")
        assert page.run("document.querySelectorAll('main :is(td, th) b').length") == 0
        assert "<b>x</b>" in read(page, "detected")[""]
        assert page.run("document.querySelector('#funnel .short').textContent") == "30", "kept so far"
        assert "Accepted of 1,026" in read(page, "funnel")[""]


def info(run: Run) -> dict[str, Any]:
    return {name: value for name, value in run.info().items() if name != "format"}


def languages(*tags: str) -> list[Language]:
    """Languages with these tags, real or not."""
    return [replace(table()[0], tag=tag, name=tag.title()) for tag in tags]


def column(values: dict[str, Any], at: str, head: str) -> dict[str, Any]:
    (selected,) = (item for item in values["tables"] if item["at"] == at)
    (result,) = (item for item in selected["columns"] if item["head"] == head)
    return dict(result)


def test_many_shards_share_points() -> None:
    shards = [ShardCounts(number, 10, 10 if number < 30 else 0) for number in range(60)]
    values = tables(run_facts(languages=languages("a"), shards={"a": shards, "b": []}))
    assert column(values, "acceptance", "First to last")["values"] == ["f" * 5 + "0" * 5]
    assert column(values, "acceptance", "Language")["values"] == [0]


def test_a_bar_of_one_row_can_be_seen() -> None:
    lengths = Lengths(10, {"a": length_summary(histogram=[1000, 1, 0, 500])})
    values = tables(run_facts(languages=languages("a"), lengths={"tokens": lengths}))
    assert column(values, "lengths", "From 0 to 240")["values"] == ["f108"]


def test_a_matrix_of_many_languages_has_the_most_frequent_and_the_sum_of_the_rest() -> None:
    tags = [f"l{number:02}" for number in range(30)]
    counts = {
        tag: {tag: 50, **{other: number + 1 for number, other in enumerate(tags) if other != tag}}
        for tag in tags
    }
    counts = {tag: dict(sorted(row.items(), key=lambda pair: -pair[1])) for tag, row in counts.items()}
    values = tables(run_facts(languages=languages(*tags), detected={"answer": counts}))
    heads = [item["head"] for item in values["tables"][0]["columns"]]
    assert heads == ["Language", "Correct", "As requested", "l29", "l28", "l27", "Others"]
    others = column(values, "detected", "Others")
    first = others["values"][0]
    pairs = [(others["names"][index], count) for index, count in zip(first[::2], first[1::2], strict=True)]
    assert pairs == [("l26", 27), ("l25", 26), ("l24", 25), ("in others", sum(range(2, 25)))]
    assert sum(count for _, count in pairs) + 30 + 29 + 28 + 50 == sum(counts["l00"].values())


def test_languages_without_a_column_are_in_order(tmp_path: Path) -> None:
    run = make(tmp_path / "run", texts={"eng_Latn": TEXTS["eng_Latn"]})
    tags = [language.tag for language in table()[:20]]
    for file in sorted((tmp_path / "run" / "rows").glob("*.parquet")):
        rows = run.read_rows(file.stem)
        mixed = [tags[n % 20] if n < 19 else "eng_Latn" for n in rows["row"]]
        run.write_rows(file.stem, rows.with_columns(answer_language_detected=pl.Series(mixed)))
    write(run, tmp_path / "report.html")
    with browser(tmp_path / "profile") as page:
        page.open(tmp_path / "report.html")
        others = read(page, "detected")["eng_Latn"][-1]
    assert others == ", ".join(f"1\u00a0{tag}" for tag in sorted(tags)[3:6]) + ", 13\u00a0in others"


def test_large_groups_of_copies_are_taken_together() -> None:
    copies = Copies({"duplicate": 60}, {2: 9, 3: 5, 4: 4, 5: 2, 6: 1, 9: 1})
    values = tables(run_facts(languages=languages("a"), copies={"a": copies}))
    groups = column(values, "copies", "Groups of copies")
    assert dict(zip(groups["names"], groups["values"], strict=True)) == {
        "of 2": [9],
        "of 3": [5],
        "of 4": [4],
        "of 5": [2],
        "of more": [2],
    }


def test_filters_with_the_same_thresholds_share_a_table() -> None:
    filters = [
        filter_facts("language", "q", limits={"a": {"x": 0.5}}),
        filter_facts("language", "a", limits={"a": {"x": 0.5}}),
        filter_facts("language", "a", limits={"a": {"x": 0.25}}),
        filter_facts("length", "a"),
    ]
    values = tables(run_facts(languages=languages("a"), filters=filters))
    assert [(item["caption"], item["columns"][1]["values"]) for item in values["tables"][1:]] == [
        ("Thresholds by language: language, of q, a", [0.5]),
        ("Thresholds by language: language, of a", [0.25]),
    ]
