"""LaTeX in running text, written as plain arithmetic and words: no TeX engine, only what models write in
solutions."""

import re

_MAX_DEPTH = 6  # of braces in braces
_MAX_GROUP = 300  # characters between braces
_LINE_END = re.compile(r"\\\\(?:\[[^\]\n]{0,20}\])?|\\(?:newline|begin|end)\b(?:\{[^{}\n]{0,30}\}){0,2}")
_WRAPPED = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt|up|normal)?|math(?:rm|bf|it|sf|tt|cal)|mbox|hbox|fbox|boxed|cancel|operatorname"
    rf"|emph|underline|bf|rm)\*?\s?\{{([^{{}}]{{0,{_MAX_GROUP}}})\}}"
)
_FRACTION = re.compile(
    r"(?P<whole>(?<![\d.,])\d{1,15}\s?)?\\[dtc]?frac\s?"
    rf"(?:\{{(?P<top>[^{{}}]{{1,{_MAX_GROUP}}})\}}\s?\{{(?P<bottom>[^{{}}]{{1,{_MAX_GROUP}}})\}}"
    r"|\s?(?P<one>\d)\s?(?P<other>\d))"
)
_NUMERIC = re.compile(r"\s*\d+\s*")
_SIGNS = {
    "times": "*",
    "cdot": "*",
    "ast": "*",
    "div": "/",
    "approx": "\u2248",
    "eq": "=",
    "ne": "!=",
    "neq": "!=",
    "le": "<",
    "leq": "<",
    "ge": ">",
    "geq": ">",
    "lt": "<",
    "gt": ">",
    "to": "=>",
    "rightarrow": "=>",
    "Rightarrow": "=>",
    "implies": "=>",
    "dots": "\u2026",
    "ldots": "\u2026",
    "cdots": "\u2026",
    "circ": "\u00b0",
    "degree": "\u00b0",
    "pounds": "",
    "euro": "",
    "left": "",
    "right": "",
    "big": "",
    "Big": "",
    "bigl": "",
    "bigr": "",
    "displaystyle": "",
    "therefore": "",
    "quad": " ",
    "qquad": " ",
}
_COMMAND = re.compile(r"\\([A-Za-z]+)(?![A-Za-z])")
_SPACING = re.compile(r"\\[,;:! >]|\\[()\[\]]|(?<=\d)~(?=\d)|~")
_ESCAPED = re.compile(r"\\([$%#&_])")
_COMMA = re.compile(r"\{([,.])\}")
_BRACES = re.compile(r"(?<!\\)[{}]")


def without_latex(text: str) -> str:
    r"""Return the text with its LaTeX as plain signs and words.

    \text{..}, \boxed{..} and their like become what they hold, \frac{a}{b} becomes (a/b), 3\frac{1}{2}
    becomes (3+1/2), \times and \cdot become *, \div becomes /, `{,}` becomes a comma, `\,` a space,
    and `\\` a line end. What is not known, such as \sqrt, keeps its backslash.
    """
    if "\\" not in text and "{" not in text:
        return text
    text = _COMMA.sub(r"\1", _LINE_END.sub("\n", text).replace("&=", "="))
    text = _ESCAPED.sub(r"\1", text).replace("^\\circ", "\u00b0").replace("^{\\circ}", "\u00b0")
    text = _COMMAND.sub(_sign, text)
    for _ in range(_MAX_DEPTH):
        changed = _FRACTION.sub(_fraction, _WRAPPED.sub(r" \1 ", text))
        if changed == text:
            break
        text = changed
    return _BRACES.sub("", _SPACING.sub(" ", text))


def _sign(command: re.Match[str]) -> str:
    return _SIGNS.get(command[1], command[0])


def _fraction(found: re.Match[str]) -> str:
    top, bottom = found["top"] or found["one"], found["bottom"] or found["other"]
    if not re.search(r"\d", bottom):  # a unit: dollars/hour
        return f"{found['whole'] or ''}{top.rstrip()}/{bottom.strip()} "
    parts = [part.strip() if _NUMERIC.fullmatch(part) else f"({part.strip()})" for part in (top, bottom)]
    fraction = "/".join(parts)
    if found["whole"] is None:
        return f"({fraction})"
    mixed = all(map(_NUMERIC.fullmatch, (top, bottom))) and int(top) < int(bottom)
    return f"({found['whole'].strip()}{'+' if mixed else '*'}{fraction})"
