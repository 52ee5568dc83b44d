"""Templates: what they say, what is refused, and what hostile ones cannot do."""

import time
from pathlib import Path
from typing import Any

import pytest

from glotmill.errors import RecipeError, RequestFailed
from glotmill.languages import find
from glotmill.messages import Message
from glotmill.recipes import template

SWAHILI, ARABIC = find("sw"), find("arb")


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        path = folder / (name.replace("__", ".") + ".j2")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
    return folder


def say(folder: Path, text: str, **values: Any) -> tuple[Message, ...]:
    return template.load(write(folder, t=text), "t", SWAHILI).render({"language": SWAHILI, **values})


def user(folder: Path, text: str, **values: Any) -> str:
    return say(folder, text, **values)[-1].content


def test_blocks_are_roles(tmp_path: Path) -> None:
    text = "{% block system %}Be {{ mood }}.{% endblock %}\n{% block user %}Say {{ word }}.{% endblock %}\n"
    assert say(tmp_path, text, mood="kind", word="hi") == (
        Message("system", "Be kind."),
        Message("user", "Say hi."),
    )


def test_without_blocks_all_is_the_users(tmp_path: Path) -> None:
    assert say(tmp_path, "Say {{ word }}.\n", word="hi") == (Message("user", "Say hi.\n"),)


def test_an_empty_system_message_is_left_out(tmp_path: Path) -> None:
    text = "{% block system %}{% if mood %}Be {{ mood }}.{% endif %}\n{% endblock %}"
    text += "{% block user %}x{% endblock %}"
    assert say(tmp_path, text, mood=None) == (Message("user", "x"),)


def test_turns_of_an_example_that_is_not_there_are_left_out(tmp_path: Path) -> None:
    shown = "{% for example in examples[:1] %}{{ example.KEY }}{% endfor %}"
    text = "{% block user %}" + shown.replace("KEY", "asked") + "{% endblock %}"
    text += "{% block assistant %}" + shown.replace("KEY", "said") + "{% endblock %}"
    text += "{% block user_2 %}x{% endblock %}"
    assert say(tmp_path, text, examples=[]) == (Message("user", "x"),)
    assert say(tmp_path, text, examples=[{"asked": "a", "said": "b"}]) == (
        Message("user", "a"),
        Message("assistant", "b"),
        Message("user", "x"),
    )


@pytest.mark.parametrize(
    "text",
    [
        " ",
        "{% block user %}\n{% endblock %}",
        "{{ word }}",
        "{% block user %}a{% endblock %}{% block user_2 %} {% endblock %}",
    ],
)
def test_a_prompt_that_says_nothing_fails(tmp_path: Path, text: str) -> None:
    with pytest.raises(RequestFailed) as failed:
        say(tmp_path, text, word=" ")
    assert failed.value.reason == "empty_prompt"


@pytest.mark.parametrize(
    "text",
    ["a\u00a0b", "\u3000漢字\u3000", "blanks  \n\n", "\ttab", "x\u200bz\u202e", "e\u0301 é", "🙂", "a\r"],
)
def test_every_byte_of_a_template_and_a_value_is_kept(tmp_path: Path, text: str) -> None:
    assert user(tmp_path, "{% block user %}" + text + "|{{ word }}{% endblock %}", word=text) == (
        text.replace("\r", "\n") + "|" + text
    )


@pytest.mark.parametrize(
    "text", ["{{ 7*7 }}", "{% include 'x' %}", "{# gone #}", "{% raw %}", "<b>&amp;", "{{ language }}"]
)
def test_seed_text_is_text(tmp_path: Path, text: str) -> None:
    assert user(tmp_path, "Say {{ word }}", word=text) == f"Say {text}"


def test_language_fields(tmp_path: Path) -> None:
    text = "{{ language }} {{ language.endonym }} {{ language.direction }} {{ language.tag }}"
    assert user(tmp_path, text) == "Swahili Kiswahili ltr swh_Latn"
    assert template.load(tmp_path, "t", ARABIC).render({"language": ARABIC})[0].content.split()[-2] == "rtl"


