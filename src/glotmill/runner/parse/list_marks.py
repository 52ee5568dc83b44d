"""Takes bullets and numbers off the lines of a list, as models write them in many languages.

Some marks are sure by themselves: `- `, `•`, `1.`, `(1)`, `①`, `1\\.`, `**1.**`. Others may as well begin a
sentence ("a. m.", "三、四天"): they are marks only where they count 1, 2, 3 ... through the lines.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cache

# Number of a list item: 1. 2) （３） ४। 5-, but not 3.5
NUMBER = r"[(（]?\d{1,3}(?:[.)）、．:：।](?!\d)|[-–](?=\s))"

_BULLET = re.compile(
    r"\A(?:[-*–—+−‐‒―]\s+|[•·・‣⁃∙◦▪▫■□●○◆◇▶▸►➢➤➔→⇒✓✔☑✅🔹🔸👉]\ufe0f?\s*)(?:\[[ xX✓]?\]\s+)?"
)
_QUOTED = re.compile(r"\A(?:>\s+|\#{1,6}\s+)+")
_ENCLOSED = "[\u2460-\u24ff\u2776-\u2793\u3220-\u3229\u3251-\u325f\u3280-\u3289\u32b1-\u32bf\u3260-\u326d]"
_END = r"(?:[)）\]】〕]|\\?[.．、:：。։።፡།။।)）])"
_SURE = re.compile(
    rf"\A(?P<open>[*_]{{0,3}})"
    rf"(?:{_ENCLOSED}\s*[.、)]?|\d\ufe0f?\u20e3|\U0001f51f|{NUMBER}[ºª]?|\d{{1,3}}(?P<inner>[*_]{{1,3}})[.)](?!\d)"
    rf"|[(（]?\d{{1,3}}{_END}(?!\d)|\d{{1,3}}\.-(?=\s))"
    r"(?P<close>[*_]{0,3})\s*"
)
_WORD = r"(?:no|nr|n°|nº|num|item|q|point|tip|第|№|#)?[.º°]?\s*"
_COUNTED = re.compile(
    rf"\A(?P<open>[*_]{{0,3}})(?P<style>{_WORD}[(（\[【〔]?)\s*(?P<label>\d{{1,3}}|[^\W\d_]{{1,5}})"
    r"(?P<end>\s+[-–—](?=\s)|[ºª条個个点]?(?:\s*[)）\]】〕])?(?:\s*\\?[.．、:：。։።፡།။।/])?-?)"
    r"(?P<close>[*_]{0,3})(?P<space>\s*)",
    re.IGNORECASE,
)
_TEEN = re.compile("(?P<tens>[一二三四五六七八九]?)十(?P<ones>[一二三四五六七八九]?)")
_HAN = "一二三四五六七八九"
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv")
# What lists are counted with, in the order of counting.
_ALPHABETS = (
    *("abcdefghijklmnopqrstuvwxyz", "абвгдежзиклмнопрст", "αβγδεζηθικλμνξο", "აბგდევზთ", "աբգդեզէը"),
    *("אבגדהוזחטיכלמנ", "أبجدهوزحطيكلمن", "ابجدهوزحطيكلمن", "ابتثجحخدذرز", "፩፪፫፬፭፮፯፰፱፲"),
    *("अआइईउऊ", "कखगघङचछजझ", "কখগঘঙচছজঝ", "กขคงจฉชซ"),
    *("가나다라마바사아자차카타파하", "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ"),
    *("甲乙丙丁戊己庚辛壬癸", "壱弐参", "あいうえおかきくけこ", "アイウエオカキクケコ", "イロハニホヘト"),
)
_MAX_PREFIX = 40  # characters of a mark


def items(lines: Sequence[str]) -> list[str | None]:
    """Return what stands behind the mark of each line; None for a line without one."""
    found = [_sure(line) for line in lines]
    for read in (_counted, _counted_behind_bullet):
        _take_counted(lines, found, read)
    return found


def _sure(line: str) -> str | None:
    bare = _QUOTED.sub("", line)
    if match := _SURE.match(bare):
        return _rest(bare, match)
    if match := _BULLET.match(line):
        return line[match.end() :]
    return None


def _rest(line: str, match: re.Match[str]) -> str:
    """Return a line without its mark. Emphasis that begins in the mark and goes on behind it stays."""
    rest = line[match.end() :]
    closed = match["close"] or match["inner"] or not match["open"]
    return rest if closed else match["open"] + rest


def is_bullet(line: str) -> bool:
    """Return whether a line begins with a bullet, and not with a number."""
    return bool(_BULLET.match(line))


def _take_counted(
    lines: Sequence[str], found: list[str | None], read: Callable[[str], Iterator[tuple[str, int, str]]]
) -> None:
    """Take the marks that count 1, 2, 3 ... through the lines, each in one style."""
    styles: dict[str, list[tuple[int, int, str]]] = {}
    for number, line in enumerate(lines):
        for style, value, rest in read(line):
            styles.setdefault(style, []).append((number, value, rest))
    for counted in styles.values():
        if len(counted) >= 2 and [value for _, value, _ in counted] == [*range(1, len(counted) + 1)]:
            for number, _, rest in counted:
                found[number] = rest


def _counted(line: str) -> Iterator[tuple[str, int, str]]:
    """Yield (style, number, rest of the line) for each way to read a mark that counts."""
    bare = _QUOTED.sub("", line)
    match = _COUNTED.match(bare[:_MAX_PREFIX])
    if not match or not (match["style"].strip() or match["end"].strip()):
        return
    rest = bare[match.end() :]
    if not rest or not (match["space"] or match["end"][-1:] in "、：。．།။)）】〕"):
        return  # "3.5", or "a.m."
    for alphabet, value in _values(match["label"].lower()):
        style = f"{match['style'].lower().strip()} {alphabet} {match['end'].strip()}"
        yield style, value, rest if match["close"] or not match["open"] else match["open"] + rest


def _counted_behind_bullet(line: str) -> Iterator[tuple[str, int, str]]:
    """Do the same for numbers behind bullets, as in `- 1. bread`."""
    match = _BULLET.match(line)
    if match and (number := _SURE.match(rest := line[match.end() :])):
        digits = re.findall(r"\d+", number[0])
        if digits:
            yield "- 1", int(digits[0]), _rest(rest, number)


@cache
def _values(label: str) -> tuple[tuple[str, int], ...]:
    """Return the numbers that a label may stand for, each with what it is counted in."""
    values: list[tuple[str, int]] = []
    if label.isdecimal():
        values.append(("1", int(label)))
    elif len(label) == 1 and label in _HAN:
        values.append(("一", _HAN.index(label) + 1))
    elif teen := _TEEN.fullmatch(label):
        tens = _HAN.index(teen["tens"]) + 1 if teen["tens"] else 1
        values.append(("一", 10 * tens + (_HAN.index(teen["ones"]) + 1 if teen["ones"] else 0)))
    if label in _ROMAN:
        values.append(("i", _ROMAN.index(label) + 1))
    if len(label) == 1:
        label = unicodedata.normalize("NFC", label)
        values += [(letters, letters.index(label) + 1) for letters in _ALPHABETS if label in letters]
    return tuple(values)
