"""The filters that `glotmill filter` applies: those named, those of a file, or the default set."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

import glotmill.filters
from glotmill import plugins
from glotmill.errors import RecipeError, UsageError, one_line
from glotmill.io import plain_yaml
from glotmill.recipes.steps import Filter

_DEFAULT_SET = Path(glotmill.filters.__file__).with_name("default_set.yaml")
_SUFFIXES = (".yaml", ".yml", ".json")


def choose(
    filters: Sequence[str | Mapping[str, Any]],
    column: str,
    settings: Mapping[str, Any],
    with_language: bool,
) -> list[Filter]:
    """Return the filters to apply.

    filters: names of filters; or one file with a list of filters as in a recipe, each with its options and
    optionally `of:`; or such filters themselves; or nothing for the default set. column: read by filters
    without `of:`. settings: `length.min_chars` -> value. with_language: whether the language of the rows is
    known; otherwise the default set omits filters that need it. Raises UsageError for an unknown name, and
    RecipeError for a wrong file.
    """
    files = [name for name in filters if isinstance(name, str) and name.endswith(_SUFFIXES)]
    if files and len(filters) > 1:
        raise UsageError(f"--filters {files[0]}: give either one file or filter names, not both")
    if files:
        items = _read_file(Path(files[0]))
    elif filters:
        items = [{"filter": item} if isinstance(item, str) else dict(item) for item in filters]
    else:
        items = _default_set(with_language)
    for path, value in settings.items():
        _set_option(items, path, value)
    steps = [_to_step(item, column) for item in items]
    return [step for step in steps if not step.skip]


def _read_file(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        items = json.loads(text) if path.suffix == ".json" else plain_yaml.load(text)
    except FileNotFoundError:
        raise RecipeError(f"{path}: no such file of filters") from None
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"{path}: cannot be read: {one_line(error)}") from None
    if not isinstance(items, list) or not all(isinstance(item, dict) and "filter" in item for item in items):
        raise RecipeError(
            f"{path}: not a list of filters; write one, as in `- {{filter: length, of: answer}}`"
        )
    return [{str(key): value for key, value in item.items()} for item in items]


def _default_set(with_language: bool) -> list[dict[str, Any]]:
    """Return the default set; without the language of the rows, only filters that do not need it."""
    items = []
    for item in _read_file(_DEFAULT_SET):
        defaults = plugins.defaults(plugins.find("filters", item["filter"]))
        by_language = [option for option, value in defaults.items() if value == "language"]
        if with_language or not by_language:
            items.append(item)
        elif by_language == ["within"]:  # compares the rows of one language, or of all
            items.append({**item, "within": ""})
    return items


def _set_option(items: Sequence[dict[str, Any]], path: str, value: Any) -> None:
    name, dot, option = path.rpartition(".")
    if not dot or not option:
        raise UsageError(f"--set {path}: write FILTER.OPTION=VALUE, as in length.min_chars=20")
    matches = [item for item in items if item["filter"] == name]
    if not matches:
        hint = plugins.did_you_mean(name, [item["filter"] for item in items])
        raise UsageError(f"--set {path}: the filter {name!r} is not applied{hint}")
    if len(matches) > 1:
        raise UsageError(f"--set {path}: {len(matches)} filters are named {name!r}; set it in the file")
    matches[0][option] = value


def _to_step(item: Mapping[str, Any], column: str) -> Filter:
    try:
        step = Filter.model_validate({"of": column, **item})
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(map(str, first["loc"]))
        raise RecipeError(f"filter {item['filter']!r}: {path}: {first['msg']}") from None
    plugins.check_options(plugins.find("filters", step.filter), step.options, f"filter {step.filter}")
    return step
