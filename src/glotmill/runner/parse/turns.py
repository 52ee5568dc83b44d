"""A reply as the turns of a conversation."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from glotmill.columns import UNPARSED
from glotmill.runner.parse import remarks
from glotmill.runner.parse.lines import MAX_ITEMS
from glotmill.runner.parse.list_marks import NUMBER
from glotmill.runner.parse.text import unwrap
from glotmill.runner.parse.unparsed import Unparsed

Turn = dict[str, str]

# "**Ana:** Good morning". Possessive, and the speaker is bounded: no text makes this slow.
_TURN = re.compile(
    rf"\A[\s*_>\-–—•]*+(?:{NUMBER}\s*+)?[*_]*+(?P<speaker>[^\s:：*_][^:：\n*]{{0,39}}?)[*_\s]*+[:：](?!//)[*_]*+"
    r"(?P<text>.*)\Z"
)
_ASIDE = re.compile(r"\s*[(（\[【].*\Z")  # after the name of a speaker: Ana (smiling)
_LETTER = re.compile(r"[^\W\d_]")
# Lines that are not speech: (a pause), [laughter], *sighs*, ```, ---
_NARRATION = re.compile(
    r"\A(?:\([^()]*\)|（[^（）]*）|\[[^\[\]]*\]|【[^【】]*】|\*[^*:：]*\*|```\w*|[-=*_~—]{3,})\Z"
)
_HEADING = re.compile(r"\A(?:#+\s.*|\*\*[^*:：]*\*\*)\Z")
# Within a line: one word and a colon, after a blank or the end of a sentence, with or without asterisks.
_BOUNDARY = r"(?:(?<=\s)|(?<=[.!?…。！？।۔»”\"」*]))[*_]{0,3}"
_INNER = re.compile(_BOUNDARY + r"(?P<speaker>[^\s:：*.!?。！？，、,]{1,20}?)[*_]{0,3} ?[:：](?!//)[*_]{0,3}")
_MAX_PREAMBLE, _MAX_GOODBYE = 400, 300  # characters without a speaker before the first turn, after the last
_MIN_TURNS = 4  # so many show how the turns of a talk are set
_MAX_NAMES, _MAX_SPLIT = 20, 100_000  # speakers, and characters of a reply, that are looked for within lines


@dataclass
class _Said:
    """A turn as it stands in the reply."""

    speaker: str
    lines: list[str]
    set_off: bool  # a blank line comes before it
    gap: int = 0  # the first of its lines that comes after a blank line; 0: none does

    @property
    def text(self) -> str:
        return "\n".join(self.lines).strip()


def parse_turns(text: str) -> list[Turn]:
    """Return the turns of a reply, {speaker, text} each; without preamble, headings, narration and goodbye.

    Raises Unparsed if there are none, more than MAX_ITEMS, or a long text before the first.
    """
    said = _read(text)
    if len(text) <= _MAX_SPLIT:
        said = _split(said)
    said = _without_goodbye(_without_preamble(said))
    if not said or len(said) > MAX_ITEMS:
        raise Unparsed(UNPARSED + "turns")
    texts = [turn.text for turn in said]
    unwrapped = [unwrap(text) for text in texts]
    if all(a != b for a, b in zip(texts, unwrapped, strict=True)):
        texts = unwrapped
    return [{"speaker": turn.speaker, "text": text} for turn, text in zip(said, texts, strict=True)]


def _read(text: str) -> list[_Said]:
    """Return the turns that begin at the start of a line, each with the lines up to the next."""
    said: list[_Said] = []
    before, blank = 0, False
    for line in map(str.strip, text.splitlines()):
        if not line:
            blank = True
            continue
        if _NARRATION.match(line) or (not said and _HEADING.match(line)):
            continue
        if turn := _parse_turn(line):
            said.append(_Said(turn[0], [turn[1]], blank))
        elif said:  # a turn may run over several lines
            if blank and not said[-1].gap and said[-1].text:
                said[-1].gap = len(said[-1].lines)
            said[-1].lines.append(line)
        else:
            before += len(line)
        blank = False
        if len(said) > MAX_ITEMS or before > _MAX_PREAMBLE:
            raise Unparsed(UNPARSED + "turns")
    return said


def _parse_turn(line: str) -> tuple[str, str] | None:
    """Return speaker and text of a line that begins with a name and a colon; None for any other line."""
    if not (turn := _TURN.match(line)) or not _LETTER.search(turn["speaker"]):
        return None
    name, text = turn["speaker"].strip(), turn["text"].strip()
    if line[0] in "*_" and text[-1:] == line[0] and text.count(line[0]) % 2:  # all of the line is emphasized
        text = text.rstrip("*_").rstrip()
    return _ASIDE.sub("", name).strip() or name, text


def _split(said: list[_Said]) -> list[_Said]:
    """Part the turns that stand on one line: "A: Hello. B: Hi.", if B speaks elsewhere or both are letters.

    Other words before a colon do not part a turn: "A: Remember: no eggs."
    """
    names = set(_speakers(said))
    if len(names) == 1:  # each line, or the only one, begins with the same speaker
        inner = Counter(
            found["speaker"] for turn in said for line in turn.lines for found in _INNER.finditer(line)
        )
        single = len(next(iter(names))) == 1
        names |= {name for name, times in inner.items() if times > 1 or (single and len(name) == 1)}
    if not 1 < len(names) <= _MAX_NAMES:
        return said
    alternatives = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    inner_turn = re.compile(rf"{_BOUNDARY}(?P<speaker>{alternatives})[*_]{{0,3}} ?[:：](?!//)[*_]{{0,3}}")
    return [part for turn in said for part in _parts(turn, inner_turn)]


def _parts(turn: _Said, inner_turn: re.Pattern[str]) -> Iterator[_Said]:
    """Yield the turns that stand in the lines of one."""
    current = _Said(turn.speaker, [], turn.set_off)
    for number, line in enumerate(turn.lines):
        if turn.gap == number and number:
            current.gap = len(current.lines)
        position = 0
        for found in inner_turn.finditer(line):
            spoken = line[position : found.start()].strip()
            if found["speaker"] == current.speaker or not "\n".join([*current.lines, spoken]).strip():
                continue
            current.lines.append(spoken)
            yield current
            current, position = _Said(found["speaker"], [], False), found.end()
        current.lines.append(line[position:].strip())
    yield current


def _speakers(said: Sequence[_Said]) -> Counter[str]:
    return Counter(turn.speaker for turn in said)


def _without_preamble(said: list[_Said]) -> list[_Said]:
    """Leave out a first turn that is none: "Here is the dialogue:", "Title: At the market"."""
    if not said:
        return said
    first, others = said[0], said[1:]
    once = first.speaker not in _speakers(others)
    presents = remarks.presents(remarks.plain(first.speaker))
    if not first.text or (once and (presents or (_is_block(others) and others[0].set_off))):
        return others
    return said


def _is_block(said: Sequence[_Said]) -> bool:
    """Return whether turns are a talk without blank lines: what one sets off from it is no part of it."""
    speakers = _speakers(said)
    return len(said) >= _MIN_TURNS and min(speakers.values()) > 1 and not any(t.set_off for t in said[1:])


def _without_goodbye(said: list[_Said]) -> list[_Said]:
    """Leave out what comes after the talk: a paragraph without a speaker, a note, a goodbye."""
    if len(said) > 1 and said[-1].set_off and said[-1].speaker not in _speakers(said[:-1]):
        note = f"{said[-1].speaker}: {said[-1].text}"[:_MAX_GOODBYE]
        if remarks.leave_start(note) == 0 or _is_block(said[:-1]):
            said = said[:-1]
    if not said or any(turn.gap for turn in said[:-1]):
        return said
    last = said[-1]
    if last.gap and len(said) >= _MIN_TURNS and len("".join(last.lines[last.gap :])) <= _MAX_GOODBYE:
        last.lines = last.lines[: last.gap]
    while len(last.lines) > 1 and last.lines[0] and remarks.leave_start(last.lines[-1]) == 0:
        last.lines.pop()
    return said
