"""Tells from the form of a template whether it can cost much: most prompts fill values in, and cannot."""

from collections.abc import Iterable

from jinja2 import nodes

_MOST_NODES = 500
_MOST_LOOPS = 2  # one within another
_MOST_REPEATS = 4  # includes and super(): each may repeat what it stands for, which may do so again
_LONGEST = 10  # characters that an argument puts in for one
_CHEAP = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Block, nodes.Extends, nodes.Include, nodes.If),
    *(nodes.CondExpr, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Not),
    *(nodes.And, nodes.Or, nodes.Compare, nodes.Operand, nodes.Test, nodes.Pair, nodes.Keyword, nodes.NSRef),
)
_FILTERS = frozenset(
    {
        *(
            "trim",
            "lower",
            "upper",
            "capitalize",
            "title",
            "length",
            "count",
            "first",
            "last",
            "default",
            "d",
        ),
        *("int", "float", "abs", "string", "wordcount"),
    }
)
_GROWING = frozenset({"join", "replace", "tojson", "escape", "e"})  # once in an expression
_METHODS = frozenset(
    {
        *("strip", "lstrip", "rstrip", "lower", "upper", "startswith", "endswith"),
        *("items", "keys", "values", "get"),
    }
)


def is_cheap(trees: Iterable[nodes.Template]) -> bool:
    """Return whether rendering is bounded but for loops: linear in the template and in the values.

    trees: a template and all that it extends or includes. Nothing that a cheap template makes is made
    longer again, and nothing that it makes is kept in a variable.
    """
    trees = list(trees)
    every = [node for tree in trees for node in tree.find_all(nodes.Node)]
    if len(every) > _MOST_NODES or sum(map(_repeats, every)) > _MOST_REPEATS or any(map(_nests, trees)):
        return False
    return all(map(_is_cheap, every))


def _is_cheap(node: nodes.Node) -> bool:
    match node:
        case nodes.Filter():
            arguments = [*node.args, *(keyword.value for keyword in node.kwargs)]
            below = [n.name for n in node.find_all(nodes.Filter) if n.name in _GROWING]
            is_known = node.name in _FILTERS or (node.name in _GROWING and not below)
            is_plain = not node.dyn_args and not node.dyn_kwargs and all(map(_is_short, arguments))
            return is_known and is_plain and not (node.name == "replace" and _is_empty(arguments[0]))
        case nodes.Call():
            is_method = isinstance(node.node, nodes.Getattr) and node.node.attr in _METHODS
            no_stars = not node.dyn_args and not node.dyn_kwargs and not node.kwargs
            return (_repeats(node) or is_method) and no_stars and all(map(_is_short, node.args))
        case nodes.For():
            return not node.recursive
        case nodes.Assign():
            return isinstance(node.target, nodes.Name) and isinstance(node.node, nodes.Const | nodes.Name)
        case nodes.List() | nodes.Tuple() | nodes.Dict():
            return all(
                isinstance(n, nodes.Const | nodes.Pair | nodes.Name) for n in node.find_all(nodes.Expr)
            )
    return isinstance(node, _CHEAP)


def _repeats(node: nodes.Node) -> bool:
    """Return whether a node puts in a file, or a block of a parent."""
    if isinstance(node, nodes.Call):
        return isinstance(node.node, nodes.Name) and node.node.name == "super"
    return isinstance(node, nodes.Include)


def _is_short(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Const) and len(str(node.value)) <= _LONGEST


def _is_empty(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Const) and node.value == ""


def _nests(tree: nodes.Node, depth: int = 0) -> bool:
    """Return whether there are too many loops, one within another."""
    if depth > _MOST_LOOPS:
        return True
    return any(_nests(child, depth + isinstance(child, nodes.For)) for child in tree.iter_child_nodes())
