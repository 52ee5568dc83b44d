"""Turns a request into the tokens of its prompt, for engines that load a model."""

import json
from dataclasses import dataclass
from typing import Any

from glotmill.errors import EngineError, RequestFailed, typed_line
from glotmill.generators._shared.loading import chat_of
from glotmill.generators._shared.system_role import takes_system_role, without_system_role
from glotmill.generators._shared.thinking import Family, is_opened, template_arguments, with_switch
from glotmill.messages import CHAT, COMPLETION, EMBED, LIKELIHOOD, SCORE, Request

_OWN = {"add_generation_prompt", "chat_template", "continue_final_message", "conversation", "tokenize"}
_OWN |= {"return_dict", "return_tensors", "tokenizer_kwargs"}  # arguments that are not the template's
_TAIL = 24  # tokens at the end of a prompt in which an opening tag of the template is looked for


@dataclass(frozen=True, slots=True)
class Prompt:
    """The tokens of a prompt.

    opened: it ends with an opening tag of thoughts, so the reply begins inside them.
    start: of a `likelihood` request, the first token of the last message.
    second: of a `score` request for a cross-encoder, the first token of the second text; 0 where the model
        does not tell them apart.
    """

    ids: list[int]
    opened: bool = False
    start: int = 0
    second: int = 0


def prompt_of(tokenizer: Any, request: Request, family: Family | None, max_model_len: int) -> Prompt:
    """Return the tokens of a request.

    family: how the model thinks, for the arguments of its chat template.
    max_model_len: tokens of a prompt and its reply together.

    Raises:
        EngineError: the request is a chat, and the model has no chat template.
        RequestFailed: `template_refused`, `empty_prompt` or `prompt_too_long`.
    """
    try:
        prompt = _MAKERS[request.task](tokenizer, request, family)
    except (EngineError, RequestFailed):
        raise
    except Exception as error:  # templates come with models and may raise anything
        raise RequestFailed("template_refused", typed_line(error)) from error
    if not prompt.ids:
        raise RequestFailed("empty_prompt", "no tokens were made from it")
    limit = max_model_len if request.task in (EMBED, SCORE) else max_model_len - 1
    if len(prompt.ids) > limit:
        raise RequestFailed(
            "prompt_too_long",
            f"{len(prompt.ids)} tokens leave no room for a reply; the limit is {max_model_len}",
        )
    return prompt


def _chat(tokenizer: Any, request: Request, family: Family | None) -> Prompt:
    ids = list(_rendered(tokenizer, request, family, tokenize=True))
    return Prompt(ids, _ends_opened(tokenizer, ids, family))


def _completion(tokenizer: Any, request: Request, family: Family | None) -> Prompt:
    ids = _encoded(tokenizer, _text(request))
    return Prompt(ids, _ends_opened(tokenizer, ids, family))


def _likelihood(tokenizer: Any, request: Request, family: Family | None) -> Prompt:
    """Tokenize what goes before the last message and its text apart, so that no token spans both."""
    contents = [message["content"] for message in chat_of(request)]
    text = contents[-1]
    if len(contents) == 1:
        ids = _encoded(tokenizer, text)
        plain = tokenizer.encode(text, add_special_tokens=False)
        return Prompt(ids, start=len(ids) - len(plain) if ids[len(ids) - len(plain) :] == plain else 0)
    before = "".join(contents[:-1])
    if getattr(tokenizer, "chat_template", "its own way"):
        whole = _rendered(tokenizer, request, family, tokenize=False)
        text = text if whole.endswith(text) else text.strip()
        if not whole.endswith(text):
            raise RequestFailed("template_refused", "the chat template changes the text of the last message")
        before = whole[: len(whole) - len(text)]
        first = tokenizer.encode(before, add_special_tokens=False)
    else:
        first = _encoded(tokenizer, before)
    return Prompt([*first, *tokenizer.encode(text, add_special_tokens=False)], start=len(first))


def _embed(tokenizer: Any, request: Request, family: Family | None) -> Prompt:
    return Prompt(tokenizer.encode(_text(request)))


def _score(tokenizer: Any, request: Request, family: Family | None) -> Prompt:
    if [message.role for message in request.messages] != ["user", "user"]:
        return Prompt(list(_rendered(tokenizer, request, family, tokenize=True)))
    encoded = tokenizer(*(message["content"] for message in chat_of(request)))
    types = encoded.get("token_type_ids") or []
    return Prompt(encoded["input_ids"], second=types.index(1) if 1 in types else 0)


_MAKERS = {CHAT: _chat, COMPLETION: _completion, LIKELIHOOD: _likelihood, EMBED: _embed, SCORE: _score}


def _rendered(tokenizer: Any, request: Request, family: Family | None, *, tokenize: bool) -> Any:
    """Return the chat as the model's template writes it; a last message of the assistant stays open."""
    if not getattr(tokenizer, "chat_template", "its own way"):
        name = f"{request.alias} ({request.model})" if request.alias else request.model
        raise EngineError(
            f"the model {name} has no chat template, so it takes no chats: choose a chat (instruct) model, "
            "or let the step ask for a completion"
        )
    given = json.loads(request.chat_template_kwargs or "{}")
    if refused := sorted(_OWN & set(given)):
        raise RequestFailed("template_refused", f"chat_template_kwargs: {refused[0]} is no template argument")
    chat = chat_of(request)
    goes_on = request.task == CHAT and chat[-1]["role"] == "assistant"
    if goes_on and not chat[-1]["content"]:  # nothing to go on from
        chat, goes_on = chat[:-1], False
    chat = with_switch(chat, family, request.thinking)
    return tokenizer.apply_chat_template(
        chat if takes_system_role(tokenizer) else without_system_role(chat),
        **{**template_arguments(family, request.thinking), **given},
        add_generation_prompt=request.task == CHAT and not goes_on,
        continue_final_message=goes_on or request.task == LIKELIHOOD,
        tokenize=tokenize,
        return_dict=False,
    )


def _encoded(tokenizer: Any, text: str) -> list[int]:
    """Return the tokens of a raw text, with the model's first token unless the text has it already."""
    first = getattr(tokenizer, "bos_token", None)
    ids: list[int] = tokenizer.encode(text, add_special_tokens=not (first and text.startswith(first)))
    return ids


def _ends_opened(tokenizer: Any, ids: list[int], family: Family | None) -> bool:
    return is_opened(tokenizer.decode(ids[-_TAIL:], skip_special_tokens=False), family)


def _text(request: Request) -> str:
    return chat_of(request)[0]["content"]
