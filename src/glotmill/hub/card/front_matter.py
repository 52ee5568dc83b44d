"""The front matter of a dataset's card: what the Hub finds, filters and loads a dataset by."""

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
from glotmill.recipes.model import Recipe

LICENSE_KEYS = ("license", "license_name", "license_link")

_TAG = re.compile(r"[\w.+-]+(/[\w.+-]+)?")
_NAME = re.compile(r"[a-z0-9][a-z0-9.+-]*")
_KEY = re.compile(r"[^\s#?{}\[\]-]")  # how a line that begins a key begins
_LINK = re.compile(r"LICENSE(\.md)?|https?://\S+")


def licence(given: str | None, old: Mapping[str, Any]) -> dict[str, str]:
    """Return the keys of a licence: the one given, else that of the card before, else `unknown`.

    given: a word of the Hub such as cc-by-4.0, or NAME=LINK, where the link is an address or LICENSE, a file
    of the dataset. Raises UsageError for anything else.
    """
    if given is None:
        there = {key: old[key] for key in LICENSE_KEYS if old.get(key)}
        return there if "license" in there else {"license": "unknown"}
    name, equals, link = given.strip().partition("=")
    if equals and _NAME.fullmatch(name) and _LINK.fullmatch(link):
        return {"license": "other", "license_name": name, "license_link": link}
    word = given.strip().lower()
    if word == "other" and old.get("license_name"):
        return {"license": "other", **{key: old[key] for key in LICENSE_KEYS[1:] if old.get(key)}}
    if word != "other" and word in words("license"):
        return {"license": word}
    raise UsageError(
        f"license {given!r}: the Hub has no such word{near(word, 'license')}; a licence of another name is "
        "written NAME=LINK, as in my-terms-1.0=https://example.org/terms"
    )


def front_matter(
    recipe: Recipe,
    info: Mapping[str, Any],
    files: Sequence[footers.Footer],
    license: str | None,
    old: str,
) -> tuple[dict[str, Any], str]:
    """Return the front matter of a card, as values and as YAML without its `---`.

    info: what run.json says. files: all files of the dataset. old: the front matter there is; keys that are
    not ours are taken over as they are written, and of lists that both write (tags, tasks, configs), theirs
    follow ours. Raises UsageError where it cannot be read, or a licence is none.
    """
    try:
        theirs = validate.read(old)
    except ValueError as error:
        raise UsageError(f"README.md of the dataset on the Hub: {error}") from None
    tags = sorted({file.language for file in files})
    found = [find_language(tag) for tag in tags]
    rows = footers.rows(files)[footers.ALL]
    seeds = str(info.get("seeds", ""))
    own: dict[str, Any] = {
        "language": _quoted(dict.fromkeys(each.iso639_1 or each.iso639_3 for each in found)),
        "language_details": _quoted(dict.fromkeys(each.bcp47 for each in found)),
        **licence(license, theirs),
        "multilinguality": ["multilingual" if len({each.iso639_3 for each in found}) > 1 else "monolingual"],
        "size_categories": [_size(rows)],
        "task_categories": _joined(recipe.tasks or ["text-generation"], theirs.get("task_categories")),
        "annotations_creators": ["machine-generated"],
        "language_creators": ["machine-generated"],
        "source_datasets": _joined([hub_dataset(seeds) or "original"], theirs.get("source_datasets")),
        "tags": _joined(_tags(info, files), theirs.get("tags")),
    }
    own["configs"] = _configs(footers.configs(files), theirs.get("configs"))
    own["dataset_info"] = _infos(footers.dataset_info(files), theirs.get("dataset_info"), own["configs"])
    kept = {key: value for key, value in theirs.items() if key not in (*own, *LICENSE_KEYS)}
    return {**own, **kept}, dump(own) + _as_written(old, theirs, kept)


def public_model(info: Mapping[str, Any]) -> str:
    """Return the model's id on the Hub, or an empty text if it has none, as far as its name tells."""
    model = str(info.get("model", ""))
    return model if is_hub_id(model) and info.get("engine") in ("vllm", "transformers") else ""


def dump(values: Mapping[str, Any]) -> str:
    """Return values as YAML, a key after the other, without references from one part to another."""
    return yaml.dump(dict(values), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)


def _tags(info: Mapping[str, Any], files: Sequence[footers.Footer]) -> list[str]:
    chat = ["trl", "sft"] if any("messages" in file.columns for file in files) else []
    model = public_model(info) or re.split(r"[\\/]", str(info.get("model", "")).rstrip("\\/"))[-1]
    return ["synthetic", "glotmill", "text", *chat, *([model] if _TAG.fullmatch(model) else [])]


def _size(rows: int) -> str:
    sizes = words("size")
    return sizes[min(max(len(str(rows)) - 3, 0), len(sizes) - 1)]


def _joined(ours: Iterable[str], theirs: Any) -> list[str]:
    others = theirs if isinstance(theirs, list) else [theirs]
    return list(dict.fromkeys([*ours, *(item for item in others if isinstance(item, str) and item)]))


def _configs(ours: Sequence[Mapping[str, Any]], theirs: Any) -> list[dict[str, Any]]:
    names = {config["config_name"] for config in ours}
    there = [config for config in theirs if isinstance(config, dict)] if isinstance(theirs, list) else []
    others = [c for c in there if c.get("config_name") not in names and not footers.is_config(c)]
    for config in others:
        config.pop("default", None)  # `all` is
    return [
        {key: _Quoted(value) if key == "config_name" else value for key, value in config.items()}
        for config in [*ours, *others]
    ]


def _infos(ours: Sequence[Mapping[str, Any]], theirs: Any, configs: Sequence[Any]) -> list[dict[str, Any]]:
    names = {info["config_name"] for info in ours}
    there = {str(config["config_name"]) for config in configs if "config_name" in config} - names
    others = [i for i in (theirs if isinstance(theirs, list) else [theirs]) if isinstance(i, dict)]
    return [
        {"config_name": _Quoted(info["config_name"]), **{k: v for k, v in info.items() if k != "config_name"}}
        for info in [*ours, *(i for i in others if i.get("config_name") in there)]
    ]


def _as_written(old: str, theirs: Mapping[str, Any], kept: Mapping[str, Any]) -> str:
    """The keys to keep, with comments and quotes; written anew if lines do not tell them apart."""
    blocks: list[list[str]] = []
    for line in old.split("\n"):
        if _KEY.match(line) or not blocks:
            blocks.append(_notes(blocks[-1]) if blocks else [])
        blocks[-1].append(line)
    named: dict[str, str] = {}
    for block in map("\n".join, blocks):
        try:
            named |= dict.fromkeys(validate.read(block), block)
        except ValueError:
            return dump(kept) if kept else ""
    texts = [named[key] for key in kept if key in named]
    text = "".join(part if part.endswith("\n") else part + "\n" for part in texts)
    try:
        same = list(named) == list(theirs) and validate.read(text) == dict(kept)
    except ValueError:
        same = False
    return text if same else (dump(kept) if kept else "")


def _notes(block: list[str]) -> list[str]:
    """Take the comments from a block's end: they are about the key below them."""
    count = len(block)
    while count and block[count - 1].startswith("#"):
        count -= 1
    notes = block[count:]
    del block[count:]
    return notes


class _Quoted(str):
    """A text in quotes: `no` is Norwegian, and in YAML it is false."""


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(
    _Quoted, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="'")
)


def _quoted(texts: Iterable[str]) -> list[str]:
    return [_Quoted(text) for text in texts]
