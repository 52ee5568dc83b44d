"""What a reply must follow, as matchers of xgrammar: a schema, a choice, a regular expression, a grammar."""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from glotmill.errors import RequestFailed, typed_line
from glotmill.generators._shared.loading import not_installed
from glotmill.messages import Request

_KEPT = 16  # compiled grammars


def constraint_of(request: Request) -> tuple[str, str] | None:
    """Return what the reply must follow: the kind and its text; None if it is free."""
    if request.schema:
        return "schema", request.schema
    if request.choice:
        # JSON escapes what EBNF does, in the same way.
        return "choice", "root ::= " + " | ".join(
            json.dumps(text, ensure_ascii=False) for text in request.choice
        )
    if request.regex:
        return "regex", request.regex
    return ("grammar", request.grammar) if request.grammar else None


def matcher_maker(tokenizer: Any, vocabulary: int, ends: list[int]) -> Callable[[tuple[str, str]], Any]:
    """Return a function that makes a new xgrammar matcher for a constraint.

    It raises EngineError if xgrammar is not installed, RequestFailed `schema_unsupported` or
    `constraint_unsupported` for what xgrammar cannot enforce.
    """

    @lru_cache(maxsize=1)
    def compiler() -> Any:
        import xgrammar

        info = xgrammar.TokenizerInfo.from_huggingface(tokenizer, vocab_size=vocabulary, stop_token_ids=ends)
        return xgrammar.GrammarCompiler(info)

    @lru_cache(maxsize=_KEPT)
    def compiled(kind: str, text: str) -> Any:
        if kind == "schema":
            return compiler().compile_json_schema(text, any_whitespace=False)
        if kind == "regex":
            return compiler().compile_regex(text)
        if kind == "grammar" and "::=" not in text:
            return compiler().compile_lark(text)
        return compiler().compile_grammar(text)

    def matcher(constraint: tuple[str, str]) -> Any:
        try:
            import xgrammar
        except ImportError as error:
            raise not_installed("transformers", "'glotmill[structured]'", error) from error
        try:
            return xgrammar.GrammarMatcher(compiled(*constraint))
        except Exception as error:
            reason = "schema_unsupported" if constraint[0] == "schema" else "constraint_unsupported"
            raise RequestFailed(reason, typed_line(error)) from error

    return matcher
