"""A reply as text, without what models write around it.

Taken off, from the outside in, as often as it occurs:

- a preamble: a first line such as "Sure, here's your request in Hindi:", and the rule (---) after it
- a goodbye: last sentences such as "Let me know if you need anything else!"
- a label: "Instruction:", "**Pregunta:**", "## Question"
- one pair of quotation marks, asterisks or fences around all of the text

A text that merely holds such things stays as it is: a line that introduces a list, code or a quotation,
fields ("Question: ... Answer: ..."), a fence of a programming language. What remains is never empty.
"""

import re

from glotmill.columns import EMPTY_REPLY
from glotmill.languages import table
from glotmill.runner.parse import remarks
from glotmill.runner.parse.unparsed import Unparsed

_QUOTES = {
    **{'"': '"', "'": "'", "“": "”", "”": "”", "„": "“”", "‟": "”", "«": "»", "»": "«", "‹": "›", "›": "‹"},
    **{"‘": "’", "‚": "‘’", "「": "」", "『": "』", "《": "", "〝": "〞〟", "＂": "＂", "｢": "｣"},
}
_EMPHASIS = ("***", "**", "__", "*", "_")
_PLAIN_FENCES = {"", "text", "txt", "plain", "plaintext", "markdown", "md", "none"}
_CODE = re.compile(r"[;{}]\s*$|^(?:\t|  )|^\s*[<$#!@]|\w\(|</|=>|==|\S {2,}\S|[│├└┌┐]", re.MULTILINE)
_RULE = re.compile(r"\A\s*+(?:[-*_=]{3,}+[ \t]*+\n\s*+)+")
_LAST_RULE = re.compile(r"\n[ \t]*+\n[ \t]*+[-*_=]{3,}+\Z")
# What a line that ends in a colon may introduce: an item of a list, a table, a formula.
_ITEM = re.compile(
    r"[-*–—+|]\s|[•·・▪◦|]|[(（]?\d{1,3}[.)）、．:：।]|[(（]?[a-zа-я][.)）]\s|\$\$|\\\[|\\begin|!\[|\.\.\s"
)
_AGREEMENT = re.compile(r"\A[\W_]*+[^!,.！，。、،।\n:：]{1,30}+[!,.！，。、،।]++[\s*_]*+")
_TAGS = re.compile(r"\A<(?P<label>\w{1,30}+)>(?P<inner>[^<]*+)</(?P=label)>\Z")
_SPECIAL = r"<\|[\w ]{1,40}\|>|<｜[^｜<>]{1,40}｜>|</?s>|<[be]os>|<(?:start|end)_of_turn>|\[/?INST\]"
_FIRST_TOKEN = re.compile(rf"(?:{_SPECIAL})(?:assistant\n|model\n)?")
_LAST_TOKEN = re.compile(rf"(?:{_SPECIAL})\Z")
_LONGEST_TOKEN = 50
_COLONS = (":", "：", "፦", "՝", "៖")
_LETTER_BETWEEN = re.compile(r"(?<=\w)['’](?=\w)")
_FIELD = re.compile(r"^[^\s:：.!?,][^:：\n.!?,]{0,24}[:：](?!//)", re.MULTILINE)
_QUOTED = re.compile(r'["“”„«»「」『』]')
_SENTENCE = re.compile(r"[.!?…。！？।۔؟]")
_MAX_CLEANINGS = 6  # a hostile text is no nest of a thousand quotation marks
_MAX_REMARK_WORDS = 12  # of a preamble that does not end in a colon


def parse_text(text: str) -> str:
    """Return a reply without what models write around it. Raises Unparsed if the reply is empty."""
    if not (text := clean(text)):
        raise Unparsed(EMPTY_REPLY)
    return text


def without_tokens(text: str) -> str:
    """Return a reply without a byte order mark, and without special tokens of chat templates at its ends."""
    text = text.strip().lstrip("\ufeff\u200b").lstrip()
    while (found := _FIRST_TOKEN.match(text)) is not None:
        text = text[found.end() :].lstrip()
    while text.endswith((">", "]")) and (found := _LAST_TOKEN.search(text[-_LONGEST_TOKEN:])) is not None:
        text = text[: len(text) - len(found[0])].rstrip()
    return text


def parse_exact_text(text: str) -> str:
    """Return a reply without the white space around it. Raises Unparsed if it is empty."""
    if not (text := text.strip()):
        raise Unparsed(EMPTY_REPLY)
    return text


def clean(text: str) -> str:
    """Return a text without preamble, goodbye, label and marks around all of it; a blank text is empty."""
    text = text.strip()
    for _ in range(_MAX_CLEANINGS):
        cleaned = unwrap(without_label(without_goodbye(without_preamble(text))))
        if cleaned == text or not cleaned:
            break
        text = cleaned
    return text


def without_preamble(text: str) -> str:
    """Return a text without a first line, or the beginning of one, that only presents what follows."""
    first, _, rest = text.partition("\n")
    if len(first) <= remarks.MAX_OPENING and rest:
        blank, rest = not rest.partition("\n")[0].strip(), _RULE.sub("", rest.strip())
        if is_preamble(first, blank):
            plain_rest = _without_gloss(rest)
            return _without_agreement(text) if _is_introduced(plain_rest) else plain_rest
    opening, colon, _ = first[: remarks.MAX_OPENING].replace("：", ":").partition(":")
    rest = text[len(opening) + 1 :].lstrip("*_").strip()
    if not colon or not rest or not remarks.presents(plain := remarks.plain(opening)):
        return text
    # on one line, "Here is a riddle: ..." may be all the model's own; "Sure, here is ..." is not
    alone = remarks.agrees(plain) or unwrap(rest) != rest
    return rest if alone and not _is_introduced(rest) else text


