"""What is said: one folder a recipe. This module finds, checks and renders its templates.

A template is a Jinja file whose blocks `system` and `user` are the chat roles; without such blocks the whole
text is the user's. `answer.swh_Latn.j2` or `answer.swh.j2` stands in for `answer.j2` where the language is
Swahili, with the same variables. Templates run in an immutable sandbox, see only files of their own folder,
and fail on a name that nobody provides and on a value that is null.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import DictLoader, Environment, TemplateError, TemplateSyntaxError, nodes
from jinja2 import Template as JinjaTemplate
from jinja2.meta import find_referenced_templates, find_undeclared_variables

from glotmill.errors import RecipeError, RequestFailed
from glotmill.languages import Language
from glotmill.messages import Message
from glotmill.recipes.sandbox import MAX_CHARS, Sandbox, bounded

ROLES = ("system", "user")
MAX_TEMPLATE_BYTES = 1_000_000

_WRONG = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)
_SILENT = (nodes.Extends, nodes.Assign, nodes.AssignBlock, nodes.Macro, nodes.Import, nodes.FromImport)


@dataclass(frozen=True)
class Template:
    """One template as one language says it."""

    path: Path
    variables: frozenset[str]  # the names it reads, those of parents and includes with them
    files: frozenset[str]  # its own and all that it draws on, as its folder names them
    digest: str  # sha256 over the text of these
    _compiled: JinjaTemplate
    _alone: bool  # nothing but blocks of its own

    def render(self, values: Mapping[str, Any]) -> tuple[Message, ...]:
        """Return the messages of one row; a system message without a text is left out.

        Raises RequestFailed for this row: `template_error` if the values do not fit, `prompt_too_long`,
        `empty_prompt` if nothing is said to the model.
        """
        try:
            messages = tuple(_messages(self._compiled, values, self._alone))
        except _WRONG as error:
            raise RequestFailed("template_error", f"{self.path.name}: {error}"[:500]) from error
        if not any(m.role == "user" and m.content.strip() for m in messages):
            raise RequestFailed("empty_prompt", f"{self.path.name} says nothing to the model")
        return messages


def load(folder: Path, name: str, language: Language) -> Template:
    """Read, check and compile the template `name` of a recipe's folder as `language` says it.

    Raises RecipeError: no such file, broken syntax, a file outside the folder, text outside the blocks.
    """
    return load_file(folder, find(folder, name, language).relative_to(folder).as_posix())


def load_file(folder: Path, file: str) -> Template:
    """Read, check and compile one template file of a folder. Raises RecipeError as `load` does."""
    sources = dict(_sources(folder, file))
    return _compile(folder, file, tuple(sources.items()))


def find(folder: Path, name: str, language: Language) -> Path:
    """Return the file that says `name`: `name.tag.j2`, else `name.iso639_3.j2`, else `name.j2`."""
    for candidate in (f"{name}.{language.tag}.j2", f"{name}.{language.iso639_3}.j2", f"{name}.j2"):
        if (folder / candidate).is_file():
            return folder / candidate
    there = ", ".join(sorted(path.name for path in folder.glob("*.j2"))) or "no template at all"
    raise RecipeError(f"{folder}: no template {name}.j2; there is {there}. Write {folder / (name + '.j2')}")


def variants(folder: Path, name: str) -> list[Path]:
    """Return the language variants of a template: every `name.LANGUAGE.j2`."""
    base = folder / name
    start = f"{base.name}."
    there = (path for path in base.parent.glob("*.j2") if path.name.startswith(start))
    return sorted(path for path in there if path.name.count(".") == start.count(".") + 1)


def _sources(folder: Path, name: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of a template and of all that it extends, includes or imports."""
    waiting, seen = [name], set[str]()
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        text = _read(folder, file, name)
        yield file, text
        for other in _referenced(text, folder / file):
            if other is None:
                raise RecipeError(f"{folder / file}: extends or includes a computed name; write it out")
            waiting.append(other)


def _read(folder: Path, file: str, of: str) -> str:
    path = (folder / file).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise RecipeError(
            f"{folder / of}: {file!r} is not a file of {folder}; templates may only draw on their own folder"
        )
    if path.stat().st_size > MAX_TEMPLATE_BYTES:
        raise RecipeError(
            f"{path}: over {MAX_TEMPLATE_BYTES:,} bytes; a template is a prompt, not a data file"
        )
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from None


def _environment(sources: Mapping[str, str]) -> Environment:
    return Sandbox(
        loader=DictLoader(sources), keep_trailing_newline=True, autoescape=False, auto_reload=False
    )


@lru_cache(maxsize=1024)
def _referenced(text: str, path: Path) -> tuple[str | None, ...]:
    return tuple(find_referenced_templates(_parse(text, path)))


def _parse(text: str, path: Path) -> nodes.Template:
    try:
        return _environment({}).parse(text)
    except TemplateSyntaxError as error:
        raise RecipeError(f"{path}:{error.lineno}: {error.message}") from None
    except RecursionError:
        raise RecipeError(f"{path}: nests too deep; make it simpler") from None


