"""Thresholds of language detectors, from human texts whose languages are known: `glotmill calibrate`.

The odd texts of each language set its thresholds, the even ones tell what these are worth.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmill import languages, plugins
from glotmill.errors import RecipeError, UsageError
from glotmill.filters._text.prose import prose_series
from glotmill.filters.detectors import installed, labels_of, load, version
from glotmill.filters.detectors._thresholds import LENGTHS, clamped, family, length
from glotmill.io.rows import open_rows
from glotmill.io.rows.arrow import to_polars

ENGLISH = "eng_Latn"
_OTHERS = 0.0005  # of the texts in other languages, the share that a threshold should let through at most
_FEWEST = 20  # texts of a language and a length; fewer tell too little, and get no threshold
_LEAST = 10  # letters; a text of fewer is never judged
_CUTS = ((20, 30), (44, 56, 68))  # characters of texts shorter than a sentence, in turn
_BATCH = 4_096
_COLUMNS = (
    "detector",
    "version",
    "language",
    "length",
    "min_score",
    "false_rejects",
    "false_accepts",
    "texts",
)


class _Texts(NamedTuple):
    """Texts of all lengths; for each its language, its length, and whether it is one to check with."""

    texts: list[str]
    language: NDArray[np.str_]
    length: NDArray[np.str_]
    check: NDArray[np.bool_]


def calibrate(
    reference: Path, detectors: Sequence[str], *, false_reject: float = 0.005, out: Path | None = None
) -> pl.DataFrame:
    """Return thresholds for every detector, language and length, and what they are worth.

    reference: human texts: a folder with a `<language>.txt` for each language, a text a line, or any
    rows with the columns text and language. Any form of a language that `languages.find` takes will do.
    Neighbouring texts are joined to sentences and paragraphs, and cut to short ones, so their order counts.
    false_reject: the share of texts in the right language that a threshold may turn away, more only to keep
    English out or where `filters/detectors/_thresholds.py` allows nothing less. A threshold is halfway between what all
    but this share reach and what texts of other languages do, where these are apart. out: a .csv to write.

    Columns: detector, version, language, length, min_score; of the texts not used for it: false_rejects and
    false_accepts, the shares of texts in the language turned away, and of those in other languages let
    through; texts: how many of the language there were. Other languages are those outside the group.
    Languages that a detector does not know, and lengths with fewer than 20 texts, have no row.

    Raises UsageError if the texts cannot be read, RecipeError if a detector or a language is not known.
    """
    if not 0 < false_reject < 1:
        raise UsageError(f"calibrate: false_reject {false_reject} is no share; write one such as 0.005")
    texts = _texts(_read(reference))
    rows = [row for detector in detectors for row in _calibrated(detector, texts, false_reject)]
    table = pl.DataFrame(rows, schema=_COLUMNS, orient="row").sort(_COLUMNS[:3], maintain_order=True)
    if out is not None:
        table.write_csv(out, float_precision=4)
    return table


def default_detectors() -> list[str]:
    """Return the detectors that the filter `language` uses unless told otherwise, of those installed."""
    names: Sequence[str] = plugins.declared("filters", "language", "DETECTORS", ())
    return [name for name in names if installed(name)]


def _calibrated(detector: str, texts: _Texts, false_reject: float) -> Iterator[tuple[object, ...]]:
    tags = sorted({tag for tag in texts.language.tolist() if labels_of(detector, tag)})
    labels = {tag: _labels(detector, tag) for tag in tags}
    scores = _scores(detector, [labels[tag] for tag in tags], texts.texts)
    for column, tag in enumerate(tags):
        group = languages.confusable(tag) | {other for other in tags if labels[other] & labels[tag]}
        ours, others = texts.language == tag, ~np.isin(texts.language, list(group))
        english = others & (texts.language == ENGLISH)
        for name in LENGTHS:
            of = texts.length == name
            if min((ours & of & check).sum() for check in (texts.check, ~texts.check)) < _FEWEST:
                continue
            known = [scores[each & of & ~texts.check, column] for each in (ours, others, english)]
            limit = round(clamped(_limit(known[0], known[1], known[2], false_reject)), 3)
            kept, passed = (scores[each & of & texts.check, column] >= limit for each in (ours, others))
            shares = 1 - kept.mean(), passed.mean() if len(passed) else 0.0
            yield family(detector), version(detector), tag, name, limit, *map(float, shares), len(kept)


def _limit(
    ours: NDArray[np.float32],
    others: NDArray[np.float32],
    english: NDArray[np.float32],
    false_reject: float,
) -> float:
    """Halfway, in log-odds, between what others reach and what ours do; what ours do if that is less. Well
    above what any English text reaches, whatever ours do: English is what leaks."""
    reached = float(np.quantile(ours, false_reject, method="lower"))
    needed = float(np.quantile(others, 1 - _OTHERS, method="higher")) if len(others) else 0.0
    leaks = 1.5 * float(english.max(initial=0))
    if max(needed, leaks) >= reached:
        return max(reached, leaks)
    ends = np.clip((reached, needed), 0.01, 0.99)  # nearer to certainty there is nothing to tell
    return max(leaks, float(1 / (1 + np.exp(-np.log(ends / (1 - ends)).mean()))))


def _labels(detector: str, tag: str) -> set[str]:
    """The detector's labels for a language and for those it cannot be told from."""
    return {label for member in languages.confusable(tag) for label in labels_of(detector, member)}


