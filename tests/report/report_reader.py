"""What a reader of a report does and sees."""

import json
import re
from base64 import b64decode
from gzip import decompress
from typing import Any

from chromium import Page


def packed(page: str, id: str = "data") -> Any:
    """Return what is packed in a report under an id."""
    match = re.search(rf'<script id="{id}" type="application/octet-stream">([^<]*)</script>', page)
    assert match is not None
    return json.loads(decompress(b64decode(match[1])))


def choose(page: Page, name: str, value: str) -> None:
    page.run(
        f"{{ const e = document.getElementById({name!r}); e.value = {json.dumps(value)};"
        " e.dispatchEvent(new Event('change')) }"
    )


def search(page: Page, text: str) -> int:
    """Type into the search field as a person does, and return how many rows there are."""
    page.run("{ const q = document.getElementById('query'); q.focus(); q.select() }")
    page.type(text)
    page.press("Enter", "\r")
    return count(page)


def count(page: Page) -> int:
    text = page.run("document.getElementById('count').textContent")
    match = re.match(r"Rows [\d,]+ to [\d,]+ of ([\d,]+)", text)
    return int(match[1].replace(",", "")) if match else 0


def texts(page: Page, selector: str) -> list[str]:
    result: list[str] = page.run(f"[...document.querySelectorAll({selector!r})].map(e => e.textContent)")
    return result
