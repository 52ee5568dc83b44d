"""Turns a request into a row of the batch: its prompt, sampling parameters and constraints."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from glotmill.errors import EngineError, RequestFailed
from glotmill.generators._shared.prompts import Prompt, prompt_of
from glotmill.generators._shared.scripts import allowed_ids
from glotmill.generators._shared.thinking import family_of
from glotmill.generators._torch.batch import Row
from glotmill.generators._torch.constraints import constraint_of, matcher_maker
from glotmill.generators._torch.endings import take_endings
from glotmill.generators._torch.sampling import TokenSampler
from glotmill.generators._torch.thoughts import ThoughtState, ending_of
from glotmill.messages import CHAT, COMPLETION, EMBED, LIKELIHOOD, NO_THINKING, SCORE, Request

_MAX_LOGPROBS = 20  # as in vLLM
_FITS: Mapping[str, Callable[[Any], bool]] = {
    "temperature": lambda value: 0 <= value <= 100,
    "top_p": lambda value: 0 < value <= 1,
    "top_k": lambda value: value >= -1,
    "min_p": lambda value: 0 <= value <= 1,
    "repetition_penalty": lambda value: value > 0,
    "max_tokens": lambda value: value >= 1,
    "min_tokens": lambda value: value >= 0,
    "logprobs": lambda value: 0 <= value <= _MAX_LOGPROBS,
    "bad_words": lambda value: all(isinstance(word, str) and word.strip() for word in value),
    "extra_args": lambda value: not value,  # they are for plugins of vLLM
}


@dataclass(slots=True, eq=False)
class Text:
    """A request for the likelihood of a text."""

    prompt: Prompt
    lora: str = ""
    finish: str = ""
    future: Any = None  # resolved with the reply


class RowMaker:
    """Makes rows of requests. Used by one thread at a time, with a tokenizer of its own.

    model: its name. vocabulary: size of the model's output. ends: tokens that end a reply.
    defaults: sampling parameters of requests that leave them open. device: where the model computes.
    """

    device: Any = "cpu"

    def __init__(
        self,
        model: str,
        tokenizer: Any,
        vocabulary: int,
        ends: list[int],
        defaults: dict[str, Any],
        max_model_len: int,
    ) -> None:
        self.tokenizer, self.vocabulary, self.ends = tokenizer, vocabulary, ends
        self.defaults, self.max_model_len = defaults, max_model_len
        self.family = family_of(model, getattr(tokenizer, "chat_template", None) or "")
        self.matcher = matcher_maker(tokenizer, vocabulary, ends)
        self.foreign = lru_cache(maxsize=64)(self._foreign)

    def make(self, request: Request) -> Row | Text:
        """Return what the model's thread works on.

        Raises EngineError for a task that this engine cannot do, RequestFailed for a request that is wrong.
        """
        if request.task in (EMBED, SCORE):
            what = "embed texts" if request.task == EMBED else "score texts"
            raise EngineError(
                f"engine transformers: cannot {what}: use --engine sentence_transformers or vllm"
            )
        prompt = prompt_of(self.tokenizer, request, self.family, self.max_model_len)
        if request.task == LIKELIHOOD:
            return Text(prompt, request.lora)
        assert request.task in (CHAT, COMPLETION), request.task
        arguments = {**self.defaults, **request.parameters}
        _check(arguments)
        keep_special = not arguments.pop("skip_special_tokens", True)
        for name in ("spaces_between_special_tokens", "extra_args"):
            arguments.pop(name, None)
        endings = take_endings(arguments)
        constrained = constraint_of(request)
        ids, state = self._thoughts(request, prompt, bool(constrained or request.allowed_scripts))
        room = self.max_model_len - len(ids)
        max_tokens = min(arguments.pop("max_tokens", room), room)
        if room < 1:
            raise RequestFailed("prompt_too_long", f"{len(ids)} tokens leave no room for a reply")
        sampler = TokenSampler(
            **self._token_arguments(arguments), seed=request.seed, prompt=ids, thoughts=state
        )
        sampler.ends = sorted(self._known(endings.stop_token_ids, "stop_token_ids"))
        if constrained:
            sampler.grammar = self.matcher(constrained)
        if request.allowed_scripts:
            sampler.forbidden_in_answer = self.foreign(request.allowed_scripts)
        opened = state is not None and state.inside
        return Row(ids, sampler, max_tokens, endings, self.family, opened, keep_special, request.lora)

    def _thoughts(self, request: Request, prompt: Prompt, constrained: bool) -> tuple[list[int], Any]:
        """Return the tokens of the prompt, and the state of the thoughts; None if there are none.

        Where none are wanted, thoughts that the template opens, or that the model has whatever it is told,
        are closed at once. Where the reply must follow a constraint, they are opened here: it holds from
        their end on.
        """
        family, ids = self.family, prompt.ids
        goes_on = request.messages[-1].role == "assistant"
        if family is None or request.task != CHAT or (goes_on and not prompt.opened):
            return ids, None
        closing, ending = ending_of(family)
        if request.thinking == NO_THINKING:
            if prompt.opened:
                ids = [*ids, *self._encode(ending)]
            elif family.always and not family.special:
                ids = [*ids, *self._encode(f"{family.opening}{ending}")]
            return ids, None
        inside = prompt.opened
        if constrained and not inside:
            ids, inside = [*ids, *self._encode(f"{family.opening}\n")], True
        return ids, ThoughtState(family.opening, closing, self._encode(ending), request.thinking, inside)

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return ids

    def _token_arguments(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return sampling parameters with what they say of tokens in terms of token ids."""
        import torch

        bias = {int(token): value for token, value in (arguments.pop("logit_bias", None) or {}).items()}
        self._known(bias, "logit_bias")
        if (allowed := arguments.pop("allowed_token_ids", None)) is not None:
            if not allowed:
                raise RequestFailed("bad_sampling", "allowed_token_ids: none, so no token can come")
            forbidden = torch.ones(self.vocabulary, dtype=torch.bool, device=self.device)
            forbidden[sorted(self._known(allowed, "allowed_token_ids"))] = False
            arguments["forbidden"] = forbidden
        words = arguments.pop("bad_words", None) or ()
        forms = (self._encode(form) for word in words for form in (word.strip(), f" {word.strip()}"))
        return {**arguments, "logit_bias": bias, "bad_words": [form for form in forms if form]}

    def _known(self, tokens: Any, name: str) -> set[int]:
        if wrong := [token for token in tokens if not 0 <= token < self.vocabulary]:
            detail = f"{name}: {wrong[0]} is no token of the model, which has {self.vocabulary:,}"
            raise RequestFailed("bad_sampling", detail)
        return set(tokens)

    def _foreign(self, scripts: tuple[str, ...]) -> Any:
        """Return a mask of the vocabulary: true for tokens with letters of other scripts."""
        import torch

        forbidden = torch.ones(self.vocabulary, dtype=torch.bool, device=self.device)
        allowed = allowed_ids(self._texts(), scripts)
        forbidden[allowed] = False
        forbidden[len(self.tokenizer) :] = False
        return forbidden

    def _texts(self) -> Sequence[str]:
        ids = range(min(len(self.tokenizer), self.vocabulary))
        special = set(self.tokenizer.all_special_ids)
        return [self.tokenizer.decode([token]) if token not in special else "" for token in ids]


def _check(arguments: Mapping[str, Any]) -> None:
    for name, fits in _FITS.items():
        if name in arguments and not fits(arguments[name]):
            raise RequestFailed("bad_sampling", f"{name}={arguments[name]}")
