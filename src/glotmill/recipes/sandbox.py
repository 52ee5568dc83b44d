"""Jinja's immutable sandbox, with limits on what a prompt may take: a second, and 64 MB.

A template whose form bounds what it takes (`template_cost`) is rendered here, with a clock in its loops. Any
other is rendered in a process with limits (`render_process`), at a higher price.
"""

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from random import Random
from typing import Any

from jinja2 import DictLoader, StrictUndefined, Template, TemplateSyntaxError, nodes, pass_context
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.filters import do_format, do_indent
from jinja2.sandbox import ImmutableSandboxedEnvironment

from glotmill.columns import ID, PROMPT_TOO_LONG
from glotmill.errors import RequestFailed
from glotmill.recipes.render_process import MAX_SECONDS, RemoteTemplate
from glotmill.recipes.template_cost import is_cheap

MAX_CHARS = 2_000_000  # in all messages of one request

_PADDING = frozenset({"ljust", "rjust", "center", "zfill", "expandtabs", "format", "format_map"})
_TIMED = " timed"  # a filter that no template can name
_MAX_DEPTH = 100  # of a template's syntax tree
_WIDE = re.compile(r"%[^a-zA-Z%]*(?:\d{4}|\*)")  # %5000d, %*d: pads to a width of thousands, or to any


class _LocalTemplate(Template):
    """Starts the clock of its environment with each row."""

    def new_context(self, vars: Any = None, shared: bool = False, locals: Any = None) -> Any:
        if not shared:  # an included template goes by the clock of the row
            self.environment.start = (time.monotonic(), time.thread_time())  # type: ignore[attr-defined]
        return super().new_context(vars, shared, locals)


class Sandbox(ImmutableSandboxedEnvironment):
    """Fails on undefined names and on null; refuses operations by which a few characters fill the memory."""

    intercepted_binops = frozenset(["*", "**", "%", "+"])
    template_class = _LocalTemplate
    start = (0.0, 0.0)  # of the row: wall clock, time of this thread

    def __init__(self, *, here: bool = False, **options: Any) -> None:
        """Make an environment. here: render every template in this process, whatever it takes."""
        super().__init__(undefined=StrictUndefined, finalize=_refuse_null, optimized=False, **options)
        self._here = here
        del self.globals["lipsum"]
        self.filters[_TIMED] = self._timed
        self.filters["format"] = _format
        self.filters["indent"] = _indent
        self.filters["tojson"] = _tojson
        self.filters["random"] = _random
        for name in ("center", "batch", "slice"):
            del self.filters[name]

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> Template:
        """Return a template; where its form does not bound what it takes, one that is rendered apart."""
        try:
            template = super().get_template(name, parent, globals)
        except (SyntaxError, RecursionError, MemoryError):  # of Python, which has limits on nesting
            raise TemplateSyntaxError("nested too deeply; simplify it", 1) from None
        if self._here or parent is not None:
            return template
        assert isinstance(self.loader, DictLoader)
        sources: Mapping[str, str] = self.loader.mapping
        is_local = is_cheap(self.parse(source) for source in sources.values())
        return template if is_local else RemoteTemplate(sources, name)  # type: ignore[return-value]

    def parse(self, source: str, name: str | None = None, filename: str | None = None) -> nodes.Template:
        """Return the syntax tree of a template. To look at: jinja2 would compute filters of constants."""
        tree = super().parse(source, name, filename)
        without_filters = self.overlay()
        without_filters.filters = dict.fromkeys(self.filters, _not_computed)
        tree.set_environment(without_filters)
        return tree

    def preprocess(self, source: str, name: str | None = None, filename: str | None = None) -> str:
        """Leave out a byte order mark."""
        return super().preprocess(source.removeprefix("\ufeff"), name, filename)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        level: list[nodes.Node] = [tree]
        for _ in range(_MAX_DEPTH):
            level = [child for node in level for child in node.iter_child_nodes()]
            if not level:
                return tree
        raise TemplateSyntaxError("nested too deeply; simplify it", 1)

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        if not self._here:
            for loop in source.find_all(nodes.For):
                timed = nodes.Filter(loop.iter, _TIMED, [], [], None, None, lineno=loop.lineno)
                loop.iter = timed.set_environment(self)
        return super()._generate(source, name, filename, defer_init)

    def _timed(self, items: Iterable[Any]) -> Iterator[Any]:
        """Yield items until a prompt takes too long."""
        wall, own = self.start
        for item in items:
            if time.monotonic() - wall > MAX_SECONDS and time.thread_time() - own > MAX_SECONDS:
                raise SecurityError(f"takes over {MAX_SECONDS:.0f} s of computing to render; simplify it")
            yield item

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Allow arithmetic on numbers, `+` on texts and lists up to a length, and `%` on texts."""
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if operator == "%" and isinstance(left, str):
            return _format(left, *(right if isinstance(right, tuple) else (right,)))
        if operator == "**" or not (numbers or operator == "+"):
            raise SecurityError(
                f"templates may not compute {type(left).__name__} {operator} {type(right).__name__}"
            )
        if operator == "+" and not numbers and len(left) + len(right) > MAX_CHARS:
            raise SecurityError(f"a template rendered over {MAX_CHARS:,} characters")
        return super().call_binop(context, operator, left, right)

    def wrap_str_format(self, value: Any) -> None:
        """Leave `str.format` to `is_safe_attribute`: jinja2's wrapper of it pads to any width."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Refuse the methods that pad a text to any width."""
        return not (isinstance(obj, str) and attr in _PADDING) and super().is_safe_attribute(obj, attr, value)


