"""Rules letters of other scripts out while vLLM samples.

A processor of logits instead of `allowed_token_ids`: a script leaves 10,000 ids and more, which vLLM would
copy, check and send for each request, and of which its runner for GPUs takes 1,024.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from vllm.tokenizers import cached_tokenizer_from_config
from vllm.v1.sample.logits_processor import LogitsProcessor, process_dict_updates
from vllm.v1.worker.gpu.sample.logits_processor import LogitsProcessor as LogitsProcessorV2

from glotmill.generators._shared.scripts import allowed_ids

ARGUMENT = "glotmill_allowed_scripts"  # of SamplingParams.extra_args: scripts, after


@dataclass(eq=False)
class _Rule:
    """What holds for one request. after: the token that ends its thoughts, or -1 if there are none."""

    scripts: tuple[str, ...]
    after: int
    output: Sequence[int]  # its tokens so far (V1)

    @property
    def holds(self) -> bool:
        return self.after < 0 or self.after in self.output


class ScriptMask(LogitsProcessor, LogitsProcessorV2):  # type: ignore[misc]
    """Follows the interfaces of both of vLLM's model runners, V1 and V2.

    Rows of the batch without the argument stay as they are. So does a row of which a constraint has left no
    token in an allowed script, and one whose thoughts have not ended.
    """

    def __init__(self, vllm_config: Any, place: Any, is_pin_memory: bool = False) -> None:
        """place: the device (V1), or the state of the requests, which has it (V2)."""
        self.tokenizer = cached_tokenizer_from_config(vllm_config.model_config)
        self.device = getattr(place, "device", place)
        self.rules: dict[int, _Rule] = {}  # by row (V1) or slot (V2)
        self.masks: dict[tuple[str, ...], Any] = {}  # (vocabulary,), true for tokens that are ruled out
        slots = getattr(place, "max_num_reqs", 0)
        self.ended = torch.ones(slots, dtype=torch.bool, device=self.device)  # thoughts of a slot (V2)

    def is_argmax_invariant(self) -> bool:
        """Return that it changes which token is the likeliest."""
        return False

    def update_state(self, batch_update: Any) -> None:
        """Follow the rows of the batch (V1)."""
        process_dict_updates(self.rules, batch_update, lambda params, _, output: _rule(params, output))

    def add_request(self, req_idx: int, sampling_params: Any) -> bool:
        """Take a request into a slot (V2)."""
        self.rules.pop(req_idx, None)
        if rule := _rule(sampling_params, ()):
            self.rules[req_idx] = rule
            self.ended[req_idx] = rule.after < 0
        return rule is not None

    def apply(self, logits: Any, ctx: Any = None) -> Any:
        """Rule tokens out; logits: (rows, vocabulary)."""
        groups: dict[tuple[str, ...], list[int]] = {}
        keys = _keys(logits, ctx) if self.rules else ()
        for row, key in enumerate(keys):
            if (rule := self.rules.get(key)) and (ctx is not None or rule.holds):
                groups.setdefault(rule.scripts, []).append(row)
        for scripts, rows in groups.items():
            part = logits if len(rows) == len(logits) else logits[rows]
            mask = self._mask(scripts, logits.shape[-1])
            rule_out = (~mask & (part > -torch.inf)).any(dim=-1)
            if ctx is not None:
                rule_out &= self._ended(rows, [keys[row] for row in rows], ctx)
            part.masked_fill_(mask & rule_out.unsqueeze(-1), -torch.inf)
            if part is not logits:
                logits[rows] = part
        return logits

    def _ended(self, rows: list[int], slots: list[int], ctx: Any) -> Any:
        """Return for each row whether its thoughts have ended (V2), without waiting for the device."""
        after = torch.tensor([self.rules[slot].after for slot in slots], device=self.device)
        self.ended[slots] |= ctx.input_ids[rows] == after
        return self.ended[slots]

    def _mask(self, scripts: tuple[str, ...], vocabulary: int) -> Any:
        if scripts not in self.masks:
            special = set(self.tokenizer.all_special_ids) | set(self.tokenizer.get_added_vocab().values())
            ids = range(min(len(self.tokenizer), vocabulary))
            texts = self.tokenizer.batch_decode([[token] for token in ids])
            mask = torch.ones(vocabulary, dtype=torch.bool)
            mask[allowed_ids(["" if i in special else texts[i] for i in ids], scripts)] = False
            self.masks[scripts] = mask.to(self.device)
        return self.masks[scripts]


def _rule(params: Any, output: Sequence[int]) -> _Rule | None:
    given = (params.extra_args or {}).get(ARGUMENT)
    return _Rule(tuple(given["scripts"]), given["after"], output) if given else None


def _keys(logits: Any, ctx: Any) -> Sequence[int]:
    """Return the key of each row in `rules`; on a GPU without waiting for it, where a row is a request."""
    if ctx is None:
        return range(len(logits))
    if len(ctx.idx_mapping_np) == len(logits):
        return list(map(int, ctx.idx_mapping_np))
    return list(map(int, ctx.expanded_idx_mapping.tolist()))
