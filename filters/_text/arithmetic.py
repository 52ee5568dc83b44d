"""Arithmetic in running text: finds expressions and works them out, without eval.

`split` cuts a line at each `=` into tokens, `prefix` and `suffix` find the longest expression at an end of
them, and `value_of` works it out exactly, with fractions (two stacks, as in Dijkstra's shunting yard).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from glotmill.filters._text.numbers import NUMBER, reading

_MAX_TOKENS = 60  # of one expression
_TOKEN = re.compile(
    rf"(?P<number>{NUMBER})|(?P<operator>\*\*|[-+*/:])|(?P<open>[(\[])|(?P<close>[)\]])|(?P<arrow>[=<>!-]+>|[<>!]=|[<>])"
    r"|(?P<equals>==?|\u2248)|(?P<percent>%)|(?P<stop>[.,;?\"“”«»…|\n।、。，؛؟])|(?P<odd>[\^√!_\\]|[²³¹⁰-ⁿ¼-¾⅐-⅞∞])"
    r"|(?P<word>[^\s\d+*/:()\[\]=≈%.,;?\"“”«»…|।、。，؛؟^√!_\\²³¹⁰-ⁿ¼-¾⅐-⅞∞<>-]+)|(?P<other>\S)"
)
_VARIABLE = re.compile(r"[A-Za-zα-ω]")
_UNIT_LETTER = re.compile(r"[gmlLhs]")  # units, or variables
_TIMES = "xXхХ"
_MAX_UNIT_WORDS, _MAX_BEFORE_DASH = 6, 3  # words between a number and a sign; a dash may end a clause
_RANK = {"(": 0, "+": 1, "-": 1, "*": 2, "/": 2, ":": 2, "neg": 3, "pos": 3}


@dataclass(frozen=True, slots=True)
class Token:
    """A number, sign or word in a line."""

    kind: str
    text: str
    spaced: bool  # a space precedes it


@dataclass(frozen=True, slots=True)
class Expression:
    """One side of an equation: its numbers, operators and brackets, and the units after its numbers."""

    items: tuple[Token, ...]
    units: frozenset[str]
    end: int  # place after its last token
    odd: bool  # holds or touches something other than plain arithmetic
    per: frozenset[str] = frozenset()  # the units behind a slash: stones/bag
    unsure: bool = False  # may be more than plain arithmetic: 3 m, 2 times 3 + 1

    @property
    def operators(self) -> int:
        """Number of operators; 0 for a single number."""
        return sum(token.kind == "operator" for token in self.items)


def split(line: str) -> list[list[Token]]:
    """Return the tokens of a line, one list for each part between `=` signs."""
    segments: list[list[Token]] = [[]]
    for match in _TOKEN.finditer(line):
        spaced = match.start() == 0 or line[match.start() - 1].isspace()
        if match.lastgroup == "equals":
            segments.append([])
        else:
            segments[-1].append(Token(match.lastgroup or "", match[0], spaced))
    return segments


def prefix(tokens: Sequence[Token], start: int = 0) -> Expression | None:
    """Return the longest expression that begins at `start`."""
    items: list[Token] = []
    units = _Units()
    depth, index, operand_next = 0, start, True
    best: Expression | None = None
    while index < len(tokens) and index - start < _MAX_TOKENS:
        token, after = tokens[index], tokens[index + 1] if index + 1 < len(tokens) else None
        words = 0 if operand_next else units.read(tokens, index, depth)
        if operand_next and token.kind == "open":
            items.append(token)
            depth += 1
        elif operand_next and token.kind == "number":
            items.append(token)
            operand_next = False
        elif operand_next and _is_sign(token, after, first=index == start):
            items.append(Token("sign", token.text, True))
        elif words:
            index += words - 1
        elif not operand_next and token.kind == "percent":
            items.append(token)
        elif not operand_next and token.kind == "close" and depth:
            items.append(token)
            depth -= 1
        elif not operand_next and token.kind == "open" and (not token.spaced or items[-1].kind == "close"):
            items += [Token("operator", "*", True), token]
            depth, operand_next = depth + 1, True
        elif not operand_next and (operator := _operator(token, after)):
            items.append(operator)
            operand_next = True
        else:
            break
        index += 1
        if not operand_next and not depth:
            best = units.expression(items, index)
    return replace(best, odd=best.odd or _odd_after(tokens, best.end)) if best else None


def suffix(tokens: Sequence[Token], since: int = 0) -> Expression | None:
    """Return the longest expression that begins at `since` or later and ends with the tokens."""
    for start in range(max(since, len(tokens) - _MAX_TOKENS), len(tokens)):
        side = prefix(tokens, start)
        if side and side.end == len(tokens):
            unsure = side.unsure or _follows_number(tokens, start, since)
            return replace(side, odd=side.odd or _odd_before(tokens, start), unsure=unsure)
    return None


def value_of(items: Sequence[Token], mark: str, percent: Fraction) -> Fraction | None:
    """Return the value of an expression; None if a number cannot be read. Raises ZeroDivisionError."""
    values: list[Fraction] = []
    waiting: list[str] = []
    for token in items:
        if token.kind == "number":
            value = reading(token.text, mark)
            if value is None:
                return None
            values.append(value)
        elif token.kind == "percent":
            values[-1] *= percent
        elif token.kind == "close":
            while waiting[-1] != "(":
                _apply(waiting.pop(), values)
            waiting.pop()
        else:
            sign = {"sign": "neg" if token.text == "-" else "pos", "open": "("}.get(token.kind, token.text)
            while token.kind == "operator" and waiting and _RANK[waiting[-1]] >= _RANK[sign]:
                _apply(waiting.pop(), values)
            waiting.append(sign)
    while waiting:
        _apply(waiting.pop(), values)
    return values[0]


@dataclass(slots=True)
class _Units:
    """The units met so far in an expression, by their first three letters, as endings vary."""

    units: frozenset[str] = frozenset()
    per: frozenset[str] = frozenset()
    odd: bool = False
    unsure: bool = False

    def expression(self, items: Sequence[Token], end: int) -> Expression:
        """Return the expression of these items and units."""
        return Expression(tuple(items), self.units, end, self.odd, self.per, self.unsure)

    def read(self, tokens: Sequence[Token], index: int, depth: int) -> int:
        """Count the tokens at `index` that name a unit: words, and words behind a slash, followed by an
        operator, a bracket, a stop or the end."""
        words = _words_at(tokens, index)
        if words > _MAX_UNIT_WORDS:
            return 0
        end, slash = index + words, 0
        if end < len(tokens) and tokens[end].text == "/" and tokens[end].kind == "operator":
            slash = _words_at(tokens, end + 1)
            single = slash == 1 and _VARIABLE.fullmatch(tokens[end + 1].text)
            if single and not words:
                return 0  # 6/n
            end += 1 + slash if slash else 0
        after = tokens[end] if end < len(tokens) else None
        fits = after is None or after.kind in ("operator", "stop") or (depth > 0 and after.kind == "close")
        fits |= after is not None and _is_times(tokens, end)
        if end == index or not fits or (after and after.text == "-" and words > _MAX_BEFORE_DASH):
            return 0
        if words:
            self._add_letter(tokens[index], alone=words == 1)
            self.units |= {tokens[index].text[:3]}
        if slash:
            self.per |= {tokens[end - slash].text[:3]}
        return end - index

    def _add_letter(self, word: Token, *, alone: bool) -> None:
        if _VARIABLE.fullmatch(word.text):
            unit = alone and _UNIT_LETTER.fullmatch(word.text) is not None
            self.unsure |= unit
            self.odd |= not unit


def is_calculation(tokens: Sequence[Token]) -> bool:
    """Return whether tokens hold a number beside an operator, a power, a root or a variable."""
    for index, token in enumerate(tokens):
        near = [*tokens[max(0, index - 1) : index], *tokens[index + 1 : index + 2]]
        if token.kind in ("operator", "odd") and any(n.kind in ("number", "close") for n in near):
            return True
        if token.kind == "number" and any(_VARIABLE.fullmatch(n.text) for n in near):
            return True
    return False


def _words_at(tokens: Sequence[Token], index: int) -> int:
    """Count the words at a place, up to a times sign x."""
    words = 0
    for place in range(index, min(len(tokens), index + _MAX_UNIT_WORDS + 1)):
        if tokens[place].kind != "word" or _is_times(tokens, place):
            break
        words += 1
    return words


def _is_times(tokens: Sequence[Token], index: int) -> bool:
    """Return whether a token is the letter x between operands."""
    after = tokens[index + 1] if index + 1 < len(tokens) else None
    return tokens[index].text in _TIMES and after is not None and after.kind in ("number", "open")


def _is_sign(token: Token, after: Token | None, *, first: bool) -> bool:
    """Return whether - or + belongs to the number after it."""
    glued = after is not None and not after.spaced
    return token.kind == "operator" and token.text in "+-" and glued and (token.spaced or not first)


def _operator(token: Token, after: Token | None) -> Token | None:
    """Return the token as an operator between two operands; x counts between numbers, a colon only as in
    6 : 2 and 6:2."""
    if after is None:
        return None
    if token.kind == "word" and token.text in _TIMES and after.kind in ("number", "open"):
        return Token("operator", "*", True)
    if token.kind != "operator" or token.text == "**" or (token.text == ":" and token.spaced != after.spaced):
        return None
    return token if after.kind in ("number", "open") or after.text in "+-" else None


def _odd_before(tokens: Sequence[Token], start: int) -> bool:
    """Return whether an expression is the end of something that is not plain arithmetic: 2^3 + 1,
    sqrt(4) + 1."""
    if not start:
        return False
    before, first = tokens[start - 1], tokens[start]
    if before.kind == "word":
        return not first.spaced and before.text[-1].isascii()
    if before.kind == "operator":
        return before.text != ":"
    return before.kind in ("number", "percent", "odd") or (not first.spaced and before.text in (")", "."))


def _follows_number(tokens: Sequence[Token], start: int, since: int) -> bool:
    """Return whether a number and one word precede an expression: 2 times 3 + 1, but also 60 as 20 + 40."""
    kinds = [token.kind for token in tokens[max(since, start - 2) : start]]
    return kinds[1:] == ["word"] and kinds[0] in ("number", "percent", "close")


def _odd_after(tokens: Sequence[Token], end: int) -> bool:
    """Return whether an expression continues into something that is not plain arithmetic: 3x, 3^2, 3 * n."""
    if end == len(tokens):
        return False
    token, after = tokens[end], tokens[end + 1] if end + 1 < len(tokens) else None
    if token.kind == "word":
        return not token.spaced and _VARIABLE.fullmatch(token.text) is not None
    if token.kind == "operator" and token.text in "+*/":
        return after is not None and after.kind in ("word", "open", "odd")
    return token.kind == "odd" or token.text == "**"


def _apply(sign: str, values: list[Fraction]) -> None:
    right = values.pop()
    if sign in ("neg", "pos"):
        values.append(-right if sign == "neg" else right)
        return
    left = values.pop()
    if sign == "+":
        values.append(left + right)
    elif sign == "-":
        values.append(left - right)
    else:
        values.append(left * right if sign == "*" else left / right)
