"""Finds a recipe on disk, applies `--set` overrides, and reads it into a frozen Recipe.

Unknown keys are refused. Every error names the file, the place, what is there and the remedy.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from glotmill.columns import prompt_column
from glotmill.errors import RecipeError
from glotmill.io import plain_yaml
from glotmill.plugins import did_you_mean
from glotmill.recipes.recipe import SEED_SOURCES, Dataset, Draw, Model, Output, Recipe, Table
from glotmill.recipes.steps import STEP_KINDS, Examples

BUILT_IN = Path(__file__).parent.parent / "prompts"
MAX_RECIPE_BYTES = 1_000_000
_VERBATIM = (("seeds", "draw"), ("seeds", "rows"))  # 1.10 in a seed is what stands there, not 1.1
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_MODELS: tuple[type[BaseModel], ...] = (
    Recipe,
    *STEP_KINDS.values(),
    Examples,
    Draw,
    Table,
    Dataset,
    Model,
    Output,
)


def read_recipe(source: str | Path, settings: Iterable[str] = ()) -> Recipe:
    """Read a recipe by its name, its folder, or a single template file.

    settings: overrides such as `steps.draft.temperature=0.3`. Raises RecipeError.
    """
    path = locate(source)
    if path.suffix == ".j2":
        name = path.name.removesuffix(".j2")
        values = _single_template_recipe(name)
    else:
        name, path = path.name, path / "recipe.yaml"
        values = _load_yaml(path)
    for setting in settings:
        _override(values, setting)
    _refuse_what_is_no_text(values, path)
    return _validate(values, path, name)


def locate(source: str | Path) -> Path:
    """Return the folder of a recipe, or the file of a single template. Raises RecipeError."""
    text, path = str(source), Path(source)
    if text.endswith(".j2") and path.is_file():
        return path.resolve()
    if (path / "recipe.yaml").is_file():
        return path.resolve()
    if text.isidentifier() and (BUILT_IN / text / "recipe.yaml").is_file():
        return (BUILT_IN / text).resolve()
    if path.is_dir():
        raise RecipeError(f"{path}: a folder without recipe.yaml; `glotmill new {path}` writes one")
    if path.exists():
        raise RecipeError(f"{path}: neither a recipe's folder nor a .j2 template")
    if text.endswith(".j2"):
        raise RecipeError(f"{text}: no such file")
    if len(path.parts) > 1:
        raise RecipeError(f"{text}: no such folder")
    raise RecipeError(f"no recipe {text!r}{did_you_mean(text, built_in())}")


def built_in() -> list[str]:
    """Return the names of the recipes that come with glotmill."""
    return sorted(path.parent.name for path in BUILT_IN.glob("*/recipe.yaml"))


def _load_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file. Raises RecipeError: too large, not YAML, not a mapping."""
    if path.stat().st_size > MAX_RECIPE_BYTES:
        raise RecipeError(f"{path}: over {MAX_RECIPE_BYTES:,} bytes; move the seeds to a separate file")
    try:
        values = plain_yaml.load(path.read_bytes(), verbatim=_VERBATIM)
    except plain_yaml.YamlError as error:
        is_yaml = isinstance(error, plain_yaml.RefusedYamlError)
        raise RecipeError(f"{path}: {'' if is_yaml else 'not YAML: '}{error}") from None
    if not isinstance(values, dict):
        raise RecipeError(
            f"{path}: holds a {type(values).__name__}; a recipe is a mapping that begins with `about:`"
        )
    return values


def _single_template_recipe(name: str) -> dict[str, Any]:
    """Return the recipe of a lone template: one reply to each row of stdin, with the usual filters."""
    return {
        "about": f"One reply to {name}.j2 for every seed.",
        "seeds": "-",
        "steps": [
            {"generate": "reply", "template": name, "max_tokens": 1024},
            {"filter": "length", "of": "reply"},
            {"filter": "language", "of": "reply"},
        ],
        "finish": [{"filter": "duplicates", "of": "reply"}],
        "output": {"messages": {"user": prompt_column("reply"), "assistant": "reply"}},
    }


