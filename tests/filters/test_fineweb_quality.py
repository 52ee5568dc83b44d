import polars as pl
import pytest
from sentences import HUMAN, measure, reasons

from glotmill.filters.fineweb_quality import fineweb_quality

TEXT = pl.col("text")
PLAIN = "\n".join(["the wind was in the trees all night"] * 22)


def reason_for(text, language="eng_Latn", **options):
    return reasons(fineweb_quality(TEXT, **options), [text], language=[language])[0]


def test_human_text_is_kept_on_one_line_or_many():
    for tag, text in HUMAN.items():
        assert reason_for("\n".join([text] * 22), tag) is None, tag
        assert reason_for(" ".join([text] * 22), tag) is None, tag


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (PLAIN, "line_ends"),
        (PLAIN.replace("night", "night,"), "line_ends"),
        ("\n".join(["oil", "salt", "red rice"] * 20), "line_ends"),
        ("\n".join(["oil.", "salt.", "red rice."] * 20), "new_lines"),
        ("- oil\n- salt\n- red rice\n" * 20, "new_lines"),
    ],
)
def test_each_rule_has_a_reason(text, reason):
    assert reason_for(text) == reason


@pytest.mark.parametrize(
    "text",
    [
        "oil\nsalt\nrice\nbeans\npepper\ngarlic\nbutter\ntea\nmilk\nsoap\nbread\neggs",
        "\n".join(["- the wind was in the trees all night"] * 22),
        "\n".join(f"{n}. the wind was in the trees all night" for n in range(22)),
        "\n".join(["| the wind | the trees | the night |"] * 22),
        "Do this:\n```\n" + "the_wind = trees + night\n" * 20 + "```\nand that is all there is to it.",
        "\n".join(["“The wind was in the trees all night.”"] * 22),
        "\n".join(["**The wind was in the trees all night!**"] * 22),
    ],
)
def test_short_lists_long_lists_tables_code_and_quotes_are_kept(text):
    assert reason_for(text) is None


def test_a_language_without_full_stops_needs_none():
    thai = HUMAN["tha_Thai"].replace("ขนมปังอบใหม่ ", "ขนมปังอบใหม่\n")
    assert reason_for("\n".join([thai] * 22), "tha_Thai") is None
    assert reason_for(PLAIN, "yyy_Thai") is None
    assert reason_for(PLAIN, None) is None


@pytest.mark.parametrize("sign", ["।", "。", "؟", "۔", "።", "၊။", "!", "…", ":", "?»", "།"])
def test_every_script_ends_its_lines(sign):
    text = PLAIN.replace("night", f"night{sign}")
    assert measure(fineweb_quality(TEXT), "line_ends", [text], language=["eng_Latn"]) == [1.0]


def test_short_empty_null_and_turns():
    results = reasons(fineweb_quality(TEXT), ["", "a\nb\nc", None], language=["eng_Latn"] * 3)
    assert results == [None, None, "empty"]
    assert reason_for(PLAIN[:600], from_words=10) is None
    turns = [[{"speaker": "A", "text": PLAIN}] * 2]
    assert reasons(fineweb_quality(TEXT), turns, language=["eng_Latn"]) == ["line_ends"]
