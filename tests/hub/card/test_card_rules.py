"""Front matter that the Hub or datasets would refuse, and what is said of it."""

import datasets
import pytest

from glotmill.hub.card.validate import read, split, validate
from glotmill.io.hub_names import words

GOOD = """
language: ['no', 'zh', 'swh', code]
language_details: [nb, zh-Hant]
license: other
license_name: my-terms-1.0
license_link: LICENSE.md
pretty_name: "2024"
tags: [synthetic, "on", org/model]
task_categories: [text-generation, translation]
size_categories: ["n<1K"]
annotations_creators: [machine-generated]
multilinguality: [multilingual]
configs:
- {config_name: all, default: true, data_files: [{split: train, path: "data/*/train-*.parquet"}]}
- {config_name: zho_Hant, data_files: [{split: train.v1, path: [a.parquet, b.parquet]}]}
- {config_name: "no", data_dir: no}
- {config_name: plain, data_files: data/x.parquet}
dataset_info:
- {config_name: all, features: [], splits: [{name: train, num_examples: 3}]}
viewer: false
extra_gated_fields: {Name: text}
"""


def card(front: str) -> str:
    return f"---\n{front}\n---\n\n# Text\n"


def test_a_good_card() -> None:
    assert validate(card(GOOD.replace("data_dir: no", "data_dir: 'no'"))) == []


@pytest.mark.parametrize(
    ("front", "said"),
    [
        ("language: no", "language: false is not a string: a bare yes, no, on or off"),
        ("language: [en, no]", "language: false is not a string"),
        ("language: [english]", "language: 'english': not a language code"),
        ("language: [eng_Latn]", "language: 'eng_Latn': not a language code"),
        ("language: [en, en]", "language: 'en' is a duplicate"),
        ("language_details: [zh_Hant]", "language_details: 'zh_Hant': not a BCP 47 tag"),
        ("license: apache2", "license: 'apache2': not a value of the Hub; did you mean apache-2.0"),
        ("license: true", "license: true is not a string"),
        ("license: other", "license: other needs a name; add license_name"),
        ("license: other\nlicense_name: x\nlicense_link: see below", "license_link: 'see below': neither"),
        ("tags: synthetic", "tags: is a string; write a list"),
        ("tags: [2024]", "tags: 2024 is a int, not a string; write it in quotes"),
        ("tags: [12:30]", "tags: 750 is a int"),
        ("tags: ['']", "tags: is empty; leave it out"),
        ("pretty_name: 1.10", "pretty_name: 1.1 is a float"),
        ("task_categories: [chatting]", "task_categories: 'chatting': not a value of the Hub"),
        ("task_categories: text-generation", "task_categories: is a string; write a list"),
        ("size_categories: [n>10M]", "size_categories: 'n>10M': not a value of the Hub; did you mean"),
        ("multilinguality: [many]", "choose one of monolingual, multilingual, translation, other"),
        ("annotations_creators: [robots]", "annotations_creators: 'robots': not a value of the Hub"),
        ("viewer: 0", "viewer: 0: write true or false"),
        ("configs: {}", "configs: is a mapping; write a list"),
        ("configs: [all]", "configs: 'all': a config is a mapping with `config_name`"),
        ("configs: [{config_name: no, data_dir: a}]", "configs: config_name: false is not a string"),
        ("configs: [{config_name: a/b, data_dir: a}]", "config_name 'a/b': has a character"),
        ("pretty_name:", "pretty_name: has no value; write one, or leave it out"),
        ("tags:", "tags: has no value"),
        ("configs:", "configs: has no value"),
        ("configs: [{config_name: a, data_files: {split: t, path: x}}]", "a: data_files: is a mapping"),
        (
            "configs: [{config_name: a, data_files: [{split: t, path: x, of: y}]}]",
            "with the keys `split` and `path` only",
        ),
        ("dataset_info: {features: [x]}", "dataset: features: 'x' is not a mapping; write its name"),
        ("dataset_info: {features: [{dtype: string}]}", "dataset: features: name: has no value"),
        ("configs: [{config_name: a}]", "configs: a: has neither data_files nor data_dir"),
        (
            "configs: [{config_name: a, data_files: [{split: zh-Hans, path: x}]}]",
            "configs: a: data_files: split 'zh-Hans': datasets accepts letters",
        ),
        (
            "configs: [{config_name: a, data_files: [{split: no, path: x}]}]",
            "configs: a: data_files: split: false is not a string",
        ),
        ("configs: [{config_name: a, data_files: [{path: x}]}]", "write it with the keys `split` and `path`"),
        (
            "configs: [{config_name: a, data_files: [{split: t, path: x}, {split: t, path: y}]}]",
            "split 't' is a duplicate",
        ),
        ("configs: [{config_name: a, data_dir: a}, {config_name: a, data_dir: b}]", "'a' is a duplicate"),
        (
            "configs: [{config_name: a, default: on}, {config_name: b, default: on}]",
            "more than one config is the default",
        ),
        ("configs: [{config_name: a, data_dir: a, default: 'yes'}]", "a: default: write true"),
        ("dataset_info: [x]", "dataset_info: 'x' is not a mapping"),
        ("dataset_info: {features: {}}", "dataset_info: dataset: features: write a list"),
        ("dataset_info: {splits: [{name: a-b}]}", "dataset_info: dataset: split 'a-b'"),
        ("dataset_info: {splits: [{name: a, num_examples: -1}]}", "num_examples: -1 is not a number"),
        (
            "configs: [{config_name: a, data_dir: a}]\ndataset_info: [{config_name: b}]",
            "dataset_info: b: no config has this name; remove it",
        ),
        ("no: 1", "False: not a string; write it in quotes"),
        ("a: 1\nb: 2\na: 3", "key 'a' is a duplicate; remove one"),
        ("? [a]\n: 1", "not valid YAML"),
        ("a: [", "the front matter is not valid YAML"),
        ("a: \x00", "the front matter is not valid YAML"),
        ("- a", "the front matter is a list"),
        ("ignore_metadata_errors: true", "the client of the Hub cannot read it"),
        ("tags: !!python/object:os.system []", "not valid YAML"),
    ],
)
def test_what_is_refused(front: str, said: str) -> None:
    problems = validate(card(front))
    assert any(said in problem for problem in problems), problems


