"""Finds what a model says about its reply, around the reply: "Sure! Here is your request:", "Instruction:".

`remarks.csv` lists, for 71 languages, how models agree ("sure"), present ("here is"), label ("question")
and, for 40 of them, take leave ("let me know if"); `filters/_text/assistant_phrases.csv` has more phrases.
All languages are tried on every reply, since models slip into English.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from glotmill import languages
from glotmill.filters._text.phrases import ASSISTANT_PHRASES, alternatives, read_table

_REMARKS = Path(__file__).with_name("remarks.csv")
# Scripts without blanks between words.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"
_STOP = r"[!,.:;…！，。：、،։।؛—–]"
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\u02bb\uff07`´", "'"))
_OPENING = re.compile(r"\A[\W_]+")
_SENTENCE_END = re.compile(r"[\n]|[.!?…][\"”»')\]*_]*\s|[。！？।॥؟۔።]")
_MARKS = r"\A[\s*_#>\[(【]*+(?P<label>[^\s:：\d*_()（）\[\]][^:：\n*_()（）\[\]]{0,40}?)"
_NUMBER = r"[^\S\n]*+\d{0,3}+[^\S\n]*+(?:[(（][^()（）\n]{1,30}[)）])?+"
_LABEL = re.compile(_MARKS + _NUMBER + r"[*_\])】]*+[^\S\n]*+[:：](?!\d)[*_]*+\s*+(?=\S)")
_HEADING = re.compile(r"(?=\s*+(?:#|\*\*))" + _MARKS + _NUMBER + r"[*_]*+[^\S\n]*+\n\s*+(?=\S)")
_COLON = re.compile("[:：]")
_WORDS = re.compile(r"[^\s!-/:-@\[-`{-~¡-¿，。！？；、“”«»]+")
# Of a text: longest opening line, longest leave and longest search for labels.
MAX_OPENING, _MAX_LEAVE, _MAX_FIELDS = 200, 400, 5_000


def plain(text: str) -> str:
    """Return a short text from its first letter on, in lower case, with one apostrophe and single spaces."""
    lower = unicodedata.normalize("NFC", text).translate(_APOSTROPHES).casefold().replace("\u0307", "")
    return _OPENING.sub("", " ".join(lower.split()))


def agrees(line: str) -> bool:
    """Return whether a line begins with "Sure!", "Bien sûr," or the like. line: as `plain` returns it."""
    return bool(_openings()["agree"].match(line))


def presents(line: str) -> bool:
    """Return whether a line begins with "Here is", "Sure! Here is" or so. line: as `plain` returns it."""
    return bool(_openings()["present"].match(line))


def label_end(text: str) -> int:
    """Return where the text after a label such as "Question:" begins; 0 if it does not begin with a label."""
    for pattern in (_LABEL, _HEADING):
        if (found := pattern.match(text[:MAX_OPENING])) and plain(found["label"]) in _labels():
            return found.end()
    return 0


def has_label(text: str) -> bool:
    """Return whether a text holds a label, such as "Answer:", among its first characters."""
    text = text[:_MAX_FIELDS]
    for colon in _COLON.finditer(text):
        words = _WORDS.findall(plain(text[max(0, colon.start() - 40) : colon.start()]))
        if any(" ".join(words[-n:]) in _labels() for n in (1, 2, 3)):
            return True
    return False


def leave_start(text: str) -> int:
    """Return where the last sentences that take leave begin ("Let me know if ..."); the length if none."""
    end = len(text)
    base = max(0, end - _MAX_LEAVE)
    starts = [base, *(base + match.end() for match in _SENTENCE_END.finditer(text[base:]))]
    if base:
        starts.pop(0)
    for start in reversed(starts[-12:]):
        sentence = text[start:end]
        if not any(map(str.isalpha, sentence)):
            continue  # an emoji after the last sentence
        if not _leave().match(plain(sentence)):
            break
        end = start
    return end


def _phrases(kind: str) -> Iterable[str]:
    for row in read_table(_REMARKS):
        for phrase in filter(None, row[kind].split("|")):
            # a word ends where a letter does not follow; in scripts without blanks, anywhere
            yield re.escape(plain(phrase)) + ("" if re.search(f"[{_UNSPACED}]\\Z", phrase) else r"(?!\w)")


@cache
def _openings() -> dict[str, re.Pattern[str]]:
    agree, present = alternatives(_phrases("agree")), alternatives(_phrases("present"))
    table = read_table(ASSISTANT_PHRASES)
    patterns = alternatives(row["pattern"] for row in table if row["where"] == "start")
    return {
        "agree": re.compile(rf"(?:{agree})\s*{_STOP}"),
        # an interjection that the table need not know: "Zeker!", "Yes,"
        "present": re.compile(
            rf"(?:[^\W\d]{{1,20}}(?:[ '][^\W\d]{{1,20}}){{0,2}}\s*{_STOP}+\s*)?(?:{present})|{patterns}"
        ),
    }


@cache
def _labels() -> frozenset[str]:
    """Return the labels of all languages, and the names of the languages."""
    words = (plain(word) for row in read_table(_REMARKS) for word in row["label"].split("|"))
    names = {plain(name) for one in languages.table() for name in (one.name, one.endonym)}
    # "Ewe: a sheep" is no label
    return frozenset([*words, *(name for name in names if len(name) > 3 or not name.isascii())])


@cache
def _leave() -> re.Pattern[str]:
    patterns = (row["pattern"] for row in read_table(ASSISTANT_PHRASES) if row["where"] == "end")
    return re.compile(alternatives([*patterns, *_phrases("leave")]))
