"""Families of thinking models: recognized by name and by chat template; thoughts taken from replies."""

import pytest

from glotmill.generators._shared.thinking import (
    Family,
    Thoughts,
    family_of,
    is_opened,
    split,
    template_arguments,
    with_switch,
)

QWEN3_TEMPLATE = """{%- for message in messages %}
{{- message.role + message.content.split('</think>')[-1] }}
{%- endfor %}{%- if add_generation_prompt %}{{- 'assistant\\n' }}
{%- if enable_thinking is defined and enable_thinking is false %}
{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}
{%- endif %}"""
R1_TEMPLATE = (
    "{{ messages[0].content }}{% if add_generation_prompt %}{{'<｜Assistant｜><think>\\n'}}{% endif %}"
)
PLAIN_TEMPLATE = "{% for m in messages %}{{ m.role }}: {{ m.content }}{% endfor %}"


def family(model: str) -> Family:
    found = family_of(model)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("Qwen/Qwen3-8B", "qwen3"),
        ("/models/qwen3.5-9b", "qwen3"),
        ("Qwen/Qwen3-4B-Thinking-2507", "qwen3-thinking"),
        ("Qwen/QwQ-32B", "qwq"),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "deepseek-r1"),
        ("deepseek-ai/DeepSeek-V3.1", "deepseek-v3"),
        ("zai-org/GLM-4.6", "glm"),
        ("mistralai/Magistral-Small-2509", "magistral"),
        ("ibm-granite/granite-3.3-8b-instruct", "granite"),
        ("moonshotai/Kimi-K2-Thinking", "kimi-k2-thinking"),
        ("MiniMaxAI/MiniMax-M2", "minimax-m2"),
        ("ByteDance-Seed/Seed-OSS-36B-Instruct", "seed-oss"),
        ("tencent/Hunyuan-A13B-Instruct", "hunyuan-a13b"),
        ("baidu/ERNIE-4.5-21B-A3B-Thinking", "ernie-thinking"),
        ("openai/gpt-oss-20b", "gpt-oss"),
        ("google/gemma-4-31B-it", "gemma4"),
        ("allenai/Olmo-3-7B-Think", "olmo3-think"),
        ("nvidia/NVIDIA-Nemotron-Nano-9B-v2", "nemotron-switch"),
        ("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", "nemotron3"),
        ("HuggingFaceTB/SmolLM3-3B", "smollm3"),
        ("microsoft/Phi-4-reasoning-plus", "phi4-reasoning"),
        ("swiss-ai/Apertus-8B-Instruct-2509", "apertus"),
        ("CohereLabs/command-a-reasoning-08-2025", "cohere-reasoning"),
    ],
)
def test_a_model_is_recognized_by_its_name(model: str, name: str) -> None:
    assert family(model).name == name


@pytest.mark.parametrize(
    "model",
    [
        "Qwen/Qwen2.5-7B-Instruct",
        "Qwen/Qwen3-4B-Instruct-2507",
        "google/gemma-3-27b-it",
        "meta-llama/Llama-3.3-70B-Instruct",
        "deepseek-ai/DeepSeek-V3",
        "microsoft/phi-4",
        "glotmill-nano",
    ],
)
def test_a_model_that_does_not_think_has_no_family(model: str) -> None:
    assert family_of(model) is None


def test_a_fine_tune_is_recognized_by_its_chat_template() -> None:
    found = family_of("someone/my-tune", QWEN3_TEMPLATE)
    assert found is not None
    assert template_arguments(found, 0) == {"enable_thinking": False}
    assert template_arguments(found, -1) == {"enable_thinking": True}


def test_a_template_that_always_opens_thoughts_is_recognized() -> None:
    found = family_of("someone/my-distill", R1_TEMPLATE)
    assert found is not None
    assert found.always
    assert template_arguments(found, 0) == {}


def test_a_template_without_thoughts_outweighs_the_name() -> None:
    assert family_of("Qwen/Qwen3-8B-tuned-for-chat", PLAIN_TEMPLATE) is None


