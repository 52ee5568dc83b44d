"""What is known of a model before it is loaded."""

import json
from pathlib import Path

import pytest

from glotmill.generators._shared.model_facts import describe, model_facts

NO_SYSTEM = (
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no') }}{% endif %}"
    "{{ m.content }}{% endfor %}"
)


def folder(path: Path, config: object, template: str = "", card: str = "") -> str:
    path.mkdir()
    (path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    if template:
        (path / "tokenizer_config.json").write_text(json.dumps({"chat_template": template}), encoding="utf-8")
    if card:
        (path / "README.md").write_text(card, encoding="utf-8")
    return str(path)


def test_the_model_that_ships_is_known() -> None:
    facts = model_facts("glotmill-nano")
    assert facts.found
    assert facts.chat_template
    assert (facts.dtype, facts.family, facts.system_role) == ("bfloat16", "", True)
    assert facts.context
    assert facts.vocabulary
    assert "tokens of context" in describe("glotmill-nano")


def test_files_tell_what_the_name_does_not(tmp_path: Path) -> None:
    config = {
        "architectures": ["XForCausalLM"],
        "text_config": {"max_position_embeddings": 32768, "dtype": "float16", "vocab_size": 9},
    }
    card = "---\nlanguage:\n- en\n- no\nlicense: mit\n---\n# X"
    facts = model_facts(folder(tmp_path / "x", config, f"{NO_SYSTEM}{{# enable_thinking </think> #}}", card))
    assert (facts.context, facts.dtype, facts.vocabulary) == (32768, "float16", 9)
    assert facts.system_role is False
    assert facts.languages == ("en", "no")
    assert facts.thinking == "off or on, by the template's enable_thinking"
    line = describe(str(tmp_path / "x"))
    assert "takes no system messages" in line
    assert "made for en no" in line
    assert "\n" not in line


def test_a_base_model_takes_completions_only(tmp_path: Path) -> None:
    base = folder(tmp_path / "base", {})
    assert not model_facts(base).found  # an empty config says nothing
    base = folder(tmp_path / "real", {"architectures": ["Y"]})
    assert "no chat template: completions only" in describe(base)


def test_files_cannot_control_the_terminal(tmp_path: Path) -> None:
    hostile = folder(
        tmp_path / "x", {"architectures": ["Y\x1b[2J\nDone"]}, card='---\nlanguage: ["\\e]0;"]\n---\n'
    )
    assert "\x1b" not in describe(hostile)
    assert "\n" not in describe(hostile)


def test_a_model_that_is_not_here_is_known_by_name() -> None:
    assert describe("Qwen/QwQ-32B") == "Qwen/QwQ-32B: not on this machine yet; thinking: always"


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "{", "[1]", '"x"', '{"architectures": 3, "vocab_size": "9"}']
)
def test_damaged_files_are_no_facts(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    (tmp_path / "README.md").write_text("---\nlanguage: {a: [\n---\n")
    facts = model_facts(str(tmp_path))
    assert (facts.architecture, facts.vocabulary, facts.languages) == ("", None, ())
