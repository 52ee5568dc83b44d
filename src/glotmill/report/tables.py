"""The tables of a report that have a row for each language, as the page's script draws them.

A page has them compressed, and what can be told from others is left to its script: as markup, those of two
hundred languages would take most of it. A table is `at` (where the page has it), `caption` and `columns`; a
column is `head`, `kind` and `values`, one a row:

- language: places in the list of languages.
- number, same, other: numbers or short texts, null where there is none; the kind colours.
- short: as number, coloured where it is less than the column's `least`.
- counts: of each of the column's `names` one list of numbers.
- pairs: [place, count, place, count ...] of the column's `names`, as they are to be told.
- bar, share: told from the numbers beside them; they have no values.
- line, histogram: a level a character, from 0 to f.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from glotmill.report.facts import BINS

FOUND = 12  # languages that each have a column in a matrix
MOST_FOUND = 3  # that do where there are more, and of the others those that a row tells by name
POINTS = 10  # of a line at most
SETS = 5  # of alike rows whose sizes are told

_LEVELS = "0123456789abcdef"

Table = dict[str, Any]


def tables(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables of what `facts` found, and the tags and names of its languages."""
    tags = [of["tag"] for of in found["languages"]]
    shards = {tag: of for tag, of in found["shards"].items() if of}
    copies = {tag: of for tag, of in found["duplicates"].items() if of["rows"]}
    lengths = [(unit, of) for unit, of in found["lengths"].items() if of["languages"]]
    made = [
        *(_matrix(column, of, tags) for column, of in found["detected"].items()),
        _funnel(found["funnel"]),
        *([_acceptance(shards)] if shards else []),
        *(_lengths(unit, of) for unit, of in lengths),
        *([_copies(copies)] if copies else []),
        *_limits(found["filters"]),
    ]
    place = {tag: number for number, tag in enumerate(tags)}
    for table in made:
        language = table["columns"][0]
        language["values"] = [place[tag] for tag in language["values"]]
    return {"tags": tags, "names": [of["name"] for of in found["languages"]], "tables": made}


def percent(part: int, whole: int) -> str:
    """Return a share as one reads it."""
    return f"{part / whole:.0%}" if whole else "–"


def _table(at: str, caption: str, tags: Sequence[str], *columns: dict[str, Any]) -> Table:
    language = {"head": "Language", "kind": "language", "values": list(tags)}
    return {"at": at, "caption": caption, "columns": [language, *columns]}


def _column(head: str, values: Sequence[Any], kind: str = "number", **more: Any) -> dict[str, Any]:
    return {"head": head, "kind": kind, "values": list(values), **more}


def _counts(head: str, rows: Sequence[Mapping[str, int]]) -> dict[str, Any]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return _column(head, [[row.get(name, 0) for row in rows] for name in names], "counts", names=names)


def _funnel(rows: Sequence[Mapping[str, Any]]) -> Table:
    def of(name: str) -> list[Any]:
        return [row[name] for row in rows]

    wanted = max(of("wanted"), default=0)  # the same in all
    return _table(
        "funnel",
        "Rows of each language, and why rows were lost",
        of("language"),
        _column("Share", (), "bar"),
        *(_column(name.capitalize(), of(name)) for name in ("asked", "answered", "parsed", "kept")),
        _column("Share kept", (), "share"),
        _column(f"Accepted of {wanted:,}", of("accepted"), "short", least=wanted),
        _counts("Lost to", of("dropped")),
    )


def _acceptance(shards: Mapping[str, Sequence[Mapping[str, int]]]) -> Table:
    def share(of: Sequence[Mapping[str, int]]) -> str:
        return percent(sum(s["kept"] for s in of), sum(s["rows"] for s in of))

    return _table(
        "acceptance",
        "Share of rows kept",
        list(shards),
        _column("First to last", [_line(of) for of in shards.values()], "line"),
        _column("Shards", [len(of) for of in shards.values()]),
        _column("First", [share(of[:1]) for of in shards.values()]),
        _column("Last", [share(of[-1:]) for of in shards.values()]),
    )


