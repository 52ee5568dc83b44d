"""transformers in this process, on a CPU or a GPU: for small models, and where vLLM does not run."""

import copy
import os
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from glotmill.errors import EngineError, GlotmillError, RequestFailed, UsageError, typed_line
from glotmill.generators._shared.loading import check_options, model_path, not_installed, token_ids
from glotmill.generators._shared.model_thread import ModelThread, model_thread
from glotmill.generators._torch.batch import Batch, Row
from glotmill.generators._torch.sampling import TokenSampler
from glotmill.messages import Engine, Reply, Request

_OPTIONS = [  # of `from_pretrained`, which itself accepts any name
    "attn_implementation",
    "cache_dir",
    "device_map",
    "dtype",
    "force_download",
    "local_files_only",
    "max_memory",
    "offload_folder",
    "quantization_config",
    "subfolder",
    "token",
    "trust_remote_code",
    "use_safetensors",
    "variant",
]
_DEFAULTS = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "repetition_penalty",
)  # taken from the generation_config
_RESTARTS = 3
_PREFILL = 8192  # tokens of prompts computed at once
_MAX_LOGPROBS = 20  # as in vLLM


@asynccontextmanager
async def transformers(
    model: str,
    *,
    revision: str | None = None,
    batch_size: int = 64,
    max_model_len: int = 4096,
    **options: Any,
) -> AsyncIterator[Engine]:
    """Generate with `AutoModelForCausalLM`; `options` are arguments of its `from_pretrained`.

    Runs in float32 on a CPU, and in the model's own dtype on a GPU. Apart from rounding, a reply depends only
    on its request and seed. Sampling parameters that a request leaves open come from the model's
    generation_config. JSON schemas need the package xgrammar.

    batch_size: rows computed together; a finished row makes room for a waiting one.
    max_model_len: tokens of a prompt and its reply, at most the model's own limit.

    Raises:
        UsageError: unknown option, or a size below 1.
        EngineError: torch or transformers is missing, the model cannot be loaded, is not a chat model, or
            failed four times.
        RequestFailed: `prompt_too_long`, `empty_prompt`, `template_refused`, `bad_sampling`,
            `schema_unsupported`, `engine_died`.
    """
    if batch_size < 1 or max_model_len < 2:
        raise UsageError(
            f"engine transformers: batch_size={batch_size}, max_model_len={max_model_len}: too small"
        )
    engine = _Engine(model, revision, options)
    engine.size, engine.max_model_len = batch_size, max_model_len

    async def generate(request: Request) -> Reply:
        row = await thread.submit(engine.prepare, request)
        logprobs = tuple(row.sampler.logprob_values) if row.sampler.logprobs is not None else None
        return Reply(row.text, row.finish, len(row.prompt), len(row.sampler.tokens), logprobs)

    async with model_thread("transformers", engine.serve) as thread:
        yield generate


