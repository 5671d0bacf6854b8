"""An import written into the control database, by asyncpg: all of it in one transaction, or nothing."""

from __future__ import annotations

from keys.key_tables import CHANNEL, Connections
from keys.records import StoredKey

from .escrow import PutBack
from .refusals import Code, Refusal


class DatabaseEscrow:
    """Puts back rows with their codes as they were exported; the caller has planned it (`plan_import`)."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def put_back(self, put: PutBack, expected: int) -> None:
        """Raises Refusal when keys have been changed since number `expected` was read."""
        async with self._connections() as connection, connection.transaction(isolation="read_committed"):
            if await connection.fetchval(_LOCKED_NUMBER) != expected:
                raise Refusal(Code.BUSY, "keys were changed by somebody else meanwhile: try again")
            await connection.executemany(_PUT, [_values(row) for row in put.rows])
            await connection.execute(_REVISION, put.number, put.code)
            await connection.execute("SELECT pg_catalog.pg_notify($1, $2)", CHANNEL, str(put.number))


def _values(key: StoredKey) -> tuple[object, ...]:
    info, slot = key.info, key.info.slot
    dates = (key.created_at, key.activated_at, key.retired_at, key.disabled_at, key.destroyed_at)
    named = (info.key_id, slot.controller, slot.scope, slot.purpose.value, info.epoch, info.state.value)
    return (*named, key.kek_uri, key.wrapped, *dates, key.seals_granted, key.code)


_LOCKED_NUMBER = "SELECT number FROM fieldgate.keys_revision FOR UPDATE"
_REVISION = "UPDATE fieldgate.keys_revision SET number = $1, code = $2, changed_at = pg_catalog.now()"
_PUT = """
INSERT INTO fieldgate.data_keys AS d (key_id, controller, scope, purpose, epoch, state, kek_uri, wrapped, created_at,
       activated_at, retired_at, disabled_at, destroyed_at, seals_granted, code)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (key_id) DO UPDATE SET state = excluded.state, kek_uri = excluded.kek_uri, wrapped = excluded.wrapped,
       created_at = excluded.created_at, activated_at = excluded.activated_at, retired_at = excluded.retired_at,
       disabled_at = excluded.disabled_at, destroyed_at = excluded.destroyed_at, code = excluded.code
"""
