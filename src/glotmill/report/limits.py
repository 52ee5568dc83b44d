"""The thresholds that a filter has for each language: those in its tables, which no option tells."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from glotmill.errors import RecipeError
from glotmill.filters import fineweb_quality, gopher_quality
from glotmill.filters._text import language_limits
from glotmill.filters.detectors import version
from glotmill.filters.detectors._cascade import group
from glotmill.filters.detectors._thresholds import LENGTHS, threshold
from glotmill.filters.language import DETECTORS

_QUALITY = {"gopher_quality": gopher_quality.LIMITS, "fineweb_quality": fineweb_quality.LIMITS}


def limits(
    judge: str, options: Mapping[str, Any], versions: Mapping[str, str], tags: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return language -> name -> threshold; nothing for a filter whose thresholds are the same in all.

    Of `language`, the least probability of each detector for each length of text, where the detector is here
    in the version that the run had; a model of the user's own is not loaded for it.
    options: all of the filter's, the usual ones too. versions: the run's, of packages.
    """
    if options.get("language", "language") != "language":  # another column says which language it is
        return {}
    if judge == "language":
        return _language(options, versions, tags)
    if judge in _QUALITY:
        found = language_limits.limits(pl.Series(tags, dtype=pl.String), *_QUALITY[judge])
        return dict(zip(tags, found.to_dicts(), strict=True))
    return {}


def _language(
    options: Mapping[str, Any], versions: Mapping[str, str], tags: Sequence[str]
) -> dict[str, dict[str, float]]:
    least = options.get("min_score")
    if options.get("policy") == "script" or not (least is None or isinstance(least, str)):
        return {}
    found: dict[str, dict[str, float]] = {}
    for name in options.get("detectors") or [name for name in DETECTORS if name in versions]:
        try:
            if ":" in name or version(name) != versions.get(name, version(name)):
                continue
            for tag in tags:
                if group(name, tag):
                    scores = {length: threshold(name, tag, of, least or "") for length, of in LENGTHS.items()}
                    found.setdefault(tag, {}).update({f"{name} {n}": round(s, 3) for n, s in scores.items()})
        except RecipeError:  # the detector, or the user's file of thresholds, is not here any more
            continue
    return found
