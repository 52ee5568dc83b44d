"""Splits such as `train=0.98,test=0.02`: what came of one seed row is on one side, and stays there."""

import re
from collections.abc import Mapping
from hashlib import blake2b

import polars as pl

from glotmill.errors import UsageError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_EXAMPLE = "write it as train=0.98,test=0.02"


def parse(text: str) -> dict[str, float]:
    """Return the share of each split, in the order given. Raises UsageError unless they sum to 1."""
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        if not equals or not _NAME.fullmatch(name) or name == "all":  # `all` is every split to datasets
            raise UsageError(f"--split {text}: {part.strip()!r} is no split; {_EXAMPLE}")
        if name in shares:
            raise UsageError(f"--split {text}: {name!r} twice; give each split one share")
        try:
            shares[name] = float(number)
        except ValueError:
            raise UsageError(f"--split {text}: {number!r} is no number; {_EXAMPLE}") from None
        if not 0 < shares[name] <= 1:
            raise UsageError(f"--split {text}: the share of {name!r} is {number}; it is over 0 and at most 1")
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise UsageError(f"--split {text}: the shares sum to {sum(shares.values()):g}; make them sum to 1")
    return shares


def assign(keys: pl.Series, shares: Mapping[str, float]) -> pl.Series:
    """Return the split of each key.

    Equal keys have equal splits, whatever stands beside them: rows that come later move none. Splits are
    cut from a line of hashes in the order given.
    """
    found = {key: _of(key, shares) for key in keys.unique()}
    return keys.replace_strict(found, return_dtype=pl.String) if found else keys.cast(pl.String)


def _of(key: str, shares: Mapping[str, float]) -> str:
    place = int.from_bytes(blake2b(f"split\0{key}".encode(), digest_size=8).digest()) / 2**64
    end = 0.0
    for name, share in shares.items():
        end += share
        if place < end:
            return name
    return name  # the shares sum to a little under 1
