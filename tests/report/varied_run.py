"""A run of many languages whose numbers all differ, as in a real run: equal ones would compress too well."""

from pathlib import Path
from random import Random
from typing import Any

import polars as pl
from run_folder import make

from glotmill.filters.detectors import version
from glotmill.languages import table
from glotmill.recipes.read import read_recipe
from glotmill.runner.run_folder import Run

SHARDS, SHARD_SIZE = 12, 50
_REASONS = {
    "wrong_language": ("dropped", "answer.language"),
    "mixed_language": ("dropped", "instruction.language"),
    "too_short": ("dropped", "answer.length"),
    "too_long": ("dropped", "instruction.length"),
    "repetition": ("dropped", "answer.repetition"),
    "refusal": ("dropped", "answer.refusal"),
    "truncated": ("dropped", "answer"),
    "unparsed_json": ("dropped", "instruction"),
    "duplicate": ("dropped", "finish.instruction.duplicates"),
    "near_duplicate": ("dropped", "finish.instruction.duplicates"),
    "engine_died": ("failed", "answer"),
}


def varied(folder: Path, languages: int) -> Run:
    """Write a run of that many languages."""
    tags = [language.tag for language in table()[:languages]]
    run = make(folder, texts=dict.fromkeys(tags[:1], ("Why?", "So.")))
    info = run.info() | {
        "versions": {"py3langid": version("py3langid"), "pycld2": version("pycld2")},
        "languages": tags,
        "per_language": SHARDS * SHARD_SIZE // 2,
    }
    info["recipe"] = read_recipe("instruction").resolved()
    run.write_info({name: value for name, value in info.items() if name != "format"})
    for tag in tags:
        rng = Random(tag)
        weights = [rng.random() ** 3 for _ in _REASONS]
        kept, size = rng.uniform(0.4, 0.95), rng.lognormvariate(5, 0.5)
        others = rng.sample(tags, min(len(tags), rng.randint(1, 6)))
        values = [_row(rng, tag, n, weights, kept, size, others) for n in range(SHARDS * SHARD_SIZE)]
        rows = pl.DataFrame(values, infer_schema_length=None)
        for shard in range(SHARDS):
            run.write_rows(f"{tag}-{shard:05}", rows[shard * SHARD_SIZE : (shard + 1) * SHARD_SIZE])
    return run


def _row(
    rng: Random, tag: str, n: int, weights: list[float], kept: float, size: float, others: list[str]
) -> dict[str, Any]:
    reason = None if rng.random() < kept else rng.choices([*_REASONS], weights)[0]
    verdict, reason_at = _REASONS[reason] if reason else ("kept", None)
    length = max(3, int(rng.lognormvariate(0, 0.6) * size))
    question = max(3, int(rng.lognormvariate(0, 0.4) * 60))
    detected = {
        name: tag if rng.random() < 0.97 else rng.choice(others) for name in ("instruction", "answer")
    }
    return {
        "id": f"{rng.getrandbits(64):016x}",
        "row": n,
        "language": tag,
        "topic": "bread",
        "instruction": "q" * question,
        "instruction_tokens": question // 3,
        "answer": "a" * length,
        "answer_tokens": length // 3,
        **{f"{name}_language_detected": language for name, language in detected.items()},
        "answer_language_score": round(rng.random(), 4),
        "verdict": verdict,
        "reason": reason,
        "reason_at": reason_at,
        "instruction_duplicates_first": f"{rng.randint(0, 30):016x}"
        if reason and "duplicate" in reason
        else None,
    }
