"""The physical form of a sealed field as SQL: column, CHECK, term column, unique constraint and index.  Pure.

docs/envelope.md says why it looks so.  Every function and type is schema-qualified, so that nothing in a search_path
can stand in for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlglot import exp

from keys.envelope import (
    HEAD_SIZE,
    MAX_BUCKET,
    TERM_SIZE,
    TOKEN_COUNT_SIZE,
    TOKEN_SIZE,
    minimum_size,
    scheme_of,
    tokens_at,
)
from keys.normalisers import fingerprint
from policies.fields import Field, Sealing
from proxy.errors import ConfigError
from proxy.sql.fragments import EVEN, SECOND, SECOND_AT, even, term_of

NAME_LIMIT = 63  # bytes; PostgreSQL cuts longer names without an error


def quote(name: str) -> str:
    """An identifier, always quoted."""
    return exp.to_identifier(name, quoted=True).sql("postgres")


def qualified(schema: str, name: str) -> str:
    return f"{quote(schema)}.{quote(name)}"


def check_name(sealing: Sealing) -> str:
    """Says which field this is and what its terms and search tokens are made through: others are not its own."""
    made = fingerprint((*sealing.normalisers, *sealing.tokens))
    return f"fg_{sealing.field_id}_{made}" if made else f"fg_{sealing.field_id}"


def checks_of(sealing: Sealing, names: Iterable[str]) -> list[str]:
    """Of the names of a table's CHECKs those that make a column this field, whatever its terms are made through."""
    mine = f"fg_{sealing.field_id}"
    return [name for name in names if name == mine or name.startswith(f"{mine}_")]


def unique_name(sealing: Sealing) -> str:
    """Of a unique constraint that we make; one that is carried over keeps its own name."""
    return f"fg_{sealing.field_id}_key"


def index_name(sealing: Sealing) -> str:
    return f"fg_{sealing.field_id}_idx"


def token_index_name(sealing: Sealing) -> str:
    return f"fg_{sealing.field_id}_tkx"


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
    return minimum_size(
        scheme_of(
            term=sealing.equality,
            row_bound=sealing.row_bound,
            padded=False,
            tokens=bool(sealing.tokens),
            per_subject=sealing.subject_kind is not None,
        )
    )


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
    term = term_of(quote(field.column), field)
    return f"{quote(term_column(field))} pg_catalog.bytea GENERATED ALWAYS AS ({term}) STORED"


def term_expression(quoted: str, field: Field) -> str:
    """The same as pg_get_expr prints it under search_path pg_catalog."""
    first = f"substr({quoted}, {HEAD_SIZE + 1}, {TERM_SIZE})"
    if field.term_epoch == 1:
        return first
    scheme, second = f"get_byte({quoted}, 3)", str(SECOND_AT)
    if sealing_of(field).tokens:
        count = f"((get_byte({quoted}, {SECOND_AT - 1}) * 256) + get_byte({quoted}, {SECOND_AT}))"
        second = f"({SECOND_AT + TOKEN_COUNT_SIZE} + ({TOKEN_SIZE} * {count}))"
    return (
        f"\nCASE\n    WHEN (({scheme} & {EVEN}) = {EVEN * even(field.term_epoch)}) THEN {first}"
        f"\n    WHEN (({scheme} & {SECOND}) = {SECOND}) THEN substr({quoted}, {second}, {TERM_SIZE})"
        "\n    ELSE NULL::bytea\nEND"
    )


def token_column(field: Field) -> str:
    """Raises ConfigError when the field has no search tokens, or PostgreSQL would cut their column's name."""
    if field.token_column is None:
        raise ConfigError(f"{field.name} has no search tokens")
    if len(field.token_column.encode()) > NAME_LIMIT:
        raise ConfigError(f"the name of {field.name} is too long: its token column's would pass {NAME_LIMIT} bytes")
    return field.token_column


def token_definition(field: Field) -> str:
    """For CREATE TABLE or ADD COLUMN: the search tokens as numbers, which PostgreSQL itself takes out of the cell.

    A generated column is an expression without subqueries, and nothing in pg_catalog cuts bytes into an array: so the
    tokens are written as bit strings with spaces between, split there, and read as numbers.
    """
    cell, sealing = quote(field.column), sealing_of(field)
    at = tokens_at(scheme_of(term=sealing.equality, row_bound=False, padded=False))
    count = (
        f"pg_catalog.get_byte({cell}, {at}) OPERATOR(pg_catalog.*) 256"
        f" OPERATOR(pg_catalog.+) pg_catalog.get_byte({cell}, {at + 1})"
    )
    size = f"{TOKEN_SIZE} OPERATOR(pg_catalog.*) ({count})"
    digits = f"pg_catalog.encode(pg_catalog.substr({cell}, {at + 1 + TOKEN_COUNT_SIZE}, {size}), 'hex')"
    bits = f"pg_catalog.rtrim(pg_catalog.regexp_replace({digits}, '(.{{{2 * TOKEN_SIZE}}})', E'x\\\\1 ', 'g'))"
    tokens = f"pg_catalog.string_to_array({bits}, ' ')::pg_catalog.bit({8 * TOKEN_SIZE})[]::pg_catalog.int4[]"
    return f"{quote(token_column(field))} pg_catalog.int4[] GENERATED ALWAYS AS ({tokens}) STORED"


def token_expression(quoted: str, sealing: Sealing) -> str:
    """The same as pg_get_expr prints it under search_path pg_catalog."""
    at = tokens_at(scheme_of(term=sealing.equality, row_bound=False, padded=False))
    count = f"((get_byte({quoted}, {at}) * 256) + get_byte({quoted}, {at + 1}))"
    digits = f"encode(substr({quoted}, {at + 1 + TOKEN_COUNT_SIZE}, ({TOKEN_SIZE} * {count})), 'hex'::text)"
    bits = f"rtrim(regexp_replace({digits}, '(.{{{2 * TOKEN_SIZE}}})'::text, 'x\\1 '::text, 'g'::text))"
    return f"((string_to_array({bits}, ' '::text))::bit({8 * TOKEN_SIZE})[])::integer[]"


def create_token_index(field: Field) -> str:
    """A statement: the index that serves searches by tokens."""
    name, table = quote(token_index_name(sealing_of(field))), qualified(field.schema, field.table)
    return f"CREATE INDEX {name} ON {table} USING gin ({quote(token_column(field))})"


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
    if sealing.tokens:
        elements.append(token_definition(field))
    if sealing.unique:
        elements.append(unique_constraint(field, unique))
    return tuple(elements)


def table_indexes(field: Field) -> tuple[str, ...]:
    """Statements to run after CREATE TABLE."""
    return (*term_indexes(field), *token_indexes(field))


def term_indexes(field: Field) -> tuple[str, ...]:
    sealing = sealing_of(field)
    return (create_index(field),) if sealing.equality and not sealing.unique else ()


def token_indexes(field: Field) -> tuple[str, ...]:
    return (create_token_index(field),) if sealing_of(field).tokens else ()
