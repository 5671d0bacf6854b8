"""The term columns of two epochs in a data database: added, compared, and exchanged in one transaction.

A generated column takes the term of its epoch out of each cell by itself (docs/envelope.md).  To add one writes the
whole table anew under an exclusive lock, so large tables are refused.  In the exchange all tables of a database move
together: joins inside a group never see terms of two epochs.  Indexes and unique constraints are made again on the new
column there, under the lock and under their names: a second unique index beside the one that ON CONFLICT names would
raise errors for rows that conflict with both.
"""

# ruff: noqa: S608 (every name that is put into a statement is quoted by proxy/sealing/ddl.py)

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import asyncpg

from policies.fields import Field
from proxy.sealing import queries
from proxy.sealing.carry import Carried, carried_of, carried_sql
from proxy.sealing.ddl import qualified, quote, sealing_of, term_column, term_definition
from proxy.sealing.facts import Connection, fix_settings

from .errors import RotationRefused
from .locking import Locking
from .places import Place

Privileges = Callable[[str, Connection], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class TwoEpochs:
    """A place, and the epochs that its cells carry terms of: `old`, and the next one."""

    place: Place
    old: int

    @property
    def before(self) -> Field:
        return replace(self.place.field, term_epoch=self.old)

    @property
    def after(self) -> Field:
        return replace(self.place.field, term_epoch=self.old + 1)

    @property
    def table(self) -> str:
        return qualified(self.place.field.schema, self.place.field.table)


async def require_possible(connection: Connection, two: TwoEpochs, largest: int) -> None:
    """Raises RotationRefused with everything that is in the way."""
    field = two.place.field
    async with connection.transaction():
        await fix_settings(connection)
        row = await connection.fetchrow(queries.TABLE, field.schema, field.table)
        if row is None:
            raise RotationRefused(field.name, [f"its table does not exist in database {two.place.database}"])
        oid, obstacles = row["oid"], list(_table_obstacles(row))
        term_column(two.after)  # its name is not too long
        if sealing_of(field).tokens:
            obstacles.append("it has search tokens, and a term key that makes tokens cannot be rotated yet")
        if sealing_of(field).subject_kind is not None:
            obstacles.append("its cells are sealed under data subjects' secrets: that cannot be re-encrypted yet")
        size = await connection.fetchval("SELECT pg_table_size($1::int8::oid)", oid)
        found = [await connection.fetchrow(queries.COLUMN, oid, term_column(each)) for each in (two.before, two.after)]
        if found[1] is None and size > largest:
            obstacles.append(
                f"its table has {size >> 20} MB, and to add the new term column locks it while it is written anew:"
                f" that is not done beyond {largest >> 20} MB"
            )
        if found[0] is not None:
            position = found[0]["position"]
            dependents = await connection.fetch(queries.DEPENDENTS, oid, position, "", [])
            obstacles += [
                f"{each['what']} depends on its term column: drop it, and make it again after" for each in dependents
            ]
            obstacles += list(_index_obstacles(await connection.fetch(queries.INDEXES, oid, position)))
        elif found[1] is None:
            obstacles.append("it has no term column of the active epoch")
    if obstacles:
        raise RotationRefused(field.name, obstacles)


def _table_obstacles(row: asyncpg.Record) -> Iterator[str]:
    if row["kind"] != "r" or row["inherits"]:
        yield "its table is partitioned or takes part in inheritance: the terms of such cannot be rotated yet"
    if not row["owned"]:
        yield "the role of [jobs] does not own its table"


def _index_obstacles(indexes: Sequence[asyncpg.Record]) -> Iterator[str]:
    for index in indexes:
        if not index["plain"] or index["predicate"] is not None or index["replica_identity"]:
            yield f"the index {index['name']} of its term column cannot be made again on another: drop it"


async def has_column(connection: Connection, field: Field) -> bool:
    return await _position(connection, field) is not None


async def _position(connection: Connection, field: Field) -> int | None:
    found: int | None = await connection.fetchval(_POSITION, field.schema, field.table, term_column(field))
    return found


async def add_column(connection: Connection, two: TwoEpochs, locking: Locking) -> None:
    """Writes the table anew, under an exclusive lock."""
    if await has_column(connection, two.after):
        return

    async def add() -> None:
        await connection.execute(f"ALTER TABLE {two.table} ADD COLUMN {term_definition(two.after)}")

    await locking(add)


async def drop_column(connection: Connection, two: TwoEpochs, locking: Locking) -> None:
    """Of the next epoch, which nobody searches by yet."""

    async def drop() -> None:
        name = quote(term_column(two.after))
        await connection.execute(f"ALTER TABLE {two.table} DROP COLUMN IF EXISTS {name}")

    await locking(drop)


async def require_same(connection: Connection, two: TwoEpochs) -> None:
    """Every cell has both terms, and cells with one old term have one new term, and the other way round.

    Raises RotationRefused.
    """
    cell, old, new = (quote(name) for name in (two.place.field.column, term_column(two.before), term_column(two.after)))
    row = await connection.fetchrow(
        f"SELECT pg_catalog.count({cell}) AS cells, pg_catalog.count({new}) AS terms,"
        f" pg_catalog.count(DISTINCT {old}) AS old, pg_catalog.count(DISTINCT {new}) AS new,"
        f" pg_catalog.count(DISTINCT ({old}, {new})) FILTER (WHERE {cell} IS NOT NULL) AS pairs FROM {two.table}"
    )
    if row["cells"] != row["terms"] or not row["old"] == row["new"] == row["pairs"]:
        raise RotationRefused(
            two.place.field.name,
            ["its terms of two epochs do not say the same of its cells: `fieldgate keys verify` finds which are wrong"],
        )


async def exchange_columns(
    connection: Connection, moving: Sequence[TwoEpochs], privileges: Privileges, locking: Locking
) -> None:
    """One transaction for all tables of a database: from its end on statements are planned by the new columns."""

    async def exchange() -> None:
        tables = ", ".join(sorted({two.table for two in moving}))
        await connection.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
        for two in moving:
            for statement in await _exchange(connection, two):
                await connection.execute(statement)
        await privileges(moving[0].place.database, connection)

    await locking(exchange)


async def _exchange(connection: Connection, two: TwoEpochs) -> list[str]:
    position = await _position(connection, two.before)
    if position is None:
        return []  # an earlier run did it
    field, old, new = two.place.field, term_column(two.before), term_column(two.after)
    oid = await connection.fetchval(_OID, field.schema, field.table)
    carried = [carried_of(index) for index in await connection.fetch(queries.INDEXES, oid, position)]
    drops = [_drop(two, each) for each in carried]
    makes = [sql for each in carried for sql in carried_sql(field.schema, field.table, old, new, each)]
    return [*drops, f"ALTER TABLE {two.table} DROP COLUMN {quote(old)}", *makes]


def _drop(two: TwoEpochs, carried: Carried) -> str:
    if carried.constraint:
        return f"ALTER TABLE {two.table} DROP CONSTRAINT {quote(carried.name)}"
    return f"DROP INDEX {qualified(two.place.field.schema, carried.name)}"


_OID = """
SELECT c.oid::pg_catalog.int8 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2
"""

_POSITION = """
SELECT a.attnum::pg_catalog.int4
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3 AND NOT a.attisdropped
"""
