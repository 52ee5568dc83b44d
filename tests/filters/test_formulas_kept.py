import polars as pl
import pytest
from sentences import HOSTILE, HUMAN, measure, reasons

from glotmill.filters.formulas_kept import formulas_kept

TEXT = pl.col("text")


@pytest.mark.parametrize(
    "piece",
    [
        "$x^2 + y = 3$",
        "$n$",
        "$$\\frac{1}{2}$$",
        "\\(a_1 < b\\)",
        "\\[\n\\sum_{i=0}^{n} i\n\\]",
        "`print(x)`",
        "```python\nx = 1\n```",
        "<<3*4=12>>",
        "https://example.org/a_b?c=1&d=%20#e",
        "{name}",
        "{{ user.name }}",
        "${HOME}",
        "%s",
        "%(count)d",
        "%1$s",
        "%.2f",
    ],
)
def test_a_piece_must_stay_unchanged_in_every_language(piece):
    source = f"Look at {piece}, please."
    kept = [f"{text} {piece}。{text}" for text in HUMAN.values()]
    assert reasons(formulas_kept(TEXT), kept, source=[source] * len(kept)) == [None] * len(kept)
    lost = list(HUMAN.values())
    assert reasons(formulas_kept(TEXT), lost, source=[source] * len(lost)) == ["formulas_missing"] * len(lost)


@pytest.mark.parametrize(
    "source",
    [
        "It costs $5, or $6 with tax.",
        "Between $5 and $6.",
        "50% discount on 100 % of it, 5% drop",
        "A set {1, 2} of numbers",
        "50 %, so says the 10% figure",
        "no code `",
    ],
)
def test_money_and_percentages_are_not_formulas(source):
    assert measure(formulas_kept(TEXT), "share", ["nothing"], source=[source]) == [None]


def test_changed_pieces_are_listed_and_counted():
    source = ["Hello {name}, $x^2$ and $y^2$, %s and %s"] * 2
    texts = ["Hola {nombre}, $x^2$ y $y^3$, %s", "Hola {name}, $y^2$ y $x ^ 2$, %s, %s"]
    assert reasons(formulas_kept(TEXT), texts, source=source) == ["formulas_missing", None]
    assert measure(formulas_kept(TEXT), "share", texts, source=source) == [0.4, 1]
    assert measure(formulas_kept(TEXT), "missing", texts, source=source) == ["{name}, $y^2$, %s", None]
    assert reasons(formulas_kept(TEXT, min_share=0.4), texts, source=source) == [None, None]


def test_words_inside_a_formula_may_be_translated():
    source, text = "So $x = 3 \\text{ apples}$.", "Also $x = 3 \\text{ Äpfel}$."
    assert reasons(formulas_kept(TEXT), [text, text.replace("3", "4")], source=[source] * 2) == [
        None,
        "formulas_missing",
    ]


def test_a_url_ends_before_punctuation_and_other_scripts():
    source = ["詳しくはhttps://example.org/a。", "See https://example.org/a.", "See (https://example.org/a)"]
    texts = ["Mehr: https://example.org/a!"] * 2 + ["(https://example.org/a), https://b.org"]
    assert reasons(formulas_kept(TEXT), texts, source=source) == [None, None, None]


def test_null_is_empty_and_rows_without_a_source_are_kept():
    assert reasons(formulas_kept(TEXT), [None, "x", ""], source=["$n$", None, "$n$"]) == [
        "empty",
        None,
        "formulas_missing",
    ]


def test_lists_and_turns_are_joined():
    turns = [[{"speaker": "A", "text": "{a}"}, {"speaker": "B", "text": "$n$"}]]
    assert reasons(formulas_kept(TEXT), turns, source=[["{a}", "$n$"]]) == [None]


def test_hostile_text_is_read():
    assert len(reasons(formulas_kept(TEXT), HOSTILE, source=HOSTILE)) == len(HOSTILE)
    worst = [
        "$=" * 25_000,
        "\\[" * 25_000,
        "``` " * 12_000,
        "{{" * 25_000,
        "%(a" * 15_000,
        "https://" * 6_000,
    ]
    assert len(reasons(formulas_kept(TEXT), worst, source=worst)) == len(worst)
