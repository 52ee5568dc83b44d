"""What engines that load a model share: finding it, checking its options, applying the chat template."""

from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from glotmill.errors import EngineError, RequestFailed, UsageError, typed_line
from glotmill.io.surrogates import replace_surrogates
from glotmill.messages import Request

_NARROW = 512
_BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}  # as /proc/cpuinfo has it
_NANO = Path(__file__).parent.parent / "nano"


def model_path(model: str) -> str:
    """Return what a library loads `model` from: for glotmill-nano its folder, else the name itself."""
    return str(_NANO) if model == "glotmill-nano" else model


def check_options(engine: str, options: Iterable[str], known: Iterable[str]) -> None:
    """Raise UsageError for the first option that the engine does not have."""
    names = sorted(known)
    for name in options:
        if name not in names:
            close = get_close_matches(name, names, n=1)
            hint = f"did you mean {close[0]}?" if close else f"it takes {', '.join(names)}"
            raise UsageError(f"engine {engine}: no option {name}: {hint}")


def not_installed(engine: str, extras: str, error: ImportError) -> EngineError:
    """Return the error for an engine whose package is missing. extras: what to pip install."""
    return EngineError(f"engine {engine}: {error}: install it with pip install {extras}")


def dtype_on_cpu(own: str, width: int) -> str:
    """Return the dtype in which a CPU is fastest, of those that lose nothing of the weights.

    own: the dtype of the weights. width: the model's hidden size.

    bfloat16 stays where the CPU computes in it (AVX-512 BF16, AMX, or ARM's BF16): there Qwen2.5 0.5B takes
    49 % of the time of float32, and half the memory. All else is float32, and so are models as narrow as
    glotmill-nano, which gain nothing (93 %): there, replies do not depend on what else is computed.
    """
    is_fast = own.removeprefix("torch.") == "bfloat16" and width >= _NARROW and _has_bfloat16()
    return "bfloat16" if is_fast else "float32"


@cache
def _has_bfloat16() -> bool:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux
        return False
    lines = (line for line in text.splitlines() if line.startswith(("flags", "Features")))
    return not _BFLOAT16.isdisjoint(next(lines, "").split())


def chat_of(request: Request) -> list[dict[str, str]]:
    """Return the messages as chat templates take them, with lone surrogates replaced."""
    return [{"role": m.role, "content": replace_surrogates(m.content)} for m in request.messages]


def token_ids(tokenizer: Any, request: Request, max_model_len: int) -> list[int]:
    """Return the tokens of a request, with the chat template applied.

    max_model_len: tokens of a prompt and its reply together.

    Raises:
        RequestFailed: `template_refused`, `empty_prompt` or `prompt_too_long`.
    """
    try:
        ids = tokenizer.apply_chat_template(
            chat_of(request), add_generation_prompt=True, tokenize=True, return_dict=False
        )
    except Exception as error:  # templates come with models and may raise anything
        raise RequestFailed("template_refused", typed_line(error)) from error
    if not ids:
        raise RequestFailed("empty_prompt", "the chat template made no tokens from it")
    if len(ids) >= max_model_len:
        raise RequestFailed(
            "prompt_too_long", f"{len(ids)} tokens leave no room for a reply; the limit is {max_model_len}"
        )
    return list(ids)
