"""Drop texts with too few or too many tokens of a model."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from glotmill.errors import UsageError, one_line
from glotmill.filters._text.words import joined_series

_MAX_CHARS = 200_000  # of a text that are tokenized


def tokens(
    text: pl.Expr,
    *,
    min_tokens: int = 1,
    max_tokens: int | None = None,
    counts: str = "",
    tokenizer: str = "",
) -> pl.Expr:
    """Keep texts of `min_tokens` to `max_tokens` tokens.

    Uses the number of tokens in the column `counts`, or counts with `tokenizer`: the first 200,000
    characters, the items of a list or the turns of a dialogue a line each, without special tokens. Covers all
    languages.

    Options:
        min_tokens, max_tokens: the limits; without `max_tokens` there is no upper one.
        counts: column with the number of tokens. By default `<column>_tokens`, which a generate step adds; it
            counts the reply as the engine sent it, including what parsing removed.
        tokenizer: a `tokenizer.json`, a folder with one, or the name of a model on the Hub that has one.
    Reasons: empty (null text or count), too_short, too_long.
    Raises UsageError if the tokenizer cannot be loaded.
    """
    if tokenizer:
        if counts:
            raise ValueError("counts and tokenizer are both given; leave one out")
        _load(tokenizer)  # fail now rather than in the middle of a run
        number = text.map_batches(lambda batch: _count(batch, tokenizer), pl.Int64, is_elementwise=True)
    else:
        number = pl.col(counts or f"{text.meta.root_names()[0]}_tokens").cast(pl.Int64)
    return (
        pl.when(text.is_null() | number.is_null())
        .then(pl.lit("empty"))
        .when(number < min_tokens)
        .then(pl.lit("too_short"))
        .when(pl.lit(False) if max_tokens is None else number > max_tokens)
        .then(pl.lit("too_long"))
    )


def _count(batch: pl.Series, tokenizer: str) -> pl.Series:
    texts = joined_series(batch).str.head(_MAX_CHARS)
    encodings = _load(tokenizer).encode_batch_fast(texts.fill_null("").to_list(), add_special_tokens=False)
    counts = pl.Series([len(encoding.ids) for encoding in encodings], dtype=pl.Int64)
    return pl.select(pl.when(texts.is_not_null()).then(counts)).to_series()


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
            raise ValueError("it has no `model`")
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(
            f"tokenizer {name!r} cannot be read: {one_line(error)}; name a folder with tokenizer.json"
        ) from None
    tokenizer = Tokenizer.from_str(text)
    tokenizer.no_truncation()  # some files truncate to the context length of their model
    tokenizer.no_padding()
    return tokenizer
