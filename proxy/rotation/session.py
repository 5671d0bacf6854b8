"""A connection as re-encryption wants it: its settings for the whole session, and triggers of applications quiet.

Batches are committed without waiting for the disk: a batch that a crash takes back is found and done again, and no
later step can be on disk without it (the log is written in order).
"""

from __future__ import annotations

import asyncpg

from proxy.sealing.facts import Connection

# Waiting for a row longer than this while holding others could make an application the victim of a deadlock: it looks
# for one after `deadlock_timeout`, one second by default.
LOCK_MILLISECONDS = 50

_SETTINGS = (
    "SET search_path = pg_catalog; SET bytea_output = hex; SET DateStyle = 'ISO, MDY'; SET TimeZone = 'UTC';"
    "SET IntervalStyle = 'postgres'; SET extra_float_digits = 1; SET row_security = off;"
    "SET quote_all_identifiers = off; SET default_transaction_isolation = 'read committed';"
    "SET default_transaction_read_only = off; SET synchronous_commit = off; SET statement_timeout = 0;"
    f"SET idle_in_transaction_session_timeout = 0; SET lock_timeout = {LOCK_MILLISECONDS}"
)


async def settle(connection: Connection) -> Connection:
    """The same connection, ready.  Quieting triggers is a privilege: the survey says where the lack of it matters."""
    await connection.execute(_SETTINGS)
    try:
        await connection.execute("SET session_replication_role = replica")
    except asyncpg.InsufficientPrivilegeError:
        pass
    return connection
