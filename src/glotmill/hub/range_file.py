"""A file on the Hub, read in parts."""

import io
from importlib import import_module
from typing import Any


class Ranged(io.RawIOBase):
    """A file on the Hub, of which only what is read is fetched."""

    def __init__(self, url: str, size: int, token: str | None) -> None:
        self._url, self._size, self._token, self._place = url, size, token, 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Read from there."""
        self._place = offset + (0, self._place, self._size)[whence]
        return self._place

    def readall(self) -> bytes:
        """Read to the end."""
        return self.read(self._size - self._place)

    def read(self, count: int = -1) -> bytes:
        """Fetch some bytes. Raises what the client raises."""
        utils: Any = import_module("huggingface_hub.utils")  # it does not say what it exports
        end = self._size if count < 0 else min(self._size, self._place + count)
        if end <= self._place:
            return b""
        headers = utils.build_hf_headers(token=self._token or False, library_name="glotmill")
        headers["Range"] = f"bytes={self._place}-{end - 1}"
        response = utils.http_backoff("GET", self._url, headers=headers)
        utils.hf_raise_for_status(response)
        start = 0 if response.status_code == 206 else self._place  # a server may send the whole
        content: bytes = response.content[start : start + end - self._place]
        self._place += len(content)
        return content
