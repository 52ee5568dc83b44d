"""transformers in this process, on a CPU or a GPU: for small models, and where vLLM does not run."""

import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from glotmill.errors import EngineError, GlotmillError, RequestFailed, UsageError, typed_line
from glotmill.generators._shared.model_thread import ModelThread, model_thread
from glotmill.generators._torch.batch import Batch, Row
from glotmill.generators._torch.likelihood import token_logprobs
from glotmill.generators._torch.open_model import Adapters, open_model
from glotmill.generators._torch.requests import RowMaker, Text
from glotmill.messages import Engine, Reply, Request

_DEFAULTS = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "repetition_penalty",
)  # taken from the generation_config
_RESTARTS = 3
_PREFILL = 8192  # tokens of prompts computed at once


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

    Runs in the model's own dtype; on a CPU in float32, unless the weights are bfloat16, the CPU computes in
    it, and the model is not tiny. Apart from rounding, which is coarse in bfloat16, a reply depends only on
    its request and seed.
    Sampling parameters that a request leaves open come from the model's generation_config. JSON schemas,
    choices, regular expressions and grammars need the package xgrammar, LoRA adapters the package peft.

    batch_size: rows computed together; a finished row makes room for a waiting one.
    max_model_len: tokens of a prompt and its reply, at most the model's own limit.

    Raises:
        UsageError: unknown option, or a size below 1.
        EngineError: a package is missing, the model or an adapter cannot be loaded, failed four times, or
            cannot do the task: chats need a chat template, and no model embeds or scores here.
        RequestFailed: `prompt_too_long`, `empty_prompt`, `template_refused`, `bad_sampling`,
            `schema_unsupported`, `constraint_unsupported`, `engine_died`.
    """
    if batch_size < 1 or max_model_len < 2:
        raise UsageError(
            f"engine transformers: batch_size={batch_size}, max_model_len={max_model_len}: too small"
        )
    engine = _Engine(model, revision, options)
    engine.size, engine.max_model_len = batch_size, max_model_len

    async def generate(request: Request) -> Reply:
        done = await thread.submit(engine.prepare, request)
        return done if isinstance(done, Reply) else _reply(done)

    async with model_thread("transformers", engine.serve) as thread:
        yield generate


class _Engine:
    """The loaded model. Everything but `prepare` runs in the one thread that uses it."""

    size: int
    max_model_len: int

    def __init__(self, model: str, revision: str | None, options: dict[str, Any]) -> None:
        self.load_arguments = (model, revision, options)

    def prepare(self, request: Request) -> Row | Text:
        return self.maker.make(request)

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
            queue: list[Any] = []
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
        model, tokenizer = open_model(*self.load_arguments)
        config = model.config.get_text_config()
        self.max_model_len = min(
            self.max_model_len, getattr(config, "max_position_embeddings", self.max_model_len)
        )
        generation_config = model.generation_config.to_diff_dict()
        defaults = {
            name: generation_config[name] for name in _DEFAULTS if generation_config.get(name) is not None
        }
        ends = generation_config.get("eos_token_id")
        ends = [*(ends if isinstance(ends, list) else [ends]), tokenizer.eos_token_id]
        ends = sorted({end for end in ends if end is not None})
        self.maker = RowMaker(
            self.load_arguments[0], tokenizer, config.vocab_size, ends, defaults, self.max_model_len
        )
        self.maker.device = model.device
        self.adapters = Adapters(model)
        return Batch(model, copy.deepcopy(tokenizer), ends)  # `prepare` has its own thread

    def _run(self, thread: ModelThread, batch: Batch, queue: list[Any]) -> None:
        import torch

        with torch.inference_mode():
            while not thread.closing:
                while job := thread.next_pending(wait=not queue and not batch.running()):
                    job.work.future = job.future
                    queue.append(job.work)
                if not batch.running() and queue:
                    self._use_adapter(thread, queue)
                ready = [row for row in queue if row.lora == self.adapters.active]
                texts = [row for row in ready if isinstance(row, Text)]
                for text in texts:
                    queue.remove(text)
                    logprobs = token_logprobs(batch.model, text.prompt.ids, text.prompt.start)
                    reply = Reply("", prompt_tokens=len(text.prompt.ids), logprobs=logprobs)
                    thread.resolve([(text.future, reply)])
                self._advance(thread, batch, queue)

    def _advance(self, thread: ModelThread, batch: Batch, queue: list[Any]) -> None:
        """Let rows in where there is room, and generate one token for every row."""
        free_rows = self.size - batch.running()
        finished: list[Row] = []
        ready = [row for row in queue if row.lora == self.adapters.active]
        if ready and (free_rows > self.size // 8 or not batch.running()):
            finished = batch.exchange(_take_similar_lengths(queue, ready, free_rows))
        elif len(batch.rows) - batch.running() > self.size // 4:
            batch.exchange([])
        if batch.running():
            finished += batch.step()
        if finished:
            thread.resolve([(row.future, row) for row in finished])

    def _use_adapter(self, thread: ModelThread, queue: list[Any]) -> None:
        """Take up the adapter that the oldest request asks for; fail those whose adapter cannot be had."""
        while queue:
            name = queue[0].lora
            try:
                return self.adapters.use(name)
            except EngineError as error:
                failed = [row for row in queue if row.lora == name]
                queue[:] = [row for row in queue if row.lora != name]
                thread.resolve([(row.future, error) for row in failed])
        return None


def _reply(row: Row) -> Reply:
    logprobs = tuple(row.sampler.logprob_values) if row.sampler.logprobs is not None else None
    return Reply(
        row.thoughts.text,
        row.finish,
        len(row.prompt),
        len(row.sampler.tokens),
        logprobs,
        reasoning=row.thoughts.reasoning,
        reasoning_tokens=row.reasoning_tokens,
    )


def _take_similar_lengths(queue: list[Any], ready: list[Row], limit: int) -> list[Row]:
    """Remove and return the oldest row that is ready and others of similar length, to save padding."""
    candidates = ready[: 4 * limit]
    candidates.sort(key=lambda row: abs(len(row.prompt) - len(ready[0].prompt)))
    while limit > 1 and limit * max(len(row.prompt) for row in candidates[:limit]) > _PREFILL:
        limit -= 1
    batch = candidates[:limit]
    ids = set(map(id, batch))
    queue[:] = [row for row in queue if id(row) not in ids]
    return batch
