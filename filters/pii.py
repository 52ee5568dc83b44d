"""Drop texts with e-mail addresses, phone numbers, bank accounts, payment cards or national ids."""

from collections.abc import Sequence

import polars as pl

from glotmill.filters._text.words import joined_series
from glotmill.io.pii import KINDS, MAY_HOLD, Kind, find

WITHHELD = True
PERSONAL_DATA = "dropped"
PACKAGES = ("phonenumbers", "python-stdnum")

_VERDICT = pl.Struct({"reason": pl.String, "count": pl.Int64})


def pii(text: pl.Expr, *, language: str = "language", kinds: Sequence[Kind] = KINDS) -> pl.Expr:
    """Keep texts without personal data.

    `card` is checked by the Luhn algorithm, `id` covers 33 national ids, each by its format and check digits
    (`personal_ids.csv`). `phone` reads numbers with a country code, and numbers written as in the regions of
    the language (`phone_regions.csv`, 134 languages) if they are announced ("call"), begin with a trunk zero,
    or are grouped as phone numbers are; they must exist in the numbering plan and be neither free of charge
    nor a service number. Years, dates, prices and equations are not phone numbers. Addresses at example.com
    and similar domains are not personal.

    To mask personal data instead of dropping rows, use the transform `mask_pii`.

    Options:
        language: column of language tags; where it is null, only formats that are the same everywhere are
        read.
        kinds: which of `email`, `iban`, `card`, `id`, `phone` to look for.
    Reasons: empty (null), pii_email, pii_iban, pii_card, pii_id, pii_phone (the first in the text).
    Adds `<column>_pii_count`: number of personal data in the text.
    Raises UsageError if the extra `pii` is not installed.
    """
    if unknown := set(kinds) - set(KINDS):
        raise ValueError(f"kinds: {', '.join(sorted(unknown))}; choose from {', '.join(KINDS)}")
    rows = pl.struct(text.alias("text"), pl.col(language).cast(pl.String).alias("language"))
    return rows.map_batches(lambda batch: _verdicts(batch, kinds), return_dtype=_VERDICT, is_elementwise=True)


def _verdicts(batch: pl.Series, kinds: Sequence[str]) -> pl.Series:
    text, tags = joined_series(batch.struct.field("text")), batch.struct.field("language")
    verdicts: list[tuple[str | None, int | None]] = [(None, 0)] * len(text)
    for row in text.str.contains(MAY_HOLD).fill_null(True).arg_true():  # few texts
        if text[row] is None:
            verdicts[row] = ("empty", None)
        elif items := find(text[row], tags[row], kinds):
            verdicts[row] = (f"pii_{items[0].kind}", len(items))
    return pl.DataFrame(verdicts, schema=_VERDICT.to_schema(), orient="row").to_struct()
