"""The commands on anyone's data: filter, calibrate. As cli.py: parse, call, print."""

from collections.abc import Sequence
from typing import Any

import click

from glotmill.cli import options as shared
from glotmill.errors import UsageError


@click.command("filter")
@click.argument("source", metavar="INPUT")
@click.option("-o", "--folder", metavar="OUT", help="Folder to write: kept/, rejects/, funnel.json.")
@click.option(
    "--filters",
    multiple=True,
    callback=shared.split,
    metavar="A,B,...|FILE",
    help="Names, or a .yaml or .json list of filters as in a recipe; without it, a default set.",
)
@click.option("--column", default="", metavar="NAME", help="What is judged; without it, text or messages.")
@click.option("-l", "--language", metavar="LANGUAGE", help="Of all rows, as in fra, swh_Latn or Arabic.")
@click.option("--language-column", metavar="NAME", help="Each row's language.  [language, if there]")
@click.option(
    "--set",
    "settings",
    multiple=True,
    callback=shared.pairs,
    metavar="FILTER.OPTION=VALUE",
    help="As in length.min_chars=20.",
)
@click.option("--config", metavar="NAME", help="Of a dataset of the Hub.")
@click.option("--split", default="train", show_default=True, metavar="NAME", help="Of a dataset of the Hub.")
@click.option("--explain", "wanted", metavar="ID", help="Write nothing; tell what each filter sees in a row.")
@shared.as_json
def filter_(source: str, folder: str | None, wanted: str | None, as_json: bool, **given: Any) -> None:
    """Put filters to the rows of any dataset.

    INPUT is a file (.parquet, .jsonl, .csv, .txt), a folder of them, a Hub id, or a run.
    Of messages, what the assistant says is judged. The same command again goes on where it stopped.
    """
    from pathlib import Path

    from glotmill.cli import filter_summary
    from glotmill.filtering import explain, filter_dataset, tables
    from glotmill.filtering.judged_columns import Asked
    from glotmill.io import terminal
    from glotmill.languages import find as find_language

    if (folder is None) == (wanted is None):
        raise UsageError("filter: give -o OUT, or --explain ID")
    tag, column = given["language"], given["language_column"]
    if tag and column:
        raise UsageError("filter: give one of --language and --language-column")
    asked = Asked(find_language(tag).tag if tag else "", column or "")
    filters: Sequence[Any] = given["filters"]
    with filter_summary.watching() as watch:
        if wanted is not None and (Path(source) / "run.json").is_file():
            data, own = explain.of_run(Path(source))
            filters = filters or own
        else:
            data = tables.find(source, given["config"], given["split"])
        job = filter_dataset.plan(data, asked, filters, given["column"], given["settings"])
        if wanted is not None:
            found = explain.explain(data, job, wanted)
            text = explain.text(found, shared.width())
        else:
            out = Path(str(folder))
            found = filter_summary.result(out, job, filter_dataset.sift(job, out, watch))
            text = filter_summary.text(found)
    click.echo(terminal.json_text(found) if as_json else text)


@click.command()
@click.option(
    "--reference",
    required=True,
    metavar="PATH",
    help="A folder of LANGUAGE.txt, or a .jsonl or .parquet with the columns text and language.",
)
@click.option(
    "--detectors",
    multiple=True,
    callback=shared.split,
    metavar="A,B,...",
    help="Without it, those that filter `language` asks.",
)
@click.option(
    "--false-reject",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.005,
    show_default=True,
    metavar="SHARE",
    help="Of human texts, to be turned away at most.",
)
@click.option("-o", "--out", required=True, metavar="FILE", help="The .csv of thresholds to write.")
@shared.as_json
def calibrate(reference: str, detectors: list[str], false_reject: float, out: str, as_json: bool) -> None:
    """Make language thresholds from human texts.

    They are the least scores at which the language detectors are believed.
    """
    from pathlib import Path

    from glotmill.filtering import calibrate as calibration
    from glotmill.filters.detectors import installed
    from glotmill.io import terminal

    names = detectors or [name for name in ("pycld2", "py3langid") if installed(name)]
    table = calibration.calibrate(Path(reference), names, false_reject=false_reject, out=Path(out))
    if as_json:
        click.echo(terminal.json_text({"out": out, "thresholds": table.to_dicts()}))
        return
    means = table.group_by("detector", "length", maintain_order=True)
    shares = ("false_rejects", "false_accepts")
    rows: list[Sequence[object]] = [("detector", "length", "languages", *(f"mean {n}" for n in shares))]
    for names_of, some in means:
        told = (f"{100 * sum(some[name]) / some.height:.2f} %" for name in shares)
        rows.append((*names_of, f"{some['language'].n_unique():,}", *told))
    click.echo(f"{terminal.columns(rows, right=(2, 3, 4))}\n\nThresholds: {terminal.safe(out)}")
