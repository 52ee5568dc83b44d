"""Finds what is wrong with a recipe before a model is loaded: a table without rows goes through its steps."""

import re
from collections.abc import Mapping, Sequence

import polars as pl

from glotmill import plugins
from glotmill.columns import (
    IDENTITY,
    REASON,
    REASON_AT,
    RESERVED,
    TEMPLATE_VARIABLES,
    VERDICT_SCHEMA,
    prompt_column,
    raw_column,
)
from glotmill.errors import RecipeError, UsageError
from glotmill.io.rows import open_rows
from glotmill.languages import Language
from glotmill.recipes.model import Recipe
from glotmill.recipes.seeds import Row, Seeds
from glotmill.recipes.steps import Filter, Generate, Render, Step, Transform
from glotmill.recipes.template import Template, load_all, refuse_uneven_variants
from glotmill.runner import dataset, parse
from glotmill.runner.apply_filters import apply_filters, streaming_rule
from glotmill.runner.generate import expect_filters, fan_out, step_columns
from glotmill.runner.shard import LanguagePlan, seed_table, transform


def plan(recipe: Recipe, language: Language, seeds: Seeds, model: str, revision: str = "") -> LanguagePlan:
    """Return what a language's shards share. Raises RecipeError for anything that does not fit."""
    refuse_uneven_variants(recipe)
    shown = [s for s in recipe.live_steps if isinstance(s, Generate) and s.examples]
    said = load_all(recipe, language)
    try:
        examples = {s.name: _examples(recipe, s) for s in shown}
        found = LanguagePlan(recipe, language, said, examples, model, revision, seeds.schema)
        _walk(found)
    except UsageError as error:
        raise RecipeError(f"{recipe.file}: {error}") from None
    return found


def _walk(plan: LanguagePlan) -> None:
    rows = seed_table(plan, [])
    for step in plan.recipe.live_steps:
        try:
            rows = _step(plan, step, rows)
        except UsageError as error:
            hint = _made_elsewhere(plan.recipe, step, str(error))
            number = plan.recipe.steps.index(step)
            raise RecipeError(
                f"steps.{number} ({type(step).__name__.lower()} {step.name}): {error}{hint}"
            ) from None
    for number, judge in enumerate(plan.recipe.finish):
        try:
            _finish(plan, judge, rows, plan.recipe.finish[:number])
        except UsageError as error:
            raise RecipeError(f"finish: {error}") from None
    _output(plan.recipe, rows)


def _made_elsewhere(recipe: Recipe, step: Step, text: str) -> str:
    """Say where a column that is missing is made: by a later step, or by one that is skipped."""
    missing = re.search(r"no column '(\w+)'|unable to find column \"(\w+)\"", text)
    name = (missing[1] or missing[2]) if missing else ""
    for other in recipe.steps:
        if not isinstance(other, Generate | Render) or name not in (other.name, prompt_column(other.name)):
            continue
        if other.skip:
            return f"; {name!r} is made by a step that is skipped: --set steps.{other.name}.skip=false"
        return f"; {name!r} is made by a later step, move that step up" if other is not step else ""
    return ""


def _finish(plan: LanguagePlan, judge: Filter, rows: pl.DataFrame, earlier: Sequence[Filter]) -> None:
    if not judge.of:
        raise RecipeError(f"{judge.filter}: add `of:`, the column that is judged")
    apply_filters(rows, [judge])
    _knows(judge, plan.language)
    if streaming_rule(judge) is None:
        return
    if judge.options.get("within", "language") != "language":
        raise RecipeError(
            f"{judge.filter}: `within` is the language here; name more columns under `also`. Languages "
            "are made at the same time: rows of several are compared by `glotmill filter`, in the dataset"
        )
    late = [other.filter for other in earlier if not other.skip and streaming_rule(other) is None]
    if late:
        raise RecipeError(
            f"{judge.filter}: move it above {late[0]!r}: it is asked while rows come, the other in the end"
        )


def _step(plan: LanguagePlan, step: Step, rows: pl.DataFrame) -> pl.DataFrame:
    match step:
        case Generate():
            return _generate(plan, step, rows)
        case Render():
            _variables(plan.templates[step.name], step, rows, {})
            _refuse_taken(rows, [step.name])
            return rows.with_columns(pl.lit(None, pl.String).alias(step.name))
        case Transform():
            made = transform(step, rows).drop(list(VERDICT_SCHEMA), strict=False)
            for name in rows.columns:
                if name in made.columns and made.schema[name] != rows.schema[name]:
                    raise RecipeError(
                        f"changes {name!r} from {rows.schema[name]} to {made.schema[name]}; make a new column"
                    )
            return made
        case Filter():
            if not step.of:
                raise RecipeError("add `of:`, the column that is judged")
            _knows(step, plan.language)
            return apply_filters(rows, [step]).drop(REASON, REASON_AT)


