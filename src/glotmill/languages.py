"""The table of languages: one row for each language in each script, and `find`, which takes any common form.

Inside glotmill a language is its tag, such as `swh_Latn`: ISO 639-3, underscore, ISO 15924. `languages.csv`
is made by `tools/languages.py` from CLDR; change that script, not the table.
"""

import csv
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from glotmill.errors import RecipeError

MAX_CHARS = 100  # of a text that names a language
COMBINED_SCRIPTS = {  # ISO 15924 codes that stand for several scripts
    "Jpan": ("Hani", "Hira", "Kana"),
    "Hrkt": ("Hira", "Kana"),
    "Kore": ("Hani", "Hang"),
    "Hanb": ("Hani", "Bopo"),
    "Hans": ("Hani",),
    "Hant": ("Hani",),
}
_TABLE = Path(__file__).with_name("languages.csv")
_FIRST_DETECTOR = 11  # the columns before it describe the language; each one from here on is a detector
_CODE = re.compile(r"[a-z]{2,3}")
_LOCALE = re.compile(r"(?P<language>[a-z]{2,3}(-[a-z]{4})?)-([a-z]{2}|[0-9]{3})")
_LIKE_TAG = re.compile(r"(?P<language>[a-z]{2,3})(-[a-z0-9]+)*")
_PLAIN = str.maketrans({"_": "-", "\u2019": "'", "\u2018": "'", "\u02bb": "'", "\u02bc": "'"})


@dataclass(frozen=True, slots=True)
class Language:
    """One language in one script."""

    tag: str  # swh_Latn: the name used everywhere inside glotmill
    name: str  # in English
    endonym: str  # in the language itself; the English name where CLDR has none
    script: str  # ISO 15924: Latn
    direction: str  # ltr or rtl
    iso639_1: str  # empty if there is none
    iso639_3: str
    bcp47: str  # the shortest correct tag, as in a dataset card: sw, zh-Hant
    detectors: Mapping[str, str] = field(hash=False)  # detector -> its code or codes; empty: none
    group: str = ""  # languages that no detector tells apart share a group; empty: no group

    def __str__(self) -> str:
        return self.name


@cache
def table() -> tuple[Language, ...]:
    """Return all languages, sorted by tag; the usual script of a language comes before its other scripts."""
    return tuple(language for language, _, _ in _rows())


def find(text: object) -> Language:
    """Return the language that a text names.

    text: a tag (`swh_Latn`), an ISO 639 code (`sw`, `swa`, `swh`), a BCP 47 tag or locale (`zh-Hant`,
    `zh_TW`), a name in English or in the language (`Swahili`, `Kiswahili`), in any case. A macrolanguage is
    its usual member (`ar` is Standard Arabic); a language without a script gets the one that CLDR lists. A
    region counts only where it decides the script (`zh-TW`). A name of two languages means the first.

    Raises RecipeError for anything else, with the nearest known language.
    """
    if text is False:
        raise RecipeError("language: false; YAML reads a bare no as false: for Norwegian write nob_Latn")
    if not isinstance(text, str):
        raise RecipeError(f"language: {type(text).__name__} given; write a text such as swh_Latn")
    if len(text) > MAX_CHARS:
        raise RecipeError(
            f"language: a text of {len(text):,} characters, beginning {text[:20]!r}, is not a language; "
            "write a tag such as swh_Latn"
        )
    form = _normal(text)
    if not form:
        raise RecipeError("language: an empty text; write a tag such as swh_Latn")
    index, locales = _index()
    language = index.get(locales.get(form, form))
    if language is None and form not in locales and (locale := _LOCALE.fullmatch(form)):
        language = index.get(locale["language"])
    if language is None:
        raise RecipeError(f"language: {text!r} is not known; {_advice(form)}")
    return language


def confusable(tag: str) -> frozenset[str]:
    """Return the tags of the languages that no detector tells reliably from this one, and its own.

    tag: any form that `find` takes. Raises RecipeError for an unknown one.
    """
    language = find(tag)
    others = (other.tag for other in table() if other.group and other.group == language.group)
    return frozenset({language.tag, *others})


@cache
def _rows() -> tuple[tuple[Language, list[str], list[str]], ...]:
    """Return each language, its other names and codes, and the regions with another script (`TW=Hant`)."""
    rows = []
    with _TABLE.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        detectors = next(lines)[_FIRST_DETECTOR:]
        for line in lines:
            *about, group, aliases, regions = line[:_FIRST_DETECTOR]
            tag, name, endonym, script, direction, two, three, bcp47 = about
            codes = dict(zip(detectors, line[_FIRST_DETECTOR:], strict=True))
            language = Language(tag, name, endonym, script, direction, two, three, bcp47, codes, group)
            rows.append((language, aliases.split("|"), regions.split()))
    return tuple(rows)


@cache
def _index() -> tuple[Mapping[str, Language], Mapping[str, str]]:
    """Return all accepted forms, codes before names, earlier rows first; and locales that decide a script."""
    index: dict[str, Language] = {}
    locales: dict[str, str] = {}
    rows = _rows()
    for language, _, _ in rows:
        for form in (language.tag, language.bcp47):
            index.setdefault(_normal(form), language)
    for language, aliases, regions in rows:
        for code in (language.iso639_3, language.iso639_1, *filter(_CODE.fullmatch, aliases)):
            index.setdefault(code, language)
            index.setdefault(f"{code}-{language.script.lower()}", language)
            if language.script in ("Hans", "Hant"):  # FineWeb2 writes cmn_Hani for either
                index.setdefault(f"{code}-hani", language)
            for region, script in (pair.lower().split("=") for pair in regions):
                locales[f"{code}-{region}"] = f"{code}-{script}"
    for language, _, _ in rows:
        index.setdefault(_normal(language.name), language)
    for language, aliases, _ in rows:
        for form in (language.endonym, *aliases):
            index.setdefault(_normal(form), language)
    index.pop("", None)
    return index, locales


def _normal(text: str) -> str:
    """Return a text with one spelling of case, separators, apostrophes and composed letters."""
    return " ".join(unicodedata.normalize("NFC", text).translate(_PLAIN).casefold().split())


def _advice(form: str) -> str:
    """Return what to write instead: the scripts of a known code, else the nearest known forms."""
    index, _ = _index()
    if (like := _LIKE_TAG.fullmatch(form)) and like["language"] in index:
        code = index[like["language"]].iso639_3
        return "there is " + ", ".join(row.tag for row in table() if row.iso639_3 == code)
    from difflib import get_close_matches  # only an error needs it

    near = dict.fromkeys(index[match] for match in get_close_matches(form, index, n=3))
    if near:
        return "did you mean " + " or ".join(f"{row.tag} ({row.name})" for row in near) + "?"
    return "write a tag, code or name such as swh_Latn, sw or Swahili"
