"""One row of each language of a run, as a card shows it."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from glotmill.hub.card.markdown import FEW
from glotmill.io import terminal
from glotmill.runner.folder import Run

_CHARS = 1_000  # of one text
_CHARS_OF_MANY = 240  # where there are many languages
_TEXTS = 16  # of one row
_WIDTH = 110  # of a line


def samples(run: Run, told: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Yield title and row of each language: its first row, cut, each line in its own direction."""
    limit = _CHARS if len(told["languages"]) <= FEW else _CHARS_OF_MANY
    for of in told["languages"]:
        for file in sorted(run.folder.glob(f"dataset/{of['tag']}/train-*.parquet"))[:1]:
            pairs = terminal.row_pairs(pl.read_parquet(file, n_rows=1).to_dicts()[0])
            cut = [(name, _cut(terminal.shown(value), limit)) for name, value in pairs[:_TEXTS]]
            if len(pairs) > _TEXTS:
                cut.append(("…", f"({len(pairs) - _TEXTS:,} texts more)"))
            lines = terminal.labelled(cut, width=_WIDTH).split("\n")
            yield {
                "title": f"{of['name']} ({of['tag']})",
                "row": "\n".join(line.rstrip() for line in lines),
            }


def _cut(text: str, limit: int) -> str:
    more = len(text) - limit
    return text if more <= 0 else f"{text[:limit]} … ({more:,} characters more)"
