"""What PostgreSQL's catalogs hold about protected tables -> `proxy.sql.structure.Structure`.

Read after the Catalog, in its transaction: which relations are protected is known by then.  What is made of the rows is
worked out in `proxy.catalog_structure`, which is pure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from proxy.catalog_ours import StructureRows
from proxy.catalog_structure import CATALOGS, VIEWS, structure_of
from proxy.sql.catalog import Catalog
from proxy.sql.parameters import OIDS
from proxy.sql.structure import System

Connection = Any  # asyncpg has no types that mypy can check

_CATALOG_COLUMNS = """
SELECT c.relname::pg_catalog.text AS relation, a.attname::pg_catalog.text AS name,
       'pg_catalog.' || pg_catalog.quote_ident(t.typname) AS type
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE c.relnamespace = 'pg_catalog'::pg_catalog.regnamespace AND c.relname = ANY ($1::pg_catalog.text[])
  AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum
"""

_VIEWS = """
SELECT n.nspname::pg_catalog.text AS schema, c.relname::pg_catalog.text AS name,
       pg_catalog.pg_get_viewdef(c.oid) AS definition
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v' AND n.nspname || '.' || c.relname = ANY ($1::pg_catalog.text[])
"""

_TABLES = """
SELECT c.oid::pg_catalog.int8 AS oid, c.relnatts AS columns, c.relchecks AS checks
FROM pg_catalog.pg_class c
WHERE c.oid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[])
"""

# Columns of protected tables, and of their indexes, which have relations and columns of their own.
_ATTRIBUTES = """
SELECT a.attrelid::pg_catalog.int8 AS oid, a.attnum AS number, a.attname::pg_catalog.text AS name,
       pg_catalog.quote_ident(a.attname) AS quoted, a.atttypid::pg_catalog.int8 AS type
FROM pg_catalog.pg_attribute a
WHERE a.attnum > 0 AND NOT a.attisdropped
  AND a.attrelid IN (SELECT pg_catalog.unnest($1::pg_catalog.int8[]::pg_catalog.oid[]) UNION ALL
                     SELECT i.indexrelid FROM pg_catalog.pg_index i
                     WHERE i.indrelid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[]))
"""

_INDEXES = """
SELECT i.indexrelid::pg_catalog.int8 AS oid, i.indrelid::pg_catalog.int8 AS table, c.relname::pg_catalog.text AS name,
       i.indisunique AS unique, c.relam::pg_catalog.int8 AS method, i.indkey::pg_catalog.int2[] AS keys,
       i.indclass::pg_catalog.oid[]::pg_catalog.int8[] AS classes,
       i.indcollation::pg_catalog.oid[]::pg_catalog.int8[] AS collations
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[])
"""

_CONSTRAINTS = """
SELECT c.oid::pg_catalog.int8 AS oid, c.conname::pg_catalog.text AS name, c.contype::pg_catalog.text AS kind,
       c.conrelid::pg_catalog.int8 AS table, c.confrelid::pg_catalog.int8 AS referenced,
       c.conkey AS keys, c.confkey AS referenced_keys,
       (SELECT i.indkey::pg_catalog.int2[] FROM pg_catalog.pg_index i
        WHERE i.indexrelid = c.conindid AND c.contype <> 'f') AS indexed
FROM pg_catalog.pg_constraint c
WHERE c.conrelid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[])
   OR c.confrelid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[])
"""

_DEFAULTS = """
SELECT d.oid::pg_catalog.int8 AS oid, d.adrelid::pg_catalog.int8 AS table, d.adnum AS number
FROM pg_catalog.pg_attrdef d
WHERE d.adrelid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[])
"""

_STATISTICS = """
SELECT s.oid::pg_catalog.int8 AS oid, s.stxrelid::pg_catalog.int8 AS table, s.stxkeys::pg_catalog.int2[] AS keys
FROM pg_catalog.pg_statistic_ext s
WHERE s.stxrelid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[])
"""

_TRIGGERS = """
SELECT t.oid::pg_catalog.int8 AS oid, t.tgfoid::pg_catalog.int8 AS function
FROM pg_catalog.pg_trigger t
WHERE t.tgrelid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[]) AND t.tgname LIKE '~fg\\_%'
"""

_TYPES = """
SELECT t.oid::pg_catalog.int8 AS oid, t.typlen AS length, t.typbyval AS by_value, t.typalign::pg_catalog.text AS align,
       t.typstorage::pg_catalog.text AS storage, t.typcollation::pg_catalog.int8 AS collation
FROM pg_catalog.pg_type t
WHERE t.oid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[])
"""

# varchar has no operator class of its own by default: it uses text's.
_CLASSES = """
SELECT o.oid::pg_catalog.int8 AS oid, o.opcmethod::pg_catalog.int8 AS method, o.opcintype::pg_catalog.int8 AS type
FROM pg_catalog.pg_opclass o
WHERE o.opcdefault AND o.opcintype = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[])
"""


async def with_structure(connection: Connection, catalog: Catalog, before: Catalog | None = None) -> Catalog:
    """The same catalog, and how PostgreSQL's own are to be shown; nothing to show where nothing is protected.

    What its catalogs and views are made of is read once for each version of the server: `before` still knows it.
    """
    oids = sorted(oid for oid, relation in catalog.relations.items() if relation.protected is not None)
    if not oids:
        return catalog
    types = [own for own, _ in OIDS.values()]
    known = before.structure if before is not None and before.server_version == catalog.server_version else None
    system = known.system if known is not None else await _system(connection)
    rows = StructureRows(
        tables=await connection.fetch(_TABLES, oids),
        attributes=await connection.fetch(_ATTRIBUTES, oids),
        indexes=await connection.fetch(_INDEXES, oids),
        constraints=await connection.fetch(_CONSTRAINTS, oids),
        defaults=await connection.fetch(_DEFAULTS, oids),
        statistics=await connection.fetch(_STATISTICS, oids),
        triggers=await connection.fetch(_TRIGGERS, oids),
        types=await connection.fetch(_TYPES, types),
        classes=await connection.fetch(_CLASSES, types),
    )
    return replace(catalog, structure=structure_of(catalog, rows, system))


async def _system(connection: Connection) -> System:
    columns: dict[str, tuple[tuple[str, str], ...]] = {}
    for row in await connection.fetch(_CATALOG_COLUMNS, list(CATALOGS)):
        columns[row["relation"]] = (*columns.get(row["relation"], ()), (row["name"], row["type"]))
    views = await connection.fetch(_VIEWS, list(VIEWS))
    return System(columns, {(row["schema"], row["name"]): row["definition"] for row in views})
