"""What is known of a model before it is loaded: its family, chat template, context, dtype, languages."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glotmill.errors import one_line
from glotmill.generators._shared.model_files import model_file
from glotmill.generators._shared.system_role import takes_system_role
from glotmill.generators._shared.thinking import Family, family_of
from glotmill.io.terminal import safe

_MAX_BYTES = 2_000_000  # of a file that is read whole
_FRONT_MATTER = re.compile(r"---\n(.*?)\n---", re.DOTALL)
_MAX_LANGUAGES = 300


@dataclass(frozen=True)
class ModelFacts:
    """What a model's files say. None, or empty: they do not say.

    found: whether its files are on this machine; without them, only what the name tells is known.
    thinking: whether the model thinks before it answers, and how that is switched, in words.
    context: tokens of a prompt and its reply. vocabulary: tokens that the model knows.
    languages: as its card lists them.
    """

    model: str
    found: bool = False
    architecture: str = ""
    family: str = ""
    thinking: str = "does not, as far as is known"
    chat_template: bool | None = None
    system_role: bool | None = None
    context: int | None = None
    dtype: str = ""
    vocabulary: int | None = None
    languages: tuple[str, ...] = ()


def model_facts(model: str, revision: str | None = None) -> ModelFacts:
    """Read what a model's folder, or the Hub's cache, says of it. Downloads nothing, loads no library."""
    config = _json(model, "config.json", revision)
    template = _chat_template(model, revision)
    family = family_of(model, template)
    common: dict[str, Any] = {"family": family.name if family else "", "thinking": _thinking(family)}
    if not config:
        return ModelFacts(model, **common)
    text = config.get("text_config")
    inner = {**config, **(text if isinstance(text, dict) else {})}
    architectures = config.get("architectures")
    return ModelFacts(
        model,
        found=True,
        architecture=str(architectures[0]) if isinstance(architectures, list) and architectures else "",
        chat_template=bool(template),
        system_role=takes_system_role(_Renderer(template)) if template else None,
        context=_whole(inner.get("max_position_embeddings")),
        dtype=str(inner.get("dtype") or inner.get("torch_dtype") or ""),
        vocabulary=_whole(inner.get("vocab_size")),
        languages=_languages(model, revision),
        **common,
    )


def describe(model: str, revision: str | None = None) -> str:
    """Return what is known of a model on one line, such as the first of a run."""
    facts = model_facts(model, revision)
    if not facts.found:
        return safe(one_line(f"{model}: not on this machine yet; thinking: {facts.thinking}", 1000))
    parts = [
        facts.architecture,
        f"{facts.context:,} tokens of context" if facts.context else "",
        facts.dtype,
        "" if facts.chat_template else "no chat template: completions only",
        "takes no system messages" if facts.system_role is False else "",
        f"thinking: {facts.thinking}" if facts.family else "",
        f"made for {_listed(facts.languages)}" if facts.languages else "",
    ]
    return safe(one_line(f"{model}: {', '.join(part for part in parts if part)}", 1000))


def _listed(languages: tuple[str, ...]) -> str:
    return " ".join(languages) if len(languages) <= 8 else f"{len(languages)} languages"


def _thinking(family: Family | None) -> str:
    if family is None:
        return "does not, as far as is known"
    if family.always:
        return "always"
    if family.switch:
        return f"off or on, by {family.switch[0]} or {family.switch[1]} in the system message"
    names = [name for name in (family.argument, *family.off, *family.on) if name]
    return f"off or on, by the template's {names[0]}"


def _read(model: str, name: str, revision: str | None) -> str:
    file = model_file(model, name, revision)
    return _text(file) if file else ""


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return stream.read(_MAX_BYTES).decode("utf-8", errors="replace")
    except OSError:
        return ""


def _json(model: str, name: str, revision: str | None) -> dict[str, Any]:
    try:
        value = json.loads(_read(model, name, revision) or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _chat_template(model: str, revision: str | None) -> str:
    if text := _read(model, "chat_template.jinja", revision):
        return text
    template: object = _json(model, "tokenizer_config.json", revision).get("chat_template")
    if isinstance(template, list):  # several, by name
        named = {t.get("name"): t.get("template") for t in template if isinstance(t, dict)}
        template = named.get("default")
    return template if isinstance(template, str) else ""


def _languages(model: str, revision: str | None) -> tuple[str, ...]:
    import yaml

    matter = _FRONT_MATTER.match(_read(model, "README.md", revision))
    try:
        value = yaml.safe_load(matter[1]) if matter else None
    except (yaml.YAMLError, ValueError, RecursionError):
        return ()
    found = value.get("language") if isinstance(value, dict) else None
    names = found if isinstance(found, list) else [found] if found else []
    # YAML reads a bare no, for Norwegian, as false.
    return tuple("no" if name is False else str(name)[:40] for name in names)[:_MAX_LANGUAGES]


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


class _Renderer:
    """Writes chats by a template as transformers does, in a sandbox, without loading transformers."""

    def __init__(self, chat_template: str) -> None:
        self.chat_template = chat_template

    def apply_chat_template(self, chat: list[dict[str, str]], **options: Any) -> str:
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        def refuse(message: str) -> str:
            raise ValueError(message)

        sandbox = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
        )
        sandbox.globals |= {"raise_exception": refuse, "strftime_now": lambda form: ""}
        sandbox.filters["tojson"] = lambda value, **kwargs: json.dumps(value, ensure_ascii=False)
        return sandbox.from_string(self.chat_template).render(
            messages=chat, add_generation_prompt=True, bos_token="", eos_token="", tools=None
        )
