import polars as pl
import pytest
from sentences import HOSTILE, HUMAN

from glotmill.filters._text import code_points
from glotmill.filters._text.code_points import measured
from glotmill.filters._text.words import words_series


def pieces(texts, kind, *letters):
    """The pieces of each text: (key, chars, letters)."""

    def measure(part):
        found = getattr(part.codes(), kind)(*letters)
        rows = zip(found.key.tolist(), found.chars.tolist(), found.letters.tolist(), strict=True)
        lists = [[] for _ in range(part.height)]
        for row, piece in zip(found.row.tolist(), rows, strict=True):
            lists[row].append(piece)
        return pl.DataFrame({"pieces": pl.Series(lists, dtype=pl.Object)})

    return measured(pl.Series(texts, dtype=pl.String), measure)["pieces"].to_list()


def test_words_are_those_that_are_read_as_strings():
    texts = [*HUMAN.values(), *HOSTILE, None, "ÎLE île  İz, a1-b2", "ශ්‍රී می‌خواهم", "\u200d\u200d a\u200d"]
    strings = words_series(pl.Series(texts)).fill_null([]).to_list()
    keys = pieces(texts, "words")
    assert [len(words) for words in keys] == [len(words) for words in strings]
    of = {}
    for words, found in zip(strings[: len(HUMAN)], keys, strict=False):
        for word, (key, chars, _) in zip(words, found, strict=True):
            assert of.setdefault(word, key) == key
            assert chars == len(word)
    assert len(set(of.values())) == len(of)


def test_keys_do_not_depend_on_place_or_case(monkeypatch):
    texts = ["the The THE thé", "pad pad the", "x" * 50 + " the"]
    first, second, third = pieces(texts, "words")
    assert first[0] == first[1] == first[2] == second[2] == third[1] != first[3]
    monkeypatch.setattr(code_points, "_PART_SIZE", 10)
    assert pieces(texts, "words") == [first, second, third]


@pytest.mark.parametrize(
    ("kind", "text", "number"),
    [
        ("sentences", "One of them. And two! Three? ok. 4) Four。五五五五五五。", 3),
        ("lines", "one line\n\n  \nshort\nanother line\n", 2),
        ("paragraphs", "one line\nand more\n\n\nanother part\n\n-----\n\nthe last one", 3),
        ("sentences", "", 0),
        ("paragraphs", "without end", 1),
    ],
)
def test_texts_are_cut_where_they_should(kind, text, number):
    assert [len(found) for found in pieces([text, "between two", text], kind, 6)][::2] == [number] * 2
    assert len(pieces(["between two"], kind, 6)[0]) == 1


def test_numbering_and_punctuation_do_not_tell_lines_apart_but_numbers_do():
    same, other = pieces(["1) Buy the rice!\n- buy, THE rice\nbuy the rice 2\nbuy the rice 3"], "lines", 6)[
        0
    ][1:3]
    (first, second, third, fourth) = pieces(
        ["1) Buy it now!\n- buy, it NOW\nbuy it now 2\nbuy it now 3"], "lines", 6
    )[0]
    assert first == second
    assert len({first, third, fourth}) == 3
    assert same != other


def test_chinese_beyond_the_first_plane_and_other_digits_are_letters_and_digits():
    assert pieces(["𠀀𠀁𠀂 ٣٤ x"], "words")[0][-1][1:] == (1, 1)
    assert sum(chars for _, chars, _ in pieces(["𠀀𠀁𠀂 ٣٤ x"], "words")[0]) == 6


def test_remembered_words_are_those_of_the_same_texts():
    keys = [key for key, _, _ in pieces(["one two three"], "words")[0]]

    def measure(part):
        words = part.words()
        return pl.DataFrame({"row": words.row + part.first, "key": words.key})

    for texts, rows in ((["one two", "three"], [0, 0, 1]), (["one\ntwo\nthree"], [0, 0, 0])):
        for _ in range(2):
            found = measured(pl.Series(texts), measure)
            assert found["row"].to_list() == rows
            assert found["key"].to_list() == keys
    assert measured(pl.Series(["one", "two", "three"]), measure)["row"].to_list() == [0, 1, 2]
