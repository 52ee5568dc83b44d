"""Make generators/_shared/fertility.csv: how many tokens a language needs, measured with any tokenizer.

    python tools/fertility.py WORDS PARALLEL TOKENIZER [TOKENIZER ...]

WORDS: a folder with `text/TAG.txt`, running text of each language, and `prov/TAG.txt`, each line's source.
PARALLEL: a folder of translations, one file a language named by its tag; line n says the same in every file.
TOKENIZER: a `tokenizer.json`.

Columns: `length`, characters for the same content, English being 1; `usual`, tokens for the same content,
English being 1, as the geometric mean over the tokenizers; `words`, single words drawn from running text, of
each length as many as the text has, in the order of their lengths (long ones are cut in scripts without
spaces). A row named by a script alone is the mean of its languages, for those without a row.

The shipped table: words of 2,000 lines of public text per language (lid-train of this project's data, without
its interface strings where there is other text), lengths and tokens from 400 sentences of FLORES-200 (NLLB
Team, 2022), tokenizers of Qwen2.5 and Gemma 3.
"""

import argparse
import csv
import random
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from glotmill.errors import RecipeError
from glotmill.generators._shared.fertility import TABLE, UNSPACED
from glotmill.languages import find, table

WORDS, ENGLISH_WORDS = 40, 240  # English is what all others are divided by
LINES = 2000
NO_WORD = re.compile(
    r"[@/_#<>{}\\|\x00-\x1f\x7f-\x9f\ufffd\ue000-\uf8ff]|www|\d{5}"
)  # addresses, names of users, code
LONGEST, CUT = 24, 12  # characters of a word


def own_lines(folder: Path, tag: str) -> list[str]:
    """Return lines of running text in random order, without strings of interfaces where others suffice."""
    file = folder / "text" / f"{tag}.txt"
    if not file.exists():
        return []
    lines = file.read_text(encoding="utf-8").split("\n")
    sources = (folder / "prov" / f"{tag}.txt").read_text(encoding="utf-8").split("\n")
    prose = [line for line, source in zip(lines, sources, strict=False) if not source.startswith("ui")]
    chosen = prose if len(prose) >= 300 else lines
    random.Random(1).shuffle(chosen)
    return chosen[:LINES]


def words(lines: list[str], script: str, count: int) -> list[str]:
    """Return so many words, evenly spread over the lengths that words of the text have."""
    found = []
    longest = CUT if script in UNSPACED else LONGEST
    for word in (word for line in lines for word in line.split() if not NO_WORD.search(word)):
        found += [word] if len(word) <= longest else [word[i : i + CUT] for i in range(0, len(word), CUT)]
    random.Random(2).shuffle(found)
    found.sort(key=len)
    return [found[int((i + 0.5) * len(found) / count)] for i in range(count)] if found else []


def parallel_texts(folder: Path) -> dict[str, list[str]]:
    """Return the lines of each language that the language table has."""
    texts: dict[str, list[str]] = {}
    for file in sorted(folder.glob("*.txt")):
        try:
            tag = find(file.stem).tag
        except RecipeError:
            continue
        texts.setdefault(tag, file.read_text(encoding="utf-8").splitlines())
    return texts


def ratios(sizes: dict[str, float]) -> dict[str, float]:
    """Return sizes as multiples of English."""
    return {tag: size / sizes["eng_Latn"] for tag, size in sizes.items()}


def main(source: Path, parallel: Path, tokenizers: list[Path]) -> None:
    """Write the table."""
    texts = parallel_texts(parallel)
    length = ratios({tag: sum(map(len, lines)) for tag, lines in texts.items()})
    tokens = []
    for file in tokenizers:
        encode = Tokenizer.from_file(str(file)).encode_batch
        sizes = {
            tag: sum(len(e.ids) for e in encode(lines, add_special_tokens=False))
            for tag, lines in texts.items()
        }
        tokens.append(ratios(sizes))
    usual = {tag: float(np.exp(np.mean([np.log(each[tag]) for each in tokens]))) for tag in texts}
    of_script: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for tag in texts:
        of_script[tag[4:]].append((length[tag], usual[tag]))
    mean = {script: np.exp(np.log(values).mean(axis=0)) for script, values in of_script.items()}
    rows = [(script, *values, []) for script, values in mean.items()]
    for language in table():
        tag, script = language.tag, language.script
        count = ENGLISH_WORDS if tag == "eng_Latn" else WORDS
        drawn = words(own_lines(source, tag), script, count)
        if tag in texts or (drawn and script in mean):
            rows.append((tag, *((length[tag], usual[tag]) if tag in texts else mean[script]), drawn))
    with TABLE.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["language", "length", "usual", "words"])
        writer.writerows((tag, f"{a:.3f}", f"{b:.2f}", " ".join(drawn)) for tag, a, b, drawn in sorted(rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", type=Path)
    parser.add_argument("parallel", type=Path)
    parser.add_argument("tokenizers", type=Path, nargs="+")
    given = parser.parse_args()
    main(given.words, given.parallel, given.tokenizers)
