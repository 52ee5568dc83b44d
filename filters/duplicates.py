"""Drop texts that occur again: the same, nearly the same, or the same meaning in other words."""

import sys
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmill.errors import RecipeError
from glotmill.filters._similar.embeddings import check_model, embed
from glotmill.filters._similar.history import over_table, rule
from glotmill.filters._similar.hyperplanes import SKETCH_PLANES, equal_share, side_keys, sides
from glotmill.filters._similar.minhash import band_keys, signatures
from glotmill.filters._similar.shingles import shingles_of
from glotmill.filters._text.hashing import U64, text_hashes
from glotmill.filters._text.words import folded, joined, squeezed
from glotmill.io.rows import open_rows, to_polars

ACROSS_ROWS = True
COPY_REASONS = ("duplicate", "near_duplicate", "same_meaning")

_SEPARATOR = "\x1f"  # no squeezed text holds it
_KEYS = pl.Struct({"keys": pl.List(pl.UInt64), "sketch": pl.Binary})


def duplicates(
    text: pl.Expr,
    *,
    within: str | None = "language",
    also: Sequence[str] = (),
    near: float = 0.0,
    model: str = "",
    against: str = "",
    id: str = "",
) -> pl.Expr:
    """Keep the first of equal or similar texts, in the order of the rows.

    Equal texts may differ in case, spaces, punctuation, joiners, tatweel, harakat, niqqud, and the forms of
    alef, yeh and kaf.

    Options:
        within: column; only rows with the same value in it are compared. Empty compares all rows, which
            `finish` cannot do.
        also: columns that must be equal too.
        near: similarity, from 0.3 to 1, at which texts count as copies: the share of runs of three words
            (letters in scripts without spaces) that two texts have in common, by MinHash of 112 hashes. 0.65
            finds 99 of 100 copies in which 4 % of the words, or characters, were changed
            (benchmarks/duplicates.py); of 38,400 lines of NTREX-128 it drops 9, all of which say nearly what
            another line says. Texts of a few words are similar only if they are equal.
        model: folder or Hub id of a model2vec model (needs glotmill[select]); `near` is then the cosine of
            the texts' embeddings, such as 0.9. Finds 85 of 100 pairs just over it, 98 of those 0.05 over it.
        against: an earlier dataset with the same columns, whose texts count as seen before: a file, a folder
            of files, the folder of a run, or hf://owner/dataset. In `steps` every shard reads it, in `finish`
            it is read once.
        id: column that names the rows.
    Reasons: empty (null), duplicate, near_duplicate (with near), same_meaning (with model).
    With id, adds `<column>_duplicates_first`: the id of the kept row that a dropped one is a copy of.
    Raises RecipeError; UsageError if the model or the earlier dataset cannot be read.
    """
    if near is True or (near and not 0.3 <= near <= 1):
        raise RecipeError(f"duplicates: near is {near}; give a share from 0.3 to 1, such as 0.65")
    if model:
        check_model(model)
    if model and not near:
        raise RecipeError(
            "duplicates: a model needs `near:`, the cosine from which texts mean the same, such as 0.9"
        )
    if against:
        open_rows(against, run_rows=True)  # raises if there is nothing to read
    options = {"within": within, "also": also, "near": near, "model": model, "against": against}
    history_rule = rule(sys.modules[__name__], text, options)
    assert history_rule is not None
    verdicts = over_table(history_rule, id)
    return verdicts if id else verdicts.struct.field("reason")


def keys(
    column: pl.Expr,
    *,
    within: str | None = "language",
    also: Sequence[str] = (),
    near: float = 0.0,
    model: str = "",
) -> pl.Expr:
    """Return numbers that equal texts share, and similar ones (with near) probably; null for null.

    They are the same in every process. With near -> a struct of keys and sketch.
    """
    also = [within, *also] if within else also
    if not near:
        text = pl.concat_str(squeezed(folded(joined(column))), *_squeezed_columns(also), separator=_SEPARATOR)
        return text.map_batches(
            lambda texts: _single_lists(text_hashes(texts)),
            return_dtype=pl.List(pl.UInt64),
            is_elementwise=True,
        )
    text = joined(column) if model else folded(joined(column)).str.to_lowercase()
    rest = pl.concat_str(pl.lit(""), *_squeezed_columns(also), separator=_SEPARATOR)
    rows = pl.struct(text.alias("text"), rest.alias("rest"))
    make_keys = _meaning_keys(near, model) if model else _shingle_keys(near)
    return rows.map_batches(make_keys, return_dtype=_KEYS, is_elementwise=True)


