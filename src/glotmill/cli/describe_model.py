"""What `glotmill doctor --model NAME` says of a model, from its files here or from a server."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from glotmill.errors import EngineError, UsageError, one_line
from glotmill.generators._shared.model_facts import ModelFacts, model_facts

_TIMEOUT_S = 15
_MAX_BYTES = 5_000_000
_MAX_MODELS = 50


@dataclass(frozen=True)
class ServerFacts:
    """What a server says of its models, and what the name of the chosen one tells.

    context: tokens of a prompt and its reply, where the server says so, as vLLM does.
    models: the names of its models, the first 50.
    """

    model: str
    server: str
    found: bool
    context: int | None
    family: str
    thinking: str
    models: tuple[str, ...]


def facts_of(
    model: str | None, revision: str | None, engine_args: Mapping[str, Any]
) -> ModelFacts | ServerFacts:
    """Return what is known of a model. Raises UsageError, or EngineError if the server does not answer."""
    if unknown := sorted(set(engine_args) - {"base_url"}):
        raise UsageError(f"doctor: --engine-arg {unknown[0]}: only base_url says where a model is")
    if "base_url" in engine_args:
        return _of_server(model or "", str(engine_args["base_url"]))
    return model_facts(model or "", revision)


def facts_text(facts: ModelFacts | ServerFacts) -> str:
    """Return the facts, one a line."""
    from glotmill.io.terminal import labelled

    context = f"{facts.context:,} tokens" if facts.context else "unknown"
    known = [("model", facts.model or "-"), ("thinking", facts.thinking), ("context", context)]
    if isinstance(facts, ServerFacts):
        where = [("server", facts.server), ("served", "yes" if facts.found else "no")]
        return labelled([*known[:1], *where, *known[1:], ("models", "\n".join(facts.models) or "none")])
    if not facts.found:
        return labelled([*known[:1], ("files", "not on this machine"), known[1]])
    template = "yes" if facts.chat_template else "no: it takes completions only"
    if facts.system_role is False:
        template += ", without system messages: their text goes in front of the user's"
    return labelled(
        [
            *known[:1],
            ("kind", facts.architecture or "unknown"),
            *known[1:],
            ("chat template", template),
            ("dtype", facts.dtype or "unknown"),
            ("vocabulary", f"{facts.vocabulary:,} tokens" if facts.vocabulary else "unknown"),
            ("languages", " ".join(facts.languages) or "its card does not say"),
        ]
    )


def _of_server(model: str, base_url: str) -> ServerFacts:
    served = _models(base_url)
    names = [str(each.get("id")) for each in served]
    model = model or (names[0] if len(names) == 1 else "")
    own = next((each for each in served if each.get("id") == model), {})
    context = own.get("max_model_len")
    told = model_facts(model) if model else ModelFacts(model)
    return ServerFacts(
        model,
        urlsplit(base_url).netloc.rpartition("@")[2],
        bool(own),
        context if isinstance(context, int) else None,
        told.family,
        told.thinking,
        tuple(names[:_MAX_MODELS]),
    )


def _models(base_url: str) -> list[dict[str, Any]]:
    """Return the list of models that a server gives under /models."""
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError("doctor: base_url is no address; write it as in http://localhost:8000/v1")
    request = Request(f"{base_url.rstrip('/')}/models")  # noqa: S310 http or https, as was just checked
    if key := os.environ.get("OPENAI_API_KEY"):
        request.add_unredirected_header("Authorization", f"Bearer {key}")
    host = parts.netloc.rpartition("@")[2]
    try:
        with urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
            value = json.loads(answer.read(_MAX_BYTES))
    except (URLError, OSError) as error:
        raise EngineError(f"{host} does not answer /models: {one_line(error)}") from error
    except (ValueError, RecursionError) as error:
        raise EngineError(f"{host} answers /models with something that is no list of models") from error
    data = value.get("data") if isinstance(value, dict) else None
    return [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []
