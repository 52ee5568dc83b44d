"""A report as a file."""

import re
from base64 import b64decode
from html import unescape
from pathlib import Path

import pytest
from report_reader import packed
from run_folder import make
from varied_run import varied

from glotmill.errors import UsageError
from glotmill.report.report import report, write
from glotmill.runner.run_folder import Run


def test_the_file_is_the_same_every_time(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert report(Run(folder), price_in=1.0, price_out=2.0) == page
    match = re.search(r'octet-stream">([^<]*)', page)
    assert match is not None
    assert b64decode(match[1])[4:8] == bytes(4), "no time in the compressed rows"


def test_it_is_small_in_two_hundred_languages(tmp_path: Path) -> None:
    page = report(varied(tmp_path, 200))
    rows = re.search(r'<script id="data" type="application/octet-stream">([^<]*)', page)
    assert rows is not None
    assert len(packed(page)["languages"]) == 200
    assert "For the filter language: the lowest probability" in page
    assert "aar_Latn 264 of 300, " in page
    assert " and 26 more." in page
    assert len(page.encode()) - len(rows[1]) < 50_000
    rows_of = {
        table["caption"]: len(table["columns"][0]["values"]) for table in packed(page, "numbers")["tables"]
    }
    assert len(rows_of) == 8
    assert sum(count == 200 for count in rows_of.values()) == 6, "the others have no copies, no thresholds"


def test_a_run_without_rows_has_a_report(tmp_path: Path) -> None:
    finished = make(tmp_path / "finished")
    empty = Run(tmp_path / "empty")
    empty.folder.mkdir()
    empty.write_info({name: value for name, value in finished.info().items() if name != "format"})
    page = report(empty)
    assert packed(page)["rows"] == []
    assert "No row was dropped as a copy" in page


def test_tables_that_are_not_by_language_need_no_script(folder: Path) -> None:
    text = unescape(re.sub(r"<[^>]+>", " ", (folder / "report.html").read_text(encoding="utf-8")))
    assert re.search(r"answer\.language\s+wrong_language\s+35\s", text)
    assert "for each accepted row, at the given prices" in text
    assert "policy group, max_foreign 0.2, unjudged error\n" in text, "without options that are off"
    assert "The tables by language and the rows are in this file, compressed" in text


@pytest.mark.parametrize(
    ("price", "text"), [(0, "0.00"), (1, "0.00042"), (10_000, "4.20"), (1e9, "420,000.00")]
)
def test_small_costs_keep_two_significant_digits(tmp_path: Path, price: float, text: str) -> None:
    run = make(tmp_path, rows=10, texts={"eng_Latn": ("Why?", "Because.")})
    assert f"<b>{text}</b>cost" in report(run, price_out=price)


def test_it_is_written_to_any_path(tmp_path: Path) -> None:
    run = make(tmp_path / "run", rows=10, texts={"eng_Latn": ("Why?", "Because.")})
    file = tmp_path / "new" / "folder" / "page.html"
    assert write(run, file) == file.stat().st_size
    assert [path.name for path in file.parent.iterdir()] == ["page.html"]
    with pytest.raises(UsageError, match="new: a folder"):
        write(run, tmp_path / "new")
    assert not list(tmp_path.glob(".*")), "no draft is left"


def test_it_contains_no_paths_of_this_machine(tmp_path: Path) -> None:
    run = make(tmp_path / "run")
    info = run.info()
    info |= {"engine_args": {"download_dir": "/home/someone/models", "roots": ["~/secret/a"]}}
    info["recipe"]["steps"][-1]["detectors"] = ["fasttext:/home/someone/lid.bin"]
    info["recipe"]["steps"][-1]["min_score"] = "C:\\Users\\someone\\own.csv"
    run.write_info({name: value for name, value in info.items() if name != "format"})
    page = unescape(report(run))
    assert "someone" not in page
    assert "secret" not in page
    for name in ("download_dir models", "fasttext:lid.bin", "min_score own.csv"):
        assert name in page.replace('"', "").replace("[", "")
