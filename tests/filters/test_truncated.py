import polars as pl
import pytest
from sentences import HUMAN, measure, reasons

from glotmill.filters.truncated import truncated

TEXT = pl.col("text")
WHOLE = [
    *HUMAN.values(),
    "",
    "A headline without an end",
    "I was sad :( but then you came :-)",
    "Take a) bread, b) salt.\n1) Mix. 2) Bake",
    "The interval [0, 1) holds it, and so does ]0; 1[ in France",
    "See (the note (on page 3)) and [this](https://example.org/a_(b))",
    "Er sagte: „Guten Tag.“ Und sie: ‚Hallo‘, ganz leise. Dann war’s still",
    "Powiedział: „Dzień dobry”. Wyszedł i zamknął drzwi",
    "»Hej«, sagde han. Så gik »vi« hjem",
    "«Bonjour», dit-il. Puis « au revoir » et il sortit",
    "”Hej”, sa hon. Sedan gick ”alla” hem",
    "Rock ’n’ roll. The ’90s, the dogs’ bowls, ‘tis so",
    'His 6\'2" frame. And a 15" screen',
    'ארה"ב וצה"ל. יו"ר הכנסת',
    "「はい」と言った。『本』を読んだ",
    "`a[0` is code. So is $f(x$ and \\(g[1\\) here",
    "```python\nprint('(')\n```\nThat is all",
    "“First paragraph goes on.\n\n“Second paragraph ends.”",
    "It lies 45 miles (720 kilometres south-east of the town, where it shook in September.",
    "He said so at the meeting (the yearly one" + " and then he went on about many other things" * 3,
    "They voted with tears in their eyes.{",
    "It began. “I saw it all" + ", and then I saw it all again" * 12,
    "“I saw it all. And then I left",
    "He said “this goes on in the next line of the news",
]
CUT = {
    "quote": [
        "The baker came in. He said: “I have never seen such",
        "“Bread,” he said. “I have never seen such",
        'The baker came in. He said: "I have never seen such',
        "Вошёл пекарь. Он сказал: «Я никогда не видел такого",
        "Le boulanger entra. Il dit : « Je n'ai jamais vu",
        "Der Bäcker kam. Er sagte: „Ich habe noch nie so",
        "Bageren kom. »Ja,« sagde han. »Jeg har aldrig set",
        "パン屋が来た。彼は「こんなパンは見たこと",
        "دخل الخباز. قال: «لم أر في حياتي مثل",
        "面包师进来了。他说：“我从来没有见过这样",
    ],
    "bracket": [
        "Take the bread (but not the salt",
        "The list is [1, 2, 3",
        "他来了（从北京",
        "f(g(x) = {1",
        "{" + '"a": "b", ' * 30,
    ],
    "code": ["Here it is:\n```python\nprint(1)", "```\na\n```\nand\n```js\nlet a = 1"],
}


@pytest.mark.parametrize("text", WHOLE)
def test_complete_texts_are_kept(text):
    assert reasons(truncated(TEXT), [text]) == [None]


@pytest.mark.parametrize("by", CUT)
def test_a_text_that_ends_inside_something_open_is_dropped(by):
    assert reasons(truncated(TEXT), CUT[by]) == ["truncated"] * len(CUT[by])
    assert measure(truncated(TEXT), "by", CUT[by]) == [by] * len(CUT[by])


def test_the_finish_reason_of_the_engine():
    texts, finish_reasons = ["Done."] * 5, ["stop", "length", "MAX_TOKENS", None, "tool_calls"]
    filtered = truncated(TEXT, finish_reason="finish_reason")
    assert reasons(filtered, texts, finish_reason=finish_reasons) == [
        None,
        "truncated",
        "truncated",
        None,
        None,
    ]
    assert measure(filtered, "by", texts, finish_reason=finish_reasons)[1:3] == ["finish_reason"] * 2
    assert reasons(truncated(TEXT), texts, finish_reason=finish_reasons) == [None] * 5
    with pytest.raises(pl.exceptions.ColumnNotFoundError, match="finish_reason"):
        reasons(filtered, texts)


def test_require_end_covers_every_script():
    ends = [
        *HUMAN.values(),
        "Ja! 😀",
        "It is **done.**",
        "(Sí.)",
        "ዳቦ ጋገርኩ።",
        "ዳቦ ጋገርኩ፡፡",
        "Հաց թխեցի։",
        "ខ្ញុំដុតនំ។",
        "",
        "မုန့်ဖုတ်တယ်။",
    ]
    assert reasons(truncated(TEXT, require_end=True), ends) == [None] * len(ends)
    cut = [text.rstrip(".。।") + " x" for text in HUMAN.values()]
    assert measure(truncated(TEXT, require_end=True), "by", cut) == ["end"] * len(cut)
    assert reasons(truncated(TEXT), cut) == [None] * len(cut)


def test_turns_lists_and_null():
    assert reasons(truncated(TEXT), [["one.", "two (and"], None]) == ["truncated", "empty"]
    assert reasons(truncated(TEXT), [[{"speaker": "A", "text": "Take (some"}]]) == ["truncated"]
