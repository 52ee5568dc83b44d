"""Splits such as `train=0.98,test=0.02`: all rows of one seed row are in one split, and stay there."""

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
        if not equals or not _NAME.fullmatch(name) or name == "all":  # datasets reads `all` as every split
            raise UsageError(f"--split {text}: {part.strip()!r} is not a split; {_EXAMPLE}")
        if name in shares:
            raise UsageError(f"--split {text}: {name!r} twice; give each split one share")
        try:
            shares[name] = float(number)
        except ValueError:
            raise UsageError(f"--split {text}: {number!r} is not a number; {_EXAMPLE}") from None
        if not 0 < shares[name] <= 1:
            raise UsageError(
                f"--split {text}: the share of {name!r} is {number}; it must be above 0 and at most 1"
            )
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise UsageError(f"--split {text}: the shares sum to {sum(shares.values()):g}; make them sum to 1")
    return shares


def assign(keys: pl.Series, shares: Mapping[str, float]) -> pl.Series:
    """Return the split of each key.

    The split depends on the key alone, so added rows move none: a hash of the key is a number in [0, 1), and
    the splits take intervals of that range in their order.
    """
    splits = {key: _split_of(key, shares) for key in keys.unique()}
    return keys.replace_strict(splits, return_dtype=pl.String) if splits else keys.cast(pl.String)


def _split_of(key: str, shares: Mapping[str, float]) -> str:
    position = int.from_bytes(blake2b(f"split\0{key}".encode(), digest_size=8).digest()) / 2**64
    end = 0.0
    for name, share in shares.items():
        end += share
        if position < end:
            return name
    return name  # the shares may sum to slightly less than 1
