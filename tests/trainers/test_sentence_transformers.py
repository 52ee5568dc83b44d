"""sentence-transformers takes a real step of training from exported files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nano import settings, takes_a_step


def embedder() -> Any:
    """Random vectors of the tokens of the model that ships: nothing is loaded from anywhere."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    from glotmill.generators._shared.loading import model_path

    tokenizer = Tokenizer.from_file(str(Path(model_path("glotmill-nano")) / "tokenizer.json"))
    return SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=32)], device="cpu")


@pytest.mark.parametrize(
    ("name", "columns", "options"),
    [
        ("st-pairs", ["anchor", "positive"], {}),
        ("st-pairs", ["anchor", "positive"], {"anchor": "question", "positive": "problem"}),
        ("st-triplets", ["anchor", "positive", "negative"], {}),
        ("st-triplets", ["anchor", "positive", "negative"], {"negative": "rejected"}),
    ],
)
def test_a_step(
    exported: Callable[..., Any], tmp_path: Path, name: str, columns: list[str], options: dict[str, str]
) -> None:
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    rows = exported(name, **options)
    assert rows.column_names == columns
    model = embedder()
    args = SentenceTransformerTrainingArguments(**settings(tmp_path / "out"))
    trainer = SentenceTransformerTrainer(
        model, args=args, train_dataset=rows, loss=MultipleNegativesRankingLoss(model)
    )
    assert takes_a_step(trainer) > 0
