import csv
from pathlib import Path

import polars as pl
import pytest
from sentences import HUMAN, measure, reasons

from glotmill import filters
from glotmill.filters.placeholders import placeholders

TEXT = pl.col("text")
OPEN = [
    "Dear [Name], thank you.",
    "Best regards,\n[Your Name]",
    "[Insert date here]",
    "Hola, [tu nombre]:",
    "Sehr geehrter [Ihr Name],",
    "尊敬的[您的姓名]：",
    "尊敬的【姓名】",
    "Hi {user_name}, welcome",
    "Hi {name}!",
    "Hello {{ user.name }}.",
    "{% if x %}hello{% endif %}",
    "<insert your text>",
    "<Your Name> lives here",
    "Call XXX-XXX-XXXX now",
    "on XX/XX/XXXX",
    "Lorem ipsum dolor sit amet",
    "My name is ___.",
    "我叫____。",
    "[TODO] write more",
    "TODO: add examples",
    "XXX公司的产品",
    "Cher [Nom du client],",
    "Estimado/a [Nombre]:",
    "[名前]様",
    "{您的姓名}",
    "안녕하세요, [이름]님",
    "عزيزي [الاسم]،",
    "प्रिय [आपका नाम],",
    "Уважаемый [Имя],",
    "Chào [Tên của bạn],",
    "[COMPANY_NAME] is here",
    "Mpendwa [Jina],",
    "(insert name here)",
    "เรียน [ชื่อ]",
    "[Fecha de hoy]",
    "<你的名字>",
    "Ahoj [Jméno],",
    "{{ name }} is here",
]
FILLED = [
    "See [the name](https://example.org) and [name][1].",
    "[1] and [2, 3] and [sic]",
    "He said [laughs] that",
    "\\frac{name}{date} and $\\{x_1, x_2\\}$",
    "`[Name]` is code",
    "```\n[Name] {user_name}\n```",
    '{"name": "Ann", "date": [1, 2]}',
    "data[name] = date[0]",
    "print([name, age])",
    "The XXX Olympic Games",
    "TODO está bien",
    "__init__ and ___bold___ text",
    "One\n\n___\n\nTwo",
    "<b>bold</b> <title>x</title> <name>Ann</name>",
    "S = {a, b}",
    "\\begin{align} x \\end{align}",
    "[Editor's note: it is so]",
    "[he] said",
    "{1, 2, 3}",
    "[x] done, [ ] open",
    "A_{max} and B^{name}",
    "XX. yüzyılda, XXI wiek",
    "f(x) = {x if x > 0}",
    "[Applause]",
    "[[link]]",
    "[date]: https://example.org",
    "2 < your x > 3",
    "x <- your_data",
    "Name: Ann [née Lee]",
    "La ciudad [de Roma] es",
    "\\[ x \\]",
    "[T]he",
    "[Music] [Applause]",
    "vals = [time - 3]",
]


@pytest.mark.parametrize("text", OPEN)
def test_unfilled_placeholders_are_dropped(text):
    assert reasons(placeholders(TEXT), [text]) == ["placeholder"]


@pytest.mark.parametrize("text", FILLED)
def test_other_brackets_and_signs_are_kept(text):
    assert reasons(placeholders(TEXT), [text]) == [None]


def test_human_text_is_kept():
    assert reasons(placeholders(TEXT), list(HUMAN.values())) == [None] * len(HUMAN)


def test_every_word_of_the_table_is_recognized():
    with Path(filters.__file__).with_name("placeholders.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 30
    texts = [f"A [{word}] b" for row in rows for word in row["words"].split("|")]
    result = reasons(placeholders(TEXT), texts)
    assert [text for text, reason in zip(texts, result, strict=True) if reason is None] == []


def test_the_example_is_a_column():
    texts = ["Hi, [Your Name]!", "Hi {user_name}.", "Hi."]
    assert measure(placeholders(TEXT), "example", texts) == ["[Your Name]", "{user_name}", None]


def test_turns_lists_and_null():
    assert reasons(placeholders(TEXT), [["a", "[Name]"], ["a"], None]) == ["placeholder", None, "empty"]
    assert reasons(placeholders(TEXT), [[{"speaker": "[Name]", "text": "a"}]]) == [None]