def compile_here(sources: Mapping[str, str], name: str) -> Template:
    """Return a template that is rendered in this process, whatever it takes."""
    return environment(sources, here=True).get_template(name)


def environment(sources: Mapping[str, str], *, here: bool = False) -> Sandbox:
    """Return an environment with these templates."""
    return Sandbox(
        here=here, loader=DictLoader(sources), keep_trailing_newline=True, autoescape=False, auto_reload=False
    )


def join_bounded(parts: Iterable[str], limit: int) -> str:
    """Join texts. Raises RequestFailed as soon as they exceed `limit` characters."""
    texts: list[str] = []
    length = 0
    for part in parts:
        length += len(part)
        if length > limit:
            raise RequestFailed(PROMPT_TOO_LONG, f"a template rendered over {MAX_CHARS:,} characters")
        texts.append(part)
    return "".join(texts)


@pass_context  # which keeps jinja2 from computing constants while it compiles
def _refuse_null(context: Any, value: Any) -> Any:
    if value is None:
        raise UndefinedError("a value that the template prints is null; test it with {% if %}, or provide it")
    return value


@pass_context
def _random(context: Any, items: Any) -> Any:
    """Draw an item by the id of the row and the items: a row has the same prompt in another process."""
    items = list(items)
    if not items:
        raise UndefinedError("nothing can be drawn from an empty list")
    return Random(f"{context.get(ID, '')} {items!r}").choice(items)  # noqa: S311 no secret


def _tojson(value: Any, indent: int | None = None) -> str:
    """Write JSON with the letters of its language, keys in alphabetical order."""
    if indent is not None and indent > 100:
        raise SecurityError("templates may indent by 100 at most")
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=indent)


@pass_context
def _not_computed(context: Any, *values: Any, **named: Any) -> str:
    raise SecurityError("only to look at")


def _format(text: str, *values: Any, **named: Any) -> str:
    if _WIDE.search(text):
        raise SecurityError(f"templates may not pad to the width in {text[:40]!r}")
    return do_format(text, *values, **named)


def _indent(text: str, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    if (isinstance(width, int) and width > 100) or (isinstance(width, str) and len(width) > 100):
        raise SecurityError("templates may indent by 100 at most")
    return do_indent(text, width, first, blank)
