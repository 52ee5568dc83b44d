"""The table of languages, what `find` takes and refuses, and what a refusal says."""

import pickle
import re
import subprocess
import sys
import unicodedata
from dataclasses import fields

import pytest

from glotmill.errors import RecipeError
from glotmill.languages import Language, confusable, find, table

NINE = [
    ("eng_Latn", "English", "English", "en", "ltr"),
    ("spa_Latn", "Spanish", "español", "es", "ltr"),
    ("fra_Latn", "French", "français", "fr", "ltr"),
    ("deu_Latn", "German", "Deutsch", "de", "ltr"),
    ("rus_Cyrl", "Russian", "русский", "ru", "ltr"),
    ("arb_Arab", "Arabic", "العربية", "ar", "rtl"),
    ("hin_Deva", "Hindi", "हिन्दी", "hi", "ltr"),
    ("zho_Hans", "Simplified Chinese", "简体中文", "zh", "ltr"),
    ("swh_Latn", "Swahili", "Kiswahili", "sw", "ltr"),
]
FORMS = """
swh_Latn: sw swa swh SWH_LATN sw-KE sw_Latn swa_Latn swahili KISWAHILI
arb_Arab: ar ara arb ar-EG العربية
zho_Hans: zh zho chi cmn cmn_Hani zho_Hani zh-CN zh_cn zh-Hans zho_Hans cmn_Hans Chinese 中文 简体中文
zho_Hant: zh-TW zh_TW zh-HK zho_TW zh-Hant zh-Hant-HK cmn_Hant 繁體中文
srp_Cyrl: sr srp Serbian sr-RS српски
srp_Latn: sr-Latn sr_Latn_RS sr-ME srpski
nob_Latn: no nor nb NO Norwegian Bokmål bokmal
nno_Latn: nn nno Nynorsk
pes_Arab: fa fas per Persian Farsi fa-IR
prs_Arab: prs fa-AF Dari
zsm_Latn: ms msa may Malay
lvs_Latn: lv lav lvs
uzn_Latn: uz uzb uzn uz-UZ O'zbek O’zbek Oʻzbek
uzs_Arab: uz-AF
khk_Cyrl: mn mon
npi_Deva: ne nep
ory_Orya: or ori Oriya
est_Latn: et est ekk ekk_Latn
azj_Latn: az aze
azb_Arab: azb az-IR
als_Latn: sq sqi alb
kmr_Latn: ku kur Kurmanji
pbt_Arab: ps pus پښتو
plt_Latn: mg mlg
ydd_Hebr: yi yid
fil_Latn: tl tgl fil Tagalog
heb_Hebr: he iw עברית
pan_Guru: pa ਪੰਜਾਬੀ
pnb_Arab: pa-PK
snd_Deva: sd-IN
kor_Hang: ko kor_Kore 한국어
jpn_Jpan: ja 日本語
tha_Thai: th ไทย
kat_Geor: ka ქართული
hye_Armn: hy հայերեն
ell_Grek: el Ελληνικά ΕΛΛΗΝΙΚΆ
amh_Ethi: am አማርኛ
tam_Taml: ta தமிழ்
ben_Beng: bn Bangla Bengali বাংলা
spa_Latn: es es-419 es_MX español ESPAÑOL
eng_Latn: en en-US en_Latn_GB
fra_Latn: fr fre fra
"""


@pytest.mark.parametrize(("tag", "name", "endonym", "bcp47", "direction"), NINE)
def test_a_row_says_what_a_template_and_a_card_need(
    tag: str, name: str, endonym: str, bcp47: str, direction: str
) -> None:
    language = find(tag)
    got = (language.tag, language.name, language.endonym, language.bcp47, language.direction)
    assert got == (tag, name, endonym, bcp47, direction)
    assert str(language) == name


@pytest.mark.parametrize(
    ("form", "tag"),
    [
        (form, tag)
        for line in FORMS.strip().splitlines()
        for tag, _, forms in [line.partition(":")]
        for form in forms.split()
    ],
)
def test_find_takes_every_usual_form(form: str, tag: str) -> None:
    assert find(form).tag == tag


