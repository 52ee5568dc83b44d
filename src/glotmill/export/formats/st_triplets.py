"""Matching texts and one that does not match, as `anchor`, `positive`, `negative`: sentence-transformers."""

import polars as pl

from glotmill.errors import UsageError
from glotmill.export.formats._shared.preference_pairs import HINT, group_by_prompt
from glotmill.export.formats._shared.text_pairs import anchor_positive_pairs

NEEDS = "all"
SCHEMA = {"anchor": pl.String(), "positive": pl.String(), "negative": pl.String()}
EMPTY = f"a language needs two rows, since the negative is another row's text; with negative=rejected, {HINT}"
_NAME = "st-triplets"
_NEGATIVES = ("other", "rejected")


def st_triplets(
    rows: pl.DataFrame, *, anchor: str = "", positive: str = "", negative: str = "other"
) -> pl.DataFrame:
    """Return three texts per row and no other column: sentence-transformers trains on every column.

    anchor, positive: columns; by default the last user message and the last assistant message. Rows in which
    one of them is null or blank are left out.
    negative: `other` is the positive of the next row (the first follows the last) that was made from another
    seed row and differs in both texts; `rejected` is a reply to the same prompt that a filter dropped for its
    content, as in trl-dpo. Rows without a negative are left out.
    rows: anchor and positive, or messages that end with the assistant, verdict, reason, seed_key -> anchor,
    positive, negative, in this order, by which sentence-transformers tells them apart.
    Source: sentence-transformers 6.2, (anchor, positive, negative) triplets.
    """
    if negative not in _NEGATIVES:
        raise UsageError(f"{_NAME}: negative is {negative!r}; give one of {', '.join(_NEGATIVES)}")
    if negative == "rejected":
        return _rejected(rows, anchor, positive)
    texts = anchor_positive_pairs(rows.filter(verdict="kept"), anchor, positive, _NAME)
    pairs = texts.rows()
    triplets = []
    for number, (anchor_text, positive_text, seed) in enumerate(pairs):
        others = (pairs[(number + step) % len(pairs)] for step in range(1, len(pairs)))
        other = next(
            (o for o in others if o[2] != seed and o[0] != anchor_text and o[1] != positive_text), None
        )
        if other:
            triplets.append((anchor_text, positive_text, other[1]))
    return pl.DataFrame(triplets, SCHEMA, orient="row")


def _rejected(rows: pl.DataFrame, anchor: str, positive: str) -> pl.DataFrame:
    if anchor or positive:
        raise UsageError(f"{_NAME}: negative=rejected reads messages; leave out anchor and positive")
    pairs, _ = group_by_prompt(rows, _NAME, "drop")
    triplets = []
    for prompt in pairs:
        anchor_text = next((m["content"] for m in reversed(prompt.messages) if m["role"] == "user"), "")
        for number, rejected in enumerate(prompt.rejected if prompt.kept else []):
            texts = (
                anchor_text,
                prompt.kept[number % len(prompt.kept)].message["content"],
                rejected.message["content"],
            )
            if all(text.strip() for text in texts):
                triplets.append(texts)
    return pl.DataFrame(triplets, SCHEMA, orient="row")