def _scores(detector: str, groups: Sequence[set[str]], texts: Sequence[str]) -> NDArray[np.float32]:
    """The probability of each group of labels for each text: a row a text."""
    detect = load(detector)
    names = detect([]).labels
    ours = np.array([[label in group for group in groups] for label in names], np.float32)
    batches = [detect(texts[at : at + _BATCH]).probabilities @ ours for at in range(0, len(texts), _BATCH)]
    return np.concatenate(batches)


def _texts(reference: dict[str, list[str]]) -> _Texts:
    """The texts as a filter hands them to a detector, of every length."""
    found: list[tuple[str, str, bool, int]] = []
    for tag, lines in reference.items():
        for check in (False, True):
            plain = prose_series(pl.Series(lines[check::2], dtype=pl.String))
            plain = plain.str.replace_all(r"\s+", " ").str.strip_chars()
            counts = plain.str.count_matches(r"\p{L}").to_list()
            sentence, paragraph = LENGTHS["sentence"], LENGTHS["paragraph"]
            sizes = [_cut(plain, sizes) for sizes in _CUTS]
            sizes += [_joined(plain, counts, sentence), _joined(plain, counts, paragraph)]
            for texts in sizes:
                letters = pl.Series(texts, dtype=pl.String).str.count_matches(r"\p{L}").to_list()
                found += [(t, tag, check, n) for t, n in zip(texts, letters, strict=True) if n >= _LEAST]
    tags, checks = (
        np.array([tag for _, tag, _, _ in found]),
        np.array([check for _, _, check, _ in found], bool),
    )
    lengths = np.array([length(number) for *_, number in found])
    return _Texts([text for text, *_ in found], tags, lengths, checks)


def _cut(lines: Iterable[str], sizes: Iterable[int]) -> list[str]:
    """The beginning of each line; where there are spaces, whole words."""
    found = []
    for line, size in zip(lines, cycle(sizes)):
        start = line[:size] if line.count(" ") * 20 > len(line) else line[: size // 2]
        words = start.rpartition(" ")[0]
        found.append(words if len(line) > size and len(words) * 2 > size else start)
    return found


def _joined(lines: Iterable[str], counts: Iterable[int], least: int) -> list[str]:
    """Neighbouring lines as one text of at least so many letters each."""
    found, parts, letters = [], [], 0
    for line, count in zip(lines, counts, strict=True):
        parts.append(line)
        letters += count
        if letters >= least:
            found.append(" ".join(parts))
            parts, letters = [], 0
    return found


def _read(reference: Path) -> dict[str, list[str]]:
    """Return the texts of each language, in order, those of all its files together."""
    texts: dict[str, list[str]] = {}
    files = sorted(reference.glob("*.txt"))
    for path in files:
        lines = [row["text"] for row in open_rows(str(path)).rows()]
        texts.setdefault(_tag(path.stem, path), []).extend(lines)
    if files:
        return texts
    source = open_rows(str(reference))
    if missing := [name for name in ("text", "language") if name not in source.schema.names]:
        raise UsageError(
            f"{reference}: no column {missing[0]!r}; give rows with `text` and `language`, or a folder with "
            "a .txt for each language, such as swh_Latn.txt"
        )
    for table in source.tables(["text", "language"]):
        for row in to_polars(table).cast(pl.String).drop_nulls().iter_rows(named=True):
            texts.setdefault(_tag(row["language"], reference), []).append(row["text"])
    return texts


def _tag(language: str, place: Path) -> str:
    try:
        return languages.find(language).tag
    except RecipeError as error:
        raise UsageError(f"{place}: {error}") from error
