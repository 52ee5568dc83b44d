"""What a format returns is checked, and so are its options and the columns beside."""

from pathlib import Path

import polars as pl
import pytest
from exported import all_languages
from finished import CHAT, finished, load, rows

from glotmill.errors import UsageError
from glotmill.export.export import export


def test_shards_have_one_form_for_a_format_whatever_steps_their_rows_came_to(tmp_path: Path) -> None:
    early = [{k: v for k, v in row.items() if k != "answer"} for row in rows("eng_Latn", 3)]
    early = [{**row, "id": f"e{row['id']}", "verdict": "dropped", "reason": "x"} for row in early]
    made = finished(tmp_path / "run", {"eng_Latn": rows("eng_Latn", 8)})
    made.write_rows("eng_Latn-00001", pl.DataFrame(early))
    with pytest.raises(
        UsageError, match=r"own_formats:judged: column 'answer' has a null; filter such rows out"
    ):
        export(made, tmp_path / "out", "own_formats:judged")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("own_formats:none", "no row of .* fits this format; nothing was written"),
        ("own_formats:changing", r"changing: returned .* after .*; all tables must have one schema"),
        ("own_formats:wrong", "column 'answer' is Int64; it must be String or List"),
        ("own_formats:nothing", "no column 'answer'; the columns are id"),
        ("own_formats:hole", "column 'answer' has a null"),
        ("own_formats:hole_in_list", "column 'answer' has a null"),
        ("own_formats:hole_in_struct", "column 'answer' has a null"),
        ("own_formats:taken", "column 'label' has a name that trainers read; choose the columns with "
                              "--columns 'topic', or rename"),
        ("own_formats:broken", "unable to find column \"nosuch\""),
        ("own_formats:plain", "returned a list, not a table"),
        ("own_formats:raising", "format own_formats:raising: KeyError: 'answer'"),
        ("trl_sft", "no format named 'trl_sft'; did you mean 'trl-sft'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_of_and_not_written(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        export(all_languages(tmp_path, 10), tmp_path / "out", name)
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / ".out.tmp").exists()


def test_columns_beside(tmp_path: Path) -> None:
    said = rows("eng_Latn", 5, label="yes", score=0.5)
    made = finished(tmp_path / "run", {"eng_Latn": said}, {**CHAT, "columns": ["topic", "label"]})
    with pytest.raises(
        UsageError, match=r"trl-sft: column 'label' has a name that trainers .* --columns 'topic'"
    ):
        export(made, tmp_path / "out")
    export(made, tmp_path / "out", options={"columns": ["score", "topic"]})
    there = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert there.column_names == ["id", "language", "messages", "score", "topic"]
    export(made, tmp_path / "out", options={"columns": []})
    assert load(tmp_path / "out", tmp_path / "cache")["train"].column_names == ["id", "language", "messages"]
    with pytest.raises(
        UsageError, match=r"trl-sft: no column 'nosuch'; the columns are id, row, language, seed_key"
    ):
        export(made, tmp_path / "out", options={"columns": ["nosuch"]})
    with pytest.raises(
        UsageError, match=r"format trl-sft: no option 'shuffle'; the options are columns, reasoning"
    ):
        export(made, tmp_path / "out", options={"shuffle": True})


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("trl-prompt-completion", "completion"),
        ("trl-prompt-only", "prompt"),
        ("alpaca", "instruction"),
        ("sharegpt", "conversations"),
    ],
)
def test_a_column_beside_may_not_have_the_name_of_one_that_is_made(
    tmp_path: Path, name: str, column: str
) -> None:
    made = finished(tmp_path / "run", {"eng_Latn": rows("eng_Latn", 5, **{column: "x"})})
    with pytest.raises(
        UsageError, match=rf"format {name}: column '{column}' has a name that trainers .* --columns 'topic'"
    ):
        export(made, tmp_path / "out", name, options={"columns": [column, "topic"]})


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("trl-dpo", {"margin": "high"}, "option 'margin' is 'high'; give a number"),
        ("trl-dpo", {"score": 3}, "option 'score' is 3; give a text: \"3\""),
        ("text", {"of": ["a"]}, r"option 'of' is \['a'\]; give a text"),
        (
            "trl-sft",
            {"columns": "topic"},
            "option 'columns' is 'topic'; give a list of texts",
        ),
        ("trl-sft", {"columns": [1]}, r"option 'columns' is \[1\]; give a list of texts"),
    ],
)
def test_options_of_another_kind(tmp_path: Path, name: str, given: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=f"format {name}: {told}"):
        export(all_languages(tmp_path, 5), tmp_path / "out", name, options=given)
