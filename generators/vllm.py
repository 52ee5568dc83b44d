"""vLLM inside this process, fed without pause: a thread steps it while requests come and replies go."""

import gc
import logging
import os
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from glotmill.errors import EngineError, GlotmillError, RequestFailed, typed_line
from glotmill.generators._shared.opening import (
    check_options,
    model_place,
    not_installed,
    token_ids,
)
from glotmill.generators._shared.waiting import Line, Pending, line_to
from glotmill.messages import Engine, Reply, Request

_RESTARTS = 3
_WINDOW = 4  # requests inside the engine, as a multiple of what it computes at once
_CONTEXT_ON_CPU = 4096  # tokens, unless the model has fewer or max_model_len says otherwise
_LEAST_LOGPROB = -9999.0  # JSON has no infinity
# Where a schema lets white space stand, small models write nothing else.
_STRICT = {"backend": "xgrammar", "disable_any_whitespace": True}
_QUIET = {
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",
    "VLLM_NO_USAGE_STATS": "1",
}
_ON_CPU = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_CPU_KVCACHE_SPACE": "1"}  # GiB


@asynccontextmanager
async def vllm(model: str, *, revision: str | None = None, **engine_args: Any) -> AsyncIterator[Engine]:
    """Replies from vLLM; `engine_args` are those of `vllm.EngineArgs`.

    Without a GPU it runs in this process, in float32, without compilation, over 4,096 tokens of context at
    most; every option overrides that. Prompts that begin alike share their computation (prefix caching).
    Sampling that a request leaves open is the model's own (its generation_config); a reply without
    `max_tokens` may fill the context. An engine that dies fails what it was working on as `engine_died`,
    which may be asked again, and is started again, three times at most.

    Raises:
        UsageError: no such option.
        EngineError: vLLM is missing, the model cannot be loaded or is no chat model, or it died too often.
        RequestFailed: `prompt_too_long`, `empty_prompt`, `template_refused`, `bad_sampling`,
            `engine_refused` (a schema that it cannot follow, say), `engine_died`, `engine_abort`.
    """
    engine = _Engine(model, revision, engine_args)

    async def generate(request: Request) -> Reply:
        return _reply(await line.ask(engine.prepare, request))

    async with line_to("vllm", engine.serve) as line:
        yield generate


class _Engine:
    """All but `prepare` runs in the one thread that touches vLLM."""

    def __init__(self, model: str, revision: str | None, options: dict[str, Any]) -> None:
        self.given = (model, revision, options)
        self.running: dict[str, Pending] = {}
        self.asked = 0

    def prepare(self, request: Request) -> tuple[list[int], Any]:
        params = _sampling_params(request, self.defaults, self.max_logprobs)
        return token_ids(self.tokenizer, request, self.max_model_len), params

    def serve(self, line: Line) -> None:
        """Starts the engine, again when it dies, and in the end refuses what still comes."""
        reason = "engine vllm: closed"
        for _ in range(1 + _RESTARTS):
            try:
                llm = _start(*self.given)
                self._open(line, llm)
            except Exception as error:  # noqa: BLE001 nobody else would hear of it
                refused = (
                    error
                    if isinstance(error, GlotmillError)
                    else EngineError(f"engine vllm: {typed_line(error)}")
                )
                line.settle([(line.opened, refused)])
                reason = str(refused)
                break
            try:
                self._step(line, llm.llm_engine)
            except Exception as error:  # noqa: BLE001 what kills an engine may be anything
                reason = f"engine vllm: died: {typed_line(error)}"
            self._fail_waiting(line, reason)  # before the clean-up, which takes seconds
            _stop(llm)
            del llm
            _free()
            if line.closing:
                break
        line.refuse_all(reason)

    def _open(self, line: Line, llm: Any) -> None:
        config = llm.model_config
        self.tokenizer = llm.get_tokenizer()
        self.max_model_len, self.max_logprobs = config.max_model_len, config.max_logprobs
        self.defaults = config.get_diff_sampling_param()
        line.settle([(line.opened, None)])

    def _step(self, line: Line, engine: Any) -> None:
        """One life of the engine: returns when it is to close, raises when it dies."""
        room = _WINDOW * engine.vllm_config.scheduler_config.max_num_seqs
        while not line.closing:
            while len(self.running) < room and (job := line.take(wait=not self.running)):
                self._admit(line, engine, job)
            outputs = [output for output in engine.step() if output.finished] if self.running else []
            if outputs:
                line.settle([(self.running.pop(output.request_id).done, output) for output in outputs])

    def _admit(self, line: Line, engine: Any, job: Pending) -> None:
        from vllm.v1.engine.exceptions import EngineDeadError

        self.asked += 1
        name = str(self.asked)
        ids, params = job.work
        self.running[name] = job
        try:
            engine.add_request(name, {"type": "token", "prompt_token_ids": ids}, params)
        except EngineDeadError:
            raise
        except Exception as error:  # noqa: BLE001 this request's fault: the others go on
            del self.running[name]
            line.settle([(job.done, RequestFailed("engine_refused", typed_line(error)))])

    def _fail_waiting(self, line: Line, reason: str) -> None:
        waiting = list(self.running.values())
        self.running.clear()
        while job := line.take(wait=False):
            waiting.append(job)
        line.settle([(job.done, RequestFailed("engine_died", reason, transient=True)) for job in waiting])


