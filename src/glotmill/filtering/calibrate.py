"""`glotmill calibrate`: thresholds for language detectors, from human texts whose languages are known.

The odd texts of each language set its thresholds; the even texts measure the errors that remain.
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
from glotmill.filters._text.words import prose_series
from glotmill.filters.detectors import installed, labels_of, load, version
from glotmill.filters.detectors._thresholds import LENGTHS, clamped, family, length
from glotmill.io.rows import open_rows, to_polars

ENGLISH = "eng_Latn"
COLUMNS = (
    "detector",
    "version",
    "language",
    "length",
    "min_score",
    "false_rejects",
    "false_accepts",
    "texts",
)
MAX_FALSE_ACCEPT = 0.0005  # share of the texts in other languages that a threshold should let through at most
MIN_TEXTS = 20  # of a language and a length, to set a threshold and to measure its errors
MIN_LETTERS = 10  # the filter does not check shorter texts
CUTS = ((20, 30), (44, 56, 68))  # characters of texts shorter than a sentence, used in turn
ENGLISH_MARGIN = 1.5  # times the highest score of an English text
BATCH = 4_096  # texts


class _Texts(NamedTuple):
    """Texts of all lengths, and arrays with a value for each of them."""

    texts: list[str]
    language: NDArray[np.str_]
    length: NDArray[np.str_]  # phrase, short, sentence or paragraph
    is_check: NDArray[np.bool_]  # whether the text measures errors, or sets thresholds


def default_detectors() -> list[str]:
    """Return the installed detectors among those that the filter `language` uses by default."""
    names: Sequence[str] = plugins.declared("filters", "language", "DETECTORS", ())
    return [name for name in names if installed(name)]


def calibrate(
    reference: Path, detectors: Sequence[str], *, false_reject: float = 0.005, out: Path | None = None
) -> pl.DataFrame:
    """Return a threshold for each detector, language and length of text, with its error rates.

    reference: human texts: a folder with a file `<language>.txt` for each language, one text per line, or
    any rows with the columns text and language. Languages are named in any form that `languages.find`
    takes. Neighbouring texts are joined into sentences and paragraphs, and cut into short texts, so their
    order matters. out: a .csv file to write.

    false_reject: maximum share of the texts in a language that its threshold may reject. A threshold lies
    halfway between the score that all but this share reach and the score that texts in other languages
    reach, if these are apart. It rejects more only to keep English out, or at the lowest threshold that
    `filters/detectors/_thresholds.py` allows.

    -> detector, version, language, length, min_score, and, of the texts that did not set the threshold:
    false_rejects (share of the texts in the language that are rejected), false_accepts (share of the texts
    in languages outside its group that are accepted), texts (number of texts in the language). There is no
    row for a language that the detector does not know, or for a length with fewer than 20 texts.

    Raises UsageError for a reference that cannot be read, RecipeError for an unknown detector or language.
    """
    if not 0 < false_reject < 1:
        raise UsageError(f"calibrate: false_reject is {false_reject}; give a share such as 0.005")
    texts = _prepare_texts(_read(reference))
    rows = [row for detector in detectors for row in _calibrate_detector(detector, texts, false_reject)]
    table = pl.DataFrame(rows, schema=COLUMNS, orient="row").sort(COLUMNS[:3], maintain_order=True)
    if out is not None:
        table.write_csv(out, float_precision=4)
    return table


def _calibrate_detector(detector: str, texts: _Texts, false_reject: float) -> Iterator[tuple[object, ...]]:
    tags = sorted({tag for tag in texts.language.tolist() if labels_of(detector, tag)})
    labels = {tag: _group_labels(detector, tag) for tag in tags}
    scores = _scores(detector, [labels[tag] for tag in tags], texts.texts)
    for column, tag in enumerate(tags):
        group = languages.confusable(tag) | {other for other in tags if labels[other] & labels[tag]}
        is_language = texts.language == tag
        is_other = ~np.isin(texts.language, list(group))
        is_english = is_other & (texts.language == ENGLISH)
        for name in LENGTHS:
            fits, checks = (texts.length == name) & ~texts.is_check, (texts.length == name) & texts.is_check
            if min((is_language & fits).sum(), (is_language & checks).sum()) < MIN_TEXTS:
                continue
            in_language, in_others, in_english = (
                scores[mask & fits, column] for mask in (is_language, is_other, is_english)
            )
            min_score = round(clamped(_threshold(in_language, in_others, in_english, false_reject)), 3)
            kept, passed = (scores[mask & checks, column] >= min_score for mask in (is_language, is_other))
            rejects, accepts = float(1 - kept.mean()), float(passed.mean() if len(passed) else 0.0)
            yield family(detector), version(detector), tag, name, min_score, rejects, accepts, len(kept)


def _threshold(
    in_language: NDArray[np.float32],
    in_others: NDArray[np.float32],
    in_english: NDArray[np.float32],
    false_reject: float,
) -> float:
    """Return the threshold for the scores of texts in a language, in others, and in English (1-d arrays).

    It is the mean, in log-odds, of the score that texts in the language reach and the score that texts in
    other languages reach. If these overlap, it is what the language reaches. In any case it is well above
    the score of any English text: English is what models fall back to.
    """
    reached = float(np.quantile(in_language, false_reject, method="lower"))
    by_others = (
        float(np.quantile(in_others, 1 - MAX_FALSE_ACCEPT, method="higher")) if len(in_others) else 0.0
    )
    by_english = ENGLISH_MARGIN * float(in_english.max(initial=0))
    if max(by_others, by_english) >= reached:
        return max(reached, by_english)
    ends = np.clip((reached, by_others), 0.01, 0.99)  # beyond these, log-odds only measure overconfidence
    return max(by_english, float(1 / (1 + np.exp(-np.log(ends / (1 - ends)).mean()))))


def _group_labels(detector: str, tag: str) -> set[str]:
    """Return the detector's labels for a language and for those it is easily confused with."""
    return {label for member in languages.confusable(tag) for label in labels_of(detector, member)}


