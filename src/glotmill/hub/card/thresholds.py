"""The thresholds by which the filter `language` judged: others for each detector, language and length."""

from collections.abc import Mapping
from typing import Any

from glotmill.filters.detectors._thresholds import LENGTHS


def thresholds(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the least probability of each language, detector and length.

    told: what facts says. -> language, detector, least: in the order of `LENGTHS`.
    """
    found: dict[tuple[str, str], dict[str, float]] = {}
    for judge in told["filters"]:
        for tag, of in judge["by_language"].items() if judge["filter"] == "language" else ():
            for name, least in of.items():
                detector, _, length = name.rpartition(" ")
                found.setdefault((tag, detector), {})[length] = least
    return [
        {"language": tag, "detector": detector, "least": [of[length] for length in LENGTHS]}
        for (tag, detector), of in found.items()
    ]
