"""Write prompts/reasoning/seeds.jsonl: English word problems in the form of GSM8K, with worked answers.

    python tools/reasoning_seeds.py

The wordings come from tools/nano/phrases/eng_Latn.yaml; the numbers are drawn with a fixed seed.
"""

import random
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "nano"))

from make_text import NAMES, PROMPTS, draw_numbers, draw_wording, phrases, solution_text, write_rows

ROWS = 360


def rows(rng: random.Random) -> Iterator[dict[str, str]]:
    """Yield problems with their answers, each question once."""
    wordings = phrases("eng_Latn")
    questions: set[str] = set()
    while len(questions) < ROWS:
        kind, numbers = draw_numbers(rng)
        wording, _ = draw_wording(wordings, kind, rng)
        item = rng.choice(list(wordings["items"].values()))
        question = wording.format(name=rng.choice(NAMES), item=item, **numbers)
        if question not in questions:
            questions.add(question)
            yield {"question": question, "answer": solution_text(wordings, kind, numbers, rng)}


if __name__ == "__main__":
    write_rows(PROMPTS / "reasoning" / "seeds.jsonl", rows(random.Random(2)))
