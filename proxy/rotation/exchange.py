"""Exchanging the CHECK of a sealed column for one that admits other heads, while everyone reads and writes.

    add       the new CHECK beside the old one, NOT VALID: an exclusive lock for a moment, no scan
    validate  a scan beside readers and writers
    swap      the old one goes, the new one takes its name: an exclusive lock for a moment

At each point the CHECK under the column's own name is a validated one, so whoever looks finds the column sealed.  A
kill leaves at most the additional CHECK, which the next run takes up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

import asyncpg

from policies.fields import Field
from proxy.sealing.ddl import check_expression, check_name, qualified, quote, sealing_of
from proxy.sealing.facts import Connection, read_tables
from proxy.sealing.verify import admitted_heads

from .errors import RotationRefused, StepWaits

Retrying = Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]


def next_check(field: Field) -> str:
    """The name of the additional CHECK while it is being validated."""
    return f"fg_next_{sealing_of(field).field_id}"


async def admitted_now(connection: Connection, field: Field) -> frozenset[bytes]:
    """The heads that the column's CHECK admits, in the table and each of its partitions and children alike.

    Raises RotationRefused when a CHECK is missing, not validated, or says anything else than a sealed column's.
    """
    return await _admitted(connection, field, check_name(sealing_of(field)))


async def _admitted(connection: Connection, field: Field, name: str) -> frozenset[bytes]:
    found: set[frozenset[bytes]] = set()
    for member in (await read_tables(connection, [(field.schema, field.table)])).get((field.schema, field.table), ()):
        check, column = member.checks.get(name), member.columns.get(field.column)
        admitted = admitted_heads(check.definition, column, sealing_of(field)) if check and column else None
        if check is None or not check.enforced or admitted is None:
            raise RotationRefused(
                field.name, [f"{member.schema}.{member.name} is not sealed: fieldgate check says more"]
            )
        found.add(frozenset(admitted))
    if len(found) != 1:
        raise RotationRefused(field.name, ["its table does not exist, or its partitions have CHECKs of their own"])
    return next(iter(found))


async def exchange_check(connection: Connection, field: Field, heads: Collection[bytes], retrying: Retrying) -> bool:
    """Makes the CHECK admit exactly these heads.  False when cells are left that it would refuse; nothing changed then.

    `retrying` runs a step in a transaction of its own, again when it could not have its locks.
    """
    if await admitted_now(connection, field) == frozenset(heads):
        await _drop_next(connection, field, retrying)
        return True
    await _drop_next(connection, field, retrying)  # an earlier run's, for whatever heads
    table, name = qualified(field.schema, field.table), quote(next_check(field))

    async def add() -> None:
        await connection.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({check_expression(field, heads)}) NOT VALID"
        )

    async def validate() -> None:
        await connection.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")

    async def swap() -> None:
        await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        if await _admitted(connection, field, next_check(field)) != frozenset(heads):
            raise StepWaits(f"{field.name}: another run exchanges its CHECK")
        own = quote(check_name(sealing_of(field)))
        await connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {own}")
        await connection.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {name} TO {own}")

    await retrying(add)
    try:
        await retrying(validate)
    except asyncpg.CheckViolationError:
        await _drop_next(connection, field, retrying)
        return False
    await retrying(swap)
    return True


async def _drop_next(connection: Connection, field: Field, retrying: Retrying) -> None:
    names = [
        m.checks
        for m in (await read_tables(connection, [(field.schema, field.table)])).get((field.schema, field.table), ())
    ]
    if not any(next_check(field) in checks for checks in names):
        return

    async def drop() -> None:
        table = qualified(field.schema, field.table)
        await connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {quote(next_check(field))}")

    await retrying(drop)
