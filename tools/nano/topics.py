"""Measure whether glotmill-nano keeps to the topic and the task of its prompt, as a Markdown table.

    python tools/nano/topics.py --model generators/nano --each 60

The prompts are the recipe's or, with --reworded, sentences and labels as in training; the seeds are pairs of
topic and task that are never trained together. Columns:

topic: instructions that hold the topic's name in their language
task: instructions whose wording is nearest to one of the task's
both: the two together
unknown: instructions that copy a topic that no training text holds
answer: answers that hold the name of their instruction's topic
"""

import argparse
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import torch
import wordings
from evaluate import generate
from make_text import LANGUAGES, Chat, held_out, phrases, template_of

from glotmill.languages import find

TEMPERATURE = 0.7  # of the recipe's step
COLUMNS = ("topic", "task", "both", "unknown", "answer")
UNKNOWN = (  # English, as a user's own seeds may be; their words are not in wordings.yaml
    "electric scooters",
    "the history of chocolate",
    "moving to another town",
    "sleeping in a hammock",
    "vitamins",
    "polite emails",
    "solar panels on the roof",
    "raising ducks",
    "Beethoven",
    "tax returns",
    "a fear of heights",
    "home-made pizza",
)
OWN = {  # in the language itself
    "arb_Arab": ("تاريخ الساعات", "صناعة الصابون", "الرسائل الإلكترونية"),
    "deu_Latn": ("Die Geschichte der Uhren", "Seife selbst herstellen", "Umzug ins Ausland"),
    "eng_Latn": ("the history of clocks", "home-made soap", "emigration"),
    "fra_Latn": ("l'histoire des horloges", "le savon fait maison", "le vélo électrique"),
    "hin_Deva": ("घड़ियों का इतिहास", "साबुन बनाना", "बिजली की बचत"),
    "rus_Cyrl": ("история часов", "домашнее мыло", "переезд за границу"),
    "spa_Latn": ("la historia de los relojes", "hacer jabón", "mudarse al extranjero"),
    "swh_Latn": ("historia ya saa", "kutengeneza sabuni", "kuhamia ng'ambo"),
    "zho_Hans": ("钟表的历史", "自制肥皂", "移居国外"),
}


@dataclass(frozen=True)
class Seed:
    """What one instruction is to be about."""

    topic: str
    task: str
    title: str  # the topic as the language says it


def seeds(tag: str) -> list[Seed]:
    """The pairs of topic and task that are kept out of the training."""
    say = phrases(tag)
    pairs = [
        (topic, task) for topic in say["topics"] for task in say["instructions"] if held_out(topic, task)
    ]
    return [Seed(topic, task, say["topics"][topic]) for topic, task in pairs]


def unknown_seeds(tag: str) -> list[Seed]:
    """Topics that are in no table, with every task."""
    tasks = list(phrases(tag)["instructions"])
    return [Seed(topic, task, topic) for topic in (*UNKNOWN, *OWN[tag]) for task in tasks]


def drafts(tag: str, some: Sequence[Seed], rng: random.Random | None = None) -> list[Chat]:
    """The prompts of the recipe's first step; with a generator, each worded in another way."""
    language = find(tag)
    chats = []
    for seed in some:
        values = {"topic": seed.topic, "task": seed.task}
        if rng:
            chats.append(Chat(wordings.draw("draft", language, rng).render(values), ""))
        else:
            messages = template_of("instruction", "draft", tag).render(
                {**values, "language": language, "feedback": ""}
            )
            chats.append(Chat(tuple((m.role, m.content) for m in messages), ""))
    return chats


def answers(tag: str, instructions: Sequence[str]) -> list[Chat]:
    """The prompts of the recipe's second step."""
    template = template_of("instruction", "answer", tag)
    rendered = (
        template.render({"instruction": text, "language": find(tag), "feedback": ""}) for text in instructions
    )
    return [Chat(tuple((m.role, m.content) for m in messages), "") for messages in rendered]


def holds(text: str, title: str) -> bool:
    """Whether a text holds the title, in any case."""
    return title.casefold() in text.casefold()


def task_of(tag: str, text: str, title: str) -> str:
    """The task whose wording is nearest to an instruction without its title."""
    rest = re.sub(re.escape(title), "", text, flags=re.IGNORECASE)
    wordings_of = phrases(tag)["instructions"]
    return max(
        wordings_of,
        key=lambda task: max(
            SequenceMatcher(None, rest, wording.replace("{topic}", "")).ratio()
            for wording in wordings_of[task]
        ),
    )


def measure(
    folder: Path, each: int, tags: Sequence[str], reworded: bool, show: int
) -> dict[str, list[float]]:
    """Shares of right replies by language, in the order of COLUMNS."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    torch.manual_seed(0)
    rng = random.Random(7)
    asked = [
        (tag, kind, seed)
        for tag in tags
        for kind, found in (("known", seeds(tag)), ("unknown", unknown_seeds(tag)))
        for seed in rng.choices(found, k=each)
    ]
    prompts = [drafts(tag, [seed], rng if reworded else None)[0] for tag, _, seed in asked]
    texts = [
        text.strip() for text in generate(model, tokenizer, prompts, TEMPERATURE, 90)
    ]  # the recipe's temperatures
    replies = generate(
        model, tokenizer, [answers(asked[n][0], [text])[0] for n, text in enumerate(texts)], 0.7, 200
    )
    found: dict[str, dict[str, list[bool]]] = {tag: {column: [] for column in COLUMNS} for tag in tags}
    for (tag, kind, seed), text, reply in zip(asked, texts, replies, strict=True):
        topic, task = holds(text, seed.title), task_of(tag, text, seed.title) == seed.task
        if kind == "unknown":
            found[tag]["unknown"].append(topic)
        else:
            for column, verdict in (("topic", topic), ("task", task), ("both", topic and task)):
                found[tag][column].append(verdict)
            if topic:
                found[tag]["answer"].append(holds(reply, seed.title))
        wrong = kind if not (topic and task) else "answer" if not holds(reply, seed.title) else ""
        if wrong and show > 0:
            print(f"--- {tag}, {wrong}: {seed.topic}, {seed.task}\n>>> {text}\n    {reply}")
            show -= 1
    return {
        tag: [sum(verdicts) / max(1, len(verdicts)) for verdicts in columns.values()]
        for tag, columns in found.items()
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure how glotmill-nano keeps to topic and task.")
    parser.add_argument("--model", type=Path, required=True, help="folder of the model")
    parser.add_argument("--each", type=int, default=60, help="replies by language and column")
    parser.add_argument("--languages", nargs="+", default=LANGUAGES, choices=LANGUAGES)
    parser.add_argument("--reworded", action="store_true", help="other wordings than the recipe's")
    parser.add_argument("--show", type=int, default=0, help="wrong replies to print")
    options = parser.parse_args()
    shares = measure(options.model, options.each, options.languages, options.reworded, options.show)
    shares["mean"] = [sum(column) / len(column) for column in zip(*shares.values(), strict=True)]
    print(f"| language | {' | '.join(COLUMNS)} |\n{'|---' * (len(COLUMNS) + 1)}|")
    for tag, row in shares.items():
        print(f"| {tag} | {' | '.join(f'{100 * share:.0f}' for share in row)} |")


if __name__ == "__main__":
    main()
