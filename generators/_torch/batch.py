"""Continuous batching for transformers: a row that finishes leaves the batch, and another takes its place."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from glotmill.generators._shared.thinking import Family, Thoughts, split
from glotmill.generators._torch.endings import Endings
from glotmill.generators._torch.sampling import TokenSampler, next_tokens

_GROWTH = 64  # tokens by which the cache grows; copying it at every step takes longer than the model


@dataclass(slots=True, eq=False)
class Row:
    """A request in the batch and its reply so far."""

    prompt: Sequence[int]
    sampler: TokenSampler
    max_tokens: int
    endings: Endings = field(default_factory=Endings)
    family: Family | None = None  # how the model thinks
    opened: bool = False  # the prompt ends inside thoughts
    keep_special: bool = False  # special tokens stay in the text
    lora: str = ""  # name of an adapter
    cut: str | None = None  # the text up to a stop string
    thoughts: Thoughts = field(default_factory=lambda: Thoughts("", ""))  # the text in two parts
    reasoning_tokens: int = 0
    finish: str = ""  # `stop` or `length` once the reply is complete
    future: Any = None  # resolved with this row when it finishes


class Batch:
    """Rows padded on the left to one width, with their key-value cache.

    mask: (rows, width), 1 where a column of the cache belongs to the row and 0 where it is padding. Rows join
    and leave without recomputing the others: `exchange` prefills new rows in a cache of their own, then
    stacks the kept rows above them, all aligned at the last column.
    """

    def __init__(self, model: Any, tokenizer: Any, ends: Sequence[int]) -> None:
        self.model, self.tokenizer, self.ends = model, tokenizer, ends
        self.clear()

    def clear(self) -> None:
        """Remove all rows."""
        self.rows: list[Row] = []  # finished ones stay until the next `exchange`
        self.cache: Any = None
        self.mask: Any = None

    def running(self) -> int:
        """Return the number of unfinished rows."""
        return sum(not row.finish for row in self.rows)

    def exchange(self, new: Sequence[Row]) -> list[Row]:
        """Remove finished rows and add new ones. Return the new rows that finish with their first token."""
        import torch

        keep = [index for index, row in enumerate(self.rows) if not row.finish]
        old = (self.cache, self.mask, keep) if keep else None
        staying = [self.rows[index] for index in keep]
        self.clear()
        if new:
            width = max(len(row.prompt) for row in new)
            padding = [width - len(row.prompt) for row in new]
            ids = [[0] * pad + list(row.prompt) for pad, row in zip(padding, new, strict=True)]
            self.mask = torch.tensor(
                [[0] * pad + [1] * (width - pad) for pad in padding], device=self.model.device
            )
            self.rows = list(new)
            self.cache = _growing_cache()
            self._forward(torch.tensor(ids, device=self.model.device))
        if old:
            self._join(*old)
            self.rows = [*staying, *self.rows]
        return [row for row in new if row.finish]

    def step(self) -> list[Row]:
        """Generate one token for every row. Return the rows that finish with it."""
        import torch

        active = [row for row in self.rows if not row.finish]
        last = torch.tensor([row.sampler.tokens[-1] for row in self.rows], device=self.model.device)
        self.mask = torch.cat([self.mask, self.mask.new_ones(len(self.rows), 1)], 1)
        self._forward(last[:, None])
        return [row for row in active if row.finish]

    def _forward(self, ids: Any) -> None:
        """Run the model over `ids`, of shape (rows, columns), and append a token to every unfinished row."""
        positions = (self.mask.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        active = [index for index, row in enumerate(self.rows) if not row.finish]
        output = self.model(
            input_ids=ids,
            attention_mask=self.mask,
            position_ids=positions,
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits = output.logits[active, -1].float()
        tokens = next_tokens(logits, [self.rows[index].sampler for index in active], self.ends)
        for index, token in zip(active, tokens, strict=True):
            self._append_token(self.rows[index], token)

    def _append_token(self, row: Row, token: int) -> None:
        sampler, endings = row.sampler, row.endings
        was_forced = sampler.thoughts is not None and sampler.thoughts.was_forced
        if sampler.grammar is not None and sampler.is_answering and not was_forced:
            sampler.grammar.accept_token(token)
        sampler.tokens.append(token)
        if sampler.thoughts is not None:
            sampler.thoughts.advance(sampler.tokens, self._decode_all)
        is_end = token in endings.stop_token_ids or (token in self.ends and not endings.ignore_eos)
        long_enough = len(sampler.tokens) >= sampler.min_tokens
        if is_end or _is_complete(sampler) or (endings.stop and long_enough and self._has_stop_text(row)):
            row.finish = "stop"
        elif len(sampler.tokens) >= row.max_tokens:
            row.finish = "length"
        elif long_enough and endings.is_loop(sampler.tokens):
            row.finish = "length"  # it would have gone on
        if row.finish:
            self._complete(row)

    def _complete(self, row: Row) -> None:
        """Set the text of a finished row, apart from its thoughts."""
        text = self._text(row, row.sampler.tokens) if row.cut is None else row.cut
        row.thoughts = split(text, row.family, row.opened)
        if self._has_special_tags(row) and not row.keep_special:
            said = row.thoughts
            row.thoughts = Thoughts(
                self._without_special(said.reasoning), self._without_special(said.text), said.finished
            )
        if row.thoughts.reasoning:
            row.reasoning_tokens = len(
                self.tokenizer.encode(row.thoughts.reasoning, add_special_tokens=False)
            )

    def _has_stop_text(self, row: Row) -> bool:
        """Return whether the reply contains a stop string; if so, cut it there."""
        stop, tokens = row.endings.stop, row.sampler.tokens
        longest = max(len(text.encode()) for text in stop)  # a token is a byte at least
        tail = self._text(row, tokens[-longest - 1 :])
        if not any(text in tail for text in stop):
            return False
        said = self._text(row, tokens)
        positions = [(position, text) for text in stop if (position := said.find(text)) >= 0]
        if positions:
            position, text = min(positions)
            row.cut = said[: position + len(text) * row.endings.include_stop_str_in_output]
        return bool(positions)

    def _text(self, row: Row, tokens: Sequence[int]) -> str:
        return self._decode(tokens, keep_special=row.keep_special or self._has_special_tags(row))

    def _decode(self, tokens: Sequence[int], *, keep_special: bool) -> str:
        return str(
            self.tokenizer.decode(
                tokens, skip_special_tokens=not keep_special, clean_up_tokenization_spaces=False
            )
        )

    def _decode_all(self, tokens: Sequence[int]) -> str:
        return self._decode(tokens, keep_special=True)

    def _has_special_tags(self, row: Row) -> bool:
        family = row.family
        return family is not None and (family.special or family.closing in self.tokenizer.all_special_tokens)

    def _without_special(self, text: str) -> str:
        for token in self.tokenizer.all_special_tokens:
            text = text.replace(token, "")
        return text.strip()

    def _join(self, cache: Any, mask: Any, keep: list[int]) -> None:
        """Stack the rows `keep` of an earlier cache above those of this one, aligned at the last column."""
        import torch

        mask = mask[keep]
        mask = mask[:, int(mask.any(0).nonzero()[0]) :]  # columns that only padded others
        below = mask.new_zeros(0, 0) if self.mask is None else self.mask
        width = max(mask.shape[1], below.shape[1])
        rows = [
            torch.nn.functional.pad(mask_part, (width - mask_part.shape[1], 0)) for mask_part in (mask, below)
        ]
        self.mask = torch.cat(rows)
        if self.cache is None:
            self.cache = _growing_cache()
            self.cache.layers = [type(layer)() for layer in cache.layers]
        for old, new in zip(cache.layers, self.cache.layers, strict=True):
            new.take_above(old, keep, mask.shape[1], width)


def _is_complete(sampler: TokenSampler) -> bool:
    return sampler.grammar is not None and bool(sampler.grammar.is_terminated())


def _growing_cache() -> Any:
    from transformers.cache_utils import Cache

    return Cache(layer_class_to_replicate=_growing_layer())


@lru_cache(maxsize=1)
def _growing_layer() -> Any:
    """Return a cache layer class, defined here because its base class is heavy to import."""
    from transformers.cache_utils import DynamicLayer

    class GrowingLayer(DynamicLayer):  # type: ignore[misc]
        """A layer whose keys and values are views of larger buffers, (rows, heads, columns, dimension)."""

        keys: Any
        values: Any
        room: tuple[Any, Any] | None = None

        def update(self, key_states: Any, value_states: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
            if not self.is_initialized:
                self.lazy_initialization(key_states, value_states)
            used = self.get_seq_length()
            total = used + key_states.shape[-2]
            if self.room is None or self.room[0].shape[-2] < total:
                width = total + _GROWTH
                self.room = (
                    _widened(self.keys, key_states, width),
                    _widened(self.values, value_states, width),
                )
            for buffer, states in zip(self.room, (key_states, value_states), strict=True):
                buffer[:, :, used:total] = states
            self.keys, self.values = (buffer[:, :, :total] for buffer in self.room)
            return self.keys, self.values

        def take_above(self, old: Any, keep: list[int], length: int, width: int) -> None:
            """Stack the last `length` columns of the rows `keep` of another layer above this layer's rows."""
            if not self.is_initialized:
                self.lazy_initialization(old.keys, old.values)
            joined = []
            for above, below in ((old.keys, self.keys), (old.values, self.values)):
                count = below.shape[0] if below.numel() else 0
                buffer = above.new_zeros(len(keep) + count, above.shape[1], width + _GROWTH, above.shape[3])
                buffer[: len(keep), :, width - length : width] = above[keep, :, above.shape[2] - length :]
                if count:
                    buffer[len(keep) :, :, width - below.shape[2] : width] = below
                joined.append(buffer)
            self.room = (joined[0], joined[1])
            self.keys, self.values = (buffer[:, :, :width] for buffer in self.room)

    return GrowingLayer


def _widened(used: Any, like: Any, width: int) -> Any:
    buffer = like.new_zeros(*like.shape[:2], width, like.shape[3])
    if used.numel():
        buffer[:, :, : used.shape[2]] = used
    return buffer
