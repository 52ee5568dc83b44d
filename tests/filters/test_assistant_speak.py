# ruff: noqa: E501 (a sentence stands on its line)
import csv

import polars as pl
import pytest
from sentences import HUMAN, measure, reasons

from glotmill.filters._text.phrases import ASSISTANT_PHRASES
from glotmill.filters.assistant_speak import assistant_speak

TEXT = pl.col("text")
FRAMED = {
    "eng_Latn": ["Sure! Here's a translation: Bonjour.", "Here is the translated text: Bonjour", "Translation: Bonjour", "The bread is fresh. I hope this helps!", "Translation (French): Bonjour", "Certainly, here are three sentences.", "Bonjour.\n\nLet me know if you need anything else.", "The cat sat. (Note: I have kept the names.)", "**Swahili translation:**\nMkate", "As an AI language model, I like bread."],
    "spa_Latn": ["¡Claro! Aquí tienes la traducción: pan.", "Traducción: El pan.", "El pan. Espero que esto te ayude."],
    "fra_Latn": ["Bien sûr ! Voici la traduction :", "Traduction : Le pain", "Le pain. N’hésitez pas à me demander."],
    "deu_Latn": ["Gerne! Hier ist die Übersetzung:", "Übersetzung: Das Brot", "Das Brot. Ich hoffe, das hilft!"],
    "ita_Latn": ["Certo! Ecco la traduzione:", "Traduzione: Il pane", "Il pane. Spero che questo ti aiuti."],
    "por_Latn": ["Claro! Aqui está a tradução:", "Tradução: O pão", "O pão. Espero que isso ajude!"],
    "nld_Latn": ["Natuurlijk! Hier is de vertaling:", "Vertaling: Het brood", "Het brood. Laat het me weten als je vragen hebt."],
    "pol_Latn": ["Oczywiście! Oto tłumaczenie:", "Tłumaczenie: Chleb", "Chleb. Mam nadzieję, że to pomoże."],
    "rus_Cyrl": ["Конечно! Вот перевод:", "Перевод: Хлеб", "Хлеб. Надеюсь, это поможет!"],
    "ukr_Cyrl": ["Звісно! Ось переклад:", "Переклад: Хліб", "Хліб. Сподіваюся, це допоможе!"],
    "ces_Latn": ["Samozřejmě! Zde je překlad:", "Překlad: Chléb", "Chléb. Doufám, že to pomůže."],
    "slk_Latn": ["Samozrejme! Tu je preklad:", "Preklad: Chlieb", "Chlieb. Dúfam, že to pomôže."],
    "ron_Latn": ["Desigur! Iată traducerea:", "Traducere: Pâinea", "Pâinea. Sper că te ajută."],
    "hun_Latn": ["Természetesen! Íme a fordítás:", "Fordítás: A kenyér", "A kenyér. Remélem, ez segít."],
    "swe_Latn": ["Självklart! Här är översättningen:", "Översättning: Brödet", "Brödet. Jag hoppas att det här hjälper."],
    "dan_Latn": ["Selvfølgelig! Her er oversættelsen:", "Oversættelse: Brødet", "Brødet. Jeg håber, det hjælper."],
    "nob_Latn": ["Selvfølgelig! Her er oversettelsen:", "Oversettelse: Brødet", "Brødet. Jeg håper dette hjelper."],
    "fin_Latn": ["Totta kai! Tässä on käännös:", "Käännös: Leipä", "Leipä. Toivottavasti tämä auttaa."],
    "ell_Grek": ["Φυσικά! Ορίστε η μετάφραση:", "Μετάφραση: Το ψωμί", "Το ψωμί. Ελπίζω να σας βοήθησα."],
    "tur_Latn": ["Tabii ki! İşte çeviri:", "Çeviri: Ekmek", "Ekmek. Umarım yardımcı olur."],
    "azj_Latn": ["Əlbəttə! Budur tərcümə:", "Tərcümə: Çörək", "Çörək. Ümid edirəm ki, kömək edər."],
    "uzn_Latn": ["Albatta! Mana tarjimasi:", "Tarjima: Non", "Non. Umid qilamanki, bu sizga yordam beradi."],
    "kaz_Cyrl": ["Әрине! Міне аудармасы:", "Аударма: Нан", "Нан. Бұл сізге көмектеседі деп үміттенемін."],
    "arb_Arab": ["بالتأكيد! إليك الترجمة:", "الترجمة: الخبز", "الخبز. آمل أن يكون هذا مفيدا."],
    "heb_Hebr": ["בטח! הנה התרגום:", "תרגום: הלחם", "הלחם. אני מקווה שזה עוזר."],
    "pes_Arab": ["البته! در اینجا ترجمه آمده است:", "ترجمه: نان", "نان. امیدوارم این کمک کند."],
    "urd_Arab": ["ضرور! یہ رہا ترجمہ:", "ترجمہ: روٹی", "روٹی۔ مجھے امید ہے کہ یہ مدد کرے گا۔"],
    "hin_Deva": ["ज़रूर! यहाँ अनुवाद है:", "अनुवाद: रोटी", "रोटी। मुझे आशा है कि यह मदद करेगा।"],
    "mar_Deva": ["नक्कीच! येथे भाषांतर आहे:", "भाषांतर: भाकरी", "भाकरी. मला आशा आहे की हे उपयुक्त ठरेल."],
    "npi_Deva": ["अवश्य! यहाँ अनुवाद छ:", "अनुवाद: रोटी", "रोटी। मलाई आशा छ यो उपयोगी हुनेछ।"],
    "ben_Beng": ["অবশ্যই! এখানে অনুবাদ দেওয়া হল:", "অনুবাদ: রুটি", "রুটি। আশা করি এটি সাহায্য করবে।"],
    "guj_Gujr": ["ચોક્કસ! અહીં અનુવાદ છે:", "અનુવાદ: રોટલી", "રોટલી. મને આશા છે કે આ મદદ કરશે."],
    "pan_Guru": ["ਜ਼ਰੂਰ! ਇੱਥੇ ਅਨੁਵਾਦ ਹੈ:", "ਅਨੁਵਾਦ: ਰੋਟੀ", "ਰੋਟੀ। ਮੈਨੂੰ ਉਮੀਦ ਹੈ ਕਿ ਇਹ ਮਦਦ ਕਰੇਗਾ।"],
    "tam_Taml": ["நிச்சயமாக! இதோ மொழிபெயர்ப்பு:", "மொழிபெயர்ப்பு: ரொட்டி", "ரொட்டி. இது உதவியாக இருக்கும் என நம்புகிறேன்."],
    "tel_Telu": ["తప్పకుండా! ఇదిగో అనువాదం:", "అనువాదం: రొట్టె", "రొట్టె. ఇది మీకు సహాయపడుతుందని ఆశిస్తున్నాను."],
    "kan_Knda": ["ಖಂಡಿತ! ಇಲ್ಲಿದೆ ಅನುವಾದ:", "ಅನುವಾದ: ರೊಟ್ಟಿ", "ರೊಟ್ಟಿ. ಇದು ನಿಮಗೆ ಸಹಾಯ ಮಾಡುತ್ತದೆ ಎಂದು ಭಾವಿಸುತ್ತೇನೆ."],
    "mal_Mlym": ["തീർച്ചയായും! ഇതാ വിവർത്തനം:", "വിവർത്തനം: റൊട്ടി", "റൊട്ടി. ഇത് സഹായകമാകുമെന്ന് പ്രതീക്ഷിക്കുന്നു."],
    "sin_Sinh": ["නිසැකවම! මෙන්න පරිවර්තනය:", "පරිවර්තනය: පාන්", "පාන්. මෙය ඔබට උදව් වේ යැයි සිතමි."],
    "tha_Thai": ["ได้เลยค่ะ! นี่คือคำแปล:", "คำแปล: ขนมปัง", "ขนมปัง หวังว่าจะเป็นประโยชน์นะคะ"],
    "vie_Latn": ["Chắc chắn rồi! Đây là bản dịch:", "Bản dịch: Bánh mì", "Bánh mì. Hy vọng điều này giúp ích cho bạn."],
    "ind_Latn": ["Tentu saja! Berikut adalah terjemahannya:", "Terjemahan: Roti", "Roti. Semoga ini membantu!"],
    "zsm_Latn": ["Sudah tentu! Berikut ialah terjemahan:", "Terjemahan: Roti", "Roti. Saya harap ini dapat membantu."],
    "fil_Latn": ["Siyempre! Narito ang pagsasalin:", "Pagsasalin: Tinapay", "Tinapay. Sana makatulong ito."],
    "zho_Hans": ["当然！以下是翻译：", "翻译：面包", "面包。希望这对您有帮助！"],
    "zho_Hant": ["當然！以下是翻譯：", "翻譯：麵包", "麵包。希望這對您有幫助！"],
    "jpn_Jpan": ["もちろんです！以下が翻訳です：", "翻訳：パン", "パン。お役に立てば幸いです。"],
    "kor_Hang": ["물론입니다! 다음은 번역입니다:", "번역: 빵", "빵. 도움이 되었기를 바랍니다."],
    "swh_Latn": ["Hakika! Hii hapa ni tafsiri:", "Tafsiri: Mkate", "Mkate. Natumaini hii itakusaidia."],
    "yor_Latn": ["Dájúdájú! Èyí ni ìtumọ̀ náà:", "Ìtumọ̀: Búrẹ́dì", "Búrẹ́dì. Mo ní ìrètí pé èyí yóò ràn yín lọ́wọ́."],
    "hau_Latn": ["Tabbas! Ga fassarar:", "Fassara: Burodi", "Burodi. Ina fata wannan zai taimaka."],
    "amh_Ethi": ["በእርግጥ! ይኸው ትርጉሙ፡", "ትርጉም፡ ዳቦ", "ዳቦ። ይህ እንደሚረዳዎት ተስፋ አደርጋለሁ።"],
    "zul_Latn": ["Yebo! Nansi inguqulo:", "Inguqulo: Isinkwa", "Isinkwa. Ngiyathemba ukuthi lokhu kuyasiza."],
    "afr_Latn": ["Natuurlik! Hier is die vertaling:", "Vertaling: Brood", "Brood. Ek hoop dit help."],
    "cat_Latn": ["És clar! Aquí tens la traducció:", "Traducció: El pa", "El pa. Espero que això t'ajudi."],
    "bul_Cyrl": ["Разбира се! Ето превода:", "Превод: Хляб", "Хляб. Надявам се това да ви помогне."],
    "srp_Latn": ["Naravno! Evo prevoda:", "Prevod: Hleb", "Hleb. Nadam se da će vam ovo pomoći."],
    "srp_Cyrl": ["Наравно! Ево превода:", "Превод: Хлеб", "Хлеб. Надам се да ће вам ово помоћи."],
    "lit_Latn": ["Žinoma! Štai vertimas:", "Vertimas: Duona", "Duona. Tikiuosi, kad tai padės."],
    "khm_Khmr": ["ប្រាកដណាស់! នេះគឺជាការបកប្រែ៖", "ការបកប្រែ៖ នំប៉័ង", "នំប៉័ង។ សង្ឃឹមថានេះនឹងជួយអ្នក។"],
    "mya_Mymr": ["ဒါက ဘာသာပြန်ပါ။", "ဘာသာပြန်ချက်: ပေါင်မုန့်", "ပေါင်မုန့်။ ဒါက အကူအညီဖြစ်မယ်လို့ မျှော်လင့်ပါတယ်။"],
    "kat_Geor": ["რა თქმა უნდა! აი თარგმანი:", "თარგმანი: პური", "პური. იმედი მაქვს, რომ ეს დაგეხმარებათ."],
    "hye_Armn": ["Իհարկե։ Ահա թարգմանությունը.", "Թարգմանություն: Հաց", "Հաց։ Հուսով եմ, որ սա կօգնի։"],
    "slv_Latn": ["Seveda! Tukaj je zgodba:", "Tukaj je nekaj nasvetov.", "Spodaj so trije nasveti:"],
    "lao_Laoo": ["ແນ່ນອນ! ນີ້ແມ່ນເລື່ອງ:", "ນີ້ແມ່ນບາງຄຳແນະນຳ", "ຕໍ່ໄປນີ້ແມ່ນຄຳຕອບ:"],
    "ibo_Latn": ["Ee! Nke a bụ akụkọ ahụ:", "Lee ndepụta nke nri.", "Lee ndụmọdụ atọ:"],
    "som_Latn": ["Hubaal! Waa kan turjumaaddu:", "Turjumaad: Rooti", "Rooti. Waxaan rajaynayaa inay tani ku caawiso."],
}  # fmt: skip
AGREED = [
    "Absolutely correct. Here are five ways to save water.",
    "That's right! Here is the poem.",
    "Sure! My recipe for bread:\n\nMix flour and water.",
    "Tout à fait ! Voici trois conseils.",
    "Excellente question ! Voici mon avis.",
    "¡Perfecto! Aquí tienes el cuento.",
    "Конечно! Вот рассказ:\n\nЖил-был кот.",
    "Абсолютно верно. Вот три совета.",
    "بالطبع، هذه هي القصة:\n\nكان يا ما كان.",
    "البته! این داستان است:\n\nروزی روزگاری.",
    "ज़रूर! यहाँ कहानी है:\n\nएक बार की बात है।",
    "অবশ্যই! এখানে গল্পটি দেওয়া হলো:\n\nএকদা।",
    "Dájúdájú! Ìtàn náà nìyí:\n\nNí ìgbà kan.",
    "በእርግጥ! ታሪኩ ይኸውና፦\n\nከዕለታት አንድ ቀን።",
    "完全正确！以下是三个建议。",
    "はい、わかりました。物語：\n\n昔々。",
    "네, 알겠습니다. 이야기:\n\n옛날 옛적에.",
    "Hakika! Haya hapa mapendekezo:\n\nMoja.",
]  # fmt: skip
ANNOUNCED = [
    "Here are three tips for better sleep. First, go to bed early.",
    "Here's a short story about a fox:\n\nOnce there was a fox.",
    "Voici trois conseils",
    "Voici quelques idées de recettes.",
    "Voici mon histoire :\n\nIl était une fois un renard.",
    "Aquí tienes algunas ideas para la cena.",
    "Hier sind drei Tipps für besseren Schlaf.",
    "Ecco alcuni consigli per dormire meglio.",
    "Aqui estão cinco ideias para o jantar.",
    "Вот три совета для хорошего сна.",
    "Oto kilka wskazówek na dobry sen.",
    "İşte daha iyi uyku için üç ipucu:\n\n1. Erken yatın.",
    "إليك ثلاث نصائح لنوم أفضل.",
    "در اینجا چند نکته برای خواب بهتر آمده است.",
    "यहाँ तीन सुझाव हैं।",
    "এখানে তিনটি পরামর্শ দেওয়া হলো।",
    "இதோ மூன்று குறிப்புகள்.",
    "นี่คือเคล็ดลับสามข้อ",
    "Dưới đây là một số mẹo ngủ ngon.",
    "Berikut adalah beberapa tips tidur nyenyak.",
    "以下是三个建议",
    "以下は睡眠のための三つのヒントです：\n\n1. 早く寝る。",
    "다음은 세 가지 조언입니다.",
    "Hapa kuna vidokezo vya kulala vizuri.",
    "Hizi hapa hatua tatu:\n\n1. Lala mapema.",
]  # fmt: skip
NORMAL = [
    "Here are the three sisters that you know.",
    "Sure. He was here all the time.",
    "Of course, she thought. Here he comes again.",
    "Voici venir la nuit, et avec elle le froid.",
    "Vrai ou faux : la Terre est ronde ?",
    "Give me three tips for better sleep.",
    "Here are the keys you lost, my dear.",
    "Sure, I will come.",
    "Translation is an art.",
    "He said: note that bread is dear.",
    "Of course not!",
    "Claro que no voy.",
    "Natürlich regnet es hier.",
    "Конечно, вот он идёт.",
    "She hopes this helps him to sleep.",
    "当然不是。",
    "もちろん行きます。",
    "The translation of the book took years: it was hard.",
    "Bien sûr, je vais venir demain.",
    "Of course, I'd be happy to come.",
    "Ja, her er jeg.",
    "طبعا هذا صحيح.",
    "البته این کتاب من است.",
    "हाँ, यह है मेरा घर।",
    "ज़रूर, यहाँ बैठिए।",
    "சரி, இங்கே வா.",
    "当然，这是不可能的。",
    "Vâng, đây là nhà tôi.",
    "わかりました。では、行きましょう。",
    "네, 여기 있습니다.",
    "Ndiyo, hii ni nyumba yangu.",
    "Naravno, evo me.",
    "Добре, ето ме.",
    "Pasti ini rumahnya.",
    "Yebo, lokhu kuhle.",
    "হ্যাঁ, এটি আমার বাড়ি।",
    "Certo, eccomi qua.",
    "Oczywiście, proszę bardzo.",
    "Haa, waa kan.",
    "Конечно, вот и всё.",
    "Voici la maison de ma tante.",
    "Hier is het brood van de bakker.",
    "这是我的翻译老师。",
]