def _generate(plan: LanguagePlan, step: Generate, rows: pl.DataFrame) -> pl.DataFrame:
    _variables(plan.templates[step.name], step, rows, plan.examples)
    parse.parser(step.as_, step.name, step.schema_)
    if step.as_ not in ("text", "json") and step.schema_:
        raise RecipeError(f"`as: {step.as_}` and `schema` together; a schema's replies are json")
    made = step_columns(step)
    _refuse_taken(rows, [*made, raw_column(step.name)])
    for judge in expect_filters(step):
        _knows(judge, plan.language)
    made_rows = fan_out(step, rows).hstack(pl.DataFrame(schema=made))
    one = pl.lit(None, parse.dtype(step.as_, step.schema_)).alias(
        step.name
    )  # of several trials, each is judged
    judged = apply_filters(
        made_rows.with_columns(one, prompt=pl.col(prompt_column(step.name))), expect_filters(step)
    )
    measured = [
        n for n in judged.columns if n not in made_rows.columns and n not in ("prompt", *VERDICT_SCHEMA)
    ]
    return made_rows.hstack(judged.select(measured))


def _variables(
    template: Template, step: Generate | Render, rows: pl.DataFrame, examples: Mapping[str, object]
) -> None:
    there = {*rows.columns, "language"}
    given = there | ({"feedback"} if isinstance(step, Generate) else set())
    given |= {"examples"} if step.name in examples else set()
    for name in sorted(template.variables - given):
        if name in TEMPLATE_VARIABLES:
            raise RecipeError(
                f"{template.path}: reads {name!r}, but the step gives none; add `{name}:` to it"
            )
        hint = plugins.did_you_mean(name, sorted(there)) or "; nothing provides it"
        raise RecipeError(f"{template.path}: no column {name!r}{hint}")


def _refuse_taken(rows: pl.DataFrame, made: Mapping[str, pl.DataType] | Sequence[str]) -> None:
    for name in made:
        if name in rows.columns or name in IDENTITY or name in RESERVED or name in TEMPLATE_VARIABLES:
            raise RecipeError(f"the column {name!r} is there already; give the step another name")


def _knows(judge: Filter, language: Language) -> None:
    """A language that the detector does not know is an error now, never a score later."""
    if judge.filter != "language":
        return
    from glotmill.filters.language import cannot_judge

    if problem := cannot_judge(language.tag, **judge.options):
        raise RecipeError(
            f"{problem}; choose other detectors, or leave the step out with --set steps.language.skip=true"
        )


def _examples(recipe: Recipe, step: Generate) -> list[Row]:
    assert step.examples is not None
    path = (recipe.folder / step.examples.file).resolve()
    if not path.is_relative_to(recipe.folder.resolve()) or not path.is_file():
        raise RecipeError(f"steps.{step.name}.examples: no file {step.examples.file} in {recipe.folder}")
    rows = list(open_rows(str(path)).rows())
    if len(rows) < step.examples.n:
        raise RecipeError(f"{path}: {len(rows)} examples; the step shows {step.examples.n}")
    return rows


def _output(recipe: Recipe, rows: pl.DataFrame) -> None:
    said = recipe.output.messages or {}
    wanted = [*said.values(), *recipe.output.columns]
    if not wanted:
        raise RecipeError("output: no `messages` and no `columns`; say what a row leaves as")
    for name in wanted:
        if name not in rows.columns:
            raise RecipeError(f"output: no column {name!r}{plugins.did_you_mean(name, rows.columns)}")
    for role, name in said.items():
        if rows.schema[name] != pl.String:
            raise RecipeError(f"output.messages.{role}: {name!r} is {rows.schema[name]}; a message is a text")
    if "reasoning" in said and "assistant" not in said:
        raise RecipeError("output.messages.reasoning: goes with `assistant`; add the column of the answer")
    if said and "messages" in recipe.output.columns:
        raise RecipeError("output: `messages` twice; take it out of `columns`")
    dataset.shape(rows, recipe.output)
