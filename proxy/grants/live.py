"""The database's catalog -> Snapshot, and a plan -> the database.  The only module here that knows asyncpg.

Everything is read from catalogs that every role may read, so the control role needs no right over any table.  All
names are qualified: nothing in a search_path is ever called.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Sequence as Rows
from typing import Any

import asyncpg

from policies.fields import DataMap

from .privileges import PUBLIC, Change, ObjectKind, Privilege, Target
from .snapshot import Held, Relation, Role, Schema, Sequence, Snapshot

Connection = Any  # asyncpg has no types that mypy can check

_LOCK = 0x666764_6772  # an advisory lock: two plans applied at once would disturb each other

# Every protected table, what is part of it, and every view that reads any of these, with the table that it comes from.
_RELATIONS = """
WITH RECURSIVE root AS (
    SELECT c.oid, n.nspname AS schema, c.relname AS name
    FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]))
        AS wanted (schema, name)
    JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
    WHERE c.relkind IN ('r', 'p')
), reached AS (
    SELECT oid, schema, name FROM root
    UNION
    SELECT next.oid, reached.schema, reached.name
    FROM reached
    CROSS JOIN LATERAL (
        SELECT i.inhrelid AS oid FROM pg_catalog.pg_inherits i WHERE i.inhparent = reached.oid
        UNION
        SELECT r.ev_class FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
        JOIN pg_catalog.pg_class v ON v.oid = r.ev_class
        WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
          AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
          AND d.refobjid = reached.oid AND r.ev_class <> reached.oid AND v.relkind IN ('v', 'm')
    ) AS next
)
SELECT c.oid, n.nspname, c.relname, c.relkind::pg_catalog.text, o.rolname,
       reached.schema, reached.name,
       ARRAY(SELECT a.attname::pg_catalog.text FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)
FROM reached
JOIN pg_catalog.pg_class c ON c.oid = reached.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_roles o ON o.oid = c.relowner
"""

_PRIVILEGES = """
SELECT c.oid, NULL::pg_catalog.text AS attname, COALESCE(g.rolname, ''), acl.privilege_type, acl.is_grantable,
       c.relowner = acl.grantee
FROM pg_catalog.pg_class c
CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS acl
LEFT JOIN pg_catalog.pg_roles g ON g.oid = acl.grantee
WHERE c.oid = ANY ($1::pg_catalog.oid[])
UNION ALL
SELECT c.oid, a.attname::pg_catalog.text, COALESCE(g.rolname, ''), acl.privilege_type, acl.is_grantable,
       c.relowner = acl.grantee
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
CROSS JOIN LATERAL pg_catalog.aclexplode(a.attacl) AS acl
LEFT JOIN pg_catalog.pg_roles g ON g.oid = acl.grantee
WHERE c.oid = ANY ($1::pg_catalog.oid[])
"""

# Sequences that belong to a column (identity, serial), or that a default draws from.
_SEQUENCES = """
SELECT DISTINCT s.oid, sn.nspname, s.relname, o.rolname, n.nspname, c.relname, a.attname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_attrdef f ON f.adrelid = c.oid AND f.adnum = a.attnum
JOIN pg_catalog.pg_depend d ON (
    d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    AND d.refobjid = c.oid AND d.refobjsubid = a.attnum AND d.deptype IN ('a', 'i')
) OR (
    d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = f.oid
    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> c.oid
)
JOIN pg_catalog.pg_class s ON s.relkind = 'S' AND s.oid IN (d.objid, d.refobjid)
JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
JOIN pg_catalog.pg_roles o ON o.oid = s.relowner
WHERE c.oid = ANY ($1::pg_catalog.oid[])
"""

_ROLES = """
WITH RECURSIVE member AS (
    SELECT m.member, m.roleid FROM pg_catalog.pg_auth_members m
    UNION
    SELECT member.member, m.roleid
    FROM member JOIN pg_catalog.pg_auth_members m ON m.member = member.roleid
)
SELECT r.rolname, r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolreplication,
       ARRAY(SELECT g.rolname::pg_catalog.text FROM member
             JOIN pg_catalog.pg_roles g ON g.oid = member.roleid WHERE member.member = r.oid)
       || CASE WHEN r.oid = d.datdba THEN ARRAY['pg_database_owner'] ELSE '{}' END
