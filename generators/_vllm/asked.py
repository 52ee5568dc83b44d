"""What vLLM is asked: the prompt and the parameters of a request."""

import logging
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from glotmill.errors import EngineError, RequestFailed, typed_line
from glotmill.generators._shared.prompts import Prompt, prompt_of
from glotmill.generators._shared.scripts import allowed_ids
from glotmill.generators._vllm.start import Model
from glotmill.messages import EMBED, LIKELIHOOD, NO_THINKING, SCORE, Request

_POOLING = {EMBED: "embed", SCORE: "classify"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as vLLM takes it.

    constrained_at_once: its constraint holds from the first token, although vLLM's reasoning parser would
        wait for the end of thoughts that the model was told not to have.
    """

    request: Request
    prompt: Prompt
    params: Any  # vllm.SamplingParams or vllm.PoolingParams
    constrained_at_once: bool = False


def asked(model: Model, request: Request) -> Asked:
    """Return a request as vLLM takes it.

    Raises:
        EngineError: the model cannot do what the request asks.
        RequestFailed: `prompt_too_long`, `empty_prompt`, `template_refused` or `bad_sampling`.
    """
    _check_task(model, request)
    prompt = prompt_of(model.tokenizer, request, model.family, model.config.max_model_len)
    if request.task in _POOLING:
        return Asked(request, prompt, _pooling_params(request, prompt))
    arguments = _likelihood() if request.task == LIKELIHOOD else _sampling(model, request, prompt)
    at_once = False
    if "structured_outputs" in arguments and model.parser and request.thinking == NO_THINKING:
        at_once = not prompt.opened and not model.parser.is_reasoning_end(prompt.ids)
    return Asked(request, prompt, _sampling_params(arguments), at_once)


def _check_task(model: Model, request: Request) -> None:
    generates = model.config.runner_type == "generate"
    if request.task not in _POOLING and not generates:
        raise EngineError(
            f"engine vllm: {model.name} is loaded for vectors or scores and writes no text: choose another "
            "model for this step, or set the engine argument runner=generate"
        )
    if request.task in _POOLING and (generates or _POOLING[request.task] not in model.tasks):
        what, kind = ("embed", "an embedding model") if request.task == EMBED else ("score", "a reward model")
        convert = _POOLING[request.task]
        raise EngineError(
            f"engine vllm: cannot {what} with {model.name}: choose {kind}, or make one of this model with "
            f"the engine arguments runner=pooling and convert={convert}"
        )
    if request.allowed_scripts and not model.masks_scripts:
        raise EngineError("engine vllm: allowed_scripts does not go together with speculative_config")
    if request.task == LIKELIHOOD and model.engine.vllm_config.lora_config:
        raise EngineError(
            f"engine vllm: no likelihoods by {model.name} while enable_lora is set, since vLLM would die of "
            "it: give the recipe a second model without this argument"
        )
    if request.lora and not model.engine.vllm_config.lora_config:
        raise EngineError(
            f"engine vllm: the adapter {request.lora} needs the engine argument enable_lora=true"
        )


def _pooling_params(request: Request, prompt: Prompt) -> Any:
    """Return pooling parameters. A reward stays as it is: an activation would press high ones together."""
    from vllm import PoolingParams

    is_pair = [message.role for message in request.messages] == ["user", "user"]
    return PoolingParams(
        task=_POOLING[request.task],
        use_activation=None if request.task == EMBED or is_pair else False,
        extra_kwargs={"compressed_token_type_ids": prompt.second} if prompt.second else None,
    )


def _likelihood() -> dict[str, Any]:
    return {"max_tokens": 1, "temperature": 0.0, "prompt_logprobs": 0, "flat_logprobs": True}


def _sampling(model: Model, request: Request, prompt: Prompt) -> dict[str, Any]:
    """Return the arguments of vLLM's SamplingParams; those that a request leaves open are the model's own."""
    from vllm.sampling_params import RepetitionDetectionParams

    defaults = model.config.get_diff_sampling_param()
    arguments: dict[str, Any] = {"max_tokens": None, **defaults, **request.parameters}
    most = model.config.max_logprobs
    if arguments.get("logprobs", 0) > most >= 0:
        detail = f"logprobs={arguments['logprobs']}: at most {most}, or set the option max_logprobs"
        raise RequestFailed("bad_sampling", detail)
    arguments |= {"stop": list(request.sampling.stop), "seed": request.seed}
    if bias := arguments.get("logit_bias"):
        arguments["logit_bias"] = {int(token): value for token, value in bias.items()}
    if repetition := arguments.get("repetition_detection"):
        arguments["repetition_detection"] = RepetitionDetectionParams(**repetition)
    if model.has_special_tags:
        arguments["skip_special_tokens"] = False
    if request.allowed_scripts:
        after = model.tags[1][-1] if request.thinking != NO_THINKING and model.family else -1
        mask = _only(request.allowed_scripts, after)
        arguments["extra_args"] = {**(arguments.get("extra_args") or {}), **mask}
    if constraint := _constraint(request):
        arguments["structured_outputs"] = constraint
    budget = _budget(model, request, prompt)
    if budget is not None:
        arguments["thinking_token_budget"] = budget
    return arguments


def _constraint(request: Request) -> Any:
    from vllm.sampling_params import StructuredOutputsParams

    if request.schema:
        return StructuredOutputsParams(json=request.schema)
    if request.choice:
        return StructuredOutputsParams(choice=list(request.choice))
    if request.regex:
        return StructuredOutputsParams(regex=request.regex)
    if request.grammar:
        return StructuredOutputsParams(grammar=request.grammar)
    return None


@lru_cache(maxsize=64)
def _only(scripts: tuple[str, ...], after: int) -> dict[str, Any]:
    from glotmill.generators._vllm.script_mask import ARGUMENT

    allowed_ids([""], scripts)  # refuses scripts that do not exist: vLLM would die of them
    return {ARGUMENT: {"scripts": list(scripts), "after": after}}


def _budget(model: Model, request: Request, prompt: Prompt) -> int | None:
    """Return after how many tokens vLLM ends the thoughts; None: not at all.

    A model that thinks whatever its template is told ends its thoughts at once where none are wanted.
    """
    family = model.family
    if request.thinking > 0 and family is not None and not model.has_budget:
        _warn(
            f"engine vllm: vLLM cannot end the thoughts of {model.name} after a number of tokens; they end "
            "with max_tokens at the latest"
        )
    if not model.has_budget or request.thinking < 0:
        return None
    if request.thinking > 0:
        return request.thinking
    forced = prompt.opened or (family is not None and family.always and not family.special)
    return 0 if forced else None


def _sampling_params(arguments: dict[str, Any]) -> Any:
    from vllm.sampling_params import RequestOutputKind, SamplingParams

    try:
        return SamplingParams(**arguments, output_kind=RequestOutputKind.FINAL_ONLY)
    except Exception as error:  # vLLM's checks raise several types
        raise RequestFailed("bad_sampling", typed_line(error)) from error


@lru_cache(maxsize=64)  # once each
def _warn(text: str) -> None:
    logging.getLogger("glotmill").warning(text)
