"""The tables of a report that have a row for each language, as the page's script draws them.

The page holds them as compressed JSON, without what its script can compute: as HTML, the tables of two
hundred languages would be most of the page. A table is `at` (id of the element it goes into), `caption` and
`columns`. A column is `head`, `kind` and `values`, one for each row. The kinds:

- language: indices into the list of languages.
- number, same, other: numbers or short texts, null if there is none; the kind sets the colour.
- short: a number, coloured if it is less than the column's `least`.
- counts: a list of numbers for each of the column's `names`.
- pairs: [index, count, index, count ...] into the column's `names`, in the order in which they are shown.
- bar, share: computed from other columns; they have no values.
- line, histogram: one hexadecimal digit for each point or bar, its height from 0 to f.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from glotmill.report.facts import BINS
from glotmill.report.run_facts import Copies, FilterFacts, Lengths, RunFacts, ShardCounts
from glotmill.runner.funnel import Funnel

MAX_COLUMNS = 12  # detected languages that have a column each
FEW_COLUMNS = 3  # that have one if there are more; and of the others, those that a row names
MAX_POINTS = 10  # of a line
MAX_SIZES = 5  # of groups of copies that are shown one by one

_LEVELS = "0123456789abcdef"

Table = dict[str, Any]


def tables(facts: RunFacts) -> dict[str, Any]:
    """Return the tables of a run, with the tags and names of its languages."""
    tags = [language.tag for language in facts.languages]
    shards = {tag: counts for tag, counts in facts.shards.items() if counts}
    copies = {tag: language for tag, language in facts.copies.items() if language.rows}
    result = [_matrix(column, counts, tags) for column, counts in facts.detected.items()]
    result.append(_funnel(facts.funnel))
    if shards:
        result.append(_acceptance(shards))
    result += [_lengths(unit, lengths) for unit, lengths in facts.lengths.items() if lengths.languages]
    if copies:
        result.append(_copies(copies))
    result += _limits(facts.filters)
    index = {tag: number for number, tag in enumerate(tags)}
    for table in result:
        column = table["columns"][0]
        column["values"] = [index[tag] for tag in column["values"]]
    return {"tags": tags, "names": [language.name for language in facts.languages], "tables": result}


def percent(part: int, total: int) -> str:
    """Return a share for people to read."""
    return f"{part / total:.0%}" if total else "–"


def _table(at: str, caption: str, tags: Iterable[str], *columns: dict[str, Any]) -> Table:
    language = {"head": "Language", "kind": "language", "values": list(tags)}
    return {"at": at, "caption": caption, "columns": [language, *columns]}


def _column(head: str, values: Sequence[Any], kind: str = "number", **more: Any) -> dict[str, Any]:
    return {"head": head, "kind": kind, "values": list(values), **more}


def _counts(head: str, rows: Sequence[Mapping[str, int]]) -> dict[str, Any]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return _column(head, [[row.get(name, 0) for row in rows] for name in names], "counts", names=names)


def _funnel(rows: Sequence[Funnel]) -> Table:
    target = max((row.wanted for row in rows), default=0)  # the same in all languages
    return _table(
        "funnel",
        "Rows of each language, and why rows were lost",
        [row.language for row in rows],
        _column("Share", (), "bar"),
        _column("Requests", [row.requests for row in rows]),
        _column("Seed rows", [row.seed_rows for row in rows]),
        _column("Rows", [row.rows for row in rows]),
        _column("Answered", [row.answered for row in rows]),
        _column("Parsed", [row.parsed for row in rows]),
        _column("Kept", [row.kept for row in rows]),
        _column("Share kept", (), "share"),
        _column(f"Accepted of {target:,}", [row.accepted for row in rows], "short", least=target),
        _counts("Lost to", [row.dropped for row in rows]),
    )


def _acceptance(shards: Mapping[str, Sequence[ShardCounts]]) -> Table:
    return _table(
        "acceptance",
        "Share of rows kept",
        shards,
        _column("First to last", [_line(counts) for counts in shards.values()], "line"),
        _column("Shards", [len(counts) for counts in shards.values()]),
        _column("First", [percent(counts[0].kept, counts[0].rows) for counts in shards.values()]),
        _column("Last", [percent(counts[-1].kept, counts[-1].rows) for counts in shards.values()]),
    )


def _line(shards: Sequence[ShardCounts]) -> str:
    """Return the share of rows kept, shard by shard; of many shards, neighbours share a point."""
    points = min(MAX_POINTS, len(shards))
    edges = [number * len(shards) // points for number in range(points + 1)]
    levels = []
    for start, end in pairwise(edges):
        rows = sum(shard.rows for shard in shards[start:end])
        levels.append(_level(sum(shard.kept for shard in shards[start:end]) / max(1, rows)))
    return "".join(levels)


def _level(share: float) -> str:
    return _LEVELS[round(share * (len(_LEVELS) - 1))]


def _lengths(unit: str, lengths: Lengths) -> Table:
    rows = lengths.languages.values()
    return _table(
        "lengths",
        f"Kept rows, in {unit}",
        lengths.languages,
        _column(
            f"From 0 to {lengths.width * BINS:,}", [_histogram(row.histogram) for row in rows], "histogram"
        ),
        _column("Shortest", [row.least for row in rows]),
        _column("5%", [row.p5 for row in rows]),
        _column("Median", [row.median for row in rows]),
        _column("95%", [row.p95 for row in rows]),
        _column("Longest", [row.most for row in rows]),
    )


def _histogram(counts: Sequence[int]) -> str:
    """Return the bars: the highest is as high as the chart, and one that holds any row can be seen."""
    highest = max(counts, default=0)
    return "".join(max(_level(count / highest), "1") if count else "0" for count in counts)


def _matrix(column: str, counts: Mapping[str, Mapping[str, int]], tags: Sequence[str]) -> Table:
    """Return the rows in the requested language, then those in the languages most often detected instead."""
    wrong = [{name: count for name, count in row.items() if name != tag} for tag, row in counts.items()]
    sums: dict[str, int] = {}
    for row in wrong:
        for name, count in row.items():
            sums[name] = sums.get(name, 0) + count
    order = sorted(sums, key=lambda name: (-sums[name], name))
    heads = order if len(order) <= MAX_COLUMNS else order[:FEW_COLUMNS]
    columns = [
        _column("Correct", [percent(row.get(tag, 0), sum(row.values())) for tag, row in counts.items()]),
        _column("As requested", [row.get(tag, 0) for tag, row in counts.items()], "same"),
        *(_column(name, [row.get(name, 0) for row in wrong], "other") for name in heads),
    ]
    if len(order) > len(heads):
        columns.append(_others(wrong, heads, [*tags, *sorted({*order} - {*tags})]))
    return _table("detected", f"Detected in {column}", counts, *columns)


def _others(wrong: Iterable[Mapping[str, int]], heads: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
    """Return the most frequent languages of each row that have no column, and the sum of the rest."""
    index = {name: number for number, name in enumerate(names)}
    values: list[list[int]] = []
    for row in wrong:
        others = [(index[name], count) for name, count in row.items() if name not in heads]
        pairs = others[:FEW_COLUMNS]
        if rest := sum(count for _, count in others[FEW_COLUMNS:]):
            pairs.append((len(names), rest))
        values.append([number for pair in pairs for number in pair])
    return _column("Others", values, "pairs", names=[*names, "in others"])


def _copies(copies: Mapping[str, Copies]) -> Table:
    return _table(
        "copies",
        "Rows dropped as copies, and sizes of the groups of copies",
        copies,
        _counts("Rows dropped", [language.rows for language in copies.values()]),
        _counts("Groups of copies", [_sizes(language.clusters) for language in copies.values()]),
    )


def _sizes(clusters: Mapping[int, int]) -> dict[str, int]:
    """Return the number of groups of each size, the large groups taken together."""
    alone = [*clusters] if len(clusters) <= MAX_SIZES else [*clusters][: MAX_SIZES - 1]
    counts: dict[str, int] = {}
    for size, count in clusters.items():
        name = f"of {size}" if size in alone else "of more"
        counts[name] = counts.get(name, 0) + count
    return counts


def _limits(filters: Sequence[FilterFacts]) -> list[Table]:
    """Return the thresholds of filters by language; filters of one name with equal ones share a table."""
    groups: list[list[FilterFacts]] = []
    for item in filters:
        for group in groups:
            if (group[0].filter, group[0].limits) == (item.filter, item.limits):
                group.append(item)
                break
        else:
            if item.limits:
                groups.append([item])
    return [_thresholds(group) for group in groups]


def _thresholds(filters: Sequence[FilterFacts]) -> Table:
    """Return the thresholds that some filters have in common."""
    first = filters[0]
    columns = ", ".join(dict.fromkeys(item.column for item in filters))
    heads = dict.fromkeys(head for limits in first.limits.values() for head in limits)
    return _table(
        "limits",
        f"Thresholds by language: {first.filter}, of {columns}",
        first.limits,
        *(_column(head, [limits.get(head) for limits in first.limits.values()]) for head in heads),
    )
