"""What engines that load a model do alike: find it, check options, make chats fit for a tokenizer."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from glotmill.errors import EngineError, RequestFailed, UsageError, typed_line
from glotmill.io.text import replace_surrogates
from glotmill.messages import Request

_NANO = Path(__file__).parent.parent / "nano"


def model_place(model: str) -> str:
    """Where a library loads `model` from: the folder that ships with the package, or what was given."""
    return str(_NANO) if model == "glotmill-nano" else model


def check_options(engine: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raises UsageError for the first option that the engine does not know."""
    names = sorted(known)
    for name in given:
        if name not in names:
            close = get_close_matches(name, names, n=1)
            hint = f"did you mean {close[0]}?" if close else f"it takes {', '.join(names)}"
            raise UsageError(f"engine {engine}: no option {name}: {hint}")


def not_installed(engine: str, extras: str, error: ImportError) -> EngineError:
    """What to raise when an engine's package is missing. extras: how to install it."""
    return EngineError(f"engine {engine}: {error}: install it with pip install {extras}")


def chat_of(request: Request) -> list[dict[str, str]]:
    """The messages as chat templates take them; lone surrogates replaced: no tokenizer takes one."""
    return [{"role": m.role, "content": replace_surrogates(m.content)} for m in request.messages]


def token_ids(tokenizer: Any, request: Request, most: int) -> list[int]:
    """The request in the model's tokens, its chat template applied.

    most: how many tokens a prompt and its reply have together.

    Raises:
        RequestFailed: `template_refused`, `empty_prompt` or `prompt_too_long`.
    """
    try:
        ids = tokenizer.apply_chat_template(
            chat_of(request), add_generation_prompt=True, tokenize=True, return_dict=False
        )
    except Exception as error:  # templates come with models and raise what they like
        raise RequestFailed("template_refused", typed_line(error)) from error
    if not ids:
        raise RequestFailed("empty_prompt", "the chat template made no tokens of it")
    if len(ids) >= most:
        raise RequestFailed(
            "prompt_too_long", f"{len(ids)} tokens leave no room for a reply: {most} is all there is"
        )
    return list(ids)
