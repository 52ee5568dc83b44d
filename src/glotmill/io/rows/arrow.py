"""Between pyarrow, which holds every type of a file, and polars, which filters work with."""

from typing import Any

import polars as pl

from glotmill.errors import UsageError, one_line


def to_polars(table: Any) -> pl.DataFrame:
    """Return a pyarrow.Table or RecordBatch as a DataFrame; polars has no decimal256: text instead."""
    import pyarrow as pa

    schema = pa.schema([field.with_type(_without_decimal256(field.type)) for field in table.schema])
    return pl.DataFrame(pl.from_arrow(table if schema == table.schema else table.cast(schema)))


def from_polars(frame: pl.DataFrame) -> Any:
    """Return a DataFrame as a pyarrow.Table of types that older readers know too."""
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


def select(schema: Any, names: Any) -> Any:
    """Return the part of a pyarrow.Schema with some names; all of it for None."""
    import pyarrow as pa

    return schema if names is None else pa.schema([field for field in schema if field.name in names])


def fit(table: Any, schema: Any, location: str) -> Any:
    """Return a table with the columns of a schema, in its order; missing ones are null. Raises UsageError."""
    import pyarrow as pa

    try:
        columns = [
            table.column(field.name).cast(field.type)
            if field.name in table.column_names
            else pa.nulls(len(table), field.type)
            for field in schema
        ]
    except (pa.ArrowException, KeyError) as error:
        raise UsageError(f"{location}: rows that differ from those before: {one_line(error)}") from None
    return pa.Table.from_arrays(columns, schema=schema)


def _without_decimal256(kind: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_decimal256(kind):
        return pa.string()
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        return pa.list_(_without_decimal256(kind.value_type), getattr(kind, "list_size", -1))
    if pa.types.is_large_list(kind):
        return pa.large_list(_without_decimal256(kind.value_type))
    if pa.types.is_map(kind):
        return pa.map_(kind.key_type, _without_decimal256(kind.item_type))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_without_decimal256(field.type)) for field in kind])
    return kind
