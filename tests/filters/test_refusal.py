# ruff: noqa: E501 (a sentence stands on its line)
import csv
from pathlib import Path

import polars as pl
import pytest
from sentences import HUMAN, reasons

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
    "ell_Grek": ["Ως γλωσσικό μοντέλο, δεν έχω προσωπικές απόψεις.", "Λυπάμαι, αλλά δεν μπορώ να σας βοηθήσω με αυτό."],
    "heb_Hebr": ["בתור מודל שפה, אין לי דעות אישיות.", "אני מצטער, אבל אני לא יכול לעזור בזה."],
    "ron_Latn": ["Ca model de limbaj, nu am opinii personale.", "Îmi pare rău, dar nu pot să te ajut cu asta."],
    "ces_Latn": ["Jako jazykový model nemám vlastní názory.", "Je mi líto, ale s tím vám nemohu pomoci."],
    "slk_Latn": ["Ako jazykový model nemám vlastné názory.", "Prepáčte, ale s tým vám nemôžem pomôcť."],
    "hun_Latn": ["Mesterséges intelligenciaként nincs saját véleményem.", "Sajnálom, de ebben nem tudok segíteni."],
    "swe_Latn": ["Som AI-språkmodell har jag inga egna åsikter.", "Tyvärr kan jag inte hjälpa dig med det."],
    "dan_Latn": ["Som AI-sprogmodel har jeg ingen egne holdninger.", "Beklager, men jeg kan ikke hjælpe dig med det."],
    "nob_Latn": ["Som en KI-språkmodell har jeg ingen egne meninger.", "Beklager, men jeg kan ikke hjelpe deg med det."],
    "fin_Latn": ["Tekoälynä minulla ei ole omia mielipiteitä.", "Olen pahoillani, mutta en voi auttaa tässä."],
    "cat_Latn": ["Com a model de llenguatge, no tinc opinions personals.", "Ho sento, però no puc ajudar-te amb això."],
    "bul_Cyrl": ["Като езиков модел нямам лично мнение.", "Съжалявам, но не мога да ви помогна с това."],
    "srp_Cyrl": ["Као језички модел, немам лично мишљење.", "Жао ми је, али не могу да вам помогнем са тим."],
    "srp_Latn": ["Kao jezički model, nemam lično mišljenje.", "Žao mi je, ali ne mogu da vam pomognem sa tim."],
    "hrv_Latn": ["Kao jezični model, nemam osobno mišljenje.", "Žao mi je, ali ne mogu vam pomoći s tim."],
    "slv_Latn": ["Kot jezikovni model nimam osebnega mnenja.", "Žal mi je, vendar vam pri tem ne morem pomagati."],
    "lit_Latn": ["Kaip kalbos modelis, aš neturiu asmeninės nuomonės.", "Atsiprašau, bet negaliu jums su tuo padėti."],
    "azj_Latn": ["Süni intellekt kimi şəxsi fikrim yoxdur.", "Üzr istəyirəm, amma bu məsələdə kömək edə bilmərəm."],
    "uzn_Latn": ["Sun’iy intellekt sifatida shaxsiy fikrim yo‘q.", "Kechirasiz, lekin men bu so‘rovda yordam bera olmayman.", "Sunʼiy intellekt sifatida shaxsiy fikrim yoʻq."],
    "kaz_Cyrl": ["Тілдік модель ретінде менің жеке пікірім жоқ.", "Кешіріңіз, бірақ мен бұл сұраққа жауап бере алмаймын."],
    "zsm_Latn": ["Sebagai model bahasa, saya tidak mempunyai pendapat.", "Maaf, saya tidak dapat membantu dengan permintaan itu."],
    "fil_Latn": ["Bilang isang modelo ng wika, wala akong sariling opinyon.", "Paumanhin, ngunit hindi ko matutulungan ang iyong kahilingan."],
    "tam_Taml": ["ஒரு மொழி மாதிரி என்ற முறையில், எனக்கு தனிப்பட்ட கருத்துகள் இல்லை.", "மன்னிக்கவும், இந்த கோரிக்கைக்கு என்னால் உதவ முடியாது."],
    "tel_Telu": ["ఒక AI భాషా నమూనాగా, నాకు వ్యక్తిగత అభిప్రాయాలు లేవు.", "క్షమించండి, నేను ఈ అభ్యర్థనకు సహాయం చేయలేను."],
    "mar_Deva": ["एक एआय भाषा मॉडेल म्हणून, मला वैयक्तिक मते नाहीत.", "माफ करा, पण मी या विनंतीमध्ये मदत करू शकत नाही."],
    "guj_Gujr": ["એક AI ભાષા મોડેલ તરીકે, મારી પાસે અંગત અભિપ્રાય નથી.", "માફ કરશો, પરંતુ હું આ વિનંતીમાં મદદ કરી શકતો નથી."],
    "pan_Guru": ["ਇੱਕ AI ਭਾਸ਼ਾ ਮਾਡਲ ਵਜੋਂ, ਮੇਰੀ ਕੋਈ ਨਿੱਜੀ ਰਾਏ ਨਹੀਂ ਹੈ।", "ਮਾਫ਼ ਕਰਨਾ, ਪਰ ਮੈਂ ਇਸ ਬੇਨਤੀ ਵਿੱਚ ਮਦਦ ਨਹੀਂ ਕਰ ਸਕਦਾ।"],
    "kan_Knda": ["ಒಂದು ಭಾಷಾ ಮಾದರಿಯಾಗಿ, ನನಗೆ ವೈಯಕ್ತಿಕ ಅಭಿಪ್ರಾಯಗಳಿಲ್ಲ.", "ಕ್ಷಮಿಸಿ, ಈ ವಿನಂತಿಗೆ ಸಹಾಯ ಮಾಡಲು ಸಾಧ್ಯವಿಲ್ಲ."],
    "mal_Mlym": ["ഒരു ഭാഷാ മോഡൽ എന്ന നിലയിൽ, എനിക്ക് വ്യക്തിപരമായ അഭിപ്രായങ്ങളില്ല.", "ക്ഷമിക്കണം, ഈ അഭ്യർത്ഥനയിൽ സഹായിക്കാൻ എനിക്ക് കഴിയില്ല."],
    "npi_Deva": ["एक भाषा मोडेलको रूपमा, मेरो व्यक्तिगत विचार छैन।", "माफ गर्नुहोस्, तर म यस अनुरोधमा मद्दत गर्न सक्दिन।"],
    "sin_Sinh": ["AI භාෂා ආකෘතියක් ලෙස, මට පුද්ගලික අදහස් නැත.", "සමාවන්න, මට මෙම ඉල්ලීමට උදව් කිරීමට නොහැක."],
    "kat_Geor": ["როგორც ენობრივი მოდელი, მე არ მაქვს პირადი აზრი.", "ბოდიში, მაგრამ ვერ დაგეხმარებით ამაში."],
    "hye_Armn": ["Որպես լեզվական մոդել, ես չունեմ անձնական կարծիք։", "Ներեցեք, բայց ես չեմ կարող օգնել այդ հարցում։"],
    "mya_Mymr": ["AI မော်ဒယ်တစ်ခုအနေဖြင့် ကျွန်ုပ်တွင် ကိုယ်ပိုင်အမြင် မရှိပါ။", "တောင်းပန်ပါတယ်၊ ကျွန်တော် ဒီကိစ္စမှာ မကူညီနိုင်ပါ။"],
    "khm_Khmr": ["ក្នុងនាមជាគំរូភាសា ខ្ញុំមិនមានយោបល់ផ្ទាល់ខ្លួនទេ។", "សូមទោស ខ្ញុំមិនអាចជួយអ្នកក្នុងរឿងនេះបានទេ។"],
    "lao_Laoo": ["ໃນຖານະເປັນແບບຈຳລອງພາສາ ຂ້ອຍບໍ່ມີຄວາມຄິດເຫັນສ່ວນຕົວ.", "ຂໍອະໄພ ຂ້ອຍບໍ່ສາມາດຊ່ວຍທ່ານໃນເລື່ອງນີ້ໄດ້."],
    "amh_Ethi": ["እንደ የቋንቋ ሞዴል፣ የግል አስተያየት የለኝም።", "ይቅርታ፣ በዚህ ጥያቄ ልረዳዎት አልችልም።"],
    "yor_Latn": ["Gẹ́gẹ́ bí àwòṣe èdè, mi ò ní èrò ti ara mi.", "Ẹ má bínú, mi ò lè ràn yín lọ́wọ́ pẹ̀lú èyí."],
    "hau_Latn": ["A matsayina na samfurin harshe, ba ni da ra'ayi na kaina.", "Yi haƙuri, ba zan iya taimaka maka da wannan ba."],
    "zul_Latn": ["Njengemodeli yolimi, anginawo umbono wami.", "Ngiyaxolisa, kodwa angikwazi ukukusiza ngalokho."],
    "afr_Latn": ["As 'n taalmodel het ek nie persoonlike menings nie.", "Ek is jammer, maar ek kan jou nie hiermee help nie."],
    "som_Latn": ["Maadaama aan ahay moodal luqadeed, ma lihi ra'yi gaar ah.", "Waan ka xumahay, laakiin ma caawin karo codsigaas."],
    "ibo_Latn": ["Dị ka ihe nlereanya asụsụ, enweghị m echiche nke m.", "Ndo, mana apụghị m inyere gị aka na nke ahụ."],
}  # fmt: skip
NORMAL = [
    "I cannot recommend this soup enough; it saved my winter.",
    "Dear Mr. Holm, I am sorry that I was unable to answer your letter in May.",
    "\"I'm sorry, I can't help you,\" said the ferryman, and pushed off.",
    "« Je suis désolé, mais je ne peux pas vous aider », dit le vieux gardien.",
    "„Es tut mir leid, das kann ich nicht tun“, sagte sie leise.",
    "My apologies for the delay! Here are the two recipes you asked for.",
    "Sorry seems to be the hardest word, and I cannot say it.",
    "I am sorry to say that the bridge cannot be repaired this year.",
    "Unfortunately, we will not be able to provide lunch on Friday.",
    "Je suis désolée, je ne peux pas rester plus longtemps.",
    "Lo siento, pero no puedo creer lo que dices.",
    "Es tut mir leid, dass ich dich gestern nicht sehen konnte.",
    "К сожалению, поезд не может остановиться на этой станции.",
    "很抱歉，我们的店今天不能营业。",
    "Unfortunately, doctors cannot always help with this disease.",
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
    "Λυπάμαι, δεν μπορώ να έρθω αύριο.",
    "אני מצטער, אני לא יכול לבוא מחר.",
    "Îmi pare rău, nu pot veni mâine.",
    "Je mi líto, ale zítra nemohu přijít.",
    "Prepáčte, zajtra nemôžem prísť.",
    "Sajnálom, holnap nem tudok jönni.",
    "Tyvärr kan jag inte komma i morgon.",
    "Beklager, jeg kan ikke komme i morgen.",
    "Olen pahoillani, en voi tulla huomenna.",
    "Ho sento, no puc venir demà.",
    "Съжалявам, не мога да дойда утре.",
    "Žao mi je, ne mogu doći sutra.",
    "Жао ми је, не могу да дођем сутра.",
    "Üzr istəyirəm, sabah gələ bilmərəm.",
    "Kechirasiz, ertaga kela olmayman.",
    "Кешіріңіз, ертең келе алмаймын.",
    "Maaf, saya tidak dapat datang esok.",
    "Paumanhin, hindi ako makakapunta bukas.",
    "மன்னிக்கவும், நாளை என்னால் வர முடியாது.",
    "క్షమించండి, నేను రేపు రాలేను.",
    "माफ करा, मी उद्या येऊ शकत नाही.",
    "માફ કરશો, હું કાલે આવી શકતો નથી.",
    "ਮਾਫ਼ ਕਰਨਾ, ਮੈਂ ਕੱਲ੍ਹ ਨਹੀਂ ਆ ਸਕਦਾ।",
    "ಕ್ಷಮಿಸಿ, ನಾನು ನಾಳೆ ಬರಲು ಸಾಧ್ಯವಿಲ್ಲ.",
    "ക്ഷമിക്കണം, എനിക്ക് നാളെ വരാൻ കഴിയില്ല.",
    "माफ गर्नुहोस्, म भोलि आउन सक्दिन।",
    "සමාවන්න, මට හෙට එන්න බැහැ.",
    "ბოდიში, ხვალ ვერ მოვალ.",
    "Ներեցեք, ես վաղը չեմ կարող գալ։",
    "តើខ្ញុំសូមទោស ខ្ញុំមិនអាចមកថ្ងៃស្អែកទេ។",
    "ຂໍໂທດ ມື້ອື່ນຂ້ອຍມາບໍ່ໄດ້.",
    "ይቅርታ፣ ነገ መምጣት አልችልም።",
    "Ẹ má bínú, mi ò lè wá lọ́la.",
    "Yi haƙuri, ba zan iya zuwa gobe ba.",
    "Uxolo, angikwazi ukuza kusasa.",
    "Jammer, ek kan nie môre kom nie.",
    "Waan ka xumahay, berri ma imaan karo.",
    "Ndo, apụghị m ịbịa echi.",
    "Mesterséges intelligenciaként ismert technológia terjed.",
    "Τα γλωσσικά μοντέλα, όπως λένε, δεν είναι ακριβή.",
    "Som språkmodell kan programmet inte räkna.",
]


