"""Where the thoughts of a row begin and end while it is generated."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from glotmill.generators._shared.thinking_families import HARMONY, Family


@dataclass(slots=True)
class ThoughtState:
    """Follows one reply into its thoughts and out of them, and ends them when their budget is spent.

    budget: tokens that the thoughts may take; negative: any number.
    ending: tokens that end the thoughts.
    inside: whether the next token is one of the thoughts. Constraints hold outside of them.
    forced: tokens that come next, whatever the model would say.
    """

    opening: str
    closing: str
    ending: Sequence[int]
    budget: int
    inside: bool
    forced: list[int] = field(default_factory=list)
    was_forced: bool = False  # the last token
    started: int = 0  # tokens of the reply before the thoughts
    done: bool = False

    def next_forced(self) -> int | None:
        """Remove and return the token that must come next; None if any may."""
        self.was_forced = bool(self.forced)
        return self.forced.pop(0) if self.forced else None

    def advance(self, tokens: Sequence[int], decode: Callable[[Sequence[int]], str]) -> None:
        """Take note of the last token of a reply. decode: keeps special tokens."""
        if self.done or self.forced:
            return
        tag = self.closing if self.inside else self.opening
        length = len(tag.encode()) + 1  # a token is a byte at least
        seen = tokens[max(self.started, len(tokens) - length) :]
        if tag in decode(seen):
            self.done, self.inside = self.inside, not self.inside
            self.started = len(tokens)
        elif not self.inside:
            self.done = len(tokens) > 2 * length  # it answers at once
        elif 0 <= self.budget <= len(tokens) - self.started:
            self.forced = list(self.ending)
            self.done, self.inside = True, False


def ending_of(family: Family) -> tuple[str, str]:
    """Return the tag after which a family answers, and the text that ends its thoughts."""
    if family.name == HARMONY:
        final = "<|channel|>final<|message|>"
        return final, f"{family.closing}<|start|>assistant{final}"
    return family.closing, f"\n{family.closing}\n\n"
