"""Texts that belong together and one that does not, as `anchor`, `positive`, `negative`."""

import polars as pl

from glotmill.errors import UsageError
from glotmill.export.formats._shared.exchange import sides
from glotmill.export.formats._shared.pairing import HINT, prompts

NEEDS = "all"
SCHEMA = {"anchor": pl.String(), "positive": pl.String(), "negative": pl.String()}
EMPTY = f"a language with one row alone has no other to be the negative; and for negative=rejected {HINT}"
_NAME = "st-triplets"
_WAYS = ("other", "rejected")


def st_triplets(
    rows: pl.DataFrame, *, anchor: str = "", positive: str = "", negative: str = "other"
) -> pl.DataFrame:
    """Return three texts a row, and nothing else: sentence-transformers trains on every column that it sees.

    anchor, positive: columns; without one, what the user said last and what the assistant answered. Rows
    where one is null or blank are left out.
    negative: `other` is the positive of the next row (after the last comes the first) that was made from
    another seed row and differs in both texts; `rejected` is a reply to the same prompt that a filter dropped
    for what it says, as in trl-dpo. Rows without one are left out.
    rows: anchor and positive, or messages that end with the assistant, verdict, reason, seed_key -> anchor,
    positive, negative, in this order, which is what tells them apart.
    Source: sentence-transformers 6.2, (anchor, positive, negative) triplets.
    """
    if negative not in _WAYS:
        raise UsageError(f"{_NAME}: negative {negative!r}: one of {', '.join(_WAYS)}")
    if negative == "rejected":
        return _rejected(rows, anchor, positive)
    texts = sides(rows.filter(verdict="kept"), anchor, positive, _NAME)
    found = texts.rows()
    made = []
    for number, (asked, said, seed) in enumerate(found):
        others = (found[(number + step) % len(found)] for step in range(1, len(found)))
        other = next((o for o in others if o[2] != seed and o[0] != asked and o[1] != said), None)
        if other:
            made.append((asked, said, other[1]))
    return pl.DataFrame(made, SCHEMA, orient="row")


def _rejected(rows: pl.DataFrame, anchor: str, positive: str) -> pl.DataFrame:
    if anchor or positive:
        raise UsageError(f"{_NAME}: negative=rejected is for messages: leave out anchor and positive")
    found, _ = prompts(rows, _NAME, "drop")
    made = []
    for prompt in found:
        asked = next((m["content"] for m in reversed(prompt.messages) if m["role"] == "user"), "")
        for number, worse in enumerate(prompt.rejected if prompt.kept else []):
            texts = (
                asked,
                prompt.kept[number % len(prompt.kept)].message["content"],
                worse.message["content"],
            )
            if all(text.strip() for text in texts):
                made.append(texts)
    return pl.DataFrame(made, SCHEMA, orient="row")
