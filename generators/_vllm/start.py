"""Starts and stops vLLM, with the defaults under which it runs well on a GPU and on a CPU."""

import gc
import logging
import os
import threading
import warnings
from contextlib import suppress
from dataclasses import dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from glotmill.errors import EngineError, typed_line
from glotmill.generators._shared.loading import check_options, dtype_on_cpu, model_path, not_installed
from glotmill.generators._shared.thinking import Family, family_of

_CONTEXT_ON_CPU = 4096  # tokens, unless the model has fewer or max_model_len is given
_ADAPTERS_ON_CPU = 4
# Where a schema allows whitespace, small models may write nothing else.
_STRICT = {"backend": "xgrammar", "disable_any_whitespace": True}
_SCRIPT_MASK = "glotmill.generators._vllm.script_mask:ScriptMask"
_QUIET = {
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",
    "VLLM_NO_USAGE_STATS": "1",
    "PYTHONSAFEPATH": "1",  # a random.py in the working folder must not stand for the library's
}
_ON_CPU = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # starts in 3 seconds instead of 20
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
    "VLLM_WORKER_MULTIPROCESSING_METHOD": "spawn",  # a fork would inherit locks of a vLLM in this process
}
_STARTING = threading.Lock()
_IN_PROCESS = threading.Lock()  # held by the vLLM inside this process: two would break each other's memory


@dataclass(frozen=True)
class Model:
    """A model that vLLM has loaded.

    family: how it thinks. parser: vLLM's reasoning parser that runs in the engine, so that constraints hold
        from the end of the thoughts on. is_named: the user chose this parser.
    has_budget: vLLM can end thoughts after a number of tokens. tags: the tokens of their opening and closing
        tag. has_special_tags: these are left out of a text unless asked for.
    tasks: what vLLM can do with the model, in its words.
    masks_scripts: it can rule out letters of other scripts.
    max_adapters: how many different adapters can be used, 0 for any number.
    """

    name: str
    engine: Any  # vllm.LLMEngine
    tokenizer: Any
    family: Family | None
    parser: Any
    is_named: bool
    has_budget: bool
    has_special_tags: bool
    tags: tuple[tuple[int, ...], tuple[int, ...]]
    tasks: frozenset[str]
    masks_scripts: bool
    max_adapters: int
    in_process: bool

    @property
    def config(self) -> Any:
        """The `vllm.config.ModelConfig`."""
        return self.engine.model_config


