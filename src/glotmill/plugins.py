"""Finds plugins by name, checks their options, and tells when their code has changed.

A plugin is a function: a filter, transform, engine, export format or language detector. Its name is one of

    length              a file of glotmill with a function of its name (formats have hyphens: `trl-sft`)
    shouting            an entry point of the group `glotmill.filters`, `glotmill.engines`, ... of any package
    my_module:function  a function of the user's own

A function of the last kind runs only if the user named it or trusts what names it (`trusting`), since recipes
and runs may come from strangers. Its module is found where Python finds modules, else in the working folder.

Its keyword-only parameters are its options; their annotations say which values they take.
"""

import ast
import inspect
import os
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from functools import cache, lru_cache
from hashlib import sha256
from importlib import import_module
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, entry_points, version
from importlib.util import find_spec
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from glotmill.errors import UntrustedCodeError, UsageError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

KINDS = {  # kind of plugin -> the folder of those that come with glotmill
    "filters": "filters",
    "transforms": "transforms",
    "engines": "generators",
    "formats": "export/formats",
    "detectors": "filters/detectors",
}
CODE = (".py", ".csv", ".json", ".yaml", ".txt", ".j2")  # files that decide what a plugin does

Plugin = Callable[..., Any]

# Kinds that recipes name. Engines and formats are named on the command line alone.
_IN_RECIPES = ("filters", "transforms", "detectors")
_TRUST = "GLOTMILL_TRUST_CODE"  # an environment variable, so that worker processes have it too

_ROOT = Path(__file__).parent
_MAX_NAMES = 40  # that an error lists
_WORDS: Mapping[Any, str] = {  # types of options, as messages name them
    float: "a number",
    bool: "true or false",
    Sequence: "a list",
    list: "a list",
    Mapping: "a mapping",
    dict: "a mapping",
}
_ITEMS: Mapping[Any, str] = {int: " of numbers", float: " of numbers", str: " of texts"}


def find(kind: str, name: str) -> Plugin:
    """Return a plugin.

    Raises UsageError, with the nearest name, if there is none or it does not import, and
    UntrustedCodeError for `module:function` in a recipe whose code the user has not said to trust.
    """
    try:
        if ":" in name:
            _refuse_untrusted(kind, name)
            module, _, attribute = name.partition(":")
            return _callable(getattr(_import_own(module), attribute), name)
        if file := _files(kind).get(name):
            package = f"glotmill.{KINDS[kind].replace('/', '.')}"
            return _callable(getattr(import_module(f"{package}.{file.stem}"), file.stem), name)
        if point := _entry_points(kind).get(name):
            return _callable(point.load(), name)
    except (ImportError, AttributeError, SyntaxError, NameError, ValueError, TypeError) as error:
        raise UsageError(f"{singular(kind)} {name!r} cannot be loaded: {error}") from error
    raise UsageError(f"no {singular(kind)} named {name!r}{did_you_mean(name, names(kind))}")


@contextmanager
def trusting(*names: str) -> Iterator[None]:
    """Let these plugins, each `module:function`, run although a recipe names them; without names, any."""
    before = os.environ.get(_TRUST, "")
    os.environ[_TRUST] = ",".join([before, *(names or ["1"])])
    try:
        yield
    finally:
        os.environ[_TRUST] = before


def _refuse_untrusted(kind: str, name: str) -> None:
    trusted = os.environ.get(_TRUST, "").split(",")
    if kind in _IN_RECIPES and "1" not in trusted and name not in trusted:
        raise UntrustedCodeError(
            f"{singular(kind)} {name!r} is Python code, which could do anything on this machine; read it, "
            "then add --trust-code"
        )


def _import_own(module: str) -> Any:
    """Import a module, if need be from the working folder."""
    with suppress(OSError):  # the folder may be gone
        if (folder := str(Path.cwd())) not in sys.path:
            sys.path.append(folder)  # last, so that it hides nothing
    return import_module(module)


def singular(kind: str) -> str:
    """Return a kind as messages name it: `filter`, `engine`."""
    return kind.removesuffix("s")


def names(kind: str) -> list[str]:
    """Return every name of a kind, sorted, without importing any plugin."""
    return sorted({*_files(kind), *_entry_points(kind)})


def about(kind: str, name: str) -> str:
    """Return the first line of a plugin's module docstring, or of an entry point where it leads."""
    if (path := _files(kind).get(name)) is None:
        return f"from {_entry_points(kind)[name].value}"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (ast.get_docstring(tree) or "").split("\n", 1)[0]


def declared(kind: str, name: str, constant: str, default: Any = None) -> Any:
    """Return what a plugin's module declares, such as `ACROSS_ROWS`, or `default`.

    Raises UsageError if there is no such plugin.
    """
    return getattr(sys.modules[find(kind, name).__module__], constant, default)