def test_an_unknown_field_of_the_language_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"t\.j2:2: a language has no 'endonim'; it has .*endonym"):
        say(tmp_path, "x\n{{ language.endonim }}")


def test_the_nearest_file_says_it(tmp_path: Path) -> None:
    write(tmp_path, t="base", t__swh="code", t__swh_Latn="tag", t__fra="fr")
    said = {tag: template.load(tmp_path, "t", find(tag)).render({})[0].content for tag in ("sw", "fr", "de")}
    assert said == {"sw": "tag", "fr": "fr", "de": "base"}
    (tmp_path / "t.swh_Latn.j2").unlink()
    assert template.load(tmp_path, "t", SWAHILI).render({})[0].content == "code"
    assert [path.name for path in template.variants(tmp_path, "t")] == ["t.fra.j2", "t.swh.j2"]


def test_a_missing_template_says_what_there_is(tmp_path: Path) -> None:
    write(tmp_path, draft="x")
    with pytest.raises(
        RecipeError, match=r"no template answer\.j2; the folder has draft\.j2\. Write .*answer\.j2"
    ):
        template.load(tmp_path, "answer", SWAHILI)


def test_a_variant_extends_its_base(tmp_path: Path) -> None:
    base = "{% block system %}Be kind.{% endblock %}{% block user %}Say {{ word }}.{% endblock %}"
    write(
        tmp_path,
        t=base,
        t__swh='{% extends "t.j2" %}{% block user %}Sema {{ word }}. {{ super() }}{% endblock %}',
    )
    said = template.load(tmp_path, "t", SWAHILI).render({"word": "hi"})
    assert said == (Message("system", "Be kind."), Message("user", "Sema hi. Say hi."))


def test_what_an_overridden_block_reads_is_not_needed(tmp_path: Path) -> None:
    write(
        tmp_path,
        t="{% block system %}{{ mood }}{% endblock %}{% block user %}{{ word }}{% endblock %}",
        u='{% extends "t.j2" %}{% block user %}{{ other }}{% endblock %}',
        v='{% extends "t.j2" %}{% block user %}{{ super() }}{% endblock %}',
        w='{% extends "u.j2" %}{% block user %}{{ super() }}{% endblock %}',
    )
    read = {name: template.load(tmp_path, name, SWAHILI).variables for name in "tuvw"}
    assert read == {
        "t": {"mood", "word"},
        "u": {"mood", "other"},
        "v": {"mood", "word"},
        "w": {"mood", "other"},
    }


def test_inner_blocks_and_plain_bases_can_be_filled(tmp_path: Path) -> None:
    write(
        tmp_path,
        t="{% block user %}Say {% block what %}a{% endblock %}.{% endblock %}",
        u='{% extends "t.j2" %}{% block what %}b{% endblock %}',
    )
    assert template.load(tmp_path, "u", SWAHILI).render({}) == (Message("user", "Say b."),)


def test_includes_imports_and_what_is_set_reach_blocks(tmp_path: Path) -> None:
    write(
        tmp_path,
        part="Part {{ word }}",
        tools="{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}",
        t='{% from "tools.j2" import twice %}{% set n = 3 %}'
        '{% block user %}{% include "part.j2" %} {{ twice("ab") }} {{ n }}{% endblock %}',
    )
    loaded = template.load(tmp_path, "t", SWAHILI)
    assert loaded.render({"word": "w"})[0].content == "Part w abab 3"
    assert loaded.variables == {"word"}


