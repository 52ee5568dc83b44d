"""Recipes as they are read: what is understood, what is refused and how."""

from pathlib import Path

import pytest

from glotmill.errors import RecipeError
from glotmill.recipes import recipe
from glotmill.recipes.read import read_recipe
from glotmill.recipes.steps import Generate

PLAIN = """
about: A test.
languages: [sw, fra, zh-Hant]
seeds: {rows: [{topic: the sea}]}
steps:
  - {generate: draft, temperature: 1, expect: [{filter: length, min_chars: 2}]}
  - {filter: length, of: draft}
  - {filter: length, of: draft, max_chars: 9}
output: {columns: [draft]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "recipe.yaml").write_text(PLAIN)
    return tmp_path / "mine"


def step(read: recipe.Recipe) -> Generate:
    first = read.steps[0]
    assert isinstance(first, Generate)
    return first


def test_read(folder: Path) -> None:
    read = read_recipe(folder)
    assert read.name == "mine"
    assert read.folder == folder
    assert read.languages == ["swh_Latn", "fra_Latn", "zho_Hant"]
    assert [s.name for s in read.steps] == ["draft", "length", "length"]
    assert step(read).sampling.given() == {"temperature": 1.0}
    assert read_recipe(str(folder)) == read


def test_the_digest_is_of_what_decides_about_rows(folder: Path) -> None:
    digest = read_recipe(folder).digest()
    for setting in (
        "about=other",
        "languages=[deu]",
        "passes=3",
        "floor=0",
        "output.columns=[topic]",
        "papers=[x]",
    ):
        assert read_recipe(folder, [setting]).digest() == digest, setting
    for setting in (
        "steps.draft.temperature=0.5",
        "steps.1.min_chars=3",
        "finish=[{filter: duplicates, of: draft}]",
    ):
        assert read_recipe(folder, [setting]).digest() != digest, setting


@pytest.mark.parametrize("date", ["2024-12-31", "2024-13-45"])
def test_a_date_is_text(folder: Path, date: str) -> None:
    path = folder / "recipe.yaml"
    path.write_text(path.read_text().replace("about: A test.", f"about: {date}"))
    assert read_recipe(folder).about == date


@pytest.mark.parametrize(
    ("setting", "temperature"),
    [
        ("steps.draft.temperature=0.3", 0.3),
        ("steps.0.temperature=0.3", 0.3),
        ("steps.draft.temperature=", None),
    ],
)
def test_set_by_name_and_by_number(folder: Path, setting: str, temperature: float | None) -> None:
    assert step(read_recipe(folder, [setting])).temperature == temperature


def test_set_reaches_deep_and_makes_what_is_not_there(folder: Path) -> None:
    settings = [
        "steps.draft.expect.length.min_chars=5",
        "steps.draft.schema.type=object",
        "finish=[]",
        "seeds=other.csv",
    ]
    read = read_recipe(folder, settings)
    assert step(read).expect[0].options == {"min_chars": 5}
    assert step(read).schema_text == '{"type":"object"}'
    assert read.seeds == "other.csv"


NAMES = ("1", "*a", "*b", "*c", "*d", "*e", "*f")
TENFOLD = [f"&{name} [{', '.join([of] * 10)}]" for name, of in zip("abcdefg", NAMES, strict=True)]
MANY = f"[{', '.join(TENFOLD)}]"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("steps.draft.temperature", "write it as --set"),
        ("=3", "write it as --set"),
        ("steps.drft.n=2", "nothing named 'drft'; did you mean 'draft'"),
        ("steps.length.min_chars=2", "several are named 'length'; use a number: 1, 2"),
        ("steps.9.n=2", "nothing named '9'"),
        ("about.x=2", "about is not a mapping"),
        ("about.x.y=2", "nothing below"),
        ("steps.draft.temprature=2", "steps.0.temprature: unknown key; did you mean 'temperature'"),
        ("steps.draft.temperature=hot", "steps.0.temperature: .*valid number.*there is 'hot'"),
        ("steps.draft.temperature=.nan", "steps.0.temperature"),
        ("steps.draft.n=0", "steps.0.n: .*greater than or equal to 1"),
        ('about="\\ud83d"', "holds half a character"),
        ('seeds="s\\0.jsonl"', "holds a NUL byte; correct it"),
        ('output={columns: ["x\\0"]}', "holds a NUL byte; correct it"),
        ("about=[&a [*a]]", r"\*a stands within what it stands for"),
        ("about=" + "[" * 100 + "]" * 100, "nested over 64 deep"),
        ("about={a: 1, a: 2}", "the key 'a' stands twice"),
        ("about=!!timestamp x", "the tag !!timestamp is not read"),
        ("about=" + MANY, "its aliases .* expand to over"),
        ("languages=no", "languages: input should be a valid list; there is 'no'"),
    ],
)
def test_settings_that_do_not_fit(folder: Path, setting: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        read_recipe(folder, [setting])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("temperature", "temperatur", "steps.0.temperatur: unknown key; did you mean 'temperature'"),
        ("about: A test.", "about: A\npapres: []", "papres: unknown key; did you mean 'papers'"),
        ("[sw, fra, zh-Hant]", "[klingon]", "'klingon' is not known"),
        ("[sw, fra, zh-Hant]", "sw", "languages: .*valid list"),
        ("generate: draft", "generate: my-draft", "name of a column"),
        ("generate: draft", "generate: _draft", "name of a column"),
        (
            "generate: draft",
            "generate: draft, render: b",
            "steps.0: a step is one of generate, render, transform, filter",
        ),
        ("generate: draft", "genrate: draft", "steps.0: a step is one of generate"),
        ("generate: draft", "generate: draft, as: list", "steps.0.as: .*'text', 'json', 'lines'"),
        ("generate: draft", "generate: draft, schema: {}", "steps.0.schema"),
        ("generate: draft", "generate: draft, stop: x", "steps.0.stop"),
        ("{rows: [{topic: the sea}]}", "{rows: []}", "seeds.rows"),
        ("{rows: [{topic: the sea}]}", "{raws: []}", "seeds: give a file, or one of `draw:`"),
        (
            "{rows: [{topic: the sea}]}",
            "{draw: {a: [1]}, sise: 3}",
            "seeds.sise: unknown key; did you mean 'size'",
        ),
        ("{rows: [{topic: the sea}]}", "7", "seeds: give a file"),
        ("output: {columns", "output: {messages: {bot: draft}, columns", "output.messages.bot"),
        ("about: A test.", "about: A test.\nname: x", "name: unknown key"),
        ("about: A test.", "about: [", "recipe.yaml: not YAML"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(folder: Path, old: str, new: str, message: str) -> None:
    path = folder / "recipe.yaml"
    path.write_text(PLAIN.replace(old, new))
    with pytest.raises(RecipeError, match=message) as error:
        read_recipe(folder)
    assert str(error.value).startswith(str(path))
    assert len(str(error.value).splitlines()) == 1, "one mistake, one line"


@pytest.mark.parametrize(
    ("text", "message"), [("", "NoneType"), ("- a", "list"), ("x", "str"), ("x" * 1_000_001, "1,000,000")]
)
def test_what_is_no_recipe(folder: Path, text: str, message: str) -> None:
    (folder / "recipe.yaml").write_text(text)
    with pytest.raises(RecipeError, match=message):
        read_recipe(folder)


def test_where_a_recipe_is_looked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert read_recipe(".").name == "mine"
    assert read_recipe("../mine").name == "mine"
    assert read_recipe("instruction").name == "instruction"
    (folder / "empty").mkdir()
    with pytest.raises(RecipeError, match=r"folder without recipe.yaml; `glotmill new empty`"):
        read_recipe("empty")
    with pytest.raises(RecipeError, match=r"neither a recipe's folder nor a .j2 template"):
        read_recipe("recipe.yaml")
    with pytest.raises(RecipeError, match=r"no recipe 'resoning'; did you mean 'reasoning'"):
        read_recipe("resoning")
    with pytest.raises(RecipeError, match=r"^peom.j2: no such file$"):
        read_recipe("peom.j2")


def test_a_single_template(tmp_path: Path) -> None:
    (tmp_path / "poem.j2").write_text("About {{ topic }}")
    read = read_recipe(tmp_path / "poem.j2", ["steps.reply.temperature=0.3"])
    assert read.name == "poem"
    assert read.file == tmp_path / "poem.j2"
    assert step(read).template_name == "poem"
    assert step(read).temperature == 0.3


def test_the_recipe_that_run_json_keeps_reads_as_the_same(folder: Path) -> None:
    read = read_recipe(folder)
    plain = read.resolved()
    assert "file" not in plain
    again = recipe.Recipe.model_validate({**plain, "file": read.file})
    assert again == read


@pytest.mark.parametrize(
    ("source", "message"),
    [("runs/typo", "runs/typo: no such folder"), ("typo.j2", "no such file"), ("instrction", "did you mean")],
)
def test_a_recipe_that_does_not_exist(source: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        read_recipe(source)


def test_a_seed_says_what_stands_in_the_recipe(folder: Path) -> None:
    draw, said = "{code: [NO, 01234, 1.10, 7]}", {"code": ["NO", "01234", "1.10", 7]}
    path = folder / "recipe.yaml"
    path.write_text(PLAIN.replace("{rows: [{topic: the sea}]}", f"{{draw: {draw}, size: 9}}"))
    for settings in ([], [f"seeds={{draw: {draw}}}"], [f"seeds.draw={draw}"], ["seeds.draw.code.2=1.10"]):
        seeds = read_recipe(folder, settings).seeds
        assert isinstance(seeds, recipe.Draw)
        assert seeds.draw == said


def test_a_key_that_stands_twice_is_refused(folder: Path) -> None:
    path = folder / "recipe.yaml"
    path.write_text(path.read_text() + "\nabout: again\n")
    with pytest.raises(RecipeError, match=r"recipe\.yaml: line \d+: the key 'about' stands twice"):
        read_recipe(folder)
