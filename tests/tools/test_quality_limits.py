import polars as pl
import pytest
from quality_limits import calibrate_quality, paragraphs, read

from glotmill.errors import UsageError
from glotmill.filters._text import language_limits
from glotmill.filters._text.words import TOKENIZER
from glotmill.filters.gopher_quality import gopher_quality

NAMES = ["letters", "line_ends", "longest_words", "new_lines", "shortest_words", "stop_words"]


def line(number):
    words = ["ama", "to", "benu", "se", "kolari", "na", "ti", "gomu", "la", "ravelo"]
    return (
        " ".join(f"{word}{'aeiou'[number % 5]}" if len(word) > 3 else word for word in words) + f" {number}."
    )


@pytest.fixture
def reference(tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "eng-GB.txt").write_text("\n".join(map(line, range(200))), encoding="utf-8")
    (folder / "tha.txt").write_text("\n".join(["ภาษาไทยเป็นภาษาที่มีวรรณยุกต์และมีคนพูด"] * 200), encoding="utf-8")
    (folder / "notes.txt").write_text("not a language", encoding="utf-8")
    (folder / "rus.txt").write_text("\n".join(map(line, range(200))), encoding="utf-8")  # not Cyrillic
    return folder


def test_limits_and_stop_words_are_derived_and_used(reference, tmp_path, monkeypatch):
    table = calibrate_quality(reference, tmp_path)
    assert sorted(set(table["name"])) == NAMES
    assert list(table["language"].unique(maintain_order=True)) == [
        "eng_Latn",
        "tha_Thai",
        "any_Latn",
        "any_Thai",
        "any",
    ]
    assert set(table["tokenizer"]) == {TOKENIZER}
    value = {(language, name): number for language, name, number, *_ in table.iter_rows()}
    assert value["tha_Thai", "line_ends"] == 0
    assert value["eng_Latn", "line_ends"] == 0.12
    assert value["eng_Latn", "stop_words"] == 2
    assert value["any", "longest_words"] == max(
        value["eng_Latn", "longest_words"], value["tha_Thai", "longest_words"]
    )
    assert pl.read_csv(tmp_path / "quality.csv").equals(table)
    stops = dict(pl.read_csv(tmp_path / "stopwords.csv").select("language", "words").iter_rows())
    assert {"to", "se", "na", "ti", "la"} <= set(stops["eng_Latn"].split())
    assert "12" not in stops["eng_Latn"].split()
    assert "ภาษา" in stops["tha_Thai"].split()


def test_limits_written_elsewhere_are_read_from_there(reference, tmp_path, monkeypatch):
    calibrate_quality(reference, tmp_path)
    monkeypatch.setattr(language_limits, "LIMITS", tmp_path / "quality.csv")
    monkeypatch.setattr(language_limits, "STOP_WORDS", tmp_path / "stopwords.csv")
    language_limits._limits.cache_clear()
    language_limits._stop_words.cache_clear()
    own, other = " ".join(map(line, range(1, 40, 2))), "the of and a house by sea with it all day " * 10
    frame = pl.DataFrame({"text": [own, other], "language": ["eng_Latn"] * 2})
    reasons = frame.select(gopher_quality(pl.col("text")))["text"].struct.field("reason").to_list()
    language_limits._limits.cache_clear()
    language_limits._stop_words.cache_clear()
    assert reasons == [None, "few_stop_words"]


def test_even_lines_do_not_count(reference, tmp_path):
    first = calibrate_quality(reference, tmp_path)
    lines = (reference / "eng-GB.txt").read_text(encoding="utf-8").splitlines()
    lines[1::2] = ["Extraordinarily incomprehensible"] * 100
    (reference / "eng-GB.txt").write_text("\n".join(lines), encoding="utf-8")
    assert calibrate_quality(reference, tmp_path).equals(first)


def test_paragraphs_are_the_fewest_lines_with_enough_words():
    lines = ["a b c", "d e", "f", "g h i j", "k"]
    assert paragraphs(lines, 4) == ["a b c\nd e", "d e\nf\ng h i j", "f\ng h i j", "g h i j"]


def test_zawgyi_and_other_scripts_are_left_out(reference):
    (reference / "mya.txt").write_text("\n".join(["ကိုယ္စားလွယ္မ်ားသည္ ရုပ္ေသးရုပ္"] * 200), encoding="utf-8")
    assert list(read(reference)) == ["eng_Latn", "tha_Thai"]
    (reference / "mya.txt").write_text("\n".join(["ကျွန်တော် မြန်မာစာကို ချစ်တယ် ဗုဒ္ဓ"] * 200), encoding="utf-8")
    assert list(read(reference)) == ["eng_Latn", "mya_Mymr", "tha_Thai"]


def test_no_files_and_few_lines_are_errors(tmp_path):
    with pytest.raises(UsageError, match="no files"):
        calibrate_quality(tmp_path, tmp_path)
    (tmp_path / "eng.txt").write_text("one line", encoding="utf-8")
    with pytest.raises(UsageError, match="eng_Latn: 2 lines; 100 are needed"):
        calibrate_quality(tmp_path, tmp_path)


def test_the_files_that_ship_are_of_this_tokenizer():
    for path in (language_limits.LIMITS, language_limits.STOP_WORDS):
        table = pl.read_csv(path)
        assert set(table["tokenizer"]) == {TOKENIZER}
        assert table["language"].n_unique() >= 110
