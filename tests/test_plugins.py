"""Units by name."""

import json
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

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
        UsageError, match=r"here: no option 'shared'; did you mean 'share'. The options are share, sharp"
    ):
        plugins.check_options(loud, {"shared": 1}, "here")
    with pytest.raises(UsageError, match=r"no option 'zzz'; the options are share, sharp$"):
        plugins.check_options(loud, {"zzz": 1}, "here")
    with pytest.raises(UsageError, match=r"here: option 'sharp' is required"):
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
        ({"least": "5"}, "option 'least' is '5'; give a number"),
        ({"least": 2.5}, "option 'least' is 2.5; give a whole number"),
        ({"name": None}, "option 'name' is null; give a text"),
        ({"scale": "12"}, "option 'scale' is '12'; give a list of numbers"),
        ({"order": "sideways"}, "option 'order' is 'sideways'; give 'up' or 'down'"),
    ],
)
def test_a_value_fits_the_annotation_of_its_option(given: dict[str, Any], told: str) -> None:
    def unit(
        *,
        least: int = 1,
        most: float | None = None,
        loud: bool = False,
        scale: Sequence[float] = (),
        name: str = "",
        order: Literal["up", "down"] = "up",
    ) -> None: ...

    fits = {"least": 2, "most": None, "loud": True, "scale": [1, 2], "name": "x", "order": "up"}
    plugins.check_options(unit, fits, "here")
    with pytest.raises(UsageError, match=f"here: {told}"):
        plugins.check_options(unit, given, "here")


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
    plugins._entry_points.cache_clear()
    try:
        assert plugins.find("filters", "quiet").__name__ == "quiet"
        assert plugins.about("filters", "quiet") == "from plugged:quiet"
    finally:
        plugins._entry_points.cache_clear()


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


def test_digest_follows_local_modules_and_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A helper of a helper counts, and so does a data file of the module's name."""
    (tmp_path / "judging_units.py").write_text("import json, polars, judging_words\ndef f(text): ...\n")
    (tmp_path / "judging_words.py").write_text("from judging_lists import BANNED\n")
    (tmp_path / "judging_lists.py").write_text("BANNED = ['tea']\n")
    (tmp_path / "unrelated.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "judging_units.csv").write_text("tea")

    for name in ("judging_lists", "judging_words"):
        import_module(name)
    plugin = plugins.find("filters", "judging_units:f")
    digests = [plugins.digest(plugin)]
    for name, text in {
        "judging_lists.py": "BANNED = ['tea', 'rain']\n",
        "judging_words.py": "from judging_lists import BANNED as WORDS\n",
        "judging_units.csv": "rain",
    }.items():
        (tmp_path / name).write_text(text)
        digests.append(plugins.digest(plugin))
    assert len(set(digests)) == len(digests)
    (tmp_path / "unrelated.py").write_text("changed = 1")
    assert plugins.digest(plugin) == digests[-1]


def test_digest_follows_a_package_and_its_distribution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "judging_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "quiet.py").write_text("from judging_package import _words\ndef quiet(text): ...\n")
    (package / "_words.py").write_text("")
    (package / "words.txt").write_text("tea")
    info = tmp_path / "judging-1.dist-info"
    info.mkdir()
    metadata = "Metadata-Version: 2.1\nName: judging\nVersion: {}\n"
    (info / "METADATA").write_text(metadata.format(1))
    (info / "entry_points.txt").write_text("[glotmill.filters]\njudging = judging_package.quiet:quiet\n")
    monkeypatch.syspath_prepend(tmp_path)
    plugins._entry_points.cache_clear()
    try:
        digests = [plugins.digest(plugins.find("filters", "judging"))]
        for name in ("_words.py", "words.txt"):
            (package / name).write_text("changed = 1")
            digests.append(plugins.digest(plugins.find("filters", "judging")))
        (info / "METADATA").write_text(metadata.format(2))
        plugins._entry_points.cache_clear()
        digests.append(plugins.digest(plugins.find("filters", "judging")))
        assert len(set(digests)) == 4
    finally:
        plugins._entry_points.cache_clear()


def test_every_option_of_glotmills_plugins_is_annotated_and_its_default_fits() -> None:
    for kind in plugins.KINDS:
        for name in plugins.names(kind):
            plugin = plugins.find(kind, name)
            options = plugins.options(plugin)
            assert not [n for n, p in options.items() if p.annotation is p.empty], name
            defaults = plugins.defaults(plugin)
            for option, value in defaults.items():
                assert not plugins._problem(value, options[option].annotation), (name, option)


def test_an_edited_helper_judges_again_and_asks_nothing(tmp_path: Path) -> None:
    recipe = tmp_path / "mine"
    recipe.mkdir()
    (recipe / "recipe.yaml").write_text(
        "about: x\nlanguages: [eng_Latn]\npasses: 1\n"
        "seeds: {rows: [{topic: tea}, {topic: rain}, {topic: bread}]}\n"
        "steps: [{generate: answer}, {filter: 'own_filter:polite', of: answer}]\n"
        "output: {messages: {user: topic, assistant: answer}}\n"
    )
    (recipe / "answer.j2").write_text("Say something about {{ topic }}.")
    (tmp_path / "own_filter.py").write_text(
        "import polars as pl\nfrom own_words import BANNED\n"
        "def polite(text):\n"
        "    return pl.when(text.str.contains_any(BANNED)).then(pl.lit('banned'))\n"
    )
    folders = []
    for banned in ("['nothing']", "['tea']"):
        (tmp_path / "own_words.py").write_text(f"BANNED = {banned}\n")
        command = [sys.executable, "-m", "glotmill", "run", "mine", "-n", "3", "--engine", "echo", "--json"]
        done = subprocess.run(
            [*command, "--model", "echo", "-o", "run"], cwd=tmp_path, capture_output=True, check=False
        )
        replies = {path.name: path.read_bytes() for path in (tmp_path / "run" / "replies").iterdir()}
        folders.append((done.returncode, replies, json.loads(done.stdout)["languages"][0]["dropped"]))
    assert folders == [(0, replies, {}), (3, replies, {"banned": 1})]
