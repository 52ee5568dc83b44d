"""Vectors and scores of tiny real encoders, compared with what the libraries compute themselves."""

import math
from pathlib import Path
from typing import Any

import pytest
from asking import opened
from tiny_encoders import TEMPLATE, make_encoder

from glotmill.errors import EngineError
from glotmill.generators.sentence_transformers import sentence_transformers
from glotmill.messages import CHAT, EMBED, SCORE, Message, Request

pytestmark = pytest.mark.filterwarnings("ignore")


def embed(text: str) -> Request:
    return Request((Message("user", text),), "m", task=EMBED)


def pair(one: str, other: str) -> Request:
    return Request((Message("user", one), Message("user", other)), "m", task=SCORE)


def chat(question: str, answer: str, task: str = SCORE) -> Request:
    return Request((Message("user", question), Message("assistant", answer)), "m", task=task)


def test_vectors_are_those_of_the_library_and_do_not_depend_on_the_batch(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    folder = make_encoder(tmp_path / "encoder")
    texts = ["the sea", "a much longer text about rivers and the sea", "x"]
    with opened(sentence_transformers(str(folder), batch_size=2)) as ask:
        together = [reply.values for reply in ask(*map(embed, texts))]
        alone = [ask(embed(text))[0].values for text in texts]
    expected = SentenceTransformer(str(folder)).encode(texts, normalize_embeddings=True)
    for one, other, vector in zip(together, alone, expected.tolist(), strict=True):
        assert one == pytest.approx(other, abs=1e-5)
        assert one == pytest.approx(vector, abs=1e-5)
        assert math.hypot(*one) == pytest.approx(1, abs=1e-5)


def test_a_pair_is_scored_as_a_cross_encoder_does(tmp_path: Path) -> None:
    from sentence_transformers import CrossEncoder

    folder = make_encoder(tmp_path / "cross", labels=1)
    with opened(sentence_transformers(str(folder))) as ask:
        scores = [reply.values for reply in ask(pair("a cat", "a dog"), pair("rain", "snow"))]
    expected = CrossEncoder(str(folder)).predict([["a cat", "a dog"], ["rain", "snow"]])
    assert [score for (score,) in scores] == pytest.approx(expected.tolist(), abs=1e-5)


def test_a_chat_is_scored_by_the_logit_of_a_reward_model(tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = make_encoder(tmp_path / "reward", labels=1, chat_template=TEMPLATE)
    with opened(sentence_transformers(str(folder))) as ask:
        scores = [reply.values[0] for reply in ask(chat("why", "because"), chat("why", "no"))]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = AutoModelForSequenceClassification.from_pretrained(folder).eval()

    def logit(answer: str) -> float:
        turns = [{"role": "user", "content": "why"}, {"role": "assistant", "content": answer}]
        ids = tokenizer.apply_chat_template(turns, return_dict=False, return_tensors="pt")
        return float(network(input_ids=ids).logits[0, 0])

    assert scores == pytest.approx([logit("because"), logit("no")], abs=1e-5)
    assert scores[0] != scores[1]


@pytest.mark.parametrize(
    ("labels", "request_", "message"),
    [
        (0, chat("why", "x", CHAT), "makes vectors and scores and cannot write"),
        (1, chat("why", "x"), "has no chat template and cannot score a chat"),
        (3, pair("a", "b"), "has 3 labels; a score is one number"),
    ],
)
def test_what_a_model_cannot_do_is_said(tmp_path: Path, labels: int, request_: Request, message: str) -> None:
    folder = make_encoder(tmp_path / "encoder", labels)
    with opened(sentence_transformers(str(folder))) as ask:
        (error,) = ask(request_)
    assert isinstance(error, EngineError)
    assert message in str(error)


def test_a_model_that_is_not_there_is_said(tmp_path: Path) -> None:
    with opened(sentence_transformers(str(tmp_path / "nothing"))) as ask:
        (error,) = ask(embed("x"))
    assert isinstance(error, EngineError)
    assert "cannot open" in str(error)


def test_one_text_that_fails_does_not_fail_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sentence_transformers import SentenceTransformer

    encode = SentenceTransformer.encode

    def fail_on_bad(self: Any, texts: list[str], **options: Any) -> Any:
        if "bad" in texts:
            raise RuntimeError("out of memory")
        return encode(self, texts, **options)

    monkeypatch.setattr(SentenceTransformer, "encode", fail_on_bad)
    with opened(sentence_transformers(str(make_encoder(tmp_path / "encoder")))) as ask:
        good, bad = ask(embed("good"), embed("bad"))
    assert good.values
    assert (bad.reason, bad.detail) == ("engine_refused", "RuntimeError: out of memory")
