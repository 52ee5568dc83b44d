import time

import polars as pl
import pytest
from sentences import measure, reasons

from glotmill.filters.equations import equations, find_equations

TEXT = pl.col("text")
RIGHT = [
    ("Sara has 3 + 4 = 7 apples.", ["3+4=7"]),
    ("لدى سارة ٣ + ٤ = ٧ تفاحات.", ["3+4=7"]),
    ("सारा के पास १२ × ३ = ३६ सेब हैं।", ["12*3=36"]),
    ("সারার কাছে ২০ − ৫ = ১৫টি আপেল আছে।", ["20-5=15"]),
    ("ซาร่ามีแอปเปิ้ล ๘ ÷ ๒ = ๔ ผล", ["8/2=4"]),
    ("小明有3个苹果，3+4=7个苹果。", ["3+4=7"]),
    ("每人5元×3=15元", ["5*3=15"]),
    ("りんごは全部で８＋２＝１０個です。", ["8+2=10"]),
    ("사과는 모두 3개 + 4개 = 7개입니다.", ["3+4=7"]),
    ("У Сары 3 яблока + 4 яблока = 7 яблок.", ["3+4=7"]),
    ("Bei 12 : 4 = 3 bekommt jeder drei.", ["12:4=3"]),
    ("Asha ana 1,234 + 1 = 1,235.", ["1234+1=1235"]),
    ("Das macht 1.234,5 · 2 = 2.469", ["1234.5*2=2469"]),
    ("Cela fait 1 234 + 1 = 1 235 euros", ["1234+1=1235"]),
    ("Das macht 1'234 + 1 = 1'235 Franken", ["1234+1=1235"]),
    ("कुल 1,23,456 + 1 = 1,23,457 रुपये", ["123456+1=123457"]),
    ("المجموع ١٬٢٣٤ + ١ = ١٬٢٣٥", ["1234+1=1235"]),
    ("الثمن ٢٫٥ × ٢ = ٥ دنانير", ["2.5*2=5"]),
    ("16 - 3 - 4 = <<16-3-4=9>>9 eggs, then 9 * 2 = $<<9*2=18>>18", ["16-3-4=9", "9*2=18"]),
    ("(3 + 4) x 2 = 7 x 2 = 14", ["(3+4)*2=7*2", "7*2=14"]),
    ("2(3+4) = 14 and [1 + 1] * 5 = 10", ["2*(3+4)=14", "(1+1)*5=10"]),
    ("20% * 50 = 10, (5/20)*100 = 25%", ["20%*50=10", "(5/20)*100=25%"]),
    ("10 / 3 = 3.33, 20 / 3 = 6.66, 22 / 7 ≈ 3.14", ["10/3=3.33", "20/3=6.66", "22/7=3.14"]),
    ("-3 + 5 = 2, 3 * -2 = -6, 5 - (-3) = 8", ["-3+5=2", "3*-2=-6", "5-(-3)=8"]),
    ("1) 3 + 4 = 7\n2. 7 - 2 = 5\nStep 3: 5 * 2 = 10\n- 10 / 5 = 2", ["3+4=7", "7-2=5", "5*2=10", "10/5=2"]),
    (r"So $3 \times 4 = 12$ and \(6 \div 2 = 3\).", ["3*4=12", "6/2=3"]),
    ("3 + 4\n= 7 - this is it", ["3+4=7"]),
    ("$3 + $4 = $7; €2 × 3 = €6", ["3+4=7", "2*3=6"]),
    ("0.1 + 0.2 = 0.3 and 7 = 3 + 4", ["0.1+0.2=0.3", "7=3+4"]),
]
WRONG = [
    "Sara has 3 + 4 = 8 apples.",
    "3 apples + 4 apples = 8 apples in all",
    "لديها ٣ + ٤ = ٨ تفاحات",
    "१२ × ३ = ३५",
    "小明有3+4=8个苹果",
    "У неё 3 + 4 = 8 яблок",
    "2 + 3 = 5 + 4 = 9",
    "3 + 4 = 7 = 8",
    "10 / 4 = 2.4",
    "10 / 3 = 3",
    "5 / 0 = 0",
    "<<3+4=8>>",
    "1.234 + 1 = 1,236",
    "3 + 4 = -7",
    "(2 + 3) * 4 = 14",
]
PASSED_OVER = [
    "x = 5",
    "2x + 3 = 7",
    "x + 3 = 7",
    "total - 3 = 4",
    "total - 3 + 5 = 9",
    "total + 3 + 4 = 9",
    "3^2 + 5 = 15 and 5 + 3² = 15 and 2**3 = 9",
    "sqrt(16) + 2 = 18",
    "1 hour = 60 minutes",
    "2 weeks + 3 days = 17 days",
    "2024-05-01, 10:30, 3 + 4 => 8, 3 + 4 >= 8",
    "99999999999999999999 + 1 = 3",
    "1,2,3 + 1 = 5",
    "= 3 + 4",
    "3 + 4 =",
    "no numbers = no equations",
    "",
]


@pytest.mark.parametrize(("text", "listed"), RIGHT)
def test_equations_that_hold_are_kept_and_listed(text, listed):
    assert reasons(equations(TEXT), [text]) == [None]
    listed_equations = measure(equations(TEXT), "list", [text])[0]
    assert [e.replace("[", "(").replace("]", ")") for e in listed_equations] == listed


@pytest.mark.parametrize("text", WRONG)
def test_one_wrong_equation_drops_the_text(text):
    assert reasons(equations(TEXT), [text, f"1 + 1 = 2\n{text}\n2 + 2 = 4"]) == ["wrong_equation"] * 2


@pytest.mark.parametrize("text", PASSED_OVER)
def test_anything_but_plain_arithmetic_is_skipped(text):
    assert reasons(equations(TEXT), [text]) == ["no_equation"]
    assert reasons(equations(TEXT, min_equations=0), [text]) == [None]


def test_min_equations_is_an_option_and_null_is_empty():
    texts = ["1 + 1 = 2", "1 + 1 = 2; 2 + 1 = 3", "1 + 1 = 2; 1 + 1 = 2", None]
    assert reasons(equations(TEXT, min_equations=2), texts) == ["no_equation", None, "no_equation", "empty"]
    assert measure(equations(TEXT), "list", texts) == [["1+1=2"], ["1+1=2", "2+1=3"], ["1+1=2"], None]


def test_the_same_path_in_two_languages_has_the_same_list():
    texts = ["She has 3 × 4 = 12, then 12 − 5 = 7.", "لديها ٣ × ٤ = ١٢ ثم ١٢ - ٥ = ٧"]
    first, second = measure(equations(TEXT), "list", texts)
    assert first == second == ["3*4=12", "12-5=7"]


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + "1" + ")" * 10_000 + "=1",
        "9" * 100_000 + "+1=2",
        "1+" * 50_000 + "1=3",
        "= " * 10_000,
        "1=1+" * 5_000,
        "3 apples " * 3_000 + "= 4",
        "999999999999999*" * 59 + "9=1",
        "-" * 20_000 + "=3",
        "1/7+" * 25 + "1=2",
        "((((((((((1+1=2",
        "1+1=2))))))))))",
    ],
)
def test_hostile_sums_are_fast(text):
    begun = time.process_time()
    find_equations(text)
    assert time.process_time() - begun < 2
