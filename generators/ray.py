"""Engines on the machines of a Ray cluster: Ray Core actors, with one engine each."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal

from glotmill import plugins
from glotmill.errors import EngineError, GlotmillError, UsageError, one_line, typed_line
from glotmill.generators._shared.engine_host import LOG, EngineHost, Outcomes, Requests
from glotmill.generators._shared.gpus import gpus_each
from glotmill.generators._shared.loading import not_installed
from glotmill.generators._shared.remote_engine import ChannelClosedError
from glotmill.generators._shared.replicas import Replicas
from glotmill.messages import Engine

_GRACE_S = 10  # to close an engine in
_POLL_S = 5.0  # between looks at the cluster
_PATIENCE = 24  # looks, after which replicas that found no place are named
_MOST_REPLICAS = 1024
_OBJECT_STORE_BYTES = 100_000_000  # of a local cluster; requests and replies are small
_WITHOUT_GPU = ("echo", "openai", "replay")  # engines that never use one


@asynccontextmanager
async def ray(
    model: str,
    *,
    revision: str | None = None,
    engine: str = "vllm",
    replicas: int | Literal["auto"] = "auto",
    num_gpus: int | None = None,
    address: str | None = None,
    **arguments: Any,
) -> AsyncIterator[Engine]:
    """Generate with an engine in each of several Ray actors; `arguments` are those of the engine.

    A request goes to the replica with the fewest in flight. An actor that dies is started again, where Ray
    has a place for it; its requests fail as `engine_died`, which may be retried. The first replica that is
    ready gets requests while the others still load.

    engine: of each actor.
    replicas: how many actors. `auto`: as many as the cluster has GPUs for, or one on each machine of a
        cluster without GPUs; more are started when machines join.
    num_gpus: GPUs of an actor; by default tensor_parallel_size times pipeline_parallel_size, or none if the
        cluster has none. Ray puts all GPUs of an actor on one machine.
    address: of the cluster; by default RAY_ADDRESS or, without it, a cluster of this machine alone, which
        ends with the engine. All machines need the same versions of Python, Ray and glotmill.

    Raises:
        UsageError: unknown option or engine, or a number out of range.
        EngineError: Ray is missing, there is no cluster at the address, or no actor can open the engine.
        RequestFailed: what the engine raises, and `engine_died`.
    """
    if engine == "ray":
        raise UsageError("engine ray: engine=ray: name the engine of each actor, such as vllm")
    for name, value, least in (("replicas", replicas, 1), ("num_gpus", num_gpus, 0)):
        if isinstance(value, int) and value < least:
            raise UsageError(f"engine ray: {name}={value}: at least {least}")
    plugins.check_options(
        plugins.find("engines", engine), {"revision": revision, **arguments}, f"engine {engine}"
    )
    if Path(model).exists():  # noqa: ASYNC240 one look
        model = os.path.abspath(model)  # noqa: ASYNC240, PTH100 the actors have other working folders
    address = address or os.environ.get("RAY_ADDRESS") or None
    await _check_port(address or "")
    own_cluster = await asyncio.to_thread(_connect_cluster, address)
    try:
        cluster = _Cluster(engine, model, revision, arguments, replicas)
        await cluster.measure(num_gpus)
        async with cluster.open() as generate:
            yield generate
    finally:
        if own_cluster:
            await asyncio.to_thread(_disconnect)


class _Cluster:
    """The replicas in a cluster."""

    gpus: int  # of an actor

    def __init__(
        self,
        engine: str,
        model: str,
        revision: str | None,
        arguments: dict[str, Any],
        replicas: int | Literal["auto"],
    ) -> None:
        self._replicas = Replicas("ray")
        self._number = replicas
        if engine == "vllm":
            arguments = {"distributed_executor_backend": "mp", **arguments, "replicas": 1}
        self._engine = (engine, model, revision, arguments)

    async def measure(self, num_gpus: int | None) -> None:
        """Choose the GPUs of an actor."""
        name, *_, arguments = self._engine
        any_gpu = any(node.get("GPU") for node in await _nodes())
        default = gpus_each(arguments) if any_gpu and name not in _WITHOUT_GPU else 0
        self.gpus = default if num_gpus is None else num_gpus

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Engine]:
        """Start the replicas, and those that are added later; close them in the end."""
        watching = asyncio.ensure_future(self._watch())
        try:
            await self._grow()
            await self._replicas.opened()
            yield self._replicas.ask
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await self._replicas.close()

    async def _grow(self) -> None:
        if isinstance(self._number, int):
            number = self._number
        else:
            number = min(max(1, _places(await _nodes(), self.gpus)), _MOST_REPLICAS)
        if (missing := number - len(self._replicas.members)) > 0:
            more = " more, on machines that joined" if self._replicas.members else ""
            LOG.info(f"engine ray: {missing} replicas of {self._engine[0]}{more}; GPUs of each: {self.gpus}")
        for _ in range(missing):
            self._replicas.add("replica", partial(_start_actor, self._engine, self.gpus))

    async def _watch(self) -> None:
        """Look at the cluster again and again."""
        looks = 0
        while True:
            await asyncio.sleep(_POLL_S)
            looks += 1
            if self._number == "auto":
                with suppress(Exception):  # the cluster may be busy; there is a next time
                    await self._grow()
            members = self._replicas.members
            waiting = sum(not (m.is_ready or m.answered or m.error) for m in members)
            if looks == _PATIENCE and waiting:
                LOG.warning(
                    f"engine ray: {waiting} of {len(members)} replicas have not started yet: they load, or "
                    f"wait for a machine with {self.gpus or 'no'} free GPUs and a free CPU"
                )


class _Actor(EngineHost):
    """The engine of an actor."""

    def __init__(self, folder: str, is_searched: bool, *engine: Any) -> None:
        # Ray puts the driver's working folder first: a random.py there must not stand for the library's.
        sys.path[:] = [*(path for path in sys.path if path != folder), *[folder] * is_searched]
        super().__init__(*engine)

    async def start(self) -> GlotmillError | None:
        """Open the engine; return the error instead of raising it, since Ray would wrap it."""
        try:
            await self.open()
        except GlotmillError as error:
            return error
        return None


class _ActorChannel:
    """The calls of an actor."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor

    async def send(self, requests: Requests) -> None:
        """Pass requests to the actor. Raises ChannelClosedError."""
        await _result(self.actor.put.remote(requests))

    async def receive(self) -> Outcomes:
        """Wait for outcomes. Raises ChannelClosedError."""
        outcomes: Outcomes = await _result(self.actor.take.remote())
        return outcomes

    async def close(self) -> None:
        """Close the engine, then end the actor; both may be gone."""
        try:
            with suppress(TimeoutError, ChannelClosedError):
                async with asyncio.timeout(_GRACE_S):
                    await _result(self.actor.close.remote())
        finally:
            self.kill()

    def kill(self) -> None:
        """End the actor."""
        import ray

        with suppress(Exception):  # the cluster may be gone
            ray.kill(self.actor)


