"""The tables by language: what is packed of the facts, and what the page shows of it."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from chromium import Page, browser
from run_folder import SAID, make

from glotmill.languages import table
from glotmill.report.facts import BINS, facts
from glotmill.report.report import write
from glotmill.report.tables import tables
from glotmill.runner.folder import Run


@pytest.fixture(scope="module")
def found(folder: Path) -> dict[str, Any]:
    return facts(Run(folder))


def read(page: Page, at: str, number: int = 0) -> dict[str, list[str]]:
    """Return the text of a table: tag -> cells; under "" its head."""
    table = f"document.querySelectorAll('#{at} table')[{number}]"
    rows = page.run(f"[...{table}.rows].map(row => [...row.cells].map(cell => cell.textContent))")
    return {"": rows[0], **{row[0].split()[-1]: row[1:] for row in rows[1:]}}


def test_the_funnel(page: Page, found: dict[str, Any]) -> None:
    told = read(page, "funnel")
    assert told[""] == [
        "Language", "Share", "Asked", "Answered", "Parsed", "Kept", "Share kept", "Accepted of 25", "Lost to"
    ]  # fmt: skip
    assert [tag for tag in told if tag] == list(SAID)
    for of in found["funnel"]:
        numbers = [of[name] for name in ("asked", "answered", "parsed", "kept")]
        lost = ", ".join(f"{count}\u00a0{reason}" for reason, count in of["dropped"].items())
        assert told[of["language"]] == ["", *map(str, numbers), "60%", str(of["accepted"]), lost]
    assert told["tha_Thai"][1:6] == ["50", "45", "40", "30", "60%"]


def test_nothing_is_said_to_be_needed_where_all_is_shown(page: Page) -> None:
    assert page.run("document.getElementById('needs')") is None


def test_a_share_is_as_wide_as_it_is(page: Page) -> None:
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


def test_lengths(page: Page, found: dict[str, Any]) -> None:
    for number, unit in enumerate(("characters", "tokens")):
        told, of = read(page, "lengths", number), found["lengths"][unit]
        assert told[""][1] == f"From 0 to {of['width'] * BINS:,}"
        for tag, numbers in of["languages"].items():
            names = ("least", "p5", "median", "p95", "most")
            assert told[tag][1:] == [f"{numbers[name]:,}" for name in names]


def test_acceptance(page: Page, found: dict[str, Any]) -> None:
    told = read(page, "acceptance")
    for tag, shards in found["shards"].items():
        first, last = (f"{of['kept'] / of['rows']:.0%}" for of in (shards[0], shards[-1]))
        assert told[tag] == ["", str(len(shards)), first, last]


def test_languages_asked_and_found(page: Page) -> None:
    told = read(page, "detected")
    assert told[""] == ["Language", "Share right", "Itself", "eng_Latn"]
    assert told["eng_Latn"] == ["100%", "40", ""]
    assert told["tha_Thai"] == ["88%", "35", "5"]
    cells = "[...document.querySelectorAll('#detected tbody tr:last-child td')]"
    assert page.run(f"{cells}.map(c => c.className)") == ["", "same", "other"]


def test_copies(page: Page, found: dict[str, Any]) -> None:
    assert read(page, "copies")["hin_Deva"] == ["5\u00a0duplicate", "5\u00a0of 2"]
    assert found["duplicates"]["hin_Deva"] == {"rows": {"duplicate": 5}, "clusters": {"2": 5}}


def test_a_row_has_the_name_of_its_language(page: Page) -> None:
    heads = page.run("[...document.querySelectorAll('#funnel tbody th')].map(c => [c.scope, c.textContent])")
    assert heads[1] == ["row", "Arabic arb_Arab"]


def test_reasons_come_with_the_most_first_in_each_language(tmp_path: Path) -> None:
    run = make(tmp_path / "run", each=10, said={tag: SAID[tag] for tag in ("eng_Latn", "arb_Arab")})
    for tag, most in (("eng_Latn", "unparsed_json"), ("arb_Arab", "wrong_language")):
        rows = run.read_rows(f"{tag}-00000")
        run.write_rows(f"{tag}-00000", rows.with_columns(pl.col("reason").replace("engine_died", most)))
    write(run, tmp_path / "report.html")
    with browser(tmp_path / "profile") as page:
        page.open(tmp_path / "report.html")
        told = {tag: cells[-1].split(",")[0] for tag, cells in read(page, "funnel").items()}
    assert told == {"": "Lost to", "eng_Latn": "2\u00a0unparsed_json", "arb_Arab": "2\u00a0wrong_language"}


def test_names_stay_text_and_what_is_short_is_marked(tmp_path: Path) -> None:
    run = make(tmp_path / "run", said={"eng_Latn": SAID["eng_Latn"]})
    rows = run.read_rows("eng_Latn-00000")
    run.write_rows("eng_Latn-00000", rows.with_columns(answer_language_detected=pl.lit("<b>x</b>")))
    run.write_info({**info(run), "per_language": 1_026})
    write(run, tmp_path / "report.html")
    with browser(tmp_path / "profile") as page:
        page.open(tmp_path / "report.html")
        assert page.run("document.querySelectorAll('main :is(td, th) b').length") == 0
        assert "<b>x</b>" in read(page, "detected")[""]
        assert page.run("document.querySelector('#funnel .short').textContent") == "25"
        assert "Accepted of 1,026" in read(page, "funnel")[""]


def info(run: Run) -> dict[str, Any]:
    return {name: value for name, value in run.info().items() if name != "format"}


def plain(tags: list[str], **given: Any) -> dict[str, Any]:
    """Facts with nothing in them but what is given."""
    whole: dict[str, Any] = {"shards": {}, "duplicates": {}, "lengths": {}, "detected": {}, "filters": []}
    languages = [{"tag": tag, "name": tag.title()} for tag in tags]
    return whole | {"languages": languages, "funnel": []} | given


def column(told: dict[str, Any], at: str, head: str) -> dict[str, Any]:
    (table,) = (table for table in told["tables"] if table["at"] == at)
    (found,) = (column for column in table["columns"] if column["head"] == head)
    of: dict[str, Any] = found
    return of


def test_many_shards_are_taken_together() -> None:
    shards = [{"shard": n, "rows": 10, "kept": 10 if n < 30 else 0} for n in range(60)]
    told = tables(plain(["a"], shards={"a": shards, "b": []}))
    assert column(told, "acceptance", "First to last")["values"] == ["f" * 5 + "0" * 5]
    assert column(told, "acceptance", "Language")["values"] == [0]


def test_a_column_that_holds_one_row_can_be_seen() -> None:
    numbers = dict.fromkeys(("least", "p5", "median", "p95", "most"), 1)
    histogram = [1000, 1, 0, 500]
    told = tables(
        plain(
            ["a"], lengths={"tokens": {"width": 10, "languages": {"a": {**numbers, "histogram": histogram}}}}
        )
    )
    assert column(told, "lengths", "From 0 to 240")["values"] == ["f108"]


def test_a_matrix_of_many_languages_tells_the_most_and_the_sum_of_the_rest() -> None:
    tags = [f"l{n:02}" for n in range(30)]
    found = {tag: {tag: 50, **{other: n + 1 for n, other in enumerate(tags) if other != tag}} for tag in tags}
    found = {tag: dict(sorted(of.items(), key=lambda pair: -pair[1])) for tag, of in found.items()}
    told = tables(plain(tags, detected={"answer": found}))
    heads = [column["head"] for column in told["tables"][0]["columns"]]
    assert heads == ["Language", "Share right", "Itself", "l29", "l28", "l27", "Others"]
    others = column(told, "detected", "Others")
    first = others["values"][0]
    named = [(others["names"][place], count) for place, count in zip(first[::2], first[1::2], strict=True)]
    assert named == [("l26", 27), ("l25", 26), ("l24", 25), ("in others", sum(range(2, 25)))]
    assert sum(count for _, count in named) + 30 + 29 + 28 + 50 == sum(found["l00"].values())


def test_what_a_matrix_has_no_columns_for_is_told_in_order(tmp_path: Path) -> None:
    run = make(tmp_path / "run", said={"eng_Latn": SAID["eng_Latn"]})
    tags = [of.tag for of in table()[:20]]
    for file in sorted((tmp_path / "run" / "rows").glob("*.parquet")):
        rows = run.read_rows(file.stem)
        mixed = [tags[n % 20] if n < 19 else "eng_Latn" for n in rows["row"]]
        run.write_rows(file.stem, rows.with_columns(answer_language_detected=pl.Series(mixed)))
    write(run, tmp_path / "report.html")
    with browser(tmp_path / "profile") as page:
        page.open(tmp_path / "report.html")
        others = read(page, "detected")["eng_Latn"][-1]
    assert others == ", ".join(f"1\u00a0{tag}" for tag in sorted(tags)[3:6]) + ", 13\u00a0in others"


def test_sets_of_many_sizes_are_told_together() -> None:
    clusters = {"2": 9, "3": 5, "4": 4, "5": 2, "6": 1, "9": 1}
    told = tables(plain(["a"], duplicates={"a": {"rows": {"duplicate": 60}, "clusters": clusters}}))
    sets = column(told, "copies", "Groups of copies")
    assert dict(zip(sets["names"], sets["values"], strict=True)) == {
        "of 2": [9],
        "of 3": [5],
        "of 4": [4],
        "of 5": [2],
        "of more": [2],
    }


def test_filters_with_the_same_thresholds_share_a_table() -> None:
    own, other = {"a": {"x": 0.5}}, {"a": {"x": 0.25}}
    judges = [("language", "q", own), ("language", "a", own), ("language", "a", other), ("length", "a", {})]
    filters = [{"filter": name, "of": of, "by_language": by} for name, of, by in judges]
    told = [
        (t["caption"], t["columns"][1]["values"]) for t in tables(plain(["a"], filters=filters))["tables"][1:]
    ]
    assert told == [
        ("Thresholds by language: language, of q, a", [0.5]),
        ("Thresholds by language: language, of a", [0.25]),
    ]
