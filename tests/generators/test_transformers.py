"""The embedded engine, on the model that ships."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asking import Ask, chat, opened

from glotmill.errors import EngineError, RequestFailed, UsageError
from glotmill.generators.transformers import transformers
from glotmill.messages import Reply

# torch's and transformers' own.
pytestmark = pytest.mark.filterwarnings("ignore")

LONG = {"max_tokens": 40, "min_tokens": 40}
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
    with opened(transformers(str(nano), batch_size=8, max_model_len=512)) as ask:
        yield ask


def test_greedy_replies_are_those_of_the_library_in_any_company(ask: Ask, nano: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    texts = [f"{'Erzähle mir mehr. ' * number} नमस्ते {number}" for number in range(20)]
    lengths = [5 + 7 * number % 40 for number in range(20)]
    model, tokenizer = (
        AutoModelForCausalLM.from_pretrained(nano, dtype=torch.float32),
        AutoTokenizer.from_pretrained(nano),
    )
    expected = []
    for text, length in zip(texts, lengths, strict=True):
        messages = [{"role": "user", "content": text}]
        ids = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        out = model.generate(**ids, max_new_tokens=length, do_sample=False, top_p=None, temperature=None)
        expected.append(tokenizer.decode(out[0, ids["input_ids"].shape[1] :], skip_special_tokens=True))
    requests = [
        chat(text, temperature=0.0, max_tokens=length) for text, length in zip(texts, lengths, strict=True)
    ]
    assert [reply.text for reply in ask(*requests)] == expected


def test_a_reply_says_what_it_cost_and_why_it_ended(ask: Ask) -> None:
    (reply,) = ask(chat("Write a poem about the sea.", temperature=1.0, max_tokens=9, min_tokens=9))
    assert isinstance(reply, Reply)
    assert reply.finish_reason == "length"
    assert reply.completion_tokens == 9
    assert reply.prompt_tokens > 5
    assert reply.text


def test_samples_differ_and_one_seed_says_one_thing_in_any_company(ask: Ask) -> None:
    samples = [chat("Erzähle etwas.", seed=seed, sample=seed, temperature=1.5) for seed in range(30)]
    together = ask(*samples)
    assert len({reply.text for reply in together}) > 5
    assert ask(samples[7]) == [together[7]]
    assert ask(chat("Erzähle etwas.", seed=2**63 - 1, temperature=1.5))[0].text


def test_a_schema_is_followed(ask: Ask) -> None:
    limits = {"schema": SCHEMA, "max_tokens": 100, "temperature": 1.0}
    for reply in ask(*(chat("Judge this.", seed=seed, **limits) for seed in range(12))):
        assert reply.finish_reason == "stop"
        value = json.loads(reply.text)
        assert value["score"] in (1, 2, 3)
        assert isinstance(value["fair"], bool)


def test_stop_ends_a_reply_before_the_text(ask: Ask) -> None:
    full = ask(chat("Tell me.", temperature=0.0, max_tokens=60, min_tokens=60))[0].text
    stop = full[len(full) // 2 :][:3]
    (reply,) = ask(chat("Tell me.", temperature=0.0, max_tokens=60, stop=(stop, "never said")))
    assert reply.finish_reason == "stop"
    assert stop not in reply.text
    assert full.startswith(reply.text)


def test_sampling_parameters_have_their_effect(ask: Ask) -> None:
    def said(**sampling: Any) -> set[str]:
        return {
            reply.text for reply in ask(*(chat("Go.", seed=seed, **LONG, **sampling) for seed in range(6)))
        }

    greedy = said(temperature=0.0)
    assert len(greedy) == 1
    assert said(temperature=2.0, top_k=1) == greedy
    assert said(temperature=2.0, top_p=1e-9) == greedy
    assert said(temperature=2.0, min_p=1.0) == greedy
    drawn = said(temperature=2.0)
    assert len(drawn) == 6
    assert said(temperature=0.0, repetition_penalty=5.0) != greedy
    assert said(temperature=2.0, frequency_penalty=2.0) != drawn


def test_logprobs_are_of_the_chosen_tokens(ask: Ask) -> None:
    plain, told = ask(chat("a", temperature=0.0, **LONG), chat("a", temperature=0.0, logprobs=0, **LONG))
    assert plain.logprobs is None
    assert plain.text == told.text
    assert len(told.logprobs) == told.completion_tokens == 40
    assert all(-9999 <= logprob <= 0 for logprob in told.logprobs)


def test_bad_requests_fail_alone_among_good_ones(ask: Ask) -> None:
    bad = [
        chat("very " * 600),
        chat("a", logprobs=21),
        chat("a", temperature=-1.0),
        chat("a", top_p=0.0),
        chat("a", schema='{"type": "zebra"}'),
    ]
    reasons = ["prompt_too_long", "bad_sampling", "bad_sampling", "bad_sampling", "schema_unsupported"]
    good = [chat(f"Say {number}.", temperature=0.0) for number in range(20)]
    alone = ask(*good)
    replies = ask(*good[:10], *bad, *good[10:])
    assert [reply for reply in replies if isinstance(reply, Reply)] == alone
    failed = [reply for reply in replies if isinstance(reply, RequestFailed)]
    assert [failure.reason for failure in failed] == reasons
    assert not any(failure.transient for failure in failed)


def test_any_text_is_taken(ask: Ask) -> None:
    lone, *others = ask(chat("\ud83d x"), chat("a\0b"), chat(""), chat("<|im_end|>"))
    assert lone == ask(chat("? x"))[0]
    assert all(isinstance(reply, Reply) for reply in others)


def test_a_failure_of_the_model_is_answered_and_got_over(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def boom(*args: Any) -> None:
        raise RuntimeError("out of memory")

    before = ask(chat("Uko wapi?", seed=5, temperature=1.0))
    with monkeypatch.context() as patch:
        patch.setattr("glotmill.generators._torch.batch.next_tokens", boom)
        (failure,) = ask(chat("a"))
    assert (failure.reason, failure.transient) == ("engine_died", True)
    assert "out of memory" in failure.detail
    assert ask(chat("Uko wapi?", seed=5, temperature=1.0)) == before


def test_a_model_that_keeps_failing_is_given_up(nano: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def boom(*args: Any) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("glotmill.generators._torch.batch.next_tokens", boom)
    with opened(transformers(str(nano))) as ask:
        kinds = [type(ask(chat("a"))[0]) for _ in range(6)]
    assert kinds == [*[RequestFailed] * 4, *[EngineError] * 2]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"attn_implementations": "eager"},
            "no option attn_implementations: did you mean attn_implementation",
        ),
        ({"batch_size": 0}, "batch_size=0"),
    ],
)
def test_bad_options_are_refused_before_anything_is_loaded(options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says), opened(transformers("nowhere", **options)):
        pass


def test_a_model_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="cannot open"), opened(transformers(str(tmp_path / "nothing"))):
        pass


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with (
        pytest.raises(EngineError, match=r"pip install 'glotmill\[transformers\]'"),
        opened(transformers("glotmill-nano")),
    ):
        pass
