"""Filters on anyone's data: `glotmill filter`. What can be wrong is said before a row is judged."""

import asyncio
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl

from glotmill import plugins
from glotmill.errors import EngineError, GlotmillError, UsageError, one_line
from glotmill.filtering import filter_set, judged_columns
from glotmill.filtering.judged_columns import LANGUAGE, Asked
from glotmill.filtering.output_folder import OWN, Counts, Folder
from glotmill.filtering.pipeline import FilterJob, Watch, first_of, work
from glotmill.io.interrupt import run_stoppable
from glotmill.io.redact import SECRET_NAME, hide_secrets
from glotmill.io.rows import RowSource
from glotmill.plugins import versions
from glotmill.recipes.steps import Filter
from glotmill.runner import apply_filters
from glotmill.runner.folder import Run

_PACKAGES = ("glotmill", "polars", "pyarrow")


class StoppedError(GlotmillError):
    """The user stopped the work."""

    exit_code = 130


def plan(
    data: RowSource, asked: Asked, filters: Sequence[Any], column: str = "", settings: Mapping[str, Any] = {}
) -> FilterJob:
    """Fit filters to a dataset.

    filters: as `chosen.choose` takes them. column: what those judge that name no column.
    Raises UsageError for filters, options and columns that do not fit.
    """
    names = data.schema.names
    if not asked and LANGUAGE in names:
        asked = Asked(column=LANGUAGE)
    if asked.column and names and asked.column not in names:
        raise UsageError(f"--language-column {asked.column}: there is {', '.join(names)}")
    all_of = filter_set.choose(filters, column, settings, bool(asked))
    if not all_of:
        raise UsageError("no filter is asked; give --filters, or leave it out for the default set")
    if names and not all(each.of for each in all_of):
        usual = judged_columns.usual_column(names)
        all_of = [each.model_copy(update={"of": each.of or usual}) for each in all_of]
    needed: set[str] = set()
    across = [each for each in all_of if apply_filters.streaming_rule(each)]
    alone = [each for each in all_of if each not in across]
    for each in all_of:
        needed.update(apply_filters.expression(each).meta.root_names())
    if problem := _unjudged(asked, all_of):
        raise UsageError(problem)
    made_of = judged_columns.sources(needed, data.schema, asked) if names else {}
    measured: dict[str, Any] = {}
    if names:
        empty = judged_columns.frame(data.schema.empty_table(), made_of, asked)
        found = apply_filters.verdicts(empty, alone)
        if whole := [each.filter for each in alone if not _row_by_row(empty, apply_filters.expression(each))]:
            raise UsageError(
                f"filter {whole[0]}: compares all rows of a table; here rows come by the thousand, and only "
                "`finish:` of a recipe can ask it"
            )
        apply_filters.row_keys(empty, across)
        measured = {n: pl.String() if t == pl.Null else t for n, t in found.drop(OWN).schema.items()}
    measured |= {first_of(each): pl.String() for each in across if _names_first(each)}
    return FilterJob(data, asked, tuple(alone), tuple(across), made_of, measured)


def sift(job: FilterJob, folder: Path, watch: Watch = lambda progress: None) -> list[dict[str, Any]]:
    """Judge all rows, write them to a folder, and return its funnel: of each language rows, kept, dropped.

    What a stopped work has written is not judged again. Raises UsageError if the folder holds other work,
    and EngineError if a filter ends its process.
    """
    goes_on = f"\nWhat is done is kept in {folder}; the same command again goes on from there."
    with Run(folder).lock():
        there = Folder(folder)
        there.claim(about(job))
        if (done := there.funnel()) is not None:
            return done
        try:
            counts = run_stoppable(work(job, there, watch), "what is done is kept")
        except asyncio.CancelledError:
            raise StoppedError(f"interrupted{goes_on}") from None
        except EngineError as error:
            raise EngineError(f"{error}{goes_on}") from None
        except (OSError, pl.exceptions.PolarsError) as error:  # a full disk
            text = getattr(error, "strerror", None) or one_line(error)
            raise GlotmillError(f"{getattr(error, 'filename', None) or folder}: {text}{goes_on}") from error
        result = funnel(counts)
        there.end(result)
        return result


def funnel(counts: Counts) -> list[dict[str, Any]]:
    """Return where the rows of each language went, reasons with the most rows first."""
    result = []
    for language in sorted({language for language, _ in counts}):
        mine = {reason: n for (tag, reason), n in counts.items() if tag == language}
        kept = mine.pop("", 0)
        dropped = dict(sorted(mine.items(), key=lambda item: (-item[1], item[0])))
        rows = kept + sum(dropped.values())
        result.append({"language": language, "rows": rows, "kept": kept, "dropped": dropped})
    return result


def about(job: FilterJob) -> dict[str, Any]:
    """Return what `filter.json` says of a work: enough to repeat it, and no secret."""
    filters = [
        {
            **_without_secrets(each),
            "code": plugins.digest(plugins.find("filters", each.filter))[:16],
            "files": plugins.stamps(each.options),
        }
        for each in (*job.judges, *job.across)
    ]
    return {
        "input": job.data.location,
        "rows": job.data.fingerprint,
        "language": job.asked.tag or {"column": job.asked.column} if job.asked else None,
        "filters": filters,
        "versions": versions((*_PACKAGES, *plugins.filter_packages())),
    }


def _without_secrets(step: Filter) -> dict[str, Any]:
    """A filter as JSON, with part of a hash in place of each secret: another secret is another filter."""
    return {
        name: f"(not kept: {sha256(value.encode()).hexdigest()[:8]})"
        if isinstance(value, str) and (SECRET_NAME.search(name) or hide_secrets(value) != value)
        else value
        for name, value in step.model_dump(mode="json", exclude={"skip"}).items()
    }


def _unjudged(asked: Asked, filters: Sequence[Filter]) -> str | None:
    """Why the language that all rows are in cannot be judged; it would be no score, but a loss of all."""
    if not asked.tag:
        return None
    problems = (apply_filters.cannot_judge(step, asked.tag) for step in filters)
    return next((problem for problem in problems if problem), None)


def _row_by_row(rows: pl.DataFrame, expression: pl.Expr) -> bool:
    """Whether polars would leave rows out before it judges: what hangs on other rows forbids it."""
    mark = "\x00"  # no column is called so
    made = rows.lazy().with_columns(pl.lit(1).alias(mark)).with_columns(expression.alias("reason"))
    return not made.filter(pl.col(mark) > 0).explain().lstrip().startswith("FILTER")


def _names_first(each: Filter) -> bool:
    found = apply_filters.streaming_rule(each)
    return found is not None and found.limit == 1
