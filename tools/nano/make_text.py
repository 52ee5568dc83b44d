"""Make the training text of glotmill-nano: prompts worded in many ways, with replies drawn from phrases/.

    python tools/nano/make_text.py --show 2            print two chats of every task in every language
    python tools/nano/make_text.py --seeds             write the seed files that follow from the phrases

Everything is drawn from a seeded generator, so that the same seed gives the same text.
"""

import argparse
import json
import random
import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import wordings
import yaml

from glotmill.languages import find
from glotmill.recipes.template import Template, load

HERE = Path(__file__).resolve().parent
PROMPTS = HERE.parents[1] / "prompts"
LANGUAGES = tuple(sorted(path.stem for path in (HERE / "phrases").glob("*.yaml")))
NAMES = ("Amina", "Tom", "Lena", "Omar", "Mei", "Ivan", "Rosa", "Juma", "Sara", "Paul", "Anna", "Ravi")
OTHER_NAMES = {  # other names and endonyms that a language goes by
    "arb_Arab": (("Standard Arabic", "Modern Standard Arabic"), ("العربية الفصحى",)),
    "zho_Hans": (("Chinese", "Simplified Chinese", "Chinese (Simplified)"), ("中文", "简体中文")),
    "swh_Latn": (("Swahili", "Coastal Swahili"), ("Kiswahili",)),
}
EQUATION = re.compile(r"\d+ [-+*] \d+ = \d+")
SHARES = {  # how often a task is drawn in a training from chance
    "draft": 0.14,
    "answer": 0.14,
    "score": 0.02,
    "persona": 0.08,
    "dialogue": 0.14,
    "problem": 0.10,
    "solution": 0.24,
    "drill": 0.14,
}
LATER_SHARES = {  # in one that goes on from a trained model
    "draft": 0.32,
    "answer": 0.16,
    "score": 0.01,
    "persona": 0.12,
    "dialogue": 0.12,
    "problem": 0.05,
    "solution": 0.18,
    "drill": 0.04,
}
OWN_TEMPLATE = 0.5  # of the prompts are the recipe's own
UNKNOWN = 0.3  # of the topics of draft and answer are in no table, and are to be copied
# How often an answer goes wrong, about: sampling below temperature 1 makes each rarer.
MISTAKES = {"other language": 0.03, "echo": 0.02, "short": 0.02, "loop": 0.04}

Values = dict[str, Any]
Phrases = Mapping[str, Any]


@dataclass(frozen=True)
class Chat:
    """One chat: what is asked, and what the model is to say."""

    messages: tuple[tuple[str, str], ...]  # role, content
    reply: str


@cache
def phrases(tag: str) -> Phrases:
    """The phrases of a language."""
    return yaml.safe_load((HERE / "phrases" / f"{tag}.yaml").read_text("utf-8"))


@cache
def demonstrations() -> list[Values]:
    """The English example dialogues that the recipe shows."""
    return read_rows(PROMPTS / "dialogue" / "demonstrations.jsonl")


@cache
def grounds() -> list[str]:
    """What two speakers of the dialogue recipe may both know."""
    return sorted({row["common_ground"] for row in read_rows(PROMPTS / "dialogue" / "seeds.jsonl")})


@cache
def template_of(recipe: str, step: str, tag: str) -> Template:
    """The recipe's template of a step, as a language says it."""
    return load(PROMPTS / recipe, step, find(tag))


