"""`glotmill check`: the problems of a recipe, found without a model."""

from collections.abc import Sequence

import click

from glotmill.cli import options
from glotmill.errors import UsageError

NAMED = 5  # languages that are named before one problem; the others are counted


@click.command("check")
@click.argument("recipe")
@options.languages
@options.seeds_and_settings
@options.as_json
def command(
    recipe: str, languages: list[str], seeds: str | None, settings: tuple[str, ...], as_json: bool
) -> None:
    """Check a recipe, without a model.

    Reads the recipe, its templates and its seeds as `glotmill run` does, and renders the first row of each
    language.
    """
    import asyncio

    from glotmill.io import terminal
    from glotmill.runner import preview

    results = asyncio.run(preview.problems(recipe, languages, seeds, settings))
    problems = {tag: problem for tag, problem in results.items() if problem}
    if as_json:
        items = [{"language": tag, "problem": problem or None} for tag, problem in results.items()]
        click.echo(terminal.json_text({"recipe": recipe, "ok": not problems, "languages": items}))
    else:
        for tag in results:
            if tag not in problems:
                click.echo(f"{tag}: ok")
    if problems:
        raise UsageError(problems_text(problems, len(results)))


def problems_text(problems: dict[str, str], total: int) -> str:
    """Return each problem once, after the languages that have it, unless all `total` languages do."""
    tags_by_problem: dict[str, list[str]] = {}
    for tag, problem in problems.items():
        tags_by_problem.setdefault(problem, []).append(tag)
    return "\n".join(_prefix(tags, total) + problem for problem, tags in tags_by_problem.items())


def _prefix(tags: Sequence[str], total: int) -> str:
    if len(tags) == total > 1:
        return ""
    more = f" and {len(tags) - NAMED} more" if len(tags) > NAMED else ""
    return f"{', '.join(tags[:NAMED])}{more}: "