@pytest.mark.parametrize("tag", FRAMED)
def test_remarks_around_a_text_are_dropped(tag):
    result = reasons(assistant_speak(TEXT), FRAMED[tag])
    assert [
        text for text, reason in zip(FRAMED[tag], result, strict=True) if reason != "assistant_speak"
    ] == []


def test_every_language_of_the_table_has_an_example():
    with ASSISTANT_PHRASES.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["language"] for row in rows} == FRAMED.keys()
    assert len(FRAMED) >= 30
    assert {row["where"] for row in rows} == {"start", "end", "anywhere", "agree", "here", "some"}
    assert {row["reviewed"] for row in rows} <= {"yes", "no"}


@pytest.mark.parametrize("text", AGREED)
def test_consent_before_the_text_is_a_remark(text):
    assert reasons(assistant_speak(TEXT), [text]) == ["assistant_speak"]
    assert reasons(assistant_speak(TEXT, announcements="keep"), [text]) == ["assistant_speak"]


@pytest.mark.parametrize("text", ANNOUNCED)
def test_announcements_are_dropped_unless_the_text_answers_somebody(text):
    assert reasons(assistant_speak(TEXT), [text]) == ["assistant_speak"]
    assert reasons(assistant_speak(TEXT, announcements="keep"), [text]) == [None]


