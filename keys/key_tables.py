"""What a store of wrapped keys keeps its rows in, as a protocol, and the one in the control database.

All changes are compare-and-set on the number of the revision: whoever changes keys has read them all under that number,
and a change that came in between makes it read again.  The connection is asyncpg's and injected; every name in the SQL
is qualified.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol
from uuid import UUID

from .errors import KeyringInvalid
from .keyring import KeyInfo, KeyPurpose, Slot
from .lifecycle import KeyState
from .records import KeySnapshot, StoredKey

CHANNEL = "fieldgate_keys"
GRACE = 5.0  # seconds behind a lease's end before its holder is struck off; longer than a confirmation may take

Connections = Callable[[], AbstractAsyncContextManager[Any]]
"""Gives an asyncpg connection to the control database, for the time of a `with`."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that holds keys, and what it has confirmed."""

    holder_id: UUID
    confirmed: int
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class Uses:
    """How often one key was used."""

    sealed: int = 0
    opened: int = 0


class KeyTables(Protocol):
    async def read(self) -> KeySnapshot:
        """All rows in one snapshot.  Raises KeyringInvalid for a row that makes no sense."""
        ...

    async def write(self, expected: int, rows: Sequence[StoredKey], code: bytes) -> bool:
        """Puts these rows, makes the number `expected + 1`, and tells everyone; False when it is not `expected` now."""
        ...

    async def confirm(self, holder_id: UUID, number: int, lease: float) -> tuple[bool, int]:
        """Extends a holder's lease from now on.  Returns whether it did, and the newest revision's number.

        A holder that is not known, or was struck off, is entered under the newest number only.
        """
        ...

    async def leave(self, holder_id: UUID) -> None:
        """At an orderly end."""
        ...

    async def behind(self, number: int) -> tuple[Holder, ...]:
        """Who lives and has not confirmed this number.  Those whose lease has passed are struck off first."""
        ...

    async def count_uses(self, day: date, uses: Mapping[bytes, Uses]) -> None:
        """Adds to what is counted."""
        ...

    async def uses(self) -> Mapping[bytes, Uses]:
        """Over all days."""
        ...


class DatabaseTables:
    """KeyTables in schema `fieldgate` of the control database."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    @property
    def connections(self) -> Connections:
        """To the control database, for what stands beside the keys."""
        return self._connections

    async def read(self) -> KeySnapshot:
        async with (
            self._connections() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            head = await connection.fetchrow(_HEAD)
            rows = await connection.fetch(_ROWS)
        keys = tuple(_stored(row) for row in rows)
        return KeySnapshot(head["number"], head["code"], keys, head["now"])

    async def write(self, expected: int, rows: Sequence[StoredKey], code: bytes) -> bool:
        async with self._connections() as connection, connection.transaction(isolation="read_committed"):
            if await connection.fetchval(_LOCKED_NUMBER) != expected:
                return False
            # Locked in the order in which leases lock them, so that nobody waits in a circle; then put so that a key is
            # retired before the next one of its slot becomes active, since there is one at each moment.
            await connection.execute(_LOCK, [key.info.key_id for key in rows])
            in_order = sorted(rows, key=lambda key: key.info.state is KeyState.ACTIVE)
            await connection.executemany(_PUT, [_row(key) for key in in_order])
            await connection.execute(_ADVANCE, expected + 1, code)
            await connection.execute("SELECT pg_catalog.pg_notify($1, $2)", CHANNEL, str(expected + 1))
        return True

    async def confirm(self, holder_id: UUID, number: int, lease: float) -> tuple[bool, int]:
        async with self._connections() as connection:
            newest = await connection.fetchval(_EXTEND, holder_id, number, lease)
            if newest is not None:
                return True, newest
            async with connection.transaction(isolation="read_committed"):
                newest = await connection.fetchval(_LOCKED_NUMBER_SHARED)
                if newest == number:
                    await connection.execute(_ENTER, holder_id, number, lease)
        return newest == number, newest

    async def leave(self, holder_id: UUID) -> None:
        async with self._connections() as connection:
            await connection.execute("DELETE FROM fieldgate.key_holders WHERE holder_id = $1", holder_id)

    async def behind(self, number: int) -> tuple[Holder, ...]:
        async with self._connections() as connection:
            await connection.execute(_STRIKE_OFF, number, GRACE)
            rows = await connection.fetch(_BEHIND, number)
        return tuple(Holder(row["holder_id"], row["confirmed_revision"], row["lease_until"]) for row in rows)

    async def count_uses(self, day: date, uses: Mapping[bytes, Uses]) -> None:
        counted = sorted((key_id, use.sealed, use.opened) for key_id, use in uses.items())
        if counted:
            async with self._connections() as connection:
                await connection.execute(_COUNT, day, *(list(column) for column in zip(*counted, strict=True)))

    async def uses(self) -> Mapping[bytes, Uses]:
        async with self._connections() as connection:
            rows = await connection.fetch(_USES)
        return {row["key_id"]: Uses(row["sealed"], row["opened"]) for row in rows}


def _stored(row: Any) -> StoredKey:
    try:
        purpose, state = KeyPurpose(row["purpose"]), KeyState(row["state"])
    except ValueError:
        raise KeyringInvalid(f"key {row['key_id'].hex()} is of a kind that this version does not know") from None
    slot = Slot(row["controller"], row["scope"], purpose)
    info = KeyInfo(row["key_id"], slot, row["epoch"], state, shown(row["created_at"]))
    return StoredKey(
        info=info,
        kek_uri=row["kek_uri"],
        wrapped=row["wrapped"],
        created_at=row["created_at"],
        activated_at=row["activated_at"],
        retired_at=row["retired_at"],
        disabled_at=row["disabled_at"],
        destroyed_at=row["destroyed_at"],
        seals_granted=row["seals_granted"],
        code=row["code"],
    )


def shown(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _row(key: StoredKey) -> tuple[Any, ...]:
    info, slot = key.info, key.info.slot
    dates = (key.created_at, key.activated_at, key.retired_at, key.disabled_at, key.destroyed_at)
    named = (info.key_id, slot.controller, slot.scope, slot.purpose.value, info.epoch, info.state.value)
    return (*named, key.kek_uri, key.wrapped, *dates, key.seals_granted, key.code)


_HEAD = "SELECT number, code, pg_catalog.now() AS now FROM fieldgate.keys_revision"
_ROWS = """
SELECT key_id, controller, scope, purpose, epoch, state, kek_uri, wrapped, created_at, activated_at, retired_at,
       disabled_at, destroyed_at, seals_granted, code