@lru_cache(maxsize=1024)
def _compile(folder: Path, file: str, sources: tuple[tuple[str, str], ...]) -> Template:
    trees = {name: _parse(text, folder / name) for name, text in sources}
    chain = _chain(trees, file, folder)
    _refuse_lost_text(chain)
    for path, tree in {folder / name: tree for name, tree in trees.items()}.items():
        _refuse_unknown_fields(path, tree)
    alone = _only_blocks(trees[file])
    _drop_overridden(list(chain.values()))
    try:
        read = frozenset[str]().union(*(find_undeclared_variables(tree) for tree in trees.values()))
        variables = read.difference(*(_set_beside_blocks(tree) for tree in chain.values()))
        compiled = _environment(dict(sources)).get_template(file)
    except TemplateSyntaxError as error:
        raise RecipeError(f"{folder / file}:{error.lineno}: {error.message}") from None
    digest = sha256("\0".join(part for item in sorted(sources) for part in item).encode()).hexdigest()
    return Template(folder / file, variables, frozenset(trees), digest, compiled, alone)


def _chain(trees: Mapping[str, nodes.Template], file: str, folder: Path) -> dict[Path, nodes.Template]:
    """Return a template and what it extends, the nearest first."""
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
    """Text outside of the role blocks would be said to nobody."""
    of_whole = [(path, block) for path, tree in chain.items() for block in tree.find_all(nodes.Block)]
    names = {block.name for _, block in of_whole}
    file = next(iter(chain))
    if not names & set(ROLES):
        if len(chain) == 1 and names:
            there = ", ".join(sorted(names))
            raise RecipeError(f"{file}: blocks {there}, but none of system, user; name them so")
        return
    if "user" not in names:
        raise RecipeError(
            f"{file}: a system block but no user block; add {{% block user %}}...{{% endblock %}}"
        )
    inner = {
        part.name
        for _, block in of_whole
        for node in block.body
        for part in [*node.find_all(nodes.Block), *([node] if isinstance(node, nodes.Block) else [])]
    }
    for path, tree in chain.items():
        for node in tree.body:
            lost = not isinstance(node, (nodes.Block, nodes.Output, *_SILENT))
            if isinstance(node, nodes.Block):
                lost = node.name not in ROLES and node.name not in inner
            elif isinstance(node, nodes.Output):
                lost = any(not isinstance(p, nodes.TemplateData) or p.data.strip() for p in node.nodes)
            if lost:
                raise RecipeError(
                    f"{path}:{node.lineno}: what stands outside of the blocks system and user would be lost; "
                    "move it into one"
                )


def _refuse_unknown_fields(path: Path, tree: nodes.Template) -> None:
    known = {field.name for field in fields(Language)}
    for node in tree.find_all(nodes.Getattr):
        if isinstance(node.node, nodes.Name) and node.node.name == "language" and node.attr not in known:
            raise RecipeError(
                f"{path}:{node.lineno}: a language has no {node.attr!r}; there is {', '.join(sorted(known))}"
            )


def _drop_overridden(chain: list[nodes.Template]) -> None:
    """Empty the blocks that a nearer template says anew without super(): nobody reads their variables."""
    closed: set[str] = set()
    for tree in chain:
        blocks = list(tree.find_all(nodes.Block))
        own = {b.name for b in blocks if not any(c.name == "super" for c in _called(b))}
        for block in blocks:
            if block.name in closed:
                block.body = []
        closed |= own


def _called(block: nodes.Block) -> Iterator[nodes.Name]:
    return (call.node for call in block.find_all(nodes.Call) if isinstance(call.node, nodes.Name))


def _set_beside_blocks(tree: nodes.Template) -> Iterator[str]:
    """Names that the top of a template gives to its blocks."""
    for node in tree.body:
        match node:
            case nodes.Assign() | nodes.AssignBlock():
                target = node.target
                yield from [n.name for n in target.find_all(nodes.Name)]
                yield from [target.name] if isinstance(target, nodes.Name) else []
            case nodes.Import():
                yield node.target
            case nodes.Macro():
                yield node.name
            case nodes.FromImport():
                yield from (name if isinstance(name, str) else name[1] for name in node.names)


def _only_blocks(tree: nodes.Template) -> bool:
    kinds = {type(node) for node in tree.body}
    return nodes.Block in kinds and kinds <= {nodes.Block, nodes.Output}


def _messages(template: JinjaTemplate, values: Mapping[str, Any], alone: bool) -> Iterator[Message]:
    context = template.new_context(dict(values))
    left = MAX_CHARS
    # Running the whole links in the blocks of parents and what is set beside blocks; else it is wasted.
    whole = "" if alone else bounded(template.root_render_func(context), left)
    blocks = {role: context.blocks[role][0] for role in ROLES if role in context.blocks}
    if not blocks:
        yield Message("user", whole)
    for role, block in blocks.items():
        text = bounded(block(context), left)
        left -= len(text)
        if role != "system" or text.strip():
            yield Message(role, text)
