"""vLLM on the GPUs of this machine, or on its CPU."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from glotmill.errors import EngineError, GlotmillError, RequestFailed, typed_line
from glotmill.generators._shared.gpus import gpu_shares
from glotmill.generators._shared.model_thread import ModelThread, Pending, model_thread
from glotmill.generators._shared.replicas import open_processes
from glotmill.generators._vllm.answered import answered
from glotmill.generators._vllm.asked import Asked, asked
from glotmill.generators._vllm.start import Model, start, stop
from glotmill.messages import Engine, Reply, Request

_RESTARTS = 3
_WINDOW = 4  # requests inside vLLM, as a multiple of those it computes together


@asynccontextmanager
async def vllm(
    model: str, *, revision: str | None = None, replicas: int | None = None, **engine_args: Any
) -> AsyncIterator[Engine]:
    """Generate with vLLM; `engine_args` are the arguments of `vllm.EngineArgs`.

    Requests are added and finished replies are taken out while vLLM runs, so its batch never drains. Prompts
    that start alike share their computation (prefix caching). Sampling parameters that a request leaves open
    come from the model's generation_config; a reply without `max_tokens` may fill the context. When vLLM
    dies, the requests it was working on fail as `engine_died`, which may be retried, and vLLM is started
    again, up to three times. On a CPU it runs without compilation, with up to 4,096 tokens of context, unless
    the arguments say otherwise.

    An encoder embeds or scores, any other model writes text, unless `runner` and `convert` say otherwise.
    Vectors have length 1; a cross-encoder's score lies between 0 and 1, a reward is the model's own number.
    `reasoning_parser` names vLLM's parser of thoughts, or `none`; without it, the model's name and its chat
    template tell. `enable_lora=true` is needed for adapters.

    replicas: how many vLLMs to run, each in a process of its own with its own GPUs, as many as
        `tensor_parallel_size` says. By default as many as this machine has GPUs for; one alone runs in this
        process.

    Raises:
        UsageError: unknown option, or more replicas than there are GPUs for.
        EngineError: vLLM is missing, the model cannot be loaded or cannot do what a request asks (a chat
            without a chat template, an adapter without `enable_lora`), or vLLM died too often.
        RequestFailed: `prompt_too_long`, `empty_prompt`, `template_refused`, `bad_sampling`, `lora_refused`,
            `engine_refused` (such as a schema that vLLM cannot enforce), `no_single_score`, `engine_died`,
            `engine_abort`.
    """
    shares = await asyncio.to_thread(gpu_shares, "vllm", replicas, engine_args)
    if len(shares) > 1:
        arguments = {**engine_args, "replicas": 1}
        async with open_processes("vllm", model, revision, arguments, shares) as replicated:
            yield replicated
        return
    engine = _Engine(model, revision, engine_args)

    async def generate(request: Request) -> Reply:
        work, output = await thread.submit(engine.prepare, request)
        return answered(engine.model, work, output)

    async with model_thread("vllm", engine.serve) as thread:
        yield generate


class _Engine:
    """The running vLLM. Everything but `prepare` runs in the one thread that uses it."""

    model: Model

    def __init__(self, model: str, revision: str | None, options: dict[str, Any]) -> None:
        self.load_arguments = (model, revision, options)
        self.running: dict[str, Pending] = {}
        self.adapters: dict[str, Any] = {}  # vllm.LoRARequest by name or folder
        self.admitted = 0

    def prepare(self, request: Request) -> Asked:
        return asked(self.model, request)

    def serve(self, thread: ModelThread) -> None:
        """Start vLLM, restart it when it dies, and finally reject requests that still arrive."""
        reason = "engine vllm: closed"
        for _ in range(1 + _RESTARTS):
            try:
                self.model = start(*self.load_arguments)
            except Exception as error:  # noqa: BLE001 otherwise lost with this thread
                failure = (
                    error
                    if isinstance(error, GlotmillError)
                    else EngineError(f"engine vllm: {typed_line(error)}")
                )
                thread.resolve([(thread.ready, failure)])
                reason = str(failure)
                break
            thread.resolve([(thread.ready, None)])
            try:
                self._step(thread)
            except Exception as error:  # noqa: BLE001 vLLM may die of anything
                reason = f"engine vllm: died: {typed_line(error)}"
            self._fail_waiting(thread, reason)  # first, since cleaning up takes seconds
            self.adapters.clear()
            stop(self.model)
            if thread.closing:
                break
        thread.reject_all(reason)

    def _step(self, thread: ModelThread) -> None:
        """Run vLLM until the engine closes; raises when vLLM dies."""
        engine = self.model.engine
        room = _WINDOW * engine.vllm_config.scheduler_config.max_num_seqs
        while not thread.closing:
            while len(self.running) < room and (pending := thread.next_pending(wait=not self.running)):
                self._admit(thread, pending)
            outputs = [output for output in engine.step() if output.finished] if self.running else []
            if outputs:
                done = [(self.running.pop(output.request_id), output) for output in outputs]
                thread.resolve([(pending.future, (pending.work, output)) for pending, output in done])

    def _admit(self, thread: ModelThread, pending: Pending) -> None:
        from vllm.v1.engine.exceptions import EngineDeadError

        self.admitted += 1
        name = str(self.admitted)
        self.running[name] = pending
        try:
            self._add(name, pending.work)
        except EngineDeadError:
            raise
        except Exception as error:  # noqa: BLE001 fails this request alone
            del self.running[name]
            failure = (
                error
                if isinstance(error, RequestFailed)
                else RequestFailed("engine_refused", typed_line(error))
            )
            thread.resolve([(pending.future, failure)])

    def _add(self, name: str, work: Asked) -> None:
        engine = self.model.engine
        prompt: Any = {"type": "token", "prompt_token_ids": work.prompt.ids}
        lora = self._adapter(work.request.lora) if work.request.lora else None
        if work.constrained_at_once:
            tasks = engine.get_supported_tasks()
            prompt = engine.input_processor.process_inputs(
                name, prompt, work.params, tasks, lora_request=lora
            )
            prompt.reasoning_ended = True
        engine.add_request(name, prompt, work.params, lora_request=lora)

    def _adapter(self, name: str) -> Any:
        """Return the request for an adapter, loaded: a broken one would end vLLM at its first token."""
        from vllm.lora.request import LoRARequest
        from vllm.v1.engine.exceptions import EngineDeadError

        if name not in self.adapters:
            if 0 < self.model.max_adapters <= len(self.adapters):
                limit = self.model.max_adapters
                raise RequestFailed(
                    "lora_refused", f"{name}: the engine was opened for {limit} adapters; raise max_loras"
                )
            adapter = LoRARequest(name, len(self.adapters) + 1, name)
            try:
                self.model.engine.add_lora(adapter)
            except EngineDeadError:
                raise
            except Exception as error:
                raise RequestFailed("lora_refused", f"{name}: {typed_line(error)}") from error
            self.adapters[name] = adapter
        return self.adapters[name]

    def _fail_waiting(self, thread: ModelThread, reason: str) -> None:
        waiting = list(self.running.values())
        self.running.clear()
        while pending := thread.next_pending(wait=False):
            waiting.append(pending)
        thread.resolve(
            [(pending.future, RequestFailed("engine_died", reason, transient=True)) for pending in waiting]
        )