def test_every_parser_is_one_that_vllm_knows() -> None:
    from vllm.reasoning import ReasoningParserManager

    from glotmill.generators._shared import thinking_families as table

    parsers = {f.parser for f in (*table.FAMILIES, *table.BY_TEMPLATE, table.ALWAYS)} - {""}
    assert parsers <= set(ReasoningParserManager.lazy_parsers)


def test_a_budget_goes_to_templates_that_take_one() -> None:
    seed = family("ByteDance-Seed/Seed-OSS-36B-Instruct")
    assert template_arguments(seed, 512) == {"thinking_budget": 512}
    assert template_arguments(seed, 0) == {"thinking_budget": 0}
    assert template_arguments(seed, -1) == {}
    assert template_arguments(family("Qwen/Qwen3-8B"), 512) == {"enable_thinking": True}
    assert template_arguments(None, 512) == {}


def test_a_switch_in_the_system_message_is_added_to_it() -> None:
    nemotron = family("nvidia/NVIDIA-Nemotron-Nano-9B-v2")
    chat = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello"}]
    assert with_switch(chat, nemotron, 0)[0]["content"] == "Be kind.\n/no_think"
    assert with_switch(chat[1:], nemotron, -1)[0] == {"role": "system", "content": "/think"}
    assert with_switch(chat, family("Qwen/Qwen3-8B"), 0) == chat


THINK = family("Qwen/Qwen3-8B")


@pytest.mark.parametrize(
    ("text", "opened", "expected"),
    [
        ("<think>\nHm.\n</think>\n\nYes.", False, Thoughts("Hm.", "Yes.")),
        ("\n<think>Hm.</think>Yes.", False, Thoughts("Hm.", "Yes.")),
        ("Hm.\n</think>\n\nYes.", True, Thoughts("Hm.", "Yes.")),
        ("Hm.\n</think>\n\nYes.", False, Thoughts("Hm.", "Yes.")),  # a server's template opened them
        ("<think>Hm.</think>Yes.", True, Thoughts("Hm.", "Yes.")),  # opened twice
        ("<think>\n\n</think>\n\nYes.", False, Thoughts("", "Yes.")),
        ("<think></think><think>Hm.</think>Yes.", False, Thoughts("Hm.", "Yes.")),
        ("<think>Hm, and", False, Thoughts("Hm, and", "", finished=False)),
        ("Hm, and", True, Thoughts("Hm, and", "", finished=False)),
        ("", True, Thoughts("", "", finished=False)),
        ("Yes. ", False, Thoughts("", "Yes. ")),
        (" and so on", False, Thoughts("", " and so on")),  # goes on from a prefill
        # mentions
        (
            "<think>I close with `</think>`, then.</think>Yes.",
            False,
            Thoughts("I close with `</think>`, then.", "Yes."),
        ),
        (
            "<think>What does <think> mean?</think>It opens.",
            False,
            Thoughts("What does <think> mean?", "It opens."),
        ),
        ("<think>Now </think> comes.\n</think>Yes.", False, Thoughts("Now\n\ncomes.", "Yes.")),
        ("<think>Hm.</think>Write <think>a</think>.", False, Thoughts("Hm.", "Write <think>a</think>.")),
        ("<think>Hm.</think>The tag `</think>` ends.", False, Thoughts("Hm.", "The tag `</think>` ends.")),
        ("The tag `</think>` ends them.", False, Thoughts("", "The tag `</think>` ends them.")),
        ('<think>I say "yes"</think>"Yes"', False, Thoughts('I say "yes"', '"Yes"')),
        (
            "<think>in <answer> tags</think><answer>42</answer>",
            False,
            Thoughts("in <answer> tags", "<answer>42</answer>"),
        ),
    ],
)
def test_thoughts_are_split_from_the_text(text: str, opened: bool, expected: Thoughts) -> None:
    assert split(text, THINK, opened) == expected
    assert split(text, None, opened) == expected


