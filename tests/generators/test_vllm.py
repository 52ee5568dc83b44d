"""Real vLLM, without a GPU, on the model that ships."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asking import Ask, chat, opened

from glotmill.errors import EngineError, RequestFailed, UsageError
from glotmill.generators._vllm.start import stop
from glotmill.generators.vllm import vllm
from glotmill.messages import Reply

# vLLM's own: it uses what torch is about to remove.
pytestmark = pytest.mark.filterwarnings("ignore")

SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"score": {"enum": [1, 2, 3]}, "fair": {"type": "boolean"}},
        "required": ["score", "fair"],
        "additionalProperties": False,
    }
)


@pytest.fixture(scope="module")
def ask(nano: Path) -> Iterator[Ask]:
    with opened(vllm(str(nano), max_num_seqs=64, max_model_len=512)) as ask:
        yield ask


def open_only(model: str, **options: Any) -> None:
    async def main() -> None:
        async with vllm(model, **options):
            pass

    asyncio.run(main())


def test_a_reply_says_what_it_cost_and_why_it_ended(ask: Ask) -> None:
    (reply,) = ask(chat("Write a poem about the sea.", temperature=1.0, max_tokens=9, min_tokens=9))
    assert isinstance(reply, Reply)
    assert reply.finish_reason == "length"
    assert reply.completion_tokens == 9
    assert reply.prompt_tokens > 5
    assert reply.text


def test_samples_differ_and_one_seed_says_one_thing_in_any_company(ask: Ask) -> None:
    samples = [chat("Erzähle etwas.", seed=seed, sample=seed, temperature=1.5) for seed in range(20)]
    together = ask(*samples)
    assert len({reply.text for reply in together}) > 5
    assert ask(samples[7]) == [together[7]]
    assert ask(chat("Erzähle etwas.", seed=2**63 - 1, temperature=1.5))[0].text


def test_a_schema_is_followed(ask: Ask) -> None:
    requests = [
        chat("Judge this.", seed=seed, schema=SCHEMA, max_tokens=100, temperature=1.0) for seed in range(4)
    ]
    for reply in ask(*requests):
        value = json.loads(reply.text)
        assert value["score"] in (1, 2, 3)
        assert isinstance(value["fair"], bool)


def test_stop_ends_a_reply_before_the_text(ask: Ask) -> None:
    full = ask(chat("Tell me.", temperature=0.0, max_tokens=60, min_tokens=60))[0].text
    stop = full[len(full) // 2 :][:3]
    (reply,) = ask(chat("Tell me.", temperature=0.0, max_tokens=60, stop=(stop,)))
    assert reply.finish_reason == "stop"
    assert stop not in reply.text


def test_logprobs_are_of_the_chosen_tokens(ask: Ask) -> None:
    plain, told = ask(chat("a", temperature=0.0), chat("a", temperature=0.0, logprobs=0))
    assert plain.logprobs is None
    assert plain.text == told.text
    assert len(told.logprobs) == told.completion_tokens
    assert all(-9999 <= logprob <= 0 for logprob in told.logprobs)


def test_bad_requests_fail_alone_among_good_ones(ask: Ask) -> None:
    bad = {
        "prompt_too_long": chat("very " * 600),
        "bad_sampling": chat("a", logprobs=21),
        "engine_refused": chat("a", schema='{"type": "zebra"}'),
    }
    good = [chat(f"Say {number}.", seed=number, temperature=1.0) for number in range(30)]
    alone = ask(*good)
    replies = ask(*good[:15], *bad.values(), chat("a", temperature=-1.0), *good[15:])
    assert [reply for reply in replies if isinstance(reply, Reply)] == alone
    failed = [reply for reply in replies if isinstance(reply, RequestFailed)]
    assert [failure.reason for failure in failed] == [*bad, "bad_sampling"]
    assert not any(failure.transient for failure in failed)
    assert "512" in failed[0].detail


def test_any_text_is_taken(ask: Ask) -> None:
    lone, *others = ask(chat("\ud83d x"), chat("a\0b"), chat(""), chat("<|im_end|>"))
    assert lone == ask(chat("? x"))[0]
    assert all(isinstance(reply, Reply) for reply in others)


def test_a_dead_engine_answers_at_once_and_starts_again(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    def boom(engine: Any) -> list[Any]:
        if engine.get_num_unfinished_requests() < 50:
            return []
        raise RuntimeError("out of memory")

    def stop_once_answered(model: Any) -> None:
        assert answered.wait(60)  # cleaning up takes seconds
        stop(model)

    before = ask(chat("Uko wapi?", seed=5, temperature=1.0))
    with monkeypatch.context() as patch:
        patch.setattr("vllm.v1.engine.llm_engine.LLMEngine.step", boom)
        patch.setattr("glotmill.generators.vllm.stop", stop_once_answered)
        failures = ask(*(chat(str(number)) for number in range(50)))
        answered.set()
    assert {failure.reason for failure in failures} == {"engine_died"}
    assert all(failure.transient and "out of memory" in failure.detail for failure in failures)
    assert ask(chat("Uko wapi?", seed=5, temperature=1.0)) == before


def test_an_unknown_option_is_refused_before_anything_is_loaded() -> None:
    with pytest.raises(UsageError, match=r"no option max_model_length: did you mean max_model_len\?"):
        open_only("nowhere", max_model_length=4)


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"cannot open .*nothing-here"):
        open_only(str(tmp_path / "nothing-here"))


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(EngineError, match=r"pip install 'glotmill\[vllm\]'"):
        open_only("glotmill-nano")


LIVES = """
import asyncio, sys, threading
from vllm.v1.engine.llm_engine import LLMEngine
from glotmill.messages import Message, Request, Sampling
from glotmill.errors import EngineError, RequestFailed
from glotmill.generators._vllm.start import stop
from glotmill.generators.vllm import vllm

hello = Request((Message("user", "hello"),), "nano", sampling=Sampling(max_tokens=4))
step = LLMEngine.step

def boom(engine):
    raise RuntimeError("boom")

async def life():
    LLMEngine.step = boom
    async with vllm(sys.argv[1], max_model_len=256) as generate:
        for death in range(5):
            try:
                await generate(hello)
            except (RequestFailed, EngineError) as error:
                print(type(error).__name__, error)
    LLMEngine.step = step
    print([thread.name for thread in threading.enumerate() if thread.name == "vllm"])
    async with vllm(sys.argv[1], max_model_len=256) as generate:
        print((await generate(hello)).completion_tokens)

asyncio.run(life())
"""


def test_an_engine_that_keeps_dying_is_given_up_and_leaves_the_process_clean(
    nano: Path,
) -> None:
    command = [sys.executable, "-c", LIVES, str(nano)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines[:4] == ["RequestFailed engine_died: engine vllm: died: RuntimeError: boom"] * 4
    assert lines[4] == "EngineError engine vllm: died: RuntimeError: boom"
    assert lines[5:7] == ["[]", "4"]
    assert len(lines) == 7  # nothing of vLLM's on stdout
