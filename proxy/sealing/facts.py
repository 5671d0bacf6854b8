"""What pg_catalog says about tables: kinds, columns, constraints, indexes.  Read in one snapshot, judged elsewhere.

Expressions are deparsed under a fixed search_path and bytea_output, so that PostgreSQL prints one text for one meaning.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import asyncpg

from .fences import fence_head

Connection: TypeAlias = asyncpg.Connection
_READINGS = 5  # of facts that change while they are read


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    name: str
    quoted: str  # as pg_get_constraintdef prints it
    position: int
    type_oid: int
    type_name: str
    typmod: int
    not_null: bool
    generated: str  # pg_attribute.attgenerated
    expression: str | None  # the default, or what it is generated from


@dataclass(frozen=True, slots=True)
class ConstraintFacts:
    name: str
    definition: str
    enforced: bool  # validated and enforced


@dataclass(frozen=True, slots=True)
class TableFacts:
    oid: int
    schema: str
    name: str
    kind: str  # pg_class.relkind
    columns: dict[str, ColumnFacts] = field(default_factory=dict)
    checks: dict[str, ConstraintFacts] = field(default_factory=dict)
    unproven_not_null: frozenset[str] = frozenset()  # NOT NULL ... NOT VALID, PostgreSQL 18
    unique: frozenset[str] = frozenset()  # columns that are unique by themselves
    indexed: frozenset[str] = frozenset()  # columns that an index begins with
    token_indexed: frozenset[str] = frozenset()  # columns that stand whole in a GIN index
    fences: dict[str, bytes] = field(default_factory=dict)  # the head that a write fence admits, by trigger


async def fix_settings(connection: Connection) -> None:
    """For the rest of the transaction: every text that PostgreSQL makes for us has one form."""
    await connection.execute(
        "SET LOCAL search_path = pg_catalog; SET LOCAL bytea_output = hex; SET LOCAL quote_all_identifiers = off;"
        "SET LOCAL DateStyle = 'ISO, MDY'; SET LOCAL TimeZone = 'UTC'; SET LOCAL IntervalStyle = 'postgres';"
        "SET LOCAL extra_float_digits = 1; SET LOCAL row_security = off"
    )


async def read_tables(
    connection: Connection, names: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], tuple[TableFacts, ...]]:
    """For each (schema, table) that exists: the table, then its partitions and inheritance children, all levels.

    In one snapshot: a table that changes between two queries would be neither as it was nor as it is.  Within a
    transaction of the caller's it is up to the caller (its locks, or its isolation).  Triggers PostgreSQL deparses as
    they are now, all the same: of what was dropped it says nothing, or has an internal error, and all is read again.
    """
    names = list(names)
    for _ in range(_READINGS - 1):
        with suppress(asyncpg.InternalServerError):
            found, whole = await _read_once(connection, names)
            if whole:
                return found
    return (await _read_once(connection, names))[0]


async def _read_once(
    connection: Connection, names: list[tuple[str, str]]
) -> tuple[dict[tuple[str, str], tuple[TableFacts, ...]], bool]:
    """And whether nothing of it was dropped while it was read."""
    schemas, tables = [schema for schema, _ in names], [table for _, table in names]
    async with _one_snapshot(connection):
        await fix_settings(connection)
        members = await connection.fetch(_MEMBERS, schemas, tables)
        oids = sorted({row["oid"] for row in members})
        columns = await connection.fetch(_COLUMNS, oids)
        constraints = await connection.fetch(_CONSTRAINTS, oids)
        unique = await connection.fetch(_UNIQUE, oids)
        indexes = await connection.fetch(_INDEXES, oids)
        fences = await connection.fetch(_FENCES, oids)
    whole = all(row["definition"] is not None for row in (*constraints, *fences))
    facts = {row["oid"]: _table(row, columns, constraints, unique, indexes, fences) for row in members}
    found: dict[tuple[str, str], tuple[TableFacts, ...]] = {}
    for row in sorted(members, key=lambda row: row["depth"]):
        key = (row["root_schema"], row["root_name"])
        found[key] = (*found.get(key, ()), facts[row["oid"]])
    return found, whole


def _one_snapshot(connection: Connection) -> AbstractAsyncContextManager[None]:
    kind = {} if connection.is_in_transaction() else {"isolation": "repeatable_read", "readonly": True}
    made: AbstractAsyncContextManager[None] = connection.transaction(**kind)
    return made


def _table(
    row: Any, columns: list[Any], constraints: list[Any], unique: list[Any], indexes: list[Any], fences: list[Any]
) -> TableFacts:
    indexes = [index for index in indexes if index["table"] == row["oid"]]
    own = [c for c in constraints if c["table"] == row["oid"]]
    return TableFacts(
        oid=row["oid"],
        schema=row["schema"],
        name=row["name"],
        kind=row["kind"],
        columns={c["name"]: _column(c) for c in columns if c["table"] == row["oid"]},
        checks={
            c["name"]: ConstraintFacts(c["name"], c["definition"] or "", c["enforced"]) for c in own if c["kind"] == "c"
        },
        unproven_not_null=frozenset(c["column"] for c in own if c["kind"] == "n" and not c["enforced"]),
        unique=frozenset(u["column"] for u in unique if u["table"] == row["oid"]),
        indexed=frozenset(index["column"] for index in indexes if index["first"] and index["method"] != "gin"),
        token_indexed=frozenset(index["column"] for index in indexes if index["method"] == "gin" and index["whole"]),
        fences={f["name"]: fence_head(f["definition"] or "") or b"" for f in fences if f["table"] == row["oid"]},
    )


def _column(row: Any) -> ColumnFacts:
    return ColumnFacts(**{key: value for key, value in row.items() if key != "table"})


_FENCES = r"""
SELECT t.tgrelid::int8 AS table, t.tgname::text AS name, pg_get_triggerdef(t.oid) AS definition
FROM pg_trigger t WHERE t.tgrelid = ANY ($1::int8[]::oid[]) AND t.tgname ~ '^~fg_fence_[0-9a-f]{32}_key_'
"""

_MEMBERS = """
WITH RECURSIVE wanted AS (
  SELECT c.oid, n.nspname AS root_schema, c.relname AS root_name
  FROM unnest($1::text[], $2::text[]) AS w(schema, name)
  JOIN pg_namespace n ON n.nspname = w.schema
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
), member AS (
  SELECT oid, root_schema, root_name, 0 AS depth FROM wanted
  UNION
  SELECT i.inhrelid, m.root_schema, m.root_name, m.depth + 1 FROM member m JOIN pg_inherits i ON i.inhparent = m.oid
)
SELECT m.oid::int8, m.root_schema::text, m.root_name::text, m.depth,
       n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind
