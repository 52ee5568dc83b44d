# ruff: noqa: E501 (a sentence stands on its line)
import csv
from pathlib import Path

import polars as pl
import pytest
from sentences import HUMAN, judge

from glotmill import filters
from glotmill.filters.refusal import refusal

TEXT = pl.col("text")
REFUSALS = {
    "eng_Latn": [
        "As an AI language model, I don't have personal experiences.",
        "I’m sorry, but I can’t assist with that request.",
        "I cannot help with that.",
        "\n**Sorry**, but as an AI, I cannot taste food.",
        "I'm just an AI and I can't have feelings.",
        "I am unable to fulfill your request because it is harmful.",
    ],
    "spa_Latn": [
        "Como modelo de lenguaje, no tengo opiniones personales.",
        "Lo siento, pero no puedo ayudarte con eso.",
    ],
    "fra_Latn": [
        "En tant qu'intelligence artificielle, je ne peux pas avoir d'avis.",
        "Je suis désolé, mais je ne peux pas répondre à cette demande.",
    ],
    "deu_Latn": [
        "Als KI-Sprachmodell habe ich keine eigene Meinung.",
        "Es tut mir leid, aber dabei kann ich Ihnen nicht helfen.",
    ],
    "rus_Cyrl": [
        "Как языковая модель, я не имею личного мнения.",
        "Извините, но я не могу помочь с этим.",
    ],
    "arb_Arab": [
        "بصفتي نموذجًا لغويًا، لا أملك مشاعر.",
        "عذرًا، لا أستطيع مساعدتك في هذا الطلب.",
    ],
    "hin_Deva": [
        "एक एआई भाषा मॉडल के रूप में, मेरी कोई व्यक्तिगत राय नहीं है।",
        "मुझे खेद है, लेकिन मैं इस अनुरोध में आपकी मदद नहीं कर सकता।",
    ],
    "zho_Hans": ["作为一个人工智能语言模型，我没有个人感受。", "很抱歉，我无法提供这方面的信息。"],
    "zho_Hant": ["作為一個人工智慧語言模型，我無法表達意見。"],
    "swh_Latn": [
        "Kama modeli ya lugha, siwezi kuwa na maoni yangu mwenyewe.",
        "Samahani, siwezi kusaidia na ombi hilo.",
    ],
    "por_Latn": ["Como uma inteligência artificial, não tenho sentimentos.", "Desculpe, mas não posso ajudar com isso."],
    "ita_Latn": ["Come modello linguistico, non ho opinioni personali.", "Mi dispiace, ma non posso aiutarti con questo."],
    "jpn_Jpan": ["私はAI言語モデルなので、個人的な意見はありません。", "申し訳ありませんが、そのご要望にはお応えできません。"],
    "kor_Hang": ["저는 AI 언어 모델이기 때문에 개인적인 의견이 없습니다.", "죄송하지만 그 요청에는 도움을 드릴 수 없습니다."],
    "tur_Latn": ["Bir yapay zeka olarak duygularım yok.", "Üzgünüm, ancak bu konuda size yardımcı olamam."],
    "ind_Latn": ["Sebagai model bahasa, saya tidak memiliki pendapat.", "Maaf, saya tidak bisa membantu dengan permintaan itu."],
    "vie_Latn": ["Là một mô hình ngôn ngữ, tôi không có ý kiến cá nhân.", "Xin lỗi, tôi không thể đáp ứng yêu cầu này."],
    "pol_Latn": ["Jako model językowy nie mam własnych opinii.", "Przykro mi, ale nie mogę pomóc w tym."],
    "nld_Latn": ["Als AI-taalmodel heb ik geen mening.", "Het spijt me, maar daar kan ik niet bij helpen.", "Sorry, ik kan je hier niet bij helpen."],
    "pes_Arab": ["به عنوان یک هوش مصنوعی، نمی‌توانم نظر شخصی داشته باشم.", "متأسفم، اما نمی‌توانم در این مورد کمک کنم."],
    "urd_Arab": ["ایک لینگویج ماڈل کے طور پر، میں ذاتی رائے نہیں رکھتا۔", "معذرت، میں اس درخواست میں مدد نہیں کر سکتا۔"],
    "ben_Beng": ["একটি এআই ভাষা মডেল হিসেবে, আমার কোনো ব্যক্তিগত মতামত নেই।", "দুঃখিত, আমি এই বিষয়ে সাহায্য করতে পারব না।"],
    "tha_Thai": ["ในฐานะโมเดลภาษา AI ฉันไม่มีความรู้สึก", "ขออภัย ฉันไม่สามารถช่วยเหลือในเรื่องนี้ได้"],
    "ukr_Cyrl": ["Як мовна модель, я не маю власної думки.", "Вибачте, але я не можу допомогти з цим."],
}  # fmt: skip
NORMAL = [
    "I'm sorry, I can't come to your party on Friday.",
    "I can't help with your homework tonight, but Lena can.",
    "I cannot help but smile when I see the sea.",
    "As an AI engineer, I build search engines.",
    "As an assistant teacher, I mark the homework.",
    "I'm sorry, but I can't find my keys.",
    "Sorry, I won't be able to make it.",
    "Tecnologías como la inteligencia artificial, no solo los robots, cambian el trabajo.",
    "Lo siento, no puedo ir a tu casa esta noche.",
    "Je suis désolé, je ne peux pas venir demain.",
    "En tant que boulanger, je me lève tôt.",
    "Es tut mir leid, ich kann morgen nicht kommen.",
    "Als Lehrerin habe ich viel Geduld.",
    "Извините, я не могу прийти завтра.",
    "Как учитель, я встаю рано.",
    "عذرا، لا أستطيع الحضور غدا.",
    "بصفتي مساعدا للمدير، لم أكن في المكتب.",
    "कृत्रिम बुद्धिमत्ता, जिसे एआई के रूप में जाना जाता है, तेज़ी से बढ़ रही है।",
    "माफ़ कीजिए, मैं कल नहीं आ सकता।",
    "对不起，我不能去你家。",
    "作为人工智能的核心，数据不能缺失。",
    "Samahani, siwezi kuja kesho.",
    "Desculpe, não posso ir amanhã.",
    "Mi dispiace, non posso venire domani.",
    "申し訳ありませんが、明日は行けません。",
    "人工知能として知られる技術が広がっています。",
    "죄송하지만 내일은 갈 수 없어요.",
    "인공지능이라고 불리는 기술은 빠르게 발전합니다.",
    "Üzgünüm, yarın gelemem.",
    "Maaf, saya tidak bisa datang besok.",
    "Xin lỗi, ngày mai tôi không thể đến.",
    "Niestety nie mogę jutro przyjść.",
    "Sorry, ik kan morgen niet komen.",
    "متأسفم، فردا نمی‌توانم بیایم.",
    "معذرت، میں کل نہیں آ سکتا۔",
    "দুঃখিত, আমি কাল আসতে পারব না।",
    "ขอโทษค่ะ พรุ่งนี้ฉันไปไม่ได้",
]


@pytest.mark.parametrize("tag", REFUSALS)
def test_refusals_are_dropped(tag):
    assert judge(refusal(TEXT), REFUSALS[tag]) == ["refusal"] * len(REFUSALS[tag])


def test_every_language_of_the_table_is_tried_here():
    with Path(filters.__file__).with_name("refusals.csv").open(encoding="utf-8") as file:
        tags = {row["language"] for row in csv.DictReader(file)}
    assert tags <= REFUSALS.keys()


def test_what_people_write_is_kept():
    assert judge(refusal(TEXT), list(HUMAN.values())) == [None] * len(HUMAN)
    said = judge(refusal(TEXT), NORMAL)
    assert [text for text, reason in zip(NORMAL, said, strict=True) if reason] == []


def test_only_the_beginning_counts():
    late = HUMAN["eng_Latn"] + " " + HUMAN["eng_Latn"] + " As an AI, I cannot say more."
    assert judge(refusal(TEXT), [late, None]) == [None, "empty"]


def test_the_first_turn_is_judged():
    turns = [[{"speaker": "B", "text": "I'm sorry, but I can't assist with that."}]]
    assert judge(refusal(TEXT), turns) == ["refusal"]
