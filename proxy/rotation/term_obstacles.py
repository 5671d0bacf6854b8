"""What stands in the way of moving the term and token columns of a table, looked at before anything is changed.

Partitions have the columns of their root, and the indexes that are attached to its indexes; they move with it.  What a
partition has of its own on such a column does not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import asyncpg

from proxy.sealing import queries
from proxy.sealing.ddl import term_column, token_column
from proxy.sealing.facts import Connection, fix_settings

from .errors import RotationRefused
from .term_columns import TwoEpochs
from .term_references import Column, references_of


async def require_possible(connection: Connection, two: TwoEpochs, renamed: Mapping[Column, str], largest: int) -> None:
    """`renamed`: the term columns of the database that move together.  Raises RotationRefused with all that hinders."""
    field = two.place.field
    async with connection.transaction():
        await fix_settings(connection)
        row = await connection.fetchrow(queries.TABLE, field.schema, field.table)
        if row is None:
            raise RotationRefused(field.name, [f"its table does not exist in database {two.place.database}"])
        parts = await connection.fetch(_PARTS, row["oid"])
        obstacles = list(_table_obstacles(row, parts))
        references = await references_of(connection, renamed)
        carried = {each.described for each in references if each.can_move(renamed)}
        carried |= {each[0] for each in await connection.fetch(_INHERITED, [part["oid"] for part in parts])}
        if two.has_terms:
            obstacles += await _term_obstacles(connection, two, parts, carried, largest)
        if two.has_tokens:
            obstacles += await _token_obstacles(connection, two, parts)
    if obstacles:
        raise RotationRefused(field.name, obstacles)


def _table_obstacles(row: asyncpg.Record, parts: Sequence[asyncpg.Record]) -> Iterator[str]:
    if row["kind"] not in ("r", "p") or (row["kind"] == "r" and row["inherits"]):
        yield "its table takes part in inheritance, or is a partition: terms of such are not rotated by themselves"
    elif parts[0]["partition"]:
        yield "its table is a partition: the data map has to name the table that it is part of"
    if not row["owned"]:
        yield "the role of [jobs] does not own its table"


async def _term_obstacles(
    connection: Connection, two: TwoEpochs, parts: Sequence[asyncpg.Record], carried: Collection[str], largest: int
) -> list[str]:
    old, new = (term_column(each) for each in (two.before, two.after))
    size, root = sum(part["size"] for part in parts), parts[0]["oid"]
    there = [await connection.fetchrow(queries.COLUMN, root, name) is not None for name in (old, new)]
    if not any(there):
        return ["it has no term column of the active epoch"]
    obstacles = []
    if not there[1] and size > largest:
        obstacles.append(
            f"its table has {size >> 20} MB, and to add the new term column locks it while it is written anew:"
            f" that is not done beyond {largest >> 20} MB (rewrite_limit of [jobs])"
        )
    for part in parts if there[0] else ():
        position = (await connection.fetchrow(queries.COLUMN, part["oid"], old))["position"]
        obstacles += await _dependents(connection, part["oid"], position, "term", carried)
        indexes = await connection.fetch(queries.INDEXES, part["oid"], position)
        if part["oid"] == root:
            obstacles += _index_obstacles(indexes)
            continue
        attached = {each[0] for each in await connection.fetch(_ATTACHED, part["oid"])}
        obstacles += [
            f"the index {index['name']} is of the partition {part['name']} alone, and cannot be made again: drop it"
            for index in indexes
            if index["name"] not in attached
        ]
    return obstacles


async def _token_obstacles(connection: Connection, two: TwoEpochs, parts: Sequence[asyncpg.Record]) -> list[str]:
    """Indexes stay on the column, whatever they are, when it gets another name."""
    old, new = (token_column(each) for each in (two.before, two.after))
    if await connection.fetchrow(queries.COLUMN, parts[0]["oid"], old) is None:
        moved = await connection.fetchrow(queries.COLUMN, parts[0]["oid"], new) is not None
        return [] if moved else ["it has no token column of the active epoch"]
    obstacles = []
    for part in parts:
        position = (await connection.fetchrow(queries.COLUMN, part["oid"], old))["position"]
        obstacles += await _dependents(connection, part["oid"], position, "token", ())
    return obstacles


async def _dependents(
    connection: Connection, oid: int, position: int, what: str, carried: Collection[str]
) -> list[str]:
    found = await connection.fetch(queries.DEPENDENTS, oid, position, "", [])
    return [
        f"{each['what']} depends on its {what} column: drop it, and make it again after"
        for each in found
        if each["what"] not in carried
    ]


def _index_obstacles(indexes: Sequence[asyncpg.Record]) -> Iterator[str]:
    for index in indexes:
        if not index["plain"] or index["predicate"] is not None or index["replica_identity"]:
            yield f"the index {index['name']} of its term column cannot be made again on another: drop it"


# The table itself first, then all that is below it.
_PARTS = """
SELECT c.oid::int8, n.nspname || '.' || c.relname AS name, c.relispartition AS partition,
       CASE WHEN c.relkind = 'r' THEN pg_table_size(c.oid) ELSE 0 END AS size
FROM (SELECT $1::int8::oid AS oid UNION SELECT relid FROM pg_partition_tree($1::int8::oid)) p
JOIN pg_class c ON c.oid = p.oid JOIN pg_namespace n ON n.oid = c.relnamespace
ORDER BY c.oid <> $1::int8::oid, n.nspname, c.relname
"""

# Foreign keys that partitions have from, or on account of, their root.
_INHERITED = """
SELECT pg_describe_object('pg_constraint'::regclass, k.oid, 0) FROM pg_constraint k
WHERE k.contype = 'f' AND k.conparentid <> 0
  AND (k.conrelid = ANY ($1::int8[]::oid[]) OR k.confrelid = ANY ($1::int8[]::oid[]))
"""

_ATTACHED = """
SELECT ic.relname::text FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
WHERE i.indrelid = $1::int8::oid AND ic.relispartition
"""
