"""The model that ships."""

from pathlib import Path

import pytest

import glotmill.generators


@pytest.fixture(scope="session")
def nano() -> Path:
    """The folder of the model that ships."""
    return Path(glotmill.generators.__file__).parent / "nano"