async def _start_actor(engine: Sequence[Any], gpus: int) -> _ActorChannel:
    """Start an actor, and open its engine. Raises UsageError, EngineError, ChannelClosedError."""
    import ray

    folder = str(Path.cwd())
    options = {"num_cpus": 1, "num_gpus": gpus, "max_concurrency": 100, "scheduling_strategy": "SPREAD"}
    channel = _ActorChannel(ray.remote(_Actor).options(**options).remote(folder, folder in sys.path, *engine))
    try:
        error = await _result(channel.actor.start.remote())
    except BaseException:
        channel.kill()
        raise
    if error is not None:
        channel.kill()
        raise error
    return channel


async def _result(reference: Any) -> Any:
    """Return the result of a call. Raises ChannelClosedError if the actor is gone."""
    from ray.exceptions import RayError

    try:
        return await reference
    except RayError as error:
        # The text goes on with many lines about what might be the cause.
        reason = one_line(str(error).rpartition("The actor is dead because ")[2], 2000).partition(". ")[0]
        raise ChannelClosedError(f"its actor is gone: {reason[:200]}") from error


async def _check_port(address: str) -> None:
    """Raise EngineError if nothing listens at an address with a port: Ray itself would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdecimal():
        return
    try:
        async with asyncio.timeout(_GRACE_S):
            _, writer = await asyncio.open_connection(host, int(port))
        writer.close()
    except (OSError, OverflowError) as error:
        raise EngineError(f"engine ray: no cluster at {address}: {typed_line(error)}") from None


def _connect_cluster(address: str | None) -> bool:
    """Connect to a cluster, or start one; return whether that is to be undone. Raises EngineError."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError as error:
        raise not_installed("ray", "'glotmill[ray]'", error) from error
    if ray.is_initialized():
        return False
    options: dict[str, Any] = {"address": address}
    if address is None:
        options |= {"include_dashboard": False, "object_store_memory": _OBJECT_STORE_BYTES}
    try:
        ray.init(**options, logging_level="ERROR", log_to_driver=False)
    except Exception as error:
        where = f"cannot connect to {address}" if address else "cannot start a cluster"
        raise EngineError(f"engine ray: {where}: {typed_line(error)}") from error
    _print_nothing()
    return True


def _print_nothing() -> None:
    """Keep Ray from printing about dead actors on standard output, which may be read as JSON.

    It has no public setting for this, and `RemoteEngine` warns of them.
    """
    from ray._private import worker

    if hasattr(worker, "print_to_stdstream"):
        worker.print_to_stdstream = lambda *_, **__: None


def _disconnect() -> None:
    import ray

    ray.shutdown()


async def _nodes() -> list[Mapping[str, float]]:
    """Return the resources of the machines."""
    import ray

    nodes = await asyncio.to_thread(ray.nodes)
    return [node["Resources"] for node in nodes if node["Alive"]]


def _places(nodes: Sequence[Mapping[str, float]], gpus: int) -> int:
    """Return how many actors fit; without GPUs, one on each machine."""
    if not gpus:
        return sum(node.get("CPU", 0) >= 1 for node in nodes)
    return sum(int(node.get("GPU", 0)) // gpus for node in nodes)