FROM pg_catalog.pg_roles r, pg_catalog.pg_database d
WHERE d.datname = pg_catalog.current_database()
"""

_SCHEMAS = """
SELECT n.nspname, o.rolname, COALESCE(g.rolname, ''), acl.privilege_type, acl.is_grantable
FROM pg_catalog.pg_namespace n
JOIN pg_catalog.pg_roles o ON o.oid = n.nspowner
LEFT JOIN LATERAL pg_catalog.aclexplode(n.nspacl) AS acl ON true
LEFT JOIN pg_catalog.pg_roles g ON g.oid = acl.grantee
WHERE n.nspname = ANY ($1::pg_catalog.text[])
"""

_DATABASE = """
SELECT d.datname, o.rolname FROM pg_catalog.pg_database d
JOIN pg_catalog.pg_roles o ON o.oid = d.datdba
WHERE d.datname = pg_catalog.current_database()
"""


async def read(connection: Connection, data_map: DataMap) -> Snapshot:
    """All in one statement's view each, in one repeatable-read transaction of ours or the caller's."""
    names = list(data_map.tables)
    rows = await connection.fetch(_RELATIONS, [schema for schema, _ in names], [name for _, name in names])
    sequence_rows = await connection.fetch(_SEQUENCES, [r[0] for r in rows if (r[5], r[6]) == (r[1], r[2])])
    held = await _held(connection, rows, sequence_rows)
    relations = {(r[1], r[2]): _relation(r, held[r[0]]) for r in rows}
    sequences = tuple(Sequence(r[1], r[2], r[3], (r[4], r[5]), r[6], held[r[0]]) for r in sequence_rows)
    database, owner = await connection.fetchrow(_DATABASE)
    schemas = {schema for schema, _ in relations} | {s.schema for s in sequences}
    return Snapshot(
        database, owner, await _roles(connection), relations, sequences, await _schemas(connection, schemas)
    )


async def execute(connection: Connection, changes: Iterable[Change]) -> None:
    """In the caller's transaction; waits for nobody for long."""
    await connection.execute("SET LOCAL lock_timeout = '10s'")
    for change in changes:
        await connection.execute(change.sql)


async def lock(connection: Connection) -> None:
    """One plan at a time, until the transaction ends."""
    await connection.execute("SELECT pg_catalog.pg_advisory_xact_lock($1)", _LOCK)


FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


def reason_of(error: Exception) -> str:
    """What PostgreSQL says about a refused GRANT; such messages name roles and objects, never values."""
    return str(error) if isinstance(error, asyncpg.PostgresError) else type(error).__name__


def _relation(row: Any, held: tuple[Held, ...]) -> Relation:
    return Relation(row[1], row[2], row[3], row[4], (row[5], row[6]), tuple(row[7]), held)


async def _held(connection: Connection, relations: Rows[Any], sequences: Rows[Any]) -> Mapping[int, tuple[Held, ...]]:
    """By OID.  What the owner holds is left out: owners are judged by their ownership."""
    targets = {row[0]: Target(ObjectKind.TABLE, row[1], row[2]) for row in relations}
    targets |= {row[0]: Target(ObjectKind.SEQUENCE, row[1], row[2]) for row in sequences}
    found: defaultdict[int, list[Held]] = defaultdict(list)
    for oid, column, role, name, grantable, owned in await connection.fetch(_PRIVILEGES, list(targets)):
        if not owned:
            found[oid].append(Held(Privilege(role, targets[oid], name, column), grantable))
    return {oid: tuple(found[oid]) for oid in targets}


async def _roles(connection: Connection) -> dict[str, Role]:
    rows = await connection.fetch(_ROLES)
    return {r[0]: Role(r[0], r[1], r[2], r[3], r[4], frozenset(r[5]) - {r[0]}) for r in rows}


async def _schemas(connection: Connection, names: Collection[str]) -> dict[str, Schema]:
    held: defaultdict[tuple[str, str], list[Held]] = defaultdict(list)
    for name, owner, role, privilege, grantable in await connection.fetch(_SCHEMAS, list(names)):
        entries = held[name, owner]
        if privilege is not None and role != owner:
            target = Target(ObjectKind.SCHEMA, name)
            entries.append(Held(Privilege(role or PUBLIC, target, privilege), grantable))
    return {name: Schema(name, owner, tuple(entries)) for (name, owner), entries in held.items()}
