"""What transformers' own scripts read."""

from collections.abc import Callable
from typing import Any

from glotmill.runner.run_folder import Run


def test_translation(run: Run, exported: Callable[..., Any]) -> None:
    from datasets import Translation

    rows = exported("translation", "arb_Arab", source="question", target="problem")
    assert rows.features["translation"] == Translation(languages=["ar", "en"])
    # as examples/pytorch/translation/run_translation.py takes them
    source_lang, target_lang = "en", "ar"
    inputs = [row[source_lang] for row in rows["translation"]]
    targets = [row[target_lang] for row in rows["translation"]]
    assert set(inputs) <= set(run.frame("arb_Arab")["question"])
    assert all(text and not text.isascii() for text in targets)
