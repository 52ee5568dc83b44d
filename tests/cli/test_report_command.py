"""`glotmill report`: a file, or numbers."""

import json
from pathlib import Path

import pytest
from run_folder import make

from glotmill.cli import main


def test_the_page_is_written_into_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path)
    assert main(["report", str(tmp_path)]) == 0
    output = capsys.readouterr()
    page = (tmp_path / "report.html").read_bytes()
    assert output.out == f"{tmp_path}/report.html ({len(page) / 1000:,.0f} kB)\n"
    assert not output.err
    assert page.startswith(b"<!doctype html>")
    assert not list(tmp_path.glob(".report*"))


def test_numbers_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path)
    assert main(["report", str(tmp_path), "--json", "--price-in", "2", "--price-out", "10"]) == 0
    output = json.loads(capsys.readouterr().out)
    assert output["funnel"][0]["rows"] == 50
    total = output["total"]
    assert total["cost"] == pytest.approx((2 * total["prompt_tokens"] + 10 * total["reply_tokens"]) / 1e6)
    assert not (tmp_path / "report.html").exists()


def test_page_and_numbers_with_fewer_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path / "run")
    for name, rows in (("a.html", "10"), ("b.html", "200")):
        assert (
            main(["report", str(tmp_path / "run"), "-o", str(tmp_path / name), "--rows", rows, "--json"]) == 0
        )
        assert json.loads(capsys.readouterr().out)["recipe"]["name"] == "bread"
    assert (tmp_path / "a.html").stat().st_size < (tmp_path / "b.html").stat().st_size


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path)]) == 2
    assert "no run here" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "wrong", [["--price-in", "-1"], ["--price-in", "judge=cheap"], ["--rows", "-1"], ["--rows", "many"]]
)
def test_wrong_options_are_refused(tmp_path: Path, wrong: list[str]) -> None:
    assert main(["report", str(tmp_path), *wrong]) == 2
