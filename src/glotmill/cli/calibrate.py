"""`glotmill calibrate`: thresholds for the language detectors, from human texts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from glotmill.cli import options

if TYPE_CHECKING:
    import polars as pl


@click.command("calibrate")
@click.option(
    "--reference",
    required=True,
    metavar="PATH",
    help="Human texts: a folder of LANGUAGE.txt, or any rows with the columns text and language.",
)
@click.option(
    "--detectors",
    multiple=True,
    callback=options.plugin_names,
    metavar="A,B,...",
    help="Detectors to calibrate; see `glotmill list detectors`.  [default: those of the filter `language`]",
)
@click.option(
    "--false-reject",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.005,
    show_default=True,
    metavar="SHARE",
    help="Maximum share of the human texts in a language that its threshold may reject.",
)
@click.option(
    "-o",
    "--output",
    "--out",
    "output",
    cls=options.OutputOption,
    required=True,
    metavar="FILE",
    help="File of thresholds to write (.csv).",
)
@options.as_json
def command(reference: str, detectors: list[str], false_reject: float, output: str, as_json: bool) -> None:
    """Calibrate the language detectors on human texts.

    Writes the lowest score at which each detector is trusted, for each language and length of text. Use the
    file as the option min_score of the filter `language`.
    """
    from pathlib import Path

    from glotmill.filtering import calibrate
    from glotmill.io import terminal

    names = detectors or calibrate.default_detectors()
    table = calibrate.calibrate(Path(reference), names, false_reject=false_reject, out=Path(output))
    if as_json:
        click.echo(terminal.json_text({"out": output, "thresholds": table.to_dicts()}))
    else:
        click.echo(f"{summary_table(table)}\n\nThresholds: {terminal.safe(output)}")


def summary_table(thresholds: "pl.DataFrame") -> str:
    """Return the languages and the mean error rates for each detector and length of text."""
    from glotmill.io.terminal import columns

    rates = ("false_rejects", "false_accepts")
    rows: list[Sequence[object]] = [("detector", "length", "languages", *(f"mean {rate}" for rate in rates))]
    for key, group in thresholds.group_by("detector", "length", maintain_order=True):
        means = (f"{100 * group[rate].sum() / group.height:.2f} %" for rate in rates)
        rows.append((*key, f"{group['language'].n_unique():,}", *means))
    return columns(rows, right=(2, 3, 4))
