"""Passages: runs of n words of a text, or of as many characters as say as much, each as a hash.

Algorithm, for all texts at once: the texts are cut into units (words; single characters in scripts without
spaces), each weighing thousandths of an English word. The running sums of the weights give, by binary search,
where the passage that begins at each unit stops; running sums of the units' hashes give the hash of any
passage (see `hashing`). So a passage costs a few array operations, whatever its length.
"""

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmill.filters._text.hashing import U64, running_sums, slice_hashes
from glotmill.filters._text.words import UNSPACED

MIN_WORDS = 4  # of a text that counts by itself; shorter ones share their words by chance

# The weight of a character in thousandths of a word: 13 English words are 21 Chinese characters or 53 Thai
# ones, measured on the same sentences in NTREX-128.
_WORD = 1000
_WEIGHTS = {
    r"\p{Han}": 620,
    r"[\p{Hira}\p{Kana}]": 350,
    r"\p{Thai}": 245,
    r"\p{Khmr}": 295,
    r"\p{Laoo}": 260,
    r"\p{Mymr}": 290,
    r"\p{Tibt}": 650,  # a syllable
}
_LETTER = r"[\p{L}\p{M}\p{N}]"
_UNIT = rf"[[{UNSPACED}]&&{_LETTER}]\p{{M}}*|[{_LETTER}--[{UNSPACED}]]+"
# The end of a sentence, a quotation or a label, after NFKC; 3.5 is not split.
_END = r"[\n!?:;\"“”„«»「」『』。।॥؟؛۔։።၊။។៕།]+|\.+(?:\s|$)"
_FOLDED = {"ı": "i", "i\u0307": "i", "ß": "ss"}  # what lower case leaves of ISPARTA, İZMİR and STRASSE
_MAX_PIECES = 6  # sentences and the like that a short text may span

Places = NDArray[np.int64]


class Passages(NamedTuple):
    """The passages of some texts. Places are numbers of units, counted over all texts."""

    units: pl.Series
    ends: Places  # of each text
    weights: Places  # running sums: the weight before each unit, one more than there are units
    begins: Places  # of each passage
    stops: Places  # of each passage
    hashes: U64  # of each passage; the same for the same words, within one process
    long: int  # the first so many passages are of n words; the rest are short texts

    def text(self, number: int) -> str:
        """Return the words of a passage."""
        return " ".join(self.units[int(self.begins[number]) : int(self.stops[number])].to_list())

    def shares(self, matches: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the share of each text that the matching passages cover.

        matches: for each passage whether it counts.
        """
        places = len(self.weights)
        opened = np.bincount(self.begins[matches], minlength=places).cumsum()
        depth = opened - np.bincount(self.stops[matches], minlength=places).cumsum()
        covered = np.concatenate(([0], (np.diff(self.weights) * (depth[:-1] > 0)).cumsum()))
        starts = np.concatenate(([0], self.ends[:-1]))
        size = np.maximum(self.weights[self.ends] - self.weights[starts], 1)
        return np.asarray((covered[self.ends] - covered[starts]) / size)

    def texts(self) -> Places:
        """Return the number of the text that each passage is in."""
        return np.searchsorted(self.ends, self.begins, side="right")


def passages_of(texts: pl.Series, n: int, *, pieces: bool) -> Passages:
    """Return every passage of n words, and texts of MIN_WORDS to n - 1 words as a whole.

    pieces: also lines, sentences and runs of up to 6 of them that are so short. Words are the same in any
    case and Unicode composition, whatever stands between them.
    """
    plain = texts.fill_null("").str.normalize("NFKC").str.to_lowercase()
    for letter, replacement in _FOLDED.items():
        plain = plain.str.replace_all(letter, replacement, literal=True)
    plain = plain.str.replace_all(_END, "\n") if pieces else plain.str.replace_all("\n", " ")
    split = plain.str.split("\n")
    piece_units = split.explode().str.extract_all(_UNIT)
    piece_ends = piece_units.list.len().to_numpy().cumsum(dtype=np.int64)
    last_piece = split.list.len().to_numpy().cumsum(dtype=np.int64)
    ends = piece_ends[last_piece - 1]
    units = piece_units.filter(piece_units.list.len() > 0).explode().cast(pl.String)
    weights = np.concatenate(([0], _unit_weights(units).cumsum(dtype=np.int64)))
    begins = np.arange(len(units), dtype=np.int64)
    stops = np.searchsorted(weights, weights[:-1] + n * _WORD).astype(np.int64)
    inside = stops <= np.repeat(ends, np.diff(ends, prepend=0))
    begins, stops = begins[inside], stops[inside]
    first, last = _piece_runs(piece_ends if pieces else ends[:0], ends)
    size = weights[last] - weights[first]
    short = (size >= MIN_WORDS * _WORD) & (size < n * _WORD)
    first, last = first[short], last[short]
    begins, stops = np.concatenate([begins, first]), np.concatenate([stops, last])
    hashes = slice_hashes(running_sums(units.hash().to_numpy()), begins, stops)
    return Passages(units, ends, weights, begins, stops, hashes, len(hashes) - len(first))


def _piece_runs(pieces: Places, texts: Places) -> tuple[Places, Places]:
    """Return begins and ends of whole texts, and of runs of neighbouring pieces of one text.

    pieces, texts: where each ends.
    """
    starts = np.concatenate(([0], pieces))[:-1]
    text = np.searchsorted(texts, starts, side="right")  # pieces without a word may count for the next text
    begins, ends = [np.concatenate(([0], texts[:-1]))], [texts]
    for more in range(min(_MAX_PIECES, len(pieces))):
        together = text[more:] == text[: len(text) - more]
        begins.append(starts[: len(starts) - more][together])
        ends.append(pieces[more:][together])
    return np.concatenate(begins), np.concatenate(ends)


def _unit_weights(units: pl.Series) -> Places:
    weight = pl.lit(_WORD)
    if units.str.contains(rf"[{UNSPACED}\p{{Tibt}}]").any():
        for pattern, thousandths in _WEIGHTS.items():
            matches = pl.col("unit").str.contains("^" + pattern)
            weight = pl.when(matches).then(pl.lit(thousandths)).otherwise(weight)
    frame = units.alias("unit").to_frame().with_columns(weight.cast(pl.Int64).alias("weight"))
    return frame["weight"].to_numpy()