@pytest.mark.parametrize("text", ["", "# Text", "---\n---\n", "---\na: 1\n", "Text\n---\na: 1\n---\n"])
def test_no_front_matter(text: str) -> None:
    assert validate(text) == [
        "the card has no front matter; start it with a line `---`, YAML, and a line `---`"
    ]


def test_lines_of_dashes_in_the_text_are_text() -> None:
    assert split("\ufeff---\r\na: 1\r\n---\r\nb\r\n---\r\nc") == ("a: 1\n", "b\n---\nc")
    assert split("b\n---\nc") == ("", "b\n---\nc")
    assert read("a: '---'") == {"a": "---"}


def test_words_of_the_hub() -> None:
    assert words("size")[0] == "n<1K"
    assert words("size")[-1] == "n>1T"
    assert len(words("size")) == 11
    assert {"apache-2.0", "cc-by-4.0", "odc-by", "unknown", "other"} <= set(words("license"))
    for kind in ("license", "size", "task", "creator", "multilinguality"):
        assert len(set(words(kind))) == len(words(kind)) > 3


@pytest.mark.parametrize(
    "front",
    [
        "configs: [{config_name: a, data_files: {split: train, path: x}}]",
        "configs: [{config_name: a, data_files: [{split: train, path: x, of: y}]}]",
        "configs: [{config_name: a, data_files: [{split: train, path: {a: b}}]}]",
        "configs: [{config_name: a, data_files: [{split: zh-Hans, path: x}]}]",
        "configs: [{config_name: 'a/b', data_dir: x}]",
        "configs: [{data_dir: x}]",
        "configs: [{config_name: a, default: true}, {config_name: b, default: true}]",
        "dataset_info: {features: [x]}",
        "dataset_info: {features: [{dtype: string}]}",
        "dataset_info: {splits: {train: 3}}",
    ],
)
def test_what_the_loader_refuses_is_refused(front: str) -> None:
    from datasets.info import DatasetInfosDict
    from datasets.utils.metadata import MetadataConfigs
    from huggingface_hub import DatasetCard

    def load() -> None:
        data = DatasetCard(card(front)).data
        configs = MetadataConfigs.from_dataset_card_data(data)
        DatasetInfosDict.from_dataset_card_data(data)
        for name in configs:
            datasets.BuilderConfig(name=name)
        configs.get_default_config_name()

    with pytest.raises((ValueError, KeyError, AttributeError, TypeError)):
        load()
    assert validate(card(front))
