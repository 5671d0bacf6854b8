"""`fieldgate seal|unseal TABLE.COLUMN`: a column from plaintext to cells, or back, while applications go on writing it.

    survey    refuse, before anything changes, what could not be carried to a sealed column
    prepare   one transaction: a second column for the other form, and a trigger that forgets it when the first changes
    fill      batches by primary key, each a short transaction that locks its rows
    switch    one transaction: stop writers, fill the rest, open every cell and compare it with its plaintext, stop
              readers, rewrite the table with the second column in the first's place, check it as at start, commit

Where it stands is read from the database alone, so a kill at any point is followed by the same command.  Until the
switch commits the column is as it was and applications use it; a write is either carried (the trigger, then the
comparison under lock) or waits, and after the commit the database refuses the other form.  `abandon` takes everything
back until then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg

from keys.errors import CryptoError
from keys.keyring import KeyringCiphers
from policies.fields import DataMap, Field, ProtectedTable
from proxy.errors import ConfigError
from proxy.stored_forms import as_searched

from .ddl import checks_of, sealing_of, term_column, token_column
from .errors import SealingFailed, SealingInterrupted, SealingRefused
from .facts import Connection
from .run import Hooks, Progress, Run, SealOptions, SealOutcome, facts_of
from .seal_run import SealRun
from .statements import Statements
from .survey import Survey, survey, survey_sealed
from .unseal_run import UnsealRun
from .unsealing import OpeningStatements

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


async def _at_epochs(connection: Connection, data_map: DataMap, name: str, ciphers: KeyringCiphers) -> DataMap:
    """Where the field has columns of terms and tokens, at their epochs; else at that of the key that is active now."""
    _, field = find_field(searched := await as_searched(connection, data_map), name)
    columns = (await facts_of(connection, searched.tables[field.schema, field.table])).columns
    if columns.keys() & {field.term_column, field.token_column}:
        return searched
    field_id = sealing_of(field).field_id
    now = {field_id: ciphers.epochs()[field_id][0]}
    return data_map.with_epochs(now, now)


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
    progress: Progress | None = None,
    hooks: Hooks | None = None,
) -> SealOutcome:
    """Seals one column, or goes on with it, or finds it sealed.  The connection is the table's owner's, and only ours.

    Raises SealingRefused (nothing changed) or SealingFailed (the plaintext is as it was; run it again).
    """
    hooks = hooks or (Hooks(progress) if progress is not None else Hooks())

    def run(table: ProtectedTable, field: Field) -> Run:
        return SealRun(connection, table, field, ciphers, options or SealOptions(), hooks)

    return await _carried_out(connection, data_map, name, ciphers, run, "sealing")


async def unseal_field(
    connection: Connection,
    data_map: DataMap,
    name: str,
    ciphers: KeyringCiphers,
    *,
    options: SealOptions | None = None,
    progress: Progress | None = None,
    hooks: Hooks | None = None,
) -> SealOutcome:
    """The way back: the plaintext column as it was before, or goes on with it, or finds it plain.

    Raises SealingRefused (nothing changed) or SealingFailed (the cells are as they were; run it again).
    """
    hooks = hooks or (Hooks(progress) if progress is not None else Hooks())

    def run(table: ProtectedTable, field: Field) -> Run:
        return UnsealRun(connection, table, field, ciphers, options or SealOptions(), hooks)

    return await _carried_out(connection, data_map, name, ciphers, run, "unsealing")


async def _carried_out(
    connection: Connection,
    data_map: DataMap,
    name: str,
    ciphers: KeyringCiphers,
    made: Callable[[ProtectedTable, Field], Run],
    what: str,
) -> SealOutcome:
    name = find_field(data_map, name)[1].name
    try:
        run = made(*find_field(await _at_epochs(connection, data_map, name, ciphers), name))
        async with _alone(connection, run.field):
            return await run.run()
    except (asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError) as failure:
        raise SealingInterrupted(f"the server went away while {what} {name} ({failure.sqlstate})") from None
    except asyncpg.PostgresError as failure:
        # The server's own text may quote a row.
        raise SealingFailed(
            f"the server refused a step of {what} {name} ({failure.sqlstate}, {type(failure).__name__})"
        ) from None
    except (asyncpg.InterfaceError, OSError) as failure:
        raise SealingInterrupted(f"the connection was lost while {what} {name}: {type(failure).__name__}") from None
    except CryptoError as failure:
        raise SealingFailed(f"{name}: {failure}") from None


async def abandon_sealing(connection: Connection, data_map: DataMap, name: str) -> None:
    """Takes back a sealing that has begun and has not switched; the plaintext was never touched."""
    table, field = find_field(data_map, name)
    async with _alone(connection, field), connection.transaction():
        if await _is_sealed(connection, table, field):
            raise SealingRefused(field.name, ["it is sealed already"])
        for statement in Statements(field, await survey(connection, table, field), ()).abandon():
            await connection.execute(statement)


async def abandon_unsealing(connection: Connection, data_map: DataMap, name: str) -> None:
    """Takes back an unsealing that has begun and has not switched; the cells were never touched."""
    table, field = find_field(data_map, name)
    async with _alone(connection, field), connection.transaction():
        if not await _is_sealed(connection, table, field):
            raise SealingRefused(field.name, ["it is plain already"])
        for statement in OpeningStatements(field, await survey_sealed(connection, table, field)).abandon():
            await connection.execute(statement)


async def _is_sealed(connection: Connection, table: ProtectedTable, field: Field) -> bool:
    return bool(checks_of(sealing_of(field), (await facts_of(connection, table)).checks))


@asynccontextmanager
async def _alone(connection: Connection, field: Field) -> AsyncIterator[None]:
    """One job per field: a session lock, which the server frees when our connection ends, however it ends."""
    number = int.from_bytes(bytes.fromhex(sealing_of(field).field_id)[:8], "big", signed=True)
    for _ in range(PATIENCE):
        if await connection.fetchval("SELECT pg_catalog.pg_try_advisory_lock($1)", number):
            break
        await asyncio.sleep(0.1)
    else:
        raise SealingRefused(field.name, ["another process is sealing or unsealing it now"])
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute("SELECT pg_catalog.pg_advisory_unlock($1)", number)
