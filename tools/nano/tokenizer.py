"""The tokenizer of glotmill-nano: byte-level BPE, digits one by one, a special token for each role."""

import random
import re
from collections.abc import Iterator
from typing import Any

from make_text import LANGUAGES, TASKS, chats
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

VOCABULARY = 5120
SPECIAL = ("<|pad|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>")
PIECES = r"\p{N}|\n| ?\p{Han}+| ?[^\s\p{N}\p{P}\p{S}\p{Han}]+| ?[\p{P}\p{S}]+|\s+"
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if message['role'] not in ('system', 'user', 'assistant') -%}"
    "{{ raise_exception('the roles are system, user and assistant, not ' + message['role']) }}"
    "{%- endif -%}"
    "{{- '<|' + message['role'] + '|>' + message['content'] + '<|end|>' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}"
)
_HAN = re.compile(r"[\u4e00-\u9fff]+")


def train_tokenizer(seed: int = 0, chats_each: int = 120) -> PreTrainedTokenizerFast:
    """Learn the vocabulary from chats of every task and language."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(random.Random(seed), chats_each), trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|end|>",
        pad_token="<|pad|>",
        model_max_length=1024,
        clean_up_tokenization_spaces=False,
    )
    fast.add_special_tokens({"additional_special_tokens": list(SPECIAL[1:4])})
    fast.chat_template = CHAT_TEMPLATE
    return fast


def prompt_text(messages: tuple[tuple[str, str], ...]) -> str:
    """What the chat template makes of a prompt."""
    return "".join(f"<|{role}|>{content}<|end|>" for role, content in messages) + "<|assistant|>"


def encode(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    """Token ids of many texts."""
    return [found.ids for found in tokenizer.backend_tokenizer.encode_batch(texts, add_special_tokens=False)]


def _texts(rng: random.Random, count: int) -> Iterator[str]:
    for tag in LANGUAGES:
        for task in TASKS:
            for chat in chats(task, tag, rng, count):
                for text in (*(content for _, content in chat.messages), chat.reply):
                    yield from _cut(text, rng)


def _cut(text: str, rng: random.Random) -> Iterator[str]:
    """Cut runs of Chinese into one to three characters, so that no whole sentence becomes one token."""
    end = 0
    for run in _HAN.finditer(text):
        yield text[end : run.start()]
        at = run.start()
        while at < run.end():
            step = min(rng.choice((1, 2, 2, 3)), run.end() - at)
            yield text[at : at + step]
            at += step
        end = run.end()
    yield text[end:]
