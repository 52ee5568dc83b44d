"""A model through transformers, on a CPU or a GPU, in a thread of this process: needs no more than torch."""

import copy
import os
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from glotmill.errors import EngineError, GlotmillError, RequestFailed, UsageError, typed_line
from glotmill.generators._shared.opening import (
    check_options,
    model_place,
    not_installed,
    token_ids,
)
from glotmill.generators._shared.waiting import Line, line_to
from glotmill.generators._torch.batch import Batch, Row
from glotmill.generators._torch.sampling import Choice
from glotmill.messages import Engine, Reply, Request

_OPTIONS = (  # of `from_pretrained`, which itself takes any name
    *("attn_implementation", "cache_dir", "device_map", "dtype", "force_download", "local_files_only"),
    *("max_memory", "offload_folder", "quantization_config", "subfolder", "token", "trust_remote_code"),
    *("use_safetensors", "variant"),
)
_DEFAULTS = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "repetition_penalty",
)  # what a generation_config may set
_RESTARTS = 3
_PREFILL = 8192  # tokens of prompts computed at once
_MOST_LOGPROBS = 20  # as in vLLM


@asynccontextmanager
async def transformers(
    model: str,
    *,
    revision: str | None = None,
    batch_size: int = 64,
    max_model_len: int = 4096,
    **options: Any,
) -> AsyncIterator[Engine]:
    """Replies from `AutoModelForCausalLM`; `options` are those of its `from_pretrained`.

    batch_size: rows computed at once; when some have ended, others that wait take their place. max_model_len:
    tokens of a prompt and its reply together, at most what the model has. A reply depends on its request and
    seed alone, but for rounding. In float32 on a CPU, in the model's own type on a GPU. Sampling that a
    request leaves open is the model's own (its generation_config). Schemas need the package xgrammar.

    Raises:
        UsageError: no such option, or a size below 1.
        EngineError: torch or transformers is missing, the model cannot be loaded or is no chat model, or it
            failed four times.
        RequestFailed: `prompt_too_long`, `empty_prompt`, `template_refused`, `bad_sampling`,
            `schema_unsupported`, `engine_died`.
    """
    if batch_size < 1 or max_model_len < 2:
        raise UsageError(
            f"engine transformers: batch_size={batch_size}, max_model_len={max_model_len}: too small"
        )
    engine = _Engine(model, revision, options)
    engine.size, engine.most = batch_size, max_model_len

    async def generate(request: Request) -> Reply:
        row = await line.ask(engine.prepare, request)
        told = tuple(row.choice.told) if row.choice.logprobs is not None else None
        return Reply(row.text, row.finish, len(row.prompt), len(row.choice.tokens), told)

    async with line_to("transformers", engine.serve) as line:
        yield generate


