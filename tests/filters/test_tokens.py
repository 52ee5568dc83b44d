import polars as pl
import pytest
from sentences import reasons
from tokenizers import Tokenizer, models, pre_tokenizers

from glotmill.errors import UsageError
from glotmill.filters.tokens import tokens

TEXT = pl.col("text")


@pytest.fixture
def folder(tmp_path):
    """A word tokenizer that truncates to two tokens, as some files do."""
    tokenizer = Tokenizer(models.WordLevel({"?": 0, "bread": 1}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(2)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def test_the_counts_of_a_generate_step_are_used():
    result = reasons(tokens(TEXT, min_tokens=2, max_tokens=3), ["x"] * 5, text_tokens=[1, 2, 3, 4, None])
    assert result == ["too_short", None, None, "too_long", "empty"]


def test_a_field_of_a_reply_uses_the_count_of_the_reply():
    frame = pl.DataFrame({"reply": [{"points": "x"}], "reply_tokens": [1]})
    counted = tokens(pl.col("reply").struct.field("points"), min_tokens=2)
    assert frame.select(counted.alias("reason"))["reason"].to_list() == ["too_short"]


def test_counts_of_another_column():
    assert reasons(tokens(TEXT, min_tokens=2, counts="n"), ["x", "x", None], n=[1, 2, 3]) == [
        "too_short",
        None,
        "empty",
    ]


def test_a_tokenizer_counts(folder):
    texts = ["bread", "fresh bread daily", "a b c d", None]
    for name in (str(folder), str(folder / "tokenizer.json")):
        result = reasons(tokens(TEXT, min_tokens=2, max_tokens=3, tokenizer=name), texts)
        assert result == ["too_short", None, "too_long", "empty"]


def test_items_and_turns_count_together(folder):
    counted = tokens(TEXT, min_tokens=3, tokenizer=str(folder))
    assert reasons(counted, [["a b", "c"], ["a"], None]) == [None, "too_short", "empty"]
    assert reasons(counted, [[{"speaker": "A", "text": "a b c"}]]) == [None]


def test_a_missing_and_a_broken_tokenizer_are_reported(tmp_path):
    with pytest.raises(UsageError, match="not a name on the hub!"):
        tokens(TEXT, tokenizer="not a name on the hub!")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(UsageError, match="it has no `model`"):
        tokens(TEXT, tokenizer=str(tmp_path))


def test_counts_and_tokenizer_exclude_each_other():
    with pytest.raises(ValueError, match="leave one out"):
        tokens(TEXT, tokenizer="x", counts="n")
