"""What the requests of a run took, step by step: tokens, seconds, cost, failures, tries. From journals."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf

import polars as pl

from glotmill.errors import UsageError, one_line
from glotmill.recipes.recipe import Recipe
from glotmill.recipes.steps import Asking
from glotmill.report.run_facts import Seconds, Spending, Total
from glotmill.runner.run_folder import Run

UNKNOWN = ""  # the step of replies from before journals named the step

_SCHEMA = {
    "step": pl.String,
    "sample": pl.Int64,
    "prompt_tokens": pl.Int64,
    "completion_tokens": pl.Int64,
    "reasoning_tokens": pl.Int64,
    "failure": pl.String,
    "seconds": pl.Float64,
    "tries": pl.Int64,
}
_COUNTS = (
    *("requests", "asked_again", "tried_again"),
    *("prompt_tokens", "reply_tokens", "reasoning_tokens"),
)
_TOKENS_PER_PRICE = 1_000_000


@dataclass(frozen=True)
class Prices:
    """Prices of a million prompt tokens and of a million reply tokens, in any currency.

    Raises UsageError for a price that is not a number from 0 up.
    """

    prompt: float | None = None
    reply: float | None = None

    def __post_init__(self) -> None:
        for price in (self.prompt, self.reply):
            if price is not None and not 0 <= price < inf:
                raise UsageError(
                    f"price {price}: not a price; write the cost of a million tokens, such as 0.4"
                )

    def cost(self, prompt_tokens: int, reply_tokens: int) -> float | None:
        """Return what so many tokens cost; None if no price is known."""
        if self.prompt is None and self.reply is None:
            return None
        return (prompt_tokens * (self.prompt or 0.0) + reply_tokens * (self.reply or 0.0)) / _TOKENS_PER_PRICE


def spending(run: Run, recipe: Recipe, prices: Prices) -> dict[str, Spending]:
    """Return what each step that asks a model took; under "" what the journals assign to no step.

    Replies that no row needs any more were paid for too, and count.
    Raises UsageError for a journal that cannot be read.
    """
    tries = {s.name: getattr(s, "tries", 1) for s in recipe.live_steps if isinstance(s, Asking)}
    tables: list[pl.DataFrame] = []
    seconds: dict[str, list[pl.Series]] = {}
    for lines in _journals(run):
        # Sample numbers count all tries of a trial, then those of the next one.
        step_tries = pl.col("step").replace_strict(tries, default=1, return_dtype=pl.Int64)
        counts = lines.group_by("step", "failure").agg(
            lines=pl.len(),
            requests=pl.col("failure").is_null().sum(),
            asked_again=(pl.col("sample") % step_tries > 0).sum(),
            tried_again=(pl.col("tries") - 1).sum(),
            prompt_tokens=pl.col("prompt_tokens").sum(),
            reply_tokens=pl.col("completion_tokens").sum(),
            reasoning_tokens=pl.col("reasoning_tokens").sum(),
        )
        tables.append(counts)
        for (step,), timed in lines.filter(pl.col("seconds") > 0).group_by("step"):
            seconds.setdefault(str(step), []).append(timed["seconds"].cast(pl.Float32))
    schema = {"step": pl.String, "failure": pl.String, **dict.fromkeys(("lines", *_COUNTS), pl.Int64)}
    table = pl.concat(tables) if tables else pl.DataFrame(schema=schema)
    names = [*tries, *sorted({*table["step"].to_list()} - {*tries})]
    return {name: _sum_step(table.filter(step=name), seconds.get(name, []), prices) for name in names}


def total(steps: Iterable[Spending]) -> Total:
    """Return what all steps took together."""
    steps = list(steps)
    seconds = [step.seconds.sum for step in steps if step.seconds]
    costs = [step.cost for step in steps if step.cost is not None]
    return Total(
        **{name: sum(getattr(step, name) for step in steps) for name in _COUNTS},
        failed=sum(sum(step.failed.values()) for step in steps),
        seconds=round(sum(seconds), 4) if seconds else None,
        cost=sum(costs) if costs else None,
    )


def _sum_step(counts: pl.DataFrame, seconds: list[pl.Series], prices: Prices) -> Spending:
    failed = counts.drop_nulls("failure").group_by("failure").agg(pl.sum("lines")).sort("failure")
    sums = {name: int(counts[name].sum()) for name in _COUNTS}
    return Spending(
        **sums,
        failed=dict(failed.iter_rows()),
        seconds=_summarize(pl.concat(seconds)) if seconds else None,
        cost=prices.cost(sums["prompt_tokens"], sums["reply_tokens"]),
    )


def _summarize(seconds: pl.Series) -> Seconds:
    exact = seconds.cast(pl.Float64)
    duration = float(exact.sum())
    return Seconds(
        sum=round(duration, 4),
        mean=round(duration / len(exact), 4),
        median=round(exact.quantile(0.5, "linear") or 0.0, 4),
        p95=round(exact.quantile(0.95, "nearest") or 0.0, 4),
    )


def _journals(run: Run) -> Iterator[pl.DataFrame]:
    """Yield a table of the replies in each journal; an unfinished last line is left out."""
    for path in sorted(run.folder.glob("replies/*.jsonl")):
        raw = path.read_bytes()
        raw = raw[: raw.rfind(b"\n") + 1]
        if not raw:
            continue
        try:
            lines = pl.read_ndjson(raw, schema=_SCHEMA)
        except pl.exceptions.PolarsError as error:
            raise UsageError(
                f"{path}: not a journal: {one_line(error)}; remove the line to ask again"
            ) from None
        yield lines.with_columns(
            pl.col("step").fill_null(UNKNOWN),
            pl.col("sample", "prompt_tokens", "completion_tokens", "reasoning_tokens").fill_null(0),
            pl.col("tries").fill_null(1),
        )
