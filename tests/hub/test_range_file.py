"""A file on the Hub that is read in parts, whatever the server makes of a range."""

from types import SimpleNamespace
from typing import Any

import huggingface_hub.utils
import pytest

from glotmill.hub.range_file import RangeFile

CONTENT = b"0123456789"


@pytest.fixture(params=["ranges", "whole", "more"])
def file(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> RangeFile:
    def get(method: str, url: str, headers: dict[str, str]) -> Any:
        start, end = map(int, headers["Range"].removeprefix("bytes=").split("-"))
        part = {"ranges": CONTENT[start : end + 1], "more": CONTENT[start:], "whole": CONTENT}[request.param]
        status = 200 if request.param == "whole" else 206
        return SimpleNamespace(status_code=status, content=part, raise_for_status=lambda: None, headers={})

    monkeypatch.setattr(huggingface_hub.utils, "http_backoff", get)
    monkeypatch.setattr(huggingface_hub.utils, "hf_raise_for_status", lambda response: None)
    return RangeFile("http://localhost/file", len(CONTENT), None)


def test_read(file: RangeFile) -> None:
    assert file.read(3) == b"012"
    assert file.read(2) == b"34"
    assert file.seek(-2, 2) == 8
    assert (file.read(), file.read(), file.tell()) == (b"89", b"", 10)
    assert file.seek(-9, 1) == 1
    assert file.read(1) == b"1"
    assert file.readall() == b"23456789"
