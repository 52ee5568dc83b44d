"""Duplicates: the same text twice, nearly the same, or the same in other words."""

import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmill.errors import RecipeError
from glotmill.filters._similar import earlier as before
from glotmill.filters._similar.embeddings import check_model, embed
from glotmill.filters._similar.history import over_table, rule
from glotmill.filters._similar.hyperplanes import CHECKED, equal_share, side_keys, sides
from glotmill.filters._similar.minhash import band_keys, signatures
from glotmill.filters._similar.shingles import U64, shingles_of
from glotmill.filters._text.folding import folded
from glotmill.filters._text.words import joined, squeezed

ACROSS_ROWS = True
COPY_REASONS = ("duplicate", "near_duplicate", "same_meaning")

_BETWEEN = "\x1f"  # no text that has been squeezed holds it
_KEYS = pl.Struct({"keys": pl.List(pl.UInt64), "sketch": pl.Binary})


def duplicates(
    text: pl.Expr,
    *,
    within: str = "language",
    also: Sequence[str] = (),
    near: float = 0.0,
    model: str = "",
    against: str = "",
    id: str = "",
) -> pl.Expr:
    """Keep the first of equal texts, or of texts that are nearly the same, in the order of the rows.

    Texts are equal whatever their case, spaces and punctuation, joiners, tatweel, harakat, niqqud, and forms
    of alef, yeh and kaf. near: how alike texts may not be, from 0.3 to 1: the share of runs of three words
    (letters in scripts without spaces) that two have in common, by MinHash of 112 hashes. 0.65 finds 99 of
    100 copies in which 4 % of the words, or characters, were changed (benchmarks/duplicates.py); of 38,400
    lines of NTREX-128 it takes 9 for copies, all of lines that say nearly the same. Texts of a few words are
    near only if they are equal. model: a folder or Hub id of a model2vec model; `near` is then the cosine of
    the texts' embeddings, such as 0.9 (needs glotmill[select]); of pairs just over it 85 of 100 are found, 98
    if they are 0.05 over it. within: a column; texts are compared among rows that share its value; empty:
    among all rows, which `finish` cannot. also: columns that must be equal too. against: an earlier dataset
    that holds the same columns: a .parquet or .jsonl file, a folder of such, the folder of a run, or
    hf://owner/dataset; its texts count as seen before. In `steps` it is read for every shard, in `finish`
    once. id: a column that names the rows.
    Reasons: empty (null), duplicate, near_duplicate (with near), same_meaning (with model).
    With id -> first: the id of the kept row that a dropped one is like, for `clusters`.
    Raises RecipeError, and UsageError where a model or an earlier dataset cannot be read.
    """
    if near is True or (near and not 0.3 <= near <= 1):
        raise RecipeError(f"duplicates: near is {near}; give a share from 0.3 to 1, such as 0.65")
    if model:
        check_model(model)
    if model and not near:
        raise RecipeError(
            "duplicates: a model needs `near:`, the cosine from which texts are the same, as 0.9"
        )
    if against:
        before.check(against)
    options = {"within": within, "also": also, "near": near, "model": model, "against": against}
    found = rule(sys.modules[__name__], text, options)
    assert found is not None
    judged = over_table(found, id)
    return judged if id else judged.struct.field("reason")


def keys(
    column: pl.Expr, *, within: str = "language", also: Sequence[str] = (), near: float = 0.0, model: str = ""
) -> pl.Expr:
    """Return numbers that equal (near, like) texts share, the same in every process; null for null.

    With near -> a struct of keys and sketch.
    """
    also = [within, *also] if within else also
    if not near:
        return _whole(column, also).map_batches(
            lambda texts: _lists(_hashes(texts)), return_dtype=pl.List(pl.UInt64), is_elementwise=True
        )
    text = joined(column) if model else folded(joined(column)).str.to_lowercase()
    rest = pl.concat_str(pl.lit(""), *_others(also), separator=_BETWEEN)
    parts = pl.struct(text.alias("text"), rest.alias("rest"))
    make = _near(near) if not model else _meaning(near, model)
    return parts.map_batches(make, return_dtype=_KEYS, is_elementwise=True)


def alike(*, near: float = 0.0, model: str = "") -> float:
    """Return the share of a sketch from which texts are alike."""
    return equal_share(near) if model else near


