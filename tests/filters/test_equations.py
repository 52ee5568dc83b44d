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
UNREAD = [
    "2x + 3 = 7",
    "x + 3 = 7",
    "total - 3 = 4",
    "total - 3 + 5 = 9",
    "total + 3 + 4 = 9",
    "3^2 + 5 = 15 and 5 + 3² = 15 and 2**3 = 9",
    "sqrt(16) + 2 = 18",
    r"\sqrt{16} + 2 = 18",
    r"\frac{12}{x} = 3",
    "2 weeks + 3 days = 17 days",
    "90 km/h × 20 minutes = 30 km",
    "5 times 3 + 2 = 17",
    "50 cents × 4 = 2 dollars",
    "3 m × 4 = 5 m",
    "99999999999999999999 + 1 = 3",
    "1,2,3 + 1 = 5",
]
NONE = [
    "x = 5",
    "1 hour = 60 minutes",
    "2024-05-01, 10:30, 3 + 4 => 8, 3 + 4 >= 8",
    r"3 + 4 \Rightarrow 8",
    "= 3 + 4",
    "3 + 4 =",
    "3 + 4 = ?",
    "no numbers = no equations",
    "",
]
# As models write: LaTeX, units between numbers and signs, bold type.
WRITTEN = [
    (r"\[ 9 \text{ bags} \times 7 \text{ stones} = 63 \text{ stones} \]", ["9*7=63"]),
    (r"$9 \text{ bags} \times 7 \text{ stones/bag} = 63 \text{ stones}$", ["9*7=63"]),
    ("9 bags × 7 stones = 63 stones", ["9*7=63"]),
    ("9 bags x 7 stones per bag = 63 stones", ["9*7=63"]),
    ("5 dollars/hour * 3 hours = $15", ["5*3=15"]),
    (r"\frac{12}{4} = 3", ["(12/4)=3"]),
    (r"\[ \frac{3}{4} \times 20 = 15 \]", ["(3/4)*20=15"]),
    (r"\frac{60 \text{ eggs}}{12 \text{ eggs per box}} = 5 \text{ boxes}", ["((60)/(12))=5"]),
    (r"\dfrac12 \cdot 8 = 4", ["(1/2)*8=4"]),
    (r"3\frac{1}{2} + 1 = 4.5", ["(3+1/2)+1=4.5"]),
    (r"\frac{1}{2} (68) + 10 = 44", ["(1/2)*(68)+10=44"]),
    ("3 / 2 = 1 1/2 hours, 500*.25 = 125", ["3/2=(1+1/2)", "500*0.25=125"]),
    ("He guessed 60 because 20 + 40 = 60.", ["20+40=60"]),
    (r"\left(3 + 4\right) \cdot 2 = 14", ["(3+4)*2=14"]),
    (r"12{,}000 \div 4 = 3\,000", ["12000/4=3000"]),
    (r"\$12 + \$3 = \$15, 20\% \times 50 = 10", ["12+3=15", "20%*50=10"]),
    (r"\boxed{3 + 4 = 7}", ["3+4=7"]),
    (r"\begin{aligned} 3 \times 4 &= 12 \\ &= 24 \div 2 \end{aligned}", ["3*4=12", "12=24/2"]),
    (r"\text{Total} = 3 + 4 = 7 \text{ apples}", ["3+4=7"]),
    (r"\mathbf{3 + 4 \approx 7}", ["3+4=7"]),
    ("So **3 + 4 = 7** apples, and 7 + 1 = **8**.", ["3+4=7", "7+1=8"]),
    ("`3 + 4 = 7`", ["3+4=7"]),
    ("#### 5 * 5 + 2 = 27", ["5*5+2=27"]),
    ("KSh 50 × 3 = KSh 150, Rs. 5 + Rs. 3 = Rs. 8", ["50*3=150", "5+3=8"]),
    ("5 m + 3 m = 8 m", ["5+3=8"]),
    ("5 boîtes × 12 crayons par boîte = 60 crayons", ["5*12=60"]),
    ("٩ أكياس × ٧ أحجار = ٦٣ حجرا", ["9*7=63"]),
    (r"९ \text{ थैले} \times ७ \text{ पत्थर} = ६३ \text{ पत्थर}", ["9*7=63"]),
    (r"9 \text{ 袋} \times 7 \text{ 颗/袋} = 63 \text{ 颗}", ["9*7=63"]),
    ("60 км/ч × 2 ч = 120 км", ["60*2=120"]),
]
WRITTEN_WRONG = [
    r"9 \text{ bags} \times 7 \text{ stones} = 64 \text{ stones}",
    "9 bags × 7 stones/bag = 64 stones",
    "9 bags x 7 stones = 64",
    r"\frac{12}{4} = 4",
    r"\frac{60 \text{ eggs}}{12} = 6 \text{ eggs}",
    r"3\frac{1}{2} + 1 = 4",
    r"12{,}000 \div 4 = 3\,001",
    r"९ \text{ थैले} \times ७ \text{ पत्थर} = ६४ \text{ पत्थर}",
    "9 袋 × 7 颗 = 64 颗",
    "٩ أكياس × ٧ أحجار = ٦٤ أحجار",
    "**3 + 4 = 8**",
    r"\boxed{3 + 4 = 8}",
]


@pytest.mark.parametrize(("text", "listed"), RIGHT + WRITTEN)
def test_equations_that_hold_are_kept_and_listed(text, listed):
    assert reasons(equations(TEXT), [text]) == [None]
    listed_equations = measure(equations(TEXT), "list", [text])[0]
    assert [e.replace("[", "(").replace("]", ")") for e in listed_equations] == listed


@pytest.mark.parametrize("text", WRONG + WRITTEN_WRONG)
def test_one_wrong_equation_drops_the_text(text):
    assert reasons(equations(TEXT), [text, f"1 + 1 = 2\n{text}\n2 + 2 = 4"]) == ["wrong_equation"] * 2


@pytest.mark.parametrize("text", UNREAD)
def test_anything_but_plain_arithmetic_is_not_decided(text):
    assert reasons(equations(TEXT), [text]) == ["unread_equation"]
    assert reasons(equations(TEXT, min_equations=0), [text]) == [None]


@pytest.mark.parametrize("text", NONE)
def test_a_text_without_equations_says_so(text):
    assert reasons(equations(TEXT), [text]) == ["no_equation"]
    assert reasons(equations(TEXT, min_equations=0, max_equations=0), [text]) == [None]


@pytest.mark.parametrize("text", ["Sara has 3 + 4 = 7 apples. How many?", "If 2x + 3 = 7, what is x?"])
def test_a_problem_may_have_to_do_without_equations(text):
    assert reasons(equations(TEXT, min_equations=0, max_equations=0), [text]) == ["has_equation"]
    assert reasons(equations(TEXT, min_equations=0, max_equations=1), [text]) == [None]


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
        r"\frac{" * 3_000 + "1=1",
        r"\frac{1}{" * 2_000 + "2" + "}" * 2_000 + "=1",
        r"\text{" * 3_000 + "}" * 3_000 + "1+1=2",
        "1 a/b " * 3_000 + "= 1",
        "**" * 10_000 + "1=1",
    ],
)
def test_hostile_sums_are_fast(text):
    begun = time.process_time()
    find_equations(text)
    assert time.process_time() - begun < 2
