"""What the requests of a run took, step by step: tokens, seconds, cost, failures, tries. From journals."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import TypeAlias

import polars as pl

from glotmill.errors import UsageError, one_line
from glotmill.recipes.recipe import Recipe
from glotmill.recipes.steps import Asking
from glotmill.report.run_facts import Seconds, Spending, Total
from glotmill.runner.run_folder import Run

UNKNOWN = ""  # the step of replies from before journals named the step

_SCHEMA = {
    "step": pl.String,
    "model": pl.String,
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


Price: TypeAlias = float | Mapping[str, float] | None  # of a million tokens; or of each model, "" the run's


@dataclass(frozen=True)
class Prices:
    """Prices of a million prompt tokens and of a million reply tokens, in any currency.

    A mapping gives them by the recipe's names of models, that of the run's model under ""; a model without
    a price of its own has that one. Raises UsageError for a price that is not a number from 0 up.
    """

    prompt: Price = None
    reply: Price = None

    def __post_init__(self) -> None:
        for given in (self.prompt, self.reply):
            for price in _by_model(given).values():
                if not 0 <= price < inf:
                    raise UsageError(
                        f"price {price}: not a price; write the cost of a million tokens, such as 0.4"
                    )

    @property
    def models(self) -> set[str]:
        """The models that have a price of their own."""
        return {name for given in (self.prompt, self.reply) for name in _by_model(given) if name}

    def cost(self, model: str, prompt_tokens: int, reply_tokens: int) -> float | None:
        """Return what so many tokens of a model cost; None if no price is known."""
        prices = [_of_model(given, model) for given in (self.prompt, self.reply)]
        if prices == [None, None]:
            return None
        tokens = (prompt_tokens, reply_tokens)
        return sum(n * (price or 0.0) for n, price in zip(tokens, prices, strict=True)) / _TOKENS_PER_PRICE


def _by_model(given: Price) -> Mapping[str, float]:
    if given is None:
        return {}
    return given if isinstance(given, Mapping) else {"": given}


def _of_model(given: Price, model: str) -> float | None:
    prices = _by_model(given)
    return prices.get(model, prices.get(""))


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
        counts = lines.group_by("step", "model", "failure").agg(
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
    texts, numbers = ("step", "model", "failure"), ("lines", *_COUNTS)
    schema = {**dict.fromkeys(texts, pl.String), **dict.fromkeys(numbers, pl.Int64)}
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
    tokens = counts.group_by("model").agg(pl.sum("prompt_tokens", "reply_tokens")).sort("model")
    costs = [prices.cost(*row) for row in tokens.iter_rows()] or [prices.cost("", 0, 0)]
    known = [cost for cost in costs if cost is not None]
    return Spending(
        **sums,
        failed=dict(failed.iter_rows()),
        seconds=_summarize(pl.concat(seconds)) if seconds else None,
        cost=sum(known) if known else None,
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
            pl.col("model").fill_null(""),
            pl.col("sample", "prompt_tokens", "completion_tokens", "reasoning_tokens").fill_null(0),
            pl.col("tries").fill_null(1),
        )