@pytest.mark.parametrize(
    ("form", "tag"),
    [
        ("Norwegian Bokmål", "nob_Latn"),
        ("  traditional   chinese\n", "zho_Hant"),
        ("Chinese (Traditional)", "zho_Hant"),
        ("serbian (latin)", "srp_Latn"),
        ("Modern Standard Arabic", "arb_Arab"),
        ("Northern Kurdish", "kmr_Latn"),
        (unicodedata.normalize("NFD", "Tiếng Việt"), "vie_Latn"),
    ],
)
def test_find_takes_names_of_several_words(form: str, tag: str) -> None:
    assert find(form).tag == tag


@pytest.mark.parametrize("language", table(), ids=lambda language: language.tag)
def test_every_row_is_found_by_all_it_says(language: Language) -> None:
    usual = next(row for row in table() if row.iso639_3 == language.iso639_3)  # of two scripts
    assert find(language.tag) is language
    assert find(language.bcp47) is language
    assert find(language.name) is language
    assert find(language.iso639_3) is usual
    assert find(language.iso639_1 or language.tag) in (usual, language)
    if language.tag != "nde_Latn":  # both Ndebele call themselves isiNdebele
        assert find(language.endonym) is language


def test_two_languages_with_one_endonym_mean_the_first() -> None:
    assert find("isiNdebele").tag == "nbl_Latn"


def test_the_table_is_large_and_each_row_is_whole() -> None:
    rows = table()
    assert len(rows) >= 220
    assert len({row.script for row in rows}) >= 28
    assert (
        len({row.tag for row in rows})
        == len({row.name for row in rows})
        == len({row.bcp47 for row in rows})
        == len(rows)
    )
    for row in rows:
        assert re.fullmatch(r"[a-z]{3}_[A-Z][a-z]{3}", row.tag)
        assert row.tag == f"{row.iso639_3}_{row.script}"
        assert re.fullmatch(r"[a-z]{2,3}(-[A-Z][a-z]{3})?", row.bcp47)
        assert re.fullmatch(r"([a-z]{2})?", row.iso639_1)
        assert all(text == text.strip() and text for text in (row.name, row.endonym))


def test_right_to_left_is_what_the_letters_of_an_endonym_say() -> None:
    scripts = {row.script for row in table() if row.direction == "rtl"}
    assert scripts == {"Arab", "Hebr", "Nkoo", "Thaa"}
    for row in table():
        if row.endonym != row.name:  # an endonym of its own is in its own script
            right = unicodedata.bidirectional(row.endonym[0]) in ("R", "AL")
            assert (row.direction == "rtl") == right, row.tag


@pytest.mark.parametrize(
    ("tag", "codes"),
    [
        ("swh_Latn", {"langdetect": "sw", "py3langid": "sw", "lingua": "sw", "fasttext": "sw", "cld3": "sw"}),
        ("zho_Hans", {"langdetect": "zh-cn", "pycld2": "zh", "lingua": "zh"}),
        ("zho_Hant", {"langdetect": "zh-tw", "pycld2": "zh-Hant", "py3langid": "zh"}),
        ("heb_Hebr", {"langdetect": "he", "pycld2": "iw", "cld3": "iw"}),
        ("jav_Latn", {"langdetect": "", "pycld2": "jw", "py3langid": "jv"}),
        ("nob_Latn", {"langdetect": "no", "lingua": "nb", "fasttext": "no"}),
        ("nno_Latn", {"langdetect": "", "lingua": "nn", "cld3": ""}),
        ("fil_Latn", {"langdetect": "tl", "cld3": "fil"}),
        ("gsw_Latn", {"fasttext": "als"}),  # Wikipedia's Alemannic, not ISO's Tosk Albanian
        ("als_Latn", {"fasttext": "sq"}),
        ("grn_Latn", {"py3langid": "gug", "pycld2": "gn"}),
        ("srp_Latn", {"langdetect": "", "lingua": "", "py3langid": "sr"}),
        ("yor_Latn", {"langdetect": "", "lingua": "yo"}),
        ("hau_Latn", {"fasttext": "", "py3langid": "ha"}),
        ("kas_Deva", {"pycld2": "", "langdetect": ""}),
    ],
)
def test_each_detector_has_its_own_code_and_an_empty_one_for_what_it_does_not_know(
    tag: str, codes: dict[str, str]
) -> None:
    detectors = find(tag).detectors
    assert {detector: detectors[detector] for detector in codes} == codes


