"""Two views of a problem."""

import polars as pl

from glotmill.transforms.views import views


def test_two_views_beside_each_other() -> None:
    rows = pl.DataFrame({"id": ["a", "b"], "row": [0, 1], "problem": ["p", "q"], "question": ["s", "t"]})
    made = views(rows).select("id", "view", "prompt").rows()
    assert made == [
        ("a-parallel", "parallel", "p"),
        ("a-cross", "cross", "s"),
        ("b-parallel", "parallel", "q"),
        ("b-cross", "cross", "t"),
    ]
