"""The card of a dataset: read by the client of the Hub and by datasets, whatever stands in it."""

import json
import re
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

import glotmill
from glotmill.cards import footers
from glotmill.cards.card import card, validate
from glotmill.cards.card_limits import limits
from glotmill.cards.card_rules import split
from glotmill.cards.card_text import cell, code, fence, tags
from glotmill.errors import ShortfallError, UsageError
from glotmill.languages import find, table
from glotmill.recipe import Recipe
from glotmill.recipe import read as read_recipe
from glotmill.store import Run

HOSTILE = (
    "---\nlicense: mit\n---\n````\n```\n</details><script>alert(1)</script>\n<!-- glotmill:end -->\n"
    "# heading | cell\n\x00\x1b[31m\u202e [x](http://evil.example) $x$ \u2028 ![i](http://evil.example)"
)
RECIPE = """
about: "# Pairs | of *words* <b>and</b> `texts` ---"
papers: ["A [paper](http://evil.example) of | many <i>words</i>"]
seeds: seeds.jsonl
steps:
  - {generate: question, temperature: 0.5}
  - {generate: answer}
  - {filter: length, of: answer, min_chars: 3, max_chars: 1000000}
output: {messages: {user: question, assistant: answer}, columns: [word]}
"""


def made(
    place: Path, *, languages: list[str], word: str = "sun", recipe: str = RECIPE, **options: Any
) -> Run:
    """A run of the engine that says back what it is told."""
    folder = place / "recipe" / "pairs"
    folder.mkdir(parents=True)
    (folder / "recipe.yaml").write_text(recipe)
    (folder / "question.j2").write_text("Is {{ word }} good in {{ language.endonym }}?")
    (folder / "answer.j2").write_text("{{ question }} It is.\n{{ word }}")
    seeds = [json.dumps({"word": f"{word} {n}"}) for n in range(4)]
    (folder / "seeds.jsonl").write_text("\n".join(seeds))
    options = {"engine": "echo", "per_language": 3, **options}
    return glotmill.run(folder, languages=languages, folder=place / "run", **options)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return made(tmp_path_factory.mktemp("card"), languages=["nob", "zho_Hant", "arb", "yor"])


def front(text: str) -> dict[str, Any]:
    loaded = yaml.safe_load(split(text)[0])
    assert isinstance(loaded, dict)
    return loaded


def published(run: Run, key: str) -> list[footers.Footer]:
    """The footers of a run's files, as they are called in a dataset."""
    found = []
    for number, file in enumerate(sorted(run.folder.glob("dataset/*/*.parquet"))):
        path = f"data/{file.parent.name}/train-{key}-{number:05d}.parquet"
        found.append(footers.read(path, file, file.stat().st_size))
    return found


def multiplied(run: Run, tags: list[str]) -> Run:
    """A run whose rows are there in further languages too."""
    info = run.info()
    del info["format"]
    templates = next(iter(info["templates"].values()))
    run.write_info({**info, "languages": tags, "templates": dict.fromkeys(tags, templates)})
    for file in [*run.folder.glob("rows/*.parquet"), *run.folder.glob("dataset/*/*.parquet")]:
        rows = pl.read_parquet(file)
        for tag in tags:
            place = Path(str(file).replace("eng_Latn", tag))
            place.parent.mkdir(exist_ok=True)
            rows.with_columns(language=pl.lit(tag)).write_parquet(place)
    return run


def parsed(text: str) -> list[Token]:
    """The parts of a card as a reader of Markdown takes it apart, inner ones too."""
    found: list[Token] = []
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(split(text)[1]):
        found += [token, *(token.children or ())]
    return found