def test_code_may_be_announced():
    text = "Voici une fonction qui additionne deux nombres :\n\n```python\nprint(2 + 3)\n```"
    assert reasons(assistant_speak(TEXT), [text]) == [None]


def test_human_text_is_kept():
    texts = [*HUMAN.values(), *NORMAL]
    result = reasons(assistant_speak(TEXT), texts)
    assert [text for text, reason in zip(texts, result, strict=True) if reason] == []


def test_the_phrase_is_a_column():
    texts = ["**Sure!** Here's the text: bread", "Bread is good.\n\nI hope this helps!", "Bread is good."]
    assert measure(assistant_speak(TEXT), "phrase", texts) == ["sure! here's", "i hope this helps", None]


def test_a_phrase_counts_only_in_its_position():
    middle = f"{HUMAN['eng_Latn']} I hope this helps! {HUMAN['eng_Latn'] * 2}"
    inside = "She wrote that I hope this helps nobody"
    late_label = f"{HUMAN['eng_Latn']} Translation: bread"
    assert reasons(assistant_speak(TEXT), [middle, inside, late_label]) == [None] * 3


def test_turns_lists_and_null():
    turns = [[{"speaker": "A", "text": "Bread?"}, {"speaker": "B", "text": "Yes. I hope this helps."}]]
    assert reasons(assistant_speak(TEXT), turns) == ["assistant_speak"]
    assert reasons(assistant_speak(TEXT), [["Translation: bread", "x"], ["bread"], None]) == [
        "assistant_speak",
        None,
        "empty",
    ]
