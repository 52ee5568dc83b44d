"""trl-kto, as datasets loads it."""

from pathlib import Path

import pytest
from finished import load
from replies import FOREIGN, KEPT, REPEATS, answered

from glotmill.errors import UsageError
from glotmill.export.export import export


def test_both_sides_without_partners(tmp_path: Path) -> None:
    said = [
        [("good", KEPT)],
        [("bad", REPEATS), ("cut", ("dropped", "truncated", "answer"))],
        [("x", FOREIGN)],
    ]
    export(answered(tmp_path / "run", said), tmp_path / "out", "trl-kto")
    there = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert there.column_names == [
        "id",
        "language",
        "prompt",
        "completion",
        "label",
        "rejected_reason",
        "topic",
    ]
    assert there["completion"] == [[{"role": "assistant", "content": text}] for text in ("good", "bad", "x")]
    assert there["prompt"] == [
        [{"role": "user", "content": f"Why does it rain? ({number})"}] for number in range(3)
    ]
    assert there["label"] == [True, False, False]
    assert there["rejected_reason"] == [None, "repetition", "wrong_language"]
    assert there["topic"] == ["topic 0", "topic 1", "topic 2"]


@pytest.mark.parametrize(("verdict", "label"), [(KEPT, True), (REPEATS, False)])
def test_one_side_alone(tmp_path: Path, verdict: tuple[str, str | None, str | None], label: bool) -> None:
    made = answered(tmp_path / "run", [[("one", verdict)], [("two", verdict)]])
    with pytest.raises(UsageError, match=rf"trl-kto: 'label' is {label} in every row; a prompt needs a kept"):
        export(made, tmp_path / "out", "trl-kto")
    assert not (tmp_path / "out").exists()


def test_no_reply_is_called_both_right_and_wrong_and_none_wrong_twice(tmp_path: Path) -> None:
    said = [[("good", KEPT), ("good", FOREIGN), ("bad", REPEATS), ("bad", FOREIGN), ("worse", FOREIGN)]]
    export(answered(tmp_path / "run", said), tmp_path / "out", "trl-kto")
    there = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert [(row["completion"][0]["content"], row["label"]) for row in there] == [
        ("good", True),
        ("bad", False),
        ("worse", False),
    ]
