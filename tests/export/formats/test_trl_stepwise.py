"""trl-stepwise, as datasets loads it."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from finished import load
from replies import KEPT, REPEATS, Reply, answered

from glotmill.errors import UsageError
from glotmill.export.export import export
from glotmill.filters.equations import equations
from glotmill.runner.run_folder import Run

WRONG = ("dropped", "wrong_equation", "answer.equations")
OTHER = ("dropped", "wrong_number", "answer.final_number")


def solved(folder: Path, *said: Reply) -> Run:
    """A run whose filter `equations` looked at each solution."""
    texts = pl.DataFrame({"answer": [text for text, _ in said]}, schema={"answer": pl.String})
    found = texts.select(equations(pl.col("answer")).struct.field("list")).to_series().to_list()
    return answered(folder, [said], answer_equations_list=lambda n: found[n])


@pytest.mark.parametrize(
    ("text", "verdict", "steps", "labels"),
    [
        (
            "First 2 * 3 = 6.\n\nSo we go on.\nThen 6 - 2 = 4.\n#### 4",
            KEPT,
            ["First 2 * 3 = 6.", "So we go on.", "Then 6 - 2 = 4.", "#### 4"],
            [True, True, True, True],
        ),
        ("Ok.\n2 * 3 = 7.\n7 - 2 = 5.\n#### 5", WRONG, None, [True, False, False, False]),
        ("२ × ३ = ६।\n६ - २ = ५।", WRONG, None, [True, False]),
        ("٢ × ٣ = ٧\n٧ - ٢ = ٥", WRONG, None, [False, False]),
        ("2 * 3 = 6\n6 - 2 = 5", OTHER, None, [True, False]),
        ("1.5 + 2 = 3.5. So 3.5 * 2 = 8. Done!", WRONG, ["1.5 + 2 = 3.5.", "So 3.5 * 2 = 8.", "Done!"],
         [True, False, False]),
        ("先算2×3=6。再算6-2=5。", WRONG, ["先算2×3=6。", "再算6-2=5。"], [True, False]),
        ("پہلے 2 * 3 = 6۔ پھر 6 - 2 = 4۔", KEPT, ["پہلے 2 * 3 = 6۔", "پھر 6 - 2 = 4۔"], [True, True]),
        ("2 + 3 + 4\n = 5 + 4\n = 9\nDone", KEPT, ["2 + 3 + 4\n = 5 + 4\n = 9", "Done"], [True, True]),
    ],
)  # fmt: skip
def test_steps_and_labels(
    tmp_path: Path, text: str, verdict: Any, steps: list[str] | None, labels: list[bool]
) -> None:
    export(solved(tmp_path / "run", (text, verdict)), tmp_path / "out", "trl-stepwise")
    there = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert there.column_names == ["id", "language", "prompt", "completions", "labels", "topic"]
    assert there[:] == {
        "id": ["eng0000-0"],
        "language": ["eng_Latn"],
        "prompt": ["Why does it rain? (0)"],
        "completions": [steps or text.split("\n")],
        "labels": [labels],
        "topic": ["topic 0"],
    }


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("No equation at all.\n#### 4", KEPT),
        ("2 * 3 = 6\n#### 6", OTHER),  # the mistake is nowhere to be seen
        ("2 * 3 = 7\n2 * 3 = 7", REPEATS),
        ("2 * 3 = 7\n" + "a" * 20_000, WRONG),  # further than the filter reads
        ("7 کے۔ 3 + 1 = 5۔ پھر 2 + 2 = 5۔", WRONG),  # cut off from what is before it, 3 + 1 is read anew
        (None, ("failed", "timeout", "answer")),
    ],
)
def test_what_is_not_known(tmp_path: Path, text: str | None, verdict: Any) -> None:
    made = solved(tmp_path / "run", (text, verdict), ("1 + 1 = 2", KEPT))
    export(made, tmp_path / "out", "trl-stepwise")
    assert load(tmp_path / "out", tmp_path / "cache")["train"]["completions"] == [["1 + 1 = 2"]]


def test_a_run_without_equations(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"no column 'answer_equations_list'; the filter `equations` \(of: answ"
    ):
        export(answered(tmp_path / "run", [[("x", KEPT)]]), tmp_path / "out", "trl-stepwise")
    with pytest.raises(
        UsageError, match=r"no row of .*; steps are known to be right or wrong where the filter"
    ):
        export(solved(tmp_path / "two", ("None.", KEPT)), tmp_path / "out", "trl-stepwise")