def test_the_front_matter(run: Run) -> None:
    found = front(card(run, repo="org/name", license="CC-BY-4.0"))
    assert found["language"] == ["ar", "nb", "yo", "zh"]
    assert found["language_details"] == ["ar", "nb", "yo", "zh-Hant"]
    assert found["license"] == "cc-by-4.0"
    assert found["size_categories"] == ["n<1K"]
    assert found["task_categories"] == ["text-generation"]
    assert found["multilinguality"] == ["multilingual"]
    assert found["annotations_creators"] == ["machine-generated"]
    assert {"synthetic", "glotmill", "trl", "glotmill-nano"} <= set(found["tags"])
    names = [config["config_name"] for config in found["configs"]]
    assert names == ["all", "arb_Arab", "nob_Latn", "yor_Latn", "zho_Hant"]
    counts = {info["config_name"]: info["splits"][0]["num_examples"] for info in found["dataset_info"]}
    assert counts == {"all": 12, "arb_Arab": 3, "nob_Latn": 3, "yor_Latn": 3, "zho_Hant": 3}


def test_datasets_loads_by_it(run: Run, tmp_path: Path) -> None:
    from datasets import load_dataset

    place = tmp_path / "here"
    shutil.copytree(run.folder / "dataset", place / "data")
    (place / "README.md").write_text(card(run))
    rows = load_dataset(str(place), "nob_Latn", cache_dir=str(tmp_path / "cache"))["train"]
    assert rows.num_rows == 3
    assert rows[0]["messages"][0]["role"] == "user"
    assert load_dataset(str(place), cache_dir=str(tmp_path / "cache"))["train"].num_rows == 12


def test_the_same_run_makes_the_same_bytes(run: Run) -> None:
    text = card(run, repo="org/name")
    assert card(run, repo="org/name") == text
    assert card(run, repo="org/name", existing=text) == text, "published again, nothing changes"
    assert card(run, repo="org/name", existing=text.replace("\n", "\r\n")) == text


def test_codes_of_every_language(run: Run) -> None:
    """Each language there is makes a front matter that reads back as it was meant."""
    one = published(run, "0123456789ab")[0]
    tags = [language.tag for language in table()]
    files = [footers.Footer(f"data/{tag}/train-0123456789ab-0.parquet", 1, 1, 1, one.columns) for tag in tags]
    text = card(run, files=files)
    assert validate(text) == []
    found = front(text)
    assert [c["config_name"] for c in found["configs"]] == ["all", *sorted(tags)]
    assert len(set(found["language"])) == len(found["language"])
    for tag in tags:
        assert (find(tag).iso639_1 or find(tag).iso639_3) in found["language"]
    assert len(text.encode()) < 1_000_000


@pytest.mark.parametrize(
    ("rows", "size"),
    [(999, "n<1K"), (1000, "1K<n<10K"), (9_999_999, "1M<n<10M"), (10**12, "n>1T"), (10**15, "n>1T")],
)
def test_sizes(run: Run, rows: int, size: str) -> None:
    one = published(run, "0123456789ab")[0]
    text = card(run, files=[footers.Footer(one.path, rows, 1, 1, one.columns)])
    assert front(text)["size_categories"] == [size]
    assert validate(text) == []


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    hostile = made(tmp_path, languages=["nob", "arb"], word=HOSTILE)
    text = card(hostile, repo="org/name")
    assert validate(text) == []
    assert front(text)["license"] == "unknown"
    assert "\x00" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    parts = parsed(text)
    html = " ".join(part.content for part in parts if part.type.startswith("html"))
    assert set(re.findall(r"<(?!!--)(/?\w+)", html)) == {"details", "/details", "summary", "/summary"}
    assert html.count("<details>") == html.count("</details>") == 2
    assert not [part for part in parts if part.type in ("link_open", "image")]
    headings = [after.content for part, after in pairwise(parts) if part.type == "heading_open"]
    assert headings[0] == "name"
    assert not [title for title in headings if "heading" in title]
    assert len([part for part in parts if part.type == "fence"]) == 4, (
        "two lines to load, two rows, the command"
    )
    assert [line for line in text.split("\n") if line == "<!-- glotmill:end -->"] == ["<!-- glotmill:end -->"]
    assert card(hostile, repo="org/name", existing=text) == text


