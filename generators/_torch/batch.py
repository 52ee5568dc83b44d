"""Rows on their way through a model of transformers: one that ends leaves, and another takes its place."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from glotmill.generators._torch.sampling import Choice, next_tokens

_GROWTH = 64  # tokens by which a cache grows: to copy it at every step takes longer than the model


@dataclass(slots=True, eq=False)
class Row:
    """A reply in the making."""

    prompt: Sequence[int]
    choice: Choice
    max_tokens: int
    stop: tuple[str, ...] = ()
    text: str = ""
    finish: str = ""  # stop or length, once it has ended
    done: Any = None  # who waits for it


class Batch:
    """Rows side by side, padded on the left. `mask` tells which columns of the cache are a row's own."""

    def __init__(self, model: Any, tokenizer: Any, ends: Sequence[int]) -> None:
        self.model, self.tokenizer, self.ends = model, tokenizer, ends
        self.clear()

    def clear(self) -> None:
        """Forgets all rows."""
        self.rows: list[Row] = []  # with those that have ended, until the next `exchange`
        self.cache: Any = None
        self.mask: Any = None

    def running(self) -> int:
        """How many rows have not ended."""
        return sum(not row.finish for row in self.rows)

    def exchange(self, new: Sequence[Row]) -> list[Row]:
        """Drops the rows that have ended and takes in new ones. Returns the new that end at once."""
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
        """One more token for every row. Returns the rows that end with it."""
        import torch

        going = [row for row in self.rows if not row.finish]
        last = torch.tensor([row.choice.tokens[-1] for row in self.rows], device=self.model.device)
        self.mask = torch.cat([self.mask, self.mask.new_ones(len(self.rows), 1)], 1)
        self._forward(last[:, None])
        return [row for row in going if row.finish]

    def _forward(self, ids: Any) -> None:
        """Runs the model over one or more columns and gives every row that has not ended its next token."""
        positions = (self.mask.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        going = [index for index, row in enumerate(self.rows) if not row.finish]
        output = self.model(
            input_ids=ids,
            attention_mask=self.mask,
            position_ids=positions,
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits = output.logits[going, -1].float()
        tokens = next_tokens(logits, [self.rows[index].choice for index in going], self.ends)
        for index, token in zip(going, tokens, strict=True):
            self._say(self.rows[index], token)

    def _say(self, row: Row, token: int) -> None:
        choice = row.choice
        choice.tokens.append(token)
        if choice.grammar is not None:
            choice.grammar.accept_token(token)
        if token in self.ends or (choice.grammar is not None and choice.grammar.is_terminated()):
            row.finish = "stop"
        elif row.stop and len(choice.tokens) >= choice.min_tokens and self._stops(row):
            return
        elif len(choice.tokens) >= row.max_tokens:
            row.finish = "length"
        if row.finish:
            row.text = self._decoded(choice.tokens)

    def _stops(self, row: Row) -> bool:
        """Whether the reply now holds one of its stop texts; if so it ends before it."""
        longest = max(len(stop.encode()) for stop in row.stop)  # a token is a byte at least
        tail = self._decoded(row.choice.tokens[-longest - 1 :])
        if not any(stop in tail for stop in row.stop):
            return False
        text = self._decoded(row.choice.tokens)
        found = [place for stop in row.stop if (place := text.find(stop)) >= 0]
        if found:
            row.text, row.finish = text[: min(found)], "stop"
        return bool(found)

    def _decoded(self, tokens: Sequence[int]) -> str:
        return str(
            self.tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        )

    def _join(self, cache: Any, mask: Any, keep: list[int]) -> None:
        """Puts rows of an earlier cache above those of this one, all ending in the same column."""
        import torch

        mask = mask[keep]
        mask = mask[:, int(mask.any(0).nonzero()[0]) :]  # columns that only padded others
        below = mask.new_zeros(0, 0) if self.mask is None else self.mask
        width = max(mask.shape[1], below.shape[1])
        rows = [torch.nn.functional.pad(each, (width - each.shape[1], 0)) for each in (mask, below)]
        self.mask = torch.cat(rows)
        if self.cache is None:
            self.cache = _growing_cache()
            self.cache.layers = [type(layer)() for layer in cache.layers]
        for old, new in zip(cache.layers, self.cache.layers, strict=True):
            new.take_above(old, keep, mask.shape[1], width)


def _growing_cache() -> Any:
    from transformers.cache_utils import Cache

    return Cache(layer_class_to_replicate=_growing_layer())


@lru_cache(maxsize=1)
def _growing_layer() -> Any:
    """A class, made here because its base is imported late."""
    from transformers.cache_utils import DynamicLayer

    class GrowingLayer(DynamicLayer):  # type: ignore[misc]
        """Keys and values are the used part of buffers that have room to grow."""

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
            """The last `length` columns of some rows of another layer, above what is here."""
            if not self.is_initialized:
                self.lazy_initialization(old.keys, old.values)
            joined = []
            for above, below in ((old.keys, self.keys), (old.values, self.values)):
                count = below.shape[0] if below.numel() else 0
                whole = above.new_zeros(len(keep) + count, above.shape[1], width + _GROWTH, above.shape[3])
                whole[: len(keep), :, width - length : width] = above[keep, :, above.shape[2] - length :]
                if count:
                    whole[len(keep) :, :, width - below.shape[2] : width] = below
                joined.append(whole)
            self.room = (joined[0], joined[1])
            self.keys, self.values = (buffer[:, :, :width] for buffer in self.room)

    return GrowingLayer


def _widened(used: Any, like: Any, width: int) -> Any:
    buffer = like.new_zeros(*like.shape[:2], width, like.shape[3])
    if used.numel():
        buffer[:, :, : used.shape[2]] = used
    return buffer
