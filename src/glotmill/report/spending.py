"""What the requests of a run took: tokens, seconds, failures and tries of each step, from its journals."""

from collections.abc import Iterator
from typing import Any

import polars as pl

from glotmill.errors import UsageError, one_line
from glotmill.recipes.model import Recipe
from glotmill.recipes.steps import Generate
from glotmill.runner.folder import Run

UNKNOWN = ""  # the step of replies that were noted before journals told it

_KINDS = {
    "step": pl.String,
    "sample": pl.Int64,
    "prompt_tokens": pl.Int64,
    "completion_tokens": pl.Int64,
    "failure": pl.String,
    "seconds": pl.Float64,
    "tries": pl.Int64,
}


def spending(run: Run, recipe: Recipe) -> dict[str, dict[str, Any]]:
    """Return what each generate step took; under "" what is not known to be of any.

    -> requests, answered, failed (reason -> requests), asked_again (because `expect` refused a reply),
    tried_again (put to the engine once more: a server was busy, an engine died), prompt_tokens, reply_tokens,
    seconds (None where journals do not tell: sum, mean, median, p95 of requests, many of which were in
    flight at once).
    Replies that no row needs any more were paid for too, and are counted.
    Raises UsageError for a journal that cannot be read.
    """
    tries = {step.name: step.tries for step in recipe.live_steps if isinstance(step, Generate)}
    parts: list[pl.DataFrame] = []
    seconds: dict[str, list[pl.Series]] = {}
    for lines in _journals(run):
        limit = pl.col("step").replace_strict(tries, default=1, return_dtype=pl.Int64)
        again = pl.col("sample") % limit > 0
        failed = pl.col("failure").is_not_null()
        by = lines.group_by("step", "failure").agg(
            requests=pl.len(),
            answered=(~failed).sum(),
            asked_again=again.sum(),
            tried_again=(pl.col("tries") - 1).sum(),
            prompt_tokens=pl.col("prompt_tokens").sum(),
            reply_tokens=pl.col("completion_tokens").sum(),
        )
        parts.append(by)
        for (step,), timed in lines.filter(pl.col("seconds") > 0).group_by("step"):
            seconds.setdefault(str(step), []).append(timed["seconds"].cast(pl.Float32))
    counts = pl.concat(parts) if parts else pl.DataFrame(schema={"step": pl.String, "failure": pl.String})
    names = [*tries, *sorted({*counts["step"].to_list()} - {*tries})]
    return {name: _of(counts.filter(step=name), seconds.get(name, [])) for name in names}


def _of(counts: pl.DataFrame, seconds: list[pl.Series]) -> dict[str, Any]:
    numbers = ("requests", "answered", "asked_again", "tried_again", "prompt_tokens", "reply_tokens")
    failed = counts.filter(pl.col("failure").is_not_null())
    failures = (
        failed.group_by("failure").agg(pl.col("requests").sum()).sort("failure") if len(failed) else failed
    )
    return {
        **{name: int(counts[name].sum()) if name in counts.columns else 0 for name in numbers},
        "failed": {row["failure"]: row["requests"] for row in failures.iter_rows(named=True)},
        "seconds": _times(pl.concat(seconds)) if seconds else None,
    }


def _times(seconds: pl.Series) -> dict[str, float]:
    exact = seconds.cast(pl.Float64)
    found = {
        "sum": exact.sum(),
        "mean": exact.mean(),
        "median": exact.median(),
        "p95": exact.quantile(0.95, "nearest"),
    }
    return {name: round(float(str(value)), 4) for name, value in found.items()}


def _journals(run: Run) -> Iterator[pl.DataFrame]:
    """Yield what each journal tells of its replies; half a line at its end is not read."""
    for path in sorted(run.folder.glob("replies/*.jsonl")):
        raw = path.read_bytes()
        raw = raw[: raw.rfind(b"\n") + 1]
        if not raw:
            continue
        try:
            lines = pl.read_ndjson(raw, schema=_KINDS)
        except pl.exceptions.PolarsError as error:
            raise UsageError(
                f"{path}: not a journal: {one_line(error)}; remove the line to ask again"
            ) from None
        yield lines.with_columns(
            pl.col("step").fill_null(UNKNOWN),
            pl.col("sample", "prompt_tokens", "completion_tokens").fill_null(0),
            pl.col("tries").fill_null(1),
        )
