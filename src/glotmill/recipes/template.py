"""Finds, checks and renders the templates of a recipe.

A template is a Jinja file whose blocks `system`, `user` and `assistant` are the chat roles; without such
blocks, the whole text is the user's message. The system message is first, the others follow in the order of
their blocks; `user_2`, `assistant_2` and so on are further turns, such as examples. An `assistant` block at
the end is the beginning of the reply.

`answer.swh_Latn.j2` or `answer.swh.j2` replaces `answer.j2` for Swahili and must read the same variables.
Templates run in an immutable sandbox, see only files of their own folder, and fail on names that are not
defined and on values that are null.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Template as JinjaTemplate
from jinja2 import TemplateError, TemplateSyntaxError, nodes
from jinja2.meta import find_referenced_templates, find_undeclared_variables

from glotmill.columns import (
    EMPTY_PROMPT,
    TEMPLATE_ERROR,
    TEMPLATE_VARIABLES,
    prompt_column,
    reasoning_column,
)
from glotmill.errors import RecipeError, RequestFailed
from glotmill.languages import Language
from glotmill.languages import find as find_language
from glotmill.messages import Message
from glotmill.recipes.recipe import Recipe
from glotmill.recipes.sandbox import MAX_CHARS, environment, join_bounded
from glotmill.recipes.steps import Asking, WithTemplate

MAX_TEMPLATE_BYTES = 1_000_000

ROLES = ("system", "user", "assistant")
_TURN = re.compile(r"(user|assistant)_[1-9]\d?")  # the name of a block that is one of several turns
# Statements outside blocks that print nothing.
_SILENT = (nodes.Extends, nodes.Assign, nodes.AssignBlock, nodes.Macro, nodes.Import, nodes.FromImport)

# What a template may raise over values that do not fit it.
_RENDER_ERRORS = (
    *(TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError),
)


@dataclass(frozen=True)
class Template:
    """A compiled template, as one language uses it."""

    path: Path
    variables: frozenset[str]  # names that it, its parents and its includes read
    files: frozenset[str]  # its own file and all that it extends, includes or imports, relative to the folder
    digest: str  # sha256 of the text of these files
    blocks: tuple[str, ...]  # blocks that are messages, in their order; none: all of it is the user's message
    _compiled: JinjaTemplate
    _only_blocks: bool

    @property
    def roles(self) -> tuple[str, ...]:
        """The role of each message."""
        return tuple(map(_role, self.blocks)) or ("user",)

    def render(self, values: Mapping[str, Any]) -> tuple[Message, ...]:
        """Return the messages for one row. Without text, a message is left out.

        Raises RequestFailed, which fails this row: `template_error` if the values do not fit,
        `prompt_too_long`, or `empty_prompt` if the user's last message has no text.
        """
        try:
            messages = tuple(self._messages(values))
        except _RENDER_ERRORS as error:
            raise RequestFailed(TEMPLATE_ERROR, f"{self.path.name}: {error}"[:500]) from error
        asked = [message for message in messages if message.role == "user"][-1]
        if not asked.content.strip():
            raise RequestFailed(EMPTY_PROMPT, f"{self.path.name} renders to a user message without text")
        return tuple(message for message in messages if message.content.strip())

    def _messages(self, values: Mapping[str, Any]) -> Iterator[Message]:
        context = self._compiled.new_context(dict(values))
        # Running the template from its top links in the blocks of its parents and runs {% set %} and imports.
        # Where there is nothing but blocks, that would only render them twice.
        text = "" if self._only_blocks else join_bounded(self._compiled.root_render_func(context), MAX_CHARS)
        if not self.blocks:
            yield Message("user", text)
        remaining = MAX_CHARS
        for name, role in zip(self.blocks, self.roles, strict=False):
            text = join_bounded(context.blocks[name][0](context), remaining)
            remaining -= len(text)
            yield Message(role, text)


def load_all(recipe: Recipe, language: Language) -> dict[str, Template]:
    """Return the template of each step that has one, by the step's name. Raises RecipeError."""
    steps = _steps_with_template(recipe)
    return {step.name: load(recipe.folder, step.template_name, language) for step in steps}


def load(folder: Path, name: str, language: Language) -> Template:
    """Read, check and compile the template `name` of a recipe folder for a language.

    Raises RecipeError: no such file, broken syntax, a file outside the folder, text outside the blocks.
    """
    return load_file(folder, find(folder, name, language).relative_to(folder).as_posix())


def load_file(folder: Path, file: str) -> Template:
    """Read, check and compile one template file of a folder. Raises RecipeError as `load` does."""
    return _compile(folder, file, tuple(_sources(folder, file)))


def find(folder: Path, name: str, language: Language) -> Path:
    """Return the file of template `name`: `name.tag.j2`, else `name.iso639_3.j2`, else `name.j2`."""
    for candidate in (f"{name}.{language.tag}.j2", f"{name}.{language.iso639_3}.j2", f"{name}.j2"):
        if (folder / candidate).is_file():
            return folder / candidate
    files = ", ".join(sorted(path.name for path in folder.glob("*.j2"))) or "no template at all"
    raise RecipeError(
        f"{folder}: no template {name}.j2; the folder has {files}. Write {folder / (name + '.j2')}"
    )


