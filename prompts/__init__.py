"""What is said: one folder a recipe. This module finds, checks and renders its templates.

A template is a Jinja file whose blocks `system` and `user` are the chat roles; without blocks the whole text is the user's.
`answer.swh_Latn.j2` or `answer.swh.j2` stands in for `answer.j2` where the language is Swahili, with the same variables.
Templates run in an immutable sandbox, see only files of their own folder, and fail on a name that nobody provides.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import (
    BaseLoader,
    Environment,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    nodes,
)
from jinja2 import Template as JinjaTemplate
from jinja2.meta import find_referenced_templates, find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment, SecurityError

from glotmill.chat import Message
from glotmill.errors import RecipeError, RequestFailed
from glotmill.languages import Language

ROLES = ("system", "user")
MAX_TEMPLATE_BYTES = 1_000_000
MAX_MESSAGE_CHARS = 2_000_000


@dataclass(frozen=True)
class Template:
    """One template as one language says it."""

    path: Path
    variables: frozenset[str]  # the names it reads, those of parents and includes with them
    digest: str  # sha256 over its text and every text it draws on
    _compiled: JinjaTemplate
    _alone: bool  # nothing but blocks of its own

    def render(self, values: Mapping[str, Any]) -> tuple[Message, ...]:
        """Return the messages of one row. Raises RequestFailed for this row if the values do not fit."""
        try:
            messages = tuple(_messages(self._compiled, values, self._alone))
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            raise RequestFailed("template_error", f"{self.path.name}: {error}"[:500]) from error
        if sum(len(m.content) for m in messages) > MAX_MESSAGE_CHARS:
            raise RequestFailed(
                "prompt_too_long", f"{self.path.name} made over {MAX_MESSAGE_CHARS:,} characters"
            )
        return messages


def load(folder: Path, name: str, language: Language) -> Template:
    """Read, check and compile the template `name` of a recipe's folder as `language` says it.

    Raises RecipeError: no such file, broken syntax, a file outside the folder, text outside the blocks.
    """
    return load_file(folder, find(folder, name, language).name)


def load_file(folder: Path, file: str) -> Template:
    """Read, check and compile one template file of a folder. Raises RecipeError as `load` does."""
    path = folder / file
    environment = _environment(folder)
    sources = dict(_sources(environment, path.name, folder))
    trees = {file: environment.parse(text) for file, text in sources.items()}
    _refuse_lost_text(path, trees[path.name])
    variables = frozenset().union(*(find_undeclared_variables(tree) for tree in trees.values()))
    digest = sha256("\0".join(part for item in sorted(sources.items()) for part in item).encode()).hexdigest()
    alone = _only_blocks(trees[path.name])
    return Template(path, variables, digest, environment.get_template(path.name), alone)


def find(folder: Path, name: str, language: Language) -> Path:
    """Return the file that says `name` in `language`: `name.tag.j2`, else `name.iso639_3.j2`, else `name.j2`."""
    for candidate in (f"{name}.{language.tag}.j2", f"{name}.{language.iso639_3}.j2", f"{name}.j2"):
        if (folder / candidate).is_file():
            return folder / candidate
    there = ", ".join(sorted(path.name for path in folder.glob("*.j2"))) or "no template at all"
    raise RecipeError(f"{folder}: no template {name}.j2; there is {there}. Write {folder / (name + '.j2')}")


def variants(folder: Path, name: str) -> list[Path]:
    """Return the language variants of a template: every `name.LANGUAGE.j2`."""
    return sorted(path for path in folder.glob(f"{name}.*.j2") if path.name.count(".") == name.count(".") + 2)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, with repetition and powers bounded, so that no template can fill the memory."""

    intercepted_binops = frozenset(["*", "**"])

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or not isinstance(left, int | float) or not isinstance(right, int | float):
            raise SecurityError(
                f"templates may not compute {type(left).__name__} {operator} {type(right).__name__}"
            )
        return super().call_binop(context, operator, left, right)


class _FolderLoader(BaseLoader):
    """Reads templates of one folder, byte for byte, and nothing outside of it, by link or otherwise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        path = (self.folder / template).resolve()
        if not path.is_relative_to(self.folder) or not path.is_file():
            raise TemplateNotFound(template)
        if path.stat().st_size > MAX_TEMPLATE_BYTES:
            raise RecipeError(
                f"{path}: over {MAX_TEMPLATE_BYTES:,} bytes; a template is a prompt, not a data file"
            )
        try:
            return path.read_bytes().decode(), str(path), lambda: True
        except UnicodeDecodeError as error:
            raise RecipeError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from None


def _environment(folder: Path) -> Environment:
    return _Sandbox(
        loader=_FolderLoader(folder),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
        auto_reload=False,
    )


def _sources(environment: Environment, name: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the text of a template and of all that it extends, includes or imports."""
    waiting, seen = [name], set[str]()
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        try:
            text = environment.loader.get_source(environment, file)[0] if environment.loader else ""
            tree = environment.parse(text)
        except TemplateNotFound:
            raise RecipeError(
                f"{folder / name}: {file!r} is not a file of {folder}; templates may only draw on their own folder"
            ) from None
        except TemplateSyntaxError as error:
            raise RecipeError(f"{folder / file}:{error.lineno}: {error.message}") from None
        yield file, text
        for other in find_referenced_templates(tree):
            if other is None:
                raise RecipeError(
                    f"{folder / file}: extends or includes a name that is computed; write it out"
                )
            waiting.append(other)


def _refuse_lost_text(path: Path, tree: nodes.Template) -> None:
    """Text outside of the role blocks would be said to nobody."""
    names = {block.name for block in tree.find_all(nodes.Block)}
    extends = any(tree.find_all(nodes.Extends))
    if not names & set(ROLES):
        if extends or not names:
            return
        raise RecipeError(
            f"{path}: blocks {', '.join(sorted(names))}, but none of system, user; name them so"
        )
    if "user" not in names and not extends:
        raise RecipeError(
            f"{path}: a system block but no user block; add {{% block user %}}...{{% endblock %}}"
        )
    for node in tree.body:
        for part in node.nodes if isinstance(node, nodes.Output) else []:
            if not isinstance(part, nodes.TemplateData) or part.data.strip():
                raise RecipeError(
                    f"{path}:{part.lineno}: text outside of the blocks would be lost; move it into one"
                )


def _only_blocks(tree: nodes.Template) -> bool:
    kinds = {type(node) for node in tree.body}
    return nodes.Block in kinds and kinds <= {nodes.Block, nodes.Output}


def _messages(template: JinjaTemplate, values: Mapping[str, Any], alone: bool) -> Iterator[Message]:
    context = template.new_context(dict(values))
    # Running the whole links in the blocks of parents and what is set beside blocks; without these it is wasted.
    whole = "" if alone else "".join(template.root_render_func(context))
    blocks = {role: context.blocks[role][0] for role in ROLES if role in context.blocks}
    if not blocks:
        yield Message("user", whole)
    for role, block in blocks.items():
        yield Message(role, "".join(block(context)))