class _Engine:
    """All but `prepare` runs in the one thread that touches the model."""

    size: int
    most: int

    def __init__(self, model: str, revision: str | None, options: dict[str, Any]) -> None:
        self.given = (model, revision, options)

    def prepare(self, request: Request) -> Row:
        given = {**self.defaults, **request.sampling.given()}
        _check(given)
        prompt = token_ids(self.tokenizer, request, self.most)
        room = self.most - len(prompt)
        most = min(given.pop("max_tokens", room), room)
        stop = given.pop("stop", ())
        choice = Choice(**given, seed=request.seed, prompt=prompt)
        if request.schema:
            choice.grammar = self.grammar(request.schema)
        return Row(prompt, choice, most, stop)

    def serve(self, line: Line) -> None:
        """Loads the model, runs it while the line is open, and in the end refuses what still comes."""
        reason = "engine transformers: closed"
        try:
            batch = self._open()
        except Exception as error:  # noqa: BLE001 nobody else would hear of it
            known = isinstance(error, GlotmillError)
            refused = error if known else EngineError(f"engine transformers: {typed_line(error)}")
            line.settle([(line.opened, refused)])
            line.refuse_all(str(refused))
            return
        line.settle([(line.opened, None)])
        for _ in range(1 + _RESTARTS):
            waiting: list[Row] = []
            try:
                self._run(line, batch, waiting)
            except Exception as error:  # noqa: BLE001 out of memory, most often
                reason = f"engine transformers: died: {typed_line(error)}"
            lost = [*(row for row in batch.rows if not row.finish), *waiting]
            line.settle([(row.done, RequestFailed("engine_died", reason, transient=True)) for row in lost])
            batch.clear()
        line.refuse_all(reason)

    def _open(self) -> Batch:
        model, self.tokenizer = _load(*self.given)
        config = model.config.get_text_config()
        self.most = min(self.most, getattr(config, "max_position_embeddings", self.most))
        own = model.generation_config.to_diff_dict()
        self.defaults = {name: own[name] for name in _DEFAULTS if own.get(name) is not None}
        ends = own.get("eos_token_id")
        ends = [*(ends if isinstance(ends, list) else [ends]), self.tokenizer.eos_token_id]
        ends = sorted({end for end in ends if end is not None})
        self.grammar = _grammars(self.tokenizer, config.vocab_size, ends)
        return Batch(model, copy.deepcopy(self.tokenizer), ends)  # `prepare` has a thread of its own

    def _run(self, line: Line, batch: Batch, waiting: list[Row]) -> None:
        import torch

        with torch.inference_mode():
            while not line.closing:
                while job := line.take(wait=not waiting and not batch.running()):
                    job.work.done = job.done
                    waiting.append(job.work)
                free = self.size - batch.running()
                ended = []
                if waiting and (free > self.size // 8 or not batch.running()):
                    ended = batch.exchange(_next(waiting, free))
                elif len(batch.rows) - batch.running() > self.size // 4:
                    batch.exchange([])
                if batch.running():
                    ended += batch.step()
                if ended:
                    line.settle([(row.done, row) for row in ended])


def _next(waiting: list[Row], most: int) -> list[Row]:
    """Takes the oldest row and, of those near it, the ones closest in length: little is padded."""
    near = waiting[: 4 * most]
    near.sort(key=lambda row: abs(len(row.prompt) - len(waiting[0].prompt)))
    while most > 1 and most * max(len(row.prompt) for row in near[:most]) > _PREFILL:
        most -= 1
    taken = near[:most]
    ids = set(map(id, taken))
    waiting[:] = [row for row in waiting if id(row) not in ids]
    return taken


def _check(given: dict[str, Any]) -> None:
    fits: dict[str, Callable[[Any], bool]] = {
        "temperature": lambda value: 0 <= value <= 100,
        "top_p": lambda value: 0 < value <= 1,
        "top_k": lambda value: value >= -1,
        "min_p": lambda value: 0 <= value <= 1,
        "repetition_penalty": lambda value: value > 0,
        "max_tokens": lambda value: value >= 1,
        "min_tokens": lambda value: value >= 0,
        "logprobs": lambda value: 0 <= value <= _MOST_LOGPROBS,
    }
    for name, fit in fits.items():
        if name in given and not fit(given[name]):
            raise RequestFailed("bad_sampling", f"{name}={given[name]}")


def _load(model: str, revision: str | None, options: dict[str, Any]) -> tuple[Any, Any]:
    """The model and its tokenizer. Their warnings are about themselves and no news to a user."""
    check_options("transformers", options, [*_OPTIONS, "batch_size", "max_model_len"])
    place = model_place(model)
    # Threads that spin while they wait for each other stand still, twelve times over, where cores are shared.
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
        given = {
            "dtype": "auto" if gpu else torch.float32,
            "local_files_only": Path(place).is_dir(),
            **options,
        }
        shared = {
            k: given[k] for k in ("local_files_only", "token", "trust_remote_code", "cache_dir") if k in given
        }
        try:
            tokenizer = AutoTokenizer.from_pretrained(place, revision=revision, **shared)
            loaded = AutoModelForCausalLM.from_pretrained(place, revision=revision, **given).eval()
            if gpu and "device_map" not in given:
                loaded = loaded.to("cuda")
        except Exception as error:
            raise EngineError(f"engine transformers: cannot open {model}: {typed_line(error)}") from error
    if not tokenizer.chat_template:
        raise EngineError(f"engine transformers: {model} has no chat template: take a chat (instruct) model")
    if getattr(loaded, "_is_stateful", False):
        raise EngineError(
            f"engine transformers: {model} is no plain attention model: run it with the engine vllm"
        )
    return loaded, tokenizer


def _grammars(tokenizer: Any, vocabulary: int, ends: list[int]) -> Callable[[str], Any]:
    """Makes a matcher for a schema; what a schema compiles to is kept."""

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