def variants(folder: Path, name: str) -> list[Path]:
    """Return the language variants of a template: every `name.LANGUAGE.j2`."""
    base = folder / name
    prefix = f"{base.name}."
    paths = (path for path in base.parent.glob("*.j2") if path.name.startswith(prefix))
    return sorted(path for path in paths if path.name.count(".") == prefix.count(".") + 1)


def seed_variables(recipe: Recipe) -> frozenset[str]:
    """Return the variables that seeds must provide: read by a template, and made by no step."""
    language = find_language(recipe.languages[0] if recipe.languages else "eng_Latn")
    templates = load_all(recipe, language)
    read = frozenset[str]().union(*(template.variables for template in templates.values()))
    columns = {prompt_column, reasoning_column}
    made = {*templates, *(column(name) for name in templates for column in columns)}
    return read - made - {s.name for s in recipe.live_steps if isinstance(s, Asking)} - TEMPLATE_VARIABLES


def refuse_uneven_variants(recipe: Recipe) -> None:
    """Raise RecipeError where a language variant does not read the same variables as its base."""
    for step in _steps_with_template(recipe):
        for path in variants(recipe.folder, step.template_name):
            tag = path.name.split(".")[-2]
            try:
                language = find_language(tag)
            except RecipeError as error:
                raise RecipeError(f"{path}: named as the variant of a language; {error}") from None
            if tag not in (language.tag, language.iso639_3):
                name = path.name.removesuffix(f"{tag}.j2") + f"{language.tag}.j2"
                raise RecipeError(f"{path}: rename it to {name}; {tag!r} is never looked for")
            variant = load_file(recipe.folder, path.relative_to(recipe.folder).as_posix())
            base = load_file(recipe.folder, f"{step.template_name}.j2")
            if missing := base.variables - variant.variables - TEMPLATE_VARIABLES:
                raise RecipeError(f"{path}: does not use {', '.join(sorted(missing))}, which its base does")
            if extra := variant.variables - base.variables - TEMPLATE_VARIABLES:
                raise RecipeError(f"{path}: uses {', '.join(sorted(extra))}, which its base does not")


def _steps_with_template(recipe: Recipe) -> Iterator[WithTemplate]:
    return (step for step in recipe.live_steps if isinstance(step, WithTemplate) and step.template_name)


def _sources(folder: Path, name: str) -> Iterator[tuple[str, str]]:
    """Yield file name and text of a template and of all that it extends, includes or imports."""
    waiting, seen = [name], set[str]()
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        text = _read_text(folder, file, name)
        yield file, text
        for reference in _references(text, folder / file):
            if reference is None:
                raise RecipeError(f"{folder / file}: extends or includes a computed name; write it out")
            waiting.append(reference)


def _read_text(folder: Path, file: str, referrer: str) -> str:
    path = (folder / file).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise RecipeError(
            f"{folder / referrer}: no file {file!r} in {folder}; templates may use only their own folder"
        )
    if path.stat().st_size > MAX_TEMPLATE_BYTES:
        raise RecipeError(
            f"{path}: over {MAX_TEMPLATE_BYTES:,} bytes; a template is a prompt, not a data file"
        )
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from None


@lru_cache(maxsize=1024)
def _references(text: str, path: Path) -> tuple[str | None, ...]:
    """Return the files that a template extends, includes or imports; None for a computed name."""
    return tuple(find_referenced_templates(_parse(text, path)))


def _parse(text: str, path: Path) -> nodes.Template:
    try:
        return environment({}).parse(text)
    except TemplateSyntaxError as error:
        raise RecipeError(f"{path}:{error.lineno}: {error.message}") from None
    except RecursionError:
        raise RecipeError(f"{path}: nested too deeply; simplify it") from None


@lru_cache(maxsize=1024)
def _compile(folder: Path, file: str, sources: tuple[tuple[str, str], ...]) -> Template:
    trees = {name: _parse(text, folder / name) for name, text in sources}
    chain = _inheritance_chain(trees, file, folder)
    _refuse_lost_text(chain)
    for name, tree in trees.items():
        _refuse_unknown_language_fields(folder / name, tree)
    only_blocks = _has_only_blocks(trees[file])
    try:
        variables = _variables_read(trees, chain)
        compiled = environment(dict(sources)).get_template(file)
    except TemplateSyntaxError as error:
        raise RecipeError(f"{folder / file}:{error.lineno}: {error.message}") from None
    digest = sha256("\0".join(part for source in sorted(sources) for part in source).encode()).hexdigest()
    files = frozenset(trees)
    return Template(folder / file, variables, files, digest, _message_blocks(chain), compiled, only_blocks)


def _role(block: str) -> str:
    """Return the role of a block's message; empty for a block that is none."""
    if block in ROLES:
        return block
    turn = _TURN.fullmatch(block)
    return turn[1] if turn else ""