def options(plugin: Plugin) -> dict[str, inspect.Parameter]:
    """Return the options of a plugin: its keyword-only parameters."""
    try:
        parameters = inspect.signature(plugin, eval_str=True).parameters
    except NameError:  # an annotation that only type checkers import
        parameters = inspect.signature(plugin).parameters
    return {name: p for name, p in parameters.items() if p.kind is inspect.Parameter.KEYWORD_ONLY}


def defaults(plugin: Plugin) -> dict[str, Any]:
    """Return the default values of those options of a plugin that have one."""
    return {name: p.default for name, p in options(plugin).items() if p.default is not p.empty}


def check_options(plugin: Plugin, values: Mapping[str, Any], place: str) -> None:
    """Raise UsageError unless `values` are options of a plugin, complete, and each fits its annotation.

    place: how the message begins, such as `filter length`. Values are checked strictly: "5" is no number.
    """
    known = options(plugin)
    if not any(p.kind is p.VAR_KEYWORD for p in inspect.signature(plugin).parameters.values()):
        for name in values:
            if name not in known:
                listed = f"the options are {', '.join(known)}" if known else "it has none"
                near = get_close_matches(name, known, n=1, cutoff=0.6)
                hint = f"did you mean {near[0]!r}? {listed.capitalize()}" if near else listed
                raise UsageError(f"{place}: no option {name!r}; {hint}")
    for name, parameter in known.items():
        if name not in values:
            if parameter.default is parameter.empty:
                raise UsageError(f"{place}: option {name!r} is required; add it")
        elif problem := _problem(values[name], parameter.annotation):
            shown = "null" if values[name] is None else repr(values[name])
            raise UsageError(f"{place}: option {name!r} is {shown}; {problem}")


def _problem(value: Any, annotation: Any) -> str:
    """Return what an option must be instead of this value; empty if it fits."""
    from pydantic import ValidationError

    if (adapter := _adapter(annotation)) is None:
        return ""
    try:
        adapter.validate_python(value)
    except ValidationError as error:
        return f"give {_describe(annotation, value) or error.errors()[0]['msg']}"
    return ""


@cache
def _adapter(annotation: Any) -> "TypeAdapter[Any] | None":
    from pydantic import ConfigDict, PydanticUserError, TypeAdapter
    from pydantic.errors import PydanticUndefinedAnnotation

    if annotation is inspect.Parameter.empty or isinstance(annotation, str):
        return None
    try:
        return TypeAdapter(annotation, config=ConfigDict(strict=True, arbitrary_types_allowed=True))
    except (PydanticUserError, PydanticUndefinedAnnotation):  # a type of the plugin's own: its to check
        return None


