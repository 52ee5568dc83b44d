"""What a prompt may take: a second and 64 MB, whatever its template says."""

import os
import resource
import signal
from pathlib import Path
from typing import Any

import pytest

from glotmill.errors import RequestFailed
from glotmill.languages import find
from glotmill.prompts import __file__ as prompts_file
from glotmill.recipes import render_process, template
from glotmill.recipes.render_process import RemoteTemplate

SWAHILI = find("sw")
DOUBLED = "{% set ns = namespace(s='aaaaaaaaaa') %}{% for i in range(40) %}{% set ns.s = STEP %}{% endfor %}"
BOMBS = {
    "joined": DOUBLED.replace("STEP", "ns.s ~ ns.s"),
    "list joined": DOUBLED.replace("STEP", "[ns.s, ns.s]|join"),
    "str.join": DOUBLED.replace("STEP", "''.join([ns.s, ns.s])"),
    "replaced": DOUBLED.replace("STEP", "ns.s|replace('a', 'aa')"),
    "str.replace": DOUBLED.replace("STEP", "ns.s.replace('a', 'aa')"),
    "str.translate": DOUBLED.replace("STEP", "ns.s.translate({97: 'aa'})"),
    "block": DOUBLED.replace("{% set ns.s = STEP %}", "{% set ns.s %}{{ ns.s }}{{ ns.s }}{% endset %}"),
    "macro": "{% macro m(s, n) %}{% if n %}{{ m(s ~ s, n - 1) }}{% endif %}{% endmacro %}{{ m('aaa', 60) }}",
    "escaped": DOUBLED.replace("STEP", "ns.s|tojson|tojson"),
    "nested lists": DOUBLED.replace("STEP", "[ns.s, ns.s]") + "{{ ns.s }}",
    "nested lists compared": "{% set n = namespace(a=[1], b=[1]) %}{% for i in range(60) %}"
    "{% set n.a = [n.a, n.a] %}{% set n.b = [n.b, n.b] %}{% endfor %}{{ n.a == n.b }}",
    "nested tuples as a key": "{% set n = namespace(a=(1,)) %}{% for i in range(60) %}"
    "{% set n.a = (n.a, n.a) %}{% endfor %}{{ {n.a: 1} }}",
    "numbers": "{% set n = namespace(i=10) %}{% for i in range(60) %}{% set n.i = n.i * n.i %}{% endfor %}x",
    "bytes.ljust": "{{ 'a'.encode().ljust(9999999999) }}",
    "bytes.center": "{{ 'a'.encode().center(9999999999) }}",
    "bytes.zfill": "{{ 'a'.encode().zfill(9999999999) }}",
    "bytes.expandtabs": "{{ '\t'.encode().expandtabs(999999999) }}",
    "int.to_bytes": "{{ (1).to_bytes(9999999999, 'big') }}",
    "format": "{{ '{:>9999999999}'.format('a') }}",
    "format filter": "{{ '%(a)9999999999d'|format(a=1) }}",
    "wordwrap": "{{ ('a ' ~ topic)|wordwrap(1, wrapstring=topic) }}",
    "indented json": "{{ [[[1]]]|tojson(indent=999999999) }}",
    "constants": "{{ 'aaaaaaaaaa'" + "|replace('a', 'aaaaaaaaaa')" * 12 + " }}",
    "loops": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}x",
    "loops over values": "{% for a in many %}{% for b in many %}{% endfor %}{% endfor %}x",
    "loop over letters": "{% for a in topic %}{{ (topic|upper)[:0] }}{{ (topic|title)[:0] }}{% endfor %}x",
    "json of a value": "{{ many|tojson(indent=999999999) }}",
    "rounded": "{{ 1|round(999999999, 'ceil') }}",
    "lines indented": "{{ many|join('\n')|indent(99)|indent(99)|indent(99) }}",
    "recursive loop": "{% for a in [1, 1] recursive %}{{ loop([1, 1]) }}{% endfor %}",
    "sums": "{{ [[1]] * 9 }}{{ range(99999)|map('string')|sum(start='') }}",
    "sorted": "{% for i in range(99999) %}{{ many|sort|unique|list|length }}{% endfor %}",
    "deep macro": "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
    "short truncation": "{{ topic|truncate(2) }}",
}
VALUES = {"language": SWAHILI, "topic": "a long topic " * 2_000, "many": [*range(20_000)]}