def read_rows(path: Path) -> list[Values]:
    """The rows of a JSON lines file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def chats(task: str, tag: str, rng: random.Random, count: int) -> list[Chat]:
    """Draw chats of one task in one language. They share the language's name, so that prompts begin alike."""
    language = find(tag)
    more_names, more_endonyms = OTHER_NAMES.get(tag, ((), ()))
    if rng.random() < 0.3:
        language = replace(
            language,
            name=rng.choice((language.name, *more_names)),
            endonym=rng.choice((language.endonym, *more_endonyms)),
        )
    recipe, step, drawer = TASKS[task]
    examples = [rng.choice(demonstrations())] if task == "dialogue" else []
    render: Callable[[Values], tuple[tuple[str, str], ...]]
    if rng.random() < OWN_TEMPLATE:
        # Now and then the template that all languages share, which is English's.
        template = template_of(recipe, step, "eng_Latn" if rng.random() < 0.1 else tag)
        shared = {"language": language, "examples": examples, "feedback": ""}

        def render(values: Values) -> tuple[tuple[str, str], ...]:
            return tuple((m.role, m.content) for m in template.render({**values, **shared}))
    else:
        wording = wordings.draw(step, language, rng, examples)

        def render(values: Values) -> tuple[tuple[str, str], ...]:
            return wording.render(_as_text(values, rng))

    drawn = []
    for _ in range(count):
        values, reply = drawer(phrases(tag), rng)
        drawn.append(Chat(render(values), reply))
    return drawn


def _as_text(values: Values, rng: random.Random) -> Values:
    """Lists as one line, and tasks under other names too."""
    texts = {name: " ".join(value) if isinstance(value, list) else value for name, value in values.items()}
    return texts | ({"task": wordings.other_task(texts["task"], rng)} if "task" in texts else {})


def held_out(topic: str, task: str) -> bool:
    """Whether topic and task are never trained together: one pair in eight, to measure with."""
    return zlib.crc32(f"{topic}/{task}".encode()) % 8 == 0


def draw_topic(say: Phrases, rng: random.Random) -> tuple[str, str, str]:
    """Draw a topic as the prompt has it, the task, and the topic as the reply has it."""
    task = rng.choice(list(say["instructions"]))
    if rng.random() < UNKNOWN:
        topic = wordings.unknown_topic(_sentences(say), rng)
        if topic.lower() not in say["topics"]:
            return topic, task, topic
    topic = rng.choice([name for name in say["topics"] if not held_out(name, task)])
    shown = topic[0].upper() + topic[1:] if rng.random() < 0.1 else topic
    return shown, task, say["topics"][topic]


def _sentences(say: Phrases) -> tuple[str, ...]:
    return tuple(text for parts in say["answers"].values() for text in parts["middles"])


def draft(say: Phrases, rng: random.Random) -> tuple[Values, str]:
    """Topic and task in English -> an instruction, rarely in another language."""
    topic, task, title = draw_topic(say, rng)
    if rng.random() < 0.02:
        say = other_language(say, rng)
        title = say["topics"].get(topic.lower(), title)
    return {"topic": topic, "task": task}, instruction_text(say, title, task, rng)


def answer(say: Phrases, rng: random.Random) -> tuple[Values, str]:
    """An instruction -> its answer, sometimes with a mistake that a filter drops."""
    topic, task, title = draw_topic(say, rng)
    asked = instruction_text(say, title, task, rng)
    mistake = rng.choices((*MISTAKES, ""), (*MISTAKES.values(), 1 - sum(MISTAKES.values())))[0]
    if mistake == "echo":
        return {"instruction": asked}, asked
    if mistake == "short":
        return {"instruction": asked}, say["too_short"]
    if mistake == "other language":
        say = other_language(say, rng)
        title = say["topics"].get(topic.lower(), title)
    reply = answer_text(say, title, task, rng)
    if mistake == "loop":
        again = rng.choice(say["answers"][task]["middles"])
        reply = blank_of(say).join([reply.split(again)[0].strip(), *[again] * rng.randint(6, 9)])
    return {"instruction": asked}, reply


def other_language(say: Phrases, rng: random.Random) -> Phrases:
    """Another language's phrases: mostly English's."""
    others = [tag for tag in LANGUAGES if phrases(tag) is not say]
    return phrases("eng_Latn" if "eng_Latn" in others and rng.random() < 0.7 else rng.choice(others))


def blank_of(say: Phrases) -> str:
    """What stands between two sentences."""
    return "" if say["too_short"].endswith("。") else " "


