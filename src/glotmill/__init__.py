"""glotmill makes training data for language models in many languages."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glotmill.runner.folder import Run
    from glotmill.runner.run import run

__all__ = ["Run", "run"]


def __getattr__(name: str) -> Any:
    """Load what is asked for, and nothing before: the command line must answer at once."""
    if name == "run":
        from glotmill.runner.run import run

        return run
    if name == "Run":
        from glotmill.runner.folder import Run

        return Run
    raise AttributeError(f"module 'glotmill' has no attribute {name!r}")
