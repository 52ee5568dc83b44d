"""The columns of any table as filters judge them: languages as tags, of chats what each role says.

`language` holds the tag of each row's language (`fr`, `fra_Latn` and `French` are `fra_Latn`), null where it
names none. A column of messages (a list of {role, content}, or of {from, value}) stands for what the
assistant says, a text a message; `messages_user` and `messages_system` stand for what the others say.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl

from glotmill import languages
from glotmill.errors import RecipeError, UsageError, one_line
from glotmill.io.rows.arrow import to_polars
from glotmill.plugins import did_you_mean

USUAL = ("text", "messages")  # columns that are judged where none is named
LANGUAGE = "language"

_ROLES = {"assistant": ("assistant", "gpt", "model"), "user": ("user", "human"), "system": ("system",)}
_MESSAGES = (("role", "content"), ("from", "value"))


@dataclass(frozen=True)
class Asked:
    """In which language the rows should be: all in one, or each in that of a column; or it is not known."""

    tag: str = ""
    column: str = ""

    def __bool__(self) -> bool:
        return bool(self.tag or self.column)


def usual_column(names: Iterable[str]) -> str:
    """Return the column that is judged where none is named. Raises UsageError if there is no usual one."""
    for name in USUAL:
        if name in (names := list(names)):
            return name
    raise UsageError(f"no column named text or messages; say with --column what is judged: {_there(names)}")


def sources(needed: Iterable[str], schema: Any, asked: Asked) -> dict[str, str]:
    """Return each column that filters need, and the input's column that it is made of.

    schema: a pyarrow.Schema. Raises UsageError for a column that is not there or cannot be judged.
    """
    found = {}
    for name in sorted({*needed}):
        parent, _, role = name.rpartition("_")
        if name == LANGUAGE and asked:
            continue
        if name in ("reason", "reason_at"):
            raise UsageError(f"column {name!r}: filters write a column of this name; rename yours")
        if name in schema.names:
            found[name] = name
        elif role in _ROLES and parent in schema.names and _message(_kind(schema, parent)):
            found[name] = parent
        elif name == LANGUAGE:
            raise UsageError("in which language are the rows? Say it with --language or --language-column")
        else:
            hint = did_you_mean(name, schema.names)
            raise UsageError(f"no column {name!r}{hint or '; ' + _there(schema.names)}")
        _refuse_strange(found[name], _kind(schema, found[name]))
    return found


def frame(table: Any, made_of: Mapping[str, str], asked: Asked) -> pl.DataFrame:
    """Return what filters see of a pyarrow.Table: the columns of `made_of`, and `language` if it is asked."""
    rows = to_polars(table.select(sorted({*made_of.values()})))
    seen = rows.select(_seen(name, source, rows.schema[source]) for name, source in made_of.items())
    if not asked:
        return seen
    column = tags(table.column(asked.column)) if asked.column else pl.Series([asked.tag] * table.num_rows)
    return pl.DataFrame(
        [*seen.get_columns(), column.cast(pl.String).alias(LANGUAGE)]
    )  # also where it is the only one


def tags(column: Any) -> pl.Series:
    """Return the tag of each language that a pyarrow column names; null where it names none."""
    raw = pl.Series(pl.from_arrow(column)).cast(pl.String)
    found = {text: _tag(text) for text in raw.unique().to_list()}
    return pl.Series(LANGUAGE, [found[text] for text in raw.to_list()], pl.String)


@cache
def _tag(text: str | None) -> str | None:
    try:
        return languages.find(text).tag
    except RecipeError:
        return None


def _seen(name: str, source: str, kind: pl.DataType) -> pl.Expr:
    column = pl.col(source)
    if isinstance(kind, pl.Categorical | pl.Enum):
        return column.cast(pl.String).alias(name)
    if not (fields := _message(kind)):
        return column.alias(name)
    role = "assistant" if name == source else name.rpartition("_")[2]
    speaker, said = (pl.element().struct.field(field) for field in fields)
    theirs = speaker.cast(pl.String).str.to_lowercase().is_in(_ROLES[role])
    return column.list.eval(said.filter(theirs).cast(pl.String)).alias(name)


def _message(kind: pl.DataType) -> tuple[str, str] | None:
    """The names of who speaks and of what is said, if these are messages."""
    names = _fields(kind)
    return next((pair for pair in _MESSAGES if names.keys() >= set(pair)), None)


def _fields(kind: pl.DataType) -> dict[str, Any]:
    inner = kind.inner if isinstance(kind, pl.List) else None
    return {field.name: field.dtype for field in inner.fields} if isinstance(inner, pl.Struct) else {}


def _refuse_strange(name: str, kind: pl.DataType) -> None:
    fields = _fields(kind)
    if pair := _message(kind):
        if isinstance(fields[pair[1]], pl.List | pl.Struct):
            raise UsageError(f"column {name!r}: {pair[1]!r} is in parts ({fields[pair[1]]}); make it a text")
    elif fields and "text" not in fields:
        raise UsageError(
            f"column {name!r}: a list of {{{', '.join(fields)}}}; a list is judged if it holds texts, "
            "{role, content}, {from, value} or {speaker, text}"
        )


def _kind(schema: Any, name: str) -> pl.DataType:
    import pyarrow as pa

    try:
        one = pa.schema([schema.field(name)]).empty_table()
        return to_polars(one).dtypes[0]
    except (pa.ArrowException, pl.exceptions.PolarsError, TypeError, ValueError) as error:
        kind = schema.field(name).type
        raise UsageError(f"column {name!r}: {kind} cannot be judged ({one_line(error)})") from None


def _there(names: Iterable[str]) -> str:
    return f"there is {', '.join(names) or 'no column'}"