def score(say: Phrases, rng: random.Random) -> tuple[Values, str]:
    """An instruction and an answer -> points: few if the answer is another task's or in another language."""
    topic, task, title = draw_topic(say, rng)
    asked = instruction_text(say, title, task, rng)
    kind = rng.choices(("good", "other task", "other language"), (6, 2, 2))[0]
    points = {"good": (4, 4, 5), "other task": (2, 3), "other language": (1,)}[kind]
    if kind == "other task":
        task = rng.choice([name for name in say["instructions"] if name != task])
    if kind == "other language":
        say = other_language(say, rng)
        title = say["topics"].get(topic.lower(), title)
    values = {"instruction": asked, "answer": answer_text(say, title, task, rng)}
    return values, json.dumps({"score": rng.choice(points)})


def persona(say: Phrases, rng: random.Random) -> tuple[Values, str]:
    """Occupation and hobby in English -> three sentences, one a line."""
    occupation, hobby = rng.choice(list(say["occupations"])), rng.choice(list(say["hobbies"]))
    return {"occupation": occupation, "hobby": hobby}, "\n".join(persona_lines(say, occupation, hobby, rng))


def dialogue(say: Phrases, rng: random.Random) -> tuple[Values, str]:
    """Two personas, common ground and a speech event -> 6 to 8 turns."""
    event = rng.choice(list(say["dialogue"]["events"]))
    values: Values = {"speech_event": event, "common_ground": rng.choice(grounds())}
    for who in ("persona_a", "persona_b"):
        occupation, hobby = rng.choice(list(say["occupations"])), rng.choice(list(say["hobbies"]))
        values[who] = persona_lines(say, occupation, hobby, rng)
    return values, dialogue_text(say, event, rng)


def problem(say: Phrases, rng: random.Random) -> tuple[Values, str]:
    """An English word problem -> the same story in the language; in English, another wording."""
    kind, numbers = draw_numbers(rng)
    english, index = draw_wording(phrases("eng_Latn"), kind, rng)
    name, item = rng.choice(NAMES), rng.choice(list(say["items"]))
    wordings = say["problems"][kind]["wordings"]
    if say is phrases("eng_Latn"):
        retold = rng.choice([text for text in wordings if text != english])
    else:
        extra = range(len(phrases("eng_Latn")["problems"][kind]["wordings"]), len(wordings))
        retold = wordings[rng.choice((index, index, *extra))]
    question = english.format(name=name, item=phrases("eng_Latn")["items"][item], **numbers)
    return {"question": question}, retold.format(name=name, item=say["items"][item], **numbers)


def solution(say: Phrases, rng: random.Random) -> tuple[Values, str]:
    """A problem in the language -> one line a step, and the result."""
    kind, numbers = draw_numbers(rng)
    wording, _ = draw_wording(say, kind, rng)
    item = rng.choice(list(say["items"].values()))
    text = wording.format(name=rng.choice(NAMES), item=item, **numbers)
    return {"problem": text}, solution_text(say, kind, numbers, rng)


def drill(say: Phrases, rng: random.Random) -> tuple[Values, str]:
    """No problem -> some twenty bare equations, of which only the results are to be learned."""
    solved = "".join(solution_text(say, *draw_numbers(rng), rng) for _ in range(14))
    return {"problem": "?"}, "\n".join(EQUATION.findall(solved))


def draw_numbers(rng: random.Random) -> tuple[str, dict[str, int]]:
    """Draw a kind of problem and its numbers, p the product and r the result, which is never negative."""
    kinds = ("add", "subtract", "multiply", "multiply_add", "multiply_subtract")
    kind = rng.choices(kinds, (2, 2, 1, 3, 3))[0]
    if kind in ("add", "subtract"):
        a, b = rng.randint(2, 20), rng.randint(2, 20)
        if kind == "add":
            return kind, {"a": a, "b": b, "r": a + b}
        a, b = max(a, b) + (a == b), min(a, b)
        return kind, {"a": a, "b": b, "r": a - b}
    a, b = rng.randint(2, 9), rng.randint(2, 9)
    if kind == "multiply":
        return kind, {"a": a, "b": b, "r": a * b}
    if kind == "multiply_add":
        c = rng.randint(2, 15)
        return kind, {"a": a, "b": b, "c": c, "p": a * b, "r": a * b + c}
    c = rng.randint(2, min(15, a * b - 1))
    return kind, {"a": a, "b": b, "c": c, "p": a * b, "r": a * b - c}


