"""The report of a run: one HTML file that calls nobody, with charts, tables and rows to look at."""

import json
from base64 import b64encode
from collections.abc import Mapping
from gzip import compress
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from glotmill.recipe import Recipe
from glotmill.reports import charts
from glotmill.reports.facts import BINS, facts
from glotmill.reports.sample import sample
from glotmill.store import Run

ROWS = 2_000  # in the page, where nobody says how many
FOUND = 14  # languages that a matrix has columns for; the others are one column

_PAGE = Path(__file__).with_name("page")


def report(run: Run, rows: int = ROWS, price_in: float | None = None, price_out: float | None = None) -> str:
    """Return the page of a run, finished or not: the same bytes for the same run.

    rows: how many of the run's rows are in it at most. price_in, price_out: of a million tokens of prompts
    and of replies. What the model wrote is in the page as data, never as markup; the page's policy allows its
    own script and style and no address at all.
    Raises UsageError where the folder holds no run, or a journal cannot be read.
    """
    found = facts(run, price_in, price_out)
    names = {of["tag"]: of for of in found["languages"]}
    chosen = sample(run, Recipe.model_validate(run.info()["recipe"]), list(names), rows)
    style, script = (_PAGE.joinpath(f"report.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    shown = {"languages": names, "rows": chosen}
    text = json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
    environment = Environment(
        loader=PackageLoader("glotmill.reports", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        f=found,
        names=names,
        **_tables(found),
        sampled=len(chosen),
        asked=sum(of["asked"] for of in found["funnel"]),
        data=b64encode(compress(text.encode("utf-8", "replace"), 9, mtime=0)).decode(),
        style=Markup(style),  # noqa: S704 a file of this package
        script=Markup(script),  # noqa: S704
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def write(
    run: Run,
    file: Path,
    rows: int = ROWS,
    price_in: float | None = None,
    price_out: float | None = None,
) -> int:
    """Write `report`, whole or not at all, and return its size in bytes."""
    page = report(run, rows, price_in, price_out).encode("utf-8", "replace")
    draft = file.with_name(f".{file.name}.tmp")
    draft.write_bytes(page)
    draft.replace(file)
    return len(page)


def _hash(text: str) -> str:
    """What a content security policy calls a text by."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _tables(found: Mapping[str, Any]) -> dict[str, Any]:
    accepted = sum(of["accepted"] for of in found["funnel"])
    cost = found["total"]["cost"]
    return {
        "tiles": _tiles(found, accepted),
        "short": [
            f"{of['language']} {of['accepted']:,} of {of['wanted']:,}"
            for of in found["funnel"]
            if of["accepted"] < of["wanted"]
        ],
        "funnel": [{**of, "bar": _bar(of)} for of in found["funnel"]],
        "acceptance": [_acceptance(tag, shards) for tag, shards in found["shards"].items() if shards],
        "lengths": [_lengths(name, of) for name, of in found["lengths"].items() if of["languages"]],
        "matrices": [_matrix(name, of) for name, of in found["detected"].items()],
        "copies": [_copies(tag, of) for tag, of in found["duplicates"].items() if of["rows"]],
        "steps": [step for step in found["steps"] if "requests" in step],
        "per_row": cost / accepted if cost is not None and accepted else None,
        "settings": _settings(found),
        "filters": [{**judge, "told": _pairs(judge["options"])} for judge in found["filters"]],
    }


def _tiles(found: Mapping[str, Any], accepted: int) -> list[tuple[str, str]]:
    total = found["total"]
    asked = sum(of["asked"] for of in found["funnel"])
    kept = sum(of["kept"] for of in found["funnel"])
    tiles = [
        ("rows accepted", f"{accepted:,}"),
        ("languages", f"{len(found['languages']):,}"),
        ("of rows kept", _percent(kept, asked)),
        ("requests", f"{total['requests']:,}"),
        ("tokens in", f"{total['prompt_tokens']:,}"),
        ("tokens out", f"{total['reply_tokens']:,}"),
    ]
    return tiles + ([("cost", f"{total['cost']:,.2f}")] if total["cost"] is not None else [])


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "–"


def _bar(of: Mapping[str, Any]) -> Markup:
    failed = of["asked"] - of["answered"]
    parts = {
        "accepted": of["accepted"],
        "kept": max(0, of["kept"] - of["accepted"]),
        "dropped": of["asked"] - failed - of["kept"],
        "failed": failed,
    }
    return Markup(charts.bar(list(parts.items()), of["asked"]))  # noqa: S704 numbers alone


def _acceptance(tag: str, shards: list[dict[str, int]]) -> dict[str, Any]:
    first, last = (_percent(shards[n]["kept"], shards[n]["rows"]) for n in (0, -1))
    shares = charts.thinned([(of["rows"], of["kept"]) for of in shards])
    return {
        "language": tag,
        "shards": len(shards),
        "first": first,
        "last": last,
        "all": _percent(sum(of["kept"] for of in shards), sum(of["rows"] for of in shards)),
        "line": Markup(charts.line(shares)),  # noqa: S704
    }


def _lengths(unit: str, found: Mapping[str, Any]) -> dict[str, Any]:
    rows = [
        {
            "language": tag,
            **of,
            "chart": Markup(charts.histogram(of["histogram"])),  # noqa: S704
        }
        for tag, of in found["languages"].items()
    ]
    return {"caption": f"Kept rows, in {unit}", "rows": rows, "to": found["width"] * BINS}


def _matrix(column: str, found: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """The languages asked for come first, in their order; of the others, those found most."""
    sums: dict[str, int] = {}
    for counts in found.values():
        for tag, count in counts.items():
            sums[tag] = sums.get(tag, 0) + count
    asked = [tag for tag in found if tag in sums][:FOUND]
    others = sorted((tag for tag in sums if tag not in asked), key=lambda tag: (-sums[tag], tag))
    columns = [*asked, *others][: max(FOUND, len(asked))]
    rows = [
        {
            "language": tag,
            "cells": [(name, counts.get(name, 0)) for name in columns],
            "more": sum(count for name, count in counts.items() if name not in columns),
        }
        for tag, counts in found.items()
    ]
    return {"column": column, "found": columns, "rows": rows, "more": len(sums) - len(columns)}


def _copies(tag: str, found: Mapping[str, Any]) -> dict[str, Any]:
    clusters = [f"{count:,} of {size} rows" for size, count in found["clusters"].items()]
    return {
        "language": tag,
        "dropped": sum(found["rows"].values()),
        "reasons": ", ".join(f"{count:,} {reason}" for reason, count in found["rows"].items()),
        "clusters": ", ".join(clusters[:8])
        + (f", largest {list(found['clusters'])[-1]}" if clusters[8:] else ""),
    }


def _settings(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    model, run, recipe = found["model"], found["run"], found["recipe"]
    told = [
        ("Recipe", recipe["name"]),
        ("Seeds", run["seeds"]),
        ("Rows wanted", f"{run['per_language']:,} in each language"),
        ("Model", f"{model['model']}{' at ' + model['revision'] if model['revision'] else ''}"),
        ("Engine", f"{model['engine']} {_pairs(model['engine_args'])}"),
    ]
    for step in found["steps"]:
        if step["kind"] == "generate":
            told.append((f"Sampling, {step['name']}", _pairs(step["sampling"]) or "the engine's own"))
    told.append(("Versions", _pairs(model["versions"])))
    return told + [("Paper", paper) for paper in recipe["papers"]]


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_plain(value)}" for name, value in values.items())


def _plain(value: Any) -> str:
    if value in (None, "", [], {}):
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
