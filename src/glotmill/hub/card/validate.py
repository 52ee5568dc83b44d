"""Checks the front matter of a card by the rules of the Hugging Face Hub, before it is uploaded.

The rules are those of the Hub's documentation of dataset cards, and of its loader (`datasets`). One is
stricter: a value that the Hub would accept but never show is a problem too.
"""

import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import yaml

from glotmill.errors import one_line
from glotmill.io.hub_names import near, words

SPLIT_NAME = re.compile(r"\w+(\.\w+)*")

_FRONT_MATTER = re.compile(r"\A\s*---[ \t]*\n(.*?\n)??---[ \t]*(?:\n|\Z)", re.DOTALL)
_CODE = re.compile(r"[a-z]{2,3}|code|multilingual")
_BCP47 = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_LINK = re.compile(r"LICENSE(\.md)?|https?://\S+")
_NOT_IN_NAMES = re.compile(r'[<>:/\\|?*"\x00-\x1f]')
_QUOTE = "write it in quotes"
_EMPTY = "has no value; write one, or leave it out"

Problems = Iterator[str]


def split(text: str) -> tuple[str, str]:
    """Return the front matter of a card without its `---`, or an empty string, and the text below it."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    front_values = _FRONT_MATTER.match(text)
    return (front_values[1] or "", text[front_values.end() :]) if front_values else ("", text)


def read(front: str) -> dict[str, Any]:
    """Return the values of a front matter. Raises ValueError, in words, if it is not a mapping."""
    try:
        front_values = yaml.load(front, _Loader)  # noqa: S506 it is a SafeLoader
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"the front matter is not valid YAML: {one_line(error)}; correct it") from None
    if front_values is None:
        return {}
    if not isinstance(front_values, dict):
        raise ValueError(
            f"the front matter is a {type(front_values).__name__}; write it as `key: value` lines"
        )
    return front_values


def validate(text: str) -> list[str]:
    """Return what the Hub or `load_dataset` would refuse in a card, and how to correct it; empty: nothing."""
    front, _ = split(text)
    if not front.strip():
        return ["the card has no front matter; start it with a line `---`, YAML, and a line `---`"]
    try:
        front_values = read(front)
    except ValueError as error:
        return [str(error)]
    problems = [f"{key!r}: not a string; {_QUOTE}" for key in front_values if not isinstance(key, str)]
    for key, check in _CHECKS.items():
        if key in front_values:
            problems += [f"{key}: {problem}" for problem in check(front_values[key])]
    problems += _license_is_named(front_values)
    problems += _infos_fit(front_values)
    return problems or _client(text)


def _client(text: str) -> list[str]:
    """Return the problems that the client of the Hub finds; it reads a card last before the upload."""
    from huggingface_hub import DatasetCard

    try:
        DatasetCard(text)
    except (ValueError, TypeError, AttributeError, yaml.YAMLError) as error:
        return [f"the client of the Hub cannot read it: {one_line(error)}"]
    return []


class _Loader(yaml.SafeLoader):
    """YAML that refuses duplicate keys, like the Hub."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = set()
        for key, _ in node.value:
            if (key.tag, str(key.value)) in keys:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key.value!r} is a duplicate; remove one", key.start_mark
                )
            keys.add((key.tag, str(key.value)))
        return super().construct_mapping(node, deep)


# Checks of single keys


def _check_texts(value: Any) -> Problems:
    if not isinstance(value, list):
        yield _not_a_list(value)
        return
    for item in value:
        yield from _check_text(item)


def _not_a_list(value: Any) -> str:
    return _EMPTY if value is None else f"is a {_type_name(value)}; write a list"


def _check_text(value: Any) -> Problems:
    if isinstance(value, bool):
        reason = "a bare yes, no, on or off is read as true or false"
        yield f"{str(value).lower()} is not a string: {reason}; {_QUOTE}, as in 'no' (Norwegian)"
    elif value is None:
        yield _EMPTY
    elif not isinstance(value, str):
        yield f"{value!r} is a {_type_name(value)}, not a string; {_QUOTE}"
    elif not value.strip():
        yield "is empty; leave it out"


def _one_or_more(value: Any) -> Problems:
    yield from _check_texts(value if isinstance(value, list) else [value])


def _matching(pattern: re.Pattern[str], advice: str) -> Callable[[Any], Problems]:
    def check(value: Any) -> Problems:
        items = value if isinstance(value, list) else [value]
        yield from _one_or_more(value)
        texts = [item for item in items if isinstance(item, str) and item.strip()]
        yield from (f"{item!r}: {advice}" for item in texts if not pattern.fullmatch(item))
        yield from (f"{item!r} is a duplicate; remove one" for item in _duplicates(texts))

    return check


def _one_of(kind: str, *, one: bool = False) -> Callable[[Any], Problems]:
    def check(value: Any) -> Problems:
        value = [value] if one and not isinstance(value, list) else value
        yield from _check_texts(value)
        for item in value if isinstance(value, list) else ():
            if isinstance(item, str) and item.strip() and item not in words(kind):
                known = words(kind) if len(words(kind)) < 12 else ()
                yield f"{item!r}: not a value of the Hub" + (
                    near(item, kind)
                    or (f"; choose one of {', '.join(known)}" if known else "; choose one of its values")
                )

    return check


