"""Thresholds that depend on the language, which a filter takes from its tables."""

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
    limits = limits_by_language("language", {"min_score": None}, HERE, TAGS)
    assert list(limits) == TAGS
    for tag in TAGS:
        assert len(limits[tag]) == 8
        for name, value in limits[tag].items():
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


def test_a_detector_has_no_thresholds_for_languages_unknown_to_it() -> None:
    limits = limits_by_language("language", {"detectors": ["py3langid"]}, HERE, ["eng_Latn", "ace_Arab"])
    assert list(limits) == ["eng_Latn"]


def test_thresholds_from_a_file_of_the_user(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text(
        f"detector,version,language,length,min_score\npycld2,{HERE['pycld2']},swh_Latn,phrase,0.77\n"
    )
    limits = limits_by_language(
        "language", {"min_score": str(file), "detectors": ["pycld2"]}, HERE, ["swh_Latn"]
    )
    assert limits["swh_Latn"]["pycld2 phrase"] == 0.77


@pytest.mark.parametrize(
    ("name", "options", "versions"),
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
def test_no_limits_if_they_are_equal_or_unknown(
    name: str, options: dict[str, Any], versions: dict[str, str]
) -> None:
    assert limits_by_language(name, options, versions, TAGS) == {}


@pytest.mark.parametrize("name", ["gopher_quality", "fineweb_quality"])
def test_limits_of_quality(name: str) -> None:
    limits = limits_by_language(name, {"language": "language"}, HERE, TAGS)
    for tag in TAGS:
        names = list(limits[tag])
        assert limits[tag] == language_limits.limits(pl.Series([tag]), *names).row(0, named=True)
    thai, english = limits["tha_Thai"], limits["eng_Latn"]
    assert thai != english