def _scores(detector: str, groups: Sequence[set[str]], texts: Sequence[str]) -> NDArray[np.float32]:
    """Return the probability of each group of labels for each text: float32, a row per text, a column per
    group.

    The sum over the labels of a group is a product with a 0/1 matrix, a row per label, a column per group.
    """
    detect = load(detector)
    members = np.array([[label in group for group in groups] for label in detect([]).labels], np.float32)
    batches = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
    return np.concatenate([detect(batch).probabilities @ members for batch in batches])


def _prepare_texts(reference: dict[str, list[str]]) -> _Texts:
    """Return the texts as a filter passes them to a detector, cut and joined to every length."""
    rows: list[tuple[str, str, bool, int]] = []  # text, language, is_check, letters
    for tag, lines in reference.items():
        for is_check in (False, True):
            clean = prose_series(pl.Series(lines[is_check::2], dtype=pl.String))
            clean = clean.str.replace_all(r"\s+", " ").str.strip_chars()
            letters = clean.str.count_matches(r"\p{L}").to_list()
            versions = [_cut(clean, sizes) for sizes in CUTS]
            versions += [_join(clean, letters, LENGTHS[name]) for name in ("sentence", "paragraph")]
            for texts in versions:
                counts = pl.Series(texts, dtype=pl.String).str.count_matches(r"\p{L}").to_list()
                pairs = zip(texts, counts, strict=True)
                rows += [(text, tag, is_check, count) for text, count in pairs if count >= MIN_LETTERS]
    return _Texts(
        [text for text, *_ in rows],
        np.array([tag for _, tag, _, _ in rows]),
        np.array([length(count) for *_, count in rows]),
        np.array([is_check for _, _, is_check, _ in rows], bool),
    )


def _cut(lines: Iterable[str], sizes: Iterable[int]) -> list[str]:
    """Return the beginning of each line: whole words or, in scripts without spaces, half as many
    characters."""
    texts = []
    for line, size in zip(lines, cycle(sizes)):
        has_spaces = line.count(" ") * 20 > len(line)
        start = line[:size] if has_spaces else line[: size // 2]
        words = start.rpartition(" ")[0]
        texts.append(words if len(line) > size and len(words) * 2 > size else start)
    return texts


def _join(lines: Iterable[str], letters: Iterable[int], min_letters: int) -> list[str]:
    """Return neighbouring lines joined into texts of at least `min_letters` letters."""
    texts, parts, total = [], [], 0
    for line, count in zip(lines, letters, strict=True):
        parts.append(line)
        total += count
        if total >= min_letters:
            texts.append(" ".join(parts))
            parts, total = [], 0
    return texts


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


def _tag(language: str, path: Path) -> str:
    try:
        return languages.find(language).tag
    except RecipeError as error:
        raise UsageError(f"{path}: {error}") from error
