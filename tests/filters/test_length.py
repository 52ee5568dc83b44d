import polars as pl
from sentences import HUMAN, reasons

from glotmill.filters.length import length

TEXT = pl.col("text")


def test_human_text_is_kept():
    assert reasons(length(TEXT, min_chars=20, max_chars=400), list(HUMAN.values())) == [None] * len(HUMAN)


def test_limits_in_characters_are_inclusive():
    texts = ["नमस्ते", "नमस्", "a" * 7, "日本", "😀" * 6]
    result = reasons(length(TEXT, min_chars=5, max_chars=6), texts)
    assert result == [None, "too_short", "too_long", None, None]


def test_characters_that_say_more_count_for_more():
    sentences = [
        "我是一名护士，喜欢唱歌。",
        "私は看護師で、歌が好きです。",
        "저는 노래하는 간호사입니다.",
        "እኔ ነርስ ነኝ፣ መዘመር እወዳለሁ።",
    ]
    assert reasons(length(TEXT, min_chars=20), sentences) == [None] * 4
    texts = ["日本語", "カナ", "한국어", "ቋንቋ", "Ωμέγα", "ภาษาไทย"]
    counts = [9, 6, 6, 6, 5, 7]
    for text, count in zip(texts, counts, strict=True):
        assert reasons(length(TEXT, min_chars=count, max_chars=count), [text]) == [None]


def test_spaces_and_invisible_characters_around_do_not_count():
    texts = [" \n\u200b\ufeff", "\u200b\u200b\u200bab\u200b\u200b", "a b", None]
    assert reasons(length(TEXT, min_chars=3), texts) == ["too_short", "too_short", None, "empty"]


def test_items_and_turns_count_together():
    assert reasons(length(TEXT, min_chars=7), [["abc", "def"], ["abc"], []]) == [
        None,
        "too_short",
        "too_short",
    ]
    turns = [[{"speaker": "A", "text": "سلام"}, {"speaker": "B", "text": "سلام"}]]
    assert reasons(length(TEXT, min_chars=9, max_chars=9), turns) == [None]


def test_words_are_counted_in_any_script():
    texts = ["one two three", "it's l’eau", "می‌توانم بروم", "3 4 5", "ዳቦ ጋገርኩ ዛሬ", "...", None]
    result = reasons(length(TEXT, min_words=3, max_words=3), texts)
    assert result == [None, "too_short", "too_short", None, None, "too_short", "empty"]


def test_scripts_without_spaces_have_about_as_many_words():
    texts = {
        tag: HUMAN[tag] for tag in ("eng_Latn", "zho_Hans", "zho_Hant", "jpn_Jpan", "tha_Thai", "hin_Deva")
    }
    assert reasons(length(TEXT, min_words=20, max_words=40), list(texts.values())) == [None] * len(texts)
    assert reasons(length(TEXT, max_words=19), list(texts.values())) == ["too_long"] * len(texts)