# As models word them: with an adverb, after a sentence of sympathy, without an apology, behind a thought.
WORDED = [
    "I'm sorry, but I am unfortunately unable to help with this request.",
    "I'm truly sorry that you feel so bad, but I'm not able to give you the advice that you need.",
    "I cannot, in good conscience, provide instructions for this.",
    "I must respectfully decline to write this content.",
    "I won't be able to help you with that.",
    "<think>\nThe user wants something odd.\n</think>\n\nI'm sorry, but I can't assist with that request.",
    '"I\'m sorry, but I can\'t help you with that."',
    "Je suis désolé, mais je ne peux pas vous aider.",
    "Malheureusement, je ne suis pas en mesure de répondre à cette question.",
    "Désolée, mais il m'est impossible de répondre à votre demande.",
    "Lo siento mucho, pero no puedo ayudarte.",
    "Lamentablemente, no puedo responder a esa pregunta.",
    "Leider kann ich Ihnen nicht weiterhelfen.",
    "Das kann ich leider nicht beantworten.",
    "Mi dispiace, ma non posso farlo.",
    "Sinto muito, mas não posso fazer isso.",
    "Helaas kan ik deze vraag niet beantwoorden.",
    "Niestety nie jestem w stanie odpowiedzieć na to pytanie.",
    "К сожалению, я не могу ответить на этот вопрос.",
    "На жаль, я не можу відповісти на це запитання.",
    "Bohužel na tuto otázku nemohu odpovědět.",
    "Maalesef bunu yapamam.",
    "عذراً، ولكن لا يمكنني الإجابة على هذا السؤال.",
    "متأسفم، نمی‌توانم به این سؤال پاسخ دهم.",
    "मुझे अफ़सोस है, लेकिन मैं इस सवाल का जवाब नहीं दे सकता।",
    "দুঃখিত, আমি এই প্রশ্নের উত্তর দিতে পারছি না।",
    "மன்னிக்கவும், என்னால் அதைச் செய்ய இயலாது.",
    "对不起，我不能回答这个问题。",
    "抱歉，我无法帮助您。",
    "申し訳ございませんが、そのご質問にはお答えできません。",
    "죄송합니다만, 그 질문에는 답변해 드릴 수 없습니다.",
    "Maaf, saya tidak dapat menjawab pertanyaan itu.",
    "Rất tiếc, tôi không thể trả lời câu hỏi này.",
    "Samahani, siwezi kujibu swali hilo.",
    "Îmi pare rău, nu pot face asta.",
    "Valitettavasti en pysty vastaamaan tähän kysymykseen.",
]  # fmt: skip


