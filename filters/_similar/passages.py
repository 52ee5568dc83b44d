"""Passages: runs of as many words, or of signs that say as much. A helper of filters."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

LEAST = 4  # words of a text that can stand for itself; below it, the same words are chance

# How much of a word one sign says, in thousandths: 13 English words are 21 Chinese characters or 53 Thai
# ones, from the lengths of the same sentences in NTREX-128.
_WORD = 1000
_SIGNS = {
    r"\p{Han}": 620,
    r"[\p{Hira}\p{Kana}]": 350,
    r"\p{Thai}": 245,
    r"\p{Khmr}": 295,
    r"\p{Laoo}": 260,
    r"\p{Mymr}": 290,
    r"\p{Tibt}": 650,  # a syllable
}
_UNSPACED = r"\p{Han}\p{Hira}\p{Kana}\p{Thai}\p{Khmr}\p{Laoo}\p{Mymr}"
_LETTER = r"[\p{L}\p{M}\p{N}]"
_UNIT = rf"[[{_UNSPACED}]&&{_LETTER}]\p{{M}}*|[{_LETTER}--[{_UNSPACED}]]+"
# Where a sentence, a quotation or a label ends, after NFKC; 3.5 stays whole.
_END = r"[\n!?:;\"“”„«»「」『』。।॥؟؛۔։።၊။។៕།]+|\.+(?:\s|$)"
_FOLDED = {"ı": "i", "i\u0307": "i", "ß": "ss"}  # what lower case leaves of ISPARTA, İZMİR and STRASSE
_MOST_PARTS = 6  # sentences and the like that a short text may hold
_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse
_INVERSE = pow(_BASE, -1, 2**64)

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]


class Passages(NamedTuple):
    """The passages of some texts, and what is too short to hold one, as places among all units in order."""

    units: pl.Series
    ends: Places  # of each text
    said: Places  # how much is said before each unit; one more than there are units
    begins: Places
    stops: Places
    hashes: Hashes  # the same for the same words, within one process
    long: int  # so many are of n words; the rest are short texts

    def text(self, which: int) -> str:
        """Return the words of a passage."""
        return " ".join(self.units[int(self.begins[which]) : int(self.stops[which])].to_list())

    def shares(self, hit: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        """Return for each text how much of it the passages cover that were hit."""
        places = len(self.said)
        begun = np.bincount(self.begins[hit], minlength=places).cumsum()
        depth = begun - np.bincount(self.stops[hit], minlength=places).cumsum()
        covered = np.diff(self.said) * (depth[:-1] > 0)
        before, ends = np.concatenate(([0], covered.cumsum())), self.ends
        starts = np.concatenate(([0], ends[:-1]))
        size = np.maximum(self.said[ends] - self.said[starts], 1)
        return np.asarray((before[ends] - before[starts]) / size)

    def texts(self) -> Places:
        """Return the text that each passage is in."""
        return np.searchsorted(self.ends, self.begins, side="right")


def passages_of(texts: pl.Series, n: int, *, parts: bool) -> Passages:
    """Take texts apart: every passage of n words, and whole texts of LEAST to n - 1 words.

    parts: also lines, sentences and runs of them that are so short. Words are the same in any case and
    composition, whatever stands between them.
    """
    plain = texts.fill_null("").str.normalize("NFKC").str.to_lowercase()
    for letter, same in _FOLDED.items():
        plain = plain.str.replace_all(letter, same, literal=True)
    pieces = (plain.str.replace_all(_END, "\n") if parts else plain.str.replace_all("\n", " ")).str.split(
        "\n"
    )
    found = pieces.explode().str.extract_all(_UNIT)
    piece_ends = found.list.len().to_numpy().cumsum(dtype=np.int64)
    last_piece = pieces.list.len().to_numpy().cumsum(dtype=np.int64)
    ends = piece_ends[last_piece - 1]
    units = found.filter(found.list.len() > 0).explode().cast(pl.String)
    said = np.concatenate(([0], _weights(units).cumsum(dtype=np.int64)))
    begins = np.arange(len(units), dtype=np.int64)
    stops = np.searchsorted(said, said[:-1] + n * _WORD).astype(np.int64)
    inside = stops <= np.repeat(ends, np.diff(ends, prepend=0))
    begins, stops = begins[inside], stops[inside]
    first, last = _runs(piece_ends if parts else ends[:0], ends)
    size = said[last] - said[first]
    short = (size >= LEAST * _WORD) & (size < n * _WORD)
    first, last = first[short], last[short]
    begins, stops = np.concatenate([begins, first]), np.concatenate([stops, last])
    hashes = _hashes(units, begins, stops)
    return Passages(units, ends, said, begins, stops, hashes, len(hashes) - len(first))


def _runs(pieces: Places, texts: Places) -> tuple[Places, Places]:
    """Begins and ends of whole texts, and of runs of pieces within one."""
    starts = np.concatenate(([0], pieces))[:-1]
    text = np.searchsorted(texts, starts, side="right")  # pieces without a word may be taken for the next's
    begins, ends = [np.concatenate(([0], texts[:-1]))], [texts]
    for more in range(min(_MOST_PARTS, len(pieces))):
        together = text[more:] == text[: len(text) - more]
        begins.append(starts[: len(starts) - more][together])
        ends.append(pieces[more:][together])
    return np.concatenate(begins), np.concatenate(ends)


def _weights(units: pl.Series) -> Places:
    weight = pl.lit(_WORD)
    if units.str.contains(rf"[{_UNSPACED}\p{{Tibt}}]").any():
        for sign, worth in _SIGNS.items():
            weight = pl.when(pl.col("unit").str.contains("^" + sign)).then(pl.lit(worth)).otherwise(weight)
    frame = units.alias("unit").to_frame().with_columns(weight.cast(pl.Int64).alias("weight"))
    return frame["weight"].to_numpy()


def _hashes(units: pl.Series, begins: Places, stops: Places) -> Hashes:
    """A polynomial of the units' hashes, modulo 2^64: any run of units costs one subtraction."""
    powers = np.full(len(units) + 1, _BASE, dtype=np.uint64)
    inverse = np.full(len(units) + 1, _INVERSE, dtype=np.uint64)
    powers[0] = inverse[0] = 1
    np.multiply.accumulate(powers, out=powers)
    np.multiply.accumulate(inverse, out=inverse)
    terms = units.hash().to_numpy() * powers[:-1]
    before = np.concatenate((np.zeros(1, dtype=np.uint64), terms.cumsum(dtype=np.uint64)))
    made: Hashes = (before[stops] - before[begins]) * inverse[begins]
    return made
