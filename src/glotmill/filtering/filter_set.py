"""Which filters judge a dataset: those that are named, those of a file, or the default set."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from glotmill import plugins
from glotmill.errors import RecipeError, UsageError, one_line
from glotmill.recipes.steps import Filter

# What no data to train on should hold, the cheapest to find first.
DEFAULT = (
    "length",
    "mojibake",
    "placeholders",
    "language",
    "repetition",
    "refusal",
    "assistant_speak",
    "duplicates",
)

_FILES = (".yaml", ".yml", ".json")


def choose(
    names: Sequence[str | Mapping[str, Any]], column: str, settings: Mapping[str, Any], with_language: bool
) -> list[Filter]:
    """Return the filters that are asked for.

    names: of filters, which then judge `column`; or one file that holds a list of filters as in the steps of
    a recipe, each with its options and, if it judges another column, `of:`, or such filters themselves;
    none: the default set.
    settings: `length.min_chars` -> value. with_language: without, filters of the default set that ask for a
    language are left out. Raises UsageError for what is not there, and RecipeError for a file that is wrong.
    """
    files = [name for name in names if isinstance(name, str) and name.endswith(_FILES)]
    if files and len(names) > 1:
        raise UsageError(f"--filters {files[0]}: give one file of filters, or names, and not both")
    if files:
        plain = _listed(Path(files[0]))
    elif names:
        plain = [{"filter": name} if isinstance(name, str) else dict(name) for name in names]
    else:
        plain = [made for name in DEFAULT if (made := _default(name, with_language))]
    for path, value in settings.items():
        _set(plain, path, value)
    return [judge for each in plain if not (judge := _judge(each, column)).skip]


def _listed(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        plain = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except FileNotFoundError:
        raise RecipeError(f"{path}: no such file of filters") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RecipeError(f"{path}: cannot be read: {one_line(error)}") from None
    if not isinstance(plain, list) or not all(isinstance(item, dict) and "filter" in item for item in plain):
        raise RecipeError(f"{path}: write a list of filters, as in `- {{filter: length, of: answer}}`")
    return [{str(key): value for key, value in item.items()} for item in plain]


def _default(name: str, with_language: bool) -> dict[str, Any] | None:
    options = plugins.options(plugins.find("filters", name))
    reads = [n for n, p in options.items() if p.default == "language"]
    if with_language or not reads:
        return {"filter": name}
    return {"filter": name, "within": ""} if reads == ["within"] else None


def _set(plain: Sequence[dict[str, Any]], path: str, value: Any) -> None:
    name, dot, option = path.rpartition(".")
    if not dot or not option:
        raise UsageError(f"--set {path}: write FILTER.OPTION=VALUE, as in length.min_chars=20")
    there = [item for item in plain if item["filter"] == name]
    if not there:
        hint = plugins.did_you_mean(name, [item["filter"] for item in plain])
        raise UsageError(f"--set {path}: no filter {name!r} is asked{hint}")
    if len(there) > 1:
        raise UsageError(f"--set {path}: {len(there)} filters are named {name!r}; set it in the file")
    there[0][option] = value


def _judge(plain: Mapping[str, Any], column: str) -> Filter:
    try:
        judge = Filter.model_validate({"of": column, **plain})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RecipeError(f"filter {plain['filter']!r}: {where}: {first['msg']}") from None
    plugins.check_options(plugins.find("filters", judge.filter), judge.options, f"filter {judge.filter}")
    return judge
