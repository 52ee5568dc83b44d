"""The counts of a run."""

from pathlib import Path

import polars as pl
import pytest

from glotmill.errors import UsageError
from glotmill.runner.funnel import funnel
from glotmill.runner.run_folder import Run


def test_counts_add_up(tmp_path: Path) -> None:
    run = Run(tmp_path)
    with pytest.raises(UsageError, match="no run here"):
        funnel(run)
    run.write_info({"languages": ["swh_Latn", "eng_Latn", "fra_Latn"], "per_language": 2})
    rows = [
        ("eng_Latn", "kept", None),
        ("eng_Latn", "kept", None),
        ("eng_Latn", "kept", None),
        ("eng_Latn", "dropped", "too_short"),
        ("eng_Latn", "dropped", "too_short"),
        ("eng_Latn", "dropped", "unparsed_json"),
        ("eng_Latn", "dropped", "truncated"),
        ("eng_Latn", "dropped", "truncated", "answer.truncated"),  # by the filter: its form was right
        ("eng_Latn", "failed", "prompt_too_long"),
        ("swh_Latn", "failed", "engine_died"),
    ]
    kinds = dict.fromkeys(("language", "verdict", "reason", "reason_at"), pl.String)
    for tag in ("eng_Latn", "swh_Latn"):
        part = pl.DataFrame([(*r, "answer")[:4] for r in rows if r[0] == tag], schema=kinds, orient="row")
        run.write_rows(f"{tag}-00000", part.with_columns(row=pl.int_range(pl.len()) // 2))
    written = tmp_path / "dataset" / "eng_Latn" / "train-00000-of-00001.parquet"
    written.parent.mkdir(parents=True)
    pl.DataFrame({"id": ["a", "b"]}).write_parquet(written)
    (tmp_path / "replies").mkdir()
    (tmp_path / "replies" / "eng_Latn-00000.jsonl").write_bytes(
        b'{"key":"1","text":"a \\"failure\\": b"}\n{"key":"2","failure":"too_long"}\n'
        b'{"key":"3","text":"second try","sample":1}\n{"key":"4","text":"half a li'
    )
    swahili, english, french = funnel(run)
    assert (english.in_dataset, english.is_finished) == (2, True)
    written.unlink()
    stopped = funnel(run)[1]
    assert (stopped.accepted, stopped.in_dataset, stopped.is_finished) == (2, 0, False)
    assert (english.requests, english.seed_rows, english.rows) == (2, 5, 9)
    assert (english.answered, english.parsed) == (8, 6)
    assert (english.kept, english.accepted) == (3, 2)
    assert english.dropped == {"too_short": 2, "truncated": 2, "prompt_too_long": 1, "unparsed_json": 1}
    assert list(english.dropped) == ["too_short", "truncated", "prompt_too_long", "unparsed_json"]
    assert english.rows == english.kept + sum(english.dropped.values())
    assert (swahili.rows, swahili.answered, swahili.kept, swahili.accepted) == (1, 0, 0, 0)
    assert (french.rows, french.accepted, french.wanted) == (0, 0, 2)
    assert english.to_json()["dropped"]["too_short"] == 2
