"""The physical form of a sealed field as SQL: column, CHECK, term column, unique constraint and index.  Pure.

docs/envelope.md says why it looks so.  Every function and type is schema-qualified, so that nothing in a search_path
can stand in for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlglot import exp

from keys.envelope import HEAD_SIZE, MAX_BUCKET, TERM_SIZE, minimum_size, scheme_of
from keys.normalisers import fingerprint
from policies.fields import Field, Sealing
from proxy.errors import ConfigError

NAME_LIMIT = 63  # bytes; PostgreSQL cuts longer names without an error


def quote(name: str) -> str:
    """An identifier, always quoted."""
    return exp.to_identifier(name, quoted=True).sql("postgres")


def qualified(schema: str, name: str) -> str:
    return f"{quote(schema)}.{quote(name)}"


def check_name(sealing: Sealing) -> str:
    """Says which field this is and what its terms are made through: cells of other terms are not taken for its own."""
    normalised = fingerprint(sealing.normalisers)
    return f"fg_{sealing.field_id}_{normalised}" if normalised else f"fg_{sealing.field_id}"


def checks_of(sealing: Sealing, names: Iterable[str]) -> list[str]:
    """Of the names of a table's CHECKs those that make a column this field, whatever its terms are made through."""
    mine = f"fg_{sealing.field_id}"
    return [name for name in names if name == mine or name.startswith(f"{mine}_")]


def unique_name(sealing: Sealing) -> str:
    """Of a unique constraint that we make; one that is carried over keeps its own name."""
    return f"fg_{sealing.field_id}_key"


def index_name(sealing: Sealing) -> str:
    return f"fg_{sealing.field_id}_idx"


def sealing_of(field: Field) -> Sealing:
    if field.sealing is None:
        raise ConfigError(f"{field.name} is not a sealed field in the data map")
    return field.sealing


def term_column(field: Field) -> str:
    """Raises ConfigError when the field has no term, or PostgreSQL would cut the term column's name."""
    if field.term_column is None:
        raise ConfigError(f"{field.name} has no equality term")
    if len(field.term_column.encode()) > NAME_LIMIT:
        raise ConfigError(f"the name of {field.name} is too long: its term column's would pass {NAME_LIMIT} bytes")
    return field.term_column


def minimum_octets(sealing: Sealing) -> int:
    """The length of the shortest cell.  Padding may be switched on in a field's life, so it is not counted."""
    return minimum_size(scheme_of(term=sealing.equality, row_bound=sealing.row_bound, padded=False))


def check_expression(field: Field, heads: Collection[bytes], column: str | None = None) -> str:
    """What the CHECK says: NULL, or an envelope whose head may be written now."""
    sealing, name = sealing_of(field), quote(column or field.column)
    if not heads or any(len(head) != HEAD_SIZE for head in heads):
        raise ConfigError(f"{field.name} has no head that may be written")
    if not 0 <= sealing.pad_to <= MAX_BUCKET:
        raise ConfigError(f"{field.name} is padded to at most {MAX_BUCKET} bytes")
    admitted = ", ".join(f"E'\\\\x{head.hex()}'::pg_catalog.bytea" for head in sorted(heads))
    return (
        f"{name} IS NULL OR pg_catalog.octet_length({name}) >= {minimum_octets(sealing)}"
        f" AND pg_catalog.substr({name}, 1, {HEAD_SIZE}) IN ({admitted})"
    )


def check_constraint(field: Field, heads: Collection[bytes]) -> str:
    return f"CONSTRAINT {quote(check_name(sealing_of(field)))} CHECK ({check_expression(field, heads)})"


def column_definition(field: Field, heads: Collection[bytes]) -> str:
    """For CREATE TABLE: the column with its CHECK."""
    not_null = " NOT NULL" if sealing_of(field).not_null else ""
    return f"{quote(field.column)} pg_catalog.bytea{not_null} {check_constraint(field, heads)}"


def term_definition(field: Field) -> str:
    """For CREATE TABLE or ADD COLUMN: the term, which PostgreSQL itself takes out of the cell."""
    term = f"pg_catalog.substr({quote(field.column)}, {HEAD_SIZE + 1}, {TERM_SIZE})"
    return f"{quote(term_column(field))} pg_catalog.bytea GENERATED ALWAYS AS ({term}) STORED"


def unique_constraint(field: Field, name: str | None = None) -> str:
    return f"CONSTRAINT {quote(name or unique_name(sealing_of(field)))} UNIQUE ({quote(term_column(field))})"


def create_index(field: Field) -> str:
    """A statement: the index that serves equality, where no unique constraint does."""
    name, table = quote(index_name(sealing_of(field))), qualified(field.schema, field.table)
    return f"CREATE INDEX {name} ON {table} ({quote(term_column(field))})"


def table_elements(field: Field, heads: Collection[bytes], unique: str | None = None) -> tuple[str, ...]:
    """What stands in CREATE TABLE (...) for the field; `unique` is the name of its unique constraint, if it has one."""
    sealing = sealing_of(field)
    if sealing.unique and not sealing.equality:
        raise ConfigError(f"{field.name} is unique, which needs `equality`")
    elements = [column_definition(field, heads)]
    if sealing.equality:
        elements.append(term_definition(field))
    if sealing.unique:
        elements.append(unique_constraint(field, unique))
    return tuple(elements)


def table_indexes(field: Field) -> tuple[str, ...]:
    """Statements to run after CREATE TABLE."""
    sealing = sealing_of(field)
    return (create_index(field),) if sealing.equality and not sealing.unique else ()
