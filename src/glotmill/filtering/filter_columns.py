"""The columns of any table as filters read them: languages as tags, conversations as the texts of a role.

`language` holds the tag of each row's language (`fr`, `fra_Latn` and `French` become `fra_Latn`), null if
there is no such language. A column of messages (lists of {role, content} or {from, value}) becomes the list
of the assistant's texts; `messages_user` and `messages_system` are the lists of the other roles' texts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl

from glotmill import languages
from glotmill.errors import RecipeError, UsageError, one_line
from glotmill.io.rows import to_polars
from glotmill.plugins import did_you_mean

DEFAULT_COLUMNS = ("text", "messages")  # that filters read, the first that exists
LANGUAGE = "language"

_ROLES = {"assistant": ("assistant", "gpt", "model"), "user": ("user", "human"), "system": ("system",)}
_MESSAGES = (("role", "content"), ("from", "value"))


@dataclass(frozen=True)
class RowLanguage:
    """The language of the rows: one for all (tag), or that in a column. False if it is unknown."""

    tag: str = ""
    column: str = ""

    def __bool__(self) -> bool:
        return bool(self.tag or self.column)


def default_column(names: Sequence[str]) -> str:
    """Return the column that filters read by default. Raises UsageError if there is none."""
    for name in DEFAULT_COLUMNS:
        if name in names:
            return name
    raise UsageError(f"no column named text or messages; choose one with --column: {_list_columns(names)}")


def find_sources(required: Iterable[str], schema: Any, language: RowLanguage) -> dict[str, str]:
    """Return, for each column that filters read, the column of the input that it comes from.

    schema: a pyarrow.Schema. Raises UsageError for a column that does not exist or that filters cannot
    read.
    """
    sources = {}
    for name in sorted({*required}):
        parent, _, role = name.rpartition("_")
        if name == LANGUAGE and language:
            continue
        if name in ("reason", "reason_at"):
            raise UsageError(f"column {name!r}: filters write a column of this name; rename yours")
        if name in schema.names:
            sources[name] = name
        elif role in _ROLES and parent in schema.names and _message_fields(_dtype(schema, parent)):
            sources[name] = parent
        elif name == LANGUAGE:
            raise UsageError("the language of the rows is unknown; give --language or --language-column")
        else:
            hint = did_you_mean(name, schema.names)
            raise UsageError(f"no column {name!r}{hint or '; ' + _list_columns(schema.names)}")
        _check_dtype(sources[name], _dtype(schema, sources[name]))
    return sources


def frame(table: Any, sources: Mapping[str, str], language: RowLanguage) -> pl.DataFrame:
    """Return what filters read of a pyarrow.Table: the columns of `sources` and, if it is known,
    `language`."""
    rows = to_polars(table.select(sorted({*sources.values()})))
    columns = rows.select(_read(name, source, rows.schema[source]) for name, source in sources.items())
    if not language:
        return columns
    if language.column:
        tag_column = tags(table.column(language.column))
    else:
        tag_column = pl.Series([language.tag] * table.num_rows)
    return pl.DataFrame([*columns.get_columns(), tag_column.cast(pl.String).alias(LANGUAGE)])


def tags(column: Any) -> pl.Series:
    """Return the tag of each language in a pyarrow column, null for a text that names none."""
    names = pl.Series(pl.from_arrow(column)).cast(pl.String)
    tag_by_name = {name: _tag(name) for name in names.unique().to_list()}
    return pl.Series(LANGUAGE, [tag_by_name[name] for name in names.to_list()], pl.String)


@cache
def _tag(name: str | None) -> str | None:
    try:
        return languages.find(name).tag
    except RecipeError:
        return None


def _read(name: str, source: str, dtype: pl.DataType) -> pl.Expr:
    """Return the column that filters read: categories as texts, messages as the texts of one role."""
    column = pl.col(source)
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return column.cast(pl.String).alias(name)
    if not (fields := _message_fields(dtype)):
        return column.alias(name)
    role = "assistant" if name == source else name.rpartition("_")[2]
    speaker, text = (pl.element().struct.field(field) for field in fields)
    is_role = speaker.cast(pl.String).str.to_lowercase().is_in(_ROLES[role])
    return column.list.eval(text.filter(is_role).cast(pl.String)).alias(name)


def _message_fields(dtype: pl.DataType) -> tuple[str, str] | None:
    """Return the names of the fields with the role and the text, if the column holds messages."""
    names = _struct_fields(dtype)
    return next((pair for pair in _MESSAGES if names.keys() >= set(pair)), None)


def _struct_fields(dtype: pl.DataType) -> dict[str, Any]:
    inner = dtype.inner if isinstance(dtype, pl.List) else None
    return {field.name: field.dtype for field in inner.fields} if isinstance(inner, pl.Struct) else {}


def _check_dtype(name: str, dtype: pl.DataType) -> None:
    fields = _struct_fields(dtype)
    if pair := _message_fields(dtype):
        if isinstance(fields[pair[1]], pl.List | pl.Struct):
            raise UsageError(f"column {name!r}: {pair[1]!r} is in parts ({fields[pair[1]]}); make it a text")
    elif fields and "text" not in fields:
        raise UsageError(
            f"column {name!r}: a list of {{{', '.join(fields)}}}; filters read lists of texts, "
            "{role, content}, {from, value} or {speaker, text}"
        )


def _dtype(schema: Any, name: str) -> pl.DataType:
    import pyarrow as pa

    try:
        return to_polars(pa.schema([schema.field(name)]).empty_table()).dtypes[0]
    except (pa.ArrowException, pl.exceptions.PolarsError, TypeError, ValueError) as error:
        raise UsageError(
            f"column {name!r}: filters cannot read {schema.field(name).type} ({one_line(error)})"
        ) from None


def _list_columns(names: Iterable[str]) -> str:
    return f"there is {', '.join(names) or 'no column'}"
