"""The front matter of a card: the YAML by which the Hub finds, filters and loads a dataset."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from glotmill.errors import UsageError
from glotmill.hub import footers
from glotmill.hub.card import validate
from glotmill.hub.card.reproduce import hub_dataset
from glotmill.io.hub_names import is_hub_id, near, words
from glotmill.languages import find as find_language
from glotmill.recipes.recipe import Recipe

LICENSE_KEYS = ("license", "license_name", "license_link")

_TAG = re.compile(r"[\w.+-]+(/[\w.+-]+)?")
_NAME = re.compile(r"[a-z0-9][a-z0-9.+-]*")
_KEY = re.compile(r"[^\s#?{}\[\]-]")  # the first character of a line that starts a key
_LINK = re.compile(r"LICENSE(\.md)?|https?://\S+")


def licence(license: str | None, existing: Mapping[str, Any]) -> dict[str, str]:
    """Return the keys for a license: the given one, else that of the existing card, else `unknown`.

    license: an id of the Hub such as cc-by-4.0, or NAME=LINK, where the link is a URL, or LICENSE for a file
    of the dataset. Raises UsageError for anything else.
    """
    if license is None:
        kept_keys = {key: existing[key] for key in LICENSE_KEYS if existing.get(key)}
        return kept_keys if "license" in kept_keys else {"license": "unknown"}
    name, equals, link = license.strip().partition("=")
    if equals and _NAME.fullmatch(name) and _LINK.fullmatch(link):
        return {"license": "other", "license_name": name, "license_link": link}
    word = license.strip().lower()
    if word == "other" and existing.get("license_name"):
        return {"license": "other", **{key: existing[key] for key in LICENSE_KEYS[1:] if existing.get(key)}}
    if word != "other" and word in words("license"):
        return {"license": word}
    raise UsageError(
        f"license {license!r}: not a license id of the Hub{near(word, 'license')}; write any other "
        "license as NAME=LINK, such as my-terms-1.0=https://example.org/terms"
    )


def front_matter(
    recipe: Recipe,
    info: Mapping[str, Any],
    files: Sequence[footers.Footer],
    license: str | None,
    existing: str,
) -> tuple[dict[str, Any], str]:
    """Return the front matter of a card, as values and as YAML without its `---`.

    info: the content of run.json. files: all files of the dataset. existing: the front matter on the Hub. Its
    keys that glotmill does not write are kept with their formatting; lists that both write (tags, tasks,
    configs) are merged, glotmill's items first. Raises UsageError if it cannot be read, or for a wrong
    license.
    """
    try:
        existing_values = validate.read(existing)
    except ValueError as error:
        raise UsageError(f"README.md of the dataset on the Hub: {error}") from None
    tags = sorted({file.language for file in files})
    languages = [find_language(tag) for tag in tags]
    rows = footers.rows(files)[footers.ALL]
    seeds = str(info.get("seeds", ""))
    values: dict[str, Any] = {
        "language": _quoted(dict.fromkeys(language.iso639_1 or language.iso639_3 for language in languages)),
        "language_details": _quoted(dict.fromkeys(language.bcp47 for language in languages)),
        **licence(license, existing_values),
        "multilinguality": [
            "multilingual" if len({language.iso639_3 for language in languages}) > 1 else "monolingual"
        ],
        "size_categories": [_size(rows)],
        "task_categories": _merge_lists(
            recipe.tasks or ["text-generation"], existing_values.get("task_categories")
        ),
        "annotations_creators": ["machine-generated"],
        "language_creators": ["machine-generated"],
        "source_datasets": _merge_lists(
            [hub_dataset(seeds) or "original"], existing_values.get("source_datasets")
        ),
        "tags": _merge_lists(_tags(info, files), existing_values.get("tags")),
    }
    values["configs"] = _configs(footers.configs(files), existing_values.get("configs"))
    values["dataset_info"] = _infos(
        footers.dataset_info(files), existing_values.get("dataset_info"), values["configs"]
    )
    other_keys = {key: value for key, value in existing_values.items() if key not in (*values, *LICENSE_KEYS)}
    return {**values, **other_keys}, dump(values) + _keep_formatting(existing, existing_values, other_keys)


def public_model(info: Mapping[str, Any]) -> str:
    """Return the id of the model if it looks like one on the Hub, else an empty string."""
    model = str(info.get("model", ""))
    return model if is_hub_id(model) and info.get("engine") in ("vllm", "transformers") else ""


def dump(values: Mapping[str, Any]) -> str:
    """Return values as YAML, in their order and without aliases."""
    return yaml.dump(dict(values), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)


def _tags(info: Mapping[str, Any], files: Sequence[footers.Footer]) -> list[str]:
    chat = ["trl", "sft"] if any("messages" in file.columns for file in files) else []
    model = public_model(info) or re.split(r"[\\/]", str(info.get("model", "")).rstrip("\\/"))[-1]
    return ["synthetic", "glotmill", "text", *chat, *([model] if _TAG.fullmatch(model) else [])]


def _size(rows: int) -> str:
    sizes = words("size")
    return sizes[min(max(len(str(rows)) - 3, 0), len(sizes) - 1)]


def _merge_lists(own: Iterable[str], existing_values: Any) -> list[str]:
    others = existing_values if isinstance(existing_values, list) else [existing_values]
    return list(dict.fromkeys([*own, *(item for item in others if isinstance(item, str) and item)]))


def _configs(own: Sequence[Mapping[str, Any]], existing_values: Any) -> list[dict[str, Any]]:
    names = {config["config_name"] for config in own}
    existing = existing_values if isinstance(existing_values, list) else []
    existing = [config for config in existing if isinstance(config, dict)]
    others = [c for c in existing if c.get("config_name") not in names and not footers.is_config(c)]
    for config in others:
        config.pop("default", None)  # `all` is the default
    return [
        {key: _Quoted(value) if key == "config_name" else value for key, value in config.items()}
        for config in [*own, *others]
    ]


def _infos(
    own: Sequence[Mapping[str, Any]], existing_values: Any, configs: Sequence[Any]
) -> list[dict[str, Any]]:
    names = {info["config_name"] for info in own}
    other_names = {str(config["config_name"]) for config in configs if "config_name" in config} - names
    others = [
        i
        for i in (existing_values if isinstance(existing_values, list) else [existing_values])
        if isinstance(i, dict)
    ]
    return [
        {"config_name": _Quoted(info["config_name"]), **{k: v for k, v in info.items() if k != "config_name"}}
        for info in [*own, *(i for i in others if i.get("config_name") in other_names)]
    ]


def _keep_formatting(existing: str, existing_values: Mapping[str, Any], other_keys: Mapping[str, Any]) -> str:
    """Return the keys to keep, with their comments and quotes; reformatted if lines cannot be told apart."""
    blocks: list[list[str]] = []
    for line in existing.split("\n"):
        if _KEY.match(line) or not blocks:
            blocks.append(_split_comments(blocks[-1]) if blocks else [])
        blocks[-1].append(line)
    block_of_key: dict[str, str] = {}
    for block in map("\n".join, blocks):
        try:
            block_of_key |= dict.fromkeys(validate.read(block), block)
        except ValueError:
            return dump(other_keys) if other_keys else ""
    texts = [block_of_key[key] for key in other_keys if key in block_of_key]
    text = "".join(part if part.endswith("\n") else part + "\n" for part in texts)
    try:
        is_unchanged = list(block_of_key) == list(existing_values) and validate.read(text) == dict(other_keys)
    except ValueError:
        is_unchanged = False
    return text if is_unchanged else (dump(other_keys) if other_keys else "")


def _split_comments(block: list[str]) -> list[str]:
    """Remove and return the comments at the end of a block, which belong to the key below."""
    count = len(block)
    while count and block[count - 1].startswith("#"):
        count -= 1
    comments = block[count:]
    del block[count:]
    return comments


class _Quoted(str):
    """A string that YAML quotes: a bare `no` (Norwegian) would be false."""


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(
    _Quoted, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="'")
)


def _quoted(texts: Iterable[str]) -> list[str]:
    return [_Quoted(text) for text in texts]