@pytest.mark.parametrize(
    ("model", "text", "expected"),
    [
        ("mistralai/Magistral-Small-2509", "[THINK]Hm.[/THINK]Yes.", Thoughts("Hm.", "Yes.")),
        ("Seed-OSS-36B-Instruct", "<seed:think>Hm.</seed:think>Yes.", Thoughts("Hm.", "Yes.")),
        ("gemma-4-31B-it", "<|channel>thought\nHm.<channel|>Yes.", Thoughts("Hm.", "Yes.")),
        ("gemma-4-31B-it", "<|channel>thought\n<channel|>Yes.", Thoughts("", "Yes.")),
        ("Apertus-8B-Instruct", "<|inner_prefix|>Hm.<|inner_suffix|>Yes.", Thoughts("Hm.", "Yes.")),
        (
            "command-a-reasoning-08-2025",
            "<|START_THINKING|>Hm.<|END_THINKING|><|START_RESPONSE|>Yes.<|END_RESPONSE|>",
            Thoughts("Hm.", "Yes."),
        ),
        (
            "granite-3.2-8b-instruct",
            "Here's my thought process: Hm.\nHere is my response:\nYes.",
            Thoughts("Hm.", "Yes."),
        ),
        ("granite-3.3-8b", "<think>Hm.</think><response>Yes.</response>", Thoughts("Hm.", "Yes.")),
        (
            "Hunyuan-A13B-Instruct",
            "<think>\nHm.\n</think>\n<answer>\nYes.\n</answer>",
            Thoughts("Hm.", "Yes."),
        ),
        ("Hunyuan-A13B-Instruct", "<think>\nHm.\n</think>\n<answer>\nYe", Thoughts("Hm.", "Ye")),
        (
            "Kimi-K3",
            "<|open|>think<|sep|>Hm.<|close|>think<|sep|><|open|>response<|sep|>Yes.<|close|>response<|sep|>",
            Thoughts("Hm.", "Yes."),
        ),
        (
            "gpt-oss-20b",
            "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Yes.<|return|>",
            Thoughts("Hm.", "Yes."),
        ),
        ("gpt-oss-20b", "<|channel|>final <|constrain|>json<|message|>{}<|return|>", Thoughts("", "{}")),
        ("gpt-oss-20b", "<|channel|>analysis<|message|>Hm", Thoughts("Hm", "", finished=False)),
        ("gpt-oss-20b", "analysisHm.assistantfinalYes.", Thoughts("Hm.", "Yes.")),
    ],
)
def test_each_family_has_its_own_tags(model: str, text: str, expected: Thoughts) -> None:
    assert split(text, family(model)) == expected


def test_a_prompt_that_ends_in_an_opening_tag_is_known() -> None:
    assert is_opened("<｜Assistant｜><think>\n", None)
    assert is_opened("assistant\n<think>\n", THINK)
    assert not is_opened("assistant\n<think>\n\n</think>\n\n", THINK)
    assert not is_opened("assistant\n", THINK)


@pytest.mark.parametrize(
    ("model", "unit"),
    [
        ("Qwen/Qwen3-8B", "<think></think>"),
        ("Qwen/Qwen3-8B", "<think>"),
        ("Qwen/Qwen3-8B", "</think> x"),
        ("Qwen/Qwen3-8B", "`</think>`"),
        ("Qwen/Qwen3-8B", "x <think> y "),
        ("gpt-oss-20b", "<|channel|>analysis<|message|>"),
        ("gpt-oss-20b", "<|channel|>a"),
        ("gpt-oss-20b", "<|channel|>"),
    ],
)
def test_a_long_hostile_text_is_split(model: str, unit: str) -> None:
    # In time that grows with the square of the length, these would take hours.
    thoughts = split(unit * 200_000, family(model))
    assert len(thoughts.reasoning) + len(thoughts.text) <= 2 * len(unit) * 200_000