FROM member m JOIN pg_class c ON c.oid = m.oid JOIN pg_namespace n ON n.oid = c.relnamespace
"""

_COLUMNS = """
SELECT a.attrelid::int8 AS table, a.attname::text AS name, quote_ident(a.attname) AS quoted, a.attnum::int4 AS position,
       a.atttypid::int8 AS type_oid, format_type(a.atttypid, a.atttypmod) AS type_name, a.atttypmod AS typmod,
       a.attnotnull AS not_null, a.attgenerated::text AS generated, pg_get_expr(d.adbin, d.adrelid) AS expression
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = ANY ($1::int8[]::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
"""

# `conenforced` came with PostgreSQL 18; before it every constraint was enforced.
_CONSTRAINTS = """
SELECT c.conrelid::int8 AS table, c.conname::text AS name, c.contype::text AS kind,
       pg_get_constraintdef(c.oid) AS definition,
       c.convalidated AND coalesce((to_jsonb(c) ->> 'conenforced')::bool, true) AS enforced,
       CASE c.contype WHEN 'n' THEN (SELECT a.attname::text FROM pg_attribute a
         WHERE a.attrelid = c.conrelid AND a.attnum = c.conkey[1]) END AS column
FROM pg_constraint c
WHERE c.conrelid = ANY ($1::int8[]::oid[]) AND c.contype IN ('c', 'n')
"""

_UNIQUE = """
SELECT i.indrelid::int8 AS table, a.attname::text AS column
FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indrelid = ANY ($1::int8[]::oid[]) AND i.indisunique AND i.indisvalid AND i.indisready AND i.indislive
  AND i.indnkeyatts = 1 AND i.indpred IS NULL AND i.indexprs IS NULL
"""

_INDEXES = """
SELECT i.indrelid::int8 AS table, a.attname::text AS column, m.amname::text AS method, k.n = 1 AS first,
       i.indpred IS NULL AS whole
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, n)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = ANY ($1::int8[]::oid[]) AND i.indisvalid AND i.indisready AND i.indislive AND k.n <= i.indnkeyatts
"""
