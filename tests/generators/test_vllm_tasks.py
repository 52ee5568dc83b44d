"""What else a request may ask of real vLLM: completions, beginnings, constraints, likelihoods, adapters."""

import json
import shutil
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from asking import Ask, chat, opened
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from glotmill.errors import EngineError, RequestFailed
from glotmill.generators.vllm import vllm
from glotmill.messages import COMPLETION, EMBED, LIKELIHOOD, SCORE, Message, Request

# vLLM's own: it uses what torch is about to remove.
pytestmark = pytest.mark.filterwarnings("ignore")

EXCLAMATION = 5  # the token "!" of the model that ships


@pytest.fixture(scope="module")
def ask(nano: Path) -> Iterator[Ask]:
    with opened(vllm(str(nano), max_num_seqs=64, max_model_len=512)) as ask:
        yield ask


@pytest.fixture(scope="module")
def mute(nano: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """A model without a chat template, opened without adapters."""
    folder = shutil.copytree(nano, tmp_path_factory.mktemp("mute") / "base")
    (folder / "chat_template.jinja").unlink()
    with opened(vllm(str(folder), max_model_len=128)) as ask:
        yield ask


def adapter(folder: Path) -> Path:
    """A LoRA adapter with random weights."""
    torch.manual_seed(0)
    folder.mkdir()
    config = {"peft_type": "LORA", "r": 8, "lora_alpha": 64, "target_modules": ["q_proj", "v_proj"]}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    name = "base_model.model.model.layers.{}.self_attn.{}.lora_{}.weight"
    weights = {
        name.format(layer, module, part): torch.randn(size)
        for layer in range(4)
        for module in ("q_proj", "v_proj")
        for part, size in (("A", (8, 256)), ("B", (256, 8)))
    }
    save_file(weights, folder / "adapter_model.safetensors")
    return folder


def test_a_model_without_a_chat_template_completes_and_refuses_chats(mute: Ask) -> None:
    text = (Message("user", "<|user|>Say hello.<|end|><|assistant|>"),)
    reply, failure = mute(replace(chat(""), messages=text, task=COMPLETION), chat("Say hello."))
    assert reply.text
    assert isinstance(failure, EngineError)
    assert "has no chat template" in str(failure)


def test_what_the_model_was_not_opened_for_is_named(mute: Ask) -> None:
    lora, embed, score = mute(chat("a", lora="x/y"), chat("a", task=EMBED), chat("a", task=SCORE))
    assert "the adapter x/y needs the engine argument enable_lora=true" in str(lora)
    assert "cannot embed with" in str(embed)
    assert "runner=pooling and convert=classify" in str(score)


def test_a_completion_is_what_the_chat_is_underneath(ask: Ask) -> None:
    raw = Message("user", "<|user|>Say hello.<|end|><|assistant|>")
    written = chat("Say hello.", temperature=0.0)
    first, second = ask(written, replace(written, messages=(raw,), task=COMPLETION))
    assert first.text == second.text


def test_a_reply_goes_on_from_its_beginning(ask: Ask) -> None:
    whole = chat("Tell me.", temperature=0.0, max_tokens=20, min_tokens=20)
    (full,) = ask(whole)
    begun = (*whole.messages, Message("assistant", "The dog"))
    (rest,) = ask(replace(whole, messages=begun))
    assert full.prompt_tokens < rest.prompt_tokens <= full.prompt_tokens + 3  # nothing but the beginning
    assert not rest.text.startswith("The dog")


def test_constraints_are_followed(ask: Ask) -> None:
    choice, regex, grammar = ask(
        chat("Yes?", choice=("ja", "nein"), temperature=1.0),
        chat("When?", regex=r"[0-9]{4}-[0-9]{2}", temperature=1.0),
        chat("Sum?", grammar='root ::= [0-9] " + " [0-9]', temperature=1.0),
    )
    assert choice.text in ("ja", "nein")
    assert regex.text[4] == "-"
    assert len(regex.text) == 7
    assert grammar.text[1:4] == " + "


def test_letters_of_other_scripts_are_not_sampled(ask: Ask) -> None:
    free = {"temperature": 0.0, "max_tokens": 60, "min_tokens": 60}
    plain, hindi, russian, both, unknown = ask(
        chat("Tell me.", **free),
        chat("Tell me.", allowed_scripts=("Deva",), **free),
        chat("Что такое дождь?", allowed_scripts=("Cyrl",), **free),
        chat("Yes?", allowed_scripts=("Deva",), choice=("yes", "no"), temperature=1.0),
        chat("Tell me.", allowed_scripts=("Nope",), **free),
    )
    assert len(letters(plain.text)) > 1
    # Tokens of single bytes stay, and together may make any letter, which here is one of Chinese.
    assert letters(hindi.text) - {"CJK"} == {"DEVANAGARI"}
    assert letters(russian.text) - {"CJK"} == {"CYRILLIC"}
    assert both.text in ("yes", "no")  # the constraint leaves nothing in the script
    assert isinstance(unknown, RequestFailed)
    assert unknown.reason == "bad_sampling"


def letters(text: str) -> set[str]:
    """The scripts of the letters of a text, by the names of Unicode."""
    return {unicodedata.name(letter).split()[0] for letter in text if letter.isalpha()}


def test_further_parameters_of_vllm_take_effect(ask: Ask) -> None:
    always = {"temperature": 0.0, "max_tokens": 30, "logit_bias": {str(EXCLAMATION): 100.0}}
    loop = {"max_pattern_size": 2, "min_pattern_size": 1, "min_count": 3}
    same, banned, ended = ask(
        chat("Tell me.", **always),
        chat("Tell me.", bad_words=["!"], **always),
        chat("Tell me.", repetition_detection=loop, **always),
    )
    assert same.text == "!" * 30
    assert "!" not in banned.text
    assert ended.finish_reason == "length"
    assert ended.completion_tokens < 10


def test_the_likelihood_is_that_of_the_model(ask: Ask, nano: Path) -> None:
    chatted = (Message("user", "Say hello."), Message("assistant", "Hello, Anna."))
    alone = (Message("user", "Once upon a time"),)
    replies = ask(*(Request(messages, "nano", task=LIKELIHOOD) for messages in (chatted, alone)))
    tokenizer = AutoTokenizer.from_pretrained(nano)
    model = AutoModelForCausalLM.from_pretrained(nano, dtype=torch.float32)
    before = tokenizer.encode("<|user|>Say hello.<|end|><|assistant|>")
    for reply, prefix, text in ((replies[0], before, "Hello, Anna."), (replies[1], [], "Once upon a time")):
        ids = [*prefix, *tokenizer.encode(text)]
        with torch.no_grad():
            logprobs = model(torch.tensor([ids])).logits[0].log_softmax(-1)
        start = max(len(prefix), 1)
        expected = [float(logprobs[i - 1, ids[i]]) for i in range(start, len(ids))]
        assert reply.text == ""
        assert reply.logprobs == pytest.approx(expected, abs=1e-3)


def test_an_adapter_changes_the_reply_and_a_broken_one_fails_alone(nano: Path, tmp_path: Path) -> None:
    folder = str(adapter(tmp_path / "adapter"))
    second = str(shutil.copytree(folder, tmp_path / "second"))

    def asked(lora: str) -> Any:
        return chat("Tell me.", temperature=0.0, lora=lora, min_tokens=20)

    with opened(vllm(str(nano), max_model_len=128, enable_lora=True, max_loras=1)) as ask:
        before = ask(asked(""))
        missing, plain, adapted, again = ask(*map(asked, (str(tmp_path / "no"), "", folder, folder)))
        after = ask(asked(""))
        too_many, likely = ask(asked(second), chat("a", task=LIKELIHOOD))
    assert [plain] == before == after
    assert adapted.text != plain.text
    assert adapted.text == again.text
    assert isinstance(missing, RequestFailed)
    assert missing.reason == "lora_refused"
    assert "raise max_loras" in str(too_many)
    assert "no likelihoods" in str(likely)
