"""Makes two rows of a solved problem: asked in the answer's language, and in the source's."""

import polars as pl


def views(rows: pl.DataFrame, *, problem: str = "problem", source: str = "question") -> pl.DataFrame:
    """Turn each row into two: `parallel` asks in the row's language, `cross` in the language of the source.

    rows: <problem>, <source> -> + view, prompt; ids end in the view's name.
    Source: MathOctopus (Chen et al., 2024), parallel and cross training.
    """
    views = [
        rows.with_columns(view=pl.lit(view), prompt=pl.col(column), id=pl.format("{}-{}", "id", pl.lit(view)))
        for view, column in (("parallel", problem), ("cross", source))
    ]
    return pl.concat(views).sort("row", maintain_order=True)
