"""Text as detectors written in C accept it."""

import re

# Control characters, halves of surrogate pairs and code points that are no characters.
_NOT_TEXT = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(chr(plane << 16 | end) for plane in range(1, 17) for end in (0xFFFE, 0xFFFF))
    + "]+"
)


def plain(text: str, chars: int = 10_000) -> str:
    """Return the beginning of a text on one line, with a space for whatever is not text."""
    text = text[:chars]
    return text if text.isprintable() else _NOT_TEXT.sub(" ", text)  # most are printable: a fast check
