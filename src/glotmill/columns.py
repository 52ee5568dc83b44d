"""Names of the columns that glotmill itself makes, and of the verdicts and reasons that they hold.

Every table of a run carries `id`, `row` and `language` from the first step on. Each step adds a column of
its own name and related ones (`<step>_prompt`, ...). Finished rows end in `verdict`, `reason`, `reason_at`.
Filters add `<column>_<filter>_<field>` for each field that they measure. The modules that make or read such
columns take the names from here, so that a column is spelt in one place.
"""

import polars as pl

# In every table of a run: made by `runner.shard` when a shard is opened.
ID = "id"  # hash of recipe, seed row, language and pass; a step with `n` appends -0, -1, ...
ROW = "row"  # number of the seed row within its shard, from 0
LANGUAGE = "language"  # canonical tag of the language that was asked for, such as swh_Latn
IDENTITY = (ID, ROW, LANGUAGE)

# In rows/ of a run folder: added by `runner.shard` when a shard is finished.
SEED_KEY = "seed_key"  # hash of the seed row's values: rows with equal seeds stay on one side of a split
VERDICT = "verdict"  # KEPT, DROPPED or FAILED
REASON = "reason"  # why it was not kept: a reason below, or of a filter or engine; null in kept rows
REASON_AT = "reason_at"  # where: `answer` (a step), `answer.length` (column and filter), `finish.duplicates`
VERDICT_SCHEMA: dict[str, pl.DataType] = {VERDICT: pl.String(), REASON: pl.String(), REASON_AT: pl.String()}

KEPT = "kept"
DROPPED = "dropped"  # by a filter, a parser or a transform
FAILED = "failed"  # no reply: the prompt could not be rendered, or the engine refused it

# Elsewhere.
SEED_ID = "seed_id"  # the seed row's own `id`, under which it reaches the steps (`recipes.seeds`)
MESSAGES = "messages"  # the chat of a kept row, from `output.messages` of the recipe (`runner.dataset`)

# Template variables other than columns: the row's Language, few-shot rows, why the last try was dropped.
EXAMPLES = "examples"
FEEDBACK = "feedback"
TEMPLATE_VARIABLES = frozenset({LANGUAGE, EXAMPLES, FEEDBACK})

# Columns that seeds may not bring and steps may not be named after.
RESERVED = (ID, ROW, SEED_KEY, VERDICT, REASON, REASON_AT, "finish", EXAMPLES, FEEDBACK)

# Reasons that the core itself gives; all others come from filters, transforms and engines.
TEMPLATE_ERROR = "template_error"  # the row's values do not fit the template
EMPTY_PROMPT = "empty_prompt"  # the template left no text for the user's message
PROMPT_TOO_LONG = "prompt_too_long"
TRUNCATED = "truncated"  # the reply reached max_tokens
UNFINISHED_THINKING = "unfinished_thinking"  # the model was still thinking when it reached max_tokens
EMPTY_REPLY = "empty_reply"
NO_VALUE = "no_value"  # the engine returned no number for an embed, score or likelihood step
UNPARSED = "unparsed_"  # a prefix, as in unparsed_json and unparsed_lines
LEFT_OUT = "left_out"  # a transform returned no row made from this one
NOT_ASKED = "not_asked"  # a preview without an engine ends before this row's reply


def prompt_column(step: str) -> str:
    """Column of a generate step: the user message of the request."""
    return f"{step}_prompt"


def tokens_column(step: str) -> str:
    """Column of a generate step: tokens in the reply."""
    return f"{step}_tokens"


def examples_column(step: str) -> str:
    """Column of a generate step with `examples:`: the texts of the few-shot rows that the row was shown."""
    return f"{step}_examples"


def logprob_column(step: str) -> str:
    """Column of a generate step with `logprobs:`: mean log probability of the reply's tokens."""
    return f"{step}_logprob"


def reasoning_column(step: str) -> str:
    """Column of a generate step with `thinking:`: what the model thought before the reply."""
    return f"{step}_reasoning"


def reasoning_tokens_column(step: str) -> str:
    """Column of a generate step with `thinking:`: tokens of these thoughts, which `_tokens` counts too."""
    return f"{step}_reasoning_tokens"


def models_column(step: str) -> str:
    """Column of a generate step with `models:`: the names of the models that wrote its replies."""
    return f"{step}_models"


def system_column(step: str) -> str:
    """Column of a generate step, if `output:` names it: the system message of the request."""
    return f"{step}_system"


def messages_column(step: str) -> str:
    """Column of a generate step that another one goes on `after:`: the conversation, with the reply."""
    return f"{step}_messages"


def raw_column(step: str) -> str:
    """Column of a generate step, in dropped and failed rows: the reply before it was parsed."""
    return f"{step}_raw"
