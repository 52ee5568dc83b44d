"""Fixtures for all tests."""

from collections.abc import Iterator

import pytest
import spy as spying


@pytest.fixture
def spy() -> Iterator[spying.State]:
    """The state of the engine `spy:spy`, as new."""
    spying.state.__init__()  # type: ignore[misc]
    yield spying.state
    assert spying.state.closed == spying.state.opened or spying.state.opening


@pytest.fixture(autouse=True)
def trusted_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let recipes name code of their own, as many tests do; those of `--trust-code` forbid it again."""
    monkeypatch.setenv("GLOTMILL_TRUST_CODE", "1")
