"""What a request to a server costs in CPU time, compared with bare aiohttp.

python benchmarks/client.py                    bare aiohttp, the engine openai, and the whole of a run
python benchmarks/client.py --openai           also the client of the package openai
python benchmarks/client.py --curator PYTHON   also Curator, with the Python of an environment that has it
python benchmarks/client.py levels             where the limit on concurrent requests settles

The server is another process on loopback, and replies after 0.2 s. Each side runs in a process of its own,
in turns, and the median of the turns is printed: `loop` is from the first request to the last reply,
`process` is all of it, with the start of Python and the imports. `run` is the whole of `glotmill run`:
templates, journal, parser and dataset. Other programs make CPU time grow: only the ratios mean something.
"""

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

DELAY_S = 0.2
TEXT = "Rain falls from clouds when drops of water grow heavy. " * 12
SYSTEM = "You write short texts for readers of all ages. " * 8
RECIPE = """
about: One step for benchmarks/client.py.
languages: [eng_Latn]
seeds: seeds.jsonl
steps: [{generate: answer, temperature: 0.7, max_tokens: 300}]
output: {columns: [answer]}
"""
TEMPLATE = (
    f"{{% block system %}}{SYSTEM}{{% endblock %}}{{% block user %}}Text {{{{ number }}}}.{{% endblock %}}"
)


def answer() -> bytes:
    """Return what the server answers, as HTTP."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": TEXT}}
    usage = {"prompt_tokens": 90, "completion_tokens": 130, "total_tokens": 220}
    body = {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
        "usage": usage,
    }
    data = json.dumps({**body, "data": [{"id": "m", "object": "model", "owned_by": "us"}]}).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
    return head.encode() + data


class Waiting(asyncio.Protocol):
    """A connection of the server; every request gets the same answer, `capacity` at a time."""

    capacity = asyncio.Semaphore(1_000_000)
    data = answer()

    def connection_made(self, transport: Any) -> None:
        """Take a connection."""
        self.transport, self.received = transport, b""
        self.tasks: set[Any] = set()

    def data_received(self, data: bytes) -> None:
        """Answer once a request is whole."""
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return
        lengths = [int(x[15:]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")]
        if len(body) >= sum(lengths):
            self.received = b""
            task = asyncio.ensure_future(self.reply())
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def reply(self) -> None:
        """Answer after a while."""
        async with Waiting.capacity:
            await asyncio.sleep(DELAY_S)
        if not self.transport.is_closing():
            self.transport.write(self.data)


async def serve(capacity: int) -> None:
    """Print the port, and answer for ever."""
    Waiting.capacity = asyncio.Semaphore(capacity)
    server = await asyncio.get_running_loop().create_server(Waiting, "127.0.0.1", 0, backlog=8192)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def body(number: int) -> dict[str, Any]:
    """Return one request."""
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": f"Text {number}."}]
    return {"model": "m", "messages": messages, "temperature": 0.7, "max_tokens": 300, "seed": number}


async def in_turns(ask: Any, requests: int, in_flight: int) -> None:
    """Call `ask` with all numbers, so many at a time."""
    numbers = iter(range(requests))

    async def worker() -> None:
        for number in numbers:
            await ask(number)

    await asyncio.gather(*(worker() for _ in range(in_flight)))


async def bare(url: str, requests: int, in_flight: int) -> None:
    """Send with aiohttp and json, and nothing else."""
    import aiohttp

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def ask(number: int) -> None:
            data = json.dumps(body(number)).encode()
            headers = {"content-type": "application/json"}
            async with session.post(f"{url}/chat/completions", data=data, headers=headers) as response:
                json.loads(await response.read())["choices"][0]["message"]["content"]

        await in_turns(ask, requests, in_flight)


async def engine(url: str, requests: int, in_flight: int) -> None:
    """Send with the engine alone."""
    from glotmill.generators.openai import openai
    from glotmill.messages import Message, Request, Sampling

    sampling = Sampling(temperature=0.7, max_tokens=300)
    async with openai("m", base_url=url) as generate:

        async def ask(number: int) -> None:
            messages = (Message("system", SYSTEM), Message("user", f"Text {number}."))
            await generate(Request(messages, "m", sampling=sampling, seed=number))

        await in_turns(ask, requests, in_flight)


async def official(url: str, requests: int, in_flight: int) -> None:
    """Send with the client of the package `openai`."""
    from openai import AsyncOpenAI

    async with AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:

        async def ask(number: int) -> None:
            await client.chat.completions.create(**body(number))

        await in_turns(ask, requests, in_flight)


def run(url: str, requests: int, in_flight: int) -> None:
    """Make rows with a recipe of one step."""
    import glotmill

    with tempfile.TemporaryDirectory() as temporary:
        recipe = Path(temporary, "recipe")
        recipe.mkdir()
        (recipe / "recipe.yaml").write_text(RECIPE)
        (recipe / "answer.j2").write_text(TEMPLATE)
        seeds = "".join(f'{{"number": {number}}}\n' for number in range(requests))
        (recipe / "seeds.jsonl").write_text(seeds)
        glotmill.run(
            recipe,
            engine="openai",
            model="m",
            engine_args={"base_url": url},
            per_language=requests,
            folder=Path(temporary, "run"),
            window=in_flight,
        )


def curator(url: str, requests: int, in_flight: int) -> None:
    """Send with Curator (bespokelabs-curator)."""
    from bespokelabs import curator as package

    rates = {"max_requests_per_minute": 10**8, "max_tokens_per_minute": 10**11}
    params = {"base_url": url, "max_concurrent_requests": in_flight, **rates}
    llm = package.LLM(model_name="m", backend="openai", backend_params=params)
    llm([f"{SYSTEM} Text {number}." for number in range(requests)])


SIDES = {"bare": bare, "engine": engine, "openai": official, "run": run, "curator": curator}


def one_side(side: str, url: str, requests: int, in_flight: int) -> None:
    """Run one side; print CPU ms a request of the loop and of the process, and requests a second."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    began, cpu = time.perf_counter(), time.process_time()
    done = SIDES[side](url, requests, in_flight)
    if asyncio.iscoroutine(done):
        asyncio.run(done)
    loop, wall = time.process_time() - cpu, time.perf_counter() - began
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = time.process_time() + children.ru_utime + children.ru_stime
    print(json.dumps([1000 * loop / requests, 1000 * process / requests, requests / wall]))


