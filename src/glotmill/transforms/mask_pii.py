"""Masks personal data: e-mail addresses, phone numbers, bank accounts, cards, national ids."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from glotmill.io.pii import KINDS, Kind, find

PERSONAL_DATA = "masked"

_TEXTS = ("text", "content")  # of turns and of chat messages


def mask_pii(
    rows: pl.DataFrame, *, column: str, language: str = "language", kinds: Sequence[Kind] = KINDS
) -> pl.DataFrame:
    """Replace personal data by `<email>`, `<iban>`, `<card>`, `<id>` or `<phone>`.

    column: texts, lists of texts, turns or chat messages; in turns and messages the texts are masked.
    language: the column of language tags, which decide how phone numbers and ids are read. kinds: which to
    mask; the filter `pii` explains each.
    rows: <column>, <language> -> <column> masked, + <column>_masked (the number of pieces; null for a null).
    Raises UsageError if the extra `pii` is not installed.
    """
    if unknown := set(kinds) - set(KINDS):
        raise ValueError(f"kinds: {', '.join(sorted(unknown))}; choose from {', '.join(KINDS)}")
    tags = rows[language].to_list()
    results = [_masked(value, tag, kinds) for value, tag in zip(rows[column].to_list(), tags, strict=True)]
    return rows.with_columns(
        pl.Series(column, [value for value, _ in results], rows.schema[column]),
        pl.Series(f"{column}_masked", [None if v is None else n for v, n in results], pl.Int64),
    )


def _masked(value: Any, tag: str | None, kinds: Sequence[str]) -> tuple[Any, int]:
    """Return a value with its texts masked, and the number of masked pieces."""
    if isinstance(value, str):
        return _mask(value, tag, kinds)
    if isinstance(value, list):
        parts = [_masked(part, tag, kinds) for part in value]
        return [part for part, _ in parts], sum(number for _, number in parts)
    if isinstance(value, dict):
        fields = {name: _masked(value[name], tag, kinds) for name in _TEXTS if name in value}
        masked = {name: part for name, (part, _) in fields.items()}
        return {**value, **masked}, sum(number for _, number in fields.values())
    return value, 0


def _mask(text: str, tag: str | None, kinds: Sequence[str]) -> tuple[str, int]:
    pieces = find(text, tag, kinds)
    for piece in reversed(pieces):
        text = f"{text[: piece.start]}<{piece.kind}>{text[piece.end :]}"
    return text, len(pieces)