def test_long_text_is_cut(tmp_path: Path) -> None:
    long = made(tmp_path, languages=["eng"], word="a" * 100_000)
    text = card(long)
    assert len(text) < 30_000
    assert "characters more)" in text


def test_two_hundred_languages_stay_readable(tmp_path: Path) -> None:
    tags = [language.tag for language in table()][:200]
    many = multiplied(made(tmp_path, languages=["eng"], per_language=1, word="ሰላም שלום " * 60), tags)
    text = card(many, repo="org/name")
    assert validate(text) == []
    assert len(text.encode()) < 1_000_000
    body = split(text)[1]
    shown = re.sub(r"<details>.*?</details>", "", body, flags=re.DOTALL)
    assert len(shown.split("\n")) < 150, "what is long is folded"
    assert all(f"| `{tag}` | 1 |" in body for tag in tags)


def test_right_to_left_lines_keep_to_themselves(tmp_path: Path) -> None:
    text = card(made(tmp_path, languages=["arb"], word="شمس\nقمر"))
    lines = [line for line in text.split("\n") if "قمر" in line]
    assert lines
    assert all(line.count("\u2068") == line.count("\u2069") == 1 for line in lines)


def test_a_licence_is_never_guessed(run: Run) -> None:
    text = card(run)
    assert front(text)["license"] == "unknown"
    assert "**No licence was chosen" in text
    assert "--license" in text
    given = card(run, license="my-terms-1.0=https://example.org/terms")
    assert front(given)["license"] == "other"
    assert front(given)["license_name"] == "my-terms-1.0"
    assert validate(given) == []
    again = card(run, existing=given)
    assert front(again)["license_link"] == "https://example.org/terms", "what was chosen stays"
    assert front(card(run, license="mit", existing=given)).get("license_name") is None
    for wrong in ("apache2", "other", "", "name=ftp://x", "A name=LICENSE"):
        with pytest.raises(UsageError, match="NAME=LINK"):
            card(run, license=wrong)


def test_what_people_wrote_is_kept(run: Run) -> None:
    first = card(run, repo="org/name", license="mit")
    theirs = first.replace(
        "\n---\n\n", "\npretty_name: 'Ours'  # so it is\nnews: 12:30\nviewer: false\n---\n\nHello.\n\n", 1
    )
    theirs = theirs.replace("- synthetic\n", "- synthetic\n- mine\n") + "\n## Thanks\n\nTo all.\n"
    theirs = theirs.replace("# name", "# vandalised").replace("'all'", "'some'")
    found = card(run, repo="org/name", existing=theirs)
    assert validate(found) == []
    body = split(found)[1]
    assert body.startswith("\nHello.\n\n<!-- glotmill:begin")
    assert body.endswith("<!-- glotmill:end -->\n\n## Thanks\n\nTo all.\n")
    assert "vandalised" not in found
    assert "\npretty_name: 'Ours'  # so it is\nnews: 12:30\nviewer: false\n---\n" in found
    assert "# Ours" in body
    assert front(found)["tags"][-1] == "mine"
    assert front(found)["license"] == "mit"
    defaults = [c["config_name"] for c in front(found)["configs"] if c.get("default")]
    assert defaults == ["all"]
    assert card(run, repo="org/name", existing=found) == found


@pytest.mark.parametrize(
    "body",
    ["# A dataset\n\nBy hand.", "<!-- glotmill:begin x -->\nBy hand.", "By hand.\n<!-- glotmill:end -->\n"],
)
def test_a_card_without_our_part_is_kept_whole(run: Run, body: str) -> None:
    found = card(run, existing=f"---\nlanguage: [no]\ndataset_info: {{features: []}}\n---\n{body}")
    assert "By hand.\n\n<!-- glotmill:begin" in found
    assert validate(found) == []
    assert card(run, existing=found) == found
    assert card(run, existing=body).endswith(split(found)[1].strip("\n") + "\n")


