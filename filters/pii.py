"""Personal data: e-mail addresses, phone numbers, bank accounts, cards, national ids."""

from collections.abc import Sequence

import polars as pl

from glotmill.filters._text.words import joined_series
from glotmill.io.pii import KINDS, MAY_HOLD, find

WITHHELD = True
PERSONAL_DATA = "dropped"

_JUDGED = pl.Struct({"reason": pl.String, "count": pl.Int64})


def pii(text: pl.Expr, *, language: str = "language", kinds: Sequence[str] = KINDS) -> pl.Expr:
    """Keep texts without personal data.

    kinds: of `email`, `iban`, `card` (by Luhn), `id` (33 national ids, each by its form and check digits, in
    `personal_ids.csv`) and `phone`. A phone number is read with its country code, or as the usual regions of
    the language write it (`phone_regions.csv`, 134 languages) where it is announced ("call"), begins with the
    zero before an area, or is grouped as numbers are; it must exist in the numbering plan and may not be free
    of charge or a service. Years, dates, prices and equations are no phone numbers. Addresses at example.com
    and its like are not personal.
    language: the column of tags; null reads only what is the same everywhere.
    To mask instead of dropping, see the transform `mask_pii`.
    -> reason: empty (null), pii_email, pii_iban, pii_card, pii_id or pii_phone, whichever stands first;
    count: how many were found. Raises UsageError if the extra `pii` is not installed.
    """
    if unknown := set(kinds) - set(KINDS):
        raise ValueError(f"kinds: {', '.join(sorted(unknown))}; there is {', '.join(KINDS)}")
    rows = pl.struct(text.alias("text"), pl.col(language).cast(pl.String).alias("language"))
    return rows.map_batches(lambda batch: _judge(batch, kinds), return_dtype=_JUDGED, is_elementwise=True)


def _judge(batch: pl.Series, kinds: Sequence[str]) -> pl.Series:
    text = joined_series(batch.struct.field("text"))
    may_hold = text.str.contains(MAY_HOLD).fill_null(True)
    judged: list[dict[str, object]] = [{"reason": None, "count": 0}] * len(text)
    tags = batch.struct.field("language")
    for place in may_hold.arg_true():
        if text[place] is None:
            judged[place] = {"reason": "empty", "count": None}
        elif found := find(text[place], tags[place], kinds):
            judged[place] = {"reason": f"pii_{found[0].kind}", "count": len(found)}
    return pl.Series(judged, dtype=_JUDGED)
