from pathlib import Path

import pytest

from glotmill import languages
from glotmill.errors import RecipeError
from glotmill.filters.detectors import _thresholds, labels_of, version
from glotmill.filters.detectors._thresholds import DEFAULT, HIGHEST, LOWEST, clamped, length, threshold

HEADER = "detector,version,language,length,min_score,false_rejects,false_accepts,texts\n"


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Write rows as the table of thresholds."""

    def write(*rows: str) -> None:
        (tmp_path / "thresholds.csv").write_text(HEADER + "".join(f"{row},0.0,0.0,100\n" for row in rows))
        _thresholds._table.cache_clear()

    monkeypatch.setattr(_thresholds, "TABLE", tmp_path / "thresholds.csv")
    _thresholds._table.cache_clear()
    yield write
    _thresholds._table.cache_clear()


def test_a_threshold_is_that_of_the_language_and_the_length(table):
    here = version("py3langid")
    table(
        f"py3langid,{here},swh_Latn,phrase,0.31",
        f"py3langid,{here},swh_Latn,short,0.32",
        f"py3langid,{here},swh_Latn,sentence,0.33",
        f"py3langid,{here},swh_Latn,paragraph,0.34",
        f"py3langid,{here},fra_Latn,sentence,0.5",
    )
    found = [threshold("py3langid", "swh_Latn", letters) for letters in (0, 29, 30, 59, 60, 299, 300, 9_999)]
    assert found == [0.31, 0.31, 0.32, 0.32, 0.33, 0.33, 0.34, 0.34]
    assert threshold("py3langid", "fra_Latn", 100) == 0.5


def test_another_version_language_length_or_detector_has_the_usual_one(table):
    table(f"py3langid,{version('py3langid')},swh_Latn,sentence,0.7", "pycld2,0.1,swh_Latn,sentence,0.7")
    assert threshold("py3langid", "swh_Latn", 100) == 0.7
    assert threshold("py3langid", "swh_Latn", 20) == DEFAULT
    assert threshold("py3langid", "fra_Latn", 100) == DEFAULT
    assert threshold("pycld2", "swh_Latn", 100) == DEFAULT
    assert threshold("mine:detect", "swh_Latn", 100) == DEFAULT
    assert threshold("fasttext:/no/such/model", "swh_Latn", 100) == DEFAULT


def test_without_a_table_all_have_the_usual_one(table):
    assert threshold("py3langid", "swh_Latn", 100) == DEFAULT


def test_a_model_counts_by_its_contents_wherever_it_lies(table, monkeypatch):
    monkeypatch.setattr(_thresholds, "_version", lambda detector: "0123456789ab")
    table("fasttext,0123456789ab,swh_Latn,sentence,0.6")
    assert threshold("fasttext:/somewhere/lid.bin", "swh_Latn", 100) == 0.6


@pytest.mark.parametrize(("told", "taken"), [(0.0, LOWEST), (0.05, LOWEST), (0.4, 0.4), (1.0, HIGHEST)])
def test_no_threshold_lets_all_through_or_asks_for_certainty(table, told, taken):
    table(f"py3langid,{version('py3langid')},swh_Latn,sentence,{told}")
    assert threshold("py3langid", "swh_Latn", 100) == clamped(told) == taken


def test_lengths_are_in_letters():
    assert [length(letters) for letters in (0, 29, 30, 60, 300)] == [
        "phrase",
        "phrase",
        "short",
        "sentence",
        "paragraph",
    ]


def test_the_table_that_ships_fits_the_languages_and_the_default_detectors():
    rows = _thresholds._table("")
    assert {tag for _, _, tag, _ in rows} <= {language.tag for language in languages.table()}
    assert all(LOWEST <= score <= HIGHEST for score in rows.values())
    for detector in ("py3langid", "pycld2"):
        ours = {tag for name, of, tag, _ in rows if (name, of) == (detector, version(detector))}
        assert len(ours) > 100
        assert all(labels_of(detector, tag) for tag in ours)
    assert Path(_thresholds.TABLE).is_file()


def test_a_table_of_ones_own_takes_the_place_of_that_which_ships(tmp_path):
    own = tmp_path / "own.csv"
    own.write_text(
        f"detector,version,language,length,min_score\npy3langid,{version('py3langid')},swh_Latn,sentence,0.77\n"
    )
    assert threshold("py3langid", "swh_Latn", 100, str(own)) == 0.77
    assert threshold("py3langid", "fra_Latn", 100, str(own)) == DEFAULT
    with pytest.raises(RecipeError, match=r"no file .*none\.csv; `glotmill calibrate -o"):
        threshold("py3langid", "swh_Latn", 100, str(tmp_path / "none.csv"))
    own.write_text("not,a,table\n1,2,3\n")
    _thresholds._table.cache_clear()
    with pytest.raises(RecipeError, match=r"own\.csv is not a table of thresholds"):
        threshold("py3langid", "swh_Latn", 100, str(own))