@pytest.mark.parametrize("text", WORDED)
def test_refusals_as_models_word_them_are_dropped(text):
    assert reasons(refusal(TEXT), [text]) == ["refusal"]


@pytest.mark.parametrize("tag", REFUSALS)
def test_refusals_are_dropped(tag):
    assert reasons(refusal(TEXT), REFUSALS[tag]) == ["refusal"] * len(REFUSALS[tag])


def test_every_language_of_the_table_has_an_example():
    with Path(filters.__file__).with_name("refusals.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["language"] for row in rows} == REFUSALS.keys()
    assert {row["reviewed"] for row in rows} <= {"yes", "no"}


def test_human_text_is_kept():
    assert reasons(refusal(TEXT), list(HUMAN.values())) == [None] * len(HUMAN)
    result = reasons(refusal(TEXT), NORMAL)
    assert [text for text, reason in zip(NORMAL, result, strict=True) if reason] == []


def test_only_the_beginning_counts():
    late = HUMAN["eng_Latn"] + " " + HUMAN["eng_Latn"] + " As an AI, I cannot say more."
    assert reasons(refusal(TEXT), [late, None]) == [None, "empty"]


def test_only_the_first_turn_counts():
    turns = [[{"speaker": "B", "text": "I'm sorry, but I can't assist with that."}]]
    assert reasons(refusal(TEXT), turns) == ["refusal"]
