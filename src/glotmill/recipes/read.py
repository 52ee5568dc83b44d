"""A recipe as plain values: read from YAML, changed by --set, and bounded."""

import re
from pathlib import Path
from typing import Any

import yaml

from glotmill.errors import RecipeError
from glotmill.plugins import did_you_mean
from glotmill.recipes.steps import KINDS

MAX_RECIPE_BYTES = 1_000_000
_HALF = re.compile("[\ud800-\udfff]")


class _Loader(yaml.SafeLoader):
    """YAML in which a date is text. Set here: libraries change the shared loader, some to this, some back."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if not tag.endswith(":timestamp")]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def values(path: Path) -> dict[str, Any]:
    """Return what a file of YAML says. Raises RecipeError: too large, no YAML, no mapping."""
    if path.stat().st_size > MAX_RECIPE_BYTES:
        raise RecipeError(f"{path}: over {MAX_RECIPE_BYTES:,} bytes; put seeds in a file of their own")
    try:
        plain = yaml.load(path.read_bytes(), _Loader)  # noqa: S506 it is a SafeLoader
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise RecipeError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(plain, dict):
        raise RecipeError(
            f"{path}: holds a {type(plain).__name__}; a recipe is a mapping that begins with `about:`"
        )
    return plain


def override(plain: dict[str, Any], setting: str) -> None:
    """Carry out one `steps.draft.temperature=0.3`. A step goes by its name, or by its number from 0.

    Raises RecipeError where nothing is called so.
    """
    path, equals, text = setting.partition("=")
    if not equals or not path:
        raise RecipeError(f"--set {setting}: write it as --set steps.draft.temperature=0.3")
    try:
        value = yaml.load(text, _Loader)  # noqa: S506
    except (yaml.YAMLError, ValueError, RecursionError):
        value = text
    *parents, last = path.split(".")
    here: Any = plain
    for part in parents:
        here = _descend(here, part, setting)
    if isinstance(here, list):
        here[_index(here, last, setting)] = value
    elif isinstance(here, dict):
        here[last] = value
    else:
        raise RecipeError(f"--set {setting}: {'.'.join(parents)} is no mapping")


def _descend(here: Any, part: str, setting: str) -> Any:
    if isinstance(here, list):
        return here[_index(here, part, setting)]
    if isinstance(here, dict):
        return here.setdefault(part, {})
    raise RecipeError(f"--set {setting}: there is nothing below {part!r}")


def _index(items: list[Any], part: str, setting: str) -> int:
    if part.isdecimal() and int(part) < len(items):
        return int(part)
    labels = [next((str(i[k]) for k in KINDS if k in i), "") if isinstance(i, dict) else "" for i in items]
    if labels.count(part) > 1:
        numbers = [str(n) for n, label in enumerate(labels) if label == part]
        raise RecipeError(f"--set {setting}: several are named {part!r}; use a number: {', '.join(numbers)}")
    if part not in labels:
        raise RecipeError(
            f"--set {setting}: nothing named {part!r}{did_you_mean(part, [x for x in labels if x])}"
        )
    return labels.index(part)


def refuse_hostile(plain: Any, path: Path) -> None:
    """Raise RecipeError for aliases that multiply without end, and half characters: no file holds these."""
    waiting, seen = [plain], 0
    while waiting:
        value = waiting.pop()
        seen += 1
        if seen > MAX_RECIPE_BYTES:  # without aliases every value takes a byte
            raise RecipeError(
                f"{path}: its aliases (*name) make over {MAX_RECIPE_BYTES:,} values; write less"
            )
        if isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and (half := _HALF.search(value)):
            raise RecipeError(f"{path}: {ascii(value)[:80]} holds half a character, {half[0]!a}; mend it")
