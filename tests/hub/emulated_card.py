"""What the emulated Hub finds wrong with the front matter of a card: a part of what the real one does."""

import re
from functools import cache
from typing import Any

import yaml

LISTS = ("tags", "task_categories", "size_categories", "configs")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*|code|multilingual")


@cache
def front_matter(text: str) -> Any:
    """Return the values between the two lines of dashes; None if there are none. Raises yaml.YAMLError."""
    found = re.match(r"\A\s*---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(\r?\n|\Z)", text, re.S)
    return yaml.safe_load(found[1]) if found else None


@cache
def errors(text: str) -> list[str]:
    """Return what is wrong with a card."""
    try:
        front = front_matter(text)
    except yaml.YAMLError as error:
        return [f"invalid yaml: {error}"]
    if front is None:
        return []
    if not isinstance(front, dict):
        return ["metadata must be a mapping"]
    found = [f'"{key}" must be an array' for key in LISTS if not isinstance(front.get(key, []), list)]
    languages = front.get("language", [])
    for code in languages if isinstance(languages, list) else [languages]:
        if not isinstance(code, str) or not LANGUAGE.fullmatch(code):
            found.append(f'"language" must be an ISO 639 code, not {code!r}')
    configs = [each for each in front.get("configs") or [] if isinstance(each, dict)]
    names = [each.get("config_name") for each in configs]
    found += [f'"configs" names must be strings, not {n!r}' for n in names if not isinstance(n, str)]
    if len({str(name) for name in names}) < len(names):
        found.append('"configs" has a name twice')
    if sum(bool(each.get("default")) for each in configs) > 1:
        found.append('"configs" can have only one default')
    return found
