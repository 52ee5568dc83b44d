"""What glotmill costs on top of the engine.

python benchmarks/overhead.py vllm   tokens/s of a run, compared to the same requests in vLLM alone
python benchmarks/overhead.py echo   rows/s and peak memory without a model, at two sizes

Both sides of a ratio are measured in one process, in turns; the script prints the median. The run includes
everything from reading the recipe to the written dataset, except starting the engine. vLLM alone gets the
requests of all steps in one `LLM.chat` call, which no real pipeline can make. Beside the tokens stands the
share of prompt tokens that vLLM had computed before (prefix caching): where it differs, so does the work.
CPU time is that of this process: on a busy machine it says more than the clock.
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
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

PROMPTS = Path(__file__).parent.parent / "prompts" / "instruction"
LANGUAGES = ["eng_Latn", "spa_Latn", "rus_Cyrl", "hin_Deva"]

DRAFT = {"generate": "instruction", "template": "draft", "temperature": 0.9, "max_tokens": 200}
ANSWER = {"generate": "answer", "template": "answer", "temperature": 0.7, "max_tokens": 400}
JUDGES = ["length", "script", "repetition", "refusal"]


def recipe(folder: Path, steps: int, turn: int, detect: bool) -> Path:
    """Write a recipe of one or two generate steps; `turn` makes its rows new to every cache."""
    folder.mkdir(parents=True)
    for path in PROMPTS.glob("*.j2"):
        (folder / path.name).write_bytes(path.read_bytes())
    rows = [json.loads(line) for line in (PROMPTS / "seeds.jsonl").read_text().splitlines()]
    with (folder / "seeds.jsonl").open("w") as file:
        for number in range(100):
            for row in rows:
                print(json.dumps({**row, "number": turn * 1000 + number}), file=file)
    last = "instruction" if steps == 1 else "answer"
    judges = [*JUDGES, "language"] if detect else JUDGES
    plain = {
        "about": "overhead",
        "seeds": "seeds.jsonl",
        "steps": [
            DRAFT,
            *([ANSWER] if steps == 2 else []),
            *({"filter": name, "of": last} for name in judges),
        ],
        "finish": [{"filter": "duplicates", "of": "id"}],
        "output": {"columns": ["instruction", last] if steps == 2 else [last]},
    }
    (folder / "recipe.yaml").write_text(json.dumps(plain))
    return folder


class Shared:
    """The open engine, shared by runs; records requests and replies."""

    generate: Any = None
    pairs: ClassVar[list[Any]] = []  # (request, reply)
    outputs: ClassVar[list[Any]] = []  # of vLLM

    @staticmethod
    @asynccontextmanager
    async def engine(model: str, *, revision: str | None = None) -> AsyncIterator[Any]:
        """Yield the shared engine."""

        async def noted(request: Any) -> Any:
            reply = await Shared.generate(request)
            Shared.pairs.append((request, reply))
            return reply

        yield noted


shared = Shared.engine


async def through_a_run(folder: Path, steps: int, turn: int, args: Any) -> tuple[float, list[Any]]:
    """Return the seconds of a whole run and the (request, reply) pairs it made."""
    from glotmill.runner.run import run_async

    Shared.pairs.clear()
    source = recipe(folder / f"recipe-{steps}-{turn}", steps, turn, args.detect)
    began = time.perf_counter()
    await run_async(
        source,
        engine="overhead:shared",
        languages=LANGUAGES,
        per_language=args.rows // len(LANGUAGES),
        folder=folder / f"run-{steps}-{turn}",
        window=args.window,
        model=args.model,
    )
    return time.perf_counter() - began, list(Shared.pairs)


def record_outputs() -> None:
    """Keep what vLLM returns to the engine, for the prefix caching."""
    from glotmill.generators import vllm as module

    take = module.answered

    def noted(model: Any, asked: Any, output: Any) -> Any:
        Shared.outputs.append(output)
        return take(model, asked, output)

    module.answered = noted


def cached(outputs: list[Any]) -> float:
    """Return the share of prompt tokens that came from the prefix cache."""
    prompts = sum(len(output.prompt_token_ids) for output in outputs)
    return sum(output.num_cached_tokens or 0 for output in outputs) / max(prompts, 1)


def through_vllm(llm: Any, pairs: list[Any]) -> tuple[float, int, float]:
    """Return the seconds, the tokens and the share of cached ones, of the same requests in one call."""
    from vllm import SamplingParams

    chats = [[{"role": m.role, "content": m.content} for m in request.messages] for request, _ in pairs]
    defaults = llm.get_default_sampling_params()
    sampling = []
    for request, _ in pairs:
        params = defaults.clone()
        for name, value in {**request.sampling.given(), "seed": request.seed}.items():
            setattr(params, name, value)
        assert isinstance(params, SamplingParams)
        sampling.append(params)
    llm.reset_prefix_cache()
    began = time.perf_counter()
    outputs = llm.chat(chats, sampling, use_tqdm=False)
    seconds = time.perf_counter() - began
    return seconds, sum(len(output.outputs[0].token_ids) for output in outputs), cached(outputs)


async def against_vllm(args: Any, folder: Path) -> None:
    """Print the ratio for one step and for two."""
    from glotmill.generators.vllm import vllm

    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "2")
    record_outputs()
    async with vllm(args.model, max_num_seqs=256) as Shared.generate:
        from vllm import LLM, EngineArgs

        from glotmill.generators._shared.loading import dtype_on_cpu, model_path

        path = str(model_path(args.model))
        config = EngineArgs(model=path).create_model_config()
        llm = LLM(
            path,
            enforce_eager=True,
            dtype=dtype_on_cpu(str(config.hf_text_config.dtype), config.get_hidden_size()),
            max_model_len=min(config.max_model_len, 4096),
            enable_chunked_prefill=False,
            max_num_seqs=256,
            disable_log_stats=True,
        )
        small = argparse.Namespace(**{**vars(args), "rows": 64})
        _, pairs = await through_a_run(folder, 1, 99, small)
        through_vllm(llm, pairs)
        for steps, target in ((1, 0.97), (2, 0.95)):
            ours, bare = [], []
            for turn in range(args.turns):
                Shared.outputs.clear()
                cpu = [time.process_time()]
                seconds, pairs = await through_a_run(folder, steps, turn, args)
                ours.append(sum(reply.completion_tokens for _, reply in pairs) / seconds)
                hits = cached(Shared.outputs)
                cpu.append(time.process_time())
                seconds, tokens, bare_hits = await asyncio.to_thread(through_vllm, llm, pairs)
                bare.append(tokens / seconds)
                cpu.append(time.process_time())
                print(
                    f"{steps} step(s), turn {turn}: run {ours[-1]:,.0f}, bare {bare[-1]:,.0f} tokens/s; "
                    f"cached {hits:.0%} and {bare_hits:.0%} of the prompts; "
                    f"CPU time {cpu[1] - cpu[0]:.1f} and {cpu[2] - cpu[1]:.1f} s",
                    flush=True,
                )
            ratio = statistics.median(o / b for o, b in zip(ours, bare, strict=True))
            print(
                f"{steps} step(s), {args.rows} rows: ratio {ratio:.3f} (target: at least {target})",
                flush=True,
            )


def without_a_model(args: Any, folder: Path) -> None:
    """Print rows/s and peak memory of two sizes, each in a process of its own."""
    peaks = []
    for rows in (10_000, 100_000):
        command = [
            sys.executable,
            __file__,
            "echo-once",
            "--rows",
            str(rows),
            "--folder",
            str(folder / str(rows)),
        ]
        rate, peak = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        peaks.append(peak)
        print(
            f"echo, {rows:,} rows: {rate:,.0f} rows/s (target: at least 3,000), peak {peak} MiB", flush=True
        )
    print(f"memory at 100,000 rows / at 10,000 rows: {peaks[1] / peaks[0]:.2f} (target: at most 1.3)")


def echo_once(args: Any, folder: Path) -> None:
    """Run one size and print rows/s and peak MiB as JSON."""
    import glotmill

    source = recipe(folder / "recipe", 1, 0, False)
    began = time.perf_counter()
    glotmill.run(
        source,
        engine="echo",
        model="echo",
        languages=["eng_Latn"],
        per_language=args.rows,
        folder=folder / "run",
        settings=["passes=1000", "finish.0.also=[]"],
    )
    rate = args.rows / (time.perf_counter() - began)
    print(json.dumps([rate, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024]))


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("benchmark", choices=["vllm", "echo", "echo-once"])
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--window", type=int, default=512)
    parser.add_argument("--model", default="glotmill-nano")
    parser.add_argument("--detect", action="store_true", help="judge with langdetect too")
    parser.add_argument("--folder", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        if args.benchmark == "vllm":
            asyncio.run(against_vllm(args, folder))
        else:
            {"echo": without_a_model, "echo-once": echo_once}[args.benchmark](args, folder)


if __name__ == "__main__":
    sys.modules["overhead"] = sys.modules["__main__"]  # the run looks its engine up by this name
    main()
