"""YAML of people who do not know its pitfalls, and of people who exploit them.

Words and numbers are read as YAML 1.2 reads them, where that is less surprising than 1.1: `no`, `on`,
`12:30`, `01234`, `1_000`, `0x1F`, `<<` and dates are text. Refused are tags, keys that stand twice in a
mapping, and what is nested too deeply or, by aliases, grows too large.
"""

import re
from collections.abc import Hashable, Sequence
from typing import Any

import yaml

from glotmill.errors import one_line

MAX_DEPTH = 64
MAX_VALUES = 1_000_000

_TEXT = "tag:yaml.org,2002:str"
_NUMBERS = {"tag:yaml.org,2002:int": int, "tag:yaml.org,2002:float": float}


class YamlError(ValueError):
    """A text cannot be read. The message is one line, with the number of the line in the text."""


class RefusedYamlError(YamlError):
    """A text is YAML, and holds what is not read."""


class _RefusedError(yaml.MarkedYAMLError):
    pass


def load(data: str | bytes, *, verbatim: Sequence[tuple[str, ...]] = ()) -> Any:
    """Return what a YAML text says, as JSON values. Raises YamlError.

    verbatim: paths below which a number that is not written as numbers are printed (`1.10`, `+5`) is text.
    """
    loader = None
    try:
        loader = _Loader(data)
        node = loader.get_single_node()
        for path in verbatim:
            _keep_as_written(_below(node, path))
        return None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        kind = RefusedYamlError if isinstance(error, _RefusedError) else YamlError
        raise kind(one_line(f"{line}{error.problem or error.context}")) from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise YamlError(one_line(error)) from None
    finally:
        if loader is not None:
            loader.dispose()


class _Loader(yaml.SafeLoader):
    """A subclass, since other libraries change the resolvers of SafeLoader."""

    def __init__(self, data: str | bytes) -> None:
        super().__init__(data)
        self._level = 0
        self._sizes: dict[int, tuple[int, int]] = {}  # id of a finished node -> its values, its depth

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose a node, and refuse what is too deep, too large, or has a tag."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        tag = getattr(event, "tag", None)
        if tag not in (None, "!", _TEXT):
            name = str(tag).replace("tag:yaml.org,2002:", "!!")
            raise _error(f"the tag {name} is not read; leave it out", event)
        self._level += 1
        if self._level > MAX_DEPTH:
            raise _error(f"nested over {MAX_DEPTH} deep; simplify it", event)
        node = super().compose_node(parent, index)
        self._level -= 1
        if isinstance(event, yaml.AliasEvent) and id(node) not in self._sizes:
            raise _error(f"*{event.anchor} stands within what it stands for; write it out", event)
        if id(node) not in self._sizes:
            sizes = [self._sizes[id(child)] for child in _children(node)]
            self._sizes[id(node)] = (
                1 + sum(size for size, _ in sizes),
                1 + max((depth for _, depth in sizes), default=0),
            )
        values, depth = self._sizes[id(node)]
        if values > MAX_VALUES:
            raise _error(f"its aliases (*name) expand to over {MAX_VALUES:,} values; use fewer", event)
        if depth + self._level > MAX_DEPTH:
            raise _error(f"nested over {MAX_DEPTH} deep; simplify it", event)
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        """Construct a mapping, and refuse a key that stands twice."""
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable):
                if key in seen:
                    raise _error(f"the key {key!r:.80} stands twice in one mapping; remove one", key_node)
                seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), [*_first])


def _error(problem: str, there: Any) -> _RefusedError:
    return _RefusedError(problem=problem, problem_mark=there.start_mark)


def _children(node: Any) -> list[Any]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _below(node: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        if not isinstance(node, yaml.MappingNode):
            return None
        node = next((value for name, value in node.value if name.value == key), None)
    return node


def _keep_as_written(node: Any) -> None:
    """Make texts of numbers that would be printed in another way."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        waiting += _children(node)
        if isinstance(node, yaml.ScalarNode) and (number := _NUMBERS.get(node.tag)):
            try:
                is_same = str(number(node.value)) == node.value
            except ValueError:  # `.inf`, or too many digits
                is_same = False
            if not is_same:
                node.tag = _TEXT
