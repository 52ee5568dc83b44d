"""The thresholds of a filter that depend on the language: they come from its tables, not from its options."""

from collections.abc import Mapping, Sequence
from typing import Any

from glotmill import plugins
from glotmill.errors import UsageError


def limits(
    name: str, options: Mapping[str, Any], versions: Mapping[str, str], tags: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return tag -> name -> threshold, as the filter declares them in `limits_by_language`; else nothing.

    options: all of the filter's, with defaults. versions: the run's, by package.
    """
    try:
        limits_by_language = plugins.declared("filters", name, "limits_by_language")
    except UsageError:  # a plugin that is not installed any more
        return {}
    if limits_by_language is None:
        return {}
    thresholds: dict[str, dict[str, float]] = limits_by_language(tags, versions, **options)
    return thresholds
