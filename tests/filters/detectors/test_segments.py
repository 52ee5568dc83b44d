import numpy as np
import pytest
from sentences import HOSTILE, HUMAN

from glotmill.filters.detectors._segments import cut

PAIRS = {
    "lat": ("The baker opens his shop before sunrise.", "The whole street smells of fresh bread."),
    "ask": ("Would you like some bread with your soup?!", "Thank you, I would like that very much…"),
    "quote": ("“The baker opens his shop before sunrise.”", "(The whole street smells of fresh bread.)"),
    "zho": ("面包师在日出之前就打开店门。", "整条街都弥漫着新鲜面包的香味！"),
    "jpn": ("「パン屋さんは日の出前に店を開けます。」", "通りにパンの香りが広がります。"),
    "hin": ("बेकरी वाला सूरज निकलने से पहले अपनी दुकान खोलता है।", "मेरी दादी कहती हैं कि यहाँ कोई देर से नहीं आया।"),
    "urd": (
        "نان بائی سورج نکلنے سے پہلے اپنی دکان کھولتا ہے۔",
        "پوری گلی تازہ روٹی کی خوشبو سے مہک اٹھتی ہے۔",
    ),
    "arb": ("هل يفتح الخباز دكانه قبل شروق الشمس كل يوم؟", "تقول جدتي إن أحدا في هذه المدينة لم يتأخر."),
    "amh": ("ዳቦ ጋጋሪው ፀሐይ ከመውጣቷ በፊት ሱቁን ይከፍታል ሁሌም።", "መንገዱ ሁሉ ትኩስ ዳቦ ይሸታል ጠዋት ጠዋት በሙሉ።"),
    "mya": ("မုန့်ဖုတ်သမားသည် နေမထွက်မီ ဆိုင်ဖွင့်သည်။", "လမ်းတစ်ခုလုံး မုန့်နံ့မွှေးသည်။"),
    "hye": ("Հացթուխը բացում է իր խանութը արևածագից առաջ։", "Ամբողջ փողոցը թարմ հացի հոտով է լցվում։"),
    "tha": ("คนทำขนมปังเปิดร้านก่อนพระอาทิตย์ขึ้นทุกวัน", "ทั้งถนนก็หอมกลิ่นขนมปังอบใหม่ทุกเช้า"),
}


def pieces(*texts, rows=None):
    found = cut(texts, np.array(rows if rows is not None else range(len(texts)), np.intp))
    return [piece.strip() for piece in found.pieces]


@pytest.mark.parametrize("two", PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("between", [" ", "\n", "\n\n  "], ids=["space", "line", "lines"])
def test_sentences_are_cut_apart_in_every_script(two, between):
    found = pieces(between.join(two))
    assert len(found) == 2
    for piece, sentence in zip(found, two, strict=True):
        core = sentence.strip("“”()「」")
        assert core[:-1] in piece


def test_scripts_with_full_stops_need_no_space():
    assert len(pieces("".join(PAIRS["zho"]))) == 2
    assert len(pieces("".join(PAIRS["hin"]))) == 2
    assert len(pieces("".join(PAIRS["lat"]))) == 1, "e.g. a.b is no end of a sentence"


def test_short_sentences_are_put_together():
    assert pieces("Yes. No. Yes, sir. Of course not.") == ["Yes. No. Yes, sir. Of course not."]
    assert pieces("Oui.\n" + PAIRS["lat"][0] + " Non.") == ["Oui.\n" + PAIRS["lat"][0], "Non."]
    assert len(pieces("好。是的。好吧，我现在知道了。谢谢你们大家来到这里。")) == 2


def test_a_run_of_latin_among_another_script_is_cut_out_and_a_name_is_not():
    english = "I really do not know what you are talking about"
    assert pieces(f"{HUMAN['rus_Cyrl'][:50]} {english} {HUMAN['rus_Cyrl'][:50]}")[1] == english
    assert len(pieces("Он работает в компании Google и часто летает в Нью-Йорк")) == 1


def test_items_of_a_row_share_a_piece_only_if_short():
    assert pieces("Да", "Нет", "Может быть, я не знаю", "Да", rows=[0, 0, 0, 0]) == [
        "Да\nНет\nМожет быть, я не знаю",
        "Да",
    ]
    assert pieces("Да", "Нет", rows=[0, 1]) == ["Да", "Нет"]


def test_letters_are_counted_and_what_has_none_is_no_piece():
    found = cut(["12 + 3 = 15", "", "abc, déf!", "字"], np.arange(4))
    assert found.pieces == ["abc, déf!", "字"]
    assert found.text.tolist() == [2, 3]
    assert found.letters.tolist() == [6, 1]
    assert found.scripts.sum(axis=1).tolist() == [6, 3]
    assert pieces() == pieces("", "") == []


def test_no_letter_is_lost_or_said_twice():
    texts = [*HUMAN.values(), *HOSTILE]
    found = cut(texts, np.arange(len(texts)))
    for number, text in enumerate(texts):
        joined = "".join(
            piece for piece, of in zip(found.pieces, found.text.tolist(), strict=True) if of == number
        )
        assert [c for c in joined if c.isalpha()] == [c for c in text if c.isalpha()]


def test_a_piece_is_the_same_whatever_text_comes_next():
    alone = pieces("Oui, bien sûr")
    assert cut(["Oui, bien sûr", "“« Non »”"], np.arange(2)).pieces[0] == alone[0]


def test_a_thai_piece_does_not_end_before_a_name_in_latin_letters():
    thai = PAIRS["tha"][0]
    assert pieces(f"{thai} Brett Kavanaugh") == [f"{thai} Brett Kavanaugh"]
    assert len(pieces(f"{thai} {thai}")) == 2