def measure(side: str, url: str, in_flight: int, args: Any) -> list[float]:
    """Return the three numbers of one side, from a process of its own."""
    python = args.curator if side == "curator" else sys.executable
    requests = max(4_000, 8 * in_flight)
    with tempfile.TemporaryDirectory() as cache:
        quiet = {"TELEMETRY_ENABLED": "false", "CURATOR_CACHE_DIR": cache, "OPENAI_API_KEY": "none"}
        command = [python, __file__, "one", "--side", side, "--url", url]
        command += ["--requests", str(requests), "--in-flight", str(in_flight)]
        done = subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, **quiet}, check=False
        )
    if done.returncode:
        sys.exit(f"{side}: {done.stderr[-2000:]}")
    values: list[float] = json.loads(done.stdout.splitlines()[-1])
    return values


def started(capacity: int = 1_000_000) -> tuple["subprocess.Popen[str]", str]:
    """Start a server; return its process and its address."""
    command = [sys.executable, __file__, "serve", "--capacity", str(capacity)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"


def compare(args: Any) -> None:
    """Print the table."""
    sides = [
        "bare",
        "engine",
        "run",
        *(["openai"] if args.openai else []),
        *(["curator"] if args.curator else []),
    ]
    server, url = started()
    try:
        for in_flight in args.levels:
            turns = [{side: measure(side, url, in_flight, args) for side in sides} for _ in range(args.turns)]
            for side in sides:
                loop, process, speed = (statistics.median(turn[side][i] for turn in turns) for i in range(3))
                ratio = statistics.median(turn[side][0] / turn["bare"][0] for turn in turns)
                print(
                    f"{in_flight:5} in flight  {side:8} loop {loop:6.3f} ms  process {process:6.3f} ms  "
                    f"{speed:6.0f} requests/s  {ratio:5.2f} x bare",
                    flush=True,
                )
    finally:
        server.kill()
        server.wait()


async def settle(url: str, requests: int) -> tuple[float, float]:
    """Return where the limit of the engine stands after so many requests, and requests a second."""
    from glotmill.generators._server.client import Client
    from glotmill.generators.openai import openai
    from glotmill.messages import Message, Request

    async with openai("m", base_url=url) as generate:
        client = generate.__self__  # type: ignore[attr-defined]
        assert isinstance(client, Client)
        began = time.perf_counter()
        await in_turns(lambda n: generate(Request((Message("user", f"{n}"),), "m", seed=n)), requests, 4096)
        return client.addresses[0].limit.limit, requests / (time.perf_counter() - began)


def levels(args: Any) -> None:
    """Print where the limit settles at servers that do so many requests at once."""
    for capacity in args.levels:
        server, url = started(capacity)
        limit, speed = asyncio.run(settle(url, 60 * capacity))
        server.kill()
        server.wait()
        most = capacity / DELAY_S
        print(
            f"capacity {capacity:5}: limit {limit:5.0f}, {speed:5.0f} of {most:5.0f} requests/s", flush=True
        )


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="?", default="compare", choices=["compare", "levels", "serve", "one"])
    parser.add_argument("--levels", type=int, nargs="+", default=[64, 256, 1024], help="requests in flight")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--openai", action="store_true", help="also the client of the package openai")
    parser.add_argument("--curator", metavar="PYTHON", help="also Curator, with this Python")
    for name in ("--side", "--url"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    for name in ("--requests", "--in-flight", "--capacity"):
        parser.add_argument(name, type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.what == "serve":
        asyncio.run(serve(args.capacity))
    elif args.what == "one":
        one_side(args.side, args.url, args.requests, args.in_flight)
    else:
        {"compare": compare, "levels": levels}[args.what](args)


if __name__ == "__main__":
    main()
