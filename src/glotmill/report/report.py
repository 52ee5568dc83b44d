"""The report of a run: one self-contained HTML file with charts, tables and sample rows."""

import json
from base64 import b64encode
from collections.abc import Mapping
from gzip import compress
from hashlib import sha256
from math import floor, log10
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from glotmill.errors import UsageError
from glotmill.io.atomic import write_bytes
from glotmill.recipes.model import Recipe
from glotmill.report.facts import facts
from glotmill.report.sample import sample
from glotmill.report.tables import percent, tables
from glotmill.runner.folder import Run

ROWS = 2_000  # in the page, where nobody says how many

_PAGE = Path(__file__).with_name("page")


def report(run: Run, rows: int = ROWS, price_in: float | None = None, price_out: float | None = None) -> str:
    """Return the page of a run, finished or not: the same bytes for the same run.

    rows: how many of the run's rows are in it at most; 0: numbers alone. price_in, price_out: of a million
    tokens of prompts and of replies. What the model wrote is in the page as data, never as markup; the page's
    policy allows its own script and style and no address at all.
    Raises UsageError where the folder holds no run, rows or a journal cannot be read, a price is none.
    """
    found = facts(run, price_in, price_out)
    languages = {of["tag"]: of for of in found["languages"]}
    chosen = sample(run, Recipe.model_validate(run.info()["recipe"]), list(languages), rows)
    style, begin, script = _code("report.css"), _code("unpack.js"), _code("tables.js", "rows.js")
    environment = Environment(
        loader=PackageLoader("glotmill.report", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        f=found,
        **_told(found),
        money=_money,
        sampled=len(chosen),
        asked=sum(of["asked"] for of in found["funnel"]),
        numbers=_packed(_json(tables(found))),
        data=_packed(_json({"languages": languages, "rows": chosen})),
        script=_packed(script),
        style=Markup(style),  # noqa: S704 a file of this package
        begin_script=Markup(begin),  # noqa: S704
        style_hash=_hash(style),
        begin_hash=_hash(begin),
        script_hash=_hash(script),
    )


def write(
    run: Run,
    file: Path,
    rows: int = ROWS,
    price_in: float | None = None,
    price_out: float | None = None,
) -> int:
    """Write `report`, whole or not at all, and return its size in bytes. Raises UsageError for a folder."""
    if file.is_dir():
        raise UsageError(f"{file}: a folder; name a file in it")
    page = report(run, rows, price_in, price_out).encode("utf-8", "replace")
    write_bytes(file, page)
    return len(page)


def _code(*names: str) -> str:
    """Files of the page, without indents and comments."""
    whole = (line.strip() for name in names for line in (_PAGE / name).read_text("utf-8").splitlines())
    return "\n".join(line for line in whole if line and not line.startswith("//"))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _packed(text: str) -> str:
    """A text as the page's script unpacks it: nothing in it can be taken for markup."""
    return b64encode(compress(text.encode("utf-8", "replace"), 9, mtime=0)).decode()


def _hash(text: str) -> str:
    """What a content security policy calls a text by."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _told(found: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of the run as a whole."""
    accepted = sum(of["accepted"] for of in found["funnel"])
    cost = found["total"]["cost"]
    return {
        "tiles": _tiles(found, accepted),
        "short": [
            f"{of['language']} {of['accepted']:,} of {of['wanted']:,}"
            for of in found["funnel"]
            if of["accepted"] < of["wanted"]
        ],
        "copied": any(of["rows"] for of in found["duplicates"].values()),
        "steps": [step for step in found["steps"] if "requests" in step],
        "per_row": cost / accepted if cost is not None and accepted else None,
        "settings": _settings(found),
        "by_language": any(of["filter"] == "language" and of["by_language"] for of in found["filters"]),
        "filters": [{**judge, "told": _options(judge)} for judge in found["filters"]],
    }


def _tiles(found: Mapping[str, Any], accepted: int) -> list[tuple[str, str]]:
    total = found["total"]
    asked = sum(of["asked"] for of in found["funnel"])
    kept = sum(of["kept"] for of in found["funnel"])
    tiles = [
        ("rows accepted", f"{accepted:,}"),
        ("languages", f"{len(found['languages']):,}"),
        ("of rows kept", percent(kept, asked)),
        ("requests", f"{total['requests']:,}"),
        ("tokens in", f"{total['prompt_tokens']:,}"),
        ("tokens out", f"{total['reply_tokens']:,}"),
    ]
    return tiles + ([("cost", _money(total["cost"]))] if total["cost"] is not None else [])


def _money(value: float) -> str:
    """Two digits that say something: a row may cost a thousandth of a cent."""
    return f"{value:,.{max(2, 1 - floor(log10(value))) if value else 2}f}"


def _settings(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    model, run, recipe = found["model"], found["run"], found["recipe"]
    told = [
        ("Recipe", recipe["name"]),
        ("Seeds", run["seeds"]),
        ("Target", f"{run['per_language']:,} in each language"),
        ("Model", f"{model['model']}{' at ' + model['revision'] if model['revision'] else ''}"),
        ("Engine", f"{model['engine']} {_pairs(model['engine_args'])}"),
    ]
    for step in found["steps"]:
        if step["kind"] == "generate":
            told.append((f"Sampling, {step['name']}", _pairs(step["sampling"]) or "the engine's own"))
    told.append(("Versions", _pairs(model["versions"])))
    return told + [("Paper", paper) for paper in recipe["papers"]]


def _options(judge: Mapping[str, Any]) -> str:
    """The options that say something: not those that are off, nor the usual column of languages."""
    usual = {"language": "language"}
    told = {n: v for n, v in judge["options"].items() if v not in (None, "", [], {}, usual.get(n))}
    return _pairs(told) + "; thresholds by language: below" * bool(judge["by_language"])


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_plain(value)}" for name, value in values.items())


def _plain(value: Any) -> str:
    if value in (None, "", [], {}):
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
