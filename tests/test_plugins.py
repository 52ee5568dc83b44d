"""Units by name."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from glotmill import plugins
from glotmill.errors import UsageError
from glotmill.filters.length import length


def test_a_file_is_a_unit() -> None:
    assert plugins.find("filters", "length") is length
    assert {"length", "duplicates"} <= set(plugins.names("filters"))
    assert "text" not in plugins.names("filters"), "a helper is no unit"
    assert plugins.about("filters", "length").startswith("Drop texts with too few")


def test_module_and_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_units.py").write_text("def loud(text, *, share=0.5, sharp): ...\nNUMBER = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    loud = plugins.find("filters", "own_units:loud")
    assert list(plugins.options(loud)) == ["share", "sharp"]
    plugins.check_options(loud, {"sharp": 1}, "here")
    with pytest.raises(
        UsageError, match=r"here: no option 'shared'; did you mean 'share'.*; there is share, sharp"
    ):
        plugins.check_options(loud, {"shared": 1}, "here")
    with pytest.raises(UsageError, match=r"no option 'zzz'; there is share, sharp$"):
        plugins.check_options(loud, {"zzz": 1}, "here")
    with pytest.raises(UsageError, match=r"here: option 'sharp' is needed"):
        plugins.check_options(loud, {}, "here")
    with pytest.raises(UsageError, match=r"is a int, not a function"):
        plugins.find("filters", "own_units:NUMBER")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"least": "abc"}, "option 'least' is 'abc'; give a number"),
        ({"least": None}, "option 'least' is null; give a number"),
        ({"least": True}, "option 'least' is True; give a number"),
        ({"most": [1]}, r"option 'most' is \[1\]; give a number"),
        ({"loud": 1}, "option 'loud' is 1; give true or false"),
    ],
)
def test_what_is_no_number_and_no_yes_or_no(given: dict[str, Any], told: str) -> None:
    def unit(
        *,
        least: int = 1,
        most: float | None = None,
        loud: bool = False,
        scale: Sequence[float] = (),
        name: str = "",
    ) -> None: ...

    fits = {"least": 2.0, "most": None, "loud": True, "scale": [1, 2], "name": None}
    plugins.check_values(unit, fits, "here")
    with pytest.raises(UsageError, match=f"here: {told}"):
        plugins.check_values(unit, given, "here")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("lenght", "no filter named 'lenght'; did you mean 'length'"),
        ("text", "no filter named 'text'"),
        ("nosuch:f", "cannot be loaded: No module named 'nosuch'"),
        ("json:nosuch", "cannot be loaded"),
        (":f", "cannot be loaded"),
        ("../length", "no filter named"),
    ],
)
def test_what_is_not_there(name: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        plugins.find("filters", name)


def test_a_module_that_is_broken_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_units.py").write_text("def f(:\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match=r"broken_units"):
        plugins.find("filters", "broken_units:f")


def test_an_entry_point_is_a_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plugged.py").write_text("def quiet(text): ...\n")
    info = tmp_path / "plugged-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugged\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[glotmill.filters]\nquiet = plugged:quiet\n")
    monkeypatch.syspath_prepend(tmp_path)
    plugins._points.cache_clear()
    try:
        assert plugins.find("filters", "quiet").__name__ == "quiet"
        assert plugins.about("filters", "quiet") == "from plugged:quiet"
    finally:
        plugins._points.cache_clear()


def test_digest_follows_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "changing_units.py"
    path.write_text("def f(text): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    unit = plugins.find("filters", "changing_units:f")
    before = plugins.digest(unit)
    assert len(before) == 64
    path.write_text("def f(text): return text\n")
    assert plugins.digest(unit) != before
    assert plugins.digest(len) == ""


def test_a_file_that_an_option_names_is_part_of_the_judgement(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("1")
    options = {"against": [str(table), "mgsm"], "share": 0.5, "text": "x" * 5_000, "odd": "a\0b"}
    before = plugins.stamps(options)
    assert len(before) == 1
    table.write_text("12")
    assert plugins.stamps(options) != before
