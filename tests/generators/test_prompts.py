"""A request becomes the tokens that its task asks for."""

import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from glotmill.errors import EngineError, RequestFailed
from glotmill.generators._shared.prompts import prompt_of
from glotmill.generators._shared.thinking import family_of
from glotmill.messages import COMPLETION, EMBED, LIKELIHOOD, SCORE, Message, Request

USER, ANSWER = Message("user", "Say hello."), Message("assistant", "Hello")


@pytest.fixture
def tokenizer(nano: Path) -> Any:
    return AutoTokenizer.from_pretrained(nano)


def pairs() -> PreTrainedTokenizerFast:
    """A tokenizer of an encoder: [CLS] a [SEP] b [SEP], with token types."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "red", "blue", "green"]
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    inputs = ["input_ids", "token_type_ids", "attention_mask"]
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_input_names=inputs)


def text_of(tokenizer: Any, request: Request, limit: int = 1000) -> str:
    ids = prompt_of(tokenizer, request, None, limit).ids
    return str(tokenizer.decode(ids, skip_special_tokens=False))


def test_a_chat_ends_where_the_assistant_speaks(tokenizer: Any) -> None:
    assert text_of(tokenizer, Request((USER,), "m")) == "<|user|>Say hello.<|end|><|assistant|>"


def test_a_last_message_of_the_assistant_goes_on(tokenizer: Any) -> None:
    written = text_of(tokenizer, Request((USER, ANSWER), "m"))
    assert written == "<|user|>Say hello.<|end|><|assistant|>Hello"
    empty = Request((USER, Message("assistant", "")), "m")
    assert text_of(tokenizer, empty) == text_of(tokenizer, Request((USER,), "m"))


def test_a_completion_is_the_text_itself(tokenizer: Any) -> None:
    request = Request((Message("user", "<|user|>Once upon"),), "m", task=COMPLETION)
    assert text_of(tokenizer, request) == "<|user|>Once upon"
    tokenizer.chat_template = None
    assert text_of(tokenizer, request) == "<|user|>Once upon"


def test_the_first_token_of_a_completion_is_not_doubled(tokenizer: Any) -> None:
    tokenizer.bos_token = "<|pad|>"
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<|pad|> $A", special_tokens=[("<|pad|>", 0)]
    )
    for text in ("Once", "<|pad|>Once"):
        assert text_of(tokenizer, Request((Message("user", text),), "m", task=COMPLETION)) == "<|pad|>Once"
    alone = prompt_of(tokenizer, Request((Message("user", "Once"),), "m", task=LIKELIHOOD), None, 99)
    assert alone.start == 1


def test_a_chat_needs_a_chat_template(tokenizer: Any) -> None:
    tokenizer.chat_template = None
    with pytest.raises(EngineError, match=r"the model judge \(org/base\) has no chat template"):
        prompt_of(tokenizer, Request((USER,), "org/base", alias="judge"), None, 99)


def test_the_likelihood_is_of_the_last_message(tokenizer: Any) -> None:
    request = Request((USER, ANSWER), "m", task=LIKELIHOOD)
    prompt = prompt_of(tokenizer, request, None, 99)
    assert tokenizer.decode(prompt.ids[prompt.start :]) == "Hello"
    assert tokenizer.decode(prompt.ids[: prompt.start]) == "<|user|>Say hello.<|end|><|assistant|>"
    tokenizer.chat_template = None
    prompt = prompt_of(tokenizer, request, None, 99)
    assert tokenizer.decode(prompt.ids[: prompt.start]) == "Say hello."
    alone = prompt_of(tokenizer, Request((USER,), "m", task=LIKELIHOOD), None, 99)
    assert (tokenizer.decode(alone.ids), alone.start) == ("Say hello.", 0)


def test_the_likelihood_of_a_text_that_the_template_changes_is_refused(tokenizer: Any) -> None:
    tokenizer.chat_template = "{% for m in messages %}{{ m.content | upper }}{% endfor %}"
    with pytest.raises(RequestFailed, match="template_refused"):
        prompt_of(tokenizer, Request((USER, ANSWER), "m", task=LIKELIHOOD), None, 99)


def test_two_texts_become_a_pair() -> None:
    texts = (Message("user", "red"), Message("user", "blue green"))
    prompt = prompt_of(pairs(), Request(texts, "m", task=SCORE), None, 7)
    assert (prompt.ids, prompt.second) == ([2, 4, 3, 5, 6, 3], 3)
    assert prompt_of(pairs(), Request(texts[:1], "m", task=EMBED), None, 3).ids == [2, 4, 3]


def test_an_opening_tag_of_the_template_is_known(tokenizer: Any) -> None:
    plain = tokenizer.chat_template
    tokenizer.chat_template = plain + "{% if add_generation_prompt %}<think>\n{% endif %}"
    family = family_of("m", tokenizer.chat_template)
    assert prompt_of(tokenizer, Request((USER,), "m"), family, 99).opened
    tokenizer.chat_template = plain
    assert not prompt_of(tokenizer, Request((USER,), "m"), None, 99).opened


def test_a_template_is_told_whether_to_think_and_what_the_recipe_gives(tokenizer: Any) -> None:
    tokenizer.chat_template = "{{ enable_thinking }} {{ place }}</think>"
    family = family_of("m", tokenizer.chat_template)

    def said(thinking: int, **given: Any) -> str:
        request = Request((USER,), "m", thinking=thinking, chat_template_kwargs=json.dumps(given))
        return str(tokenizer.decode(prompt_of(tokenizer, request, family, 99).ids))

    assert said(0, place="Oslo").startswith("False Oslo")
    assert said(-1).startswith("True ")
    assert said(0, enable_thinking=True).startswith("True ")  # what the recipe gives wins
    with pytest.raises(RequestFailed, match="template_refused: chat_template_kwargs: tokenize"):
        said(0, tokenize=False)


def test_what_does_not_fit_is_refused(tokenizer: Any) -> None:
    request = Request((USER,), "m")
    count = len(prompt_of(tokenizer, request, None, 99).ids)
    with pytest.raises(RequestFailed, match=f"prompt_too_long: {count} tokens"):
        prompt_of(tokenizer, request, None, count)
    with pytest.raises(RequestFailed, match="empty_prompt"):
        prompt_of(tokenizer, Request((Message("user", ""),), "m", task=COMPLETION), None, 99)
    with pytest.raises(RequestFailed, match="template_refused"):
        prompt_of(tokenizer, Request((Message("oracle", "a"),), "m"), None, 99)


@pytest.mark.parametrize("on_system", ["{{ raise_exception('System role not supported') }}", ""])
def test_a_template_without_a_system_role_gets_the_text_from_the_user(tokenizer: Any, on_system: str) -> None:
    tokenizer.chat_template = (
        "{% for m in messages %}{% if m.role == 'system' %}" + on_system + "{% else %}"
        "[{{ m.role }}]{{ m.content }}{% endif %}{% endfor %}"
    )
    chat = (Message("system", "Be kind."), USER)
    assert text_of(tokenizer, Request(chat, "m")) == "[user]Be kind.\n\nSay hello."
    assert text_of(tokenizer, Request((USER,), "m")) == "[user]Say hello."
