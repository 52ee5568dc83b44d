"""Text in Markdown does nothing."""

import pytest
from carded import HOSTILE
from markdown_it import MarkdownIt

from glotmill.hub.card.markdown import cell, code, escaped, fence, tags

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")
NASTY = [
    HOSTILE,
    *(
        "# x",
        "- x",
        "+ x",
        "* x",
        "> x",
        "1. x",
        "12) x",
        "---",
        "===",
        "***",
        "```",
        "~~~",
        "[ ] x",
        "| a | b |",
    ),
    *(
        "<b>x</b>",
        "&lt;",
        "a_b_c _d_ __e__",
        "**x**",
        "~~x~~",
        "`x`",
        "``",
        "\\",
        "\\`x\\`",
        "![i](u)",
        "[x]: u",
    ),
    *(
        "<!-- x -->",
        "a\\|b",
        "a\\\\|b",
        "|",
        "\\|\\",
        "x\n\n# y",
        "$$x$$",
        "0.5",
        "x |",
        "#",
        "1.",
        "&amp;copy;",
    ),
]


@pytest.mark.parametrize("text", NASTY)
def test_escaped(text: str) -> None:
    for before in ("", "- ", "- **Recipe**: ", "> "):
        inner = [t for t in MARKDOWN.parse(before + escaped(text)) if t.type == "inline"]
        assert len(inner) == 1
        kinds = {child.type for child in inner[0].children or ()}
        assert kinds <= {"text", "text_special", "strong_open", "strong_close", "html_inline"} - {
            "html_inline"
        }


@pytest.mark.parametrize("text", NASTY)
def test_a_cell_is_one_cell(text: str) -> None:
    lines = ["| a | b |", "|---|---|", f"| {cell(text)} | {escaped(text)} |"]
    tokens = MARKDOWN.parse("\n".join(lines))
    assert sum(token.type == "td_open" for token in tokens) == 2
    first = next(t for n, t in enumerate(tokens) if tokens[n - 1].type == "td_open")
    assert [child.type for child in first.children or ()] == ["code_inline"]


def test_code_and_lists_of_languages() -> None:
    assert fence("`````\n```") == "``````text\n`````\n```\n``````"
    assert fence("ls", "sh") == "```sh\nls\n```"
    assert code("a`b``") == "``` a`b`` ```"
    assert code("") == "` `"
    assert cell("a|b") == "`a\\|b`"
    assert cell("a\\\\|b") == "`a\\|b`"
    assert escaped("0.5") == "0.5"
    assert tags(["eng_Latn", "fra_Latn"], 2) == "all"
    assert tags(["eng_Latn", "fra_Latn"], 3) == "`eng_Latn`, `fra_Latn`"
