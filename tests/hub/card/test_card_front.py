"""Front matter: codes, sizes, licences, and the keys that people wrote."""

import shutil
from pathlib import Path

import pytest
from carded import front, published

from glotmill.errors import UsageError
from glotmill.hub import footers
from glotmill.hub.card.card import card, validate
from glotmill.languages import find, table
from glotmill.runner.run_folder import Run

# ISO 639-1
TWO_LETTERS = """
aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en
eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja
jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb
nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq
sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""


def test_the_front_matter(run: Run) -> None:
    text = card(run, repo="org/name", license="CC-BY-4.0")
    assert "\nlanguage:\n- 'ar'\n- 'nb'\n" in text
    assert "\n- config_name: 'nob_Latn'\n" in text
    found = front(text)
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
        assert find(tag).iso639_1 in ["", *TWO_LETTERS.split()]
    assert len(text.encode()) < 1_000_000


@pytest.mark.parametrize(
    ("rows", "size"),
    [
        (1, "n<1K"),
        (999, "n<1K"),
        (1000, "1K<n<10K"),
        (9_999, "1K<n<10K"),
        (10_000, "10K<n<100K"),
        (9_999_999, "1M<n<10M"),
        (999_999_999, "100M<n<1B"),
        (10**9, "1B<n<10B"),
        (10**12 - 1, "100B<n<1T"),
        (10**12, "n>1T"),
        (10**15, "n>1T"),
    ],
)
def test_sizes(run: Run, rows: int, size: str) -> None:
    one = published(run, "0123456789ab")[0]
    text = card(run, files=[footers.Footer(one.path, rows, 1, 1, one.columns)])
    assert front(text)["size_categories"] == [size]
    assert validate(text) == []


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


def test_where_the_seeds_are_from(run: Run, tmp_path: Path) -> None:
    shutil.copytree(run.folder, tmp_path / "run")
    info = run.info()
    del info["format"]
    for seeds, said in (("org/name", "org/name"), ("data/words.jsonl", "original")):
        Run(tmp_path / "run").write_info({**info, "seeds": seeds})
        assert front(card(Run(tmp_path / "run")))["source_datasets"] == [said]


@pytest.mark.parametrize(
    ("tags", "said"),
    [(["zho_Hans", "zho_Hant"], "monolingual"), (["arb_Arab", "arz_Arab"], "multilingual")],
)
def test_a_language_in_two_scripts_is_one(run: Run, tags: list[str], said: str) -> None:
    columns = published(run, "0123456789ab")[0].columns
    files = [footers.Footer(f"data/{tag}/train-0123456789ab-0.parquet", 1, 1, 1, columns) for tag in tags]
    assert front(card(run, files=files))["multilinguality"] == [said]


@pytest.mark.parametrize(
    ("model", "engine", "tag"),
    [
        ("Qwen/Qwen3-8B", "vllm", "Qwen/Qwen3-8B"),
        ("/home/me/models/mine/", "vllm", "mine"),
        ("C:\\me\\mine", "transformers", "mine"),
        ("gpt-5", "openai", "gpt-5"),
        ("a b\n: - x", "openai", None),
    ],
)
def test_the_model_is_a_tag(run: Run, tmp_path: Path, model: str, engine: str, tag: str | None) -> None:
    shutil.copytree(run.folder, tmp_path / "run")
    info = run.info()
    del info["format"]
    Run(tmp_path / "run").write_info({**info, "model": model, "engine": engine})
    tags = front(card(Run(tmp_path / "run")))["tags"]
    assert tags == ["synthetic", "glotmill", "text", "trl", "sft", *([tag] if tag else [])]


def test_several_licences(run: Run) -> None:
    text = card(run, existing="---\nlicense: [mit, cc-by-4.0]\n---\n")
    assert front(text)["license"] == ["mit", "cc-by-4.0"]
    assert "published under `mit` and `cc-by-4.0`." in text


def test_a_front_matter_that_cannot_be_read_is_told_of(run: Run) -> None:
    with pytest.raises(UsageError, match=r"not valid YAML.*correct it"):
        card(run, existing="---\na: [\n---\n")