def start(model: str, revision: str | None, options: dict[str, Any]) -> Model:
    """Load a model into a new vLLM, without the warnings that it prints while loading.

    The first vLLM on a CPU runs in this process; a further one at the same time in a process of its own, as
    all do on a GPU.

    Raises UsageError for an unknown option, EngineError if the model cannot be loaded.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    with suppress(PackageNotFoundError):
        version("vllm-cpu")
        # Compiling on first use needs a C++ compiler and a path without blanks. Read when torch is imported.
        os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")
    logging.getLogger("vllm").setLevel(os.environ["VLLM_LOGGING_LEVEL"])
    with _STARTING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from vllm import EngineArgs
        except ImportError as error:
            raise not_installed(
                "vllm", "'glotmill[vllm]', or 'glotmill[vllm-cpu]' without a GPU", error
            ) from error
        check_options("vllm", options, {f.name for f in fields(EngineArgs)} - {"model", "revision"})
        try:
            return _load(model, {"model": model_path(model), "revision": revision, **options})
        except Exception as error:
            raise EngineError(f"engine vllm: cannot open {model}: {typed_line(error)}") from error


def _load(name: str, arguments: dict[str, Any]) -> Model:
    from vllm import EngineArgs, LLMEngine
    from vllm.config import StructuredOutputsConfig
    from vllm.platforms import current_platform
    from vllm.tokenizers import cached_tokenizer_from_config

    arguments = {"use_tqdm_on_load": False, "disable_log_stats": True, **arguments}
    strict = arguments.pop("structured_outputs_config", _STRICT)
    arguments["structured_outputs_config"] = (
        StructuredOutputsConfig(**strict) if isinstance(strict, dict) else strict
    )
    on_cpu = current_platform.is_cpu()
    for key, value in _ON_CPU.items() if on_cpu else ():
        os.environ.setdefault(key, value)
    named = arguments.pop("reasoning_parser", "")
    config = EngineArgs(**arguments).create_model_config()
    if on_cpu:
        arguments = {**_defaults_on_cpu(config), **arguments, **_adapter_slots(arguments)}
    tokenizer = cached_tokenizer_from_config(config)
    family = family_of(name, getattr(tokenizer, "chat_template", None) or "")
    parser = _parser(named, family, tokenizer)
    masks_scripts = config.runner_type == "generate" and not arguments.get("speculative_config")
    if config.runner_type == "generate":
        arguments |= _reasoning(named, parser, family)
    if masks_scripts:
        arguments["logits_processors"] = [*(arguments.get("logits_processors") or ()), _SCRIPT_MASK]
    in_process = os.environ.get("VLLM_ENABLE_V1_MULTIPROCESSING") == "0"
    apart = in_process and not _IN_PROCESS.acquire(blocking=False)
    in_process = in_process and not apart
    try:
        engine = LLMEngine.from_engine_args(EngineArgs(**arguments), enable_multiprocessing=apart)
    except BaseException:
        if in_process:
            _IN_PROCESS.release()
        raise
    return Model(
        name,
        engine,
        tokenizer,
        family,
        parser,
        is_named=bool(named),
        has_budget=bool(getattr(engine.vllm_config.reasoning_config, "enabled", False)),
        has_special_tags=_has_special_tags(tokenizer, family),
        tags=_tags(tokenizer, family, parser),
        tasks=frozenset(engine.get_supported_tasks()),
        masks_scripts=masks_scripts,
        max_adapters=arguments["max_loras"] - 1 if on_cpu and arguments.get("enable_lora") else 0,
        in_process=in_process,
    )


def _defaults_on_cpu(config: Any) -> dict[str, Any]:
    """Return engine arguments with which vLLM starts fast and runs reliably on a CPU."""
    own = str(getattr(config.hf_text_config, "dtype", None) or config.dtype)
    # Chunked prefill together with per-request seeds kills vLLM: "CPU Generator does not use offset".
    return {
        "enforce_eager": True,
        "dtype": dtype_on_cpu(own, config.get_hidden_size()),
        "enable_chunked_prefill": False,
        "max_model_len": min(config.max_model_len, _CONTEXT_ON_CPU),
    }


def _adapter_slots(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return one slot more for adapters than asked for.

    On a CPU, vLLM 0.32 applies the last slot to rows without an adapter (index -1), so it has to stay empty.
    """
    if not arguments.get("enable_lora"):
        return {}
    return {"max_loras": int(arguments.get("max_loras", _ADAPTERS_ON_CPU)) + 1}


def _parser(named: str, family: Family | None, tokenizer: Any) -> Any:
    """Return vLLM's reasoning parser for a model; None if there is none that knows its tokens."""
    from vllm.reasoning import ReasoningParserManager

    if named == "none":
        return None
    if named:
        return ReasoningParserManager.get_reasoning_parser(named)(tokenizer)
    if family is not None and family.parser:
        with suppress(Exception):  # this vLLM lacks the parser, or the tokenizer the tags
            return ReasoningParserManager.get_reasoning_parser(family.parser)(tokenizer)
    return None


def _has_special_tags(tokenizer: Any, family: Family | None) -> bool:
    if family is None:
        return False
    return family.special or family.closing in getattr(tokenizer, "all_special_tokens", ())


def _tags(tokenizer: Any, family: Family | None, parser: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    opening = family.opening if family else getattr(parser, "reasoning_start_str", "") or "<think>"
    closing = family.closing if family else getattr(parser, "reasoning_end_str", "") or "</think>"
    first, last = (tuple(tokenizer.encode(tag, add_special_tokens=False)) for tag in (opening, closing))
    return first, last


def _reasoning(named: str, parser: Any, family: Family | None) -> dict[str, Any]:
    """Return the engine arguments by which vLLM knows where thoughts begin and end."""
    from vllm.config.reasoning import ReasoningConfig

    if named == "none":
        return {}
    name = named or (family.parser if family and parser else "")
    arguments: dict[str, Any] = {"reasoning_parser": name} if name else {}
    if family and not (
        getattr(parser, "reasoning_start_str", "") and getattr(parser, "reasoning_end_str", "")
    ):
        arguments["reasoning_config"] = ReasoningConfig(
            reasoning_start_str=family.opening, reasoning_end_str=family.closing
        )
    return arguments


def stop(model: Model) -> None:
    """Stop vLLM, and free what it leaves behind in this process."""
    with suppress(Exception):  # it may already be dead
        model.engine.engine_core.shutdown()
    if model.in_process:
        gc.collect()
        with suppress(Exception):
            from vllm.distributed.parallel_state import cleanup_dist_env_and_memory

            cleanup_dist_env_and_memory()
        _IN_PROCESS.release()
