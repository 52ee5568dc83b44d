"""The families of models that think before they answer: how each is told to, and where its thoughts end.

The facts come from the models' own cards and chat templates; the names of parsers are those of vLLM 0.32.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Family:
    """How the models of a family think.

    models: a regular expression of their names, searched without regard to case.
    marks: texts that the chat template of every such model contains. A fine-tune keeps its template, not its
        name; a row without marks is found by name alone.
    opening, closing: the tags around the thoughts. `more_tags` are further pairs that some members use.
    argument: name of the chat template's argument that is false or true.
    off, on: other arguments of the template that say not to think, and to think.
    budget: name of its argument for a number of tokens of thinking.
    switch: texts that the template looks for in the system message, to say not to think, and to think.
    always: no argument keeps the models from thinking.
    answer: tags that some models put around the text that follows the thoughts.
    special: the tags are special tokens, which decoders leave out unless told otherwise: `split` needs a text
        that was decoded with them.
    parser: vLLM's reasoning parser; empty where it has none.
    """

    name: str
    models: str
    marks: tuple[str, ...] = ()
    opening: str = "<think>"
    closing: str = "</think>"
    more_tags: tuple[tuple[str, str], ...] = ()
    argument: str = ""
    off: Mapping[str, Any] = field(default_factory=dict)
    on: Mapping[str, Any] = field(default_factory=dict)
    budget: str = ""
    switch: tuple[str, str] | tuple[()] = ()
    always: bool = False
    answer: tuple[str, str] | tuple[()] = ()
    special: bool = False
    parser: str = ""

    def __hash__(self) -> int:
        return hash(self.name)


_NO_THINK = ("/no_think", "/think")
HARMONY = "gpt-oss"

# The first row that fits counts: special rows stand before general ones.
FAMILIES: tuple[Family, ...] = (
    Family(
        HARMONY,
        r"gpt-?oss",
        ("<|channel|>analysis", "<|start|>assistant"),
        opening="<|channel|>analysis<|message|>",
        closing="<|end|>",
        off={"reasoning_effort": "low"},
        always=True,
        special=True,
        parser="openai_gptoss",
    ),
    Family(
        "gemma4",
        r"gemma-?4",
        ("<|turn>", "<|think|>", "enable_thinking"),
        opening="<|channel>thought",
        closing="<channel|>",
        special=True,
        parser="gemma4",
        argument="enable_thinking",
    ),
    Family(
        "seed-oss",
        r"seed-?oss",
        ("<seed:think>", "thinking_budget"),
        opening="<seed:think>",
        closing="</seed:think>",
        off={"thinking_budget": 0},
        budget="thinking_budget",
        parser="seed_oss",
    ),
    Family(
        "kimi-k3",
        r"kimi-?k3",
        ("open_tag('think'", "thinking_effort"),
        opening="<|open|>think<|sep|>",
        closing="<|close|>think<|sep|>",
        answer=("<|open|>response<|sep|>", "<|close|>response<|sep|>"),
        special=True,
        parser="kimi_k3",
        argument="thinking",
    ),
    Family(
        "apertus",
        r"apertus",
        ("<|inner_prefix|>", "enable_thinking"),
        opening="<|inner_prefix|>",
        closing="<|inner_suffix|>",
        special=True,
        argument="enable_thinking",
    ),
    Family(
        "mistral-effort",  # reasoning_effort is `none` or `high`
        r"mistral-(small-4|medium-3\.5)",
        ("[THINK]", "reasoning_effort"),
        opening="[THINK]",
        closing="[/THINK]",
        off={"reasoning_effort": "none"},
        on={"reasoning_effort": "high"},
        special=True,
        parser="mistral",
    ),
    Family(
        "magistral",  # thinks because the system message asks it to: its template's own, or the user's
        r"magistral|ministral.*reasoning",
        ("[THINK]",),
        opening="[THINK]",
        closing="[/THINK]",
        more_tags=(("<think>", "</think>"),),
        always=True,
        special=True,
        parser="mistral",
    ),
    Family(
        "cohere-reasoning",
        r"command-a-(reasoning|plus)|command-r7b|north-mini",
        ("<|START_THINKING|>",),
        opening="<|START_THINKING|>",
        closing="<|END_THINKING|>",
        off={"reasoning": False},
        on={"reasoning": True},
        answer=("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
        special=True,
        parser="cohere_command3",
    ),
    Family(
        "minimax-m3",
        r"minimax-m3",
        ("<mm:think>", "thinking_mode"),
        opening="<mm:think>",
        closing="</mm:think>",
        off={"thinking_mode": "disabled"},
        on={"thinking_mode": "enabled"},
        parser="minimax_m3",
    ),
    Family(
        "plamo3",
        r"plamo-?3",
        ("<|plamo:begin_think:plamo|>",),
        opening="<|plamo:begin_think:plamo|>",
        closing="<|plamo:end_think:plamo|>",
        parser="plamo3",
        argument="enable_thinking",
    ),
    Family(
        "granite",  # 3.2 writes sentences, 3.3 tags
        r"granite-?3\.[2-9]",
        ("thought process", "thinking", "Granite"),
        more_tags=(
            ("Here is my thought process:", "Here is my response:"),
            ("Here's my thought process:", "Here's my response:"),
        ),
        answer=("<response>", "</response>"),
        parser="granite",
        argument="thinking",
    ),
    Family(
        "granite-thinking",
        r"granite-?([4-9]|\d\d).*think",
        parser="granite_thinking_parser",
        argument="enable_thinking",
    ),
    Family(
        "hunyuan-a13b",
        r"hunyuan-?(a13b|\d+(\.\d+)?b)",
        ("enable_thinking", "<answer>"),
        answer=("<answer>", "</answer>"),
        parser="hunyuan_a13b",
        argument="enable_thinking",
    ),
    Family(
        "ernie-thinking",
        r"ernie-?4\.5.*thinking",
        ("<response>", "<think>"),
        answer=("<response>", "</response>"),
        always=True,
        parser="ernie45",
    ),
    Family("ernie", r"ernie-?4\.5-vl", parser="ernie45", argument="enable_thinking"),
    Family("exaone-deep", r"exaone-?deep", ("<thought>",), "<thought>", "</thought>", always=True),
    Family("exaone", r"exaone-?[45]", parser="", argument="enable_thinking"),
    Family("qwen3-thinking", r"qwen3.*thinking", always=True, parser="qwen3"),
    Family("qwq", r"qwq", always=True, parser="deepseek_r1"),
    Family("deepseek-r1", r"deepseek.*r1|\br1-distill", always=True, parser="deepseek_r1"),
    Family("deepseek-v4", r"deepseek.*v4", parser="deepseek_v4", argument="thinking"),
    Family("deepseek-v3", r"deepseek.*v3[._-]?[1-9]", parser="deepseek_v3", argument="thinking"),
    Family("kimi-k2-thinking", r"kimi-?k2.*thinking", always=True, parser="kimi_k2"),
    Family("kimi-k2.5", r"kimi-?k2[.p][5-9]", parser="kimi_k2", argument="thinking"),
    Family("kimi-triangles", r"kimi-(vl.*thinking|dev)", ("◁think▷",), "◁think▷", "◁/think▷", always=True),
    Family("minimax-m2", r"minimax-m(1|2)", always=True, parser="minimax_m2"),
    Family("mimo", r"\bmimo\b", parser="mimo", argument="enable_thinking"),
    Family("step3", r"\bstep-?3\b(?![.p-]?5)", always=True, parser="step3"),
    Family("step3.5", r"\bstep-?3[.p-][5-9]", always=True, parser="step3p5"),
    Family("olmo3-think", r"olmo-?3.*think", always=True, parser="olmo3"),
    Family(
        "nemotron-switch",  # Nano v2, Super v1.5
        r"nemotron-nano-(9b|12b)-v2|nemotron-super-49b-v1_5",
        ("/no_think", "<SPECIAL_10>"),
        switch=_NO_THINK,
        parser="deepseek_r1",
    ),
    Family("nemotron3", r"nemotron-?3", parser="nemotron_v3", argument="enable_thinking"),
    Family("phi4-reasoning", r"phi-?4.*reasoning", always=True, parser="deepseek_r1"),
    Family("smollm3", r"smollm-?3", parser="qwen3", argument="enable_thinking"),
    Family("glm", r"\bglm-?(4\.[5-9]|[5-9])", parser="glm45", argument="enable_thinking"),
    Family(
        "qwen3",
        r"qwen3(?!.*(instruct|coder|embedding|reranker|guard|omni))",
        parser="qwen3",
        argument="enable_thinking",
    ),
)

# Templates of models that no row names: by the variable that switches the thinking.
BY_TEMPLATE: tuple[Family, ...] = (
    Family(
        "enable_thinking", "", ("enable_thinking", "</think>"), parser="qwen3", argument="enable_thinking"
    ),
    Family(
        "thinking", "", ("not thinking is defined", "</think>"), parser="deepseek_v3", argument="thinking"
    ),
    Family("no_think", "", ("/no_think", "</think>"), switch=_NO_THINK, parser="deepseek_r1"),
)
ALWAYS = Family("think", "", always=True, parser="deepseek_r1")
