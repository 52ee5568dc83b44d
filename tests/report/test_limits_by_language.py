"""Thresholds that depend on the language and that no option tells."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from glotmill.filters._text import language_limits
from glotmill.filters.detectors import _thresholds, version
from glotmill.report.facts import limits_by_language

TAGS = ["swh_Latn", "tha_Thai", "eng_Latn"]
HERE = {name: version(name) for name in ("py3langid", "pycld2")}


def test_each_detector_at_each_length() -> None:
    found = limits_by_language("language", {"min_score": None}, HERE, TAGS)
    assert list(found) == TAGS
    for tag in TAGS:
        assert len(found[tag]) == 8
        for name, value in found[tag].items():
            detector, length = name.split()
            letters = _thresholds.LENGTHS[length]
            assert value == round(_thresholds.threshold(detector, tag, letters), 3)


def test_only_detectors_that_the_run_used() -> None:
    names = {
        name.split()[0]
        for name in limits_by_language("language", {}, {"py3langid": HERE["py3langid"]}, TAGS)["eng_Latn"]
    }
    assert names == {"py3langid"}
    named = limits_by_language("language", {"detectors": ["pycld2"]}, HERE, TAGS)
    assert {name.split()[0] for name in named["eng_Latn"]} == {"pycld2"}


def test_a_language_that_a_detector_does_not_know_has_none_of_it() -> None:
    found = limits_by_language("language", {"detectors": ["py3langid"]}, HERE, ["eng_Latn", "ace_Arab"])
    assert list(found) == ["eng_Latn"]


def test_a_file_of_the_user(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text(
        f"detector,version,language,length,min_score\npycld2,{HERE['pycld2']},swh_Latn,phrase,0.77\n"
    )
    found = limits_by_language(
        "language", {"min_score": str(file), "detectors": ["pycld2"]}, HERE, ["swh_Latn"]
    )
    assert found["swh_Latn"]["pycld2 phrase"] == 0.77


@pytest.mark.parametrize(
    ("judge", "options", "versions"),
    [
        ("language", {"min_score": 0.1}, HERE),
        ("language", {"policy": "script"}, HERE),
        ("language", {"language": "source_language"}, HERE),
        ("language", {}, {"pycld2": "0.0.1"}),  # the run had another version than is here
        ("language", {"min_score": "/gone.csv"}, HERE),
        ("language", {"detectors": ["fasttext:org/model"]}, HERE),  # nothing is fetched
        ("language", {"detectors": ["not_here"]}, HERE),
        ("length", {"min_chars": 3}, HERE),
        ("my_filters:mine", {}, HERE),
    ],
)
def test_nothing_where_it_is_the_same_in_all_or_not_known(
    judge: str, options: dict[str, Any], versions: dict[str, str]
) -> None:
    assert limits_by_language(judge, options, versions, TAGS) == {}


@pytest.mark.parametrize("judge", ["gopher_quality", "fineweb_quality"])
def test_limits_of_quality(judge: str) -> None:
    found = limits_by_language(judge, {"language": "language"}, HERE, TAGS)
    for tag in TAGS:
        names = list(found[tag])
        assert found[tag] == language_limits.limits(pl.Series([tag]), *names).row(0, named=True)
    thai, english = found["tha_Thai"], found["eng_Latn"]
    assert thai != english
