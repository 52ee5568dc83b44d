"""What a dataset's card says of one run: how its rows were made, where the others went, and what is known."""

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from glotmill import printing, prompts
from glotmill.cards import card_limits, card_text
from glotmill.cards.card_front import public_model
from glotmill.errors import GlotmillError
from glotmill.job import NANO
from glotmill.languages import find as find_language
from glotmill.recipe import Dataset, Draw, Recipe, Table, built_in, locate
from glotmill.recipe import read as read_recipe
from glotmill.steps import Generate, Render
from glotmill.store import Run

TOYS = {
    NANO: "glotmill-nano is a tiny model, there to try and test glotmill; what it writes is hardly sensible.",
    "echo": "The echo engine is no model: it says back what it is told.",
}
_SAMPLE_CHARS = 1_000  # of one text
_SAMPLE_SHORT = 240  # where there are many languages
_SAMPLE_TEXTS = 16
_SET_CHARS = 300  # of one --set; what is longer is another recipe, not a setting
_OWN_WORDS = ("about", "papers", "languages", "seeds", "seeds_license", "tasks", "name")


def toy(info: Mapping[str, Any]) -> str:
    """Return why nobody should train on the rows of a run; empty if nothing forbids it."""
    return TOYS.get(str(info.get("engine"))) or TOYS.get(str(info.get("model"))) or ""


def section(run: Run, recipe: Recipe, told: Mapping[str, Any], key: str, folder: str) -> str:
    """Return the part of a card that is about one run, without its markers.

    told: what facts says. key: of the run. folder: in the dataset's repository, where its recipe is; may be
    empty.
    """
    info = run.info()
    found = _folder(run, recipe)
    templates = list(_templates(info, recipe, found))
    seeds_license = _seeds_license(recipe, str(info.get("seeds", "")))
    line, changed = command(info, recipe)
    values = {
        "name": told["run"]["folder"],
        "toy": toy(info),
        "recipe": recipe.name,
        "about": recipe.about,
        "model": told["model"]["model"],
        "model_url": f"https://huggingface.co/{public_model(info)}" if public_model(info) else "",
        "revision": info.get("revision"),
        "engine": info["engine"],
        "engine_args": [(k, _public(v)) for k, v in (info.get("engine_args") or {}).items()],
        "seeds": told["run"]["seeds"],
        "seeds_license": seeds_license,
        "output_license": _output_license(info, told["model"]["model"]),
        "wanted": info["per_language"],
        "requests": told["total"]["answered"],
        "steps": [_step(step) for step in told["steps"]],
        "templates": templates,
        "filters": [{**of, "options": _options(of["options"])} for of in told["filters"]],
        **_funnel(run, told),
        "limits": list(card_limits.limits(recipe, told, templates)),
        "samples": list(_samples(run, told)),
        "many": len(told["languages"]) > card_text.FEW,
        "install": f"pip install 'glotmill{_extra(info)}=={info['versions'].get('glotmill', '0')}'",
        "command": line,
        "changed": changed,
        "folder": folder,
        "shipped": _ships(recipe),
        "recipe_digest": recipe.digest()[:16],
        "versions": ", ".join(f"{name} {version}" for name, version in info["versions"].items()),
        "papers": recipe.papers,
    }
    return card_text.render("card_run.j2", values)


def command(info: Mapping[str, Any], recipe: Recipe) -> tuple[str, bool]:
    """Return the command line that makes a run like this one, and whether the recipe is another by now."""
    changed = False
    shipped = _ships(recipe)
    words = ["glotmill", "run", recipe.name if shipped else f"./{recipe.name}"]
    words += ["--languages", ",".join(info["languages"]), "--per-language", str(info["per_language"])]
    words += ["--engine", str(info["engine"]), "--model", _public(info["model"])]
    words += ["--revision", str(info["revision"])] if info.get("revision") else []
    for name, value in (info.get("engine_args") or {}).items():
        words += ["--engine-arg", f"{name}={_public(value)}"]
    if not _own_seeds(recipe, str(info["seeds"])):
        words += ["--seeds", _public(info["seeds"])]
    if shipped:
        base = _plain(read_recipe(recipe.name))
        texts = {path: json.dumps(new, ensure_ascii=False) for path, new in _changes(base, _plain(recipe))}
        changed = any(len(text) > _SET_CHARS for text in texts.values())
        words += [word for path, text in texts.items() if not changed for word in ("--set", f"{path}={text}")]
    return shlex.join(words), changed