FROM fieldgate.data_keys ORDER BY controller, scope, purpose, epoch
"""
_LOCKED_NUMBER = "SELECT number FROM fieldgate.keys_revision FOR UPDATE"
_LOCKED_NUMBER_SHARED = "SELECT number FROM fieldgate.keys_revision FOR SHARE"
_ADVANCE = "UPDATE fieldgate.keys_revision SET number = $1, code = $2, changed_at = pg_catalog.now()"
_LOCK = "SELECT FROM fieldgate.data_keys WHERE key_id = ANY ($1::bytea[]) ORDER BY key_id FOR UPDATE"
# What a key is for is never updated (a trigger holds it), and the count of seals is the leases' alone.
_PUT = """
INSERT INTO fieldgate.data_keys AS d (key_id, controller, scope, purpose, epoch, state, kek_uri, wrapped, created_at,
       activated_at, retired_at, disabled_at, destroyed_at, seals_granted, code)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (key_id) DO UPDATE SET state = excluded.state, kek_uri = excluded.kek_uri, wrapped = excluded.wrapped,
       activated_at = excluded.activated_at, retired_at = excluded.retired_at, disabled_at = excluded.disabled_at,
       destroyed_at = excluded.destroyed_at, code = excluded.code
"""
_EXTEND = """
UPDATE fieldgate.key_holders SET confirmed_revision = $2,
       lease_until = pg_catalog.now() + pg_catalog.make_interval(secs => $3)
WHERE holder_id = $1 RETURNING (SELECT number FROM fieldgate.keys_revision)
"""
_ENTER = """
INSERT INTO fieldgate.key_holders (holder_id, confirmed_revision, lease_until)
VALUES ($1, $2, pg_catalog.now() + pg_catalog.make_interval(secs => $3))
ON CONFLICT (holder_id) DO UPDATE SET confirmed_revision = excluded.confirmed_revision,
       lease_until = excluded.lease_until
"""
_STRIKE_OFF = """
DELETE FROM fieldgate.key_holders WHERE confirmed_revision < $1
AND lease_until < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => $2)
"""
_BEHIND = """
SELECT holder_id, confirmed_revision, lease_until FROM fieldgate.key_holders WHERE confirmed_revision < $1
"""
_COUNT = """
INSERT INTO fieldgate.key_uses AS u (key_id, day, sealed, opened)
SELECT n.key_id, $1, n.sealed, n.opened
FROM ROWS FROM (pg_catalog.unnest($2::bytea[]), pg_catalog.unnest($3::int8[]), pg_catalog.unnest($4::int8[]))
     AS n (key_id, sealed, opened)
ON CONFLICT (key_id, day) DO UPDATE SET sealed = u.sealed + excluded.sealed, opened = u.opened + excluded.opened
"""
_USES = """
SELECT key_id, pg_catalog.sum(sealed)::int8 AS sealed, pg_catalog.sum(opened)::int8 AS opened
FROM fieldgate.key_uses GROUP BY key_id
"""
