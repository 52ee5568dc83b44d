"""Vectors and scores by real vLLM, with tiny encoders: those of transformers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from asking import Ask, opened
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, BertModel, PreTrainedTokenizerFast

from glotmill.errors import EngineError, RequestFailed
from glotmill.generators.vllm import vllm
from glotmill.messages import CHAT, EMBED, SCORE, Message, Request

# vLLM's own: it uses what torch is about to remove.
pytestmark = pytest.mark.filterwarnings("ignore")

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "sea", "is", "blue", "hello", "world"]


def tokenizer() -> Any:
    plain = Tokenizer(models.WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    plain.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    plain.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    names = ["input_ids", "token_type_ids", "attention_mask"]
    return PreTrainedTokenizerFast(
        tokenizer_object=plain, pad_token="[PAD]", unk_token="[UNK]", model_input_names=names
    )


def saved(kind: Any, folder: Path, labels: int = 1) -> Any:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=128,
        max_position_embeddings=64,
        num_labels=labels,
        initializer_range=0.5,
    )
    model = kind(config).eval()
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return model


def request(task: str, *texts: str) -> Request:
    return Request(tuple(Message("user", text) for text in texts), "bert", task=task)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("encoder")


@pytest.fixture(scope="module")
def bert(folder: Path) -> Any:
    return saved(BertModel, folder)


@pytest.fixture(scope="module")
def ask(bert: Any, folder: Path) -> Iterator[Ask]:
    with opened(vllm(str(folder))) as ask:
        yield ask


def test_vectors_are_those_of_the_model(ask: Ask, bert: Any) -> None:
    texts = ["hello world", "the sea is blue", "hello"]
    for text, reply in zip(texts, ask(*(request(EMBED, text) for text in texts)), strict=True):
        with torch.no_grad():
            hidden = bert(**tokenizer()(text, return_tensors="pt")).last_hidden_state[0, 0]
        assert reply.values == pytest.approx((hidden / hidden.norm()).tolist(), abs=1e-4)
        assert (reply.text, reply.prompt_tokens) == ("", len(text.split()) + 2)


def test_an_encoder_of_vectors_neither_scores_nor_writes(ask: Ask) -> None:
    written, scored, long = ask(request(CHAT, "a"), request(SCORE, "a", "b"), request(EMBED, "the " * 63))
    assert isinstance(written, EngineError)
    assert "writes no text" in str(written)
    assert isinstance(scored, EngineError)
    assert "cannot score with" in str(scored)
    assert isinstance(long, RequestFailed)
    assert long.reason == "prompt_too_long"


def test_scores_are_those_of_the_model_beside_another_one(ask: Ask, tmp_path: Path) -> None:
    """Two models are open at once: the second one runs in a process of its own."""
    model = saved(BertForSequenceClassification, tmp_path)
    pairs = [("hello world", "the sea is blue"), ("the sea", "world"), ("blue", "hello hello")]
    with opened(vllm(str(tmp_path))) as judge:
        replies = judge(*(request(SCORE, *pair) for pair in pairs))
        (vector,) = ask(request(EMBED, "hello"))
    for pair, reply in zip(pairs, replies, strict=True):
        with torch.no_grad():
            (logit,) = model(**tokenizer()(*pair, return_tensors="pt")).logits[0]
        assert reply.values == pytest.approx((float(logit.sigmoid()),), abs=1e-4)
    assert [vector] == ask(request(EMBED, "hello"))  # the first one is as it was