def _without_agreement(text: str) -> str:
    """Return a text without the "Sure!" before a line that introduces a list or code, and so has to stay."""
    opening = _AGREEMENT.match(text[: remarks.MAX_OPENING])
    if not opening or not remarks.agrees(remarks.plain(opening[0])):
        return text
    rest = text[opening.end() :]
    return (
        rest[:1].upper() + rest[1:] if remarks.presents(remarks.plain(rest[: remarks.MAX_OPENING])) else text
    )


def _without_gloss(text: str) -> str:
    """Return a text without a last paragraph in brackets, such as a translation of what was presented."""
    before, blank, last = text.rpartition("\n\n")
    last = last.strip()
    return before.rstrip() if blank and last[:1] in "(（[" and last[-1:] in ")）]" else text


def is_preamble(line: str, blank: bool) -> bool:
    """Return whether a first line only presents what follows. blank: whether a blank line comes after it."""
    bare = line.strip().rstrip("*_ ")
    plain = remarks.plain(bare)
    if bare.endswith(_COLONS):
        return remarks.presents(plain) or remarks.agrees(plain)
    agrees, sentences = remarks.agrees(plain), len(_SENTENCE.findall(bare[:-1]))
    if agrees and len(plain.split()) <= 3 and not sentences:
        return True  # "Sure!"
    if not blank or len(plain.split()) > _MAX_REMARK_WORDS or _QUOTED.search(bare):
        return False
    return remarks.presents(plain) and len(plain) >= 6 and sentences <= agrees


def _is_introduced(rest: str) -> bool:
    """Return whether a text is one that needs the line before it: a list, code, a quotation and more."""
    if _ITEM.match(rest):
        return True
    if rest.startswith("```"):
        return unwrap(rest) == rest
    return rest[:1] in _QUOTES and unwrap(rest) == rest and "\n\n" in rest


def without_goodbye(text: str) -> str:
    """Return a text without last sentences that take leave. A letter ("Dear Ana,") keeps its own."""
    first = text[: text.find("\n")] if "\n" in text else ""
    if first and len(first) <= 60 and first.rstrip().endswith((",", "，", "،")):
        return text
    rest = text[: remarks.leave_start(text)].rstrip()
    return _LAST_RULE.sub("", rest).rstrip() or text


def without_label(text: str) -> str:
    """Return a text without a label such as "Instruction:"; fields, which have several, stay."""
    end = remarks.label_end(text)
    rest = text[end:]
    if not end or remarks.has_label(rest) or _FIELD.search(rest[:5_000], 1) or _ITEM.match(rest):
        return text
    return rest.strip()


def unwrap(text: str) -> str:
    """Return a text without the pair of quotation marks, asterisks, fences or tags around all of it."""
    for inner in (_unfenced(text), _unquoted(text), _plain_weight(text), _unindented(text), _untagged(text)):
        if inner:
            return inner
    return text


def _unfenced(text: str) -> str:
    """Return what stands in a fence around all of a text; empty if there is none, or if it holds code."""
    if len(text) < 7 or not text.startswith("```") or not text.endswith("```"):
        return ""
    tag, newline, inner = text[3:-3].partition("\n")
    if not newline:
        tag, inner = "", text[3:-3]
    tag = tag.strip().lower()
    if "```" in inner or (tag not in _PLAIN_FENCES and (len(tag) < 5 or tag not in _language_names())):
        return ""
    return "" if _CODE.search(inner) else inner.strip()


def _language_names() -> frozenset[str]:
    return frozenset(name.lower() for one in table() for name in (one.name, one.endonym))


def _unquoted(text: str) -> str:
    """Return what stands in a pair of quotation marks around all of a text; empty if there is none."""
    if len(text) < 3 or text[-1] not in _QUOTES.get(text[0], ""):
        return ""
    inner = text[1:-1]
    marks = _LETTER_BETWEEN.sub("", inner) if text[0] in "'‘‚" else inner
    return "" if text[0] in marks or text[-1] in marks else inner.strip()


def _plain_weight(text: str) -> str:
    """Return what stands between asterisks or underscores around all of a text; empty if there are none."""
    for mark in _EMPHASIS:
        if text.startswith(mark) and text.endswith(mark) and len(text) > 2 * len(mark) + 1:
            inner = text[len(mark) : -len(mark)]
            if mark[0] in inner or inner[0].isspace() or inner[-1].isspace():
                return ""
            return inner if mark[0] == "*" or " " in inner else ""
    return ""


def _unindented(text: str) -> str:
    """Return a text without the ">" that begins each of its lines; empty if a line has none."""
    if not text.startswith("> "):
        return ""
    lines = text.splitlines()
    return (
        "\n".join(line[1:].strip() for line in lines).strip()
        if all(line[:1] == ">" for line in lines)
        else ""
    )


def _untagged(text: str) -> str:
    """Return what stands in <question>...</question> or the like; empty if all of the text does not."""
    tags = _TAGS.match(text)
    return tags["inner"].strip() if tags and remarks.has_label(tags["label"] + ":") else ""
