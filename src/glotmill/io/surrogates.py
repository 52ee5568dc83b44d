"""Text that can be written as UTF-8."""

from typing import Any


def replace_surrogates(value: Any) -> Any:
    """Replace lone surrogates with `?`, in texts and in the texts of lists and dictionaries.

    JSON can spell half a character (`"\\ud800"`), and no file, table or tokenizer takes one.
    """
    match value:
        case str():
            try:
                value.encode()
            except UnicodeEncodeError:
                return value.encode("utf-8", "replace").decode()
        case list():
            return [replace_surrogates(item) for item in value]
        case dict():
            return {replace_surrogates(key): replace_surrogates(item) for key, item in value.items()}
    return value
