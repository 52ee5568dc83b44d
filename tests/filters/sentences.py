# ruff: noqa: E501 (a sentence stands on its line)
"""Texts by people in many languages and scripts, written for these tests, and helpers to filter them."""

from typing import Any

import polars as pl

HUMAN = {
    "eng_Latn": "The baker opens his shop before sunrise, and the whole street smells of fresh bread. "
    "My grandmother says that nobody in this town has ever been late for breakfast.",
    "spa_Latn": "El panadero abre su tienda antes del amanecer y toda la calle huele a pan recién hecho. "
    "Mi abuela dice que en este pueblo nadie ha llegado nunca tarde al desayuno.",
    "fra_Latn": "Le boulanger ouvre sa boutique avant le lever du soleil et toute la rue sent le pain chaud. "
    "Ma grand-mère dit que personne ici n'est jamais arrivé en retard au petit déjeuner.",
    "deu_Latn": "Der Bäcker öffnet seinen Laden vor Sonnenaufgang, und die ganze Straße riecht nach Brot. "
    "Meine Großmutter sagt, dass in dieser Stadt noch nie jemand zu spät gekommen ist.",
    "swh_Latn": "Mwokaji hufungua duka lake kabla ya jua kuchomoza, na mtaa mzima hunukia mkate mpya. "
    "Bibi yangu anasema kwamba hakuna mtu katika mji huu aliyewahi kuchelewa kifungua kinywa.",
    "tur_Latn": "Fırıncı dükkânını gün doğmadan açar ve bütün sokak taze ekmek kokar. "
    "Büyükannem bu kasabada hiç kimsenin kahvaltıya geç kalmadığını söylüyor.",
    "vie_Latn": "Người thợ làm bánh mở cửa hàng trước khi mặt trời mọc, và cả con phố thơm mùi bánh mì. "
    "Bà tôi nói rằng ở thị trấn này chưa có ai đến bữa sáng muộn bao giờ.",
    "rus_Cyrl": "Пекарь открывает лавку до рассвета, и вся улица пахнет свежим хлебом. "
    "Моя бабушка говорит, что в этом городе ещё никто не опаздывал к завтраку.",
    "ell_Grek": "Ο φούρναρης ανοίγει το μαγαζί του πριν βγει ο ήλιος και όλος ο δρόμος μυρίζει ψωμί. "
    "Η γιαγιά μου λέει ότι κανείς σε αυτή την πόλη δεν άργησε ποτέ στο πρωινό.",
    "arb_Arab": "يفتح الخباز دكانه قبل شروق الشمس فتمتلئ الحارة كلها برائحة الخبز الطازج. "
    "تقول جدتي إن أحدا في هذه المدينة لم يتأخر يوما عن موعد الفطور.",
    "heb_Hebr": "האופה פותח את החנות לפני הזריחה, וכל הרחוב מתמלא בריח של לחם טרי. "
    "סבתא שלי אומרת שאף אחד בעיר הזאת לא איחר מעולם לארוחת הבוקר.",
    "hin_Deva": "बेकरी वाला सूरज निकलने से पहले अपनी दुकान खोलता है और पूरी गली में ताज़ी रोटी की महक फैल जाती है। "
    "मेरी दादी कहती हैं कि इस शहर में कोई कभी नाश्ते पर देर से नहीं आया।",
    "ben_Beng": "রুটিওয়ালা সূর্য ওঠার আগেই দোকান খোলে, আর পুরো রাস্তা গরম রুটির গন্ধে ভরে যায়। "
    "আমার দাদি বলেন, এই শহরে কেউ কখনো সকালের নাস্তায় দেরি করে আসেনি।",
    "tha_Thai": "คนทำขนมปังเปิดร้านก่อนพระอาทิตย์ขึ้น และทั้งถนนก็หอมกลิ่นขนมปังอบใหม่ "
    "คุณยายบอกว่าไม่เคยมีใครในเมืองนี้มากินอาหารเช้าสายเลย",
    "zho_Hans": "面包师在日出之前就打开店门，整条街都弥漫着新鲜面包的香味。我奶奶说，这个小镇上从来没有人吃早饭迟到过。",
    "zho_Hant": "麵包師傅在日出之前就打開店門，整條街都瀰漫著新鮮麵包的香味。我奶奶說，這個小鎮上從來沒有人吃早飯遲到過。",
    "jpn_Jpan": "パン屋さんは日の出前に店を開け、通り全体に焼きたてのパンの香りが広がります。"
    "祖母は、この町で朝ごはんに遅れた人は一人もいないと言います。",
    "kor_Hang": "빵집 주인은 해가 뜨기 전에 가게 문을 열고, 온 거리에 갓 구운 빵 냄새가 퍼집니다. "
    "할머니는 이 마을에서 아침 식사에 늦은 사람이 한 명도 없었다고 하십니다.",
}  # fmt: skip
HOSTILE = [
    "",
    " ",
    "\x00",
    "\x00\x07\x1b[31m",
    "\ufeff\u200b\u200d\u202e",
    "a" * 100_000,
    "字" * 30_000,
    "9" * 100_000,
    "1," * 50_000,
    "\ufdfa" * 16_000,
    "\n" * 100_000,
    "\t\n" * 50_000,
    "=\n" * 50_000,
    "(" * 10_000 + "1" + ")" * 10_000 + " = 1",
    "= " * 10_000,
    "1+1=" * 5_000,
    "`" * 20_000,
    "$\\" * 10_000,
    "<" * 20_000,
    "a\u0301" * 10_000,
    "😀" * 10_000,
    "\U0010ffff\uffff\ue000",
    "#### " * 5_000,
    "no sorry as an ai " * 2_000,
]


def reasons(verdict: pl.Expr, texts: Any, **columns: Any) -> list[Any]:
    """Return the reason that a filter of the column `text` gives for each row; None: kept."""
    frame = pl.DataFrame({"text": texts, **columns}, strict=False)
    result = frame.select(verdict.alias("verdict")).to_series()
    return (result.struct.field("reason") if isinstance(result.dtype, pl.Struct) else result).to_list()


def measure(verdict: pl.Expr, field: str, texts: Any, **columns: Any) -> list[Any]:
    """Return what a filter of the column `text` measures in each row, one of its fields."""
    frame = pl.DataFrame({"text": texts, **columns}, strict=False)
    return frame.select(verdict.alias("verdict")).to_series().struct.field(field).to_list()
