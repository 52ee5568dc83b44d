import sys

import polars as pl
import pytest

from glotmill.errors import RecipeError, UsageError
from glotmill.filtering.calibrate import calibrate
from glotmill.filters.detectors import load
from glotmill.filters.detectors._thresholds import HIGHEST, LOWEST

# A detector that reads its answer in the text: the x in `swqxxx`, fiftieths, are the probability of Swahili.
GUESS = """
import numpy as np
from glotmill.filters.detectors import Scores

SEEN = []

def guess(texts):
    labels = ("swh_Latn", "xho_Latn", "zul_Latn", "eng_Latn")
    short = dict(zip(("sw", "xh", "zu", "en"), range(4)))
    found = np.zeros((len(texts), 4), np.float32)
    for row, text in enumerate(texts):
        SEEN.append(text)
        words = [word.split("q") for word in text.split() if "q" in word]
        for label, score in words:
            found[row, short[label]] += len(score) / 50 / len(words)
    return Scores(labels, found)
"""


@pytest.fixture
def guess(tmp_path, monkeypatch):
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "reading.py").write_text(GUESS)
    monkeypatch.syspath_prepend(tmp_path / "modules")
    load.cache_clear()
    yield "reading:guess"
    load.cache_clear()
    sys.modules.pop("reading", None)


def line(label: str, score: float) -> str:
    """A text of some 110 letters to which the detector gives this score."""
    return f"{label}q{'x' * round(score * 50)} " + "lorem " * 15


def folder(path, **texts):
    path.mkdir()
    for name, lines in texts.items():
        (path / f"{name.replace('_', '-')}.txt").write_text("\n".join(lines) + "\n")
    return path


def sentences(found: pl.DataFrame) -> dict[str, dict[str, float]]:
    rows = found.filter(pl.col("length") == "sentence").iter_rows(named=True)
    return {row["language"]: row for row in rows}


def test_a_threshold_lies_between_the_language_and_the_others(tmp_path, guess):
    place = folder(tmp_path / "texts", swa=[line("sw", 0.8)] * 80, zul=[line("sw", 0.4)] * 80)
    found = sentences(calibrate(place, [guess]))
    assert 0.4 < found["swh_Latn"]["min_score"] < 0.8
    assert found["swh_Latn"]["false_rejects"] == found["swh_Latn"]["false_accepts"] == 0
    assert found["swh_Latn"]["texts"] >= 40  # some cuts are as long