def test_every_label_of_langdetect_belongs_to_a_language() -> None:
    from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory

    factory = DetectorFactory()
    factory.load_profile(PROFILES_DIRECTORY)
    labels = factory.get_lang_list()
    assert len(labels) == 55
    assert sorted(labels) == sorted(filter(None, (row.detectors["langdetect"] for row in table())))


def test_confusable_languages_come_in_groups() -> None:
    assert confusable("hrv_Latn") == confusable("bs") == {"bos_Latn", "hrv_Latn", "srp_Latn"}
    assert confusable("ind_Latn") == {"ind_Latn", "zsm_Latn"}
    assert confusable("no") == {"nob_Latn", "nno_Latn"}
    assert confusable("prs_Arab") == {"pes_Arab", "prs_Arab"}
    assert {"zho_Hans", "zho_Hant", "yue_Hant"} <= confusable("zho_Hant")
    assert confusable("zul_Latn") == {"zul_Latn", "xho_Latn", "nde_Latn"}
    assert confusable("srp_Cyrl") == {"srp_Cyrl"}
    assert confusable("swh_Latn") == {"swh_Latn"}
    with pytest.raises(RecipeError, match="not known"):
        confusable("qqq")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (False, ["a bare no as false", "Norwegian", "nob_Latn"]),
        (True, ["bool"]),
        (7, ["int"]),
        (None, ["NoneType"]),
        (["sw"], ["list"]),
        ("", ["empty"]),
        (" \n", ["empty"]),
        ("Swahilli", ["'Swahilli' is not known", "did you mean", "swh_Latn (Swahili)"]),
        ("Portugese", ["did you mean", "por_Latn (Portuguese)"]),
        ("sw-Arab", ["'sw-Arab'", "there is swh_Latn"]),
        ("sr_Grek", ["there is srp_Cyrl, srp_Latn"]),
        ("kk-CN", ["there is kaz_Cyrl"]),  # written in Arabic letters there
        ("en-US-POSIX", ["there is eng_Latn"]),
        ("!!", ["write a tag, code or name"]),
        ("\x1b[31m\ud800", [r"'\x1b[31m\ud800'"]),
    ],
)
def test_what_is_no_language_is_refused_with_what_to_write(given: object, words: list[str]) -> None:
    with pytest.raises(RecipeError) as caught:
        find(given)
    for word in words:
        assert word in str(caught.value)


def test_a_very_long_text_is_refused_unread_and_not_repeated() -> None:
    with pytest.raises(RecipeError, match="10,000,000 characters") as caught:
        find("x" * 10_000_000)
    assert len(str(caught.value)) < 200
    with pytest.raises(RecipeError, match="101 characters"):
        find("x" * 101)


def test_a_language_is_a_value() -> None:
    language = find("swh_Latn")
    assert pickle.loads(pickle.dumps(language)) == language
    assert len({language, find("sw")}) == 1
    with pytest.raises(AttributeError):
        language.tag = "eng_Latn"  # type: ignore[misc]
    assert [f.name for f in fields(language)][:2] == ["tag", "name"]


def test_the_table_needs_nothing_heavy() -> None:
    heavy = "polars langdetect babel langcodes yaml difflib"
    code = (
        "import sys; from glotmill.languages import find; find('sw'); "
        f"print([name for name in {heavy.split()} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