def _describe(annotation: Any, value: Any) -> str:
    """Return a type in words, empty if there are none. value: the value that does not fit it."""
    kind, arguments = get_origin(annotation) or annotation, get_args(annotation)
    if kind in (Union, UnionType):
        parts = [_describe(part, value) for part in arguments if part is not NoneType]
        return " or ".join(dict.fromkeys(parts)) if all(parts) else ""
    if kind is Literal:
        return " or ".join(map(repr, arguments))
    if kind is str:
        return f'a text: "{value}"' if isinstance(value, int | float) else "a text"
    if kind is int:
        return "a whole number" if isinstance(value, float) else "a number"
    items = _ITEMS.get(arguments[0], "") if arguments and kind in (Sequence, list) else ""
    return _WORDS.get(kind, "") + items


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'length'?`, or a list of all names if none is near."""
    known = list(known)
    if near := get_close_matches(name, known, n=1, cutoff=0.6):
        return f"; did you mean {near[0]!r}?"
    return f"; choose from {', '.join(known)}" if 0 < len(known) <= _MAX_NAMES else ""


def distribution(plugin: Plugin) -> Distribution | None:
    """Return the distribution that names a plugin as an entry point; None for any other plugin."""
    value = f"{plugin.__module__}:{plugin.__qualname__}"
    points = [point for kind in KINDS for point in _entry_points(kind).values()]
    return next((point.dist for point in points if point.value.replace(" ", "") == value), None)


def digest(plugin: Plugin) -> str:
    """Return a hash of the code and data that decide what a plugin does: another hash may be another verdict.

    For a plugin of glotmill: the files of its folder and of io/, the table of languages and the versions of
    the packages that filters declare. For any other: the files of its top-level package and of the local
    modules that it imports, and for an entry point also the files and version of its distribution. Empty for
    a function without a file, such as one of a notebook.
    """
    plugin = inspect.unwrap(plugin)
    try:
        path = Path(inspect.getsourcefile(plugin) or "")
    except (OSError, TypeError):  # written in a notebook, or in C
        return ""
    if not path.is_file():
        return ""
    if path.parent in [_ROOT / folder for folder in KINDS.values()]:
        return _built_in_digest(path.parent)
    files, packages = list(_own_files(plugin.__module__, path)), {}
    if found := distribution(plugin):
        packages = {found.metadata["Name"]: found.version}
        listed = [Path(str(file.locate())) for file in found.files or ()]
        files += [file for file in listed if file.suffix in CODE and file.is_file()]
    return _hash(files, packages)


def stamps(values: Mapping[str, Any]) -> list[str]:
    """Return path, size and time of the files that options name: another file may decide otherwise."""
    items = [item for value in values.values() for item in (value if isinstance(value, list) else [value])]
    paths = [Path(item) for item in items if isinstance(item, str) and 0 < len(item) < 1_000]
    try:
        stats = [(path, path.stat()) for path in paths if path.is_file()]
    except (OSError, ValueError):  # not a path
        return []
    return [f"{path}:{stat.st_size}:{stat.st_mtime_ns}" for path, stat in stats]


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of those packages that are installed."""
    installed = {}
    for name in packages:
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            continue
    return installed


@cache
def filter_packages() -> tuple[str, ...]:
    """Return the distributions whose versions change verdicts: what filters and detectors declare."""
    names: set[str] = set()
    for path in (_ROOT / "filters").rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PACKAGES":
                names.update(ast.literal_eval(node.value))
    return tuple(sorted(names))


@cache
def _built_in_digest(folder: Path) -> str:
    return _hash(
        [_ROOT / "languages.csv", *_code_files(_ROOT / "io"), *_code_files(folder)],
        versions(filter_packages()),
    )


def _hash(files: Iterable[Path], packages: Mapping[str, str]) -> str:
    """Return a hash of the names and contents of files, and of packages' versions."""
    hashed = sha256("".join(f"{name}={version}\0" for name, version in packages.items()).encode())
    for file in sorted(set(files)):
        stat = file.stat()
        hashed.update(f"{file.name}:{_file_hash(file, stat.st_size, stat.st_mtime_ns)}\0".encode())
    return hashed.hexdigest()


def _own_files(module: str, path: Path) -> Iterator[Path]:
    """Yield the files of a module's top-level package, and of the local modules that these import."""
    name, seen = module.partition(".")[0], set[str]()
    roots = {name: _root(name) or path}
    while roots:
        name, root = roots.popitem()
        seen.add(name)
        for file in _code_files(root) if root.is_dir() else [root, *_data_beside(root)]:
            yield file
            for imported in _imports(file) - seen:
                seen.add(imported)
                if (found := _root(imported)) and _is_local(imported, found):
                    roots[imported] = found


def _root(name: str) -> Path | None:
    """Return the folder of a top-level package or the file of a top-level module, if Python finds it."""
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.origin or not spec.has_location:
        return None
    origin = Path(spec.origin)
    return origin.parent if spec.submodule_search_locations else origin


def _is_local(name: str, path: Path) -> bool:
    """Return whether a module is neither glotmill's, nor Python's, nor installed from a package index."""
    installed = {Path(sysconfig.get_path(k)) for k in ("stdlib", "platstdlib", "purelib", "platlib")}
    return name not in {"glotmill", *sys.stdlib_module_names} and not any(
        path.is_relative_to(folder) for folder in installed
    )


def _imports(file: Path) -> set[str]:
    """Return the top-level names that a Python file imports."""
    if file.suffix != ".py":
        return set()
    try:
        nodes = list(ast.walk(ast.parse(file.read_bytes())))
    except (SyntaxError, ValueError):
        return set()
    imports = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    imports += [n.module for n in nodes if isinstance(n, ast.ImportFrom) and n.module and not n.level]
    return {name.partition(".")[0] for name in imports}


def _code_files(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.rglob("*")
        if path.suffix in CODE
        and path.is_file()
        and not any(part.startswith((".", "__pycache__")) for part in path.relative_to(folder).parts)
    ]


def _data_beside(file: Path) -> list[Path]:
    """Return the data files of a single-file module: those with its name."""
    paths = [file.with_suffix(suffix) for suffix in CODE]
    return [path for path in paths if path != file and path.is_file()]


@lru_cache(maxsize=10_000)
def _file_hash(path: Path, size: int, mtime_ns: int) -> str:
    return sha256(path.read_bytes()).hexdigest()


@cache
def _files(kind: str) -> dict[str, Path]:
    folder = _ROOT / KINDS[kind]
    files = {}
    for path in folder.glob("*.py"):
        if path.stem.startswith("_"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        defined = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
        if path.stem in defined:  # a file without a function of its name is a helper
            files[path.stem.replace("_", "-") if kind == "formats" else path.stem] = path
    return files


@cache
def _entry_points(kind: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=f"glotmill.{kind}")}


def _callable(value: Any, name: str) -> Plugin:
    if not callable(value):
        raise UsageError(f"{name!r} is a {type(value).__name__}, not a function")
    plugin: Plugin = value
    return plugin
