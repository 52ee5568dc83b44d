"""Drop dialogues with the wrong number of turns or speakers, or turns that do not alternate."""

import polars as pl

from glotmill.filters._text.words import trimmed


def turns(
    text: pl.Expr, *, min_turns: int = 2, max_turns: int = 40, speakers: int = 2, max_chars: int = 4_000
) -> pl.Expr:
    """Keep dialogues in which the speakers alternate.

    The column holds dialogues: List(Struct{speaker, text}). Covers all languages.

    Options:
        min_turns, max_turns: number of turns.
        speakers: exact number of different speakers.
        max_chars: longest turn, in characters.
    Reasons: empty (null), too_few_turns, too_many_turns, empty_turn, turn_too_long, not_alternating (a
    speaker twice in a row, a turn without a speaker, or another number of speakers).
    """
    speaker = text.list.eval(pl.element().struct.field("speaker").cast(pl.String).str.strip_chars())
    chars = text.list.eval(trimmed(pl.element().struct.field("text")).str.len_chars())
    nameless = speaker.list.eval((pl.element().is_null() | (pl.element() == "")).any()).list.first()
    twice = speaker.list.eval((pl.element() == pl.element().shift(1)).any()).list.first()
    empty = chars.list.eval((pl.element().fill_null(0) == 0).any()).list.first()
    return (
        pl.when(text.is_null())
        .then(pl.lit("empty"))
        .when(text.list.len() < min_turns)
        .then(pl.lit("too_few_turns"))
        .when(text.list.len() > max_turns)
        .then(pl.lit("too_many_turns"))
        .when(empty)
        .then(pl.lit("empty_turn"))
        .when(chars.list.max() > max_chars)
        .then(pl.lit("turn_too_long"))
        .when(nameless | twice | (speaker.list.n_unique() != speakers))
        .then(pl.lit("not_alternating"))
    )
