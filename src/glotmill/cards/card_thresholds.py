"""The thresholds by which the filter `language` judged: others for each detector, language and length."""

import csv
from collections.abc import Mapping
from typing import Any

from glotmill.filters.thresholds import LENGTHS, TABLE, clamped

USUAL_STACK = ("pycld2", "py3langid")  # that the filter asks where the recipe names no detector


def thresholds(info: Mapping[str, Any], told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the least probability of each language, detector and length; nothing if these did not judge.

    info: what run.json says; thresholds are of the versions that it names. told: what facts says.
    -> language, detector, least: in the order of `LENGTHS`, None where the table has none.
    """
    judges = [of["options"] for of in told["filters"] if of["filter"] == "language"]
    asked = [of for of in judges if of.get("min_score") is None and of.get("policy") != "script"]
    names = dict.fromkeys(name for of in asked for name in of.get("detectors") or USUAL_STACK)
    if not names:
        return []
    with TABLE.open(encoding="utf-8", newline="") as file:
        known = {
            (row["language"], row["detector"], row["length"]): clamped(float(row["min_score"]))
            for row in csv.DictReader(file)
            if row["version"] == info["versions"].get(row["detector"])
        }
    rows = (
        {"language": tag, "detector": name, "least": [known.get((tag, name, length)) for length in LENGTHS]}
        for tag in info["languages"]
        for name in names
    )
    return [row for row in rows if any(least is not None for least in row["least"])]
