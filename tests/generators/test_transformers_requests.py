"""What the embedded engine does for each kind of request: tasks, constraints, thoughts, vLLM's parameters."""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from asking import Ask, opened

from glotmill.errors import EngineError
from glotmill.generators.transformers import transformers
from glotmill.messages import COMPLETION, EMBED, LIKELIHOOD, SCORE, Message, Request, Sampling

# torch's and transformers' own.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def ask(nano: Path) -> Iterator[Ask]:
    with opened(transformers(str(nano), batch_size=8, max_model_len=512)) as ask:
        yield ask


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
        assert "use --engine sentence_transformers" in str(error)


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
    # A constraint that the closing tag and the lines around it would follow too.
    (reply,) = thinker(replace(PLAIN, sampling=sampling, thinking=12, regex=r"[\n<>/a-z]{12}[0-9]{3}"))
    assert re.fullmatch(r"[0-9]{3}", reply.text[-3:])
    assert 10 < len(reply.text) <= 15  # without space around it


def test_an_adapter_needs_a_package_that_is_named(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    base, adapted = ask(PLAIN, replace(PLAIN, lora="some/adapter"))
    assert base.text
    assert "pip install 'glotmill[lora]'" in str(adapted)