def _ships(recipe: Recipe) -> bool:
    return recipe.name in built_in()


def _plain(recipe: Recipe) -> dict[str, Any]:
    plain = recipe.model_dump(mode="json", by_alias=True)
    return {key: value for key, value in plain.items() if key not in _OWN_WORDS}


def _changes(base: Any, made: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what must be set to make one recipe of another, in the largest parts that are wholly new."""
    if isinstance(base, dict) and isinstance(made, dict) and base.keys() == made.keys():
        for key in base:
            yield from _changes(base[key], made[key], f"{path}.{key}" if path else str(key))
    elif isinstance(base, list) and isinstance(made, list) and len(base) == len(made):
        for number, pair in enumerate(zip(base, made, strict=True)):
            yield from _changes(*pair, f"{path}.{number}")
    elif base != made:
        yield path, made


def _public(value: object) -> str:
    """A value without where it is on some machine."""
    text = str(value)
    return Path(text).name if Path(text).is_absolute() else text


def _extra(info: Mapping[str, Any]) -> str:
    return {"vllm": "[vllm]", "transformers": "[transformers]", "openai": "[openai]"}.get(info["engine"], "")


def _own_seeds(recipe: Recipe, place: str) -> bool:
    """Whether a run's seeds are those that its recipe names."""
    match recipe.seeds:
        case Draw():
            return place == f"{recipe.name}: seeds.draw"
        case Table():
            return place == f"{recipe.name}: seeds.rows"
        case Dataset():
            return place == recipe.seeds.dataset
        case "-":
            return False
    name = recipe.seeds.removeprefix("hf://").removeprefix("datasets/")
    return place == name or Path(place).parts[-1 - len(Path(name).parts) :] == (
        recipe.name,
        *Path(name).parts,
    )


def _seeds_license(recipe: Recipe, place: str) -> str:
    if not _own_seeds(recipe, place):
        return "not known: they are not those of the recipe. Find it out before you build on this dataset."
    if recipe.seeds_license:
        return f"{recipe.seeds_license}, as the recipe says."
    return "not known: the recipe does not say (key seeds_license)."


def _output_license(info: Mapping[str, Any], model: str) -> str:
    if info["engine"] == "echo":
        return "the engine echo says back the prompts: what binds the recipe and its seeds binds the rows."
    if info["engine"] == "replay":
        return "the replies were taken from a journal; the terms are those of the model that wrote them."
    if info["model"] == NANO:
        return "apache-2.0: glotmill-nano comes with glotmill."
    return (
        f"the terms of {model} decide what may be done with what it writes; some forbid training other "
        "models. glotmill does not know them: read them where the model comes from."
    )


def _step(step: Mapping[str, Any]) -> dict[str, Any]:
    what = {
        "generate": "asks the model",
        "render": "renders a template, without a model",
        "transform": "changes the table, without a model",
    }.get(step["kind"], "is of an earlier state of the recipe")
    if step["kind"] == "generate":
        what += f", template {step['template']}, reply as {step['as']}"
        what += f", {step['n']} rows of each" if step["n"] > 1 else ""
        what += f", {step['trials']} replies to each row" if step["trials"] > 1 else ""
        what += f", up to {step['tries']} tries" if step["tries"] > 1 else ""
    names = ("answered", "prompt_tokens", "reply_tokens")
    counts = {name: step.get(name) for name in names}
    sampling = _options(step.get("sampling", {})) or (
        "as the engine does" if step["kind"] == "generate" else ""
    )
    return {"name": step["name"] or "(not told)", "what": what, "sampling": sampling, **counts}


def _options(options: Mapping[str, Any]) -> str:
    told = {name: value for name, value in options.items() if value not in (None, "", [], {})}
    return ", ".join(f"{name}={_short(value)}" for name, value in told.items() if name != "language")


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = _public(text)
    return text if len(text) <= 120 else f"{text[:120]}…"


def _folder(run: Run, recipe: Recipe) -> Path | None:
    """Where the recipe's templates are, if they still are somewhere."""
    if (run.folder / "recipe").is_dir():
        return run.folder / "recipe"
    try:
        return locate(recipe.name)
    except GlotmillError:
        return None


def _templates(info: Mapping[str, Any], recipe: Recipe, folder: Path | None) -> Iterator[dict[str, Any]]:
    """Yield each template that was used, and for which languages."""
    names = {s.name: s.template_name for s in recipe.live_steps if isinstance(s, Generate | Render)}
    used: dict[tuple[str, str], list[str]] = {}
    for tag, digests in info.get("templates", {}).items():
        for step, digest in digests.items():
            used.setdefault((step, digest), []).append(tag)
    for (step, digest), tags in used.items():
        file = _file(folder, names.get(step, ""), tags[0], digest)
        text = file.read_text(encoding="utf-8") if file else ""
        yield {
            "step": step,
            "digest": digest[:16],
            "languages": tags,
            "file": file.name if file else "",
            "unreviewed": text.lstrip("{#- \n").lower().startswith("unreviewed"),
        }


def _file(folder: Path | None, name: str, tag: str, digest: str) -> Path | None:
    """The file of a template, if it is as it was."""
    if folder is None or not name or not folder.is_dir():
        return None
    try:
        found = prompts.load(folder, name, find_language(tag))
    except GlotmillError:
        return None
    return found.path if found.digest == digest else None


def _funnel(run: Run, told: Mapping[str, Any]) -> dict[str, Any]:
    """The funnel, and how many rows of each language were left after each stage that lost any."""
    order = [of["at"] for of in told["filters"]]
    counts = (
        run.rows().filter(pl.col("reason").is_not_null()).group_by("language", "reason_at").len().collect()
    )
    lost: dict[str, dict[str, int]] = {}
    for tag, place, number in counts.iter_rows():
        lost.setdefault(tag, {})[place or "?"] = number
    places = {place for by_place in lost.values() for place in by_place}
    stages = sorted(places, key=lambda p: (p.startswith("finish."), order.index(p) if p in order else -1, p))
    rows = []
    tokens = told["lengths"]["tokens"]["languages"]
    for of in told["funnel"]:
        tag = of["language"]
        left: list[int] = []
        for stage in stages:
            left.append((left[-1] if left else of["asked"]) - lost.get(tag, {}).get(stage, 0))
        about = round(tokens[tag]["mean"] * of["accepted"]) if tag in tokens else None
        rows.append({**of, "left": left, "tokens": about or None, "lost": printing.reasons(of["dropped"])})
    return {"funnel": rows, "stages": stages}


def _samples(run: Run, told: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Yield a row of each language, cut, in lines of which each keeps its own direction."""
    limit = _SAMPLE_CHARS if len(told["languages"]) <= card_text.FEW else _SAMPLE_SHORT
    for of in told["languages"]:
        for file in sorted(run.folder.glob(f"dataset/{of['tag']}/train-*.parquet"))[:1]:
            row = pl.read_parquet(file, n_rows=1).to_dicts()[0]
            pairs = printing.row_pairs(row)[:_SAMPLE_TEXTS]
            cut = [(name, _cut(printing.shown(value), limit)) for name, value in pairs]
            lines = printing.labelled(cut, width=110).split("\n")
            title = f"{of['name']} ({of['tag']})"
            yield {"title": title, "row": "\n".join(line.rstrip() for line in lines)}


def _cut(text: str, limit: int) -> str:
    more = len(text) - limit
    return text if more <= 0 else f"{text[:limit]} … ({more:,} characters more)"
