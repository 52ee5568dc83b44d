"""What the Hugging Face Hub asks of the front matter of a dataset's card, checked before it is there.

Rules: the Hub's documentation of dataset cards, and what its loader (`datasets`) refuses. Stricter than the
Hub in one thing: a word that the Hub would take, but show nowhere, is a problem too.
"""

import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import yaml

from glotmill.errors import one_line
from glotmill.io.hub_names import near, words

SPLIT_NAME = re.compile(r"\w+(\.\w+)*")

_FRONT = re.compile(r"\A\s*---[ \t]*\n(.*?\n)??---[ \t]*(?:\n|\Z)", re.DOTALL)
_CODE = re.compile(r"[a-z]{2,3}|code|multilingual")
_BCP47 = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_LINK = re.compile(r"LICENSE(\.md)?|https?://\S+")
_NOT_IN_NAMES = re.compile(r'[<>:/\\|?*"\x00-\x1f]')
_QUOTE = "write it in quotes"
_EMPTY = "has no value; write one, or leave it out"

Problems = Iterator[str]


def split(text: str) -> tuple[str, str]:
    """Return the front matter of a card without its `---`, empty if there is none, and the text below."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    found = _FRONT.match(text)
    return (found[1] or "", text[found.end() :]) if found else ("", text)


def read(front: str) -> dict[str, Any]:
    """Return what a front matter says. Raises ValueError, in words, if it is no YAML mapping."""
    try:
        found = yaml.load(front, _Loader)  # noqa: S506 it is a SafeLoader
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"the front matter is not YAML: {one_line(error)}; mend it") from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ValueError(f"the front matter holds a {type(found).__name__}; write it as `key: value` lines")
    return found


def validate(text: str) -> list[str]:
    """Return what the Hub or `load_dataset` would not take in a card, and what to do; none: all is well."""
    front, _ = split(text)
    if not front.strip():
        return ["the card has no front matter; begin it with a line `---`, YAML, and a line `---`"]
    try:
        found = read(front)
    except ValueError as error:
        return [str(error)]
    problems = [f"{key!r}: not a text; {_QUOTE}" for key in found if not isinstance(key, str)]
    for key, check in _CHECKS.items():
        if key in found:
            problems += [f"{key}: {problem}" for problem in check(found[key])]
    problems += _license_is_named(found)
    problems += _infos_fit(found)
    return problems or _client(text)


def _client(text: str) -> list[str]:
    """What the Hub's own client says, which is the last to read a card before it is sent."""
    from huggingface_hub import DatasetCard

    try:
        DatasetCard(text)
    except (ValueError, TypeError, AttributeError, yaml.YAMLError) as error:
        return [f"the client of the Hub cannot read it: {one_line(error)}"]
    return []


