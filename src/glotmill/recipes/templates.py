"""The templates that a recipe's steps name, as one language says them."""

from collections.abc import Iterator

from glotmill.columns import TEMPLATE_VARIABLES, prompt_column
from glotmill.errors import RecipeError
from glotmill.languages import Language
from glotmill.languages import find as find_language
from glotmill.recipes import template
from glotmill.recipes.model import Recipe
from glotmill.recipes.steps import Generate, Render


def templates(recipe: Recipe, language: Language) -> dict[str, template.Template]:
    """Return the compiled template of each step that has one, by the step's name. Raises RecipeError."""
    return {s.name: template.load(recipe.folder, s.template_name, language) for s in _steps(recipe)}


def seed_variables(recipe: Recipe) -> frozenset[str]:
    """Return the variables that only seeds can fill: read by a template and made by no step."""
    language = find_language(recipe.languages[0] if recipe.languages else "eng_Latn")
    wanted: set[str] = set()
    for step in _steps(recipe):
        wanted |= template.load(recipe.folder, step.template_name, language).variables
    made = {name for step in _steps(recipe) for name in (step.name, prompt_column(step.name))}
    return frozenset(wanted - made - TEMPLATE_VARIABLES)


def refuse_uneven_variants(recipe: Recipe) -> None:
    """Raise RecipeError where a language variant does not read the same variables as its base."""
    for step in _steps(recipe):
        base = None
        for path in template.variants(recipe.folder, step.template_name):
            tag = path.name.split(".")[-2]
            try:
                language = find_language(tag)
            except RecipeError as error:
                raise RecipeError(f"{path}: named as the variant of a language; {error}") from None
            if tag not in (language.tag, language.iso639_3):
                right = path.name.removesuffix(f"{tag}.j2") + f"{language.tag}.j2"
                raise RecipeError(f"{path}: name it {right}; {tag!r} is not looked for")
            file = path.relative_to(recipe.folder).as_posix()
            own = template.load_file(recipe.folder, file).variables
            base = base or template.load_file(recipe.folder, f"{step.template_name}.j2")
            if lacking := base.variables - own - TEMPLATE_VARIABLES:
                raise RecipeError(f"{path}: does not use {', '.join(sorted(lacking))}, which its base does")
            if extra := own - base.variables - TEMPLATE_VARIABLES:
                raise RecipeError(f"{path}: uses {', '.join(sorted(extra))}, which its base does not")


def _steps(recipe: Recipe) -> Iterator[Generate | Render]:
    return (step for step in recipe.live_steps if isinstance(step, Generate | Render))
