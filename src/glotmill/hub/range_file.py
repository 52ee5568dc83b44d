"""A file on the Hub, read in byte ranges."""

import io
from importlib import import_module
from typing import Any


class RangeFile(io.RawIOBase):
    """A file on the Hub that fetches only the bytes that are read."""

    def __init__(self, url: str, size: int, token: str | None) -> None:
        self._url, self._size, self._token, self._position = url, size, token, 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position of the next byte."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position."""
        self._position = offset + (0, self._position, self._size)[whence]
        return self._position

    def readall(self) -> bytes:
        """Read to the end."""
        return self.read(self._size - self._position)

    def read(self, count: int = -1) -> bytes:
        """Fetch bytes. Raises the errors of the client."""
        utils: Any = import_module("huggingface_hub.utils")  # not typed
        end = self._size if count < 0 else min(self._size, self._position + count)
        if end <= self._position:
            return b""
        headers = utils.build_hf_headers(token=self._token or False, library_name="glotmill")
        headers["Range"] = f"bytes={self._position}-{end - 1}"
        response = utils.http_backoff("GET", self._url, headers=headers)
        utils.hf_raise_for_status(response)
        start = 0 if response.status_code == 206 else self._position  # some servers ignore the range
        content: bytes = response.content[start : start + end - self._position]
        self._position += len(content)
        return content
