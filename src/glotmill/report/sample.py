"""Rows of a run to look at: of every language, kept and lost for each reason, the lowest-scored too."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from glotmill.columns import ID, KEPT, LANGUAGE, MESSAGES, REASON, REASON_AT, VERDICT, raw_column
from glotmill.io.terminal import shorten, shown
from glotmill.recipes.recipe import Recipe
from glotmill.recipes.steps import Filter, Generate
from glotmill.report.row_measures import DETECTED, batches, declared, filters, stage_name
from glotmill.runner.run_folder import Run

MAX_CHARS = 4_000  # of one text of a row

_SCORES = ("_score", "_logprob")  # how columns end in which a low number is bad
_RAW = raw_column("")
_TOKENS = "_tokens"
_POOL_SCHEMA = {ID: pl.String, "shard": pl.Int64, VERDICT: pl.String, REASON: pl.String}
_ROLES = ("system", "user", "reasoning", "assistant")


class _Text(NamedTuple):
    """A text of a row: the page's script reads it as a list of these values."""

    name: str
    text: str
    in_language: bool  # the run wrote it in the row's language, as far as is known; seeds may be in another


def sample(run: Run, recipe: Recipe, tags: Sequence[str], rows: int) -> list[dict[str, Any]]:
    """Return at most `rows` rows, the same ones every time.

    All languages get the same number, as far as they have rows. Half of them are kept rows, a third of which
    are those with the lowest scores of the language; the other half is shared among the reasons. Ids are
    hashes, so the rows with the lowest ids are taken.
    -> id, language, verdict, reason, reason_at, worst (rank among the lowest-scored, or null), texts (lists
    of name, text, whether it is in the row's language), measured (name -> value).
    """
    judged = [
        step.of
        for step in recipe.live_steps
        if isinstance(step, Filter) and declared(step.filter, "JUDGES_SCORE", False)
    ]
    pools = {tag: _Pool(run, tag, judged, rows) for tag in tags}
    shares = share(rows, {tag: sum(pool.counts.values()) for tag, pool in pools.items()})
    chosen = [row for tag in tags for row in _rows(run, recipe, tag, pools[tag].choose(shares[tag]))]
    return sorted(chosen, key=lambda row: str(row[ID]))


