"""A recipe of two steps that the echo engine can fill."""

from pathlib import Path

import pytest

RECIPE = """
about: A test.
languages: [eng_Latn, arb_Arab, swh_Latn, hin_Deva]
seeds: {draw: {word: [sun, moon, rain, bread, tree], number: [1, 2, 3, 4, 5, 6, 7, 8]}}
steps:
  - generate: question
  - filter: at_least
    of: number
    value: 3
  - generate: answer
finish: [{filter: duplicates, of: question}]
output: {messages: {user: question, assistant: answer}, columns: [word]}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    folder = tmp_path / "my recipe"
    folder.mkdir()
    (folder / "recipe.yaml").write_text(RECIPE)
    (folder / "question.j2").write_text(
        "{% block system %}Be short.{% endblock %}{% block user %}"
        "{{ word }} {{ number }} in {{ language.endonym }}?{% endblock %}"
    )
    (folder / "answer.j2").write_text("Answer: {{ question }}")
    return folder
