"""The mask of scripts under both interfaces of vLLM, without an engine."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

# vLLM's own: it uses what torch is about to remove.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def tokenizer(nano: Path) -> Any:
    return AutoTokenizer.from_pretrained(nano)


@pytest.fixture
def mask(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    from glotmill.generators._vllm import script_mask

    monkeypatch.setattr(script_mask, "cached_tokenizer_from_config", lambda config: tokenizer)
    state = SimpleNamespace(device=torch.device("cpu"), max_num_reqs=8)
    return script_mask.ScriptMask(SimpleNamespace(model_config=None), state)


def asking_for(*scripts: str, after: int = -1) -> Any:
    from glotmill.generators._vllm.script_mask import ARGUMENT

    given = {ARGUMENT: {"scripts": list(scripts), "after": after}}
    return SimpleNamespace(extra_args=given if scripts else None)


def batch(*slots: int, fed: int = 9) -> Any:
    """The rows of a step. fed: the token that each row follows."""
    ids = torch.full((len(slots),), fed)
    return SimpleNamespace(idx_mapping_np=np.array(slots), input_ids=ids)


def test_only_rows_that_ask_are_masked(mask: Any, tokenizer: Any) -> None:
    """As the runner for GPUs calls it: requests have slots, and rows of the logits point to them."""
    assert mask.add_request(7, asking_for("Deva"))
    assert not mask.add_request(2, asking_for())
    logits = mask.apply(torch.zeros(2, len(tokenizer) + 8), batch(2, 7))
    assert torch.equal(logits[0], torch.zeros(len(tokenizer) + 8))
    ruled_out = logits[1].isneginf()
    latin, hindi, digit = (tokenizer.encode(text)[0] for text in (" the", " है", "7"))
    assert ruled_out[latin]
    assert not ruled_out[hindi]
    assert not ruled_out[digit]
    assert not ruled_out[tokenizer.eos_token_id]
    assert ruled_out[-8:].all()  # no token of the tokenizer


def test_several_rows_of_one_request_and_a_slot_used_again(mask: Any, tokenizer: Any) -> None:
    mask.add_request(0, asking_for("Cyrl"))
    rows = batch(0)
    rows.expanded_idx_mapping, rows.input_ids = torch.tensor([0, 0]), torch.tensor([9, 9])
    assert mask.apply(torch.zeros(2, len(tokenizer)), rows).isneginf().any(dim=1).all()
    mask.add_request(0, asking_for())
    assert not mask.apply(torch.zeros(2, len(tokenizer)), rows).isneginf().any()


def test_a_row_that_would_be_left_without_tokens_stays_as_it_is(mask: Any, tokenizer: Any) -> None:
    mask.add_request(0, asking_for("Deva"))
    logits = torch.full((1, len(tokenizer)), -torch.inf)
    latin = tokenizer.encode(" the")[0]
    logits[0, latin] = 1.0
    after = mask.apply(logits.clone(), batch(0))
    assert torch.equal(after, logits)


def test_thoughts_are_free(mask: Any, tokenizer: Any) -> None:
    mask.add_request(0, asking_for("Deva", after=77))
    mask.add_request(1, asking_for("Deva"))
    free = [
        [not row.isneginf().any() for row in mask.apply(torch.zeros(2, len(tokenizer)), batch(0, 1, fed=fed))]
        for fed in (9, 77, 9)
    ]
    assert free == [[True, False], [False, False], [False, False]]
