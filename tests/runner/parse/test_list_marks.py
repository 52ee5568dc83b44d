"""Lists however they are marked, and what stands around them."""

import pytest

from glotmill.runner.parse import parser

PLAIN = ["The red door", "Two cats"]


def lines(text: str) -> list[str]:
    found: list[str] = parser("lines", "x", None)(text)
    return found


@pytest.mark.parametrize(
    "marks",
    [
        *(
            "1. ",
            "1) ",
            "(1) ",
            "（1）",
            "1\\\\. ".replace("\\\\", "\\"),
            "**1.** ",
            "**1**. ",
            "*1.* ",
            "__1.__ ",
            "1.- ",
        ),
        *("### 1. ", "> 1. ", "1 - ", "1 – ", "1: ", "#1: ", "#1 ", "[1] ", "No. 1 ", "№ 1 ", "Q1. ", "1/ "),
        *("1º ", "1.º ", "1.\t", "  1. ", "1.", "１．", "１、", "第1：", "- 1. ", "1️⃣ "),
    ],
)
def test_numbers(marks: str) -> None:
    second = marks.translate(str.maketrans("1１", "2２"))
    assert lines(f"{marks}{PLAIN[0]}\n{second}{PLAIN[1]}") == PLAIN


@pytest.mark.parametrize(
    ("one", "two"),
    [
        *(
            ("一、", "二、"),
            ("（一）", "（二）"),
            ("一. ", "二. "),
            ("第一：", "第二："),
            ("①", "②"),
            ("① ", "② "),
        ),
        *(
            ("⑴ ", "⑵ "),
            ("⒈", "⒉"),
            ("❶ ", "❷ "),
            ("㈠", "㈡"),
            ("甲、", "乙、"),
            ("가. ", "나. "),
            ("㉠ ", "㉡ "),
        ),
        *(("a. ", "b. "), ("a) ", "b) "), ("(a) ", "(b) "), ("A) ", "B) "), ("i. ", "ii. "), ("I. ", "II. ")),
        *(("а) ", "б) "), ("α) ", "β) "), ("א. ", "ב. "), ("أ. ", "ب. "), ("أ) ", "ب) "), ("١. ", "٢. ")),
        *(("۱- ", "۲- "), ("१. ", "२. "), ("१) ", "२) "), ("১। ", "২। "), ("๑. ", "๒. "), ("၁။ ", "၂။ ")),
        *(("១. ", "២. "), ("፩. ", "፪. "), ("፩፡ ", "፪፡ "), ("༡། ", "༢། "), ("1։ ", "2։ ")),
    ],
)
def test_numbers_of_many_languages(one: str, two: str) -> None:
    assert lines(f"{one}{PLAIN[0]}\n{two}{PLAIN[1]}") == PLAIN


def test_numbers_past_ten() -> None:
    numbers = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"]
    assert lines("\n".join(f"{n}、{PLAIN[0]} {n}" for n in numbers)) == [f"{PLAIN[0]} {n}" for n in numbers]


@pytest.mark.parametrize(
    "mark", ["-", "*", "+", "–", "•", "‣", "◦", "●", "○", "▪", "■", "➢", "➤", "→", "✓", "✅", "🔹"]
)
def test_bullets(mark: str) -> None:
    assert lines(f"{mark} {PLAIN[0]}\n{mark} {PLAIN[1]}") == PLAIN


def test_other_forms_of_lists() -> None:
    assert lines("- [ ] The red door\n- [x] Two cats") == PLAIN
    assert lines("<ol>\n  <li>The red door</li>\n  <li>Two cats</li>\n</ol>") == PLAIN
    assert lines("**1. The red door**\n**2. Two cats**") == PLAIN
    assert lines("1. **The red door**\n2. **Two cats**") == PLAIN


@pytest.mark.parametrize(
    "text",
    [
        "3.5 litres\n4.2 cats",
        "2024 was hot\n2025 is cold",
        "1984. A novel\n1985. A film",
        "三、四天后\n五、六个人",
        "一个苹果\n二月的花",
        "a.m. is early\nb.c. is long ago",
        "A cat sleeps\nB flat is a note",
        "I am here\nII is two",
        "b) second\nd) fourth",
        "12:30 we met\n13:45 we left",
    ],
)
def test_what_only_looks_like_a_number_stays(text: str) -> None:
    assert lines(text) == text.split("\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Here are two:\n\n", "\n\nLet me know if you'd like more!"),
        ("Voici deux choses\n", "\nJ'espère que cela vous aide"),
        ("## Things\n", "\n---\nNote: both are old."),
        ("**Two things**\n\n", "\n(Both are old.)"),
        ("好的，以下是两个例子：\n", "\n\n希望对你有帮助！"),
        ("以下はリストです。\n", "\n以上です。"),
        ("Of course, I'd be happy to help.\n", "\nThese are two things."),
    ],
)
@pytest.mark.parametrize("marks", [("1. ", "2. "), ("① ", "② "), ("一、", "二、")])
def test_introductions_and_goodbyes_are_no_items(before: str, after: str, marks: tuple[str, str]) -> None:
    assert lines(f"{before}{marks[0]}{PLAIN[0]}\n{marks[1]}{PLAIN[1]}{after}") == PLAIN


@pytest.mark.parametrize("before", ["", "\ufeff", "<s>", "<|im_start|>assistant\n", "\ufeff\u200b"])
@pytest.mark.parametrize(
    "after", ["", "</s>", "<|im_end|>", "<|eot_id|>\n<end_of_turn>", "<｜end▁of▁sentence｜>"]
)
def test_special_tokens_are_no_part_of_a_reply(before: str, after: str) -> None:
    def parsed(as_: str, text: str) -> object:
        return parser(as_, "x", None)(f"{before}{text}{after}")

    assert parsed("lines", "1. The red door\n2. Two cats") == PLAIN
    assert parsed("text", "The red door") == "The red door"
    assert parsed("json", '```json\n{"a": "<s>"}\n```') == '{"a": "<s>"}'
    assert parsed("tag", "<x>yes</x>") == "yes"
    assert parsed("turns", "A: hi\nB: yo") == [{"speaker": "A", "text": "hi"}, {"speaker": "B", "text": "yo"}]
