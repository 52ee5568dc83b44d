"""Finds files of a model on this machine: in its folder, or in the Hub's cache. Downloads nothing."""

from pathlib import Path

from glotmill.generators._shared.loading import model_path


def model_file(model: str, name: str, revision: str | None = None) -> Path | None:
    """Return the path of a file of a model, or None if it is not on this machine."""
    path = Path(model_path(model))
    if path.is_dir():
        file = path / name
        return file if file.is_file() else None
    try:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError
    except ImportError:
        return None
    try:
        found = try_to_load_from_cache(model, name, revision=revision)
    except (HFValidationError, ValueError):  # no name of the Hub
        return None
    return Path(found) if isinstance(found, str) else None
