"""What ends a reply besides the model's own end: texts, tokens, loops."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from glotmill.errors import RequestFailed

_MAX_PATTERN = 4096  # tokens of a loop


@dataclass(frozen=True, slots=True)
class Endings:
    """Sampling parameters that end a reply, under vLLM's names.

    loop: least and greatest number of tokens that repeat, and how often they must; greatest 0: no matter.
    """

    stop: tuple[str, ...] = ()
    stop_token_ids: frozenset[int] = frozenset()
    ignore_eos: bool = False
    include_stop_str_in_output: bool = False
    loop: tuple[int, int, int] = (0, 0, 0)

    def is_loop(self, tokens: list[int]) -> bool:
        """Return whether a reply ends in tokens that were said often enough in a row."""
        least, most, count = self.loop
        for size in range(max(least, 1), most + 1):
            if size * count > len(tokens):
                return False
            tail = tokens[-size * count :]
            if tail[-1] == tail[-1 - size] and tail == tail[-size:] * count:
                return True
        return False


def take_endings(arguments: dict[str, Any]) -> Endings:
    """Return the endings among sampling parameters, which are removed from `arguments`.

    Raises RequestFailed `bad_sampling`.
    """
    return Endings(
        tuple(arguments.pop("stop", ())),
        frozenset(arguments.pop("stop_token_ids", ())),
        bool(arguments.pop("ignore_eos", False)),
        bool(arguments.pop("include_stop_str_in_output", False)),
        _loop(arguments.pop("repetition_detection", None) or {}),
    )


def _loop(given: Mapping[str, Any]) -> tuple[int, int, int]:
    names = ("min_pattern_size", "max_pattern_size", "min_count")
    least, most, count = (given.get(name, 0) for name in names)
    known = set(given) <= set(names) and all(isinstance(value, int) for value in given.values())
    if not known or not 0 <= least <= most <= _MAX_PATTERN or (most and not 2 <= count <= _MAX_PATTERN):
        raise RequestFailed(
            "bad_sampling",
            f"repetition_detection={dict(given)}: it needs 0 <= min_pattern_size <= max_pattern_size <= "
            f"{_MAX_PATTERN} and min_count >= 2",
        )
    return least, most, count
