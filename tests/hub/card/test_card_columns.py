"""Where a column comes from."""

import pytest

from glotmill.hub.card.run_section import columns
from glotmill.recipes.read import read_recipe


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (
            "instruction",
            {"messages": "user is `instruction`, assistant is `answer`", "topic": "from the seeds"},
        ),
        (
            "dialogue",
            {
                "persona_a": "derived from `persona`",
                "speaker": "from the seeds, or made by `pair` or `sides`",
            },
        ),
        ("reasoning", {"view": "from the seeds, or made by `views`"}),
    ],
)
def test_origins(name: str, found: dict[str, str]) -> None:
    assert dict(columns(read_recipe(name))).items() >= found.items()


def test_a_column_of_the_model() -> None:
    recipe = read_recipe("instruction", ["output.columns=[answer,id,language]"])
    assert [name for name, _ in columns(recipe)] == ["messages", "answer"]
    assert dict(columns(recipe))["answer"] == "written by the model"
