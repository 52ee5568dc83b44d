"""A card with what `load_dataset` needs, and no more."""

from collections.abc import Sequence
from typing import Any

import yaml

from glotmill import footers
from glotmill.languages import find as find_language
from glotmill.store import Run


def card(
    run: Run, *, repo: str, license: str | None, existing: str | None, files: Sequence[footers.Footer]
) -> str:
    """Return the README of a dataset that has these files."""
    old, body = _split(existing or "")
    tags = sorted({file.language for file in files})
    front: dict[str, Any] = {**old}
    if license:
        front["license"] = license
    front["language"] = list(dict.fromkeys(find_language(tag).bcp47.split("-")[0] for tag in tags))
    front["tags"] = sorted({*old.get("tags", []), "synthetic", "glotmill"})
    front["configs"] = footers.configs(files)
    front["dataset_info"] = footers.dataset_info(files)
    text = yaml.safe_dump(front, allow_unicode=True, sort_keys=False)
    return f"---\n{text}---\n{body or f'# {repo}'}\n"


def validate(text: str) -> list[str]:
    """Return what is wrong with a card."""
    return [] if _split(text)[0] else ["no front matter"]


def _split(text: str) -> tuple[dict[str, Any], str]:
    if not text.startswith("---\n"):
        return {}, text
    front, _, body = text[4:].partition("\n---\n")
    return yaml.safe_load(front) or {}, body.rstrip("\n")
