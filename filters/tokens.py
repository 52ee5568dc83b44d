"""Length of a text in a model's tokens."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from glotmill.errors import UsageError, one_line
from glotmill.filters._text.words import joined_series

_SEEN = 200_000  # characters of a text that a tokenizer is given


def tokens(
    text: pl.Expr,
    *,
    min_tokens: int = 1,
    max_tokens: int | None = None,
    counts: str = "",
    tokenizer: str = "",
) -> pl.Expr:
    """Keep texts of min_tokens to max_tokens tokens.

    counts: a column with the number of tokens; unless a tokenizer is named, the one that a generate step
    leaves beside its reply (`<column>_tokens`; what was left out of the reply when it was read counts too).
    tokenizer: a folder with a `tokenizer.json`, that file, or the name of a model on the Hub that has one;
    it counts the first 200,000 characters, items of a list or turns a line each, no special tokens.
    Reasons: empty (null, or no count), too_short, too_long. Raises UsageError if the tokenizer cannot be had.
    """
    if tokenizer:
        if counts:
            raise ValueError("counts and tokenizer are both given; leave one out")
        _load(tokenizer)  # said now rather than in the middle of a run
        number = text.map_batches(lambda batch: _count(batch, tokenizer), pl.Int64, is_elementwise=True)
    else:
        number = pl.col(counts or f"{text.meta.root_names()[0]}_tokens").cast(pl.Int64)
    longest = pl.lit(False) if max_tokens is None else number > max_tokens
    return (
        pl.when(text.is_null() | number.is_null())
        .then(pl.lit("empty"))
        .when(number < min_tokens)
        .then(pl.lit("too_short"))
        .when(longest)
        .then(pl.lit("too_long"))
    )


def _count(batch: pl.Series, tokenizer: str) -> pl.Series:
    texts = joined_series(batch).str.head(_SEEN)
    said = _load(tokenizer).encode_batch_fast(texts.fill_null("").to_list(), add_special_tokens=False)
    counted = pl.Series([len(encoding.ids) for encoding in said], dtype=pl.Int64)
    return pl.select(pl.when(texts.is_not_null()).then(counted)).to_series()


@cache
def _load(name: str) -> Any:
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise UsageError(
            "counting tokens needs tokenizers; run: pip install 'glotmill[transformers]'"
        ) from None
    path = Path(name).expanduser()
    if path.is_dir():
        path /= "tokenizer.json"
    try:
        if not path.is_file():
            from huggingface_hub import hf_hub_download

            path = Path(hf_hub_download(name, "tokenizer.json"))
        text = path.read_text(encoding="utf-8")
        if "model" not in json.loads(text):
            raise ValueError("there is no model in it")
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(
            f"tokenizer {name!r} cannot be read: {one_line(error)}; name a folder with tokenizer.json"
        ) from None
    made = Tokenizer.from_str(text)
    made.no_truncation()  # some files are set to cut at the length of their model
    made.no_padding()
    return made