def test_a_front_matter_that_cannot_be_read_is_told_of(run: Run) -> None:
    with pytest.raises(UsageError, match=r"not YAML.*mend it"):
        card(run, existing="---\na: [\n---\n")


def test_an_appended_run_keeps_what_is_said_of_the_first(run: Run, tmp_path: Path) -> None:
    other = made(tmp_path, languages=["arb", "fra"], per_language=2)
    first = published(run, "0123456789ab")
    before = card(run, repo="org/name", license="mit", files=first)
    files = [*first, *published(other, "ba9876543210")]
    both = card(other, repo="org/name", existing=before, files=files)
    assert validate(both) == []
    assert re.findall(r"^<!-- glotmill:run (\w+) toy -->", both, re.MULTILINE) == [
        "0123456789ab",
        "ba9876543210",
    ]
    assert "made in 2 runs" in both
    counts = {i["config_name"]: i["splits"][0]["num_examples"] for i in front(both)["dataset_info"]}
    assert counts == {"all": 16, "arb_Arab": 5, "fra_Latn": 2, "nob_Latn": 3, "yor_Latn": 3, "zho_Hant": 3}
    assert "| Arabic (العربية) | `arb_Arab` | 5 |\n" in both
    assert card(other, repo="org/name", existing=both, files=files) == both
    section = before[before.index("<!-- glotmill:run") : before.index("<!-- glotmill:run end")]
    assert section in both


def test_a_toy_is_told_of(run: Run) -> None:
    assert "Do not train on these rows" in card(run).partition("## Languages")[0]


def test_what_is_known_of_a_run(run: Run) -> None:
    text = card(run, repo="org/name")
    assert "| `question` | asks the model" in text
    assert "`temperature=0.5`" in text
    assert "| `length` | `answer` | steps | `min_chars=3" in text
    assert "No filter compared the language" in text
    assert "licence: not known: the recipe does not say" in text
    assert "A \\[paper\\]" in text
    assert str(run.folder) not in text
    assert "/tmp" not in text


def test_lost_rows_and_limits_are_told(tmp_path: Path) -> None:
    strict = RECIPE.replace("output:", "  - {filter: language, of: answer}\nfloor: 0.5\npasses: 1\noutput:")
    strict = strict.replace(
        "seeds: seeds.jsonl", "seeds: seeds.jsonl\nseeds_license: cc0-1.0\ntasks: [translation]"
    )
    with pytest.raises(ShortfallError):
        made(tmp_path, languages=["eng", "hin"], word="the sun shines on the green hills of", recipe=strict)
    text = card(Run(tmp_path / "run"))
    assert re.search(r"\| `hin_Deva` \| (\d+) \| \1 \| \1 \| 0 \| 0 \| – \| \1 wrong_(language|script)", text)
    assert re.search(r"\| `hin_Deva` \| (\d+) \| 0 \|", text), "rows into and out of the filter"
    assert "- Not a row was accepted: `hin_Deva`." in text
    assert "Fewer than 100 rows" in text
    assert "licence: cc0-1.0, as the recipe says" in text
    assert front(text)["task_categories"] == ["translation"]
    assert front(text)["multilinguality"] == ["monolingual"]
    assert front(text)["language"] == ["en"]


