"""Train glotmill-nano on the CPU, in about an hour on two cores.

    python tools/nano/train.py --out build/nano --minutes 60
    python tools/nano/train.py --out build/again --minutes 30 --start build/nano/hf --rate 0.5

Writes a checkpoint and the model in Hugging Face's form (OUT/hf) every few minutes; run it again to go on.
"""

import argparse
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from make_text import LANGUAGES, LATER_SHARES, SHARES, chats
from model import Batch, Nano, Shape, save
from safetensors.torch import load_file
from tokenizer import encode, prompt_text, train_tokenizer
from transformers import PreTrainedTokenizerFast

GROUPS = 3  # of one task and language each, in a step
TOKENS = 900  # of a group, about
# Tokens of a chat without what its prompt shares with others, about.
CHAT_TOKENS = {
    "draft": 75,
    "answer": 130,
    "score": 110,
    "persona": 60,
    "dialogue": 220,
    "problem": 80,
    "solution": 95,
    "drill": 220,
}
RATE = 3e-3  # of embeddings and norms, by AdamW
MATRIX_RATE = 0.02  # of the layers' matrices, by Muon
WARM_UP = 0.02  # of the whole time


def draw(tokenizer: Any, task: str, tag: str, rng: random.Random) -> Batch:
    """Draw a batch and cut off what its prompts share."""
    group = chats(task, tag, rng, max(4, TOKENS // CHAT_TOKENS[task]))
    prompts = encode(tokenizer, [prompt_text(chat.messages) for chat in group])
    replies = encode(tokenizer, [chat.reply + "<|end|>" for chat in group])
    begin = next(
        (n for n, column in enumerate(zip(*prompts, strict=False)) if len(set(column)) > 1),
        min(map(len, prompts)) - 1,
    )
    rows = [prompt[begin:] + reply[:-1] for prompt, reply in zip(prompts, replies, strict=True)]
    length = max(map(len, rows))
    picks, targets = [], []
    for n, (prompt, reply) in enumerate(zip(prompts, replies, strict=True)):
        start = n * length + len(prompt) - begin - 1
        learned = _results(tokenizer, reply) if task == "drill" else range(len(reply))
        picks += [start + place for place in learned]
        targets += [reply[place] for place in learned]
    rest = [row + [0] * (length - len(row)) for row in rows]
    return Batch(*map(torch.tensor, (prompts[0][:begin], rest, picks, targets)))


def _results(tokenizer: Any, reply: list[int]) -> list[int]:
    """The places from an equals sign to the end of its line."""
    equals, end = (tokenizer.encode(text, add_special_tokens=False)[0] for text in (" =", "\n"))
    places, within = [], False
    for place, token in enumerate(reply):
        if within:
            places.append(place)
        within = token != end and (within or token == equals)
    return places


def rate(progress: float) -> float:
    """The share of the learning rate: up in the beginning, then down to zero."""
    return min(progress / WARM_UP, 1.0 - (progress - WARM_UP) / (1.0 - WARM_UP), 1.0)


@dataclass
class Training:
    """All that a checkpoint holds."""

    tokenizer: PreTrainedTokenizerFast
    model: Nano
    optimizers: list[torch.optim.Optimizer]
    seconds: float = 0.0
    steps: int = 0

    def step(self, rng: random.Random, dtype: torch.dtype, shares: dict[str, float]) -> dict[str, float]:
        """One update. Returns the loss of each task drawn."""
        tasks = rng.choices(list(shares), list(shares.values()), k=GROUPS)
        losses = {}
        for task in tasks:
            batch = draw(self.tokenizer, task, rng.choice(LANGUAGES), rng)
            loss = self.model(batch, dtype)
            (loss / GROUPS).backward()
            losses[task] = loss.item()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        self.steps += 1
        return losses

    def write(self, folder: Path) -> None:
        """Write the checkpoint, then the model as others read it."""
        state = {
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "seconds": self.seconds,
            "steps": self.steps,
        }
        torch.save(state, folder / "checkpoint.new")
        (folder / "checkpoint.new").replace(folder / "checkpoint.pt")
        save(self.model, self.tokenizer, folder / "hf")


def make_tokenizer(folder: Path, start: Path | None = None) -> PreTrainedTokenizerFast:
    """The folder's tokenizer; if it is not there, that of the model to start from, or a new one."""
    if not (folder / "tokenizer").is_dir():
        made = PreTrainedTokenizerFast.from_pretrained(start) if start else train_tokenizer()
        made.save_pretrained(folder / "tokenizer")
    return PreTrainedTokenizerFast.from_pretrained(folder / "tokenizer")


def begin(folder: Path, model: Nano, tokenizer: PreTrainedTokenizerFast) -> Training:
    """Start afresh, or go on from the folder's checkpoint."""
    matrices = [*model.qkv, *model.out, *model.gate_up, *model.down]
    optimizers = [
        torch.optim.Muon(matrices, lr=MATRIX_RATE, momentum=0.95, weight_decay=0.05),
        torch.optim.AdamW(
            [model.embed, model.norms], lr=RATE, betas=(0.9, 0.95), weight_decay=0.0, fused=True
        ),
    ]
    training = Training(tokenizer, model, optimizers)
    if (folder / "checkpoint.pt").is_file():
        state = torch.load(folder / "checkpoint.pt", weights_only=True)
        model.load_state_dict(state["model"])
        for optimizer, kept in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        training.seconds, training.steps = state["seconds"], state["steps"]
    return training


def work(worker: int, model: Nano, options: argparse.Namespace) -> None:
    """Train on one core until the minutes are spent, those before the last stop counted in.

    All workers change the same weights, each with moments of its own, and none waits for another, as threads
    that share one step would. The first worker also writes.
    """
    torch.set_num_threads(1)
    folder, limit = options.out, options.minutes * 60
    dtype = torch.float32 if options.float32 else torch.bfloat16
    shares = LATER_SHARES if options.start else SHARES
    training = begin(folder, model, make_tokenizer(folder))
    rng = random.Random(f"{worker} {training.steps}")
    started, saved, means = time.monotonic() - training.seconds, training.seconds, dict[str, float]()
    while training.seconds < limit:
        for optimizer, most in zip(training.optimizers, (MATRIX_RATE, RATE), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = options.rate * most * max(rate(training.seconds / limit), 0.0)
        for task, loss in training.step(rng, dtype, shares).items():
            means[task] = 0.95 * means.get(task, loss) + 0.05 * loss
        training.seconds = time.monotonic() - started
        if training.steps % 20 == 0:
            losses = " ".join(f"{task} {mean:.3f}" for task, mean in sorted(means.items()))
            print(f"{training.seconds:6.0f} s  worker {worker}  step {training.steps}  {losses}", flush=True)
        if worker == 0 and training.seconds - saved > options.save_every * 60:
            training.write(folder)
            saved = training.seconds
    if worker == 0:
        training.write(folder)


def main() -> None:
    """Read the options and train."""
    parser = argparse.ArgumentParser(description="Train glotmill-nano.")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint and model")
    parser.add_argument("--minutes", type=float, default=60.0, help="training time in all")
    parser.add_argument("--save-every", type=float, default=4.0, help="minutes between checkpoints")
    parser.add_argument("--workers", type=int, default=2, help="processes, one a core")
    parser.add_argument("--start", type=Path, help="folder of a model to begin with, instead of chance")
    parser.add_argument("--rate", type=float, default=1.0, help="factor on the learning rates")
    parser.add_argument("--float32", action="store_true", help="do not compute in bfloat16")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer(options.out, options.start)
    torch.manual_seed(0)
    model = Nano(Shape(vocabulary=len(tokenizer)))
    if options.start:
        model.load_hf(load_file(options.start / "model.safetensors"))
    model.share_memory()
    torch.multiprocessing.spawn(work, (model, options), nprocs=options.workers)
    save(model, tokenizer, options.out / "hf")


if __name__ == "__main__":
    main()
