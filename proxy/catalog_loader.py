"""The database's own catalog -> `proxy.sql.catalog.Catalog`, over the proxy's control connection.

Contract: one read-only transaction with one snapshot; every name in every query is qualified, and only catalogs that
each role may read are read.  What is found is worked out in `proxy.catalog_reach`, which is pure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from policies.fields import DataMap
from proxy.casing_loader import load_byte_order, load_casing
from proxy.catalog_reach import Dependencies, Found, assemble
from proxy.lowering_loader import load_lowering
from proxy.sql.catalog import Catalog
from proxy.stored_forms import as_searched, as_stored
from proxy.structure_loader import with_structure

from . import catalog_queries as queries
from .catalog_doors import Objects

Connection = Any  # asyncpg has no types that mypy can check

_RELATIONS = """
SELECT c.oid::pg_catalog.int8 AS oid, n.nspname::pg_catalog.text AS schema, c.relname::pg_catalog.text AS name,
       c.relkind::pg_catalog.text AS kind,
       CASE WHEN c.relkind = 'v' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
            THEN pg_catalog.pg_get_viewdef(c.oid) END AS definition,
       EXISTS (SELECT 1 FROM pg_catalog.pg_trigger t
               WHERE t.tgrelid = c.oid AND NOT t.tgisinternal) AS has_triggers,
       EXISTS (SELECT 1 FROM pg_catalog.pg_rewrite r
               WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN') AS has_rules,
       (SELECT o.oid::pg_catalog.int8 FROM pg_catalog.pg_class o WHERE o.reltoastrelid = c.oid) AS toast_of
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 't')
  AND n.nspname NOT LIKE 'pg\\_temp\\_%' AND n.nspname NOT LIKE 'pg\\_toast\\_temp\\_%'
ORDER BY c.oid
"""

_COLUMNS = """
SELECT a.attrelid::pg_catalog.int8 AS oid, a.attname::pg_catalog.text AS name, a.attnum AS position,
       a.atttypid::pg_catalog.int8 AS type_oid, a.atttypmod AS typmod, a.attnotnull AS not_null,
       a.atthasdef AND a.attgenerated = '' AS has_default, a.attgenerated <> '' AS generated,
       a.attidentity = 'a' AS identity_always,
       (SELECT pg_catalog.quote_ident(sn.nspname) || '.' || pg_catalog.quote_ident(s.relname)
        FROM pg_catalog.pg_class s
        JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = s.oid
        WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = a.attrelid
          AND d.refobjsubid = a.attnum AND d.deptype = 'i' AND s.relkind = 'S' AND a.attidentity <> ''
        UNION ALL
        SELECT pg_catalog.quote_ident(sn.nspname) || '.' || pg_catalog.quote_ident(s.relname)
        FROM pg_catalog.pg_attrdef f
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = f.oid
        JOIN pg_catalog.pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
        JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
        WHERE f.adrelid = a.attrelid AND f.adnum = a.attnum
          AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
          AND pg_catalog.pg_get_expr(f.adbin, f.adrelid) LIKE 'nextval(%'
        LIMIT 1) AS default_sequence
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg\\_temp\\_%' AND n.nspname NOT LIKE 'pg\\_toast%'
ORDER BY a.attrelid, a.attnum
"""

_UNIQUE = """
SELECT i.indrelid::pg_catalog.int8 AS oid, i.indisprimary AS is_primary,
       ARRAY(SELECT a.attname::pg_catalog.text
             FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS k (attnum, n)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
             ORDER BY k.n) AS columns
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE i.indisunique AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
"""

_INHERITS = """
SELECT i.inhrelid::pg_catalog.int8 AS child, i.inhparent::pg_catalog.int8 AS parent FROM pg_catalog.pg_inherits i
"""

# The name of a sealed column's CHECK says which field it is, whatever table and column are called.
_CHECKS = """
SELECT k.conrelid::pg_catalog.int8 AS oid, k.conname::pg_catalog.text AS name
FROM pg_catalog.pg_constraint k WHERE k.contype = 'c' AND k.conrelid <> 0 AND k.conname LIKE 'fg\\_%'
"""

# What the rules of a relation (a view is its rule _RETURN) read.
_RULES = """
SELECT DISTINCT r.ev_class::pg_catalog.int8 AS relation, d.refobjid::pg_catalog.int8 AS target
FROM pg_catalog.pg_rewrite r
JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> r.ev_class
"""

_TYPES = """
SELECT t.oid::pg_catalog.int8 AS oid, pg_catalog.format_type(t.oid, -1) AS name, t.typtype::pg_catalog.text AS kind
FROM pg_catalog.pg_type t
WHERE t.oid IN (SELECT a.atttypid FROM pg_catalog.pg_attribute a WHERE a.attnum > 0 AND NOT a.attisdropped)
"""

# In the order of Objects.
_OBJECTS = (
    queries.PARTS, queries.OPERATORS, queries.TYPES, queries.TYPE_CALLS, queries.CASTS, queries.CLASSES,
    queries.RELATION_CALLS, queries.CASCADES, queries.EVENTS,
)  # fmt: skip


async def load_catalog(
    connection: Connection, data_map: DataMap, version: int = 1, before: Catalog | None = None
) -> Catalog:
    """The snapshot under `version`, `before` being the one that was known last.

    Whoever holds an older one compares and keeps its version if nothing changed.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute("SET LOCAL search_path = ''")
        checks = await connection.fetch(_CHECKS)
        data_map = await as_searched(connection, as_stored(data_map, [row["name"] for row in checks]))
        server = await connection.fetchval("SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4")
        types = await connection.fetch(_TYPES)
        found = Found(
            relations=await connection.fetch(_RELATIONS),
            columns=await connection.fetch(_COLUMNS),
            unique=await connection.fetch(_UNIQUE),
            types={row["oid"]: row["name"] for row in types},
            functions=await connection.fetch(queries.FUNCTIONS),
            objects=Objects(*[await connection.fetch(query) for query in _OBJECTS]),
            dependencies=Dependencies(await connection.fetch(_RULES), await connection.fetch(_INHERITS)),
            checks=checks,
        )
        catalog = assemble(data_map, version, server, found, before)
        catalog = replace(catalog, enums=frozenset(row["oid"] for row in types if row["kind"] == "e"))
        catalog = replace(catalog, lowering=await load_lowering(connection, data_map, before))
        catalog = replace(catalog, casing=await load_casing(connection, data_map, before))
        catalog = replace(catalog, byte_order=await load_byte_order(connection, data_map, before))
        return await with_structure(connection, catalog, before)
