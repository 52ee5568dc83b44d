import polars as pl
import pytest
from sentences import measure, reasons

from glotmill.filters.final_number import final_number

TEXT = pl.col("text")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("She makes 18 dollars a day.", "9 * 2 = <<9*2=18>>18 dollars\n#### 18"),
        ("So 3 of 7.\n#### 18\n", "18"),
        ("#### $1,234.50 in total, of 3", "1234.5"),
        ("Asha ana mayai 18.", "18"),
        ("الجواب هو ١٨.", "18"),
        ("الجواب هو ١٬٢٣٤٫٥ دينار", "1234.5"),
        ("पाسخ ۱۲۳۴ است", "1234"),
        ("उत्तर १,२३,४५६ है।", "123456"),
        ("উত্তর ১৮।", "18"),
        ("คำตอบคือ ๑๘ บาท", "18"),
        ("答案是１８元。", "18"),
        ("Die Antwort ist 1.234,50 €.", "1234.5"),
        ("La réponse est 1 234,5.", "1234.5"),
        ("Die Antwort ist 1'234 Franken.", "1234"),
        ("Ответ: −5 градусов", "-5"),
        ("The answer is $-5$.", "-5"),
        ("The answer is \\boxed{18}.", "18.0"),
        ("Either 1.234 will do", "1234"),
        ("Either 1.234 will do", "1.234"),
        ("Either 1,234 will do", "1.234"),
        ("between 10-18", "18"),
        (r"So the total is \boxed{9{,}500}.", "9500"),
        (r"Le total est $\boxed{12\,000}$.", "12000"),
        (r"Damit sind es $9{,}5$.", "9.5"),
        (r"It costs \$1{,}250\% more", "1250"),
        (r"The answer is \boxed{18 \text{ eggs}} for 2 people.", "18"),
        (r"\boxed{\text{Total: } \frac{36}{2} = 18}", "18"),
        (r"उत्तर \boxed{१२{,}०००} है।", "12000"),
        (r"It is $\frac{3}{4}$.", "0.75"),
        (r"It is \boxed{-\dfrac{3}{4}}", "-0.75"),
        (r"It takes $3\frac{1}{2}$ hours", "3.5"),
        ("It is 3/4 of a cup", "3/4"),
        ("#### 5 * 5 + 2 = 27", "27"),
        ("#### 5 * 5 + 2 = 27 stones", "5 * 5 + 2 = <<5*5+2=27>>27\n#### 27"),
        (r"#### $5 \times 5 + 2 = 27$", "27"),
        ("#### \\boxed{18}", "18"),
        ("**18**", "18"),
    ],
)
def test_the_expected_number_is_found_in_any_digits_and_style(text, answer):
    assert reasons(final_number(TEXT), [text], answer=[answer]) == [None]


@pytest.mark.parametrize(
    ("text", "answer", "reason"),
    [
        ("The answer is 17.", "18", "wrong_number"),
        ("It is 18, of 20.", "18", "wrong_number"),
        ("18\n#### 17", "18", "wrong_number"),
        (r"So it is \boxed{7}, not 8.", "8", "wrong_number"),
        (r"\boxed{9{,}500}", "500", "wrong_number"),
        ("#### 5 * 5 + 2 = 28", "27", "wrong_number"),
        ("It is 3/4.", "4", "wrong_number"),
        ("الجواب ١٧", "18", "wrong_number"),
        ("答案是17", "18", "wrong_number"),
        ("It is 1,234.5", "1234", "wrong_number"),
        ("It is 5.", "-5", "wrong_number"),
        ("Eighteen.", "18", "no_number"),
        ("####", "18", "no_number"),
        ("It was in 1.2.3.4", "18", "no_number"),
        ("9" * 50_000, "18", "no_number"),
        ("18", "eighteen", "no_expected_number"),
        ("18", None, "no_expected_number"),
        (None, "18", "empty"),
    ],
)
def test_a_wrong_or_missing_number_is_dropped(text, answer, reason):
    assert reasons(final_number(TEXT), pl.Series([text], dtype=pl.String), answer=[answer]) == [reason]


def test_the_expected_column_may_hold_numbers_and_is_an_option():
    assert reasons(final_number(TEXT, expected="n"), ["It is ١٨", "It is 2.50"], n=[18, 3]) == [
        None,
        "wrong_number",
    ]
    assert reasons(final_number(TEXT, expected="n"), ["It is 2,5", "1 000 000"], n=[2.5, 1e6]) == [None, None]


def test_the_value_is_the_reading_that_fits():
    texts = ["es sind 1.234", "es sind 1.234", "no", "−٧٫٥"]
    assert measure(final_number(TEXT), "value", texts, answer=["1234", "1.234", "5", "0"]) == [
        "1234",
        "1.234",
        None,
        "-7.5",
    ]