def reason(*, near: float = 0.0, model: str = "") -> str:
    """Return the reason of rows that are dropped."""
    return "same_meaning" if model else "near_duplicate" if near else "duplicate"


def earlier(
    column: pl.Expr, *, within: str = "language", also: Sequence[str] = (), model: str = "", against: str = ""
) -> Iterator[pl.DataFrame]:
    """Yield the rows of an earlier dataset."""
    if model:
        embed([""], model)  # a model that cannot be read is told of now, not after the first rows were made
    return before.read(against, [*column.meta.root_names(), within, *also]) if against else iter(())


def clusters(rows: pl.LazyFrame, first: str) -> pl.LazyFrame:
    """Count how often each text came, by the column in which this filter left ids.

    first: such as `draft_duplicates_first`. -> id: of a kept row with copies; copies: rows that were dropped.
    """
    copies = rows.filter(pl.col(first).is_not_null()).group_by(pl.col(first).alias("id"))
    return copies.agg(pl.len().alias("copies")).sort("copies", "id", descending=[True, False])


def fingerprint(text: pl.Expr, also: Sequence[str] = ()) -> pl.Expr:
    """Return a UInt64 that equal texts share, the same in every process and on every machine; null for null.

    For comparing rows that are not in one table: of 10 million different texts, two share one by a chance of
    3 in a million.
    """
    return _whole(text, also).map_batches(_hashes, return_dtype=pl.UInt64, is_elementwise=True)


def _whole(text: pl.Expr, also: Sequence[str]) -> pl.Expr:
    return pl.concat_str(_equal(text), *_others(also), separator=_BETWEEN)


def _others(also: Sequence[str]) -> list[pl.Expr]:
    return [_equal(pl.col(name)).fill_null("") for name in also]


def _equal(text: pl.Expr) -> pl.Expr:
    return squeezed(folded(joined(text)))


def _hashes(texts: pl.Series) -> pl.Series:
    hashed = [
        None if t is None else int.from_bytes(hashlib.blake2b(t.encode(), digest_size=8).digest(), "big")
        for t in texts.to_list()
    ]
    return pl.Series(hashed, dtype=pl.UInt64)


def _lists(marks: pl.Series) -> pl.Series:
    """A list of one for each number."""
    return pl.select(pl.when(marks.is_not_null()).then(pl.concat_list(marks))).to_series()


def _near(alike: float) -> Callable[[pl.Series], pl.Series]:
    def make(rows: pl.Series) -> pl.Series:
        table = rows.struct.unnest()
        flat, counts = shingles_of(table["text"])
        some = counts > 0
        found = signatures(flat, counts[some])
        keys = band_keys(found, alike, _salt(table, some))
        return _keyed(table, some, keys, np.asarray(found & 255, np.uint8))

    return make


def _meaning(cosine: float, model: str) -> Callable[[pl.Series], pl.Series]:
    def make(rows: pl.Series) -> pl.Series:
        table = rows.struct.unnest()
        vectors = embed(table["text"].fill_null("").to_list(), model)
        some = np.asarray(vectors.any(axis=1))
        found = sides(vectors[some])
        return _keyed(table, some, side_keys(found, cosine, _salt(table, some)), found[:, :CHECKED])

    return make


def _salt(table: pl.DataFrame, some: NDArray[np.bool_]) -> U64:
    """A number for the other columns of each row; most often there are few different ones."""
    rest = table["rest"].filter(pl.Series(some))
    numbers = rest.unique()
    return rest.replace_strict(numbers, _hashes(numbers), return_dtype=pl.UInt64).to_numpy()


def _keyed(table: pl.DataFrame, some: NDArray[np.bool_], keys: U64, sketches: NDArray[np.uint8]) -> pl.Series:
    """Keys and sketches of some rows; those in which there is nothing to compare are like each other."""
    place = pl.select(pl.when(pl.Series(some)).then(pl.Series(np.cumsum(some) - 1))).to_series()
    lists = pl.Series(keys, dtype=pl.Array(pl.UInt64, keys.shape[1])).arr.to_list()
    bare = pl.when(table["text"].is_not_null() & ~pl.Series(some)).then(table["rest"])
    return pl.select(
        pl.struct(
            keys=pl.coalesce(lists.gather(place), _lists(_hashes(pl.select(bare).to_series()))),
            sketch=pl.Series([row.tobytes() for row in sketches], dtype=pl.Binary).gather(place),
        )
    ).to_series()
