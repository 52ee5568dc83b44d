"""The parts of a card: what people wrote, and between markers what glotmill wrote of each run."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

BEGIN = "<!-- glotmill:begin (up to glotmill:end all is written anew at each publish; write outside) -->"
END = "<!-- glotmill:end -->"

_OWN = re.compile(r"^<!-- glotmill:begin\b[^\n]*-->\n(.*?)^<!-- glotmill:end -->$", re.DOTALL | re.MULTILINE)
_RUN = re.compile(
    r"^<!-- glotmill:run ([\w.-]+)( toy)?((?: \w+=\d+)*) -->\n"
    r"((?:(?!<!-- glotmill:)[^\n]*\n)*)"  # a part whose end is lost takes no other with it
    r"^<!-- glotmill:run end -->$",
    re.MULTILINE,
)
_NAME = re.compile(r"## Run (.*)\n")
_ABOUT = re.compile(r"^- \*\*Recipe\*\*: (.*)$", re.MULTILINE)
_LONE = re.compile(r"^<!-- glotmill:[^\n]*-->\n?", re.MULTILINE)


@dataclass(frozen=True)
class CardPart:
    """What a card says of one run. The first line keeps what the rest of the card needs to know of it."""

    key: str
    text: str
    toy: bool  # made by a stand-in: nobody should train on it
    tokens: Mapping[str, int]  # language -> tokens, about; without those of which none were counted

    @property
    def name(self) -> str:
        """What the run is called, as Markdown; empty if its part does not begin as it did."""
        found = _NAME.match(self.text)
        return found[1] if found else ""

    @property
    def about(self) -> str:
        """The recipe and what it is about, as Markdown; empty if its part does not tell."""
        found = _ABOUT.search(self.text)
        return found[1] if found else ""

    def __str__(self) -> str:
        counts = "".join(f" {tag}={count}" for tag, count in sorted(self.tokens.items()))
        toy = " toy" if self.toy else ""
        return f"<!-- glotmill:run {self.key}{toy}{counts} -->\n{self.text}\n<!-- glotmill:run end -->"


def taken_apart(body: str) -> tuple[str, dict[str, CardPart], str]:
    """Return what people wrote before our part, what it says of each run, and what they wrote after."""
    parts = _OWN.split(body)
    runs = {}
    for found in (found for part in parts[1::2] for found in _RUN.finditer(part)):
        counts = dict(pair.split("=") for pair in found[3].split())
        tokens = {tag: int(count) for tag, count in counts.items()}
        runs[found[1]] = CardPart(found[1], found[4].strip("\n"), bool(found[2]), tokens)
    theirs = [_LONE.sub("", part).strip() for part in parts[::2]]
    return theirs[0], runs, "\n\n".join(part for part in theirs[1:] if part)
