"""A shard: some rows of one language, taken through all steps, each of which is table in, table out."""

from collections.abc import Iterable, Sequence

import polars as pl

from glotmill import plugins
from glotmill.errors import RecipeError, RequestFailed, one_line
from glotmill.recipes.seeds import Row
from glotmill.recipes.steps import Filter, Generate, Render, Transform
from glotmill.runner.generate import generate
from glotmill.runner.plan import MADE, SEED_KEY, VERDICTS, Shard, seed_key, seed_table, split

_WRONG = (pl.exceptions.PolarsError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError)


async def run_shard(shard: Shard, seeds: Sequence[tuple[int, str, Row]]) -> pl.DataFrame:
    """Take seed rows through all steps.

    rows: seeds -> + id, row, language, seed_key, what steps make, verdict (kept, dropped, failed), reason,
    reason_at.
    Raises EngineError, and RecipeError where the recipe does not fit what the model said.
    """
    rows = seed_table(shard.plan, seeds)
    steps = shard.plan.recipe.live_steps
    for place, step in enumerate(steps):
        match step:
            case Generate():
                rows = await generate(shard, place, step, rows)
            case Render():
                rows = _render(shard, step, rows)
            case Transform():
                rows = _transform(shard, step, rows)
            case Filter():
                rows = split(shard, await shard.judges.judge(rows, [step]))
    kept = rows.with_columns(
        verdict=pl.lit("kept"), reason=pl.lit(None, pl.String), reason_at=pl.lit(None, pl.String)
    )
    try:
        whole = pl.concat([kept, *shard.done], how="diagonal_relaxed")
    except pl.exceptions.PolarsError as error:
        raise RecipeError(f"a transform changed the type of a column; make a new one: {error}") from None
    keys = pl.Series([seed_key(row) for _, _, row in seeds], dtype=pl.String)
    whole = whole.with_columns(keys.gather(whole["row"]).alias(SEED_KEY))
    first = (*MADE, SEED_KEY)
    return whole.sort("row", "id").select(*first, pl.all().exclude(*first, *VERDICTS), *VERDICTS)


def transform(step: Transform, rows: pl.DataFrame) -> pl.DataFrame:
    """Apply a named function. Raises RecipeError where the table does not fit it, or it breaks the table."""
    function = plugins.find("transforms", step.transform)
    plugins.check_options(function, step.options, f"transform {step.transform}")
    try:
        result = function(rows, **step.options)
    except _WRONG as error:
        there = ", ".join(rows.columns)
        raise RecipeError(f"transform {step.transform}: {one_line(error)}; there are {there}") from None
    if not isinstance(result, pl.DataFrame) or not set(MADE) <= set(result.columns):
        raise RecipeError(f"transform {step.transform}: must return a table that keeps {', '.join(MADE)}")
    if result["id"].n_unique() != result.height:
        raise RecipeError(
            f"transform {step.transform}: gave two rows the same id; add a suffix to the id of each"
        )
    return result


def _transform(shard: Shard, step: Transform, rows: pl.DataFrame) -> pl.DataFrame:
    """A transform may say why a row cannot go on; one that it leaves out without a word gets a reason."""
    made = transform(step, rows)
    reason = "reason" if "reason" in made.columns else pl.lit(None, pl.String)
    out = split(shard, made.with_columns(reason=reason, reason_at=pl.lit(step.transform)))
    left_out = rows.filter(~pl.col("id").is_in(list(_sources(made["id"]))))
    split(shard, left_out.with_columns(reason=pl.lit("left_out"), reason_at=pl.lit(step.transform)))
    return out


def _sources(ids: Iterable[str]) -> set[str]:
    """Ids and all that they may have been made from: a-0-1 comes from a-0, which comes from a."""
    found: set[str] = set()
    for made in ids:
        source = made
        while source not in found:
            found.add(source)
            source = source.rpartition("-")[0] or source
    return found


def _render(shard: Shard, step: Render, rows: pl.DataFrame) -> pl.DataFrame:
    template = shard.plan.templates[step.name]
    values: list[str | None] = []
    reasons: list[str | None] = []
    for row in rows.iter_rows(named=True):
        try:
            messages = template.render(
                {**row, "language": shard.plan.language, "examples": (), "feedback": ""}
            )
            values.append("\n\n".join(m.content for m in messages))
            reasons.append(None)
        except RequestFailed as error:
            values.append(None)
            reasons.append(error.reason)
    rows = rows.with_columns(
        pl.Series(step.name, values, pl.String),
        pl.Series("reason", reasons, pl.String),
        reason_at=pl.lit(step.name),
    )
    return split(
        shard, rows.with_columns(verdict=pl.when(pl.col("reason").is_not_null()).then(pl.lit("failed")))
    )
