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


def test_every_plugin_page_shows_the_code_of_the_example_package() -> None:
    """`ruff format` also formats blocks of ```python, and takes the marker of a snippet for an expression."""
    for page in (ROOT / "docs" / "plugins").glob("*.md"):
        for line in page.read_text(encoding="utf-8").splitlines():
            if line.startswith("--8"):
                path = line.removeprefix('--8<-- "').removesuffix('"')
                assert (ROOT / path).is_file(), f"{page.name}: {line}"
