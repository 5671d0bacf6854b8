"""The SQL that is put in, built and quoted by sqlglot.  Pure text; no fragment holds a value."""

from __future__ import annotations

from functools import lru_cache

from sqlglot import exp

from policies.fields import Field, LogicalType, Sealing

from .catalog import Catalog, Column

HIDDEN_PREFIX = "fg_"  # names with this prefix are ours; a client's statement that touches protected data has none
SECOND, EVEN, SECOND_AT = 16, 32, 29  # the bits of a scheme; a second term's place, from 1 (docs/envelope.md)
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


def term_of(cell: str, field: Field | None) -> str:
    """The term inside a cell's header, where no term column is at hand (docs/envelope.md).

    Of the epoch that the field is searched by: while a term key is rotated, cells begin with the term of either.
    """
    if field is None or field.sealing is None or field.term_epoch == 1:
        return f"pg_catalog.substr({cell}, 13, 16)"
    scheme, equals, wanted = f"pg_catalog.get_byte({cell}, 3)", "OPERATOR(pg_catalog.=)", EVEN * even(field.term_epoch)
    second = str(SECOND_AT)
    if field.sealing.tokens:
        count = f"pg_catalog.get_byte({cell}, {SECOND_AT - 1}) OPERATOR(pg_catalog.*) 256"
        count += f" OPERATOR(pg_catalog.+) pg_catalog.get_byte({cell}, {SECOND_AT})"
        second = f"{SECOND_AT + 2} OPERATOR(pg_catalog.+) (4 OPERATOR(pg_catalog.*) ({count}))"
    return (
        f"CASE WHEN ({scheme} OPERATOR(pg_catalog.&) {EVEN}) {equals} {wanted} THEN pg_catalog.substr({cell}, 13, 16)"
        f" WHEN ({scheme} OPERATOR(pg_catalog.&) {SECOND}) {equals} {SECOND}"
        f" THEN pg_catalog.substr({cell}, {second}, 16) END"
    )


def even(epoch: int) -> bool:
    """Bit 5 of a scheme says it of the first term."""
    return epoch % 2 == 0
