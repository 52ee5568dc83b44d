"""The embedded engine, on the model that ships."""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from asking import Ask, chat, opened

from glotmill.errors import EngineError, RequestFailed, UsageError
from glotmill.generators.transformers import transformers
from glotmill.messages import COMPLETION, EMBED, LIKELIHOOD, SCORE, Message, Reply, Request, Sampling

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
    assert len(said(temperature=2.0)) == 6
    assert said(temperature=0.0, repetition_penalty=5.0) != greedy
    assert said(temperature=0.0, frequency_penalty=2.0) != greedy


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
    good = [chat(f"Say {number}.", seed=number, temperature=1.0) for number in range(20)]
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


def asked(request: Request, text: str = "Tell me about rain.", **changes: Any) -> Request:
    return replace(request, messages=(Message("user", text),), **changes)


PLAIN = Request((Message("user", "Tell me about rain."),), "nano", sampling=Sampling(max_tokens=30))


def test_a_reply_goes_on_from_what_the_assistant_began(ask: Ask) -> None:
    greedy = replace(PLAIN, sampling=Sampling(max_tokens=30, temperature=0.0))
    (whole,) = ask(greedy)
    begun = whole.text[: len(whole.text) // 2]
    (rest,) = ask(replace(greedy, messages=(*greedy.messages, Message("assistant", begun))))
    assert rest.text
    assert not rest.text.startswith(begun)


def test_a_completion_needs_no_chat_template(nano: Path, tmp_path: Path) -> None:
    base = shutil.copytree(nano, tmp_path / "base")
    (base / "chat_template.jinja").unlink()
    likelihood = replace(PLAIN, task=LIKELIHOOD)
    with opened(transformers(str(base))) as ask:
        completion, chatted, scored = ask(replace(PLAIN, task=COMPLETION), PLAIN, likelihood)
    assert completion.text
    assert isinstance(chatted, EngineError)
    assert "has no chat template" in str(chatted)
    assert scored.logprobs


def test_the_likelihood_of_a_text_is_that_of_the_library(ask: Ask, nano: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    texts = ["Rain is water that falls from clouds.", "Der Regen fällt. " * 30]
    replies = ask(*(asked(PLAIN, text, task=LIKELIHOOD) for text in texts))
    model = AutoModelForCausalLM.from_pretrained(nano, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(nano)
    for text, reply in zip(texts, replies, strict=True):
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            expected = -float(model(input_ids=ids, labels=ids).loss)
        assert sum(reply.logprobs) / len(reply.logprobs) == pytest.approx(expected, abs=1e-4)
        assert reply.prompt_tokens == ids.shape[1]


def test_the_likelihood_of_an_answer_is_that_of_its_tokens_alone(ask: Ask) -> None:
    answer = Message("assistant", "It falls from clouds.")
    (reply,) = ask(replace(PLAIN, messages=(*PLAIN.messages, answer), task=LIKELIHOOD))
    (alone,) = ask(asked(PLAIN, answer.content, task=LIKELIHOOD))
    assert len(reply.logprobs) == len(alone.logprobs) + 1  # the first token of a text alone has none


def test_vectors_and_scores_are_left_to_other_engines(ask: Ask) -> None:
    for task in (EMBED, SCORE):
        (error,) = ask(replace(PLAIN, task=task))
        assert isinstance(error, EngineError)
        assert "use --engine vllm" in str(error)


@pytest.mark.parametrize(
    ("constraint", "pattern"),
    [
        ({"choice": ("yes", 'a "no"\n')}, r'yes|a "no"\n'),
        ({"regex": r"[0-9]{2}-[a-c]"}, r"[0-9]{2}-[a-c]"),
        ({"grammar": 'root ::= ("ab" | "ba") "!"'}, r"(ab|ba)!"),
        ({"grammar": 'start: ("ab" | "ba") "!"'}, r"(ab|ba)!"),
    ],
)
def test_a_constraint_is_followed(ask: Ask, constraint: dict[str, Any], pattern: str) -> None:
    requests = [replace(PLAIN, seed=seed, **constraint) for seed in range(4)]
    for reply in ask(*requests):
        assert re.fullmatch(pattern, reply.text)
        assert reply.finish_reason == "stop"


def test_a_constraint_that_cannot_be_read_fails_its_request(ask: Ask) -> None:
    (failure,) = ask(replace(PLAIN, grammar="root ::= nothing"))
    assert failure.reason == "constraint_unsupported"


@pytest.mark.parametrize(("scripts", "letters"), [(("Deva",), "Deva"), (("Cyrl", "Grek"), "Cyrl|Grek")])
def test_letters_of_other_scripts_do_not_come(ask: Ask, scripts: tuple[str, ...], letters: str) -> None:
    import polars as pl

    sampling = Sampling(max_tokens=40, min_tokens=40, temperature=1.5)
    replies = ask(*(replace(PLAIN, seed=s, sampling=sampling, allowed_scripts=scripts) for s in range(4)))
    kinds = "".join(rf"\p{{sc:{script}}}" for script in letters.split("|"))
    texts = pl.Series([reply.text for reply in replies])
    assert texts.str.contains(rf"[\p{{L}}&&[{kinds}]]").any()
    assert not texts.str.contains(r"\p{Latin}").any()
    (failure,) = ask(replace(PLAIN, allowed_scripts=("Zzzq",)))
    assert failure.reason == "bad_sampling"


def sampled(ask: Ask, **parameters: Any) -> Any:
    limits = {"max_tokens": 40, "temperature": 0.0}
    named = {name: parameters.pop(name) for name in ("min_tokens", "stop") if name in parameters}
    sampling = Sampling(**limits, **named, others=json.dumps(parameters))
    return ask(replace(PLAIN, sampling=sampling))[0]


def test_further_parameters_have_their_effect(ask: Ask, nano: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(nano)
    plain = sampled(ask)
    words = plain.text.split()
    word = next(word for word in words if len(word) > 2)
    assert word not in sampled(ask, bad_words=[word]).text
    comma = tokenizer.encode(",", add_special_tokens=False)[0]
    assert set(sampled(ask, logit_bias={str(comma): 100}).text) == {","}
    assert set(sampled(ask, allowed_token_ids=[comma]).text) == {","}
    first = tokenizer.encode(plain.text, add_special_tokens=False)[3]
    stopped = sampled(ask, stop_token_ids=[first])
    assert (stopped.finish_reason, stopped.completion_tokens < 40) == ("stop", True)
    assert sampled(ask, ignore_eos=True).completion_tokens == 40
    assert sampled(ask, stop=(word,), include_stop_str_in_output=True).text.endswith(word)


def test_a_reply_that_goes_round_in_circles_ends_early(ask: Ask, nano: Path) -> None:
    from transformers import AutoTokenizer

    comma = AutoTokenizer.from_pretrained(nano).encode(",", add_special_tokens=False)[0]
    loop = {"max_pattern_size": 3, "min_pattern_size": 1, "min_count": 5}
    reply = sampled(ask, logit_bias={str(comma): 100}, repetition_detection=loop)
    assert (reply.finish_reason, reply.completion_tokens) == ("length", 5)


@pytest.mark.parametrize(
    "parameters",
    [
        {"stop_token_ids": [10**9]},
        {"allowed_token_ids": []},
        {"logit_bias": {"-1": 1.0}},
        {"bad_words": [" "]},
        {"repetition_detection": {"max_pattern_size": 3}},
        {"extra_args": {"x": 1}},
    ],
)
def test_parameters_that_make_no_sense_are_refused(ask: Ask, parameters: dict[str, Any]) -> None:
    assert sampled(ask, **parameters).reason == "bad_sampling"


@pytest.fixture(scope="module")
def thinker(nano: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """The model that ships, with a chat template that opens thoughts."""
    folder = shutil.copytree(nano, tmp_path_factory.mktemp("thinker") / "model")
    template = folder / "chat_template.jinja"
    text = template.read_text(encoding="utf-8")
    opening = "{% if add_generation_prompt and enable_thinking is not false %}<think>\n{% endif %}"
    template.write_text(f"{text}{opening}{{#- </think> #}}", encoding="utf-8")
    with opened(transformers(str(folder), batch_size=8, max_model_len=512)) as ask:
        yield ask


def test_thoughts_end_when_their_budget_is_spent(thinker: Ask) -> None:
    sampling = Sampling(max_tokens=60, min_tokens=60, temperature=1.0)
    (reply,) = thinker(replace(PLAIN, sampling=sampling, thinking=20))
    assert reply.reasoning
    assert reply.text
    assert "think>" not in reply.reasoning + reply.text
    assert 15 <= reply.reasoning_tokens <= 21
    assert reply.completion_tokens == 60


def test_thoughts_that_never_end_leave_no_text(thinker: Ask) -> None:
    (reply,) = thinker(replace(PLAIN, sampling=Sampling(max_tokens=30, min_tokens=30), thinking=-1))
    assert (reply.text, reply.finish_reason) == ("", "length")
    assert reply.reasoning


def test_without_thinking_the_model_answers_at_once(thinker: Ask) -> None:
    sampling = Sampling(max_tokens=30, min_tokens=30)
    opens_all_the_same = json.dumps({"enable_thinking": True})
    for request in (PLAIN, replace(PLAIN, chat_template_kwargs=opens_all_the_same)):
        (reply,) = thinker(replace(request, sampling=sampling))
        assert reply.text
        assert (reply.reasoning, reply.reasoning_tokens) == ("", 0)


def test_a_constraint_holds_from_the_end_of_the_thoughts_on(thinker: Ask) -> None:
    sampling = Sampling(max_tokens=60, temperature=1.0)
    (reply,) = thinker(replace(PLAIN, sampling=sampling, thinking=12, choice=("yes", "no")))
    assert reply.text in ("yes", "no")
    assert len(reply.reasoning) > 5
