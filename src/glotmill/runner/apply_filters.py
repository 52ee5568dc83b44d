"""Filters applied to a table in this process; filter_workers.py does the same in worker processes."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from glotmill import plugins
from glotmill.columns import REASON, REASON_AT
from glotmill.errors import RecipeError, one_line
from glotmill.recipes.steps import Filter

if TYPE_CHECKING:
    from glotmill.filters._similar.history import Rule

# What a filter may raise because of a bug or unexpected input.
_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


def expression(step: Filter) -> pl.Expr:
    """Build a filter's expression. Raises RecipeError if its options do not fit."""
    function = plugins.find("filters", step.filter)
    label = f"filter {step.filter}"
    plugins.check_options(function, step.options, label)
    try:
        result = function(column(step.of), **step.options)
    except (TypeError, ValueError, AttributeError, LookupError) as error:
        raise RecipeError(f"{label}: {error}") from None
    if not isinstance(result, pl.Expr):
        raise RecipeError(
            f"{label}: returned a {type(result).__name__}; a filter returns a polars expression"
        )
    return result


def cannot_judge(step: Filter, tag: str) -> str | None:
    """Return why a filter cannot check texts in a language, as it declares; None if it can."""
    declared = plugins.declared("filters", step.filter, "cannot_judge")
    problem: str | None = declared(tag, **step.options) if declared else None
    return problem


def streaming_rule(step: Filter) -> "Rule | None":
    """Return how a filter compares a row with the rows before it; None if it does not work that way."""
    from glotmill.filters._similar.history import rule

    function = plugins.find("filters", step.filter)
    return rule(sys.modules[function.__module__], column(step.of), step.options)


def apply_filters(rows: pl.DataFrame, filters: Sequence[Filter]) -> pl.DataFrame:
    """Apply filters one after the other; each sees only the rows that the ones before it kept.

    rows: the filtered columns -> + reason, reason_at, and `<column>_<filter>_<field>` for what a filter
    measures. Raises RecipeError where a filter and the table do not fit.
    """
    return with_columns(rows, verdicts(rows, filters))


def verdicts(rows: pl.DataFrame, filters: Sequence[Filter]) -> pl.DataFrame:
    """Return only the columns that `apply_filters` adds, with one row for each row of the table."""
    no_reason = pl.Series(REASON, [None] * rows.height, pl.String)
    result = pl.DataFrame([no_reason, no_reason.alias(REASON_AT)])
    for step in filters:
        kept = result[REASON].is_null()
        verdict = scatter(_apply(with_columns(rows, result).filter(kept), step), kept)
        reason_at = pl.when(verdict[REASON].is_not_null()).then(pl.lit(f"{step.of}.{step.filter}"))
        result = with_columns(result, verdict.drop(REASON)).with_columns(
            reason=pl.coalesce(REASON, verdict[REASON]), reason_at=pl.coalesce(REASON_AT, reason_at)
        )
    return result


def row_keys(rows: pl.DataFrame, filters: Sequence[Filter]) -> pl.DataFrame:
    """Return the keys by which filters compare a row with the rows before it: `keys_0` for the first filter.

    rows: the filtered columns. Raises RecipeError where a filter and the table do not fit.
    """
    rules = [(step, rule) for step in filters if (rule := streaming_rule(step))]
    return pl.DataFrame(
        [_evaluate(rows, rule.keys.alias(f"keys_{n}"), step) for n, (step, rule) in enumerate(rules)]
    )


def with_columns(rows: pl.DataFrame, columns: pl.DataFrame) -> pl.DataFrame:
    """Add columns to a table; they replace those of the same name."""
    return rows.drop(columns.columns, strict=False).hstack(columns)


def scatter(rows: pl.DataFrame, mask: pl.Series) -> pl.DataFrame:
    """Undo `.filter(mask)`: put the rows back where the mask is true, and nulls everywhere else."""
    index = pl.select(pl.when(mask).then(mask.cum_sum() - 1)).to_series()
    return rows.select(pl.all().gather(index))


def column(name: str) -> pl.Expr:
    """Return the column that `of:` names: `score.points` is the field `points` of the column `score`."""
    first, *fields = name.split(".")
    result = pl.col(first)
    for field in fields:
        result = result.struct.field(field)
    return result


def _apply(rows: pl.DataFrame, step: Filter) -> pl.DataFrame:
    """Apply one filter. -> reason, and a column for each field that it measures."""
    verdict = _evaluate(rows, expression(step).alias(REASON), step)
    if verdict.dtype == pl.Null:
        verdict = verdict.cast(pl.String)
    if isinstance(verdict.dtype, pl.Struct) and REASON in verdict.struct.fields:
        prefix = f"{step.of.replace('.', '_')}_{step.filter.rpartition(':')[2]}"
        return verdict.struct.unnest().select(
            pl.col(REASON), pl.all().exclude(REASON).name.prefix(f"{prefix}_")
        )
    if verdict.dtype != pl.String:
        raise RecipeError(
            f"filter {step.filter}: returned {verdict.dtype}; a filter returns null, or a reason as text"
        )
    return verdict.to_frame(REASON)


def _evaluate(rows: pl.DataFrame, expression: pl.Expr, step: Filter) -> pl.Series:
    """Evaluate a filter's expression; an error names the filter."""
    label = f"filter {step.filter} of {step.of!r}"
    try:
        return rows.with_columns(expression)[expression.meta.output_name()]
    except pl.exceptions.PolarsError as error:
        columns = ", ".join(sorted(name for name in rows.columns if name not in (REASON, REASON_AT)))
        raise RecipeError(f"{label}: {_first_line(error)}; the columns are {columns}") from None
    except _FAULTS as error:
        raise RecipeError(f"{label}: {type(error).__name__}: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    """Return an error without the query plan that polars prints below it."""
    text = str(error).partition("; valid columns")[0].partition("This error occurred")[0]
    return one_line(text)
