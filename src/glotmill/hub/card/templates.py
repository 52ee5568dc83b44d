"""Which templates a run was made with, and for which languages."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from glotmill.errors import GlotmillError
from glotmill.languages import find as find_language
from glotmill.recipes import template
from glotmill.recipes.model import Recipe
from glotmill.recipes.read import locate
from glotmill.recipes.steps import Generate, Render
from glotmill.runner.folder import Run


def templates(run: Run, recipe: Recipe) -> Iterator[dict[str, Any]]:
    """Yield each template that was used: step, file (empty if it is nowhere any more), digest, languages,
    and unreviewed, if it says so of itself.
    """
    folder = _folder(run, recipe)
    names = {s.name: s.template_name for s in recipe.live_steps if isinstance(s, Generate | Render)}
    used: dict[tuple[str, str], list[str]] = {}
    for tag, digests in run.info().get("templates", {}).items():
        for step, digest in digests.items():
            used.setdefault((step, digest), []).append(tag)
    for (step, digest), tags in used.items():
        file = _file(folder, names.get(step, ""), tags[0], digest)
        text = file.read_text(encoding="utf-8") if file else ""
        yield {
            "step": step,
            "digest": digest,
            "languages": tags,
            "file": file.name if file else "",
            "unreviewed": text.lstrip("{#- \n").lower().startswith("unreviewed"),
        }


def _folder(run: Run, recipe: Recipe) -> Path | None:
    """Where the recipe's templates are, if they still are somewhere."""
    if (run.folder / "recipe").is_dir():
        return run.folder / "recipe"
    try:
        return locate(recipe.name)
    except GlotmillError:
        return None


def _file(folder: Path | None, name: str, tag: str, digest: str) -> Path | None:
    """The file of a template, if it is as it was."""
    if folder is None or not name or not folder.is_dir():
        return None
    try:
        found = template.load(folder, name, find_language(tag))
    except GlotmillError:
        return None
    return found.path if found.digest == digest else None
