"""The model that ships, as a trainer opens it, and what one step of training must do to it."""

import math
from pathlib import Path
from typing import Any

from glotmill.generators._shared.loading import model_path


def opened() -> tuple[Any, Any]:
    """The model and its tokenizer with its chat template."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    place = model_path("glotmill-nano")
    model = AutoModelForCausalLM.from_pretrained(place, dtype=torch.float32)
    return model, AutoTokenizer.from_pretrained(place)


def settings(folder: Path) -> dict[str, Any]:
    """One step of four rows on the CPU, which writes nothing and reports to nobody."""
    return {
        "output_dir": str(folder),
        "max_steps": 1,
        "per_device_train_batch_size": 4,
        "learning_rate": 1e-3,
        "warmup_steps": 0,
        "use_cpu": True,
        "bf16": False,
        "gradient_checkpointing": False,
        "report_to": "none",
        "save_strategy": "no",
        "disable_tqdm": True,
    }


def takes_a_step(trainer: Any) -> float:
    """Train one step, and return the loss. It must be finite, and every weight must have changed."""
    before = {name: value.detach().clone() for name, value in trainer.model.named_parameters()}
    loss = float(trainer.train().training_loss)
    assert trainer.state.global_step == 1
    assert math.isfinite(loss)
    same = [name for name, value in trainer.model.named_parameters() if before[name].equal(value)]
    assert not same, f"loss {loss}: unchanged {same}"
    return loss