def _override(values: dict[str, Any], setting: str) -> None:
    """Apply one `steps.draft.temperature=0.3`. A step goes by its name or by its number, from 0.

    Raises RecipeError if there is no such place.
    """
    path, equals, text = setting.partition("=")
    if not equals or not path:
        raise RecipeError(f"--set {setting}: write it as --set steps.draft.temperature=0.3")
    try:
        keys = tuple(path.split("."))
        below = [place[len(keys) :] for place in _VERBATIM if place[: len(keys)] == keys[: len(place)]]
        value = plain_yaml.load(text, verbatim=below)
    except plain_yaml.RefusedYamlError as error:
        raise RecipeError(f"--set {setting:.80}: {error}") from None
    except plain_yaml.YamlError:
        value = text
    *parents, last = path.split(".")
    target: Any = values
    for key in parents:
        target = _descend(target, key, setting)
    if isinstance(target, list):
        target[_index(target, last, setting)] = value
    elif isinstance(target, dict):
        target[last] = value
    else:
        raise RecipeError(f"--set {setting}: {'.'.join(parents)} is not a mapping")


def _descend(container: Any, key: str, setting: str) -> Any:
    if isinstance(container, list):
        return container[_index(container, key, setting)]
    if isinstance(container, dict):
        return container.setdefault(key, {})
    raise RecipeError(f"--set {setting}: there is nothing below {key!r}")


def _index(items: list[Any], key: str, setting: str) -> int:
    """Return the position of a step in a list, by number or by name."""
    if key.isdecimal() and int(key) < len(items):
        return int(key)
    names = [_step_name(item) for item in items]
    if names.count(key) > 1:
        numbers = [str(number) for number, name in enumerate(names) if name == key]
        raise RecipeError(f"--set {setting}: several are named {key!r}; use a number: {', '.join(numbers)}")
    if key not in names:
        raise RecipeError(f"--set {setting}: nothing named {key!r}{did_you_mean(key, filter(None, names))}")
    return names.index(key)


def _step_name(item: Any) -> str:
    if not isinstance(item, dict):
        return ""
    return next((str(item[kind]) for kind in STEP_KINDS if kind in item), "")


def _refuse_what_is_no_text(values: Any, path: Path) -> None:
    """Raise RecipeError for lone surrogates, and for NUL bytes, which no file or column can be named with."""
    waiting = [values]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and (found := _NO_TEXT.search(value)):
            what = "a NUL byte" if found[0] == "\0" else f"half a character, {found[0]!a}"
            raise RecipeError(f"{path}: {ascii(value)[:80]} holds {what}; correct it")


def _validate(values: dict[str, Any], path: Path, name: str) -> Recipe:
    for key in ("name", "file"):
        if key in values:
            raise RecipeError(f"{path}: {key}: unknown key; a recipe is named after its folder")
    try:
        return Recipe.model_validate({**values, "file": path, "name": name})
    except ValidationError as error:
        errors = error.errors()
        outermost = [e for e in errors if not any(_is_within(other, e) for other in errors)]
        raise RecipeError("\n".join(_explain(e, path) for e in outermost[:5])) from None
    except RecipeError as error:
        raise RecipeError(f"{path}: languages: {error}") from None


def _is_within(inner: Any, outer: Any) -> bool:
    """Return whether one pydantic error is about a part of what the other is about."""
    depth = len(outer["loc"])
    return len(inner["loc"]) > depth and inner["loc"][:depth] == outer["loc"]


def _explain(error: Any, path: Path) -> str:
    """Return a pydantic error as one line: file, place, what is wrong, what is there."""
    keys = [str(key) for key in error["loc"] if key != "[key]"]
    if keys[0] in ("steps", "seeds"):  # pydantic inserts the tag of the union behind these
        tag = 2 if keys[0] == "steps" else 1
        del keys[tag : tag + 1]
    place = ".".join(keys)
    value = f"there is {error['input']!r:.80}"
    match error["type"]:
        case "extra_forbidden":
            known = {f.alias or name for model in _MODELS for name, f in model.model_fields.items()}
            hint = did_you_mean(str(error["loc"][-1]), sorted(known - {"name", "file"}))
            return f"{path}: {place}: unknown key{hint}"
        case "union_tag_not_found" if keys[0] == "seeds":
            kinds = ", ".join(f"`{key}:` ({about})" for key, about in SEED_SOURCES.items())
            return f"{path}: seeds: give a file, or one of {kinds}; {value}"
        case "union_tag_not_found":
            return f"{path}: {place}: a step is one of {', '.join(STEP_KINDS)}; {value}"
    text = error["msg"].removeprefix("Value error, ")
    return f"{path}: {place}: {text[:1].lower()}{text[1:]}; {value}"
