"""How replies a second grow with the number of replicas: `python benchmarks/replicas.py [--ray] [1 2 4 ...]`.

Each replica is an engine that computes at most 16 requests at once, 0.1 s each, as a server with a full batch
would; so one can give 160 replies a second, and what is missing to that is what passing requests costs. The
last columns are the CPU time of this process per request, and replies a second of a replica without a limit
or a delay.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from glotmill.generators._shared.replicas import open_processes
from glotmill.generators.echo import echo
from glotmill.generators.ray import ray
from glotmill.messages import Engine, Message, Reply, Request, Sampling

SLOTS = 16
DELAY_S = 0.1
ROUNDS = 30  # batches of each replica


@asynccontextmanager
async def full_batch(model: str, *, revision: str | None = None) -> AsyncIterator[Engine]:
    """Reply after a delay, to a limited number of requests at once."""
    slots = asyncio.Semaphore(SLOTS)
    async with echo(model, delay_s=DELAY_S) as engine:

        async def generate(request: Request) -> Reply:
            async with slots:
                return await engine(request)

        yield generate


def replicas(engine: str, number: int, with_ray: bool) -> AbstractAsyncContextManager[Engine]:
    """Open an engine several times."""
    if with_ray:
        return ray("m", engine=engine, replicas=number)
    return open_processes(engine, "m", None, {}, [{}] * number)


async def replies_per_second(engine: Engine, number: int, window: int) -> tuple[float, float]:
    """Return replies a second, and CPU milliseconds per reply, with `window` requests in flight."""
    waiting = iter(range(number))

    async def ask() -> None:
        for n in waiting:
            prompt = (Message("system", "Answer in Swahili. " * 20), Message("user", f"Question {n}?"))
            await engine(Request(prompt, "m", sampling=Sampling(temperature=0.7, max_tokens=256), seed=n))

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(ask() for _ in range(window)))
    return number / (time.perf_counter() - began), (time.process_time() - cpu) / number * 1000


async def measure(numbers: list[int], with_ray: bool) -> None:
    """Print a line for each number of replicas."""
    first = 0.0
    print("replicas  replies/s  ratio  CPU ms  without delay")
    for number in numbers:
        async with replicas("replicas:full_batch", number, with_ray) as engine:
            await replies_per_second(engine, SLOTS * number, SLOTS * number)
            speed, cpu = await replies_per_second(engine, ROUNDS * SLOTS * number, 2 * SLOTS * number)
        async with replicas("echo", number, with_ray) as engine:
            most, _ = await replies_per_second(engine, 5000, 512)
        first = first or speed
        print(f"{number:8}  {speed:9.0f}  {speed / first:5.2f}  {cpu:6.2f}  {most:13.0f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("numbers", nargs="*", type=int, default=[1, 2, 4, 8])
    parser.add_argument("--ray", action="store_true", help="Ray actors instead of processes")
    options = parser.parse_args()
    asyncio.run(measure(options.numbers, options.ray))
