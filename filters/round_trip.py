"""Round trip: a translation that, translated back, says what the source said."""

from importlib.util import find_spec

import polars as pl

from glotmill.errors import UsageError
from glotmill.filters._text.words import joined

_SEEN = 10_000  # characters of each that are compared
_JUDGED = pl.Struct({"reason": pl.String, "chrf": pl.Float64})


def round_trip(
    text: pl.Expr, *, back: str = "back", source: str = "source", min_chrf: float = 30.0
) -> pl.Expr:
    """Keep translations whose back-translation (column `back`) has at least min_chrf against `source`.

    chrF (0 to 100) counts runs of 1 to 6 characters, so that it needs no words and takes every language; what
    matters is the language of the source. In NTREX-128, two people's translations of one sentence have 56 in
    the mean of French, Spanish and Portuguese, and 4 % of them less than 30; sentences of other content have
    17, and 1 in 1,400 of them 30 or more. Of other content, Chinese, Japanese and Korean texts have only 2 to
    4: choose a lower limit. The first 10,000 characters are compared. About 3,000 sentences a second.
    -> reason: empty (null text), no_source (source or back is null or blank), changed; chrf.
    Source: chrF (Popović, 2015), by sacrebleu with its defaults.

    Raises:
        UsageError: sacrebleu is not installed.
    """
    if find_spec("sacrebleu") is None:
        raise UsageError("round_trip needs sacrebleu: pip install 'glotmill[mt]'")
    columns = {"text": text.is_not_null(), "back": joined(pl.col(back)), "source": joined(pl.col(source))}
    rows = pl.struct(*(column.alias(name) for name, column in columns.items()))
    return rows.map_batches(lambda batch: _judge(batch, min_chrf), return_dtype=_JUDGED, is_elementwise=True)


def _judge(batch: pl.Series, min_chrf: float) -> pl.Series:
    from sacrebleu.metrics.chrf import CHRF

    metric = CHRF()
    judged: list[tuple[str | None, float | None]] = []
    for there, back, source in batch.struct.unnest().iter_rows():
        if not there or not (back or "").strip() or not (source or "").strip():
            judged.append(("no_source" if there else "empty", None))
            continue
        chrf = float(metric.sentence_score(back[:_SEEN], [source[:_SEEN]]).score)
        judged.append(("changed" if chrf < min_chrf else None, chrf))
    return pl.DataFrame(judged, schema=_JUDGED.to_schema(), orient="row").to_struct()
