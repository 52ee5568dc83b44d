import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from glotmill.errors import RequestFailed, UsageError
from glotmill.generators.replay import replay
from glotmill.messages import Message, Reply, Request

ONE = Request((Message("user", "Ni nini?"),), "m")
TWO = Request((Message("user", "Ni nani?"),), "m")


def line(request: Request, reply: Reply) -> str:
    return json.dumps({"key": request.key, **reply.to_json()}, ensure_ascii=False) + "\n"


def ask(folder: Path, request: Request) -> Reply:
    async def main() -> Reply:
        async with replay("m", replies=str(folder)) as generate:
            return await generate(request)

    return asyncio.run(main())


def test_what_was_recorded_comes_back_whole(tmp_path: Path) -> None:
    one = Reply("Jiwe — 石", "length", 3, 4, (-0.5, -1.25))
    two = Reply("", prompt_tokens=3)
    (tmp_path / "swh_Latn-00001.jsonl").write_text(line(ONE, one), encoding="utf-8")
    (tmp_path / "swh_Latn-00002.jsonl").write_text(line(TWO, two), encoding="utf-8")
    assert ask(tmp_path, ONE) == one
    assert ask(tmp_path, TWO) == two


@pytest.mark.parametrize("broken", ['{"key": "', "[1]\n", '\xff"\n', '{"key": 3}\n'])
def test_what_cannot_be_read_or_is_not_there_is_refused(tmp_path: Path, broken: str) -> None:
    (tmp_path / "a.jsonl").write_bytes((line(ONE, Reply("ndiyo")) + broken).encode("latin-1"))
    assert ask(tmp_path, ONE).text == "ndiyo"
    with pytest.raises(RequestFailed) as failed:
        ask(tmp_path, TWO)
    assert failed.value.reason == "not_recorded"
    assert not failed.value.transient


def test_half_of_a_line_counts_as_not_recorded(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(line(ONE, Reply("ndiyo")) + line(TWO, Reply("hapana"))[:-9])
    with pytest.raises(RequestFailed, match="not_recorded"):
        ask(tmp_path, TWO)


def test_a_text_outlasts_failures_and_the_last_text_counts(tmp_path: Path) -> None:
    failure = Reply("", "failed", failure="engine_died", detail="out of memory")
    lines: list[tuple[Request, Reply]] = [
        (ONE, failure),
        (ONE, Reply("kwanza")),
        (ONE, Reply("pili")),
        (ONE, failure),
        (TWO, failure),
    ]
    (tmp_path / "a.jsonl").write_text("".join(line(*each) for each in lines))
    assert ask(tmp_path, ONE).text == "pili"
    with pytest.raises(RequestFailed, match="engine_died: out of memory"):
        ask(tmp_path, TWO)


@pytest.mark.parametrize(("name", "says"), [(".", r"has no \*\.jsonl"), ("nowhere", "is not a folder")])
def test_a_folder_without_journals_is_refused(tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        ask(tmp_path / name, ONE)


def test_fields_of_a_later_version_do_no_harm(tmp_path: Path) -> None:
    record: dict[str, Any] = {"key": ONE.key, "text": "ndiyo", "new": 1}
    (tmp_path / "a.jsonl").write_text(json.dumps(record) + "\n")
    assert ask(tmp_path, ONE) == Reply("ndiyo")