def test_a_licence_of_other_seeds_is_not_known(tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text('{"word": "moon"}\n')
    licensed = RECIPE.replace("seeds: seeds.jsonl", "seeds: seeds.jsonl\nseeds_license: cc0-1.0")
    text = card(made(tmp_path, languages=["eng"], recipe=licensed, seeds=str(other), per_language=1))
    assert "cc0-1.0" not in text
    assert "licence: not known: they are not those of the recipe" in text
    assert "--seeds other.jsonl" in text


@pytest.mark.parametrize(
    ("name", "other"), [("dialogue", "fra_Latn"), ("instruction", "spa_Latn"), ("reasoning", "deu_Latn")]
)
def test_recipes_that_ship(name: str, other: str, tmp_path: Path) -> None:
    """Their own words on a run: a setting is told in the command, an unreviewed template among the limits."""
    recipe = read_recipe(name)
    folder = tmp_path / name
    shutil.copytree(recipe.folder, folder)
    seeds = (folder / "seeds.jsonl").read_text().split("\n")[:2]
    (folder / "seeds.jsonl").write_text("\n".join(seeds))
    assert recipe.seeds_license
    assert recipe.tasks
    step = next(s.name for s in recipe.live_steps if hasattr(s, "generate"))
    tags = ["eng_Latn", other]
    options: dict[str, Any] = {"engine": "echo", "per_language": 1, "folder": tmp_path / "run"}
    settings = [f"steps.{step}.temperature=0.25", "passes=1", "floor=1"]
    with pytest.raises(ShortfallError):  # none of it is an answer
        glotmill.run(folder, languages=tags, settings=settings, **options)
    run = Run(tmp_path / "run")
    keep_one(run, recipe.output.columns)
    text = card(run, repo="org/name")
    assert validate(text) == []
    assert f"glotmill run {name} --languages {','.join(tags)} --per-language 1" in text
    assert "--set steps.0.temperature=0.25" in text
    assert re.search(
        rf"The template \w+\.{other[:3]}\.j2 was not yet read by a second speaker.*`{other}`", text
    )
    assert "licence: apache-2.0, as the recipe says" in text


def keep_one(run: Run, columns: list[str]) -> None:
    """A dataset of one row, where none was accepted."""
    (run.folder / "dataset" / "eng_Latn").mkdir(parents=True)
    row = {"id": ["1"], "language": ["eng_Latn"], "messages": [[{"role": "user", "content": "Hello"}]]}
    frame = pl.DataFrame({**row, **{c: ["x"] for c in columns if c not in row}})
    frame.write_parquet(run.folder / "dataset" / "eng_Latn" / "train-00000-of-00001.parquet")


def test_no_rows_no_card(run: Run, tmp_path: Path) -> None:
    shutil.copy(run.folder / "run.json", tmp_path)
    with pytest.raises(UsageError, match="has no rows"):
        card(Run(tmp_path))


def test_limits_of_languages(run: Run) -> None:
    judge = {"filter": "language", "options": {"policy": "group"}}
    row = {"wanted": 200, "asked": 1000, "kept": 200, "accepted": 200}
    funnel = [{**row, "language": tag} for tag in ("nob_Latn", "yor_Latn")]
    detected = {"answer": {"nob_Latn": {"nob_Latn": 199, "und": 1}, "yor_Latn": {"und": 150, "yor_Latn": 50}}}
    told = {"funnel": funnel, "filters": [judge], "detected": detected}
    recipe = Recipe.model_validate(run.info()["recipe"])
    said = {of["said"]: of["tags"] for of in limits(recipe, told, [])}
    assert said["Too rare for the language detectors used: held to the script only"] == ["yor_Latn"]
    assert "nno_Latn" in said["No detector tells nob_Latn reliably from these, so rows may be in them"]
    assert any(text.startswith("Less than a quarter") for text in said)
    assert not any(text.startswith("Fewer") for text in said)
    judge["options"] = {"policy": "strict"}
    assert not any("No detector tells" in of["said"] for of in limits(recipe, told, []))


def test_code_and_lists_of_languages() -> None:
    assert fence("`````\n```") == "``````text\n`````\n```\n``````"
    assert code("a`b``") == "``` a`b`` ```"
    assert cell("a|b") == "`a\\|b`"
    assert tags(["eng_Latn", "fra_Latn"], 2) == "all"
    assert tags(["eng_Latn", "fra_Latn"], 3) == "`eng_Latn`, `fra_Latn`"
