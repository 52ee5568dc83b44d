"""One run for all tests that only read it."""

import pytest
from carded import made

from glotmill.runner.run_folder import Run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return made(tmp_path_factory.mktemp("card"), languages=["nob", "zho_Hant", "arb", "yor"])
