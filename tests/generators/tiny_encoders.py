"""Tiny real encoders with random weights, made for tests: two layers over a vocabulary of letters."""

from pathlib import Path
from typing import Any

TEMPLATE = "{% for message in messages %}{{ message.role[0] }} {{ message.content }} {% endfor %}"


def make_encoder(folder: Path, labels: int = 0, chat_template: str = "") -> Path:
    """Save a BERT and its tokenizer; with `labels`, one that classifies."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizerFast

    letters = "abcdefghijklmnopqrstuvwxyz"
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters)]
    folder.mkdir(parents=True, exist_ok=True)
    numbers = {token: number for number, token in enumerate(vocabulary)}
    tokenizer = BertTokenizerFast(vocab=numbers, model_max_length=64)
    if chat_template:
        tokenizer.chat_template = chat_template
    tokenizer.save_pretrained(folder)
    sizes: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = BertConfig(
        vocab_size=len(vocabulary),
        intermediate_size=64,
        max_position_embeddings=64,
        **sizes,
        **({"num_labels": labels} if labels else {}),
    )
    torch.manual_seed(0)
    network = BertForSequenceClassification(config) if labels else BertModel(config)
    network.save_pretrained(folder)
    return folder
