"""TRL takes a real step of training from exported files."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nano import opened, settings, takes_a_step

Exported = Callable[..., Any]


@pytest.mark.parametrize(
    ("name", "options"), [("trl-sft", {}), ("trl-prompt-completion", {}), ("text", {"of": "solution"})]
)
def test_sft(exported: Exported, tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    from trl import SFTConfig, SFTTrainer

    rows = exported(name, **options)
    model, tokenizer = opened()
    args = SFTConfig(**settings(tmp_path / "out"), max_length=512)
    trainer = SFTTrainer(model, args, train_dataset=rows, processing_class=tokenizer)
    answers = {"trl-sft": "messages", "trl-prompt-completion": "completion", "text": "text"}
    first = rows[0][answers[name]]
    answer = first if isinstance(first, str) else first[-1]["content"]
    read = trainer.train_dataset[0]
    assert answer in tokenizer.decode(read["input_ids"])
    if name == "trl-prompt-completion":
        learned = [label for label in read["labels"] if label != -100]
        assert tokenizer.decode(learned, skip_special_tokens=True).strip() == answer.strip()
    takes_a_step(trainer)


def test_dpo(exported: Exported, tmp_path: Path) -> None:
    from trl import DPOConfig, DPOTrainer

    rows = exported("trl-dpo")
    assert {"wrong_number", "wrong_equation"} & set(rows["rejected_reason"])
    assert len(set(rows["language"])) == 2
    model, tokenizer = opened()
    args = DPOConfig(**settings(tmp_path / "out"), max_length=512)
    trainer = DPOTrainer(model, args=args, train_dataset=rows, processing_class=tokenizer)
    # before the first step the model is its own reference: the loss is that of a coin
    assert takes_a_step(trainer) == pytest.approx(math.log(2), abs=0.01)


def test_kto(exported: Exported, tmp_path: Path) -> None:
    from trl import KTOConfig, KTOTrainer

    rows = exported("trl-kto")
    assert set(rows["label"]) == {True, False}
    model, tokenizer = opened()
    args = KTOConfig(**settings(tmp_path / "out"), max_length=512)
    takes_a_step(KTOTrainer(model, args=args, train_dataset=rows, processing_class=tokenizer))


def test_reward(exported: Exported, tmp_path: Path) -> None:
    """Pairs are what reward models are trained on, too."""
    from transformers import AutoModelForSequenceClassification
    from trl import RewardConfig, RewardTrainer

    from glotmill.generators._shared.loading import model_path

    rows = exported("trl-dpo")
    _, tokenizer = opened()
    model = AutoModelForSequenceClassification.from_pretrained(model_path("glotmill-nano"), num_labels=1)
    args = RewardConfig(**settings(tmp_path / "out"), max_length=512)
    takes_a_step(RewardTrainer(model.float(), args=args, train_dataset=rows, processing_class=tokenizer))


def test_grpo(exported: Exported, tmp_path: Path) -> None:
    """Reward functions get the columns that left beside the prompt."""
    from trl import GRPOConfig, GRPOTrainer

    rows = exported("trl-prompt-only", columns=["answer"])
    seen: list[str] = []

    def reward(completions: list[Any], answer: list[str], **_: Any) -> list[float]:
        seen.extend(answer)
        return [float(number % 2) for number, _ in enumerate(completions)]

    model, tokenizer = opened()
    args = GRPOConfig(**settings(tmp_path / "out"), num_generations=4, max_completion_length=24, beta=0.0)
    trainer = GRPOTrainer(model, reward, args=args, train_dataset=rows, processing_class=tokenizer)
    takes_a_step(trainer)
    assert set(seen) <= set(rows["answer"])
    assert seen


def test_steps_are_of_the_form_that_trl_documents(exported: Exported) -> None:
    """TRL 1.16 has no trainer of process reward models: the form of its page on datasets is what there is."""
    for row in exported("trl-stepwise"):
        assert isinstance(row["prompt"], str)
        assert len(row["completions"]) == len(row["labels"]) > 1
        assert row["labels"] == sorted(row["labels"], reverse=True), json.dumps(row, ensure_ascii=False)
