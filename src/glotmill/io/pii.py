"""Personal data in a text: e-mail addresses, phone numbers, bank accounts, cards, national ids.

The filter `pii` and the transform `mask_pii` share it. Precision comes first: years, dates, prices and
equations are not personal data.
"""

import csv
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from glotmill.errors import UsageError

Kind: TypeAlias = Literal["email", "iban", "card", "id", "phone"]
KINDS: tuple[Kind, ...] = get_args(Kind)
# Matches every text that may hold personal data, and is fast; its syntax suits both polars and Python.
MAY_HOLD = r"[\w+-]@[\w-]|[A-Z]{2}\d{2}[ A-Z\d]{8}|\d[\d\s().\-–/]{4,}[\dA-Z]"

_MAY_HOLD = re.compile(MAY_HOLD)
_SEEN = 200_000  # characters of a text that are searched
# Letters and digits that a number may not touch; scripts without spaces may.
_W = r"[^\W\u0E00-\u0EFF\u1000-\u109F\u1780-\u17FF\u3040-\u30FF\u3400-\u9FFF\uAC00-\uD7AF]"
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._+-])[A-Za-z0-9_+-](?:[A-Za-z0-9._+-]{0,62}[A-Za-z0-9_+-])?@"
    r"(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9@_-])"
)
_RESERVED = re.compile(r"(?:^|[@.])(?:example\.(?:com|org|net|edu)|example|test|invalid|localhost)$", re.I)
_REMOTE_PATH = re.compile(r":[\w.~-]{0,100}/[\w.~-]")  # git@github.com:owner/name.git is no mailbox
_IBAN = re.compile(rf"(?<!{_W})[A-Z]{{2}}\d{{2}}(?: ?[A-Z\d]{{4}}){{2,7}}(?: ?[A-Z\d]{{1,3}})?(?!{_W})")
_CARD = re.compile(
    rf"(?<!{_W})(?<![.,:/-])(?:\d{{13,16}}|\d{{4}}([ -])(?:\d{{4}}\1\d{{4}}\1\d{{1,4}}|\d{{6}}\1\d{{4,5}}))"
    rf"(?!{_W}|-)"
)
_ISSUED = re.compile(r"4|5[1-5]|2[2-7]|3[47]|35|6(?:011|4|5)|62")  # Visa, Mastercard, American Express, ...
_NUMBER = re.compile(
    rf"(?<!{_W})(?<![.,:/=+*×÷^%$€£¥₹#@\\~-])(?:\+|＋|00)?\(?\d[\d \u00A0().\-–/]{{5,20}}\d"
    rf"(?!{_W}|[%°€$£¥₹=^@]|[.,:/*×÷-]\d)"
)
_SERVICE = ("0800", "0808", "0900", "1800")  # toll-free or premium in most of the world: a firm's
_NO_PHONE = re.compile(
    r"\d{4}[-/. ]\d{1,2}[-/. ]\d{1,2}|\d{1,2}[-/. ]\d{1,2}[-/. ]\d{2,4}"  # dates
    r"|(?:1\d|20)\d\d ?[-–/] ?(?:1\d|20)\d\d|\d{1,3}(?:[ \u00A0.]\d{3})+|\d+\.\d+|97[89][ -].*"  # years, ISBN
    r"|(?:\d{1,2}[ ,-]+)+\d{1,2}"  # lists of small numbers, unless a zero leads (checked separately)
)
_GROUPED = re.compile(r"\(\d{2,5}\) ?\d{2,}.*|\d{3}([-. ])\d{3}\1\d{4}")
_WORD_REACH = 25  # characters before a number in which a word such as "call" counts


class Found(NamedTuple):
    """A piece of personal data: its kind and position."""

    kind: str
    start: int
    end: int


def find(text: str, tag: str | None, kinds: Collection[str] = KINDS) -> list[Found]:
    """Return the personal data of the kinds in a text, in order, none inside another.

    tag: the text's language; its usual regions decide which phone numbers and ids are read without a country
    code. Addresses of domains reserved for examples are not personal. The first 200,000 characters are read.
    E-mail addresses are those in ASCII.
    Raises UsageError if the packages of the extra `pii` are missing.
    """
    language = (tag or "").partition("_")[0]
    text = text[:_SEEN]
    finders: dict[str, Callable[[], Iterator[tuple[int, int]]]] = {
        "email": lambda: _emails(text),
        "iban": lambda: _ibans(text),
        "card": lambda: _cards(text),
        "id": lambda: _ids(text, language),
        "phone": lambda: _phones(text, language),
    }
    matches: list[Found] = []
    taken = bytearray(len(text))
    for kind in KINDS if _MAY_HOLD.search(text) else ():
        for start, end in finders[kind]() if kind in kinds else ():
            if not any(taken[start:end]):
                taken[start:end] = b"1" * (end - start)
                matches.append(Found(kind, start, end))
    return sorted(matches, key=lambda match: match.start)


