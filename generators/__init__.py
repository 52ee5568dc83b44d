"""Who writes: one engine a file, one function of the file's name.

An engine is an async context manager that yields a function `async (Request) -> Reply`:

    @asynccontextmanager
    async def echo(model: str, *, revision: str | None = None, delay_s: float = 0.0) -> AsyncIterator[Engine]:

In: the model's name and revision, and the engine's own options as keyword arguments; then Requests, many at
a time. Each holds the messages, the sampling parameters, a seed and, if the reply must follow one, a JSON
schema. Out: one Reply for each Request, in any order, with its text, finish reason and token counts.

An engine raises `RequestFailed` for one request (`transient=True` if the same request may succeed later) and
`EngineError` when it cannot continue at all. It batches as it likes, keeps no state of the run, and a reply
depends on its request alone. An engine that waits before it sends says so (`_shared/stopping.py`). Packages
such as vllm or torch are imported inside the function.

Read `echo.py` first: it is the contract and nothing else. Then `openai.py`, a server behind an adaptive limit
of concurrent requests (`_shared/adaptive_limit.py`); `vllm.py`, a model in a thread of this process
(`_shared/model_thread.py`), with `_vllm/` for starting it, what it is asked and what it answers; and
`transformers.py`, with its own continuous batching (`_torch/`). `_shared/prompts.py` makes the tokens of a
request. What models think, and how they are told not to, is `_shared/thinking.py`; what their files say of
them `_shared/model_facts.py`; what a language costs in their tokens `_shared/fertility.py`.
`sentence_transformers.py` makes vectors and scores. `_shared/replicas.py` asks an engine in several
processes, `ray.py` on several machines; both are `_shared/engine_host.py` on the far end and
`_shared/remote_engine.py` here. `replay.py` answers from the journals of an earlier run. `nano/` is the model
that comes with glotmill.
"""