def test_where_they_are_not_apart_the_stated_share_is_turned_away(tmp_path, guess):
    own = [line("sw", 0.3 + 0.01 * (n // 2 % 50)) for n in range(400)]  # 0.30 to 0.79 in both halves
    place = folder(tmp_path / "texts", swa=own, zul=[line("sw", 0.76)] * 80)
    few = sentences(calibrate(place, [guess], false_reject=0.1))["swh_Latn"]
    many = sentences(calibrate(place, [guess], false_reject=0.4))["swh_Latn"]
    assert few["min_score"] == pytest.approx(0.34, abs=0.021)
    assert few["false_rejects"] == pytest.approx(0.1, abs=0.03)
    assert many["false_rejects"] == pytest.approx(0.4, abs=0.03)
    assert few["false_accepts"] == many["false_accepts"] == 1


def test_english_is_kept_out_whatever_it_costs(tmp_path, guess):
    place = folder(
        tmp_path / "texts", swa=[line("sw", 0.36)] * 80, eng=[line("en", 0.7)] * 79 + [line("sw", 0.3)]
    )
    kept_in = sentences(calibrate(place, [guess]))["swh_Latn"]
    assert kept_in["min_score"] < 0.36  # that English text is one to check with
    assert kept_in["false_accepts"] > 0
    (place / "eng.txt").write_text("\n".join([line("sw", 0.3), *[line("en", 0.7)] * 79]))
    kept_out = sentences(calibrate(place, [guess]))["swh_Latn"]
    assert kept_out["min_score"] == pytest.approx(0.45, abs=0.01)
    assert kept_out["false_rejects"] == 1


def test_a_language_of_the_group_is_no_other(tmp_path, guess):
    place = folder(
        tmp_path / "texts", xho=[line("xh", 0.8)] * 80, zul=[line("xh", 0.5), line("zu", 0.9)] * 60
    )
    found = sentences(calibrate(place, [guess]))
    assert found["xho_Latn"]["false_accepts"] == found["zul_Latn"]["false_accepts"] == 0
    assert found["zul_Latn"]["false_rejects"] == 0  # its group's label counts


def test_texts_are_cut_and_joined_to_every_length(tmp_path, guess):
    lines = [line("sw", 0.8) for _ in range(160)]
    place = folder(tmp_path / "texts", swa=lines)
    found = calibrate(place, [guess])
    assert found["length"].to_list() == ["phrase", "short", "sentence", "paragraph"]
    assert found["min_score"].is_between(LOWEST, HIGHEST).all()
    seen = {len(text) // 10 for text in sys.modules["reading"].SEEN}
    assert {2, 4, 5} <= seen
    assert max(seen) > 30


def test_too_few_texts_give_no_threshold(tmp_path, guess):
    place = folder(tmp_path / "texts", swa=[line("sw", 0.8)] * 24)
    assert calibrate(place, [guess]).is_empty()


def test_a_language_that_the_detector_does_not_know_has_no_row(tmp_path, guess):
    place = folder(tmp_path / "texts", swa=[line("sw", 0.8)] * 80, fra=[line("en", 0.8)] * 80)
    assert set(calibrate(place, [guess])["language"]) == {"swh_Latn"}


def test_names_of_files_may_be_any_form_of_a_language(tmp_path, guess):
    texts = [line("en", 0.8)] * 40
    place = folder(tmp_path / "texts", eng=texts, eng_GB=texts, en_IN=texts, srp_Latn=texts, zho_TW=texts)
    found = sentences(calibrate(place, [guess]))
    assert found["eng_Latn"]["texts"] >= 60


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_rows_with_text_and_language_will_do(tmp_path, guess, suffix):
    own, other = [line("sw", 0.8)] * 80, [line("zu", 0.9)] * 80
    rows = pl.DataFrame({"text": own + other, "language": ["sw"] * 80 + ["Zulu"] * 80})
    place = tmp_path / f"texts{suffix}"
    write = {".jsonl": rows.write_ndjson, ".csv": rows.write_csv, ".parquet": rows.write_parquet}
    write[suffix](place)
    plain = folder(tmp_path / "plain", swa=own, zul=other)
    assert calibrate(place, [guess]).equals(calibrate(plain, [guess]))


def test_the_table_is_written_as_the_filter_reads_it(tmp_path, guess, monkeypatch):
    from glotmill.filters.detectors import _thresholds

    place = folder(tmp_path / "texts", swa=[line("sw", 0.8)] * 80, zul=[line("sw", 0.4)] * 80)
    found = sentences(calibrate(place, [guess], out=tmp_path / "thresholds.csv"))["swh_Latn"]
    monkeypatch.setattr(_thresholds, "TABLE", tmp_path / "thresholds.csv")
    _thresholds._table.cache_clear()
    try:
        assert _thresholds.threshold(guess, "swh_Latn", 100) == pytest.approx(found["min_score"], abs=1e-3)
        assert _thresholds.threshold(guess, "fra_Latn", 100) == _thresholds.DEFAULT
    finally:
        _thresholds._table.cache_clear()


def test_what_cannot_be_read_is_an_error_that_says_so(tmp_path, guess):
    for name, told in (
        ("none", "no such file"),
        ("text.csv", "no column 'text'"),
        ("bad.jsonl", "bad.jsonl:1: not JSON"),
    ):
        if name != "none":
            (tmp_path / name).write_text("no rows at all")
        with pytest.raises(UsageError, match=told):
            calibrate(tmp_path / name, [guess])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"empty: holds no rows"):
        calibrate(tmp_path / "empty", [guess])
    with pytest.raises(UsageError, match=r"nonsense\.txt: .*not known"):
        calibrate(folder(tmp_path / "texts", nonsense=["text"]), [guess])
    with pytest.raises(UsageError, match="give a share such as"):
        calibrate(tmp_path, [guess], false_reject=5)
    with pytest.raises(RecipeError, match="no detector named 'nothing'"):
        calibrate(folder(tmp_path / "more", swa=[line("sw", 0.8)] * 80), ["nothing"])
