"""A run folder with texts in many scripts, as a model would write them: right, wrong and hostile."""

import json
from hashlib import blake2b
from pathlib import Path
from typing import Any

import polars as pl

from glotmill.runner.run_folder import Run

TEXTS = {
    "eng_Latn": (
        "Why does bread rise in the oven?",
        "Because the gas in the dough grows with the heat.\nFirst slowly, then fast, until the yeast dies.",
    ),
    "arb_Arab": (
        "لِماذا يَنتفِخ الخُبز في الفُرن؟",
        "HTML ليس السبب! لأن الغاز في العجين يتمدد مع الحرارة.\nأولًا ببطء، ثم: عند 60 درجة تموت الخميرة.",
    ),
    "urd_Arab": (
        "تندور میں روٹی کیوں پھولتی ہے؟",
        "کیونکہ آٹے میں موجود گیس گرمی سے پھیلتی ہے۔ پہلے آہستہ، پھر تیزی سے۔",
    ),
    "hin_Deva": (
        "तंदूर में रोटी क्यों फूलती है?",
        "क्योंकि आटे की गैस गर्मी से फैलती है। पहले धीरे, फिर तेज़ी से।",
    ),
    "zho_Hans": ("面包在烤箱里为什么会膨胀？", "因为面团里的气体受热膨胀。一开始很慢，后来很快。"),
    "tha_Thai": ("ทำไมขนมปังจึงพองตัวในเตาอบ", "เพราะแก๊สในแป้งขยายตัวเมื่อได้รับความร้อน ตอนแรกช้า แล้วก็เร็วขึ้น"),
    "yor_Latn": (
        "Kí ló dé tí búrẹ́dì fi ń wú nínú ààrò?",
        "Nítorí pé olùkọ́ sọ bẹ́ẹ̀: afẹ́fẹ́ inú ìyẹ̀fun ń gbòòrò nínú ooru.",
    ),
}
HOSTILE = (
    "<script>document.title = 'taken'</script>",
    "<img src=x onerror=\"document.title = 'taken'\"> <b>bold</b>",
    "</script><script>document.title = 'taken'</script><!--",
    "pay \u202e001 euro\u202c, {{ 7 * 7 }} {% raw %} ]]> &lt;i&gt; \x00\x1b[31m",
    "<a href='javascript:document.title=1'>x</a><style>body{display:none}</style>",
)
RECIPE = {
    "about": "Questions and answers, with <b>markup</b> & 'quotes'.",
    "papers": ["A paper <i>about</i> bread"],
    "seeds": "seeds.jsonl",
    "steps": [
        {"generate": "question", "tries": 2, "temperature": 0.9, "expect": [{"filter": "length"}]},
        {"generate": "answer"},
        {"filter": "language", "of": "answer"},
    ],
    "finish": [{"filter": "duplicates", "of": "question"}],
    "output": {"messages": {"user": "question", "assistant": "answer"}, "columns": ["topic"]},
    "name": "bread",
}


def make(
    folder: Path, rows: int = 50, shard_size: int = 10, texts: dict[str, tuple[str, str]] | None = None
) -> Run:
    """Write a run: of every ten rows one is a copy, one in the wrong language, one broken, one failed.

    rows: of each language. texts: language -> question and answer.
    """
    texts = texts or TEXTS
    run = Run(folder)
    folder.mkdir(parents=True, exist_ok=True)
    run.write_info(
        {
            "recipe": RECIPE,
            "templates": {tag: {} for tag in texts},
            "seeds": "/home/someone/seeds.jsonl",
            "languages": list(texts),
            "per_language": rows // 2,
            "model": "org/model",
            "revision": "abc123",
            "engine": "vllm",
            "engine_args": {"max_model_len": 4096},
            "shard_size": shard_size,
            "versions": {"python": "3.11", "glotmill": "0.1.0"},
        }
    )
    for tag in texts:
        values = [_row(tag, n, *texts[tag]) for n in range(rows)]
        table = pl.DataFrame(values, infer_schema_length=None)
        for start in range(0, rows, shard_size):
            run.write_rows(f"{tag}-{start // shard_size:05}", table[start : start + shard_size])
        kept = table.filter(verdict="kept").head(rows // 2)
        dataset = folder / "dataset" / tag
        dataset.mkdir(parents=True, exist_ok=True)
        kept.select("id", "question", "answer").write_parquet(dataset / "train-00000-of-00001.parquet")
        _journal(folder, tag, values)
    return run


def _row(tag: str, n: int, question: str, answer: str) -> dict[str, Any]:
    fate = n % 10
    reason = {6: "duplicate", 7: "wrong_language", 8: "unparsed_json", 9: "engine_died"}.get(fate)
    other = TEXTS["eng_Latn" if tag != "eng_Latn" else "arb_Arab"][1]
    text = other if fate == 7 else HOSTILE[(n // 10) % len(HOSTILE)] if fate == 5 else f"{answer} {n}"
    return {
        "id": blake2b(f"{tag}{n}".encode(), digest_size=8).hexdigest(),
        "row": n,
        "language": tag,
        "seed_key": f"{n:024x}",
        "topic": "bread & baking",
        "question": f"{question} {n // 2 if fate == 6 else n}",
        "question_prompt": "ask",
        "question_tokens": 9 + n % 7,
        "answer": None if fate >= 8 else text,
        "answer_raw": '{"half": "an answer' if fate == 8 else None,
        "answer_tokens": 0 if fate == 9 else 30 + n % 11,
        "answer_language_detected": None if fate >= 8 else ("eng_Latn" if fate == 7 else tag),
        "answer_language_score": None if fate >= 8 else (0.01 if fate == 7 else round(0.5 + n % 50 / 100, 3)),
        "verdict": "failed" if fate == 9 else "dropped" if reason else "kept",
        "reason": reason,
        "reason_at": {6: "finish.question.duplicates", 7: "answer.language"}.get(
            fate, "answer" if reason else None
        ),
        "question_duplicates_first": f"{n - n % 10:016x}" if fate == 6 else None,
    }


def _journal(folder: Path, tag: str, rows: list[dict[str, Any]]) -> None:
    (folder / "replies").mkdir(exist_ok=True)
    with (folder / "replies" / f"{tag}-00000.jsonl").open("w", encoding="utf-8") as file:
        for row in rows:
            for step in ("question", "answer"):
                line: dict[str, Any] = {"key": f"{row['id']}{step}", "step": step, "text": row[step] or ""}
                line |= {"prompt_tokens": 20, "completion_tokens": row[f"{step}_tokens"], "seconds": 0.5}
                if step == "answer" and row["verdict"] == "failed":
                    line = {"key": line["key"], "step": step, "failure": "engine_died", "tries": 3}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
