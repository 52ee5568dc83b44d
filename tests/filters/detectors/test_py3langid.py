import random
from itertools import pairwise

import numpy as np
import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from glotmill.filters.detectors import py3langid as ours
from glotmill.filters.detectors.py3langid import py3langid

LINES = """
The old lighthouse has not been lit since the harbour moved to the other side of the bay.
EVERYTHING IS SHOUTED IN THIS LINE, AND NOBODY KNOWS WHY.
L'ancien phare n'est plus allumé depuis que le port a été déplacé de l'autre côté de la baie.
El viejo faro no se enciende desde que el puerto se trasladó al otro lado de la bahía.
Der alte Leuchtturm wird nicht mehr angezündet, seit der Hafen auf der anderen Seite der Bucht liegt.
Stara latarnia morska nie świeci, odkąd port przeniesiono na drugą stronę zatoki.
Eski deniz feneri, liman körfezin öbür yanına taşındığından beri yanmıyor.
Mnara wa zamani wa taa haujawashwa tangu bandari ihamishiwe upande wa pili wa ghuba.
Ngọn hải đăng cũ không còn sáng từ khi cảng được dời sang phía bên kia của vịnh.
Старый маяк не зажигали с тех пор, как порт перенесли на другую сторону залива.
Старий маяк не світив відтоді, як порт перенесли на інший бік затоки.
Ο παλιός φάρος δεν έχει ανάψει από τότε που το λιμάνι μεταφέρθηκε στην άλλη πλευρά του κόλπου.
لم تضأ المنارة القديمة منذ أن انتقل الميناء إلى الجانب الآخر من الخليج.
فانوس دریایی قدیمی از وقتی بندر به آن سوی خلیج رفته دیگر روشن نشده است.
המגדלור הישן לא הודלק מאז שהנמל עבר לצד השני של המפרץ.
पुराना प्रकाशस्तंभ तब से नहीं जला जब से बंदरगाह खाड़ी के दूसरी ओर चला गया।
বন্দরটি উপসাগরের অন্য পাশে সরে যাওয়ার পর থেকে পুরোনো বাতিঘরটি আর জ্বলেনি।
துறைமுகம் விரிகுடாவின் மறுபக்கத்திற்கு மாறியதிலிருந்து பழைய கலங்கரை விளக்கம் எரியவில்லை.
ประภาคารเก่าไม่ได้จุดไฟอีกเลยตั้งแต่ท่าเรือย้ายไปอีกฝั่งของอ่าว
自从港口搬到海湾的另一边，旧灯塔就再也没有亮过。
自從港口搬到海灣的另一邊，舊燈塔就再也沒有亮過。
港が湾の反対側に移ってから、古い灯台には明かりがともっていない。
항구가 만 건너편으로 옮겨 간 뒤로 낡은 등대에는 불이 켜지지 않았다.
ወደቡ ወደ ሌላኛው የባሕረ ሰላጤ ወገን ከተዛወረ ጀምሮ አሮጌው ፋና አልበራም።
""".strip().split("\n")
MORE = [*LINES, *(line[:12] for line in LINES), *(f"{a} {b}" for a, b in pairwise(LINES))]
MORE += [
    "a",
    "é",
    "ok then",
    "e\u0301te\u0301 ".upper(),
    "half \ud83d a pair",
    "x" * 200,
    " ".join(LINES) * 5,
]


@pytest.fixture(scope="module")
def theirs() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def test_every_text_has_the_label_and_the_probabilities_that_the_package_gives(theirs):
    labels, found = py3langid(MORE)
    for text, row in zip(MORE, found, strict=True):
        ranked = dict(theirs.rank(text))
        if not row.any():  # no pattern of the model: the package gives all languages alike
            assert len(set(ranked.values())) <= 2
            continue
        assert labels[row.argmax()] == theirs.classify(text)[0], text
        assert np.allclose(row, [ranked[label] for label in labels], atol=1e-4), text


def test_the_tables_are_used_with_the_pinned_version():
    assert ours._model()[2] is not None


def test_a_text_is_not_cut_where_a_lane_ends(theirs):
    letters = random.Random(5)
    texts = ["".join(letters.choices("абвгд жзиклмнопр", k=size)) for size in range(1, 400, 7)]
    labels, found = py3langid(texts)
    for text, row in zip(texts, found, strict=True):
        ranked = dict(theirs.rank(text))
        assert np.allclose(row, [ranked[label] for label in labels], atol=1e-4) or not row.any()


def test_batches_join_without_a_seam():
    texts = LINES * 300  # more than one batch
    found = py3langid(texts).probabilities
    assert sum(len(text.encode()) for text in texts) > 2 * ours._BATCH
    assert np.array_equal(found, np.tile(py3langid(LINES).probabilities, (300, 1)))


@pytest.mark.parametrize("change", ["gone", "other", "automaton"])
def test_another_model_inside_falls_back_to_the_package(monkeypatch, change):
    from py3langid import langid

    real = langid.LanguageIdentifier

    class Changed:
        def __init__(self, inner):
            self.inner = inner

        def __getattr__(self, name):
            value = getattr(self.inner, name)
            if change == "gone" and name == "tk_row":
                raise AttributeError(name)
            if change == "other" and name == "nb_ptc":
                return value[::-1]
            if change == "automaton" and name == "tk_nextmove":
                return np.ones(len(value), np.uint32)
            return value

        @classmethod
        def from_model_file(cls, *args, **options):
            return cls(real.from_model_file(*args, **options))

    monkeypatch.setattr(langid, "LanguageIdentifier", Changed)
    ours._model.cache_clear()
    try:
        assert ours._model()[2] is None
        labels, found = py3langid(["", "123", *LINES[:3]])
    finally:
        ours._model.cache_clear()
    assert not found[0].any()
    assert [labels[number] for number in found[2:].argmax(axis=1)] == ["en", "en", "fr"]