class _Loader(yaml.SafeLoader):
    """YAML that refuses a key that is there twice, as the Hub does."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if (key.tag, str(key.value)) in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key.value!r} is there twice; leave one", key.start_mark
                )
            seen.add((key.tag, str(key.value)))
        return super().construct_mapping(node, deep)


# The checks of single keys


def _texts(value: Any) -> Problems:
    if not isinstance(value, list):
        yield _no_list(value)
        return
    for item in value:
        yield from _text(item)


def _no_list(value: Any) -> str:
    return _EMPTY if value is None else f"is a {_kind(value)}; write a list"


def _text(value: Any) -> Problems:
    if isinstance(value, bool):
        said = "a bare yes, no, on or off is read as true or false"
        yield f"{str(value).lower()} is no text: {said}; {_QUOTE}, as in 'no' (Norwegian)"
    elif value is None:
        yield _EMPTY
    elif not isinstance(value, str):
        yield f"{value!r} is a {_kind(value)}, not a text; {_QUOTE}"
    elif not value.strip():
        yield "an empty text; leave it out"


def _one_or_more(value: Any) -> Problems:
    yield from _texts(value if isinstance(value, list) else [value])


def _matching(pattern: re.Pattern[str], advice: str) -> Callable[[Any], Problems]:
    def check(value: Any) -> Problems:
        items = value if isinstance(value, list) else [value]
        yield from _one_or_more(value)
        texts = [item for item in items if isinstance(item, str) and item.strip()]
        yield from (f"{item!r}: {advice}" for item in texts if not pattern.fullmatch(item))
        yield from (f"{item!r} is there twice; leave one" for item in _twice(texts))

    return check


def _of(kind: str, *, one: bool = False) -> Callable[[Any], Problems]:
    def check(value: Any) -> Problems:
        value = [value] if one and not isinstance(value, list) else value
        yield from _texts(value)
        for item in value if isinstance(value, list) else ():
            if isinstance(item, str) and item.strip() and item not in words(kind):
                there = words(kind) if len(words(kind)) < 12 else ()
                yield f"{item!r}: the Hub has no such word" + (
                    near(item, kind) or (f"; there is {', '.join(there)}" if there else "; choose one it has")
                )

    return check


def _configs(value: Any) -> Problems:
    if not isinstance(value, list):
        yield _no_list(value)
        return
    names = []
    for config in value:
        if not isinstance(config, dict) or "config_name" not in config:
            yield f"{config!r:.80}: a config is a mapping with `config_name`"
            continue
        name = config["config_name"]
        names.append(name)
        yield from (f"config_name: {problem}" for problem in _text(name))
        if isinstance(name, str) and _NOT_IN_NAMES.search(name):
            yield f"config_name {name!r}: has a character that no file's name can have; rename it"
        if "data_files" not in config and "data_dir" not in config:
            yield f"{name}: has neither data_files nor data_dir; say where its files are"
        yield from (f"{name}: data_files: {p}" for p in _data_files(config.get("data_files", [])))
        if not isinstance(config.get("default", False), bool):
            yield f"{name}: default: write true, or leave it out"
    yield from (f"{name!r} is there twice; rename one" for name in _twice(names))
    if sum(isinstance(c, dict) and c.get("default") is True for c in value) > 1:
        yield "more than one is the default; leave `default: true` with one"


def _data_files(value: Any) -> Problems:
    splits = []
    if isinstance(value, dict):
        yield "is a mapping; write a text, or a list"
        return
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, dict):
            yield from _text(item)
            continue
        if item.keys() != {"split", "path"}:
            yield f"{item!r:.80}: write it with `split` and `path`, and nothing else"
            continue
        splits.append(item["split"])
        yield from _split_name(item["split"])
        yield from _one_or_more(item["path"])
    yield from (f"split {name!r} is there twice; give it all its paths at once" for name in _twice(splits))


def _split_name(name: Any) -> Problems:
    yield from (f"split: {problem}" for problem in _text(name))
    if isinstance(name, str) and name and not SPLIT_NAME.fullmatch(name):
        yield f"split {name!r}: datasets takes letters, digits, _ and dots between them; rename it"


def _infos(value: Any) -> Problems:
    for info in value if isinstance(value, list) else [value]:
        if not isinstance(info, dict):
            yield f"{info!r:.80} is no mapping; write features, splits and sizes"
            continue
        place = info.get("config_name", "dataset")
        if isinstance(value, list):
            yield from (f"config_name: {problem}" for problem in _text(info.get("config_name")))
        yield from (f"{place}: features: {problem}" for problem in _features(info.get("features", [])))
        splits = info.get("splits", [])
        for split_ in splits if isinstance(splits, list) else [splits]:
            if not isinstance(split_, dict):
                yield f"{place}: splits: {split_!r:.80} is no mapping; write its name and num_examples"
                continue
            yield from (f"{place}: {problem}" for problem in _split_name(split_.get("name")))
            count = split_.get("num_examples", 0)
            if not isinstance(count, int) or isinstance(count, bool) or count < 0:
                yield f"{place}: num_examples: {count!r} is no count of rows"


def _features(value: Any) -> Problems:
    if not isinstance(value, list):
        yield "write a list"
        return
    for feature in value:
        if not isinstance(feature, dict):
            yield f"{feature!r:.80} is no mapping; write its name and dtype"
        else:
            yield from (f"name: {problem}" for problem in _text(feature.get("name")))


def _flag(value: Any) -> Problems:
    if not isinstance(value, bool):
        yield f"{value!r}: write true or false"


_CHECKS: Mapping[str, Callable[[Any], Problems]] = {
    "language": _matching(_CODE, "not a code; write two letters of ISO 639-1, or three of ISO 639-3"),
    "language_details": _matching(_BCP47, "not a BCP 47 tag; write one such as zh-Hant"),
    "license": _of("license", one=True),
    "license_name": _text,
    "license_link": _matching(_LINK, "neither an address nor LICENSE or LICENSE.md; write one of these"),
    "pretty_name": _text,
    "tags": _texts,
    "task_categories": _of("task"),
    "size_categories": _of("size"),
    "annotations_creators": _of("creator"),
    "language_creators": _of("creator"),
    "multilinguality": _of("multilinguality"),
    "source_datasets": _texts,
    "configs": _configs,
    "dataset_info": _infos,
    "viewer": _flag,
}


# What must be true of several keys


def _license_is_named(found: Mapping[str, Any]) -> Problems:
    value = found.get("license")
    if "other" in (value if isinstance(value, list) else [value]) and not found.get("license_name"):
        yield "license: other needs its name; add license_name and license_link"


def _infos_fit(found: Mapping[str, Any]) -> Problems:
    """An info of a config that is not there is never read, one that is there twice is read by chance."""
    infos, configs = found.get("dataset_info"), found.get("configs")
    if not isinstance(infos, list) or not isinstance(configs, list):
        return
    there = {str(c.get("config_name")) for c in configs if isinstance(c, dict)}
    names = [str(info.get("config_name")) for info in infos if isinstance(info, dict)]
    yield from (f"dataset_info: {n}: there is no such config; remove it" for n in names if n not in there)
    yield from (f"dataset_info: {n} is there twice; remove one" for n in _twice(names))


def _twice(items: list[Any]) -> list[Any]:
    said = [str(item) for item in items]
    return sorted({item for item in said if said.count(item) > 1})


def _kind(value: Any) -> str:
    names = {dict: "mapping", list: "list", str: "text", bool: "truth value"}
    return names.get(type(value), type(value).__name__)