def _emails(text: str) -> Iterator[tuple[int, int]]:
    if "@" in text:
        for match in _EMAIL.finditer(text):
            is_login = text.endswith("://", 0, match.start()) or _REMOTE_PATH.match(text, match.end())
            if not _RESERVED.search(match[0]) and not is_login:
                yield match.span()


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    for match in _IBAN.finditer(text):
        number = match[0]
        while len(number) >= 15:  # words in capitals may follow the number
            if _module("iban").is_valid(number):
                yield match.start(), match.start() + len(number)
                break
            number = number.rpartition(" ")[0]


def _cards(text: str) -> Iterator[tuple[int, int]]:
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        known = len(digits) >= 13 and _ISSUED.match(digits) and len(set(digits)) > 1
        if known and _module("luhn").is_valid(digits):
            yield match.span()


def _ids(text: str, language: str) -> Iterator[tuple[int, int]]:
    for module, languages, pattern in _id_patterns():
        if not languages or language in languages:
            for match in pattern.finditer(text):
                if len(set(match[0])) > 3 and _module(module).is_valid(match[0]):
                    yield match.span()


def _phones(text: str, language: str) -> Iterator[tuple[int, int]]:
    for match in _NUMBER.finditer(text):
        number = match[0].replace("(0)", "") if match[0][0] in "+＋" else match[0]
        digits = "".join(str(unicodedata.digit(c)) for c in number if c.isdigit())
        odd = len(set(digits)) < 3 or digits.startswith(_SERVICE) or number.count("(") != number.count(")")
        if odd or not 7 <= len(digits) <= 15:
            continue
        before = text[max(0, match.start() - _WORD_REACH) : match.start()].casefold()
        if _is_phone(number, digits, before, language):
            yield match.span()


def _is_phone(number: str, digits: str, before: str, language: str) -> bool:
    if number[0] in "+＋":
        return _valid("+" + digits, None)
    if number.startswith("00"):
        return _valid("+" + digits[2:], None)
    announced = any(word in before for word in _announcing(language))
    dialled = digits[0] == "0" and len(digits) >= 9  # with the zero before an area
    if not announced and (_NO_PHONE.fullmatch(number) and not (dialled and number.count(" ") == 4)):
        return False
    if not (announced or dialled or _GROUPED.fullmatch(number)):
        return False
    return any(_valid(digits, region) for region in _regions().get(language, ((), ()))[0])


def _valid(digits: str, region: str | None) -> bool:
    phonenumbers = _phonenumbers()
    try:
        parsed = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(parsed) and phonenumbers.number_type(parsed) in _personal_types()


@cache
def _personal_types() -> frozenset[int]:
    """Kinds of numbers that may be a person's: not toll-free, shared-cost, premium or service numbers."""
    kinds = _phonenumbers().PhoneNumberType
    return frozenset(
        {kinds.FIXED_LINE, kinds.MOBILE, kinds.FIXED_LINE_OR_MOBILE, kinds.PERSONAL_NUMBER, kinds.VOIP}
    )


@cache
def _regions() -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Regions of a language, and the words that announce a phone number in it."""
    with Path(__file__).with_name("phone_regions.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["language"]: (tuple(row["regions"].split()), tuple(row["words"].casefold().split()))
            for row in csv.DictReader(file)
        }


@cache
def _announcing(language: str) -> tuple[str, ...]:
    """The words of a language, and those understood everywhere."""
    return (
        *_regions().get(language, ((), ()))[1],
        "tel:",
        "tel.",
        "phone",
        "fax",
        "whatsapp",
        "☎",
        "📞",
        "📱",
    )


@cache
def _id_patterns() -> list[tuple[str, frozenset[str], re.Pattern[str]]]:
    with Path(__file__).with_name("pii_ids.csv").open(encoding="utf-8", newline="") as file:
        return [
            (
                row["module"],
                frozenset(row["languages"].split()),
                re.compile(rf"(?<!{_W})(?<![.,/-])(?:{row['pattern']})(?!{_W}|-|[.,/]\d)"),
            )
            for row in csv.DictReader(file)
        ]


@cache
def _module(name: str) -> Any:
    try:
        return import_module(f"stdnum.{name}")
    except ImportError:
        raise UsageError(_MISSING.format("python-stdnum")) from None


@cache
def _phonenumbers() -> Any:
    try:
        import phonenumbers
    except ImportError:
        raise UsageError(_MISSING.format("phonenumbers")) from None
    return phonenumbers


_MISSING = "finding personal data needs {}; run: pip install 'glotmill[pii]'"