def _start(model: str, revision: str | None, options: dict[str, Any]) -> Any:
    """An open `vllm.LLM`. Its warnings are about itself and no news to a user."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    with suppress(PackageNotFoundError):
        version("vllm-cpu")
        # What is compiled when first used needs a C++ compiler, and a path without a blank. Read at import.
        os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")
    logging.getLogger("vllm").setLevel(os.environ["VLLM_LOGGING_LEVEL"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from vllm import LLM, EngineArgs
            from vllm.platforms import current_platform
        except ImportError as error:
            raise not_installed(
                "vllm", "'glotmill[vllm]', or 'glotmill[vllm-cpu]' without a GPU", error
            ) from error
        check_options("vllm", options, {f.name for f in fields(EngineArgs)} - {"model", "revision"})
        arguments = {"model": model_place(model), "revision": revision, "use_tqdm_on_load": False, **options}
        arguments.setdefault("enable_prefix_caching", True)
        arguments.setdefault("structured_outputs_config", dict(_STRICT))
        try:
            if current_platform.is_cpu():
                arguments = _for_cpu(arguments)
            llm = LLM(**arguments)
        except Exception as error:
            raise EngineError(f"engine vllm: cannot open {model}: {typed_line(error)}") from error
    if not getattr(llm.get_tokenizer(), "chat_template", "its own way"):
        raise EngineError(f"engine vllm: {model} has no chat template: take a chat (instruct) model")
    return llm


def _for_cpu(arguments: dict[str, Any]) -> dict[str, Any]:
    """With what makes vLLM start fast and run whole on a CPU."""
    from vllm import EngineArgs

    for name, value in _ON_CPU.items():
        os.environ.setdefault(name, value)
    # A prefill in parts and seeds of requests together end the engine: "CPU Generator does not use offset".
    defaults: dict[str, Any] = {"enforce_eager": True, "dtype": "float32", "enable_chunked_prefill": False}
    if "max_model_len" not in arguments:
        most = EngineArgs(**arguments).create_model_config().max_model_len
        defaults["max_model_len"] = min(most, _CONTEXT_ON_CPU)
    return {**defaults, **arguments}


def _stop(llm: Any) -> None:
    with suppress(Exception):  # it may be dead
        llm.llm_engine.engine_core.shutdown()


def _free() -> None:
    """Gives back what a stopped engine leaves behind in this process."""
    gc.collect()
    with suppress(Exception):
        from vllm.distributed.parallel_state import cleanup_dist_env_and_memory

        cleanup_dist_env_and_memory()


def _sampling_params(request: Request, defaults: dict[str, Any], most_logprobs: int) -> Any:
    from vllm.sampling_params import RequestOutputKind, SamplingParams, StructuredOutputsParams

    given = {"max_tokens": None, **defaults, **request.sampling.given()}
    if given.get("logprobs", 0) > most_logprobs >= 0:
        detail = f"logprobs={given['logprobs']}: at most {most_logprobs}, or set the option max_logprobs"
        raise RequestFailed("bad_sampling", detail)
    if request.schema:
        given["structured_outputs"] = StructuredOutputsParams(json=request.schema)
    given["stop"] = list(request.sampling.stop)
    try:
        return SamplingParams(**given, seed=request.seed, output_kind=RequestOutputKind.FINAL_ONLY)
    except Exception as error:  # vLLM's checks have errors of several kinds
        raise RequestFailed("bad_sampling", typed_line(error)) from error


def _reply(output: Any) -> Reply:
    done = output.outputs[0]
    if done.finish_reason not in ("stop", "length"):
        raise RequestFailed(f"engine_{done.finish_reason}", "vLLM gave the request up", transient=True)
    chosen = None
    if done.logprobs is not None:
        pairs = zip(done.token_ids, done.logprobs, strict=True)
        chosen = tuple(max(float(each[token].logprob), _LEAST_LOGPROB) for token, each in pairs)
    return Reply(done.text, done.finish_reason, len(output.prompt_token_ids), len(done.token_ids), chosen)