def _line(shards: Sequence[Mapping[str, int]]) -> str:
    """The share kept of shards in order; neighbours are taken together where there are many."""
    many = min(POINTS, len(shards))
    edges = [n * len(shards) // many for n in range(many + 1)]
    groups = [shards[start:end] for start, end in pairwise(edges)]
    shares = [sum(s["kept"] for s in of) / max(1, sum(s["rows"] for s in of)) for of in groups]
    return "".join(_level(share) for share in shares)


def _level(share: float) -> str:
    return _LEVELS[round(share * (len(_LEVELS) - 1))]


def _lengths(unit: str, found: Mapping[str, Any]) -> Table:
    of = found["languages"].values()
    heads = {"least": "Least", "p5": "5%", "median": "Median", "p95": "95%", "most": "Most"}
    return _table(
        "lengths",
        f"Kept rows, in {unit}",
        list(found["languages"]),
        _column(
            f"From 0 to {found['width'] * BINS:,}", [_histogram(row["histogram"]) for row in of], "histogram"
        ),
        *(_column(head, [row[name] for row in of]) for name, head in heads.items()),
    )


def _histogram(counts: Sequence[int]) -> str:
    """The highest column is as high as the chart; one that holds anything can be seen."""
    top = max(counts, default=0)
    return "".join(max(_level(count / top), "1") if count else "0" for count in counts)


def _matrix(column: str, found: Mapping[str, Mapping[str, int]], tags: Sequence[str]) -> Table:
    """Rows in the language asked for, then those in the languages that most often came instead."""
    wrong = {tag: {name: n for name, n in counts.items() if name != tag} for tag, counts in found.items()}
    sums: dict[str, int] = {}
    for counts in wrong.values():
        for name, count in counts.items():
            sums[name] = sums.get(name, 0) + count
    order = sorted(sums, key=lambda name: (-sums[name], name))
    own = order if len(order) <= FOUND else order[:MOST_FOUND]
    return _table(
        "detected",
        f"Detected in {column}",
        list(found),
        _column("Share right", [percent(row.get(tag, 0), sum(row.values())) for tag, row in found.items()]),
        _column("Itself", [row.get(tag, 0) for tag, row in found.items()], "same"),
        *(_column(name, [row.get(name, 0) for row in wrong.values()], "other") for name in own),
        *(
            [_others(wrong.values(), own, [*tags, *sorted({*order} - {*tags})])]
            if len(order) > len(own)
            else []
        ),
    )


def _others(wrong: Iterable[Mapping[str, int]], own: Sequence[str], names: list[str]) -> dict[str, Any]:
    """What a matrix has no columns for: of each row the most, and the sum of what is left."""
    place = {name: number for number, name in enumerate(names)}
    values = []
    for row in wrong:
        others = [(place[name], count) for name, count in row.items() if name not in own]
        left = sum(count for _, count in others[MOST_FOUND:])
        told = [*others[:MOST_FOUND], *([(len(names), left)] if left else [])]
        values.append([number for pair in told for number in pair])
    return _column("Others", values, "pairs", names=[*names, "in others"])


def _copies(found: Mapping[str, Mapping[str, Any]]) -> Table:
    return _table(
        "copies",
        "Rows dropped as copies, and sizes of the groups of copies",
        list(found),
        _counts("Rows dropped", [of["rows"] for of in found.values()]),
        _counts("Groups of copies", [_sets(of["clusters"]) for of in found.values()]),
    )


def _sets(clusters: Mapping[str, int]) -> dict[str, int]:
    """How many sets there are of each size, the large ones together."""
    sizes = [int(size) for size in clusters]
    told: dict[str, int] = {}
    for size, count in clusters.items():
        name = f"of {size}" if len(sizes) <= SETS or int(size) in sizes[: SETS - 1] else "of more"
        told[name] = told.get(name, 0) + count
    return told


def _limits(filters: Sequence[Mapping[str, Any]]) -> list[Table]:
    """The thresholds of filters by language; filters that have the same ones share a table."""
    shared: list[tuple[str, Mapping[str, Mapping[str, float]], list[str]]] = []
    for judge in filters:
        name, own = judge["filter"], judge["by_language"]
        same = next((of for other, found, of in shared if (other, found) == (name, own)), None)
        if same is not None:
            same.append(judge["of"])
        elif own:
            shared.append((name, own, [judge["of"]]))
    return [_thresholds(f"{name}, of {', '.join(dict.fromkeys(of))}", own) for name, own, of in shared]


def _thresholds(judge: str, found: Mapping[str, Mapping[str, float]]) -> Table:
    heads = dict.fromkeys(head for of in found.values() for head in of)
    columns = (_column(head, [of.get(head) for of in found.values()]) for head in heads)
    return _table("limits", f"Thresholds by language: {judge}", list(found), *columns)
