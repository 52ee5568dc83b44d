"""`report` and `write`: one self-contained HTML page with charts, tables and sample rows of a run."""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from gzip import compress
from hashlib import sha256
from math import floor, log10
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from glotmill.columns import LANGUAGE
from glotmill.errors import UsageError
from glotmill.io.atomic import write_bytes
from glotmill.languages import Language
from glotmill.report.facts import facts
from glotmill.report.row_measures import declared
from glotmill.report.run_facts import FilterFacts, RunFacts
from glotmill.report.sample import sample
from glotmill.report.spending import Price
from glotmill.report.tables import percent, tables
from glotmill.runner.run_folder import Run

ROWS = 2_000  # in the page by default

_PAGE = Path(__file__).with_name("page")


def report(run: Run, rows: int = ROWS, price_in: Price = None, price_out: Price = None) -> str:
    """Return the page of a run, finished or not: the same text for the same run.

    rows: how many of the run's rows the page holds at most; 0: numbers alone. price_in, price_out: of a
    million prompt tokens and of a million reply tokens, as `facts` takes them. What the model wrote is in
    the page as data, never as markup; the page's security policy allows its own script and style, and no
    address at all.
    Raises UsageError if the folder holds no run, if rows or a journal cannot be read, or for a price that is
    not one.
    """
    run_facts = facts(run, price_in, price_out)
    languages = {language.tag: _language(language) for language in run_facts.languages}
    chosen = sample(run, run_facts.recipe, list(languages), rows)
    style, loader, script = _code("report.css"), _code("unpack.js"), _code("tables.js", "rows.js")
    environment = Environment(
        loader=PackageLoader("glotmill.report", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        facts=run_facts,
        **_summary(run_facts),
        money=_money,
        sampled=len(chosen),
        numbers=_pack(_json(tables(run_facts))),
        data=_pack(_json({"languages": languages, "rows": chosen})),
        script=_pack(script),
        style=Markup(style),  # noqa: S704 a file of this package
        loader=Markup(loader),  # noqa: S704
        style_hash=_policy_hash(style),
        loader_hash=_policy_hash(loader),
        script_hash=_policy_hash(script),
    )


def write(
    run: Run,
    file: Path,
    rows: int = ROWS,
    price_in: Price = None,
    price_out: Price = None,
) -> int:
    """Write `report` to a file, complete or not at all, and return its size in bytes.

    Raises UsageError for a folder, and as `report` does.
    """
    if file.is_dir():
        raise UsageError(f"{file}: a folder; name a file in it")
    page = report(run, rows, price_in, price_out).encode("utf-8", "replace")
    write_bytes(file, page)
    return len(page)


def _code(*names: str) -> str:
    """Return files of the page without indentation, empty lines and comments."""
    lines = (line.strip() for name in names for line in (_PAGE / name).read_text("utf-8").splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _pack(text: str) -> str:
    """Return a text as the page's script unpacks it: nothing in it can be taken for markup."""
    return b64encode(compress(text.encode("utf-8", "replace"), 9, mtime=0)).decode()


def _policy_hash(text: str) -> str:
    """Return the hash by which a content security policy allows a script or style."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _language(language: Language) -> dict[str, str]:
    """Return what the page's script reads of a language."""
    return {"name": language.name, "direction": language.direction, "bcp47": language.bcp47}


def _summary(facts: RunFacts) -> dict[str, Any]:
    """Return the values of the template that sum up or select facts."""
    accepted = sum(counts.accepted for counts in facts.funnel)
    cost = facts.total.cost
    return {
        "tiles": _tiles(facts, accepted),
        "rows": sum(counts.rows for counts in facts.funnel),
        "short": [
            f"{counts.language} {counts.accepted:,} of {counts.wanted:,}"
            for counts in facts.funnel
            if counts.accepted < counts.wanted
        ],
        "copied": any(copies.rows for copies in facts.copies.values()),
        "steps": [(step.name, step.spending) for step in facts.steps if step.spending],
        "cost_per_row": cost / accepted if cost is not None and accepted else None,
        "settings": _settings(facts),
        "filters": [(item, _options(item)) for item in facts.filters],
        "notes": _notes(facts.filters),
    }


def _notes(filters: Sequence[FilterFacts]) -> dict[str, str]:
    """Return what the thresholds by language mean: filter -> sentence, where it declares one."""
    names = dict.fromkeys(item.filter for item in filters if item.limits)
    notes = {name: declared(name, "LIMITS_NOTE") for name in names}
    return {name: note for name, note in notes.items() if note}


def _tiles(facts: RunFacts, accepted: int) -> list[tuple[str, str]]:
    rows = sum(counts.rows for counts in facts.funnel)
    kept = sum(counts.kept for counts in facts.funnel)
    tiles = [
        ("rows accepted", f"{accepted:,}"),
        ("languages", f"{len(facts.languages):,}"),
        ("of rows kept", percent(kept, rows)),
        ("requests", f"{facts.total.requests:,}"),
        ("tokens in", f"{facts.total.prompt_tokens:,}"),
        ("tokens out", f"{facts.total.reply_tokens:,}"),
    ]
    if facts.total.cost is not None:
        tiles.append(("cost", _money(facts.total.cost)))
    return tiles


def _money(value: float) -> str:
    """Return an amount with two significant digits at least: a row may cost a thousandth of a cent."""
    digits = max(2, 1 - floor(log10(value))) if value else 2
    return f"{value:,.{digits}f}"


def _settings(facts: RunFacts) -> list[tuple[str, str]]:
    model = facts.model
    settings = [
        ("Recipe", facts.recipe.name),
        ("Seeds", facts.seeds),
        ("Target", f"{facts.per_language:,} in each language"),
        ("Model", f"{model.model} at {model.revision}" if model.revision else model.model),
        ("Engine", f"{model.engine} {_pairs(model.engine_args)}"),
    ]
    for name, other in facts.models.items():
        at = f" at {other.revision}" if other.revision else ""
        settings.append((f"Model {name}", f"{other.model}{at}, {other.engine} {_pairs(other.engine_args)}"))
    for step in facts.steps:
        if step.generation:
            sampling = _pairs(step.generation.sampling) or "the engine's own"
            settings.append((f"Sampling, {step.name}", sampling))
    settings.append(("Versions", _pairs(model.versions)))
    return settings + [("Paper", paper) for paper in facts.recipe.papers]


def _options(item: FilterFacts) -> str:
    """Return the options that are on, without the column of languages if it is the usual one."""
    options = {
        name: value
        for name, value in item.options.items()
        if value not in (None, "", [], {}) and (name, value) != ("language", LANGUAGE)
    }
    text = _pairs(options)
    return f"{text}; thresholds by language: below" if item.limits else text


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_text(value)}" for name, value in values.items())


def _text(value: Any) -> str:
    if value in (None, "", [], {}):
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
