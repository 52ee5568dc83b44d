"""Checks a recipe for one language, before a model is loaded.

A table without rows goes through the runner's own steps, so that a mismatch is found where a run would hit
it; that is why this is part of the runner and not of `recipes`. Variables of templates, names of columns and
languages are checked along the way. Every error names the step, what is there and the remedy.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from glotmill import plugins
from glotmill.columns import (
    EXAMPLES,
    FEEDBACK,
    IDENTITY,
    LANGUAGE,
    MESSAGES,
    REASON,
    REASON_AT,
    RESERVED,
    TEMPLATE_VARIABLES,
    VERDICT_SCHEMA,
    messages_column,
    prompt_column,
    raw_column,
)
from glotmill.errors import RecipeError, UsageError
from glotmill.io.rows import open_rows
from glotmill.languages import Language
from glotmill.recipes.recipe import Recipe
from glotmill.recipes.seeds import Row, Seeds
from glotmill.recipes.steps import (
    Asking,
    Embed,
    Filter,
    Generate,
    Likelihood,
    Render,
    Score,
    Step,
    Transform,
    WithTemplate,
)
from glotmill.recipes.template import Template, load_all, refuse_uneven_variants
from glotmill.runner import dataset, parse
from glotmill.runner.apply_filters import apply_filters, cannot_judge, streaming_rule
from glotmill.runner.generate import expect_filters, fan_out, step_columns
from glotmill.runner.measure import measure_columns
from glotmill.runner.shard import LanguagePlan, ModelName, seed_table, transform


def plan(
    recipe: Recipe,
    language: Language,
    seeds: Seeds,
    model: str,
    revision: str = "",
    models: Mapping[str, ModelName] | None = None,
) -> LanguagePlan:
    """Return what the shards of a language share. Raises RecipeError for anything that does not fit.

    models: those that the run opens besides its own, by their names in the recipe.
    """
    refuse_uneven_variants(recipe)
    templates = load_all(recipe, language)
    few_shot = [step for step in recipe.live_steps if isinstance(step, Generate) and step.examples]
    try:
        examples = {step.name: _read_examples(recipe, step) for step in few_shot}
        language_plan = LanguagePlan(
            recipe, language, templates, examples, model, revision, seeds.schema, models or {}
        )
        _check_steps(language_plan)
    except UsageError as error:
        raise RecipeError(f"{recipe.file}: {error}") from None
    return language_plan


def _read_examples(recipe: Recipe, step: Generate) -> list[Row]:
    assert step.examples is not None
    path = (recipe.folder / step.examples.file).resolve()
    if not path.is_relative_to(recipe.folder.resolve()) or not path.is_file():
        raise RecipeError(f"steps.{step.name}.examples: no file {step.examples.file} in {recipe.folder}")
    rows = list(open_rows(str(path)).rows())
    if len(rows) < step.examples.n:
        raise RecipeError(f"{path}: {len(rows)} examples; the step shows {step.examples.n}")
    return rows


def _check_steps(plan: LanguagePlan) -> None:
    recipe = plan.recipe
    table = seed_table(plan, [])
    for step in recipe.live_steps:
        try:
            table = _check_step(plan, step, table)
        except UsageError as error:
            number, kind = recipe.steps.index(step), type(step).__name__.lower()
            hint = _where_made(recipe, step, str(error))
            raise RecipeError(f"steps.{number} ({kind} {step.name}): {error}{hint}") from None
    for number, finish_step in enumerate(recipe.finish):
        try:
            _check_finish(plan, finish_step, table, recipe.finish[:number])
        except UsageError as error:
            raise RecipeError(f"finish: {error}") from None
    _check_output(recipe, table)


def _where_made(recipe: Recipe, step: Step, error: str) -> str:
    """Return a hint if the column that an error misses is made by a later step, or by one that is skipped."""
    missing = re.search(r"no column '(\w+)'|unable to find column \"(\w+)\"", error)
    name = (missing[1] or missing[2]) if missing else ""
    for other in recipe.steps:
        if not isinstance(other, Generate | Render) or name not in (other.name, prompt_column(other.name)):
            continue
        if other.skip:
            return f"; {name!r} is made by a step that is skipped: --set steps.{other.name}.skip=false"
        return f"; {name!r} is made by a later step, move that step up" if other is not step else ""
    return ""


def _check_step(plan: LanguagePlan, step: Step, table: pl.DataFrame) -> pl.DataFrame:
    """Return the table, still without rows, as the step leaves it."""
    if isinstance(step, Asking):
        _check_models(plan, step)
    match step:
        case Embed() | Score() | Likelihood():
            return _check_measure(plan, step, table)
        case Generate():
            return _check_generate(plan, step, table)
        case Render():
            _check_variables(plan.templates[step.name], step, table, has_examples=False)
            _refuse_used_names(table, [step.name])
            return table.with_columns(pl.lit(None, pl.String).alias(step.name))
        case Transform():
            return _check_transform(step, table)
        case Filter():
            if not step.of:
                raise RecipeError("add `of:`, the column that it reads")
            _check_language(step, plan.language)
            return apply_filters(table, [step]).drop(REASON, REASON_AT)


def _check_generate(plan: LanguagePlan, step: Generate, table: pl.DataFrame) -> pl.DataFrame:
    _check_variables(plan.templates[step.name], step, table, has_examples=step.name in plan.examples)
    parse.parser(step.as_, step.name, step.schema_)
    if step.as_ not in ("text", "json") and step.schema_:
        raise RecipeError(f"`as: {step.as_}` and `schema` together; replies to a schema are json")
    _check_conversation(plan, step, table)
    columns = step_columns(step, plan.recipe)
    _refuse_used_names(table, [*columns, raw_column(step.name)])
    filters = expect_filters(step)
    for filter_step in filters:
        _check_language(filter_step, plan.language)
    table = fan_out(step, table).hstack(pl.DataFrame(schema=columns))
    # With `trials`, the column is a list, and `expect` reads its items one by one.
    reply = pl.lit(None, parse.dtype(step.as_, step.schema_)).alias(step.name)
    expected = apply_filters(table.with_columns(reply, prompt=pl.col(prompt_column(step.name))), filters)
    known = {*table.columns, "prompt", *VERDICT_SCHEMA}
    return table.hstack(expected.select(name for name in expected.columns if name not in known))


def _check_models(plan: LanguagePlan, step: Asking) -> None:
    """Raise RecipeError for a model that the recipe does not name, and for one that a list names twice."""
    names = step.model_names if isinstance(step, Generate) else (step.model,)
    known = plan.recipe.models
    for name in names:
        if name and name not in known:
            hint = plugins.did_you_mean(name, sorted(known)) or f"; add it under `models:`, as {name}: {{}}"
            raise RecipeError(f"no model {name!r}{hint}")
    by_model = {plan.model_named(name): name for name in names}
    for name in names:
        if (other := by_model[plan.model_named(name)]) != name:
            raise RecipeError(
                f"models: {name} and {other} are the same model, whose replies would be the same; name "
                f"another with --model {other}=NAME, or take one out"
            )


def _check_conversation(plan: LanguagePlan, step: Generate, table: pl.DataFrame) -> None:
    """Raise RecipeError if a template does not fit a completion, or a step cannot go on after another."""
    roles = plan.templates[step.name].roles
    if step.completion and roles != ("user",):
        raise RecipeError("completion: the template is a text, without blocks of chat roles other than user")
    if not step.after:
        return
    earlier = [s for s in plan.recipe.live_steps if isinstance(s, Generate) and s.name == step.after]
    if not earlier or messages_column(step.after) not in table.columns:
        raise RecipeError(f"after: no generate step {step.after!r} above this one")
    if earlier[0].makes_list or earlier[0].completion:
        raise RecipeError(f"after: {step.after!r} has no single reply in a chat to go on from")
    if "system" in roles:
        raise RecipeError("after: the conversation has its system message already; take the block out")


def _check_measure(plan: LanguagePlan, step: Embed | Score | Likelihood, table: pl.DataFrame) -> pl.DataFrame:
    if isinstance(step, Score | Likelihood) and step.name in plan.templates:
        _check_variables(plan.templates[step.name], step, table, has_examples=False)
    for name in [step.of] if isinstance(step.of, str) else step.of:
        if name not in table.columns:
            raise RecipeError(f"no column {name!r}{plugins.did_you_mean(name, table.columns)}")
        if table.schema[name] != pl.String:
            raise RecipeError(f"of: {name!r} is {table.schema[name]}; a model reads a text")
    columns = measure_columns(step)
    _refuse_used_names(table, columns)
    return table.hstack(pl.DataFrame(schema=columns))


def _check_transform(step: Transform, table: pl.DataFrame) -> pl.DataFrame:
    result = transform(step, table).drop(list(VERDICT_SCHEMA), strict=False)
    for name, dtype in table.schema.items():
        if name in result.columns and result.schema[name] != dtype:
            raise RecipeError(f"changes {name!r} from {dtype} to {result.schema[name]}; make a new column")
    return result


def _check_variables(
    template: Template, step: WithTemplate, table: pl.DataFrame, *, has_examples: bool
) -> None:
    """Raise RecipeError for a variable of a template that neither a column nor the step provides."""
    columns = {*table.columns, LANGUAGE}
    provided = set(columns)
    if isinstance(step, Generate):
        provided.add(FEEDBACK)
    if has_examples:
        provided.add(EXAMPLES)
    for name in sorted(template.variables - provided):
        if name in TEMPLATE_VARIABLES:
            raise RecipeError(
                f"{template.path}: reads {name!r}, but the step provides none; add `{name}:` to it"
            )
        hint = plugins.did_you_mean(name, sorted(columns)) or "; nothing provides it"
        raise RecipeError(f"{template.path}: no column {name!r}{hint}")


def _refuse_used_names(table: pl.DataFrame, names: Iterable[str]) -> None:
    used = {*table.columns, *IDENTITY, *RESERVED, *TEMPLATE_VARIABLES}
    for name in names:
        if name in used:
            raise RecipeError(f"the column {name!r} exists already; give the step another name")


def _check_language(step: Filter, language: Language) -> None:
    """Raise RecipeError if a filter cannot check the language, before it drops every row."""
    if problem := cannot_judge(step, language.tag):
        raise RecipeError(f"{problem}, or leave the step out with --set steps.{step.name}.skip=true")


def _check_finish(plan: LanguagePlan, step: Filter, table: pl.DataFrame, earlier: Sequence[Filter]) -> None:
    """Check a filter of `finish:`. earlier: those above it."""
    if not step.of:
        raise RecipeError(f"{step.filter}: add `of:`, the column that it reads")
    apply_filters(table, [step])
    _check_language(step, plan.language)
    if streaming_rule(step) is None:
        return
    if step.options.get("within", LANGUAGE) != LANGUAGE:
        raise RecipeError(
            f"{step.filter}: `within` can only be the language here; name more columns under `also`. "
            "Languages are made at the same time; to compare rows of several, use `glotmill filter` on the "
            "dataset"
        )
    over_all_rows = [s.filter for s in earlier if not s.skip and streaming_rule(s) is None]
    if over_all_rows:
        raise RecipeError(
            f"{step.filter}: move it above {over_all_rows[0]!r}: it is applied while rows come in, "
            "and the other one at the end"
        )


def _check_output(recipe: Recipe, table: pl.DataFrame) -> None:
    messages = recipe.output.messages or {}
    names = [*messages.values(), *recipe.output.columns]
    if not names:
        raise RecipeError("output: no `messages` and no `columns`; name the columns of the dataset")
    for name in names:
        if name not in table.columns:
            raise RecipeError(f"output: no column {name!r}{plugins.did_you_mean(name, table.columns)}")
    for role, name in messages.items():
        if table.schema[name] != pl.String:
            raise RecipeError(
                f"output.messages.{role}: {name!r} is {table.schema[name]}; a message is a text"
            )
    if "reasoning" in messages and "assistant" not in messages:
        raise RecipeError("output.messages.reasoning: goes with `assistant`; add the column of the answer")
    if messages and MESSAGES in recipe.output.columns:
        raise RecipeError("output: `messages` twice; take it out of `columns`")
    dataset.shape(table, recipe.output)
