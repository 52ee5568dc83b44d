"""glotmill makes training data for language models in many languages."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glotmill.runner.open_engine import ModelSettings
    from glotmill.runner.run import run
    from glotmill.runner.run_folder import Run

__all__ = ["ModelSettings", "Run", "run"]


def __getattr__(name: str) -> Any:
    """Import the names of `__all__` on first use, so that the command line starts fast."""
    if name == "run":
        from glotmill.runner.run import run

        return run
    if name == "Run":
        from glotmill.runner.run_folder import Run

        return Run
    if name == "ModelSettings":
        from glotmill.runner.open_engine import ModelSettings

        return ModelSettings
    raise AttributeError(f"module 'glotmill' has no attribute {name!r}")
