"""Checks the source of a template, before it is rendered.

A template that passes loses no text: whatever it contains ends in a chat message. All functions take syntax
trees of Jinja and raise RecipeError with the file, the line and the remedy.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path

from jinja2 import nodes
from jinja2.meta import find_undeclared_variables

from glotmill.errors import RecipeError
from glotmill.languages import Language

ROLES = ("system", "user")

# Statements outside blocks that print nothing.
_SILENT = (nodes.Extends, nodes.Assign, nodes.AssignBlock, nodes.Macro, nodes.Import, nodes.FromImport)


def inheritance_chain(
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


def refuse_lost_text(chain: Mapping[Path, nodes.Template]) -> None:
    """Refuse text outside the blocks of a chat role: no message would contain it."""
    blocks = [block for tree in chain.values() for block in tree.find_all(nodes.Block)]
    names = {block.name for block in blocks}
    file = next(iter(chain))
    if not names & set(ROLES):
        if len(chain) == 1 and names:
            raise RecipeError(
                f"{file}: has blocks {', '.join(sorted(names))}, but neither system nor user; rename them"
            )
        return
    if "user" not in names:
        raise RecipeError(
            f"{file}: a system block but no user block; add {{% block user %}}...{{% endblock %}}"
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
        return node.name not in ROLES and node.name not in nested
    if isinstance(node, nodes.Output):
        return any(not isinstance(part, nodes.TemplateData) or part.data.strip() for part in node.nodes)
    return not isinstance(node, _SILENT)


def refuse_unknown_language_fields(path: Path, tree: nodes.Template) -> None:
    """Refuse `{{ language.endonim }}`: a Language has no such field."""
    known = {field.name for field in fields(Language)}
    for node in tree.find_all(nodes.Getattr):
        if isinstance(node.node, nodes.Name) and node.node.name == "language" and node.attr not in known:
            raise RecipeError(
                f"{path}:{node.lineno}: a language has no {node.attr!r}; there is {', '.join(sorted(known))}"
            )


def has_only_blocks(tree: nodes.Template) -> bool:
    """Return whether a template consists of blocks alone, so that nothing outside them needs to run."""
    types = {type(node) for node in tree.body}
    return nodes.Block in types and types <= {nodes.Block, nodes.Output}


def variables_read(
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
