"""Language detectors: one per file, a function of the file's name.

A detector takes a batch of clean texts and returns the probability of each of its labels for each text, over
all languages that it knows. A text always gets the same answer, whatever else is in the batch; for an empty
batch it returns its labels. Labels are the detector's own codes: the column of its name in the table of
languages says which language each one is. A label that is one of our tags or codes (`swh_Latn`) needs no
column. Each file also declares what it needs: `PACKAGES`, the distribution whose version changes its answers;
`MODULE`, the import name; and `INSTALL`, the argument of pip install.

Files that begin with an underscore turn detectors into verdicts of the filter `language`. Read in this order:

    _segments.py    cuts texts into pieces of some 40 characters
    _cascade.py     asks detector after detector about each piece
    _thresholds.py  the probability at which a piece is accepted (thresholds.csv)
    _english.py     finds English inside accepted pieces
    _votes.py       sums the answers up for each row
    _plain.py       text as detectors written in C accept it
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from glotmill import languages, plugins
from glotmill.errors import RecipeError, UsageError, one_line

_MODEL = "fasttext:"  # prefix of a fastText model: a path or a Hub id follows
_HAN = ("Hans", "Hant")  # what a label with the script Hani may mean


class Scores(NamedTuple):
    """What a detector returns."""

    labels: tuple[str, ...]
    probabilities: NDArray[np.float32]  # (texts, labels); a row of zeros: it recognizes nothing


Detect: TypeAlias = Callable[[Sequence[str]], Scores]


@cache
def load(name: str) -> Detect:
    """Return a detector, ready for use.

    name: a file of this folder (`py3langid`), an entry point of the group `glotmill.detectors`,
    `module:function`, or `fasttext:` and a model in fastText's format: a path or a Hub id, optionally with a
    revision (`fasttext:cis-lmu/glotlid@v3`), which is downloaded once.

    Raises RecipeError if there is no such detector, or if its package is not installed.
    """
    if name.startswith(_MODEL):
        from glotmill.filters.detectors.fasttext import fasttext

        _needed("fasttext")
        return partial(fasttext, model=name.removeprefix(_MODEL))
    if name == "fasttext":
        raise RecipeError(
            "language: detector 'fasttext' needs a model; write fasttext:PATH or fasttext:HUB_ID"
        )
    if _is_built_in(name):
        _needed(name)
    try:
        detect: Detect = plugins.find("detectors", name)
    except UsageError as error:
        raise RecipeError(f"language: {error}") from error
    try:
        result = type(detect([]))
    except (TypeError, ValueError, AttributeError, LookupError) as error:
        raise RecipeError(
            f"language: detector {name!r} does not return `Scores` for no texts, but raises "
            f"{type(error).__name__}: {one_line(error)}"
        ) from error
    if not issubclass(result, Scores):
        raise RecipeError(
            f"language: detector {name!r} does not return `Scores` but a {result.__name__}; "
            "see glotmill.filters.detectors"
        )
    return detect


def names() -> list[str]:
    """Return the names that `load` takes, sorted, installed or not; a fastText model is `fasttext:MODEL`."""
    return plugins.names("detectors")


@cache
def installed(name: str) -> bool:
    """Return whether the package of a detector in this folder is installed; true for other detectors."""
    return not _is_built_in(name) or find_spec(_module(name).MODULE) is not None


@cache
def version(name: str) -> str:
    """Return the version of a detector's package, or a hash of its fastText model.

    Empty for `module:function`. Raises RecipeError if its package is not installed.
    """
    if name.startswith(_MODEL):
        from glotmill.filters.detectors.fasttext import digest

        _needed("fasttext")
        return digest(name.removeprefix(_MODEL))
    if _is_built_in(name):
        return metadata.version(str(_needed(name).PACKAGES[0]))
    if name not in names():
        return ""
    distribution = plugins.distribution(plugins.find("detectors", name))
    return distribution.version if distribution else ""


@cache
def labels_of(name: str, tag: str) -> tuple[str, ...]:
    """Return the detector's labels for a language; none if it does not know it.

    tag: any form that `languages.find` accepts. Raises RecipeError if there is no such language or detector.
    """
    tag = languages.find(tag).tag
    return tuple(label for label, tags in _tags(name).items() if tag in tags)


@cache
def tag_of(name: str, label: str) -> str:
    """Return the language of a label, the one with its code if it stands for several; the label itself if it
    is not in the table of languages."""
    return _tags(name).get(label, (label,))[0]


@cache
def _tags(name: str) -> Mapping[str, tuple[str, ...]]:
    """Return the tags that each label of a detector may mean, for labels in the table of languages."""
    column = name.partition(":")[0] if name.startswith(_MODEL) else name
    by_code: dict[str, tuple[str, ...]] = {}
    for row in languages.table():
        for code in row.detectors.get(column, "").split():
            tags = by_code.get(code, ())
            is_main = code in (row.bcp47, row.iso639_3)
            by_code[code] = (row.tag, *tags) if is_main else (*tags, row.tag)
    if _is_built_in(name):
        return by_code
    by_label = {label: by_code.get(label) or _table_tags(label) for label in load(name)([]).labels}
    return {label: tags for label, tags in by_label.items() if tags}


def _table_tags(label: str) -> tuple[str, ...]:
    """Return the tags of a label that is itself a tag or a code in the table of languages."""
    code, _, script = label.partition("_")
    forms = [f"{code}_{han}" for han in _HAN] if script == "Hani" else [label]
    tags = []
    for form in forms:
        try:
            tags.append(languages.find(form).tag)
        except RecipeError:
            continue
    return tuple(tags)


def _is_built_in(name: str) -> bool:
    return ":" not in name and (Path(__file__).parent / f"{name}.py").is_file() and not name.startswith("_")


def _module(name: str) -> ModuleType:
    return import_module(f"glotmill.filters.detectors.{name}")


def _needed(name: str) -> ModuleType:
    """Return the module of a detector in this folder; raise RecipeError if its package is not installed."""
    module = _module(name)
    if find_spec(module.MODULE) is None:
        raise RecipeError(f"language: detector {name!r} is not installed; pip install {module.INSTALL!r}")
    return module
