"""Rules letters of other scripts out while vLLM samples.

A processor of logits instead of `allowed_token_ids`: a script leaves 100,000 ids and more, which vLLM would
copy, check and send for each request, and of which its runner for GPUs takes 1,024.
"""

from collections.abc import Sequence
from typing import Any

import torch
from vllm.tokenizers import cached_tokenizer_from_config
from vllm.v1.sample.logits_processor import LogitsProcessor, process_dict_updates
from vllm.v1.worker.gpu.sample.logits_processor import LogitsProcessor as LogitsProcessorV2

from glotmill.generators._shared.scripts import allowed_ids

ARGUMENT = "glotmill_allowed_scripts"  # of SamplingParams.extra_args


class ScriptMask(LogitsProcessor, LogitsProcessorV2):  # type: ignore[misc]
    """Follows the interfaces of both of vLLM's model runners, V1 and V2.

    Rows of the batch without the argument stay as they are. So does a row of which a constraint has left no
    token in an allowed script.
    """

    def __init__(self, vllm_config: Any, place: Any, is_pin_memory: bool = False) -> None:
        """place: the device (V1), or the state of the requests, which has it (V2)."""
        self.tokenizer = cached_tokenizer_from_config(vllm_config.model_config)
        self.device = getattr(place, "device", place)
        self.scripts: dict[int, tuple[str, ...]] = {}  # by row (V1) or slot (V2)
        self.masks: dict[tuple[str, ...], Any] = {}  # (vocabulary,), true for tokens that are ruled out

    def is_argmax_invariant(self) -> bool:
        """Return that it changes which token is the likeliest."""
        return False

    def update_state(self, batch_update: Any) -> None:
        """Follow the rows of the batch (V1)."""
        process_dict_updates(self.scripts, batch_update, lambda params, *_: _scripts(params))

    def add_request(self, req_idx: int, sampling_params: Any) -> bool:
        """Take a request into a slot (V2)."""
        self.scripts.pop(req_idx, None)
        if scripts := _scripts(sampling_params):
            self.scripts[req_idx] = scripts
        return scripts is not None

    def apply(self, logits: Any, ctx: Any = None) -> Any:
        """Rule tokens out; logits: (rows, vocabulary)."""
        if not self.scripts:
            return logits
        rows: dict[tuple[str, ...], list[int]] = {}
        for row, key in enumerate(_keys(logits, ctx)):
            if scripts := self.scripts.get(key):
                rows.setdefault(scripts, []).append(row)
        for scripts, numbers in rows.items():
            before = logits if len(numbers) == len(logits) else logits[numbers]
            after = before.masked_fill(self._mask(scripts, logits.shape[-1]), -torch.inf)
            after = torch.where(after.isneginf().all(dim=-1, keepdim=True), before, after)
            logits[numbers] = after
        return logits

    def _mask(self, scripts: tuple[str, ...], vocabulary: int) -> Any:
        if scripts not in self.masks:
            special = set(self.tokenizer.all_special_ids) | set(self.tokenizer.get_added_vocab().values())
            ids = range(min(len(self.tokenizer), vocabulary))
            texts = self.tokenizer.batch_decode([[token] for token in ids])
            mask = torch.ones(vocabulary, dtype=torch.bool)
            mask[allowed_ids(["" if i in special else texts[i] for i in ids], scripts)] = False
            self.masks[scripts] = mask.to(self.device)
        return self.masks[scripts]


def _scripts(params: Any) -> tuple[str, ...] | None:
    scripts = (params.extra_args or {}).get(ARGUMENT)
    return tuple(scripts) if scripts else None


def _keys(logits: Any, ctx: Any) -> Sequence[int]:
    """Return the key of each row in `scripts`; on a GPU without waiting for it, where a row is a request."""
    if ctx is None:
        return range(len(logits))
    if len(ctx.idx_mapping_np) == len(logits):
        return list(map(int, ctx.idx_mapping_np))
    return list(map(int, ctx.expanded_idx_mapping.tolist()))
