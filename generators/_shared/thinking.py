"""Thoughts of models: asking for them or not, and taking them out of a reply."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from glotmill.generators._shared.thinking_families import ALWAYS, BY_TEMPLATE, FAMILIES, HARMONY, Family
from glotmill.messages import NO_THINKING

__all__ = ["Family", "Thoughts", "family_of", "is_opened", "split", "template_arguments", "with_switch"]


@dataclass(frozen=True, slots=True)
class Thoughts:
    """A reply in two parts. finished: the thoughts came to an end, or there were none."""

    reasoning: str
    text: str
    finished: bool = True


_OPENED_BY_TEMPLATE = re.compile(r"<think>(?:\\n|\s)*['\"]?\s*-?[%}]\}")

_COMMON_TAGS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("[THINK]", "[/THINK]"),
    *(
        (f.opening, f.closing)
        for f in FAMILIES
        if f.opening not in ("<think>", "[THINK]") and f.name != HARMONY
    ),
)


@lru_cache(maxsize=256)
def family_of(model: str, chat_template: str = "") -> Family | None:
    """Return how a model thinks, or None where it is not known to think.

    model: its name or folder. A template that holds no trace of thoughts outweighs a name.
    """
    named = next((f for f in FAMILIES if re.search(f.models, model[-200:], re.IGNORECASE)), None)
    if not chat_template:
        return named
    if named and (
        named.opening in chat_template or named.closing in chat_template or _has(named, chat_template)
    ):
        return named
    for family in (*FAMILIES, *BY_TEMPLATE):
        if family.marks and all(mark in chat_template for mark in family.marks):
            return family
    return ALWAYS if _OPENED_BY_TEMPLATE.search(chat_template) else None


def _has(family: Family, template: str) -> bool:
    """Whether the template has what switches the thinking of this family."""
    names = [*filter(None, [family.argument]), *family.off, *family.switch]
    return any(name in template for name in names)


def template_arguments(family: Family | None, thinking: int) -> dict[str, Any]:
    """Return the arguments of the chat template for so many tokens of thinking.

    thinking: as in `Request`: 0 is none, -1 as many as the model likes.
    """
    if family is None:
        return {}
    arguments = {family.argument: thinking != NO_THINKING} if family.argument else {}
    if thinking == NO_THINKING:
        return {**arguments, **family.off}
    return {**arguments, **family.on, **({family.budget: thinking} if family.budget and thinking > 0 else {})}


def with_switch(messages: list[dict[str, str]], family: Family | None, thinking: int) -> list[dict[str, str]]:
    """Return a chat whose system message says whether to think, for families that are told so there."""
    if family is None or not family.switch:
        return messages
    switch = family.switch[thinking != NO_THINKING]
    if messages and messages[0]["role"] == "system":
        return [{"role": "system", "content": f"{messages[0]['content']}\n{switch}"}, *messages[1:]]
    return [{"role": "system", "content": switch}, *messages]


def is_opened(prompt: str, family: Family | None) -> bool:
    """Return whether a rendered prompt ends with an opening tag: the reply then has the closing one alone."""
    end = prompt[-200:].rstrip()
    return any(end.endswith(opening) for opening, _ in _tags(family))


def split(text: str, family: Family | None = None, opened: bool = False) -> Thoughts:
    """Return what a model thought and what it answered, without the tags.

    text: a reply, decoded with its special tokens if the family's tags are such.
    family: None tries the tags that models use most.
    opened: the chat template wrote the opening tag.

    Thoughts stand at the beginning. They end at the first closing tag, or at a later one that no opening tag
    goes before: then the earlier one was part of the thoughts. A tag within quotes or backticks is a mention.
    What is in doubt counts as thoughts. A text without thoughts comes back as it is. Takes linear time.
    """
    if family is not None and family.name == HARMONY:
        return _split_channels(f"{family.opening}{text}" if opened else text)
    pairs = _tags(family)
    if not opened and not any(tag in text for pair in pairs for tag in pair):  # most replies, and much faster
        return Thoughts("", _answer(text, family))
    tags = [*_pattern(pairs).finditer(text)]
    reasoning: list[str] = []
    thinking = opened
    start = previous = depth = 0  # of the part that is read; end of the last tag; tags that the answer opened
    blank = True  # nothing but space since the start of the part
    for tag in tags:
        blank = blank and not text[previous : tag.start()].strip()
        previous = tag.end()
        if _is_mention(text, *tag.span()):
            blank = False
        elif tag["closing"] and depth and not thinking:
            depth -= 1
        elif tag["closing"]:  # also where no opening tag came: a server's chat template wrote it
            reasoning.append(text[start : tag.start()].strip())
            start, blank, thinking, depth = tag.end(), True, False, 0
        elif blank:
            start, thinking = tag.end(), True
        else:
            depth += not thinking
    if thinking and (end := next((t for t in tags if t["closing"] and t.start() >= start), None)):
        reasoning.append(text[start : end.start()].strip())  # all of them were mentions: the first one, then
        start, thinking = end.end(), False
    if thinking:
        return Thoughts(_joined([*reasoning, text[start:].strip()]), "", finished=False)
    return Thoughts(_joined(reasoning), _answer(text[start:].strip() if start else text, family))


def _joined(parts: list[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def _tags(family: Family | None) -> tuple[tuple[str, str], ...]:
    return _COMMON_TAGS if family is None else ((family.opening, family.closing), *family.more_tags)


@lru_cache(maxsize=64)
def _pattern(tags: tuple[tuple[str, str], ...]) -> re.Pattern[str]:
    openings, closings = ("|".join(map(re.escape, side)) for side in zip(*tags, strict=True))
    return re.compile(f"(?P<closing>{closings})|{openings}")


def _is_mention(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    return before != "" and after != "" and before in "`'\"“‘«„「" and after in "`'\"”’»“」"


def _answer(text: str, family: Family | None) -> str:
    """Return the text after the thoughts, without the tags that the family puts around it."""
    if family is None or not family.answer or not text.lstrip().startswith(family.answer[0]):
        return text
    text = text.strip()[len(family.answer[0]) :]
    before, closing, after = text.rpartition(family.answer[1])
    return (before if closing and not after.strip() else text).strip()


_HEADER = re.compile(r"<\|channel\|>(\w*)(?:[^<\n]|<\|constrain\|>){0,200}<\|message\|>")
_SEGMENT_END = re.compile(r"<\|(?:end|return|call|start|channel)\|>")


def _split_channels(text: str) -> Thoughts:
    """Split OpenAI's harmony format: `analysis` and `commentary` are thoughts, `final` is the text."""
    channels: dict[str, list[str]] = {"reasoning": [], "text": []}
    finished = False
    headers = list(_HEADER.finditer(text))
    for header in headers:
        end = _SEGMENT_END.search(text, header.end())
        part = text[header.end() : end.start() if end else len(text)].strip()
        finished = header[1] == "final" or finished
        channels["text" if header[1] == "final" else "reasoning"].append(part)
    if headers:
        return Thoughts(_joined(channels["reasoning"]), _joined(channels["text"]), finished)
    # Decoded without special tokens, the names of the channels remain.
    if text.startswith("analysis"):
        reasoning, final, answer = text.removeprefix("analysis").partition("assistantfinal")
        return Thoughts(reasoning.strip(), answer.strip(), bool(final))
    return Thoughts("", text.strip())
