"""What was published is loaded, as a stranger would; and what is said if it does not load."""

import contextlib
import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from hub.client import Client
from hub.emulator import Emulator
from huggingface_hub.utils import get_session

from glotmill.errors import EngineError, GlotmillError
from glotmill.hub import retry, verify
from glotmill.hub.client import Hub
from glotmill.languages import table
from glotmill.runner.run_folder import Run

Make = Callable[..., Run]
ROWS = {"all": 3, "arb_Arab": 1, "eng_Latn": 2}


def _hub(said: list[str]) -> Hub:
    api: Any = SimpleNamespace(endpoint="http://localhost:1")
    return Hub("acme/demo", api, "hf_token", said.append)


def _told(
    monkeypatch: pytest.MonkeyPatch, *calls: list[tuple[str, int | str, str | None]]
) -> list[list[str]]:
    """Let the processes that load tell this, one after the other; return what each was asked for."""
    asked: list[list[str]] = []
    left = iter(calls)

    @contextlib.contextmanager
    def loading(hub: Hub, home: str, commit: str, names: list[str]) -> Any:
        asked.append(names)
        yield iter(next(left))

    monkeypatch.setattr(verify, "_start_process", loading)
    return asked


def test_many_configs(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    """In two processes, and not from a folder of the user's that is called as the dataset is."""
    tags = tuple(language.tag for language in table()[:26])
    own = glotmill.home / name
    own.mkdir(parents=True)
    (own / "train.jsonl").write_text('{"x": 1}\n')
    (glotmill.home / "datasets.py").write_text("raise SystemExit('not the library')")
    done = glotmill("publish", make(tags=tags, count=1).folder, "--repo", name, look=True)
    (glotmill.home / "datasets.py").unlink()
    assert done.code == 0, done.err
    assert "loaded 25 of 27 configs" in done.err
    fetched = [each["path"] for each in hub.asked(f"GET /datasets/{name}/resolve/")]
    assert len([path for path in fetched if path.endswith(".parquet")]) == 26, "each file once"
    mine = [path for path in glotmill.home.rglob("*") if f"--{name.partition('/')[2]}" in path.name]
    assert not mine, "the user's own cache"


def test_own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a user set to be left alone by the Hub does not hide a private dataset."""
    for variable in ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "HF_DATASETS_OFFLINE", "HF_DATASETS_CACHE"):
        monkeypatch.setenv(variable, "1")
        assert variable not in verify._environment("home", _hub([]))


def test_other_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    _told(monkeypatch, [("all", 3, None), ("arb_Arab", "no such file", None), ("eng_Latn", 1, None)])
    wrong = verify.verify(_hub([]), "c" * 40, ROWS)
    assert wrong == (
        "  arb_Arab: 1 rows were sent, but loading it gives no such file\n"
        "  eng_Latn: 2 rows were sent, but loading it gives 1"
    )


def test_out_of_reach_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was loaded is not loaded again."""
    waits: list[float] = []
    said: list[str] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    lost = [("all", 3, None), ("arb_Arab", "503 busy", "network")]
    asked = _told(monkeypatch, lost, [("arb_Arab", 1, None), ("eng_Latn", 2, None)])
    assert not verify.verify(_hub(said), "c" * 40, ROWS)
    assert asked == [["all", "arb_Arab", "eng_Latn"], ["arb_Arab", "eng_Latn"]]
    assert (waits, said) == ([1], ["loading commit cccccccccccc: 503 busy; trying again in 1 s"])


def test_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    _told(monkeypatch, *[[("all", "no route", "network")]] * 8)
    with pytest.raises(
        EngineError, match=r"no route; gave up after 8 tries.*run the same command again to continue"
    ):
        verify.verify(_hub([]), "c" * 40, ROWS)
    assert len(waits) == 7


def test_no_space(monkeypatch: pytest.MonkeyPatch) -> None:
    _told(monkeypatch, [("all", "No space left on device", "space")])
    with pytest.raises(GlotmillError, match=r"is on the Hub, but .* has no space .* TMPDIR"):
        verify.verify(_hub([]), "c" * 40, ROWS)


def test_which_errors_mean_what() -> None:
    full = ValueError("An error occurred while generating the dataset")
    full.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    words = OSError("Not enough disk space. Needed: 2 GB (download: 1 GB)")
    lost = ValueError("what was loaded")
    lost.__cause__ = ConnectionError("Couldn't reach the Hub")
    assert [retry.is_disk_full(each) for each in (full, words, lost)] == [True, True, False]
    assert [retry.is_temporary(each) for each in (full, words, lost)] == [False, False, True]
    assert retry.is_temporary(RuntimeError("as Xet's client says it"))
    assert not retry.is_temporary(RecursionError())


def test_nobody_waits_for_ever() -> None:
    """Not for the answer to a commit or a list of files either, for which the client has no limit."""
    session: Any = get_session()
    for hooks in session.event_hooks.values():  # as when it is new
        hooks.clear()
    for _ in range(2):
        retry.limit_waits()
    asked: list[dict[str, float]] = []
    session.event_hooks["request"].append(lambda request: asked.append(request.extensions["timeout"]))
    for limit in (None, 7.0):
        with contextlib.suppress(*retry.client_errors()):
            session.get("http://127.0.0.1:9", timeout=limit)
    assert [set(each.values()) for each in asked] == [{retry.MAX_SILENCE_S}, {7.0}]
    assert session.event_hooks["response"].count(retry._refuse_long_wait) == 1


def test_process_that_dies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its last words are told, without the token."""
    (tmp_path / "glotmill").mkdir()
    (tmp_path / "glotmill" / "__init__.py").write_text("raise RuntimeError('no start')")
    hub = _hub([])
    monkeypatch.setattr(verify, "_environment", lambda *_: {**os.environ, "PYTHONPATH": str(tmp_path)})
    wrong = verify.verify(hub, "c" * 40, {"eng_Latn": 2})
    assert wrong == "  eng_Latn: 2 rows were sent, but loading it gives RuntimeError: no start"


def test_card_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """And each caller has its own copy of what the card says."""
    real, texts = yaml.safe_load, []

    def parse(stream: Any) -> Any:
        texts.append(stream)
        return real(stream)

    monkeypatch.setattr(yaml, "safe_load", parse)
    verify._cache_yaml()
    text = "configs: [{config_name: eng_Latn}]"
    first = yaml.safe_load(text)
    first["configs"].clear()
    assert yaml.safe_load(text) == {"configs": [{"config_name": "eng_Latn"}]}
    assert texts == [text]
