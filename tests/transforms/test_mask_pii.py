import polars as pl
import pytest

from glotmill.transforms.mask_pii import mask_pii


def mask(values, tag="eng_Latn", **options):
    rows = pl.DataFrame({"reply": values, "language": [tag] * len(values)})
    made = mask_pii(rows, column="reply", **options)
    assert made.schema["reply"] == rows.schema["reply"]
    return made["reply"].to_list(), made["reply_masked"].to_list()


def test_each_kind_has_its_mask():
    text = (
        "Jane (jane.doe@gmail.com, +44 7911 123456) pays from DE89 3704 0044 0532 0130 00 "
        "with 4111 1111 1111 1111; SSN 536-90-4399."
    )
    masked, counts = mask([text])
    assert masked == ["Jane (<email>, <phone>) pays from <iban> with <card>; SSN <id>."]
    assert counts == [5]


def test_clean_text_and_null_stay_as_they_are():
    values = ["In 2018 there were 1 000 000 trees.", None, ""]
    assert mask(values) == (values, [0, None, 0])


def test_only_the_kinds_asked_for():
    assert mask(["a@gmail.com +44 7911 123456"], kinds=["phone"]) == (["a@gmail.com <phone>"], [1])
    with pytest.raises(ValueError, match="kinds: name"):
        mask(["x"], kinds=["name"])


def test_the_language_decides_how_numbers_are_read():
    assert mask(["Simu: 0712 345 678"], "swh_Latn") == (["Simu: <phone>"], [1])
    assert mask(["Simu: 0712 345 678"], None)[1] == [0]


def test_lists_turns_and_messages_are_masked_in_place():
    assert mask([["a@gmail.com", None, "b"]]) == ([["<email>", None, "b"]], [1])
    turns = [[{"speaker": "a@gmail.com", "text": "Write to a@gmail.com"}]]
    assert mask(turns) == ([[{"speaker": "a@gmail.com", "text": "Write to <email>"}]], [1])
    chat = [[{"role": "user", "content": "I am b@gmail.com"}, {"role": "assistant", "content": "Hi"}]]
    assert mask(chat)[0][0][0]["content"] == "I am <email>"


def test_masking_twice_changes_nothing_more():
    once, _ = mask(["Call 202-555-0143 or a@gmail.com"])
    assert mask(once) == (once, [0])
