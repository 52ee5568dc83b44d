"""Solutions with a label for each step, as `prompt`, `completions`, `labels`: process reward models."""

import re
from collections.abc import Sequence

import polars as pl

from glotmill.errors import UsageError
from glotmill.export.formats import TRL, require_column, select_columns
from glotmill.export.formats._shared.preference_pairs import answer_column, group_by_prompt
from glotmill.filters.equations import find_equations

NEEDS = "all"
SCHEMA = {"prompt": pl.String(), "completions": pl.List(pl.String()), "labels": pl.List(pl.Boolean())}
RESERVED = TRL - {*SCHEMA}
EMPTY = (
    "steps are known to be right or wrong where the filter `equations` found equations in a kept solution, "
    "or a wrong one in a rejected; the recipe `reasoning` has it"
)
_NAME = "trl-stepwise"
_MAX_CHARS = 20_000  # that the filter reads
_LINES = re.compile(r"\n(?!\s*=)")  # a line that starts with = continues the equation above
# A full stop needs a space after it (3.5 is one number); a CJK one does not.
_SENTENCES = re.compile(r"(?<=[.!?…؟۔।॥።])\s+|(?<=[。！？])\s*")
_WRONG = ("wrong_equation", "wrong_number")


def trl_stepwise(rows: pl.DataFrame, *, columns: Sequence[str] = ()) -> pl.DataFrame:
    """Return one solution per row, in steps: its lines, or the sentences of its only line.

    labels: true up to the first step with an equation that does not hold; false from that step on. Equations
    are those that the filter `equations` finds, so a step without one counts as right until then. Rejected
    solutions are used only if they were dropped for a wrong equation or number and contain a wrong equation.
    Solutions whose steps cannot be labeled are left out: no equation was found, the number is wrong although
    every equation holds, or an equation spans two steps.
    rows: messages that end with the assistant, <answer>_equations_list, verdict, reason -> id, language,
    prompt (text: what was said before, without roles), completions, labels, columns.
    Source: TRL, stepwise supervision; axolotl, stepwise_supervised.
    """
    prompts, _ = group_by_prompt(rows, _NAME, "drop")
    has_equations = _has_equations(rows)
    solutions = []
    for prompt in prompts:
        question = "\n\n".join(message["content"] for message in prompt.messages)
        for candidate in (*prompt.kept, *(r for r in prompt.rejected if r.reason in _WRONG)):
            steps = _label_steps(candidate.message["content"]) if has_equations[candidate.row_index] else None
            if steps and all(steps[1]) == (candidate.reason is None):
                solutions.append((candidate.row_index, question, *steps))
    table = select_columns(rows, columns, _NAME)[[row_index for row_index, *_ in solutions]]
    values = [
        pl.Series(name, [solution[position] for solution in solutions], dtype)
        for position, (name, dtype) in enumerate(SCHEMA.items(), start=1)
    ]
    return table.select("id", "language", *values).hstack(table.drop("id", "language"))


def _has_equations(rows: pl.DataFrame) -> list[bool]:
    """Return, per row, whether the filter `equations` found any in the answer."""
    if not (answer := answer_column(rows)):
        column_names = ", ".join(rows.columns)
        raise UsageError(
            f"{_NAME}: no step of the run wrote the last message unchanged; the columns are {column_names}"
        )
    column = f"{answer}_equations_list"
    require_column(rows, column, _NAME, f"the filter `equations` (of: {answer}) makes it")
    return (rows[column].list.len() > 0).fill_null(False).to_list()


def _label_steps(text: str) -> tuple[list[str], list[bool]] | None:
    """Return the steps and their labels, or None if the steps do not contain the equations of the text."""
    if len(text) > _MAX_CHARS:
        return None
    lines = [line.strip() for line in _LINES.split(text) if line.strip()]
    steps = lines if len(lines) > 1 else [s.strip() for s in _SENTENCES.split(text.strip()) if s.strip()]
    equations = [find_equations(step) for step in steps]
    if {e for step_equations in equations for e in step_equations} != set(find_equations(text)):
        return None
    labels: list[bool] = []
    for step_equations in equations:
        labels.append((not labels or labels[-1]) and all(equation.holds for equation in step_equations))
    return steps, labels
