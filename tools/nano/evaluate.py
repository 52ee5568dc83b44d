"""Measure glotmill-nano: how many of its sampled replies are right, as a Markdown table.

    python tools/nano/evaluate.py --model generators/nano --each 40

A reply is right if it is in the language and the form asked for; a retold problem must keep its name and
numbers, and the equations of a solution must be true. "number" is the share of solutions with the right last
number. Each task is asked by itself, with prompts drawn as for training.
"""

import argparse
import random
import re
from functools import cache
from pathlib import Path
from typing import Any

import torch
from make_text import LANGUAGES, NAMES, Chat, chats, phrases

TASKS = ("draft", "answer", "persona", "dialogue", "problem", "solution")
WORD = re.compile(r"[^\W\d_]+")
EQUATION = re.compile(r"(\d+) ([-+*]) (\d+) = (\d+)")
HAN = re.compile(r"[\u4e00-\u9fff]")


def right(task: str, tag: str, chat: Chat, reply: str) -> bool:
    """Whether a reply has the task's form and the language's words."""
    lines = reply.split("\n")
    form = {
        "draft": len(lines) == 1 and reply.rstrip().endswith((".", "?", "!", "。", "？", "！", "।", "؟")),
        "answer": len(lines) == 1 and len(reply) > 30,
        "persona": len(lines) == 3 and all(lines) and len(set(lines)) == 3,
        "dialogue": _turns_alternate(lines),
        "problem": _numbers(reply) == _numbers(chat.reply) and _name(reply) == _name(chat.reply),
        "solution": lines[-1].startswith("#### ") and _equations_hold("\n".join(lines[:-1])),
    }[task]
    return bool(reply) and form and in_language(tag, reply, chat.reply)


def in_language(tag: str, text: str, expected: str) -> bool:
    """Whether nine of ten words (in Chinese: characters) are those of the phrases or of what is expected."""
    pattern = HAN if tag == "zho_Hans" else WORD
    known = _vocabulary(tag) | {word.lower() for word in pattern.findall(expected)}
    words = [word.lower() for word in pattern.findall(text) if word not in (*NAMES, "A", "B")]
    return bool(words) and sum(word in known for word in words) >= 0.9 * len(words)


def final_number(text: str) -> str:
    """The number after ####, or nothing."""
    found = re.search(r"#### (\d+)\s*$", text)
    return found[1] if found else ""


def generate(
    model: Any, tokenizer: Any, group: list[Chat], temperature: float, max_tokens: int = 400
) -> list[str]:
    """Sample one reply to each chat."""
    prompts = [
        tokenizer.apply_chat_template(
            [{"role": role, "content": content} for role, content in chat.messages],
            add_generation_prompt=True,
            tokenize=False,
        )
        for chat in group
    ]
    inputs = tokenizer(
        prompts, return_tensors="pt", padding=True, padding_side="left", add_special_tokens=False
    )
    with torch.inference_mode():
        ids = model.generate(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            do_sample=True,
            temperature=temperature,
            max_new_tokens=max_tokens,
        )
    return tokenizer.batch_decode(ids[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)


def measure(folder: Path, each: int, temperature: float, show: int = 0) -> dict[tuple[str, str], float]:
    """Shares of right replies by (language, task), with "number" as one more task."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    torch.manual_seed(0)
    rng = random.Random(99)
    shares: dict[tuple[str, str], float] = {}
    for tag in LANGUAGES:
        for task in TASKS:
            group = chats(task, tag, rng, each)
            replies = generate(model, tokenizer, group, temperature)
            pairs = list(zip(group, replies, strict=True))
            verdicts = [right(task, tag, chat, reply) for chat, reply in pairs]
            shares[tag, task] = sum(verdicts) / each
            if task == "solution":
                hits = [final_number(reply) == final_number(chat.reply) for chat, reply in pairs]
                shares[tag, "number"] = sum(hits) / each
            wrong = [pair for pair, verdict in zip(pairs, verdicts, strict=True) if not verdict]
            for chat, reply in wrong[:show]:
                print(f"--- {tag} {task}\n{chat.messages[-1][1][-300:]}\n>>> {reply}")
    return shares


def table(shares: dict[tuple[str, str], float]) -> str:
    """The shares as a Markdown table, in percent, with means."""
    columns = (*TASKS, "number")
    lines = [f"| language | {' | '.join(columns)} | all replies |", "|---" * (len(columns) + 2) + "|"]
    for tag in (*LANGUAGES, "mean"):
        tags = LANGUAGES if tag == "mean" else (tag,)
        cells = [sum(shares[t, column] for t in tags) / len(tags) for column in columns]
        cells.append(sum(cells[: len(TASKS)]) / len(TASKS))
        lines.append(f"| {tag} | {' | '.join(f'{100 * cell:.0f}' for cell in cells)} |")
    return "\n".join(lines)


def _turns_alternate(lines: list[str]) -> bool:
    speakers = [line[:3] for line in lines]
    return 6 <= len(lines) <= 8 and speakers == [("A: ", "B: ")[n % 2] for n in range(len(lines))]


def _equations_hold(text: str) -> bool:
    found = EQUATION.findall(text)
    return bool(found) and all(
        {"+": int(a) + int(b), "-": int(a) - int(b), "*": int(a) * int(b)}[sign] == int(result)
        for a, sign, b, result in found
    )


def _numbers(text: str) -> list[str]:
    return sorted(re.findall(r"\d+", text))


def _name(text: str) -> set[str]:
    return {name for name in NAMES if name in text}


@cache
def _vocabulary(tag: str) -> frozenset[str]:
    pattern = HAN if tag == "zho_Hans" else WORD
    return frozenset(word.lower() for text in _leaves(phrases(tag)) for word in pattern.findall(text))


def _leaves(part: Any) -> list[str]:
    if isinstance(part, str):
        return [part]
    return [text for child in (part.values() if isinstance(part, dict) else part) for text in _leaves(child)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure glotmill-nano.")
    parser.add_argument("--model", type=Path, required=True, help="folder of the model")
    parser.add_argument("--each", type=int, default=40, help="replies by task and language")
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--show", type=int, default=0, help="wrong replies to print by task and language")
    options = parser.parse_args()
    print(table(measure(options.model, options.each, options.temperature, options.show)))


if __name__ == "__main__":
    main()
