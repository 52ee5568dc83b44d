"""Thoughts through real vLLM: the model that ships, with a chat template that asks it to think."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asking import Ask, chat, opened

from glotmill.generators.vllm import vllm

# vLLM's own: it uses what torch is about to remove.
pytestmark = pytest.mark.filterwarnings("ignore")

OPENING, CLOSING = 5118, 5119  # the tags, in place of the two last tokens
TEMPLATE = """{%- for m in messages -%}{{ '<|' + m.role + '|>' + m.content + '<|end|>' }}{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|assistant|><think>' }}
{%- if not enable_thinking -%}{{ '</think>' }}{%- endif -%}{%- endif -%}"""


def with_template(nano: Path, folder: Path, template: str) -> Path:
    shutil.copytree(nano, folder)
    (folder / "chat_template.jinja").write_text(template)
    return folder


def with_tags(folder: Path) -> Path:
    """Make the tags tokens, as they are in models that think."""
    path = folder / "tokenizer.json"
    plain = json.loads(path.read_text())
    plain["model"]["merges"] = plain["model"]["merges"][:-2]
    vocabulary = {word: n for word, n in plain["model"]["vocab"].items() if n < OPENING}
    plain["model"]["vocab"] = {**vocabulary, "<think>": OPENING, "</think>": CLOSING}
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), False)
    for number, tag in ((OPENING, "<think>"), (CLOSING, "</think>")):
        plain["added_tokens"].append({"id": number, "content": tag, **flags})
    path.write_text(json.dumps(plain))
    return folder


@pytest.fixture(scope="module")
def ask(nano: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """A model whose thinking can be switched, by its template alone: its name says nothing."""
    folder = with_tags(with_template(nano, tmp_path_factory.mktemp("switch") / "model", TEMPLATE))
    with opened(vllm(str(folder), max_num_seqs=16, max_model_len=256)) as ask:
        yield ask


def thinking(text: str, tokens: int, **given: Any) -> Any:
    return chat(text, thinking=tokens, **{"seed": 3, "min_tokens": 12, "temperature": 1.0, **given})


def test_thoughts_end_after_their_budget(ask: Ask) -> None:
    for budget, reply in zip((1, 5, 9), ask(*(thinking("Why?", n) for n in (1, 5, 9))), strict=True):
        assert reply.reasoning_tokens == budget
        assert reply.reasoning
        assert reply.text
        assert "think>" not in reply.reasoning + reply.text
        assert reply.completion_tokens > reply.reasoning_tokens


def test_without_thinking_there_is_only_the_text(ask: Ask) -> None:
    (reply,) = ask(thinking("Why?", 0))
    assert reply.text
    assert (reply.reasoning, reply.reasoning_tokens) == ("", 0)


def test_thoughts_that_the_template_was_told_of_against_the_step_end_at_once(ask: Ask) -> None:
    (reply,) = ask(thinking("Why?", 0, chat_template_kwargs='{"enable_thinking":true}'))
    assert reply.text
    assert (reply.reasoning, reply.reasoning_tokens) == ("", 0)


def test_thoughts_that_never_end_leave_no_text(ask: Ask) -> None:
    (reply,) = ask(thinking("Why?", -1, logit_bias={str(CLOSING): -100}))
    assert (reply.text, reply.finish_reason) == ("", "length")
    assert reply.reasoning
    assert reply.reasoning_tokens == reply.completion_tokens


def test_a_constraint_holds_from_the_end_of_the_thoughts_on(ask: Ask) -> None:
    first, plain = ask(
        thinking("Yes?", 5, choice=("yes", "no"), min_tokens=0),
        thinking("Yes?", 0, choice=("yes", "no"), min_tokens=0),
    )
    assert first.text in ("yes", "no")
    assert first.reasoning
    assert plain.text in ("yes", "no")
    assert not plain.reasoning


def test_thoughts_may_be_in_any_script(ask: Ask) -> None:
    given = {"allowed_scripts": ("Deva",), "temperature": 0.0, "min_tokens": 40, "max_tokens": 60}
    free, ruled = ask(thinking("Why?", 20, **given), thinking("Why?", 0, **given))
    latin = [any("a" <= letter <= "z" for letter in text) for text in (free.text, ruled.text)]
    assert latin == [False, False]
    assert any(letter.isalpha() and not "\u0900" <= letter <= "\u097f" for letter in free.reasoning)


def test_tags_that_the_model_writes_are_taken_out(ask: Ask) -> None:
    both, empty, late = ask(
        *(
            thinking("Why?", 0, min_tokens=0, regex=regex)
            for regex in (r"<think>hm</think>(ja|nein)", r"<think></think>ja", r"hm</think>ja")
        )
    )
    assert (both.reasoning, both.text in ("ja", "nein")) == ("hm", True)
    assert (empty.reasoning, empty.text, empty.reasoning_tokens) == ("", "ja", 0)
    assert (late.reasoning, late.text) == ("hm", "ja")


def test_without_a_parser_an_opening_tag_of_the_template_still_counts(nano: Path, tmp_path: Path) -> None:
    template = TEMPLATE.replace("not enable_thinking", "false")
    folder = with_template(nano, tmp_path / "always", template)
    with opened(vllm(str(folder), max_model_len=256, reasoning_parser="none")) as ask:
        request = thinking("Why?", -1, min_tokens=0, regex=r"[a-z]{2,5}</think>[a-z]{2,9}")
        (reply,) = ask(request)
    assert 2 <= len(reply.reasoning) <= 5
    assert 2 <= len(reply.text) <= 9
    assert reply.reasoning_tokens > 0


def test_the_parser_that_the_user_names_counts(nano: Path, tmp_path: Path) -> None:
    folder = with_tags(with_template(nano, tmp_path / "plain", (nano / "chat_template.jinja").read_text()))
    with opened(vllm(str(folder), max_model_len=256, reasoning_parser="deepseek_r1")) as ask:
        regexes = (r"<think>hm</think>ja", r"ja")
        tagged, plain = ask(*(thinking("Why?", 0, min_tokens=0, regex=regex) for regex in regexes))
    assert (tagged.reasoning, tagged.text) == ("hm", "ja")
    assert (plain.reasoning, plain.text) == ("", "ja")
