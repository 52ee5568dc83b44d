"""Some rows of a run to look at: of every language, kept and lost for every reason, the worst-scored too."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from glotmill.columns import KEPT, REASON, REASON_AT, VERDICT
from glotmill.io.terminal import shown
from glotmill.recipes.model import Recipe
from glotmill.recipes.steps import Filter, Generate
from glotmill.report.measures import batches, declared
from glotmill.runner.folder import Run

MAX_CHARS = 4_000  # of one text of a row

_SCORES = ("_score", "_logprob")
_DETECTED = "_language_detected"
_THIN = {"id": pl.String, "shard": pl.Int64, VERDICT: pl.String, REASON: pl.String}


def sample(run: Run, recipe: Recipe, tags: Sequence[str], rows: int) -> list[dict[str, Any]]:
    """Return up to so many rows, the same every time.

    Each language gets as many as the others, as long as it has them; half of these are kept ones, a third of
    which have the lowest score of their language; the others are shared among the reasons. Which rows: those
    with the lowest ids, which are hashes.
    -> id, language, verdict, reason, reason_at, worst (place among the worst-scored), texts (name, text,
    whether the run made it), measured (name -> value).
    """
    scored = [
        step.of
        for step in recipe.live_steps
        if isinstance(step, Filter) and declared(step.filter, "JUDGES_SCORE", False)
    ]
    pools = {tag: _Pool(run, tag, scored, rows) for tag in tags}
    shares = share(rows, {tag: sum(pool.counts.values()) for tag, pool in pools.items()})
    found = [row for tag in tags for row in _rows(run, recipe, tag, pools[tag].chosen(shares[tag]))]
    return sorted(found, key=lambda row: row["id"])


def share(total: int, sizes: Mapping[Any, int]) -> dict[Any, int]:
    """Share a number out evenly: what is too much for one goes to the others."""
    given: dict[Any, int] = {}
    for place, name in enumerate(sorted(sizes, key=lambda name: (sizes[name], name))):
        given[name] = min(sizes[name], (total - sum(given.values())) // (len(sizes) - place))
    return given


class _Pool:
    """The rows of a language that may be chosen: of each verdict and reason, and of each score, the first."""

    def __init__(self, run: Run, tag: str, scored: Sequence[str], most: int) -> None:
        self.counts: dict[tuple[str, str], int] = {}
        self._first = pl.DataFrame(schema=_THIN)
        self._worst: dict[str, pl.DataFrame] = {}
        self._most = most
        for table in batches(run, tag, ["id", *(name.partition(".")[0] for name in scored)], _SCORES):
            if not table.is_empty():
                self._take(table, scored)

    def chosen(self, many: int) -> dict[int, dict[str, int | None]]:
        """Return that many rows: shard -> id -> place among the worst, if it is one of them."""
        kept = sum(n for (verdict, _), n in self.counts.items() if verdict == KEPT)
        sizes = {"kept": kept, "lost": sum(self.counts.values()) - kept}
        by_side = share(many, sizes)
        lost = {key: n for key, n in self.counts.items() if key[0] != KEPT}
        quotas = {**share(by_side["lost"], lost), (KEPT, ""): by_side["kept"]}
        worst = self._worst_first(by_side["kept"] // 3)
        found: dict[int, dict[str, int | None]] = {}
        for place, (shard, name) in enumerate(worst):
            found.setdefault(shard, {})[name] = place
        for key, quota in quotas.items():
            rest = quota - len(worst) * (key[0] == KEPT)
            of = self._first.filter(verdict=key[0], reason=key[1]).filter(
                ~pl.col("id").is_in([w[1] for w in worst])
            )
            for shard, name in of.head(rest).select("shard", "id").iter_rows():
                found.setdefault(shard, {})[name] = None
        return found

    def _take(self, table: pl.DataFrame, scored: Sequence[str]) -> None:
        thin = table.select("id", "shard", VERDICT, pl.col(REASON).fill_null(""))
        for verdict, reason, count in thin.group_by(VERDICT, REASON).len().iter_rows():
            self.counts[verdict, reason] = self.counts.get((verdict, reason), 0) + count
        whole = pl.concat([self._first, thin]).sort("id")
        self._first = whole.filter(pl.int_range(pl.len()).over(VERDICT, REASON) < self._most)
        for name, value in _scores(table, scored):
            low = table.select("id", "shard", VERDICT, score=value).filter(verdict=KEPT).drop_nulls()
            low = low.select("id", "shard", "score")
            both = pl.concat([self._worst[name], low]) if name in self._worst else low
            self._worst[name] = both.sort("score", "id").head(self._most)

    def _worst_first(self, many: int) -> list[tuple[int, str]]:
        """The lowest of each score, one after the other."""
        by_score = [list(of.select("shard", "id").iter_rows()) for of in self._worst.values()]
        longest = max((len(of) for of in by_score), default=0)
        turns = (of[n] for n in range(longest) for of in by_score if n < len(of))
        return list(dict.fromkeys(turns))[:many]


def _scores(table: pl.DataFrame, scored: Sequence[str]) -> Iterator[tuple[str, pl.Expr]]:
    """The numbers of which a low one is bad."""
    for name, of in table.schema.items():
        if name.endswith(_SCORES) and of.is_numeric():
            yield name, pl.col(name).cast(pl.Float64)
    for name in scored:
        first, *fields = name.split(".")
        if first not in table.columns:
            continue
        value = pl.col(first)
        kind: Any = table.schema[first]
        for field in fields:
            there = {f.name: f.dtype for f in kind.fields} if isinstance(kind, pl.Struct) else {}
            value, kind = value.struct.field(field), there.get(field, pl.Null())
        if kind.is_numeric() and not name.endswith(_SCORES):
            yield name, value.cast(pl.Float64)


def _rows(
    run: Run, recipe: Recipe, tag: str, chosen: Mapping[int, Mapping[str, int | None]]
) -> Iterator[dict[str, Any]]:
    """Read the chosen rows, a shard at a time."""
    for shard, ids in sorted(chosen.items()):
        table = run.read_rows(f"{tag}-{shard:05}").filter(pl.col("id").is_in(list(ids)))
        made = _made(recipe, table.columns)
        for row in table.iter_rows(named=True):
            yield {
                **{name: row[name] for name in ("id", "language", VERDICT, REASON, REASON_AT)},
                "worst": ids[row["id"]],
                "texts": _texts(recipe, row, made),
                "measured": _measured(row, made),
            }


def _made(recipe: Recipe, columns: Sequence[str]) -> list[str]:
    """The columns that steps made: they stand behind those of the seeds."""
    names = {step.name for step in recipe.live_steps if isinstance(step, Generate)}
    first = min((place for place, name in enumerate(columns) if name in names), default=len(columns))
    return list(columns[first:])


def _texts(recipe: Recipe, row: Mapping[str, Any], made: Sequence[str]) -> list[tuple[str, str, bool]]:
    output, pairs = recipe.output, list[tuple[str, Any, bool]]()
    said = {role: name for role, name in (output.messages or {}).items() if row.get(name) is not None}
    for role in ("system", "user", "reasoning", "assistant"):
        if name := said.get(role):
            pairs.append((role, row[name], True))
    for message in (row.get("messages") or []) if not said else []:
        if message.get("reasoning_content"):
            pairs.append(("reasoning", message["reasoning_content"], True))
        pairs.append((message["role"], message["content"], True))
    there = {*said.values(), "messages", "language"}
    lost = row[REASON] is not None
    steps = [s.name for s in recipe.live_steps if isinstance(s, Generate)] if lost or not pairs else []
    raw = [f"{row['reason_at']}_raw", *(n for n in made if n.endswith("_raw"))] if lost else []
    for name in dict.fromkeys([*steps, *raw, *output.columns]):
        if name not in there and row.get(name) is not None:
            pairs.append((name, row[name], name in made))
    texts = [(name, _cut(shown(value)), ours) for name, value, ours in pairs]
    told = {text for name, text, _ in texts if not name.endswith("_raw")}
    return [each for each in texts if each[1] not in told or not each[0].endswith("_raw")]


def _cut(text: str) -> str:
    more = len(text) - MAX_CHARS
    return text if more <= 0 else f"{text[:MAX_CHARS]} … ({more:,} characters more)"


def _measured(row: Mapping[str, Any], made: Sequence[str]) -> dict[str, Any]:
    """What filters measured: numbers, and languages that are not the one asked for."""
    values = {name: row[name] for name in made if row[name] is not None}
    numbers = {
        name: float(f"{value:.3g}")
        for name, value in values.items()
        if isinstance(value, float | int) and not name.endswith("_tokens")
    }
    detected = {name: value for name, value in values.items() if name.endswith(_DETECTED)}
    return numbers | {name: value for name, value in detected.items() if value != row["language"]}
