"""Chooses the next token of every row of a batch, each with its own parameters and its own random numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

_NEVER = float("-inf")
_HEAD = 256  # how many of the likeliest tokens are looked at before all of them are


@dataclass(slots=True, eq=False)
class Choice:
    """How one row is sampled, and what it has said."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    repetition_penalty: float = 1.0
    min_tokens: int = 0
    logprobs: int | None = None
    seed: int = 0
    prompt: Sequence[int] = ()
    tokens: list[int] = field(default_factory=list)  # of the reply
    told: list[float] = field(default_factory=list)  # their logprobs, if asked for
    grammar: Any = None  # an xgrammar.GrammarMatcher
    dice: Random = field(init=False)

    def __post_init__(self) -> None:
        self.dice = Random(self.seed)  # noqa: S311 no secret


def next_tokens(logits: Any, rows: Sequence[Choice], ends: Sequence[int]) -> list[int]:
    """One token per row; notes their logprobs where asked for. Not yet added to the rows.

    logits: rows x vocabulary, float32; changed in place. ends: tokens that end a reply. A row's token
    depends on its own logits, parameters and seed alone: a number is drawn, and its place in the cumulated
    probabilities is the token.
    """
    import torch

    raw = torch.log_softmax(logits, -1) if any(row.logprobs is not None for row in rows) else None
    for index, row in enumerate(rows):
        _adjust(logits[index], row, ends)
    warm = torch.tensor([row.temperature or 1.0 for row in rows], device=logits.device)
    best = logits.argmax(-1)
    probs = torch.softmax(logits / warm[:, None], -1)
    probs = _cut(probs, rows)
    sums = probs.double().cumsum(-1)
    drawn = torch.tensor([row.dice.random() for row in rows], dtype=torch.double, device=logits.device)
    found = torch.searchsorted(sums, (drawn * sums[:, -1])[:, None], right=True)[:, 0]
    greedy = torch.tensor([row.temperature == 0 for row in rows], device=logits.device)
    chosen = torch.where(greedy, best, found.clamp_(max=logits.shape[-1] - 1))
    if raw is not None:
        told = raw.gather(1, chosen[:, None])[:, 0].tolist()
        for row, logprob in zip(rows, told, strict=True):
            if row.logprobs is not None:
                row.told.append(logprob)
    return list(map(int, chosen.tolist()))


def _adjust(logits: Any, row: Choice, ends: Sequence[int]) -> None:
    """Penalties, the least length and the grammar of one row, in place."""
    import torch

    if len(row.tokens) < row.min_tokens:
        logits[list(ends)] = _NEVER
    if row.repetition_penalty != 1:
        seen = torch.tensor(sorted({*row.prompt, *row.tokens}), device=logits.device)
        values = logits[seen]
        logits[seen] = torch.where(
            values > 0, values / row.repetition_penalty, values * row.repetition_penalty
        )
    if row.tokens and (row.presence_penalty or row.frequency_penalty):
        said, counts = torch.tensor(row.tokens, device=logits.device).unique(return_counts=True)
        logits[said] -= row.presence_penalty + row.frequency_penalty * counts
    if row.grammar is not None:
        import xgrammar

        allowed = xgrammar.allocate_token_bitmask(1, logits.shape[-1])
        row.grammar.fill_next_token_bitmask(allowed)
        xgrammar.apply_token_bitmask_inplace(logits[None], allowed.to(logits.device))


def _cut(probs: Any, rows: Sequence[Choice]) -> Any:
    """Sets to zero what top_k, top_p and min_p leave out."""
    import torch

    size = probs.shape[-1]

    def column(values: list[float]) -> Any:
        return torch.tensor(values, device=probs.device)[:, None]

    top_p = column([row.top_p for row in rows])
    top_k = column([row.top_k if 0 < row.top_k < size else size for row in rows])
    min_p = column([row.min_p for row in rows])
    whole = (top_p >= 1) & (top_k >= size) & (min_p <= 0)
    if whole.all():
        return probs
    ordered = probs.topk(min(_HEAD, size)).values
    least = _least(ordered, top_p, top_k, min_p)
    by_mass = (top_k >= size) & (
        (ordered.sum(-1, keepdim=True) > top_p) | (ordered[:, -1:] < min_p * ordered[:, :1])
    )
    flat = (~(whole | by_mass | (top_k <= ordered.shape[-1])))[:, 0].nonzero()[:, 0]
    if len(flat):  # these are cut below their likeliest tokens; to sort all is slow
        ordered = probs[flat].sort(descending=True).values
        least[flat] = _least(ordered, top_p[flat], top_k[flat], min_p[flat])
    return probs.masked_fill((probs < least) & ~whole, 0)


def _least(ordered: Any, top_p: Any, top_k: Any, min_p: Any) -> Any:
    """The smallest probability that each row keeps of its `ordered` ones."""
    import torch

    ordered = ordered.masked_fill(torch.arange(ordered.shape[-1], device=ordered.device) >= top_k, 0)
    within = ordered.sum(-1, keepdim=True)  # top_p is of what top_k leaves
    mass = torch.where(top_k <= ordered.shape[-1], within, 1.0)
    before = (ordered.cumsum(-1) - ordered) / mass
    out = (before >= top_p) | (ordered < min_p * ordered[:, :1]) | (ordered == 0)
    return ordered.masked_fill(out, 2.0).amin(-1, keepdim=True)