def load(folder: Path, text: str) -> template.Template:
    (folder / "t.j2").write_text(text)
    return template.load(folder, "t", SWAHILI)


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_fails_its_row(text: str, tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(RequestFailed) as caught:
        load(tmp_path, text).render(VALUES)
    assert caught.value.reason in ("template_error", "prompt_too_long")
    assert "\n" not in str(caught.value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB
    assert user(tmp_path, "{% set a = topic ~ '!' %}{{ a }}", topic="still alive") == "still alive!"


def test_what_repeats_itself_from_file_to_file_fails_its_row(tmp_path: Path) -> None:
    for number in range(40):
        include = f"{{% include 'p{number + 1}.j2' %}}{{{{ topic[:0] }}}}"
        (tmp_path / f"p{number}.j2").write_text(include * 2)
    (tmp_path / "p40.j2").write_text("x")
    for number in range(40):
        parent = f"{{% extends 'b{number + 1}.j2' %}}" if number < 39 else ""
        body = "{{ super() }}{{ super() }}" if number < 39 else "x"
        (tmp_path / f"b{number}.j2").write_text(f"{parent}{{% block user %}}{body}{{% endblock %}}")
    for text in ("{% include 'p0.j2' %}", "{% extends 'b0.j2' %}"):
        with pytest.raises(RequestFailed):
            load(tmp_path, text).render(VALUES)


def user(folder: Path, text: str, **values: Any) -> str:
    return load(folder, text).render({"language": SWAHILI, **values})[-1].content


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{% set a = topic ~ language.name %}{{ a }}", "rainSwahili"),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(topic) }}", "<rain>"),
        (
            "{% set n = 2 %}{% block system %}S{% endblock %}{% block user %}{{ topic * 1 }}{% endblock %}",
            None,
        ),
        (
            "{% block system %}{{ topic ~ 1 }}{% endblock %}{% block user %}{{ topic ~ 2 }}{% endblock %}",
            "rain2",
        ),
        ("{% for x in topic|list %}{{ loop.index }}{{ x }}{% endfor %}", "1r2a3i4n"),
    ],
)
def test_any_template_says_what_it_says(text: str, expected: str | None, tmp_path: Path) -> None:
    if expected is None:
        with pytest.raises(RequestFailed, match="may not compute str"):
            user(tmp_path, text, topic="rain")
    else:
        assert user(tmp_path, text, topic="rain") == expected


def test_parents_and_what_they_set_reach_the_blocks(tmp_path: Path) -> None:
    mark = "{% set mark = '!' ~ topic %}"
    base = mark + "{% block system %}S{{ mark }}{% endblock %}{% block user %}{% endblock %}"
    (tmp_path / "base.j2").write_text(base)
    text = "{% extends 'base.j2' %}" + mark + "{% block user %}{{ mark }}{{ super() }}{% endblock %}"
    messages = load(tmp_path, text).render({"language": SWAHILI, "topic": "rain"})
    assert [message.content for message in messages] == ["S!rain", "!rain"]


def test_errors_are_the_same_in_both_processes(tmp_path: Path) -> None:
    for text, message in [
        ("{{ nothing }}", "'nothing' is undefined"),
        ("{{ topic }}", "a value that the template prints is null"),
        ("{{ topic.x }}", "'None' has no attribute 'x'"),
        ("{{ language|join(',') }}", "not iterable"),
    ]:
        for cost in ("", "{% set dear = 1 ~ 1 %}"):
            with pytest.raises(RequestFailed, match=message) as caught:
                user(tmp_path, cost + text, topic=None)
            assert caught.value.reason == "template_error"


