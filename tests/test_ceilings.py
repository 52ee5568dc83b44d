"""No file grows over 400 lines, no function over 50 or 7 parameters; no global; nothing is caught blindly."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted(
    path
    for folder in ("prompts", "generators", "filters", "src/glotmill")
    for path in (ROOT / folder).rglob("*.py")
)
SOURCES = list(dict.fromkeys(path.resolve() for path in FILES))
IDS = [str(path.relative_to(ROOT)) for path in SOURCES]
BLIND = {"Exception", "BaseException", ""}


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def caught(handler: ast.ExceptHandler) -> set[str]:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return {ast.unparse(kind) if kind else "" for kind in kinds}


def test_there_are_sources() -> None:
    assert len(SOURCES) > 30


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_ceilings(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert len(text.splitlines()) <= 400
    for function in functions(tree):
        length = (function.end_lineno or 0) - function.lineno + 1
        given = function.args
        assert length <= 50, function.name
        assert len([*given.posonlyargs, *given.args, *given.kwonlyargs]) <= 7, function.name
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Global)]


def test_no_test_file_grows_over_300_lines() -> None:
    long = [path.name for path in (ROOT / "tests").rglob("*.py") if path.read_text("utf-8").count("\n") > 300]
    assert not long


@pytest.mark.parametrize("path", [p for p in SOURCES if "generators" not in p.parts], ids=lambda p: p.stem)
def test_nothing_is_caught_blindly(path: Path) -> None:
    for handler in (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ExceptHandler)):
        if caught(handler) & BLIND:
            assert isinstance(handler.body[-1], ast.Raise), f"line {handler.lineno}: raise it again"
