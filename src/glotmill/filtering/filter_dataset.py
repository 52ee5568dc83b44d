"""`glotmill filter`: checks the filters against a dataset before the first row, then runs them."""

import asyncio
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl

from glotmill import plugins
from glotmill.errors import EngineError, GlotmillError, UsageError, one_line
from glotmill.filtering import filter_columns, filter_set
from glotmill.filtering.filter_columns import LANGUAGE, RowLanguage
from glotmill.filtering.output_folder import OWN, Counts, Folder
from glotmill.filtering.process_parts import FilterJob, Watch, first_column, process_parts
from glotmill.io.interrupt import run_stoppable
from glotmill.io.redact import SECRET_NAME, hide_secrets
from glotmill.io.rows import RowSource
from glotmill.plugins import versions
from glotmill.recipes.steps import Filter
from glotmill.runner import apply_filters
from glotmill.runner.funnel import most_frequent_first
from glotmill.runner.run_folder import Run

_PACKAGES = ("glotmill", "polars", "pyarrow")


class StoppedError(GlotmillError):
    """The user stopped the job."""

    exit_code = 130


def prepare_job(
    data: RowSource,
    language: RowLanguage,
    filters: Sequence[Any],
    column: str = "",
    settings: Mapping[str, Any] = {},
) -> FilterJob:
    """Check filters against a dataset.

    filters: names, a file or steps, see `filter_set.choose`. column: for filters that name no column.
    Raises UsageError for filters, options and columns that do not fit.
    """
    names = data.schema.names
    if not language and LANGUAGE in names:
        language = RowLanguage(column=LANGUAGE)
    if language.column and names and language.column not in names:
        raise UsageError(
            f"--language-column {language.column}: no such column; choose from {', '.join(names)}"
        )
    steps = filter_set.choose(filters, column, settings, bool(language))
    if not steps:
        raise UsageError("no filters; name some with --filters, or leave it out for the default set")
    if names and not all(step.of for step in steps):
        default = filter_columns.default_column(names)
        steps = [step.model_copy(update={"of": step.of or default}) for step in steps]
    required = {name for step in steps for name in apply_filters.expression(step).meta.root_names()}
    if problem := _language_problem(language, steps):
        raise UsageError(problem)
    cross_filters = [step for step in steps if apply_filters.streaming_rule(step)]
    row_filters = [step for step in steps if step not in cross_filters]
    sources = filter_columns.find_sources(required, data.schema, language) if names else {}
    added_columns: dict[str, Any] = {}
    if names:
        empty = filter_columns.frame(data.schema.empty_table(), sources, language)
        verdicts = apply_filters.verdicts(empty, row_filters)
        for step in row_filters:
            if not _is_row_by_row(empty, apply_filters.expression(step)):
                raise UsageError(
                    f"filter {step.filter}: compares all rows of a table, but `glotmill filter` reads a few "
                    "thousand rows at a time; use it in `finish:` of a recipe"
                )
        apply_filters.row_keys(empty, cross_filters)
        dtypes = verdicts.drop(OWN).schema.items()
        added_columns = {name: pl.String() if dtype == pl.Null else dtype for name, dtype in dtypes}
    added_columns |= {first_column(step): pl.String() for step in cross_filters if _keeps_one(step)}
    return FilterJob(data, language, tuple(row_filters), tuple(cross_filters), sources, added_columns)


def run_job(job: FilterJob, folder: Path, watch: Watch = lambda progress: None) -> list[dict[str, Any]]:
    """Filter all rows into a folder; return the counts of each language: rows, kept, dropped by reason.

    Parts that are written already are not filtered again. Raises UsageError if the folder holds another
    job, and EngineError if a filter ends its process.
    """
    resume_hint = f"\nThe rows so far are kept in {folder}; the same command resumes from there."
    with Run(folder).lock():
        output = Folder(folder)
        output.claim(describe(job))
        if (funnel := output.funnel()) is not None:
            return funnel
        try:
            counts = run_stoppable(process_parts(job, output, watch), "the rows so far are kept")
        except asyncio.CancelledError as error:
            raise StoppedError(f"interrupted{resume_hint}") from error
        except EngineError as error:
            raise EngineError(f"{error}{resume_hint}") from error
        except (OSError, pl.exceptions.PolarsError) as error:  # a full disk
            path = getattr(error, "filename", None) or folder
            reason = getattr(error, "strerror", None) or one_line(error)
            raise GlotmillError(f"{path}: {reason}{resume_hint}") from error
        funnel = count_by_language(counts)
        output.end(funnel)
        return funnel


def count_by_language(counts: Counts) -> list[dict[str, Any]]:
    """Return the rows, kept rows and dropped rows of each language, the most frequent reasons first."""
    funnel = []
    for language in sorted({tag for tag, _ in counts}):
        by_reason = {reason: rows for (tag, reason), rows in counts.items() if tag == language}
        kept = by_reason.pop("", 0)
        dropped = most_frequent_first(by_reason)
        total = kept + sum(dropped.values())
        funnel.append({"language": language, "rows": total, "kept": kept, "dropped": dropped})
    return funnel


def describe(job: FilterJob) -> dict[str, Any]:
    """Return the content of `filter.json`: enough to repeat the job, and no secret."""
    filters = [
        {
            **_without_secrets(step),
            "code": plugins.digest(plugins.find("filters", step.filter))[:16],
            "files": plugins.stamps(step.options),
        }
        for step in (*job.row_filters, *job.cross_filters)
    ]
    language = job.language.tag or {"column": job.language.column} if job.language else None
    return {
        "input": job.data.location,
        "rows": job.data.fingerprint,
        "language": language,
        "filters": filters,
        "versions": versions((*_PACKAGES, *plugins.filter_packages())),
    }


def _without_secrets(step: Filter) -> dict[str, Any]:
    """Return a filter as JSON. A part of its hash replaces each secret, since another secret is another
    filter."""
    options = {}
    for name, value in step.model_dump(mode="json", exclude={"skip"}).items():
        is_secret = isinstance(value, str) and (SECRET_NAME.search(name) or hide_secrets(value) != value)
        options[name] = f"(not kept: {sha256(value.encode()).hexdigest()[:8]})" if is_secret else value
    return options


def _language_problem(language: RowLanguage, steps: Sequence[Filter]) -> str | None:
    """Return why a filter cannot check the language of all rows: it would drop every row."""
    if not language.tag:
        return None
    problems = (apply_filters.cannot_judge(step, language.tag) for step in steps)
    return next((problem for problem in problems if problem), None)


def _is_row_by_row(rows: pl.DataFrame, expression: pl.Expr) -> bool:
    """Return whether each verdict depends on its own row alone.

    polars moves a filter on other columns before such an expression, and never before one across rows.
    """
    mark = "\x00"  # the name of no column
    query = rows.lazy().with_columns(pl.lit(1).alias(mark)).with_columns(expression.alias("reason"))
    return not query.filter(pl.col(mark) > 0).explain().lstrip().startswith("FILTER")


def _keeps_one(step: Filter) -> bool:
    """Return whether a filter keeps one row of those with the same key, such as `duplicates`."""
    rule = apply_filters.streaming_rule(step)
    return rule is not None and rule.limit == 1