def _message_blocks(chain: Mapping[Path, nodes.Template]) -> tuple[str, ...]:
    """Return the blocks that are messages: the system's first, then as the outermost template orders them."""
    names = (block.name for tree in reversed(list(chain.values())) for block in tree.find_all(nodes.Block))
    blocks = [name for name in dict.fromkeys(names) if _role(name)]
    return tuple(sorted(blocks, key=lambda name: name != "system"))


# Checks of the source, before anything is rendered: a template that passes loses no text, since whatever it
# contains ends in a message.


def _inheritance_chain(
    trees: Mapping[str, nodes.Template], file: str, folder: Path
) -> dict[Path, nodes.Template]:
    """Return a template and those that it extends, the nearest first."""
    chain: dict[Path, nodes.Template] = {}
    name: str | None = file
    while name is not None:
        if folder / name in chain:
            raise RecipeError(f"{folder / file}: extends itself, by way of {name}")
        chain[folder / name] = tree = trees[name]
        extends = next(tree.find_all(nodes.Extends), None)
        name = extends.template.as_const() if extends else None
    return chain


def _refuse_lost_text(chain: Mapping[Path, nodes.Template]) -> None:
    """Refuse text outside the blocks of a chat role: no message would contain it."""
    blocks = [block for tree in chain.values() for block in tree.find_all(nodes.Block)]
    names = {block.name for block in blocks}
    file = next(iter(chain))
    if not any(map(_role, names)):
        if len(chain) == 1 and names:
            raise RecipeError(
                f"{file}: has blocks {', '.join(sorted(names))}, but neither system nor user; rename them"
            )
        return
    if not any(_role(name) == "user" for name in names):
        there = next(name for name in sorted(names) if _role(name))
        raise RecipeError(
            f"{file}: a block {there} but no user block; add {{% block user %}}...{{% endblock %}}"
        )
    nested = {inner.name for block in blocks for inner in _blocks_within(block)}
    for path, tree in chain.items():
        for node in tree.body:
            if _is_lost(node, nested):
                raise RecipeError(
                    f"{path}:{node.lineno}: text outside the blocks system and user would be lost; "
                    "move it into one of them"
                )


def _blocks_within(block: nodes.Block) -> Iterator[nodes.Block]:
    for node in block.body:
        if isinstance(node, nodes.Block):
            yield node
        yield from node.find_all(nodes.Block)


def _is_lost(node: nodes.Node, nested: set[str]) -> bool:
    """Return whether a statement at the top of a template prints something that no message contains."""
    if isinstance(node, nodes.Block):
        return not _role(node.name) and node.name not in nested
    if isinstance(node, nodes.Output):
        return any(not isinstance(part, nodes.TemplateData) or part.data.strip() for part in node.nodes)
    return not isinstance(node, _SILENT)


def _refuse_unknown_language_fields(path: Path, tree: nodes.Template) -> None:
    """Refuse `{{ language.endonim }}`: a Language has no such field."""
    known = {field.name for field in fields(Language)}
    for node in tree.find_all(nodes.Getattr):
        if isinstance(node.node, nodes.Name) and node.node.name == "language" and node.attr not in known:
            raise RecipeError(
                f"{path}:{node.lineno}: a language has no {node.attr!r}; it has {', '.join(sorted(known))}"
            )


def _has_only_blocks(tree: nodes.Template) -> bool:
    """Return whether a template consists of blocks alone, so that nothing outside them needs to run."""
    types = {type(node) for node in tree.body}
    return nodes.Block in types and types <= {nodes.Block, nodes.Output}


def _variables_read(
    trees: Mapping[str, nodes.Template], chain: Mapping[Path, nodes.Template]
) -> frozenset[str]:
    """Return the names that the values of a row must provide. Empties overridden blocks in the trees."""
    _drop_overridden(list(chain.values()))
    undeclared = frozenset[str]().union(*(find_undeclared_variables(tree) for tree in trees.values()))
    return undeclared.difference(*(_names_set_outside_blocks(tree) for tree in chain.values()))


def _drop_overridden(chain: list[nodes.Template]) -> None:
    """Empty the blocks that a nearer template overrides without super(): their variables are never read."""
    overridden: set[str] = set()
    for tree in chain:
        blocks = list(tree.find_all(nodes.Block))
        without_super = {b.name for b in blocks if "super" not in _called_names(b)}
        for block in blocks:
            if block.name in overridden:
                block.body = []
        overridden |= without_super


def _called_names(block: nodes.Block) -> set[str]:
    calls = block.find_all(nodes.Call)
    return {call.node.name for call in calls if isinstance(call.node, nodes.Name)}


def _names_set_outside_blocks(tree: nodes.Template) -> Iterator[str]:
    """Yield the names that {% set %}, {% import %} and {% macro %} at the top of a template define."""
    for node in tree.body:
        match node:
            case nodes.Assign() | nodes.AssignBlock():
                target = node.target
                yield from [name.name for name in target.find_all(nodes.Name)]
                if isinstance(target, nodes.Name):
                    yield target.name
            case nodes.Import():
                yield node.target
            case nodes.Macro():
                yield node.name
            case nodes.FromImport():
                yield from (name if isinstance(name, str) else name[1] for name in node.names)
