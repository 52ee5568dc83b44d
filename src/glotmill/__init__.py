"""glotmill makes training data for language models in many languages."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glotmill.mill import run
    from glotmill.store import Run

__all__ = ["Run", "run"]


def __getattr__(name: str) -> Any:
    """Load what is asked for, and nothing before: the command line must answer at once."""
    if name == "run":
        from glotmill.mill import run

        return run
    if name == "Run":
        from glotmill.store import Run

        return Run
    raise AttributeError(f"module 'glotmill' has no attribute {name!r}")
