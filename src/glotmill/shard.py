"""A shard: some rows of one language, taken through all steps. A plain loop; each step is table in, table out."""

from collections.abc import Sequence

import polars as pl

from glotmill import units
from glotmill.errors import RecipeError, RequestFailed
from glotmill.generate import generate
from glotmill.plan import MADE, VERDICTS, Shard, seed_table, split
from glotmill.recipe import Filter, Generate, Render, Transform
from glotmill.seeds import Row


async def run_shard(shard: Shard, seeds: Sequence[tuple[int, str, Row]]) -> pl.DataFrame:
    """Take seed rows through all steps.

    rows: seeds -> + id, row, language, the steps' columns, verdict (kept, dropped, failed), reason, reason_at.
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
                rows = _reasons(shard, step, transform(step, rows))
            case Filter():
                rows = split(shard, await shard.judges.judge(rows, [step]))
    kept = rows.with_columns(
        verdict=pl.lit("kept"), reason=pl.lit(None, pl.String), reason_at=pl.lit(None, pl.String)
    )
    whole = pl.concat([kept, *shard.done], how="diagonal_relaxed")
    return whole.sort("row", "id").select(*MADE, pl.all().exclude(*MADE, *VERDICTS), *VERDICTS)


def transform(step: Transform, rows: pl.DataFrame) -> pl.DataFrame:
    """Apply a named function. Raises RecipeError where the table does not fit it, or it breaks the table."""
    function = units.find("transforms", step.transform)
    units.check_options(function, step.options, f"transform {step.transform}")
    try:
        result = function(rows, **step.options)
    except (pl.exceptions.PolarsError, TypeError, ValueError, KeyError) as error:
        there = ", ".join(rows.columns)
        text = " ".join(str(error).split())[:300]
        raise RecipeError(f"transform {step.transform}: {text}; there are {there}") from None
    if not isinstance(result, pl.DataFrame) or not set(MADE) <= set(result.columns):
        raise RecipeError(f"transform {step.transform}: must return a table that keeps {', '.join(MADE)}")
    if result["id"].n_unique() != result.height:
        raise RecipeError(
            f"transform {step.transform}: gave two rows the same id; add a suffix to the id of each"
        )
    return result


def _reasons(shard: Shard, step: Transform, rows: pl.DataFrame) -> pl.DataFrame:
    """A transform may say of a row why it cannot go on."""
    if "reason" not in rows.columns:
        return rows
    return split(shard, rows.with_columns(reason_at=pl.lit(step.transform)))


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
