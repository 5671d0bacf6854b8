"""Operations in the control database (proxy/control_schema/002_operations.sql), by asyncpg.

Each method is one transaction on a connection that it is lent.  Rows are locked before they are judged, locks are taken
in the order of their names, and whoever listens to `fieldgate_operations` hears of it when the transaction commits.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict
from datetime import timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from .handler import Connection
from .operation import ENDED, Operation, OperationKind, OperationState, Target, Wanted
from .records import (
    CHANNEL,
    SHARED,
    Busy,
    Claim,
    ClaimLost,
    Created,
    KeyReused,
    NewOperation,
    PageMark,
    SamePerson,
    UnknownOperation,
    WrongState,
)
from .steering import Steered, steered

Lend = Callable[[], AbstractAsyncContextManager[Connection]]

_INSERT = """
    INSERT INTO fieldgate.operations
        (operation_id, kind, target, state, requested_by, idempotency_key, request_digest, not_before, locks)
    VALUES ($1, $2, $3::jsonb, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (requested_by, idempotency_key) DO NOTHING
    RETURNING *"""
_PAGE = """
    SELECT * FROM fieldgate.operations
    WHERE ($1::timestamptz IS NULL OR (created_at, operation_id) < ($1, $2::uuid))
        AND (cardinality($3::text[]) = 0 OR state = ANY ($3)) AND ($4::text IS NULL OR kind = $4)
    ORDER BY created_at DESC, operation_id DESC LIMIT $5"""
_DUE = """
    SELECT operation_id FROM fieldgate.operations
    WHERE state = 'queued' AND (not_before IS NULL OR not_before <= now())
        OR state IN ('running', 'paused') AND attempt > 0 AND touched_at < now() - $1::interval
    ORDER BY created_at LIMIT $2"""
_UNTOLD = """
    SELECT *, untold[1] AS ended_so FROM fieldgate.operations
    WHERE untold <> '{}' AND touched_at < now() - $1::interval ORDER BY touched_at LIMIT $2"""
_CLAIM = """
    UPDATE fieldgate.operations
    SET state = CASE WHEN state = 'paused' AND wanted = 'pause' THEN state ELSE 'running' END,
        attempt = attempt + 1, touched_at = now(), started_at = coalesce(started_at, now())
    WHERE operation_id = $1
        AND (state = 'queued' AND (not_before IS NULL OR not_before <= now())
            OR state IN ('running', 'paused') AND attempt > 0)
    RETURNING *"""
_UPDATE = "UPDATE fieldgate.operations SET"  # what follows is always a constant of this file
_FINISHED = (
    "state = $3, problem = $4, finished_at = now(), touched_at = now(), untold = array_append(untold, $3),"
    " done = CASE WHEN $3 = 'done' THEN greatest(done, total) ELSE done END"
)
_HELD = "WHERE operation_id = $1 AND attempt = $2 AND state IN ('running', 'paused')"


class DatabaseRecords:
    """Implements Records."""

    def __init__(self, lend: Lend) -> None:
        self._lend = lend

    # -- for who asks --

    async def known(self, by: str, idempotency_key: str, digest: bytes) -> Operation | None:
        async with self._lend() as connection:
            return await _known(connection, by, idempotency_key, digest)

    async def create(self, new: NewOperation) -> Created:
        state = OperationState.AWAITING_APPROVAL if new.needs_approval else OperationState.QUEUED
        target = json.dumps(asdict(new.target))
        locks = sorted(set(new.locks))
        async with self._transaction() as connection:
            row = await connection.fetchrow(
                *(
                    _INSERT,
                    new.operation_id,
                    new.kind.value,
                    target,
                    state.value,
                    new.requested_by,
                    new.idempotency_key,
                ),
                *(new.digest, new.not_before, locks),
            )
            if row is None:
                known = await _known(connection, new.requested_by, new.idempotency_key, new.digest)
                if known is None:
                    raise KeyReused  # deleted by hand in this very moment
                return Created(known, is_new=False)
            if state is OperationState.QUEUED:
                await _take_locks(connection, row)
            return Created(_operation(row), is_new=True)

    async def get(self, operation_id: UUID) -> Operation:
        async with self._lend() as connection:
            row = await connection.fetchrow("SELECT * FROM fieldgate.operations WHERE operation_id = $1", operation_id)
        if row is None:
            raise UnknownOperation(operation_id)
        return _operation(row)

    async def page(
        self,
        limit: int,
        after: PageMark | None = None,
        states: Sequence[OperationState] = (),
        kind: OperationKind | None = None,
    ) -> list[Operation]:
        mark = (after.created_at, after.operation_id) if after else (None, None)
        wanted = [state.value for state in states]
        async with self._lend() as connection:
            rows = await connection.fetch(_PAGE, *mark, wanted, kind.value if kind else None, limit)
        return [_operation(row) for row in rows]

    async def approve(self, operation_id: UUID, by: str) -> Operation:
        async with self._transaction() as connection:
            row = await _locked(connection, operation_id)
            if row["requested_by"] == by:
                raise SamePerson
            if row["approved_by"] == by:
                return _operation(row)
            if row["state"] != OperationState.AWAITING_APPROVAL:
                raise WrongState("approved", OperationState(row["state"]))
            await _take_locks(connection, row)
            return await _change(connection, operation_id, "state = 'queued', approved_by = $2", by)

    async def steer(self, operation_id: UUID, wanted: Wanted) -> Operation:
        async with self._transaction() as connection:
            row = await _locked(connection, operation_id)
            following = steered(OperationState(row["state"]), Wanted(row["wanted"]), row["attempt"] > 0, wanted)
            return await self._put(connection, operation_id, following)

    async def requeue(self, operation_id: UUID) -> Operation:
        async with self._transaction() as connection:
            row = await _locked(connection, operation_id)
            if row["state"] != OperationState.FAILED:
                raise WrongState("tried again", OperationState(row["state"]))
            await _take_locks(connection, row)
            again = "state = 'queued', wanted = 'run', problem = NULL, finished_at = NULL"
            return await _change(connection, operation_id, again)

    # -- for who carries out --

    async def due(self, limit: int, stale: timedelta) -> list[UUID]:
        async with self._lend() as connection:
            return [row["operation_id"] for row in await connection.fetch(_DUE, stale, limit)]

    async def claim(self, operation_id: UUID) -> Claim | None:
        async with self._transaction() as connection:
            row = await connection.fetchrow(_CLAIM, operation_id)
        return None if row is None else Claim(_operation(row), row["attempt"])

    async def touch(self, claim: Claim) -> Wanted:
        return await self._update(claim, "touched_at = now()")

    async def progress(self, claim: Claim, step: str, done: int, total: int, rate: float) -> Wanted:
        said = "touched_at = now(), step = $3, done = $4, total = $5, rate = $6"
        return await self._update(claim, said, step, done, total, rate)

    async def rest(self, claim: Claim, resting: bool) -> None:
        state = OperationState.PAUSED if resting else OperationState.RUNNING
        await self._update(claim, "touched_at = now(), state = $3", state.value)

    async def report(self, claim: Claim, result: Mapping[str, object]) -> None:
        added = "touched_at = now(), result = coalesce(result, '{}') || $3::jsonb"
        await self._update(claim, added, json.dumps(dict(result)))

    async def finish(self, claim: Claim, state: OperationState, problem: str | None = None) -> Operation:
        if state not in ENDED:
            raise ValueError(f"{state} is no end")
        async with self._transaction() as connection:
            row = await connection.fetchrow(
                f"{_UPDATE} {_FINISHED} {_HELD} RETURNING *",
                *(claim.operation.operation_id, claim.attempt, state.value, problem),
            )
            if row is None:
                raise ClaimLost
            await _free_locks(connection, claim.operation.operation_id)
            return _operation(row)

    async def untold(self, limit: int, stale: timedelta) -> list[tuple[Operation, OperationState]]:
        async with self._lend() as connection:
            rows = await connection.fetch(_UNTOLD, stale, limit)
        return [(_operation(row), OperationState(row["ended_so"])) for row in rows]

    async def told(self, operation_id: UUID, state: OperationState) -> None:
        async with self._lend() as connection:
            await connection.execute(
                f"{_UPDATE} untold = array_remove(untold, $2) WHERE operation_id = $1", operation_id, state.value
            )

    # -- inside --

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        async with self._lend() as connection, connection.transaction():
            yield connection
            await connection.execute("SELECT pg_catalog.pg_notify($1, '')", CHANNEL)

    async def _put(self, connection: Connection, operation_id: UUID, following: Steered) -> Operation:
        ended = following.state in ENDED
        if ended:
            await _free_locks(connection, operation_id)
        change = "state = $2, wanted = $3, finished_at = CASE WHEN $4 THEN coalesce(finished_at, now()) END"
        return await _change(connection, operation_id, change, following.state.value, following.wanted.value, ended)

    async def _update(self, claim: Claim, change: str, *values: object) -> Wanted:
        async with self._lend() as connection:
            wanted = await connection.fetchval(
                f"{_UPDATE} {change} {_HELD} RETURNING wanted",
                *(claim.operation.operation_id, claim.attempt, *values),
            )
        if wanted is None:
            raise ClaimLost
        return Wanted(wanted)


async def _known(connection: Connection, by: str, idempotency_key: str, digest: bytes) -> Operation | None:
    row = await connection.fetchrow(
        "SELECT * FROM fieldgate.operations WHERE requested_by = $1 AND idempotency_key = $2", by, idempotency_key
    )
    if row is None:
        return None
    if row["request_digest"] != digest:
        raise KeyReused
    return _operation(row)


async def _locked(connection: Connection, operation_id: UUID) -> Any:
    row = await connection.fetchrow(
        "SELECT * FROM fieldgate.operations WHERE operation_id = $1 FOR UPDATE", operation_id
    )
    if row is None:
        raise UnknownOperation(operation_id)
    return row


async def _change(connection: Connection, operation_id: UUID, change: str, *values: object) -> Operation:
    row = await connection.fetchrow(f"{_UPDATE} {change} WHERE operation_id = $1 RETURNING *", operation_id, *values)
    return _operation(row)


async def _take_locks(connection: Connection, row: Any) -> None:
    """All of the operation's locks or none.  Raises Busy."""
    names = {name.removeprefix(SHARED): name for name in row["locks"]}
    for alone in sorted(names):
        await connection.execute(_ONE_AT_A_TIME, alone)
        shared = names[alone].startswith(SHARED)
        holder = await connection.fetchval(_HOLDS_ALONE if shared else _HOLDS, alone, row["operation_id"])
        if holder is not None:
            raise Busy(holder)
        name = f"{names[alone]} {row['operation_id']}" if shared else alone
        await connection.execute(_HOLD, name, row["operation_id"])


_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('fieldgate operation lock ' || $1, 0))"
_HOLDS_ALONE = "SELECT operation_id FROM fieldgate.operation_locks WHERE name = $1 AND operation_id <> $2"
_HOLDS = """
    SELECT operation_id FROM fieldgate.operation_locks
    WHERE (name = $1 OR starts_with(name, 'shared ' || $1 || ' ')) AND operation_id <> $2 LIMIT 1"""
_HOLD = "INSERT INTO fieldgate.operation_locks (name, operation_id) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING"


async def _free_locks(connection: Connection, operation_id: UUID) -> None:
    await connection.execute("DELETE FROM fieldgate.operation_locks WHERE operation_id = $1", operation_id)


def _operation(row: Any) -> Operation:
    return Operation(
        operation_id=row["operation_id"],
        kind=OperationKind(row["kind"]),
        target=Target(**json.loads(row["target"])),
        state=OperationState(row["state"]),
        requested_by=row["requested_by"],
        created_at=row["created_at"],
        wanted=Wanted(row["wanted"]),
        step=row["step"],
        done=row["done"],
        total=row["total"],
        rate=row["rate"],
        problem=row["problem"],
        result=MappingProxyType(json.loads(row["result"] or "{}")),
        approved_by=row["approved_by"],
        not_before=row["not_before"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
    )
