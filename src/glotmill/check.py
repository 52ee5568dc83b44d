"""Finds what is wrong with a recipe before a model is loaded, by taking a table without rows through its steps."""

import json
from collections.abc import Mapping, Sequence

import polars as pl

from glotmill import dataset, parse, units
from glotmill.errors import RecipeError, UsageError
from glotmill.generate import expected, fan_out, made_by
from glotmill.judge import judge_rows
from glotmill.languages import Language
from glotmill.plan import MADE, VERDICTS, Plan, seed_table
from glotmill.prompts import Template
from glotmill.recipe import Filter, Generate, Recipe, Render, Step, Transform
from glotmill.seeds import Row, Seeds
from glotmill.shard import transform
from glotmill.templates import GIVEN, refuse_uneven_variants, templates


def plan(recipe: Recipe, language: Language, seeds: Seeds, model: str, revision: str = "") -> Plan:
    """Return what a language's shards share. Raises RecipeError for anything that does not fit."""
    refuse_uneven_variants(recipe)
    examples = {
        s.name: _examples(recipe, s) for s in recipe.live_steps if isinstance(s, Generate) and s.examples
    }
    found = Plan(recipe, language, templates(recipe, language), examples, model, revision, seeds.schema)
    try:
        _walk(found)
    except UsageError as error:
        raise RecipeError(f"{recipe.folder / 'recipe.yaml'}: {error}") from None
    return found


def _walk(plan: Plan) -> None:
    rows = seed_table(plan, [])
    later = [_made(step) for step in plan.recipe.live_steps]
    for place, step in enumerate(plan.recipe.live_steps):
        label = (
            f"steps.{place} ({next(iter(step.model_dump(exclude_defaults=True, by_alias=True)))} {step.name})"
        )
        try:
            rows = _step(plan, step, rows)
        except UsageError as error:
            text = str(error)
            coming = [
                n
                for made in later[place:]
                for n in made
                if f'"{n}"' in text or f" {n}," in text or f"{n!r}" in text
            ]
            hint = f"; {coming[0]!r} is made by a later step, move that step up" if coming else ""
            raise RecipeError(f"{label}: {text}{hint}") from None
    try:
        judge_rows(rows, [f for f in plan.recipe.finish if not f.skip])
    except UsageError as error:
        raise RecipeError(f"finish: {error}") from None
    for judge in plan.recipe.finish:
        if judge.filter != "duplicates":
            raise RecipeError(
                f"finish: {judge.filter!r} looks at one row; make it a filter step. finish takes duplicates"
            )
    _output(plan.recipe, rows)


def _step(plan: Plan, step: Step, rows: pl.DataFrame) -> pl.DataFrame:
    match step:
        case Generate():
            _variables(plan.templates[step.name], step, rows, plan.examples)
            parse.parser(step.as_, step.name, step.schema_)
            if step.as_ not in ("text", "json") and step.schema_:
                raise RecipeError(f"`as: {step.as_}` and `schema` together; a schema's replies are json")
            made = made_by(step)
            _refuse_taken(rows, made)
            rows = fan_out(step, rows).hstack(pl.DataFrame(schema=made))
            if step.expect:
                judged = rows.with_columns(prompt=pl.col(f"{step.name}_prompt"))
                return judge_rows(judged, expected(step)).drop("reason", "reason_at", "prompt")
            return rows
        case Render():
            _variables(plan.templates[step.name], step, rows, {})
            _refuse_taken(rows, [step.name])
            return rows.with_columns(pl.lit(None, pl.String).alias(step.name))
        case Transform():
            return transform(step, rows).drop(list(VERDICTS), strict=False)
        case Filter():
            if not step.of:
                raise RecipeError("add `of:`, the column that is judged")
            _knows(step, plan.language)
            return judge_rows(rows, [step]).drop("reason", "reason_at")


def _variables(
    template: Template, step: Generate | Render, rows: pl.DataFrame, examples: Mapping[str, object]
) -> None:
    there = {*rows.columns, "language"}
    given = there | ({"feedback"} if isinstance(step, Generate) else set())
    given |= {"examples"} if step.name in examples else set()
    for name in sorted(template.variables - given):
        if name in GIVEN:
            raise RecipeError(
                f"{template.path}: reads {name!r}, but the step gives none; add `{name}:` to it"
            )
        hint = units.did_you_mean(name, sorted(there)) or "; nothing provides it"
        raise RecipeError(f"{template.path}: no column {name!r}{hint}")


def _refuse_taken(rows: pl.DataFrame, made: Mapping[str, pl.DataType] | Sequence[str]) -> None:
    for name in made:
        if name in rows.columns or name in MADE or name in VERDICTS or name in GIVEN:
            raise RecipeError(f"the column {name!r} is there already; give the step another name")


def _made(step: Step) -> list[str]:
    if isinstance(step, Generate):
        return list(made_by(step))
    return [step.render] if isinstance(step, Render) else []


def _knows(judge: Filter, language: Language) -> None:
    """A language that the detector does not know is an error now, never a score later."""
    if judge.filter != "language":
        return
    from glotmill.filters.language import knows

    detector = str(judge.options.get("detector", "langdetect"))
    if not knows(detector, language.tag):
        raise RecipeError(
            f"{detector} does not know {language.tag} ({language.name}); choose another detector, "
            f"or leave the step out with --set steps.language.skip=true"
        )


def _examples(recipe: Recipe, step: Generate) -> list[Row]:
    assert step.examples is not None
    path = (recipe.folder / step.examples.file).resolve()
    if not path.is_relative_to(recipe.folder.resolve()) or not path.is_file():
        raise RecipeError(f"steps.{step.name}.examples: no file {step.examples.file} in {recipe.folder}")
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except ValueError as error:
        raise RecipeError(f"{path}: not JSON lines: {error}") from None
    if len(rows) < step.examples.n or not all(isinstance(row, dict) for row in rows):
        raise RecipeError(
            f"{path}: {len(rows)} examples; the step shows {step.examples.n}, each a JSON object"
        )
    return rows


def _output(recipe: Recipe, rows: pl.DataFrame) -> None:
    wanted = [*(recipe.output.messages or {}).values(), *recipe.output.columns]
    if not wanted:
        raise RecipeError("output: no `messages` and no `columns`; say what a row leaves as")
    for name in wanted:
        if name not in rows.columns:
            raise RecipeError(f"output: no column {name!r}{units.did_you_mean(name, rows.columns)}")
    if recipe.output.messages and "messages" in recipe.output.columns:
        raise RecipeError("output: `messages` twice; take it out of `columns`")
    dataset.shape(rows, recipe.output)
