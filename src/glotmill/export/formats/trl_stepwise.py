"""Solutions in steps, each right or wrong, as `prompt`, `completions`, `labels`: process reward models."""

import re
from collections.abc import Sequence

import polars as pl

from glotmill.errors import UsageError
from glotmill.export.formats import TRL, named, needed
from glotmill.export.formats._shared.pairing import answer_column, prompts
from glotmill.filters.equations import find_equations

NEEDS = "all"
SCHEMA = {"prompt": pl.String(), "completions": pl.List(pl.String()), "labels": pl.List(pl.Boolean())}
RESERVED = TRL - {*SCHEMA}
EMPTY = (
    "steps are known to be right or wrong where the filter `equations` found equations in a kept solution, "
    "or a wrong one in a rejected; the recipe `reasoning` has it"
)
_NAME = "trl-stepwise"
_MAX_CHARS = 20_000  # as many as the filter reads
_LINES = re.compile(r"\n(?!\s*=)")  # a line that begins with = goes on with the equation above
# A mark before a space, or one after which no space need follow. A full stop in 3.5 ends nothing.
_SENTENCES = re.compile(r"(?<=[.!?…؟۔।॥።])\s+|(?<=[。！？])\s*")
_JUDGED = ("wrong_equation", "wrong_number")


def trl_stepwise(rows: pl.DataFrame, *, columns: Sequence[str] = ()) -> pl.DataFrame:
    """Return a solution a row, in steps: its lines, or the sentences of its only line.

    labels: true up to the step with the first equation that does not hold; that step and all after it are
    false. Equations are those of the filter `equations`, so a step without one counts as right until then.
    Of the rejected, only solutions dropped for a wrong equation or a wrong number, with a wrong equation in
    them, are here. Nothing is known of the steps of others, which are left out: no equation was looked for
    or found, the number is wrong though every equation holds, or an equation stands in two steps.
    rows: messages that end with the assistant, <answer>_equations_list, verdict, reason -> id, language,
    prompt (text: what was said before, without roles), completions, labels, columns.
    Source: TRL, stepwise supervision; axolotl, stepwise_supervised.
    """
    found, _ = prompts(rows, _NAME, "drop")
    listed = _listed(rows)
    made = []
    for prompt in found:
        asked = "\n\n".join(message["content"] for message in prompt.messages)
        for said in (*prompt.kept, *(r for r in prompt.rejected if r.reason in _JUDGED)):
            judged = _steps(said.message["content"]) if listed[said.place] else None
            if judged and all(judged[1]) == (said.reason is None):
                made.append((said.place, asked, *judged))
    left = named(rows, columns, _NAME)[[place for place, *_ in made]]
    new = [pl.Series(n, [row[i] for row in made], t) for i, (n, t) in enumerate(SCHEMA.items(), start=1)]
    return left.select("id", "language", *new).hstack(left.drop("id", "language"))


def _listed(rows: pl.DataFrame) -> list[bool]:
    """Whether the filter found equations in a row's answer."""
    if not (answer := answer_column(rows)):
        there = ", ".join(rows.columns)
        raise UsageError(f"{_NAME}: no step of the run wrote the last message as it is; there is {there}")
    column = f"{answer}_equations_list"
    needed(rows, column, _NAME, f"the filter `equations` (of: {answer}) makes it")
    return (rows[column].list.len() > 0).fill_null(False).to_list()


def _steps(text: str) -> tuple[list[str], list[bool]] | None:
    """Steps and their labels; None where they do not hold the equations of the whole."""
    if len(text) > _MAX_CHARS:
        return None
    lines = [line.strip() for line in _LINES.split(text) if line.strip()]
    steps = lines if len(lines) > 1 else [s.strip() for s in _SENTENCES.split(text.strip()) if s.strip()]
    equations = [find_equations(step) for step in steps]
    if {e for some in equations for e in some} != set(find_equations(text)):
        return None
    labels: list[bool] = []
    for some in equations:
        labels.append((not labels or labels[-1]) and all(equation.holds for equation in some))
    return steps, labels
