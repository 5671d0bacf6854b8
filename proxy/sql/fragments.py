"""The SQL that is put in, built and quoted by sqlglot.  Pure text; no fragment holds a value."""

from __future__ import annotations

from functools import lru_cache

from sqlglot import exp

from policies.fields import LogicalType, Sealing

from .catalog import Catalog, Column

HIDDEN_PREFIX = "fg_"  # names with this prefix are ours; a client's statement that touches protected data has none
BYTEA_CAST = "::pg_catalog.bytea"
BYTEA_ARRAY_CAST = "::pg_catalog.bytea[]"


@lru_cache(maxsize=4096)
def quoted(name: str) -> str:
    """An identifier, always quoted, so that no keyword and no folding can change it."""
    return exp.to_identifier(name, quoted=True).sql(dialect="postgres")


def dotted(*names: str) -> str:
    return ".".join(quoted(name) for name in names)


@lru_cache(maxsize=256)
def logical_type_name(logical: LogicalType, typmod: int) -> str:
    """The type as it stands in a cast, with its modifiers (PostgreSQL's typmod encoding)."""
    name = f"pg_catalog.{logical.value}"
    if typmod < 0:
        return name
    match logical:
        case LogicalType.VARCHAR:
            return f"{name}({typmod - 4})"
        case LogicalType.NUMERIC:
            return f"{name}({(typmod - 4) >> 16 & 0xFFFF},{(typmod - 4) & 0x7FF})"
        case LogicalType.TIMESTAMP | LogicalType.TIMESTAMPTZ:
            return f"{name}({typmod})"
        case _:
            return name


def null_of(type_name: str) -> str:
    return f"CAST(NULL AS {type_name})"


def null_of_column(column: Column, sealing: Sealing | None, catalog: Catalog) -> str:
    """NULL of the type that a client knows the column by."""
    if sealing is not None:
        return null_of(logical_type_name(sealing.logical_type, sealing.typmod))
    return null_of(catalog.type_names.get(column.type_oid, "pg_catalog.text"))


def term_of(cell: str) -> str:
    """The term inside a cell's header, where no term column is at hand (docs/envelope.md)."""
    return f"pg_catalog.substr({cell}, 13, 16)"
