"""Blend two states of one training: python tools/nano/blend.py EARLY LATE OUT --late 0.15

The weights of OUT are the weighted mean of both; everything else is taken from LATE.
"""

import argparse
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


def blend(early: Path, late: Path, out: Path, share: float) -> None:
    """Write OUT with `share` of the late weights and the rest of the early ones."""
    shutil.copytree(late, out, dirs_exist_ok=True)
    first, last = (load_file(folder / "model.safetensors") for folder in (early, late))
    mixed = {name: torch.lerp(first[name].float(), last[name].float(), share).bfloat16() for name in last}
    save_file(mixed, out / "model.safetensors", metadata={"format": "pt"})


def main() -> None:
    """Read the options and blend."""
    parser = argparse.ArgumentParser(description="Blend two states of one training.")
    parser.add_argument("early", type=Path)
    parser.add_argument("late", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--late", dest="share", type=float, default=0.15, help="share of the late weights")
    options = parser.parse_args()
    blend(options.early, options.late, options.out, options.share)


if __name__ == "__main__":
    main()