def draw_wording(say: Phrases, kind: str, rng: random.Random) -> tuple[str, int]:
    """A wording of a kind of problem, and its place in the list."""
    wordings = say["problems"][kind]["wordings"]
    index = rng.randrange(len(wordings))
    return wordings[index], index


def instruction_text(say: Phrases, title: str, task: str, rng: random.Random) -> str:
    """An instruction about a topic, which the language calls `title`."""
    return rng.choice(say["instructions"][task]).replace("{topic}", title)


def answer_text(say: Phrases, title: str, task: str, rng: random.Random) -> str:
    """Opening, two or three middles, closing; one of the first two sentences holds the topic."""
    parts = say["answers"][task]
    opening = rng.choice(parts["openings"])
    about = [] if "{topic}" in opening else [rng.choice(say["asides"])]
    middles = rng.sample(parts["middles"], 2 if about else rng.choice((2, 2, 3)))
    text = [opening, *about, *middles, rng.choice(parts["closings"])]
    return blank_of(say).join(text).replace("{topic}", title)


def persona_lines(say: Phrases, occupation: str, hobby: str, rng: random.Random) -> list[str]:
    """Work, hobby, and something else."""
    return [say["occupations"][occupation], say["hobbies"][hobby], rng.choice(say["persona_thirds"])]


def dialogue_text(say: Phrases, event: str, rng: random.Random) -> str:
    """Greetings, one or two pairs of the event, perhaps a filler pair, farewells: 6 to 8 turns."""
    talk = say["dialogue"]
    first, second = rng.sample(talk["events"][event], 2)
    middle = rng.choice(([first], [first, second], [first, second], [first, rng.choice(talk["fillers"])]))
    turns = [rng.choice(talk["greetings_a"]), rng.choice(talk["greetings_b"])]
    turns += [turn for pair in middle for turn in pair]
    turns.append(rng.choice(talk["farewells_a"]))
    if len(turns) == 5 or rng.random() < 0.8:
        turns.append(rng.choice(talk["farewells_b"]))
    return "\n".join(f"{'AB'[n % 2]}: {turn}" for n, turn in enumerate(turns))


def solution_text(say: Phrases, kind: str, numbers: Mapping[str, int], rng: random.Random) -> str:
    """One line a step, then the result."""
    steps = [rng.choice(step).format(**numbers) for step in say["problems"][kind]["steps"]]
    return "\n".join([*steps, f"#### {numbers['r']}"])


# What is trained -> the recipe and step whose prompt it has, and how a chat is drawn.
TASKS: Mapping[str, tuple[str, str, Callable[[Phrases, random.Random], tuple[Values, str]]]] = {
    "draft": ("instruction", "draft", draft),
    "answer": ("instruction", "answer", answer),
    "score": ("instruction", "score", score),
    "persona": ("dialogue", "persona", persona),
    "dialogue": ("dialogue", "dialogue", dialogue),
    "problem": ("reasoning", "problem", problem),
    "solution": ("reasoning", "solution", solution),
    "drill": ("reasoning", "solution", drill),
}


def write_instruction_seeds(path: Path) -> None:
    """Every topic with every task, shuffled."""
    say = phrases("eng_Latn")
    rows = [{"topic": topic, "task": task} for topic in say["topics"] for task in say["instructions"]]
    random.Random(1).shuffle(rows)
    write_rows(path, rows)


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a JSON lines file."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def main() -> None:
    """Show samples, or write the seeds."""
    parser = argparse.ArgumentParser(description="The training text of glotmill-nano.")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="chats to print of each kind")
    parser.add_argument("--seeds", action="store_true", help="write prompts/instruction/seeds.jsonl")
    options = parser.parse_args()
    if options.seeds:
        write_instruction_seeds(PROMPTS / "instruction" / "seeds.jsonl")
    rng = random.Random(0)
    for tag in LANGUAGES:
        for task in TASKS:
            for chat in chats(task, tag, rng, options.show):
                print(f"=== {tag} {task}")
                for role, content in (*chat.messages, ("assistant", chat.reply)):
                    print(f"[{role}] {content}")


if __name__ == "__main__":
    main()
