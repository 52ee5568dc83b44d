"""Where the columns of a run's rows come from."""

from glotmill.hub.card.markdown import Safe, code
from glotmill.recipes.model import Recipe
from glotmill.recipes.steps import Generate, Render, Transform


def columns(recipe: Recipe) -> list[tuple[str, Safe]]:
    """Return name and origin of each column that a recipe's rows leave with, but for id and language."""
    chat = ["messages"] if recipe.output.messages else []
    names = dict.fromkeys([*chat, *recipe.output.columns])
    return [(name, _origin(name, recipe)) for name in names if name not in ("id", "language")]


def _origin(name: str, recipe: Recipe) -> Safe:
    if name == "messages" and recipe.output.messages:
        parts = (f"{role} is {code(column)}" for role, column in recipe.output.messages.items())
        return Safe(", ".join(parts))
    steps = recipe.live_steps
    if any(isinstance(step, Generate) and step.name == name for step in steps):
        return Safe("written by the model")
    if any(isinstance(step, Render) and step.name == name for step in steps):
        return Safe("a template with its values")
    texts = [step.name for step in steps if isinstance(step, Generate | Render)]
    if made := [text for text in texts if name.startswith(f"{text}_")]:
        return Safe(f"made of {code(max(made, key=len))}")
    tables = " or ".join(code(step.name) for step in steps if isinstance(step, Transform))
    return Safe(f"of the seeds, or made by {tables}" if tables else "of the seeds")
