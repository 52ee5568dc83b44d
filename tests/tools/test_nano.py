"""The tiny model that ships, and the text it was trained on."""

import random
from pathlib import Path

import pytest
import torch
from evaluate import generate
from make_text import LANGUAGES, TASKS, chats, draw_topic, held_out, phrases
from topics import TEMPERATURE, drafts, holds, seeds, task_of
from transformers import AutoModelForCausalLM, AutoTokenizer

NANO = Path(__file__).parents[2] / "generators" / "nano"
EACH = 8  # instructions in each language


def test_instructions_have_the_topic_and_the_task_of_their_seeds() -> None:
    """In every language; tools/nano/topics.py measures more of them."""
    tokenizer = AutoTokenizer.from_pretrained(NANO)
    model = AutoModelForCausalLM.from_pretrained(NANO, dtype=torch.float32).eval()
    torch.manual_seed(1)
    asked = [(tag, seed) for tag in LANGUAGES for seed in random.Random(1).sample(seeds(tag), EACH)]
    texts = generate(model, tokenizer, [drafts(tag, [seed])[0] for tag, seed in asked], TEMPERATURE, 90)
    wrong: dict[str, list[str]] = {tag: [] for tag in LANGUAGES}
    for (tag, seed), text in zip(asked, texts, strict=True):
        if not holds(text, seed.title) or task_of(tag, text, seed.title) != seed.task:
            wrong[tag].append(f"{seed}: {text}")
    assert max(map(len, wrong.values())) <= 2, wrong
    assert sum(map(len, wrong.values())) <= 0.05 * len(asked), wrong


def test_the_model_is_small() -> None:
    assert sum(path.stat().st_size for path in NANO.iterdir()) < 10_000_000


@pytest.mark.parametrize("task", TASKS)
def test_every_language_has_text_for_every_task(task: str) -> None:
    for tag in LANGUAGES:
        for chat in chats(task, tag, random.Random(3), 5):
            assert chat.messages[-1][0] == "user"
            assert chat.reply
            assert not {"{topic}", "{language}"} & set((chat.messages[-1][1] + chat.reply).split())


def test_what_topics_are_measured_with_is_not_trained() -> None:
    for tag in LANGUAGES:
        say, rng = phrases(tag), random.Random(4)
        drawn = [draw_topic(say, rng) for _ in range(300)]
        assert not [
            topic
            for topic, task, _ in drawn
            if topic.lower() in say["topics"] and held_out(topic.lower(), task)
        ]