def alike(*, near: float = 0.0, model: str = "") -> float:
    """Return the share of equal bytes in two sketches from which their texts are copies."""
    return equal_share(near) if model else near


def reason(*, near: float = 0.0, model: str = "") -> str:
    """Return the reason of dropped rows."""
    if model:
        return "same_meaning"
    return "near_duplicate" if near else "duplicate"


def earlier(
    column: pl.Expr,
    *,
    within: str | None = "language",
    also: Sequence[str] = (),
    model: str = "",
    against: str = "",
) -> Iterator[pl.DataFrame]:
    """Yield the rows of an earlier dataset."""
    if model:
        embed([""], model)  # fail now if the model cannot be read, not once the first rows are there
    columns = [*column.meta.root_names(), *([within] if within else []), *also]
    tables = open_rows(against, run_rows=True).tables(columns) if against else ()
    return map(to_polars, tables)


def _squeezed_columns(names: Sequence[str]) -> list[pl.Expr]:
    return [squeezed(folded(joined(pl.col(name)))).fill_null("") for name in names]


def _single_lists(hashes: pl.Series) -> pl.Series:
    """Return a list of one number for each number, null for null."""
    return pl.select(pl.when(hashes.is_not_null()).then(pl.concat_list(hashes))).to_series()


def _shingle_keys(similarity: float) -> Callable[[pl.Series], pl.Series]:
    def make_keys(rows: pl.Series) -> pl.Series:
        table = rows.struct.unnest()
        flat, counts = shingles_of(table["text"])
        present = counts > 0
        minima = signatures(flat, counts[present])
        keys = band_keys(minima, similarity, _salt(table, present))
        return _keys_and_sketches(table, present, keys, np.asarray(minima & 255, np.uint8))

    return make_keys


def _meaning_keys(cosine: float, model: str) -> Callable[[pl.Series], pl.Series]:
    def make_keys(rows: pl.Series) -> pl.Series:
        table = rows.struct.unnest()
        vectors = embed(table["text"].fill_null("").to_list(), model)
        present = np.asarray(vectors.any(axis=1))
        bits = sides(vectors[present])
        keys = side_keys(bits, cosine, _salt(table, present))
        return _keys_and_sketches(table, present, keys, bits[:, :SKETCH_PLANES])

    return make_keys


def _salt(table: pl.DataFrame, present: NDArray[np.bool_]) -> U64:
    """Return a number for the other columns of each row; few rows differ in them."""
    rest = table["rest"].filter(pl.Series(present))
    return text_hashes(rest).to_numpy()


def _keys_and_sketches(
    table: pl.DataFrame, present: NDArray[np.bool_], keys: U64, sketches: NDArray[np.uint8]
) -> pl.Series:
    """Return a struct of keys and sketch for each row; texts without a word are copies of each other.

    keys, sketches: a row for each row of the table in which there is something to compare.
    """
    position = pl.select(pl.when(pl.Series(present)).then(pl.Series(np.cumsum(present) - 1))).to_series()
    lists = pl.Series(keys, dtype=pl.Array(pl.UInt64, keys.shape[1])).arr.to_list()
    bare = pl.when(table["text"].is_not_null() & ~pl.Series(present)).then(table["rest"])
    return pl.select(
        pl.struct(
            keys=pl.coalesce(lists.gather(position), _single_lists(text_hashes(pl.select(bare).to_series()))),
            sketch=pl.Series([row.tobytes() for row in sketches], dtype=pl.Binary).gather(position),
        )
    ).to_series()
