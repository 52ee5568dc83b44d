"""One report in one browser, shared by all tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Page, browser
from run_folder import make

from glotmill.report.report import write


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "a run, ünusual"
    run = make(folder)
    write(run, folder / "report.html", price_in=1.0, price_out=2.0)
    return folder


@pytest.fixture(scope="session")
def opened(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as page:
        page.open(folder / "report.html")
        yield page


@pytest.fixture
def page(opened: Page) -> Page:
    """Return the page with its form reset."""
    opened.run("new Promise(done => { document.getElementById('form').reset(); setTimeout(done, 20) })")
    return opened
