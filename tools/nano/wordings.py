"""Draw how a prompt is worded: the sentences of the system message, the labels, and the order of the lines.

`draw` makes one wording for a batch of chats, so that their prompts begin alike; `Wording.render` puts in the
values of a chat. The sentences are in wordings.yaml.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from glotmill.languages import Language

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Wording:
    """A prompt without its values."""

    system: str
    user: str  # with {topic} and the like, as str.format reads it

    def render(self, values: Values) -> tuple[tuple[str, str], ...]:
        """Role and content of each message."""
        user = ("user", self.user.format(**values))
        return (("system", self.system), user) if self.system else (user,)


@cache
def wordings() -> Mapping[str, Any]:
    """The file of wordings."""
    return yaml.safe_load(Path(__file__).with_name("wordings.yaml").read_text("utf-8"))


def draw(step: str, language: Language, rng: random.Random, examples: Sequence[Values] = ()) -> Wording:
    """Draw a wording of a step's prompt. The language is named at least once in it."""
    parts = wordings()[step]
    spoken = rng.choice((language.name, f"{language.name} ({language.endonym})", language.endonym))
    sentences = rng.sample(parts["system"], rng.randint(1, min(7, len(parts["system"]))))
    system = " ".join(_worn(sentence, rng) for sentence in sentences) if rng.random() < 0.93 else ""
    lines = _lines(parts, rng)
    if rng.random() < 0.25:
        lines.insert(0, rng.choice(parts.get("before", ("",))))
    named = "{language}" in system + "".join(lines)
    if rng.random() < 0.5 or not named:
        named_lasts = [last for last in parts["last"] if named or "{language}" in last]
        lines.append(rng.choice(named_lasts))
    blank = "\n\n" if rng.random() < 0.1 else "\n"
    user = blank.join(line for line in lines if line).replace("{language}", spoken)
    shown = "".join(_example(parts, example, rng) for example in examples)
    return Wording(
        system.replace("{language}", spoken).replace("{{", "{").replace("}}", "}"),
        shown.replace("{", "{{").replace("}", "}}") + user,
    )


def other_task(task: str, rng: random.Random) -> str:
    """The task, or now and then another name of it."""
    return rng.choice(wordings()["tasks"][task]) if rng.random() < 0.2 else task


def unknown_topic(own_words: Sequence[str], rng: random.Random) -> str:
    """Draw a topic that no table knows: English words, words of the language, or words that do not exist."""
    kind = rng.choices(("english", "own", "invented", "mixed"), (5, 3, 2, 1))[0]
    if kind == "own":
        return _cut(rng.choice(own_words), rng)
    if kind == "invented":
        return " ".join(_invented(rng) for _ in range(rng.choice((1, 1, 2, 2, 3))))
    if kind == "mixed":
        return f"{_english(rng)} {rng.choice((_invented(rng), str(rng.randint(2, 2030))))}"
    return _english(rng)


def _lines(parts: Mapping[str, Any], rng: random.Random) -> list[str]:
    """The labelled lines in any order, the language's only sometimes."""
    if "user" in parts:
        return [parts["user"]]
    names = [name for name in parts["lines"] if name != "language" or rng.random() < 0.5]
    if rng.random() < 0.6:
        rng.shuffle(names)
    sign = rng.choice((": ", ": ", ": ", " = ", " - ", ":\n"))
    return [f"{rng.choice(parts['lines'][name])}{sign}{{{name}}}" for name in names]


def _example(parts: Mapping[str, Any], example: Values, rng: random.Random) -> str:
    title = rng.choice(parts["examples"]).format(event=example["speech_event"])
    return f"{title}\n{example['dialogue']}\n\n"


def _worn(sentence: str, rng: random.Random) -> str:
    """The sentence, or one with words left out or exchanged, as if somebody had written another one."""
    if rng.random() < 0.6:
        return sentence
    words = [word for word in sentence.split(" ") if "{" in word or rng.random() < 0.85]
    found = wordings()["words"]
    pool = [*found["things"], *found["kinds"], *found["places"]]
    return " ".join(rng.choice(pool) if "{" not in word and rng.random() < 0.1 else word for word in words)


def _english(rng: random.Random) -> str:
    words = {kind: rng.choice(found) for kind, found in wordings()["words"].items()}
    form = rng.choice(
        (
            "{doing} {things}",
            "{doing} {kinds} {things}",
            "{doing} {things} in the {places}",
            "{kinds} {things}",
            "{things} in the {places}",
            "the {places}",
            "the {things} of the {places}",
            "{doing} {signs} {things}",
            "{signs} {kinds} {things}",
            "{things}",
            "{things} and {other}",
            "{doing} {things} for the {places}",
        )
    )
    topic = form.format(other=rng.choice(wordings()["words"]["things"]), **words)
    return topic[0].upper() + topic[1:] if rng.random() < 0.2 else topic


def _cut(sentence: str, rng: random.Random) -> str:
    """One to five words, or two to eight characters of Chinese, without signs at the ends."""
    if " " in sentence:
        words = sentence.split(" ")
        size = rng.randint(1, 5)
        at = rng.randrange(max(1, len(words) - size))
        piece = " ".join(words[at : at + size])
    else:
        size = rng.randint(2, 8)
        at = rng.randrange(max(1, len(sentence) - size))
        piece = sentence[at : at + size]
    return piece.strip(" .,;:!?¡¿«»„“”\"'()।。，！？：、؟،—-") or sentence[:4]


def _invented(rng: random.Random) -> str:
    word = "".join(rng.choices(wordings()["words"]["syllables"], k=rng.randint(2, 4)))
    return word.capitalize() if rng.random() < 0.5 else word
