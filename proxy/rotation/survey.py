"""Before cells are re-encrypted: which tables hold them, how their rows are told apart, and what stands in the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from proxy.sealing.ddl import sealing_of
from proxy.sealing.facts import Connection

from .errors import RotationRefused
from .places import KeyColumn, Member, Place

_DIRECT = frozenset({"int2", "int4", "int8", "uuid", "text", "varchar"})


async def survey(connection: Connection, place: Place) -> tuple[Member, ...]:
    """The tables that hold the field's rows, in a fixed order.  Raises RotationRefused with everything in the way."""
    rows = await _rows(connection, place)
    obstacles = [text for row in rows for text in _obstacles(place, row)]
    if obstacles:
        raise RotationRefused(place.field.name, obstacles)
    return _members(place, rows)


async def members_of(connection: Connection, place: Place) -> tuple[Member, ...]:
    """The same without a look at what stands in the way."""
    return _members(place, await _rows(connection, place))


async def _rows(connection: Connection, place: Place) -> list[Any]:
    hushed = await connection.fetchval("SELECT pg_catalog.current_setting('session_replication_role') = 'replica'")
    rows = await connection.fetch(_MEMBERS, place.field.schema, place.field.table, place.table.row_key, hushed)
    if not rows:
        raise RotationRefused(place.field.name, [f"its table does not exist in database {place.database}"])
    return list(rows)


def _members(place: Place, rows: list[Any]) -> tuple[Member, ...]:
    return tuple(_member(place, row) for row in rows if row["kind"] == "r")


def _member(place: Place, row: Any) -> Member:
    keys = zip(row["key_names"], row["key_types"], row["key_bases"], strict=True)
    return Member(
        schema=row["schema"],
        name=row["name"],
        primary_key=tuple(KeyColumn(name, type_name, base in _DIRECT) for name, type_name, base in keys),
        row_key=place.table.row_key,
        row_key_oid=row["row_key_oid"],
        partition=row["partition"],
    )


def _obstacles(place: Place, row: Any) -> Iterator[str]:
    name = f"{row['schema']}.{row['name']}"
    if row["kind"] not in ("r", "p"):
        yield f"{name} is not an ordinary or partitioned table"
        return
    if not row["owned"]:
        yield f"the role of [jobs] does not own {name}"
    if row["rules"]:
        yield f"{name} has rules, which would rewrite the updates: replace them by triggers"
    if row["kind"] == "r" and not row["key_names"]:
        yield f"{name} has no primary key, by which its rows could be told apart"
    if sealing_of(place.field).row_bound and row["row_key_oid"] is None:
        yield f"its cells are bound to their rows, but {name} has no row key {place.table.row_key}"
    if row["triggers"]:
        yield (
            f"triggers of {name} would fire for every row ({', '.join(row['triggers'])}): GRANT SET ON PARAMETER"
            " session_replication_role to the role of [jobs] (PostgreSQL 15), and let none of them be ENABLE ALWAYS"
        )


# Only types of pg_catalog count as known, so that a domain or a type of the same name goes over the wire as text.
# A session in the role `replica` fires the triggers that are enabled for replicas or always.
_MEMBERS = """
WITH RECURSIVE member AS (
  SELECT c.oid, 0 AS depth FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relname = $2
  UNION
  SELECT i.inhrelid, m.depth + 1 FROM member m JOIN pg_catalog.pg_inherits i ON i.inhparent = m.oid
)
SELECT n.nspname::pg_catalog.text AS schema, c.relname::pg_catalog.text AS name, c.relkind::pg_catalog.text AS kind,
       c.relispartition AS partition, pg_catalog.pg_has_role(c.relowner, 'USAGE') AS owned,
       EXISTS (SELECT FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid) AS rules,
       ARRAY(SELECT t.tgname::pg_catalog.text FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid
             AND NOT t.tgisinternal AND (t.tgtype & 16) <> 0 AND t.tgname !~ '^~fg_(new|fence)_'
             AND t.tgenabled::pg_catalog.text = ANY (CASE WHEN $4 THEN '{A,R}' ELSE '{A,O}' END::pg_catalog.text[])
             ORDER BY 1) AS triggers,
       coalesce(k.names, '{}') AS key_names, coalesce(k.types, '{}') AS key_types, coalesce(k.bases, '{}') AS key_bases,
       (SELECT a.atttypid::pg_catalog.int8 FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND a.attname = $3 AND NOT a.attisdropped) AS row_key_oid
FROM (SELECT oid, min(depth) AS depth FROM member GROUP BY oid) m
JOIN pg_catalog.pg_class c ON c.oid = m.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
  SELECT array_agg(a.attname::pg_catalog.text ORDER BY k.o) AS names,
         array_agg(pg_catalog.format_type(a.atttypid, a.atttypmod) ORDER BY k.o) AS types,
         array_agg(CASE WHEN t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace THEN t.typname::pg_catalog.text
                   ELSE '' END ORDER BY k.o) AS bases
  FROM pg_catalog.pg_index i, pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY k(n, o),
       pg_catalog.pg_attribute a, pg_catalog.pg_type t
  WHERE i.indrelid = c.oid AND i.indisprimary AND i.indisvalid AND k.o <= i.indnkeyatts
    AND a.attrelid = c.oid AND a.attnum = k.n AND t.oid = a.atttypid
) k ON true
ORDER BY m.depth, n.nspname, c.relname
"""
