"""The three folders on top are packages of glotmill, by links."""

from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", ["prompts", "generators", "filters"])
def test_link_leads_to_the_folder_on_top(name: str) -> None:
    link = ROOT / "src" / "glotmill" / name
    assert link.is_symlink()
    assert str(link.readlink()) == f"../../{name}"
    assert link.resolve() == ROOT / name
    module = import_module(f"glotmill.{name}")
    assert module.__file__ is not None
    assert Path(module.__file__).resolve() == ROOT / name / "__init__.py"