def share(total: int, sizes: Mapping[Any, int]) -> dict[Any, int]:
    """Share a number out evenly: what is too much for one name goes to the others."""
    shares: dict[Any, int] = {}
    for number, name in enumerate(sorted(sizes, key=lambda name: (sizes[name], name))):
        shares[name] = min(sizes[name], (total - sum(shares.values())) // (len(sizes) - number))
    return shares


class _Pool:
    """The rows of a language to choose from: the first ones of each verdict and reason, and of each score."""

    def __init__(self, run: Run, tag: str, judged: Sequence[str], limit: int) -> None:
        self.counts: dict[tuple[str, str], int] = {}  # (verdict, reason) -> rows; reason "" if kept
        self._first = pl.DataFrame(schema=_POOL_SCHEMA)  # with the lowest ids, by verdict and reason
        self._lowest: dict[str, pl.DataFrame] = {}  # score -> kept rows
        self._limit = limit
        for table in batches(run, tag, [ID, *(name.partition(".")[0] for name in judged)], _SCORES):
            if not table.is_empty():
                self._add(table, judged)

    def choose(self, count: int) -> dict[int, dict[str, int | None]]:
        """Choose so many rows: shard -> id -> rank among the lowest-scored, if it is one of them."""
        kept = sum(rows for (verdict, _), rows in self.counts.items() if verdict == KEPT)
        halves = share(count, {"kept": kept, "lost": sum(self.counts.values()) - kept})
        lost = {key: rows for key, rows in self.counts.items() if key[0] != KEPT}
        lowest = self._lowest_first(halves["kept"] // 3)
        quotas = {**share(halves["lost"], lost), (KEPT, ""): halves["kept"] - len(lowest)}
        chosen: dict[int, dict[str, int | None]] = {}
        for rank, (shard, row_id) in enumerate(lowest):
            chosen.setdefault(shard, {})[row_id] = rank
        others = self._first.filter(~pl.col(ID).is_in([row_id for _, row_id in lowest]))
        for (verdict, reason), quota in quotas.items():
            rows = others.filter(verdict=verdict, reason=reason).head(quota)
            for shard, row_id in rows.select("shard", ID).iter_rows():
                chosen.setdefault(shard, {})[row_id] = None
        return chosen

    def _add(self, table: pl.DataFrame, judged: Sequence[str]) -> None:
        rows = table.select(ID, "shard", VERDICT, pl.col(REASON).fill_null(""))
        for verdict, reason, count in rows.group_by(VERDICT, REASON).len().iter_rows():
            self.counts[verdict, reason] = self.counts.get((verdict, reason), 0) + count
        sorted_rows = pl.concat([self._first, rows]).sort(ID)
        self._first = sorted_rows.filter(pl.int_range(pl.len()).over(VERDICT, REASON) < self._limit)
        for name, value in _scores(table, judged):
            scored = table.filter(verdict=KEPT).select(ID, "shard", score=value).drop_nulls()
            both = pl.concat([self._lowest[name], scored]) if name in self._lowest else scored
            self._lowest[name] = both.sort("score", ID).head(self._limit)

    def _lowest_first(self, count: int) -> list[tuple[int, str]]:
        """Return shard and id of the lowest rows of all scores, taking one row of each score in turn."""
        by_score = [list(rows.select("shard", ID).iter_rows()) for rows in self._lowest.values()]
        longest = max((len(rows) for rows in by_score), default=0)
        turns = (rows[rank] for rank in range(longest) for rows in by_score if rank < len(rows))
        return list(dict.fromkeys(turns))[:count]


def _scores(table: pl.DataFrame, judged: Sequence[str]) -> Iterator[tuple[str, pl.Expr]]:
    """Yield the scores for which lower is worse. judged: columns, or fields of them, as in grade.points."""
    for name, dtype in table.schema.items():
        if name.endswith(_SCORES) and dtype.is_numeric():
            yield name, pl.col(name).cast(pl.Float64)
    for name in judged:
        column, *fields = name.split(".")
        if column not in table.columns:
            continue
        value, kind = pl.col(column), table.schema[column]
        for field in fields:
            members = {m.name: m.dtype for m in kind.fields} if isinstance(kind, pl.Struct) else {}
            value, kind = value.struct.field(field), pl.Schema(members).get(field, pl.Null())
        if kind.is_numeric() and not name.endswith(_SCORES):
            yield name, value.cast(pl.Float64)


def _rows(
    run: Run, recipe: Recipe, tag: str, chosen: Mapping[int, Mapping[str, int | None]]
) -> Iterator[dict[str, Any]]:
    """Read the chosen rows, a shard at a time."""
    language_filters = {
        stage_name(where, step) for where, step in filters(recipe) if declared(step.filter, "cannot_judge")
    }
    for shard, ranks in sorted(chosen.items()):
        table = run.read_rows(f"{tag}-{shard:05}").filter(pl.col(ID).is_in(list(ranks)))
        generated = _step_columns(recipe, table.columns)
        for row in table.iter_rows(named=True):
            yield {
                **{name: row[name] for name in (ID, LANGUAGE, VERDICT, REASON, REASON_AT)},
                "worst": ranks[row[ID]],
                "texts": _texts(recipe, row, generated, row[REASON_AT] not in language_filters),
                "measured": _measured(row, generated),
            }


def _step_columns(recipe: Recipe, columns: Sequence[str]) -> list[str]:
    """Return the columns that steps added: they stand behind those of the seeds."""
    names = {step.name for step in recipe.live_steps if isinstance(step, Generate)}
    first = min((number for number, name in enumerate(columns) if name in names), default=len(columns))
    return list(columns[first:])


def _texts(
    recipe: Recipe, row: Mapping[str, Any], generated: Sequence[str], in_language: bool
) -> list[_Text]:
    """Return the texts of a row: its chat, then, if it was lost, what its steps wrote, then its columns.

    in_language: whether no filter found the row to be in another language than the requested one.
    """
    messages = recipe.output.messages or {}
    chat = {str(role): name for role, name in messages.items() if row.get(name) is not None}
    values = _chat(chat, row)
    names: list[str] = []
    if row[REASON] is not None or not values:
        names += [step.name for step in recipe.live_steps if isinstance(step, Generate)]
    if row[REASON] is not None:
        names += [raw_column(row[REASON_AT]), *(name for name in generated if name.endswith(_RAW))]
    in_chat = {*chat.values(), MESSAGES, LANGUAGE}
    for name in dict.fromkeys([*names, *recipe.output.columns]):
        if name not in in_chat and row.get(name) is not None:
            values.append((name, row[name], name in generated))
    texts = [
        _Text(name, shorten(shown(value), MAX_CHARS), ours and in_language) for name, value, ours in values
    ]
    parsed = {text.text for text in texts if not text.name.endswith(_RAW)}
    return [text for text in texts if text.text not in parsed or not text.name.endswith(_RAW)]


def _chat(chat: Mapping[str, str], row: Mapping[str, Any]) -> list[tuple[str, Any, bool]]:
    """Return the messages of a row. chat: role -> column; empty: the messages are in the column of chats."""
    if chat:
        return [(role, row[chat[role]], True) for role in _ROLES if role in chat]
    values: list[tuple[str, Any, bool]] = []
    for message in row.get(MESSAGES) or []:
        if message.get("reasoning_content"):
            values.append(("reasoning", message["reasoning_content"], True))
        values.append((message["role"], message["content"], True))
    return values


def _measured(row: Mapping[str, Any], generated: Sequence[str]) -> dict[str, Any]:
    """Return what filters measured: numbers, and detected languages other than the requested one."""
    values = {name: row[name] for name in generated if row[name] is not None}
    numbers = {
        name: float(f"{value:.3g}")
        for name, value in values.items()
        if isinstance(value, float | int) and not name.endswith(_TOKENS)
    }
    detected = {name: value for name, value in values.items() if name.endswith(DETECTED)}
    return numbers | {name: value for name, value in detected.items() if value != row[LANGUAGE]}
