"""Samples the next token of each row of a batch, with its own parameters and random numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from glotmill.generators._torch.thoughts import ThoughtState

_NEVER = float("-inf")
_HEAD = 256  # likeliest tokens to examine before sorting the whole vocabulary


@dataclass(slots=True, eq=False)
class TokenSampler:
    """Sampling parameters of one row, its random numbers, and the tokens sampled so far."""

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
    logprob_values: list[float] = field(default_factory=list)  # log-probabilities of `tokens`, if requested
    grammar: Any = None  # an xgrammar.GrammarMatcher
    forbidden: Any = None  # (vocabulary,), true for tokens that never come
    forbidden_in_answer: Any = None  # the same for tokens outside of thoughts
    logit_bias: Mapping[int, float] = field(default_factory=dict)  # added to a token's logit
    bad_words: Sequence[Sequence[int]] = ()  # tokens that do not come in this order
    ends: Sequence[int] = ()  # further tokens that end the reply
    thoughts: ThoughtState | None = None
    random: Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311 no secret

    @property
    def is_answering(self) -> bool:
        """Whether the next token is outside of thoughts, where constraints hold."""
        return self.thoughts is None or not (self.thoughts.inside or self.thoughts.forced)


def next_tokens(logits: Any, rows: Sequence[TokenSampler], ends: Sequence[int]) -> list[int]:
    """Return one token per row, and record its log-probability where requested. The caller appends the token.

    logits: (rows, vocabulary), float32, changed in place. ends: tokens that end a reply.
    Inverse-transform sampling: one uniform number is drawn per row, and the token is the position at which
    the row's cumulative probabilities (in float64) reach it. So a token depends only on the logits,
    parameters and seed of its row, never on the rest of the batch.
    """
    import torch

    raw = torch.log_softmax(logits, -1) if any(row.logprobs is not None for row in rows) else None
    for index, row in enumerate(rows):
        _apply_penalties(logits[index], row, ends)
    temperatures = torch.tensor([row.temperature or 1.0 for row in rows], device=logits.device)
    best = logits.argmax(-1)
    probs = torch.softmax(logits / temperatures[:, None], -1)
    probs = _truncate(probs, rows)
    sums = probs.double().cumsum(-1)
    drawn = torch.tensor([row.random.random() for row in rows], dtype=torch.double, device=logits.device)
    drawn_tokens = torch.searchsorted(sums, (drawn * sums[:, -1])[:, None], right=True)[:, 0]
    greedy = torch.tensor([row.temperature == 0 for row in rows], device=logits.device)
    chosen = torch.where(greedy, best, drawn_tokens.clamp_(max=logits.shape[-1] - 1))
    for index, row in enumerate(rows):
        if row.thoughts is not None and (forced := row.thoughts.next_forced()) is not None:
            chosen[index] = forced
    if raw is not None:
        logprob_values = raw.gather(1, chosen[:, None])[:, 0].tolist()
        for row, logprob in zip(rows, logprob_values, strict=True):
            if row.logprobs is not None:
                row.logprob_values.append(logprob)
    return list(map(int, chosen.tolist()))


def _apply_penalties(logits: Any, row: TokenSampler, ends: Sequence[int]) -> None:
    """Apply the penalties, minimum length and grammar of one row to its logits, in place."""
    import torch

    if len(row.tokens) < row.min_tokens:
        logits[[*ends, *row.ends]] = _NEVER
    if row.repetition_penalty != 1:
        seen = torch.tensor(sorted({*row.prompt, *row.tokens}), device=logits.device)
        values = logits[seen]
        logits[seen] = torch.where(
            values > 0, values / row.repetition_penalty, values * row.repetition_penalty
        )
    if row.tokens and (row.presence_penalty or row.frequency_penalty):
        token_ids, counts = torch.tensor(row.tokens, device=logits.device).unique(return_counts=True)
        logits[token_ids] -= row.presence_penalty + row.frequency_penalty * counts
    for token, bias in row.logit_bias.items():
        logits[token] += bias
    for word in row.bad_words:
        if list(row.tokens[len(row.tokens) - len(word) + 1 :]) == list(word[:-1]):
            logits[word[-1]] = _NEVER
    if row.forbidden is not None:
        logits[row.forbidden] = _NEVER
    if row.is_answering:
        _apply_constraints(logits, row)


def _apply_constraints(logits: Any, row: TokenSampler) -> None:
    if row.forbidden_in_answer is not None:
        logits[row.forbidden_in_answer] = _NEVER
    if row.grammar is not None:
        import xgrammar

        allowed = xgrammar.allocate_token_bitmask(1, logits.shape[-1])
        row.grammar.fill_next_token_bitmask(allowed)
        xgrammar.apply_token_bitmask_inplace(logits[None], allowed.to(logits.device))


def _truncate(probs: Any, rows: Sequence[TokenSampler]) -> Any:
    """Set to zero the probabilities that top_k, top_p and min_p exclude.

    probs: (rows, vocabulary). The cut is a threshold per row, found among the `_HEAD` likeliest tokens; only
    rows whose cut lies below those are sorted in full.
    """
    import torch

    size = probs.shape[-1]

    def column(values: list[float]) -> Any:
        return torch.tensor(values, device=probs.device)[:, None]

    top_p = column([row.top_p for row in rows])
    top_k = column([row.top_k if 0 < row.top_k < size else size for row in rows])
    min_p = column([row.min_p for row in rows])
    unrestricted = (top_p >= 1) & (top_k >= size) & (min_p <= 0)
    if unrestricted.all():
        return probs
    ordered = probs.topk(min(_HEAD, size)).values
    threshold = _smallest_kept(ordered, top_p, top_k, min_p)
    by_mass = (top_k >= size) & (
        (ordered.sum(-1, keepdim=True) > top_p) | (ordered[:, -1:] < min_p * ordered[:, :1])
    )
    flat = (~(unrestricted | by_mass | (top_k <= ordered.shape[-1])))[:, 0].nonzero()[:, 0]
    if len(flat):  # sorting the whole vocabulary is slow: only where needed
        ordered = probs[flat].sort(descending=True).values
        threshold[flat] = _smallest_kept(ordered, top_p[flat], top_k[flat], min_p[flat])
    return probs.masked_fill((probs < threshold) & ~unrestricted, 0)


def _smallest_kept(ordered: Any, top_p: Any, top_k: Any, min_p: Any) -> Any:
    """Return the smallest probability that each row keeps; `ordered`: (rows, k), descending."""
    import torch

    ordered = ordered.masked_fill(torch.arange(ordered.shape[-1], device=ordered.device) >= top_k, 0)
    kept_mass = ordered.sum(-1, keepdim=True)  # top_p applies to what top_k keeps
    mass = torch.where(top_k <= ordered.shape[-1], kept_mass, 1.0)
    before = (ordered.cumsum(-1) - ordered) / mass
    excluded = (before >= top_p) | (ordered < min_p * ordered[:, :1]) | (ordered == 0)
    return ordered.masked_fill(excluded, 2.0).amin(-1, keepdim=True)