class _Engine:
    """The loaded model. Everything but `prepare` runs in the one thread that uses it."""

    size: int
    max_model_len: int

    def __init__(self, model: str, revision: str | None, options: dict[str, Any]) -> None:
        self.load_arguments = (model, revision, options)

    def prepare(self, request: Request) -> Row:
        arguments = {**self.defaults, **request.sampling.given()}
        _check_sampling(arguments)
        prompt = token_ids(self.tokenizer, request, self.max_model_len)
        room = self.max_model_len - len(prompt)
        max_tokens = min(arguments.pop("max_tokens", room), room)
        stop = arguments.pop("stop", ())
        sampler = TokenSampler(**arguments, seed=request.seed, prompt=prompt)
        if request.schema:
            sampler.grammar = self.grammar(request.schema)
        return Row(prompt, sampler, max_tokens, stop)

    def serve(self, thread: ModelThread) -> None:
        """Load the model and run it until the engine closes, then reject requests that still arrive."""
        reason = "engine transformers: closed"
        try:
            batch = self._open()
        except Exception as error:  # noqa: BLE001 otherwise lost with this thread
            is_ours = isinstance(error, GlotmillError)
            error_to_raise = error if is_ours else EngineError(f"engine transformers: {typed_line(error)}")
            thread.resolve([(thread.ready, error_to_raise)])
            thread.reject_all(str(error_to_raise))
            return
        thread.resolve([(thread.ready, None)])
        for _ in range(1 + _RESTARTS):
            queue: list[Row] = []
            try:
                self._run(thread, batch, queue)
            except Exception as error:  # noqa: BLE001 out of memory, most often
                reason = f"engine transformers: died: {typed_line(error)}"
            lost = [*(row for row in batch.rows if not row.finish), *queue]
            thread.resolve(
                [(row.future, RequestFailed("engine_died", reason, transient=True)) for row in lost]
            )
            batch.clear()
        thread.reject_all(reason)

    def _open(self) -> Batch:
        model, self.tokenizer = _load(*self.load_arguments)
        config = model.config.get_text_config()
        self.max_model_len = min(
            self.max_model_len, getattr(config, "max_position_embeddings", self.max_model_len)
        )
        generation_config = model.generation_config.to_diff_dict()
        self.defaults = {
            name: generation_config[name] for name in _DEFAULTS if generation_config.get(name) is not None
        }
        ends = generation_config.get("eos_token_id")
        ends = [*(ends if isinstance(ends, list) else [ends]), self.tokenizer.eos_token_id]
        ends = sorted({end for end in ends if end is not None})
        self.grammar = _grammars(self.tokenizer, config.vocab_size, ends)
        return Batch(model, copy.deepcopy(self.tokenizer), ends)  # `prepare` has its own thread

    def _run(self, thread: ModelThread, batch: Batch, queue: list[Row]) -> None:
        import torch

        with torch.inference_mode():
            while not thread.closing:
                while job := thread.next_pending(wait=not queue and not batch.running()):
                    job.work.future = job.future
                    queue.append(job.work)
                free_rows = self.size - batch.running()
                finished = []
                if queue and (free_rows > self.size // 8 or not batch.running()):
                    finished = batch.exchange(_take_similar_lengths(queue, free_rows))
                elif len(batch.rows) - batch.running() > self.size // 4:
                    batch.exchange([])
                if batch.running():
                    finished += batch.step()
                if finished:
                    thread.resolve([(row.future, row) for row in finished])


def _take_similar_lengths(queue: list[Row], limit: int) -> list[Row]:
    """Remove and return the oldest row and up to `limit` - 1 rows of similar length, to save padding."""
    candidates = queue[: 4 * limit]
    candidates.sort(key=lambda row: abs(len(row.prompt) - len(queue[0].prompt)))
    while limit > 1 and limit * max(len(row.prompt) for row in candidates[:limit]) > _PREFILL:
        limit -= 1
    batch = candidates[:limit]
    ids = set(map(id, batch))
    queue[:] = [row for row in queue if id(row) not in ids]
    return batch


def _check_sampling(arguments: dict[str, Any]) -> None:
    fits: dict[str, Callable[[Any], bool]] = {
        "temperature": lambda value: 0 <= value <= 100,
        "top_p": lambda value: 0 < value <= 1,
        "top_k": lambda value: value >= -1,
        "min_p": lambda value: 0 <= value <= 1,
        "repetition_penalty": lambda value: value > 0,
        "max_tokens": lambda value: value >= 1,
        "min_tokens": lambda value: value >= 0,
        "logprobs": lambda value: 0 <= value <= _MAX_LOGPROBS,
    }
    for name, fit in fits.items():
        if name in arguments and not fit(arguments[name]):
            raise RequestFailed("bad_sampling", f"{name}={arguments[name]}")


def _load(model: str, revision: str | None, options: dict[str, Any]) -> tuple[Any, Any]:
    """Return the model and its tokenizer, without the warnings they print while loading."""
    check_options("transformers", options, [*_OPTIONS, "batch_size", "max_model_len"])
    path = model_path(model)
    # Threads that spin while they wait are twelve times slower where cores are shared.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import torch
            from transformers import AutoModelForCausalLM, AutoTokenizer
            from transformers.utils import logging
        except ImportError as error:
            raise not_installed("transformers", "'glotmill[transformers]'", error) from error
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        gpu = torch.cuda.is_available()
        arguments = {
            "dtype": "auto" if gpu else torch.float32,
            "local_files_only": Path(path).is_dir(),
            **options,
        }
        tokenizer_arguments = {
            k: arguments[k]
            for k in ("local_files_only", "token", "trust_remote_code", "cache_dir")
            if k in arguments
        }
        try:
            tokenizer = AutoTokenizer.from_pretrained(path, revision=revision, **tokenizer_arguments)
            network = AutoModelForCausalLM.from_pretrained(path, revision=revision, **arguments).eval()
            if gpu and "device_map" not in arguments:
                network = network.to("cuda")
        except Exception as error:
            raise EngineError(f"engine transformers: cannot open {model}: {typed_line(error)}") from error
    if not tokenizer.chat_template:
        raise EngineError(
            f"engine transformers: {model} has no chat template; choose a chat (instruct) model"
        )
    if getattr(network, "_is_stateful", False):
        raise EngineError(
            f"engine transformers: {model} keeps a state that this engine cannot batch; use --engine vllm"
        )
    return network, tokenizer


def _grammars(tokenizer: Any, vocabulary: int, ends: list[int]) -> Callable[[str], Any]:
    """Return a function that makes an xgrammar matcher for a JSON schema."""

    @lru_cache(maxsize=1)
    def compiler() -> Any:
        import xgrammar

        info = xgrammar.TokenizerInfo.from_huggingface(tokenizer, vocab_size=vocabulary, stop_token_ids=ends)
        return xgrammar.GrammarCompiler(info)

    def matcher(schema: str) -> Any:
        try:
            import xgrammar

            return xgrammar.GrammarMatcher(compiler().compile_json_schema(schema, any_whitespace=False))
        except Exception as error:
            raise RequestFailed("schema_unsupported", typed_line(error)) from error

    return matcher
