"""A run's folder: the journal, finished shards, the lock."""

import errno
import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from glotmill.errors import RecipeError, UsageError
from glotmill.messages import Message, Reply, Request
from glotmill.runner.run_folder import Run, ShardInfo

SHARD = "eng_Latn-00000"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def request(text: str) -> Request:
    return Request((Message("user", text),), "m")


def test_the_journal_gives_back_what_was_noted(run: Run) -> None:
    replies = {
        "a": Reply("héllo\n\u2028\u0085 \u3000", prompt_tokens=3, completion_tokens=4),
        "b": Reply("", "failed", failure="too_long", detail="9\ntokens"),
        "c": Reply("x", "length", logprobs=(-0.5, -1.25)),
        "d": Reply(""),
    }
    journal = run.journal(SHARD)
    for text, reply in replies.items():
        journal.append(request(text), reply)
    assert run.replies(SHARD) == {request(text).key: reply for text, reply in replies.items()}
    assert len((run.folder / "replies" / f"{SHARD}.jsonl").read_bytes().split(b"\n")) == 5
    assert run.replies("eng_Latn-00001") == {}


def test_the_journal_says_how_a_reply_came(run: Run) -> None:
    asked = Request((Message("user", "a"),), "m", sample=3)
    reply = Reply("one", seconds=1.5, tries=2)
    run.journal(SHARD).append(asked, reply, "draft")
    line = json.loads((run.folder / "replies" / f"{SHARD}.jsonl").read_text())
    assert (line["step"], line["sample"], line["seconds"], line["tries"]) == ("draft", 3, 1.5, 2)
    (found,) = run.replies(SHARD).values()
    assert (found.seconds, found.tries) == (1.5, 2)


@pytest.mark.parametrize("cut", [1, 2, 30, 10_000])
def test_half_a_line_at_the_end_is_cut_off(run: Run, cut: int) -> None:
    run.journal(SHARD).append(request("a"), Reply("one"))
    path = run.folder / "replies" / f"{SHARD}.jsonl"
    whole = path.read_bytes()
    run.journal(SHARD).append(request("b"), Reply("two, and é"))
    line = path.read_bytes()[len(whole) :]
    path.write_bytes(whole + line[: max(0, len(line) - cut)])
    assert run.replies(SHARD) == {request("a").key: Reply("one")}
    run.journal(SHARD).append(request("b"), Reply("two"))
    assert run.replies(SHARD).keys() == {request("a").key, request("b").key}


@pytest.mark.parametrize(
    "line", ["no", "[]", "{}", '{"key": "x", "text": "a", "colour": "red"}', '{"text": "x"}']
)
def test_a_broken_line_in_the_middle_is_told_of(run: Run, line: str) -> None:
    run.journal(SHARD).append(request("a"), Reply("one"))
    path = run.folder / "replies" / f"{SHARD}.jsonl"
    path.write_text(f"{line}\n" + path.read_text())
    with pytest.raises(
        UsageError, match=r"eng_Latn-00000.jsonl:1: not a reply: .*; remove the line to ask again"
    ):
        run.replies(SHARD)


def test_rows_are_written_whole_with_what_is_said_of_them(run: Run) -> None:
    rows = pl.DataFrame({"id": ["a"], "text": ["é"]})
    info = ShardInfo("x", 1, 1, transient=2, before="-")
    run.write_rows(SHARD, rows, info)
    assert run.shard_info(SHARD) == info
    assert run.read_rows(SHARD).equals(rows)
    assert [path.name for path in (run.folder / "rows").iterdir()] == [f"{SHARD}.parquet"]
    assert run.shard_info("eng_Latn-00001") is None


@pytest.mark.parametrize("content", [b"", b"PAR1", b"x" * 500])
def test_a_broken_file_of_rows_is_as_none(run: Run, content: bytes) -> None:
    (run.folder / "rows").mkdir()
    (run.folder / "rows" / f"{SHARD}.parquet").write_bytes(content)
    assert run.shard_info(SHARD) is None


def test_rows_of_a_language_in_any_form(run: Run) -> None:
    for name in ("eng_Latn-00000", "eng_Latn-100000", "swh_Latn-00000"):
        run.write_rows(name, pl.DataFrame({"id": [name]}))
    assert run.rows("English").collect()["id"].to_list() == ["eng_Latn-00000", "eng_Latn-100000"]
    assert run.rows().collect().height == 3
    run.drop_rows("eng_Latn", 1)
    assert run.rows("en").collect()["id"].to_list() == ["eng_Latn-00000"]
    assert run.rows("fra").collect().is_empty()
    with pytest.raises(RecipeError, match="klingon"):
        run.rows("klingon")


def test_no_run_here(run: Run) -> None:
    with pytest.raises(UsageError, match="no run here"):
        run.info()
    with pytest.raises(UsageError, match="no dataset yet"):
        run.dataset()
    assert run.frame().is_empty()
    (run.folder / "run.json").write_text("{")
    with pytest.raises(UsageError, match="not JSON"):
        run.info()
    (run.folder / "run.json").write_text('{"format": 99}')
    with pytest.raises(UsageError, match="format 99; this version reads 1"):
        run.info()
    run.write_info({"model": "é"})
    assert run.info() == {"format": 1, "model": "é"}
    assert json.loads((run.folder / "run.json").read_text(encoding="utf-8"))["model"] == "é"


def test_the_lock_keeps_a_second_process_out_and_ends_with_the_first(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib; from glotmill.runner.run_folder import Run\n"
        "with Run(pathlib.Path(sys.argv[1])).lock(): print('in', flush=True); sys.stdin.read()\n"
    )
    folder = tmp_path / "a" / "run"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "in\n"
        with (
            pytest.raises(UsageError, match=rf"another process \({other.pid}\) is at this run"),
            Run(folder).lock(),
        ):
            pass
        other.kill()
        other.wait()
    with Run(folder).lock():
        assert (folder / "lock").read_text().isdecimal()


def test_a_file_system_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    message = r"files here cannot be locked \(No locks available\); run on a local disk"
    with pytest.raises(UsageError, match=message), Run(tmp_path).lock():
        pass
