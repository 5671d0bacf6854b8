"""Waiting for the transactions that are writing to a table now, without a lock that others would queue behind.

Whoever has bound a statement that writes holds the table's ROW EXCLUSIVE lock until the transaction ends, prepared
ones included; everyone may read pg_locks.  Transactions that begin later are not waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from proxy.sealing.facts import Connection

PAUSE = 0.2  # seconds between two looks


async def writers_end(connection: Connection, schema: str, table: str, waiting: Callable[[], Awaitable[None]]) -> None:
    """Returns when all of them have ended, whether they were committed or not; `waiting` is awaited meanwhile."""
    writing = await _writing(connection, schema, table)
    while writing:
        await waiting()
        await asyncio.sleep(PAUSE)
        writing &= await _writing(connection, schema, table)


async def _writing(connection: Connection, schema: str, table: str) -> set[str]:
    return {row["transaction"] for row in await connection.fetch(_WRITING, schema, table)}


# Locks that are still waited for count, too: what is written under them may have been sealed already.
_WRITING = """
WITH RECURSIVE member AS (
  SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relname = $2
  UNION
  SELECT i.inhrelid FROM member m JOIN pg_catalog.pg_inherits i ON i.inhparent = m.oid
)
SELECT DISTINCT l.virtualtransaction AS transaction FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_database d ON d.oid = l.database AND d.datname = pg_catalog.current_database()
WHERE l.locktype = 'relation' AND l.relation IN (SELECT oid FROM member)
  AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
  AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
"""
