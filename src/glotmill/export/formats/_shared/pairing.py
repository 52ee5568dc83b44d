"""Replies to one prompt, those that were kept beside those that were not. A helper of formats."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from glotmill.export.formats import needed
from glotmill.export.formats._shared.chats import chats, cut

HINT = (
    "a prompt needs a kept reply and one that a filter dropped: ask several times (`--set steps.STEP.n=4` of "
    "the step that answers) and judge the reply itself, by `language`, `repetition`, `final_number` "
    "or, of a judge's score, `at_least`"
)
# Filters that drop a reply for what other rows are: it may be as good as the one that was kept.
_BY_OTHERS = ("duplicates", "balance", "select", "got_d", "quality_buckets")
# Filters of texts that are not to leave at all.
_NOT_TO_LEAVE = ("pii", "decontaminate")
# Filters of what another reply says of this one.
_OF_A_JUDGE = ("at_least", "judge")
# Reasons that say nothing against a reply: it was cut off, has no text, or could not be judged.
_NO_FAULT = ("truncated", "empty", "no_score", "no_expected_number", "no_source", "no_detector")
_UNKNOWN = ("unknown_language", "unknown_script", "left_out", "disputed")

Message = Mapping[str, str]


@dataclass(frozen=True)
class Said:
    """A reply: its row, its last message, and why it was dropped; None: it was kept."""

    place: int
    message: Message
    reason: str | None


@dataclass(frozen=True)
class Prompt:
    """What was asked, and all replies to it, in their order."""

    messages: Sequence[Message]
    kept: list[Said] = field(default_factory=list)
    rejected: list[Said] = field(default_factory=list)


def prompts(rows: pl.DataFrame, name: str, reasoning: str = "field") -> tuple[list[Prompt], pl.DataType]:
    """Return every prompt of a language with its replies, and the type of a list of messages.

    Replies belong together if the messages before them are equal, and their seed row is.
    Rejected is what a filter dropped for what the reply is. Left out: failed requests and replies that could
    not be parsed, which have no text, and blank ones; replies that were cut off at max_tokens, whose end is
    nobody's choice; those dropped for what other rows are (duplicates, balance), for their prompt, or because
    a filter could not tell; those with personal data, or of a benchmark, which are not to leave; those that
    say again what a kept one or another rejected one says.
    A reply dropped before its prompt was made (by a transform such as `views`) belongs to the prompts of kept
    replies to the same request of the step that wrote it; without one, to those that `_sources` tells of.
    name: of the format, for errors; reasoning: as in messages.chats.
    Raises UsageError as messages.chats and cut.
    """
    needed(rows, "messages", name, "the recipe names them under output.messages, or makes them")
    rows = rows.with_row_index("_place").filter(_answered() | (pl.col("verdict") == "kept"))
    kept = rows.filter(verdict="kept")
    cut(chats(kept, name, reasoning), kept["id"], name)
    step = answer_column(rows)
    rows = rows.filter((pl.col("verdict") == "kept") | _at_fault(rows, step))
    said = chats(rows, name, reasoning)
    asked = rows[f"{step}_prompt"] if step else pl.Series([None] * rows.height, dtype=pl.String)
    found: dict[Any, Prompt] = {}
    asked_of: dict[tuple[str, str | None], dict[int, Prompt]] = {}
    early = []
    places = zip(rows["_place"], rows["seed_key"], rows["reason"], asked, said, strict=True)
    for number, (place, seed, reason, request, series) in enumerate(places):
        *before, last = series.to_list()
        reply = Said(place, last, reason)
        if reason is not None and not any(message["role"] == "user" for message in before):
            early.append((number, seed, request, before, reply))
            continue
        prompt = _prompt(found, seed, before)
        (prompt.kept if reason is None else prompt.rejected).append(reply)
        if reason is None and request is not None:
            asked_of.setdefault((seed, request), {})[id(prompt)] = prompt
    sources = _sources(rows, said, step) if early else []
    for number, seed, request, before, reply in early:
        user = {**dict.fromkeys(reply.message, ""), "role": "user"}
        texts = dict.fromkeys(text for source in sources if (text := rows[source][number]))
        made = (_prompt(found, seed, [*before, {**user, "content": text}]) for text in texts)
        for prompt in asked_of.get((seed, request), {}).values() or made:
            prompt.rejected.append(reply)
    for prompt in found.values():
        prompt.rejected[:] = _distinct(prompt)
    return list(found.values()), said.dtype


def _prompt(found: dict[Any, Prompt], seed: str, messages: Sequence[Message]) -> Prompt:
    key = (seed, *(part for message in messages for part in message.values()))
    return found.setdefault(key, Prompt(messages))


def _distinct(prompt: Prompt) -> Iterator[Said]:
    """Rejected replies, each once; one that a kept reply says too would be called both right and wrong."""
    seen = {tuple(reply.message.values()) for reply in prompt.kept}
    for reply in prompt.rejected:
        if (text := tuple(reply.message.values())) not in seen:
            seen.add(text)
            yield reply


def _sources(rows: pl.DataFrame, said: pl.Series, step: str) -> list[str]:
    """Columns from which prompts are made: what the user said to each kept reply stands in one of them.

    For `views`, these are the problem and its source. None, where the prompts of some are not so.
    """
    user = pl.element().struct.field("content").filter(pl.element().struct.field("role") == "user")
    asked = said.list.eval(user).list.last().filter(rows["verdict"] == "kept")
    kept = rows.filter(verdict="kept").select(pl.col(pl.String))
    earlier = kept.columns[: kept.columns.index(step)] if step else []
    used = {name: holds for name in earlier if (holds := set((kept[name] == asked).arg_true()))}
    for name in list(used):  # what the others hold too, a column may hold by chance
        if used[name] <= set().union(*(holds for other, holds in used.items() if other != name)):
            del used[name]
    return list(used) if len(set().union(*used.values())) == kept.height else []


def answer_column(rows: pl.DataFrame) -> str:
    """Return the generated column that holds the last message of each row that has messages; "" if none."""
    said = rows.filter(_answered())
    last = said.select(pl.col("messages").list.last().struct.field("content")).to_series()
    for name in rows.columns:
        generated = f"{name}_prompt" in rows.columns and rows.schema[name] == pl.String
        if generated and said.height and (said[name] == last).all(ignore_nulls=False):
            return name
    return ""


def _answered() -> pl.Expr:
    chat = pl.col("messages")
    ends = chat.list.last().struct.field("role") == "assistant"
    return ((chat.list.len() > 0) & ends).fill_null(False)


def _at_fault(rows: pl.DataFrame, step: str) -> pl.Expr:
    """Whether a row was dropped for what its reply is: a filter judged its column, or one made after it.

    What is wrong with a later reply, such as a judge's, is no fault of this one.
    """
    at = pl.col("reason_at").str.strip_prefix("finish.")
    column, judge = at.str.extract(r"^([^.]*)\."), at.str.extract(r"\.([^.]*)$")
    names = rows.columns
    later = names[names.index(step) :] if step else names
    generated = [n for n in names if f"{n}_prompt" in names and n != step] if step else []
    fits = column.is_in(later) & (~column.is_in(generated) | judge.is_in(_OF_A_JUDGE))
    fits &= ~judge.is_in([*_BY_OTHERS, *_NOT_TO_LEAVE]) & ~pl.col("reason").is_in([*_NO_FAULT, *_UNKNOWN])
    said = pl.col("messages").list.last().struct.field("content").str.strip_chars() != ""
    return ((pl.col("verdict") == "dropped") & fits & said).fill_null(False)
