"""The openai engine against a real `vllm serve` without a GPU."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from operator import mul
from pathlib import Path
from typing import Any

import pytest
from asking import chat, opened

from glotmill.errors import EngineError
from glotmill.generators.openai import openai
from glotmill.messages import COMPLETION, EMBED, LIKELIHOOD, SCORE, Message, Request, Sampling


@contextmanager
def vllm_serve(nano: Path, log: Path, *options: str) -> Iterator[str]:
    """The address of a real `vllm serve` of the model that ships."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(nano)]
    command += f"--host 127.0.0.1 --port {port} --served-model-name nano --max-model-len 512".split()
    command += ["--enforce-eager", "--dtype", "float32", "--no-enable-chunked-prefill", *options]
    settings = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1"}
    settings["TORCHDYNAMO_DISABLE"] = "1"  # it would compile in this folder, whose path may have a blank
    with log.open("w") as out:
        server = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, **settings})
    try:
        wait_for(f"http://127.0.0.1:{port}/health", server, log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@pytest.fixture(scope="session")
def vllm_url(nano: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One that generates."""
    strict = ["--structured-outputs-config", '{"backend": "xgrammar", "disable_any_whitespace": true}']
    with vllm_serve(nano, tmp_path_factory.mktemp("serve") / "log", *strict) as url:
        yield url


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 500
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text()[-3000:]
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            with suppress(subprocess.TimeoutExpired):
                server.wait(0.2)
    pytest.fail(log.read_text()[-3000:])


def test_vllm_serve_answers(vllm_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    schema = json.dumps({"type": "object", "properties": {"n": {"enum": [1, 2]}}, "required": ["n"]})
    good = [chat(f"Say {seed}.", seed=seed, temperature=1.0, top_k=50, min_tokens=2) for seed in range(20)]
    bad: list[Request] = [chat("very " * 800), chat("a", logprobs=50)]
    with opened(openai("nano", base_url=vllm_url)) as ask:
        *replies, shaped, told, too_long, refused = ask(
            *good,
            chat("a", schema=schema, max_tokens=60, temperature=1.0),
            chat("a", logprobs=0, temperature=0.0),
            *bad,
        )
        assert ask(good[3])[0].text == replies[3].text
    assert all(reply.completion_tokens >= 2 and reply.prompt_tokens for reply in replies)
    assert len({reply.text for reply in replies}) > 5
    assert json.loads(shaped.text)["n"] in (1, 2)
    assert len(told.logprobs) == told.completion_tokens
    assert too_long.reason == "prompt_too_long"
    assert refused.reason == "refused_by_server"
    with (
        pytest.raises(EngineError, match="has no model other: it has nano"),
        opened(openai("other", base_url=vllm_url)),
    ):
        pass


def test_vllm_serve_does_all_tasks_that_it_can(vllm_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    user, words = Message("user", "Say hello."), Message("assistant", "Hello there")
    some = Sampling(max_tokens=8, temperature=0.0)

    def request(*messages: Message, **more: Any) -> Request:
        return Request(messages, "nano", sampling=some, **more)

    with opened(openai("nano", base_url=vllm_url)) as ask:
        chosen, shaped, by_grammar, raw, goes_on, thinks, text, reply = ask(
            request(user, choice=("red", "blue")),
            request(user, regex="[0-9]{3}"),
            request(user, grammar='root ::= "ab" | "cd"'),
            request(user, task=COMPLETION),
            request(user, words),
            request(user, thinking=4),  # this server has no parser of thoughts: the budget is left out
            request(user, task=LIKELIHOOD),
            request(user, words, task=LIKELIHOOD),
        )
        (vector,) = ask(request(user, task=EMBED))
    assert chosen.text in ("red", "blue")
    assert re.fullmatch("[0-9]{3}", shaped.text)
    assert by_grammar.text in ("ab", "cd")
    assert 0 < raw.completion_tokens <= 8
    assert 0 < goes_on.completion_tokens <= 8
    assert thinks.completion_tokens <= 8
    assert len(text.logprobs) == text.prompt_tokens - 1
    assert len(reply.logprobs) == goes_on.prompt_tokens - chosen.prompt_tokens
    assert all(value < 0 for value in (*text.logprobs, *reply.logprobs))
    assert isinstance(vector, EngineError)
    assert "answers 404 to requests at /v1/embeddings" in str(vector)


def test_vllm_serve_embeds_and_scores(nano: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    rain, snow = Message("user", "rain falls"), Message("user", "snow falls")
    with (
        vllm_serve(nano, tmp_path / "log", "--runner", "pooling", "--convert", "embed") as url,
        opened(openai("nano", base_url=url)) as ask,
    ):
        one, again, other, score, same = ask(
            *[Request((text,), "nano", task=EMBED) for text in (rain, rain, snow)],
            *[Request((rain, text), "nano", task=SCORE) for text in (snow, rain)],
        )
        (refused,) = ask(Request((rain,), "nano"))
    assert sum(x * x for x in one.values) == pytest.approx(1, abs=1e-3)
    assert one.values == pytest.approx(again.values, abs=1e-4)
    assert score.values == pytest.approx([sum(map(mul, one.values, other.values))], abs=1e-2)
    assert same.values == pytest.approx([1], abs=1e-2)
    assert isinstance(refused, EngineError)
