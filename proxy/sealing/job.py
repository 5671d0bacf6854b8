"""`fieldgate seal TABLE.COLUMN`: seals existing plaintext in place, while applications go on writing it.

    survey    refuse, before anything changes, what could not be carried to a sealed column
    prepare   one transaction: a column for the cells, and a trigger that forgets a cell when its plaintext changes
    fill      batches by primary key, each a short transaction that locks its rows
    switch    one transaction: stop writers, fill the rest, open every cell and compare it with its plaintext, stop
              readers, rewrite the table with the cells in the plaintext's place, check it as at start, commit

Where it stands is read from the database alone, so a kill at any point is followed by the same command.  Until the
switch commits the plaintext is as it was and applications use it; a write is either carried (the trigger, then the
comparison under lock) or waits, and after the commit the database refuses plaintext.  `abandon` takes everything back
until then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from keys.errors import CryptoError
from keys.keyring import KeyringCiphers
from policies.fields import DataMap, Field, ProtectedTable
from proxy.errors import ConfigError

from .ddl import checks_of, sealing_of, term_column, token_column
from .errors import SealingFailed, SealingRefused
from .facts import Connection
from .run import Progress, SealOptions, SealOutcome, SealRun, facts_of
from .statements import Statements
from .survey import Survey, survey

PATIENCE = 50  # tenths of a second: a killed job's connection may take a moment to end


def find_field(data_map: DataMap, name: str) -> tuple[ProtectedTable, Field]:
    """`table.column` (schema public) or `schema.table.column`.  Raises ConfigError when it is no sealed field."""
    parts = name.split(".")
    schema, table, column = ("public", *parts) if len(parts) == 2 else (parts if len(parts) == 3 else ("", "", ""))
    protected = data_map.tables.get((schema, table))
    field = protected.fields.get(column) if protected else None
    if protected is None or field is None or field.sealing is None:
        raise ConfigError(f"{name} is not a sealed field in the data map")
    if field.sealing.equality:
        term_column(field)
    if field.sealing.tokens:
        token_column(field)
    return protected, field


async def survey_field(connection: Connection, data_map: DataMap, name: str) -> Survey:
    """What `seal_field` would find: a look before the start."""
    table, field = find_field(data_map, name)
    async with connection.transaction(readonly=True):
        return await survey(connection, table, field)


async def seal_field(
    connection: Connection,
    data_map: DataMap,
    name: str,
    ciphers: KeyringCiphers,
    *,
    options: SealOptions | None = None,
    progress: Progress = lambda step, done, total: None,
) -> SealOutcome:
    """Seals one column, or goes on with it, or finds it sealed.  The connection is the table's owner's, and only ours.

    Raises SealingRefused (nothing changed) or SealingFailed (the plaintext is as it was; run it again).
    """
    table, field = find_field(data_map, name)
    heads = ciphers.heads()[sealing_of(field).field_id]
    try:
        async with _alone(connection, field):
            run = SealRun(connection, table, field, heads, ciphers, options or SealOptions(), progress)
            return await run.run()
    except asyncpg.PostgresError as failure:
        # The server's own text may quote a row.
        raise SealingFailed(
            f"the server refused a step of sealing {field.name} ({failure.sqlstate}, {type(failure).__name__})"
        ) from None
    except (asyncpg.InterfaceError, OSError) as failure:
        raise SealingFailed(f"the connection was lost while sealing {field.name}: {type(failure).__name__}") from None
    except CryptoError as failure:
        raise SealingFailed(f"{field.name}: {failure}") from None


async def abandon_sealing(connection: Connection, data_map: DataMap, name: str) -> None:
    """Takes back a sealing that has begun and has not switched; the plaintext was never touched."""
    table, field = find_field(data_map, name)
    async with _alone(connection, field), connection.transaction():
        facts = await facts_of(connection, table)
        if checks_of(sealing_of(field), facts.checks):
            raise SealingRefused(field.name, ["it is sealed already"])
        for statement in Statements(field, await survey(connection, table, field), ()).abandon():
            await connection.execute(statement)


@asynccontextmanager
async def _alone(connection: Connection, field: Field) -> AsyncIterator[None]:
    """One job per field: a session lock, which the server frees when our connection ends, however it ends."""
    number = int.from_bytes(bytes.fromhex(sealing_of(field).field_id)[:8], "big", signed=True)
    for _ in range(PATIENCE):
        if await connection.fetchval("SELECT pg_catalog.pg_try_advisory_lock($1)", number):
            break
        await asyncio.sleep(0.1)
    else:
        raise SealingRefused(field.name, ["another process is sealing it now"])
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute("SELECT pg_catalog.pg_advisory_unlock($1)", number)