def test_digest_follows_every_file_that_is_drawn_on(tmp_path: Path) -> None:
    write(tmp_path, part="one", t='{% include "part.j2" %}', other="x")
    digest = template.load(tmp_path, "t", SWAHILI).digest
    write(tmp_path, other="y")
    assert template.load(tmp_path, "t", SWAHILI).digest == digest
    write(tmp_path, part="two")
    changed = template.load(tmp_path, "t", SWAHILI)
    assert changed.digest != digest
    assert changed.render({})[0].content == "two", "an edited file is read again in the same process"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{% block user %}x", r"t\.j2:1: .*[Ee]ndblock|t\.j2:1: Unexpected end"),
        ("{{ x | nosuch }}", r"t\.j2:1: No filter named 'nosuch'"),
        ("lost {% block user %}x{% endblock %}", "would be lost"),
        ("{{ lost }}{% block user %}x{% endblock %}", "would be lost"),
        ("{% if x %}{% block user %}x{% endblock %}{% endif %}", "would be lost"),
        ("{% block sytem %}y{% endblock %}{% block user %}x{% endblock %}", "would be lost"),
        ("{% block sytem %}y{% endblock %}", "neither system nor user"),
        ("{% block system %}y{% endblock %}", "no user block"),
        ('{% extends "t.j2" %}', "extends itself"),
        ("{% extends name %}{% block user %}x{% endblock %}", "computed"),
        ('{% include "a" ~ "b" %}', "computed"),
        ('{% include "../out.j2" %}', "may use only their own folder"),
        ('{% include "/etc/passwd" %}', "may use only their own folder"),
        ('{% include "link.j2" %}', "may use only their own folder"),
        ('{% import "nothere.j2" as n %}', "may use only their own folder"),
    ],
)
def test_wrong_templates_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "out.j2").write_text("outside")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "link.j2").symlink_to(tmp_path / "out.j2")
    with pytest.raises(RecipeError, match=message):
        say(folder, text)


def test_a_template_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.j2").write_bytes(b"caf\xe9")
    with pytest.raises(RecipeError, match="not UTF-8 at byte 3"):
        template.load(tmp_path, "t", SWAHILI)
    (tmp_path / "t.j2").write_bytes(b"x" * 1_000_001)
    with pytest.raises(RecipeError, match="over 1,000,000 bytes"):
        template.load(tmp_path, "t", SWAHILI)


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__ }}",
        "{{ language.__class__.__mro__ }}",
        "{{ word.__init__.__globals__ }}",
        "{{ items.append(1) }}",
        "{{ 'a' * 1000000000 }}",
        "{{ 9**9**9 }}",
        "{{ [1] * 1000000000 }}",
        "{% for i in range(1000000000) %}{% endfor %}",
        "{{ '%1000000000d' % 5 }}",
        "{{ '%*d' % (1000000000, 5) }}",
        "{{ '%1000000000d' | format(5) }}",
        "{{ '{:1000000000}'.format(5) }}",
        "{{ 'a'.ljust(1000000000) }}",
        "{{ 'a' | indent(1000000000, true) }}",
        "{{ items | batch(1000000000, 0) | list }}",
        "{{ 'a' | center(1000000000) }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% for i in range(9999) %}{% for j in range(9999) %}xxxxxxxxxx{% endfor %}{% endfor %}",
        "{{ nosuch }}",
        "{{ word.nosuch }}",
        "{{ none }}",
        "{{ 1 / 0 }}",
        "{{ word + 1 }}",
        "{{ items[9] }}",
    ],
)
def test_a_hostile_or_broken_template_fails_the_row_at_once(tmp_path: Path, text: str) -> None:
    began = time.monotonic()
    try:
        said = user(tmp_path, text, word="w", items=[1], none=None)
    except (RequestFailed, RecipeError):
        said = ""
    assert said == ""
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("text", ["{{ '{:9}'.format(5) }}", "{{ ('{:9}' | attr('format'))(5) }}"])
def test_str_format_which_pads_to_any_width_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(RequestFailed) as failed:
        user(tmp_path, text)
    assert failed.value.reason == "template_error"


def test_ordinary_computation_works(tmp_path: Path) -> None:
    text = (
        "{{ 2 * 3 + 1 }} {{ '%.1f' % x }} {{ '%03d' | format(7) }} {{ word + '!' }} {{ items | join(', ') }}"
    )
    text += " {{ 7 % 4 }}"
    assert user(tmp_path, text, x=1.25, word="hi", items=[1, 2]) == "7 1.2 007 hi! 1, 2 3"