def test_what_is_drawn_by_chance_is_the_same_for_the_same_row(tmp_path: Path) -> None:
    text, many = "{{ many|random }} {{ many[1:]|random }}", [*range(1_000)]
    drawn = [user(tmp_path, text, many=many, id=f"row{number}") for number in range(20)]
    assert len({*drawn}) > 15
    render_process._processes().close()
    assert [user(tmp_path, text, many=many, id=f"row{number}") for number in range(20)] == drawn
    with pytest.raises(RequestFailed, match="an empty list"):
        user(tmp_path, text, many=[], id="row")


def test_json_is_written_in_the_letters_of_its_language(tmp_path: Path) -> None:
    value = {"b": "l'été <3", "a": "รถไฟ"}
    assert user(tmp_path, "{{ x|tojson }}", x=value) == '{"a": "รถไฟ", "b": "l\'été <3"}'
    assert user(tmp_path, "{{ x|tojson(indent=1) }}", x=["é"]) == '[\n "é"\n]'


def test_a_process_that_died_is_started_again(tmp_path: Path) -> None:
    text = "{% set a = topic ~ 1 %}{{ a }}"
    assert user(tmp_path, text, topic="rain") == "rain1"
    process = render_process._processes()._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with pytest.raises(RequestFailed):
        user(tmp_path, text, topic="rain")
    assert user(tmp_path, text, topic="snow") == "snow1"


def is_apart(path: Path) -> bool:
    return isinstance(template.load_file(path.parent, path.name)._compiled, RemoteTemplate)


def test_the_templates_of_glotmill_are_rendered_at_once() -> None:
    paths = sorted(Path(prompts_file).parent.glob("*/*.j2"))
    assert len(paths) > 5
    assert not [path for path in paths if is_apart(path)]


@pytest.mark.parametrize(
    ("text", "apart"),
    [
        ("{{ a }} {{ b.c }} {{ d[0] }} {{ e[:2]|join(', ') }}", False),
        ("{% for a in b %}{% if loop.last %}{{ a.strip()|replace('_', ' ') }}{% endif %}{% endfor %}", False),
        ("{{ a if b else c|default('x')|upper|trim }}", False),
        ("{{ a|tojson }}", False),
        ("{{ a|tojson|tojson }}", True),
        ("{{ a|replace('', 'xxxxxxxxxx') }}", True),
        ("{{ a|replace('x', b) }}", True),
        ("{{ a ~ b }}", True),
        ("{{ range(9)|join }}", True),
        ("{% for a in d %}{% for b in a %}{% for c in b %}{% endfor %}{% endfor %}{% endfor %}x", True),
        ("{% set a = b|upper %}{{ a }}", True),
        ("{{ a }}" * 600, True),
    ],
)
def test_only_what_can_cost_much_is_rendered_apart(text: str, apart: bool, tmp_path: Path) -> None:
    (tmp_path / "t.j2").write_text(text)
    assert is_apart(tmp_path / "t.j2") == apart


@pytest.mark.parametrize(
    "text",
    [
        "(" * 3_000 + "1" + ")" * 3_000,
        "{% if a %}" * 300 + "x" + "{% endif %}" * 300,
        "{% for a in b %}" * 40 + "x" + "{% endfor %}" * 40,
        "{{ a" + " + a" * 2_000 + " }}",
        "{{ " + "[" * 900 + "]" * 900 + " }}",
        "{{ " + "not " * 900 + "a }}",
    ],
)
def test_a_deep_template_is_refused_in_one_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "t.j2").write_text(text if text.startswith("{") else "{{ " + text + " }}")
    with pytest.raises(template.RecipeError, match="nested too deeply"):
        template.load(tmp_path, "t", SWAHILI)


def test_a_byte_order_mark_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "part.j2").write_bytes(b"\xef\xbb\xbf{{ topic }}")
    assert user(tmp_path, "\ufeffSay {% include 'part.j2' %}", topic="x") == "Say x"
    assert user(tmp_path, "\ufeff{% block system %}a{% endblock %}{% block user %}b{% endblock %}") == "b"
