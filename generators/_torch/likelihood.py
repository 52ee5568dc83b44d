"""The log-probabilities that a model gives to the tokens of texts, in one pass over each."""

from collections.abc import Sequence
from typing import Any

_CHUNK = 128  # positions whose logits are turned into probabilities at once


def token_logprobs(model: Any, ids: Sequence[int], start: int) -> tuple[float, ...]:
    """Return the log-probability of each token from `start` on, given those before it.

    The first token of all has none before it, so it has no log-probability.
    """
    import torch

    start = max(start, 1)
    count = len(ids) - start
    if count < 1:
        return ()
    tokens = torch.tensor([list(ids)], device=model.device)
    logits = model(input_ids=tokens, use_cache=False, logits_to_keep=count + 1).logits[0, :-1]
    found: list[float] = []
    for part, chosen in zip(logits.split(_CHUNK), tokens[0, start:].split(_CHUNK), strict=True):
        values = part.float()
        picked = values.gather(1, chosen[:, None])[:, 0] - values.logsumexp(-1)
        found.extend(picked.tolist())
    return tuple(found)
