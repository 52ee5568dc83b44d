"""The templates that a recipe's steps name, as one language says them."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from glotmill import prompts
from glotmill.errors import RecipeError
from glotmill.languages import Language
from glotmill.languages import find as find_language
from glotmill.recipe import Generate, Recipe, Render

GIVEN = frozenset({"language", "examples", "feedback"})  # what every template may read beside columns


def templates(recipe: Recipe, language: Language) -> dict[str, prompts.Template]:
    """Return the compiled template of each step that has one, by the step's name. Raises RecipeError."""
    return {s.name: _load(recipe.folder, s.template_name, language) for s in _steps(recipe)}


def seed_variables(recipe: Recipe) -> frozenset[str]:
    """Return the variables that only seeds can fill: read by a template and made by no step."""
    language = find_language(recipe.languages[0] if recipe.languages else "eng_Latn")
    wanted: set[str] = set()
    for step in _steps(recipe):
        wanted |= _load(recipe.folder, step.template_name, language).variables
    made = {name for step in _steps(recipe) for name in (step.name, f"{step.name}_prompt")}
    return frozenset(wanted - made - GIVEN)


def refuse_uneven_variants(recipe: Recipe) -> None:
    """Raise RecipeError where a language variant does not read the same variables as its base."""
    for step in _steps(recipe):
        for path in prompts.variants(recipe.folder, step.template_name):
            tag = path.name.removeprefix(step.template_name + ".").removesuffix(".j2")
            language = find_language(tag)
            if tag not in (language.tag, language.iso639_3):
                raise RecipeError(
                    f"{path}: name it {step.template_name}.{language.tag}.j2; {tag!r} is not looked for"
                )
            own = _load(recipe.folder, step.template_name, language).variables
            base = prompts.load_file(recipe.folder, f"{step.template_name}.j2").variables
            if lacking := base - own - GIVEN:
                raise RecipeError(f"{path}: does not use {', '.join(sorted(lacking))}, which its base does")
            if extra := own - base - GIVEN:
                raise RecipeError(f"{path}: uses {', '.join(sorted(extra))}, which its base does not")


def _steps(recipe: Recipe) -> Iterator[Generate | Render]:
    return (step for step in recipe.live_steps if isinstance(step, Generate | Render))


@cache
def _load(folder: Path, name: str, language: Language) -> prompts.Template:
    return prompts.load(folder, name, language)
