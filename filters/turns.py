"""Whether turns make a dialogue: how many, who speaks when, nothing empty."""

import polars as pl


def turns(
    text: pl.Expr, *, min_turns: int = 2, max_turns: int = 40, speakers: int = 2, max_chars: int = 4_000
) -> pl.Expr:
    """Keep dialogues in which exactly `speakers` people speak and no one twice in a row.

    text: turns, a List(Struct{speaker, text}). max_chars: of one turn.
    Reasons: empty (null), too_few_turns, too_many_turns, empty_turn, turn_too_long, not_alternating.
    """
    speaker = text.list.eval(pl.element().struct.field("speaker").cast(pl.String).str.strip_chars())
    said = text.list.eval(
        pl.element().struct.field("text").str.replace_all(r"\A[\s\p{C}]+|[\s\p{C}]+\z", "").str.len_chars()
    )
    nameless = speaker.list.eval((pl.element().is_null() | (pl.element() == "")).any()).list.first()
    twice = speaker.list.eval((pl.element() == pl.element().shift(1)).any()).list.first()
    empty = said.list.eval((pl.element().fill_null(0) == 0).any()).list.first()
    return (
        pl.when(text.is_null())
        .then(pl.lit("empty"))
        .when(text.list.len() < min_turns)
        .then(pl.lit("too_few_turns"))
        .when(text.list.len() > max_turns)
        .then(pl.lit("too_many_turns"))
        .when(empty)
        .then(pl.lit("empty_turn"))
        .when(said.list.max() > max_chars)
        .then(pl.lit("turn_too_long"))
        .when(nameless | twice | (speaker.list.n_unique() != speakers))
        .then(pl.lit("not_alternating"))
    )