def _configs(value: Any) -> Problems:
    if not isinstance(value, list):
        yield _not_a_list(value)
        return
    names = []
    for config in value:
        if not isinstance(config, dict) or "config_name" not in config:
            yield f"{config!r:.80}: a config is a mapping with `config_name`"
            continue
        name = config["config_name"]
        names.append(name)
        yield from (f"config_name: {problem}" for problem in _check_text(name))
        if isinstance(name, str) and _NOT_IN_NAMES.search(name):
            yield f"config_name {name!r}: has a character that file names cannot have; rename it"
        if "data_files" not in config and "data_dir" not in config:
            yield f"{name}: has neither data_files nor data_dir; add one"
        yield from (f"{name}: data_files: {p}" for p in _data_files(config.get("data_files", [])))
        if not isinstance(config.get("default", False), bool):
            yield f"{name}: default: write true, or leave it out"
    yield from (f"{name!r} is a duplicate; rename one" for name in _duplicates(names))
    if sum(isinstance(c, dict) and c.get("default") is True for c in value) > 1:
        yield "more than one config is the default; keep `default: true` in one"


def _data_files(value: Any) -> Problems:
    splits = []
    if isinstance(value, dict):
        yield "is a mapping; write a string or a list"
        return
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, dict):
            yield from _check_text(item)
            continue
        if item.keys() != {"split", "path"}:
            yield f"{item!r:.80}: write it with the keys `split` and `path` only"
            continue
        splits.append(item["split"])
        yield from _split_name(item["split"])
        yield from _one_or_more(item["path"])
    yield from (
        f"split {name!r} is a duplicate; list all its paths in one entry" for name in _duplicates(splits)
    )


def _split_name(name: Any) -> Problems:
    yield from (f"split: {problem}" for problem in _check_text(name))
    if isinstance(name, str) and name and not SPLIT_NAME.fullmatch(name):
        yield f"split {name!r}: datasets accepts letters, digits, _ and dots between them; rename it"


def _infos(value: Any) -> Problems:
    for info in value if isinstance(value, list) else [value]:
        if not isinstance(info, dict):
            yield f"{info!r:.80} is not a mapping; write features, splits and sizes"
            continue
        name = info.get("config_name", "dataset")
        if isinstance(value, list):
            yield from (f"config_name: {problem}" for problem in _check_text(info.get("config_name")))
        yield from (f"{name}: features: {problem}" for problem in _features(info.get("features", [])))
        splits = info.get("splits", [])
        for split_ in splits if isinstance(splits, list) else [splits]:
            if not isinstance(split_, dict):
                yield f"{name}: splits: {split_!r:.80} is not a mapping; write its name and num_examples"
                continue
            yield from (f"{name}: {problem}" for problem in _split_name(split_.get("name")))
            count = split_.get("num_examples", 0)
            if not isinstance(count, int) or isinstance(count, bool) or count < 0:
                yield f"{name}: num_examples: {count!r} is not a number of rows"


def _features(value: Any) -> Problems:
    if not isinstance(value, list):
        yield "write a list"
        return
    for feature in value:
        if not isinstance(feature, dict):
            yield f"{feature!r:.80} is not a mapping; write its name and dtype"
        else:
            yield from (f"name: {problem}" for problem in _check_text(feature.get("name")))


def _flag(value: Any) -> Problems:
    if not isinstance(value, bool):
        yield f"{value!r}: write true or false"


_CHECKS: Mapping[str, Callable[[Any], Problems]] = {
    "language": _matching(_CODE, "not a language code; write two letters (ISO 639-1) or three (ISO 639-3)"),
    "language_details": _matching(_BCP47, "not a BCP 47 tag; write one such as zh-Hant"),
    "license": _one_of("license", one=True),
    "license_name": _check_text,
    "license_link": _matching(_LINK, "neither a URL nor LICENSE nor LICENSE.md; write one of them"),
    "pretty_name": _check_text,
    "tags": _check_texts,
    "task_categories": _one_of("task"),
    "size_categories": _one_of("size"),
    "annotations_creators": _one_of("creator"),
    "language_creators": _one_of("creator"),
    "multilinguality": _one_of("multilinguality"),
    "source_datasets": _check_texts,
    "configs": _configs,
    "dataset_info": _infos,
    "viewer": _flag,
}


# Checks of several keys


def _license_is_named(front_values: Mapping[str, Any]) -> Problems:
    value = front_values.get("license")
    if "other" in (value if isinstance(value, list) else [value]) and not front_values.get("license_name"):
        yield "license: other needs a name; add license_name and license_link"


def _infos_fit(front_values: Mapping[str, Any]) -> Problems:
    """Check that every info belongs to one config; others, and duplicates, would not be read."""
    infos, configs = front_values.get("dataset_info"), front_values.get("configs")
    if not isinstance(infos, list) or not isinstance(configs, list):
        return
    known = {str(c.get("config_name")) for c in configs if isinstance(c, dict)}
    names = [str(info.get("config_name")) for info in infos if isinstance(info, dict)]
    yield from (f"dataset_info: {n}: no config has this name; remove it" for n in names if n not in known)
    yield from (f"dataset_info: {n} is a duplicate; remove one" for n in _duplicates(names))


def _duplicates(items: list[Any]) -> list[Any]:
    reason = [str(item) for item in items]
    return sorted({item for item in reason if reason.count(item) > 1})


def _type_name(value: Any) -> str:
    names = {dict: "mapping", list: "list", str: "string", bool: "boolean"}
    return names.get(type(value), type(value).__name__)
