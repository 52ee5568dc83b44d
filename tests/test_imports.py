"""Heavy packages are loaded by what needs them, and by nothing else."""

import subprocess
import sys

import pytest

HEAVY = "torch transformers vllm datasets langdetect aiohttp xgrammar pyarrow safetensors numpy"


@pytest.mark.parametrize(
    "what", ["glotmill", "glotmill.runner.run", "glotmill.runner.filter_workers", "glotmill.filters.length"]
)
def test_importing_loads_nothing_heavy(what: str) -> None:
    script = f"import sys, {what}; print([n for n in {HEAVY.split()!r} if n in sys.modules])"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_importing_glotmill_loads_not_even_polars() -> None:
    script = "import sys, glotmill; print([n for n in ('polars', 'pydantic', 'jinja2') if n in sys.modules])"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_what_the_package_gives() -> None:
    import glotmill

    assert callable(glotmill.run)
    assert glotmill.Run.__name__ == "Run"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = glotmill.nothing
