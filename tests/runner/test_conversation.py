"""Turns of the assistant in templates, conversations that go on, and texts without a chat."""

from pathlib import Path
from typing import Any

import pytest
from spy import State, write

import glotmill
from glotmill.errors import RecipeError
from glotmill.messages import COMPLETION, Reply

RECIPE = """
about: A conversation.
languages: [swh_Latn]
seeds: {draw: {word: [moon, rain, bread, tree, road, lamp]}}
steps: [STEPS]
output: {columns: [answer]}
"""
FEW_SHOT = """\
{% block system %}Be brief.{% endblock %}
{% block user_1 %}sun{% endblock %}
{% block assistant_1 %}A star.{% endblock %}
{% block user %}{{ word }}{% endblock %}
{% block assistant %}A thing{% endblock %}
"""


def run(folder: Path, steps: str, **templates: str) -> glotmill.Run:
    recipe = write(folder, RECIPE.replace("STEPS", steps), **templates)
    return glotmill.run(recipe, engine="spy:spy", model="m", folder=folder / "run", per_language=2)


def turns(request: Any) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in request.messages]


def test_turns_come_in_the_order_of_their_blocks_and_the_last_begins_the_reply(
    tmp_path: Path, spy: State
) -> None:
    spy.answer(lambda request: " that shines.")
    made = run(tmp_path, "{generate: answer}", answer=FEW_SHOT)
    first = next(r for r in spy.asked if ("user", "moon") in turns(r))
    assert turns(first) == [
        ("system", "Be brief."),
        ("user", "sun"),
        ("assistant", "A star."),
        ("user", "moon"),
        ("assistant", "A thing"),
    ]
    rows = made.rows().collect()
    assert set(rows["answer"]) == {"A thing that shines."}
    assert {"moon", "bread"} <= set(rows["answer_prompt"])


def test_a_step_goes_on_in_the_conversation_of_another(tmp_path: Path, spy: State) -> None:
    spy.answer(lambda request: f"{len(request.messages)} messages")
    steps = "{generate: first}, {generate: answer, after: first}, {generate: last, after: answer}"
    made = run(
        tmp_path,
        steps,
        first="{% block system %}Be brief.{% endblock %}{% block user %}{{ word }}{% endblock %}"
        "{% block assistant %}So: {% endblock %}",
        answer="And then?",
        last="{{ answer }}?",
    )
    conversation = max((turns(r) for r in spy.asked if ("user", "moon") in turns(r)), key=len)
    assert conversation == [
        ("system", "Be brief."),
        ("user", "moon"),
        ("assistant", "So: 3 messages"),
        ("user", "And then?"),
        ("assistant", "4 messages"),
        ("user", "4 messages?"),
    ]
    row = made.rows().collect().row(0, named=True)
    assert row["answer_messages"][-1] == {"role": "assistant", "content": "4 messages"}
    assert "last_messages" not in row


def test_a_conversation_goes_on_from_the_reply_as_it_was_parsed(tmp_path: Path, spy: State) -> None:
    spy.answer(lambda request: "\n\u201cThe moon is far away.\u201d\n")
    run(
        tmp_path,
        "{generate: first}, {generate: answer, after: first}",
        first="{{ word }}",
        answer="And then?",
    )
    said = {turns(r)[1] for r in spy.asked if len(r.messages) == 3}
    assert said == {("assistant", "The moon is far away.")}


def test_a_completion_is_the_text_of_the_template(tmp_path: Path, spy: State) -> None:
    run(tmp_path, "{generate: answer, completion: true, stop: ['Q:']}", answer="Q: {{ word }}\nA:")
    assert {r.task for r in spy.asked} == {COMPLETION}
    assert ("user", "Q: moon\nA:") in [turn for r in spy.asked for turn in turns(r)]


@pytest.mark.parametrize(
    ("steps", "answer", "message"),
    [
        ("{generate: answer, after: nothing}", "x", "no generate step 'nothing' above this one"),
        ("{generate: answer, after: answer}", "x", "no generate step 'answer' above this one"),
        ("{generate: first, trials: 2}, {generate: answer, after: first}", "x", "no single reply"),
        (
            "{generate: first}, {generate: answer, after: first}",
            "{% block system %}x{% endblock %}{% block user %}x{% endblock %}",
            "has its system message already",
        ),
        ("{generate: answer, completion: true}", FEW_SHOT, "without blocks of chat roles"),
        ("{generate: answer, completion: true, thinking: keep}", "x", "goes without a chat"),
        ("{generate: answer}", "{% block assistant %}x{% endblock %}", "a block assistant but no user block"),
        ("{generate: answer}", "{% block user_x %}x{% endblock %}", "but neither system nor user"),
    ],
)
def test_what_does_not_fit_a_conversation_is_refused(
    tmp_path: Path, spy: State, steps: str, answer: str, message: str
) -> None:
    with pytest.raises(RecipeError) as error:
        run(tmp_path, steps, first="{{ word }}", answer=answer)
    assert message in str(error.value)


def test_the_system_message_is_in_the_output_if_the_recipe_says_so(tmp_path: Path, spy: State) -> None:
    text = RECIPE.replace("STEPS", "{generate: answer}")
    text = text.replace(
        "{columns: [answer]}", "{messages: {system: answer_system, user: answer_prompt, assistant: answer}}"
    )
    recipe = write(tmp_path, text, answer=FEW_SHOT)
    made = glotmill.run(recipe, engine="spy:spy", model="m", folder=tmp_path / "run", per_language=2)
    chat = made.frame()["messages"][0].to_list()
    assert chat[0] == {"role": "system", "content": "Be brief."}
    assert "answer_system" not in run(tmp_path / "other", "{generate: answer}", answer=FEW_SHOT).frame()


def test_what_fills_the_beginning_of_a_reply_is_not_part_of_the_conversation_twice(
    tmp_path: Path, spy: State
) -> None:
    spy.answer(lambda request: Reply("", "stop"))
    run_rows = run(tmp_path, "{generate: answer}", answer=FEW_SHOT).rows().collect()
    assert set(run_rows["answer"]) == {"A thing"}
