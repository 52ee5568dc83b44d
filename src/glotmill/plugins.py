"""Finds a unit (filter, transform, engine, format) by its name: a file, entry point, or `module:function`.

Formats are named with hyphens: `trl-sft` is the function trl_sft in formats/trl_sft.py.
"""

import ast
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from hashlib import sha256
from importlib import import_module
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args

from glotmill.errors import UsageError

KINDS = {  # of plugins: the folder of those that come with glotmill
    "filters": "filters",
    "transforms": "transforms",
    "generators": "generators",
    "formats": "export/formats",
}
JUDGES = (  # packages whose verdicts change with their versions
    *("langdetect", "py3langid", "pycld2", "lingua-language-detector", "fasttext-predict", "heliport"),
    *("ftfy", "icu4py", "phonenumbers", "python-stdnum", "sacrebleu"),
)

Unit = Callable[..., Any]


def find(kind: str, name: str) -> Unit:
    """Return the unit `name` of a kind. Raises UsageError, with the nearest names, if there is none."""
    try:
        if ":" in name:
            module, _, attribute = name.partition(":")
            return _callable(getattr(import_module(module), attribute), name)
        if file := _files(kind).get(name):
            return _callable(
                getattr(import_module(f"glotmill.{KINDS[kind].replace('/', '.')}.{file.stem}"), file.stem),
                name,
            )
        if name in (points := _points(kind)):
            return _callable(points[name].load(), name)
    except (ImportError, AttributeError, SyntaxError, NameError, ValueError, TypeError) as error:
        raise UsageError(f"{kind[:-1]} {name!r} cannot be loaded: {error}") from error
    raise UsageError(f"no {kind[:-1]} named {name!r}{did_you_mean(name, names(kind))}")


def names(kind: str) -> list[str]:
    """Return every name of a kind that can be used, sorted, without importing any of them."""
    return sorted({*_files(kind), *_points(kind)})


def about(kind: str, name: str) -> str:
    """Return the first line of what a built-in unit says of itself, without importing it."""
    if (path := _files(kind).get(name)) is None:
        return f"from {_points(kind)[name].value}"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (ast.get_docstring(tree) or "").split("\n", 1)[0]


def declared(kind: str, name: str, what: str, default: Any = None) -> Any:
    """Return what a plugin's module declares beside its function, such as `ACROSS_ROWS`, or `default`.

    Raises UsageError if there is no such plugin.
    """
    return getattr(sys.modules[find(kind, name).__module__], what, default)


def options(unit: Unit) -> dict[str, inspect.Parameter]:
    """Return the options of a unit: its keyword-only parameters."""
    parameters = inspect.signature(unit).parameters
    return {name: p for name, p in parameters.items() if p.kind is inspect.Parameter.KEYWORD_ONLY}


def check_options(unit: Unit, given: Mapping[str, Any], place: str) -> None:
    """Raise UsageError unless `given` fits the options of a unit."""
    parameters = inspect.signature(unit).parameters.values()
    known = options(unit)
    if not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        for name in given:
            if name not in known:
                there = f"; there is {', '.join(known) or 'none'}"
                hint = did_you_mean(name, known).removesuffix(there)
                raise UsageError(f"{place}: no option {name!r}{hint}{there}")
    missing = [n for n, p in known.items() if p.default is p.empty and n not in given]
    if missing:
        raise UsageError(f"{place}: option {missing[0]!r} is needed and not given; add it")


def check_values(unit: Unit, given: Mapping[str, Any], place: str) -> None:
    """Raise UsageError where a unit wants a number, or yes or no, and `given` has none."""
    known = options(unit)
    for name, value in given.items():
        if name in known and (wanted := _not(value, known[name].annotation)):
            shown = "null" if value is None else repr(value)
            raise UsageError(f"{place}: option {name!r} is {shown}; give {wanted}")


def _not(value: Any, annotation: Any) -> str:
    """What an option wants that a value is not, of a number and of yes or no; empty if it fits."""
    kinds = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    if type(value) in kinds or not all(kind in (int, float, bool, NoneType) for kind in kinds):
        return ""
    if bool in kinds:
        return "true or false"
    return "" if type(value) in (int, float) else "a number"


def digest(unit: Unit) -> str:
    """Return a hash of what a unit's verdict depends on: a changed judgement is another judgement.

    Of a unit of ours, the files of its folder, since they help each other, and the versions of the packages
    that judge; of any other, its file.
    """
    try:
        path = Path(inspect.getsourcefile(inspect.unwrap(unit)) or "")
        ours = path.parent in [Path(__file__).parent / folder for folder in KINDS.values()]
        return _folder_digest(path.parent) if ours else sha256(path.read_bytes()).hexdigest()
    except (OSError, TypeError):  # written in a notebook, or in C
        return ""


def stamps(options: Mapping[str, Any]) -> list[str]:
    """Return the names, sizes and times of the files that options name: another file is another judgement."""
    values = [each for value in options.values() for each in (value if isinstance(value, list) else [value])]
    paths = [Path(value) for value in values if isinstance(value, str) and 0 < len(value) < 1_000]
    try:
        stats = [(path, path.stat()) for path in paths if path.is_file()]
    except (OSError, ValueError):  # no path at all
        return []
    return [f"{path}:{stat.st_size}:{stat.st_mtime_ns}" for path, stat in stats]


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of those packages that are installed."""
    found = {}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def _folder_digest(folder: Path) -> str:
    whole = sha256()
    files = [
        Path(__file__).with_name("languages.csv"),
        *sorted([*folder.rglob("*.py"), *folder.rglob("*.csv")]),
    ]
    for path in files:
        whole.update(f"{path.name}:{path.stat().st_size}\0".encode() + path.read_bytes())
    for name, there in versions(JUDGES).items():
        whole.update(f"{name}={there}\0".encode())
    return whole.hexdigest()


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'length'?` or the list of what there is."""
    known = list(known)
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there is {', '.join(known)}" if 0 < len(known) <= 40 else ""


@cache
def _files(kind: str) -> dict[str, Path]:
    folder = Path(__file__).parent / KINDS[kind]
    units = {}
    for path in folder.glob("*.py"):
        if path.stem.startswith("_"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        defined = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
        if path.stem in defined:  # a file without a function of its name is a helper
            units[path.stem.replace("_", "-") if kind == "formats" else path.stem] = path
    return units


@cache
def _points(kind: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=f"glotmill.{kind}")}


def _callable(found: Any, name: str) -> Unit:
    if not callable(found):
        raise UsageError(f"{name!r} is a {type(found).__name__}, not a function")
    unit: Unit = found
    return unit
