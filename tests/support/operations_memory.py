"""Operations in memory, for tests of whoever uses them; passes the tests of the database's (tests/keywork)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from proxy.keywork.operation import ENDED, Operation, OperationKind, OperationState, Wanted
from proxy.keywork.records import (
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
from proxy.keywork.steering import steered

HELD = (OperationState.RUNNING, OperationState.PAUSED)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class _Row:
    new: NewOperation
    operation: Operation
    attempt: int = 0
    touched_at: datetime | None = None
    untold: list[OperationState] = field(default_factory=list)


@dataclass
class MemoryRecords:
    """Implements Records.  `now` may be replaced."""

    now: Callable[[], datetime] = _now
    rows: dict[UUID, _Row] = field(default_factory=dict)
    locks: dict[str, UUID] = field(default_factory=dict)

    async def known(self, by: str, idempotency_key: str, digest: bytes) -> Operation | None:
        for row in self.rows.values():
            if (row.new.requested_by, row.new.idempotency_key) == (by, idempotency_key):
                if row.new.digest != digest:
                    raise KeyReused
                return row.operation
        return None

    async def create(self, new: NewOperation) -> Created:
        found = await self.known(new.requested_by, new.idempotency_key, new.digest)
        if found is not None:
            return Created(found, is_new=False)
        state = OperationState.AWAITING_APPROVAL if new.needs_approval else OperationState.QUEUED
        made = Operation(
            new.operation_id, new.kind, new.target, state, new.requested_by, self.now(), not_before=new.not_before
        )
        row = _Row(new, made)
        if state is OperationState.QUEUED:
            self._take_locks(row)
        self.rows[made.operation_id] = row
        return Created(made, is_new=True)

    async def get(self, operation_id: UUID) -> Operation:
        return self._row(operation_id).operation

    async def page(
        self,
        limit: int,
        after: PageMark | None = None,
        states: Sequence[OperationState] = (),
        kind: OperationKind | None = None,
    ) -> list[Operation]:
        found = [row.operation for row in self.rows.values()]
        found.sort(key=lambda each: (each.created_at, each.operation_id), reverse=True)
        return [
            each
            for each in found
            if (after is None or (each.created_at, each.operation_id) < (after.created_at, after.operation_id))
            and (not states or each.state in states)
            and (kind is None or each.kind is kind)
        ][:limit]

    async def approve(self, operation_id: UUID, by: str) -> Operation:
        row = self._row(operation_id)
        if row.operation.requested_by == by:
            raise SamePerson
        if row.operation.approved_by == by:
            return row.operation
        if row.operation.state is not OperationState.AWAITING_APPROVAL:
            raise WrongState("approved", row.operation.state)
        self._take_locks(row)
        return self._set(row, state=OperationState.QUEUED, approved_by=by)

    async def steer(self, operation_id: UUID, wanted: Wanted) -> Operation:
        row = self._row(operation_id)
        found = row.operation
        following = steered(found.state, found.wanted, row.attempt > 0, wanted)
        ended = following.state in ENDED
        if ended:
            self._free_locks(operation_id)
        finished = (found.finished_at or self.now()) if ended else None
        return self._set(row, state=following.state, wanted=following.wanted, finished_at=finished)

    async def requeue(self, operation_id: UUID) -> Operation:
        row = self._row(operation_id)
        if row.operation.state is not OperationState.FAILED:
            raise WrongState("tried again", row.operation.state)
        self._take_locks(row)
        return self._set(row, state=OperationState.QUEUED, wanted=Wanted.RUN, problem=None, finished_at=None)

    async def due(self, limit: int, stale: timedelta) -> list[UUID]:
        found = []
        for operation_id, row in self.rows.items():
            state = row.operation.state
            begun = state in HELD and row.touched_at is not None and row.touched_at < self.now() - stale
            if begun or (state is OperationState.QUEUED and not self._too_early(row)):
                found.append(operation_id)
        return found[:limit]

    async def claim(self, operation_id: UUID) -> Claim | None:
        row = self.rows.get(operation_id)
        if row is None:
            return None
        found = row.operation
        if found.state is OperationState.QUEUED:
            if self._too_early(row):
                return None
        elif found.state not in HELD or row.attempt == 0:
            return None
        resting = found.state is OperationState.PAUSED and found.wanted is Wanted.PAUSE
        row.attempt += 1
        row.touched_at = self.now()
        state = OperationState.PAUSED if resting else OperationState.RUNNING
        return Claim(self._set(row, state=state, started_at=found.started_at or self.now()), row.attempt)

    async def touch(self, claim: Claim) -> Wanted:
        return self._held(claim).operation.wanted

    async def progress(self, claim: Claim, step: str, done: int, total: int, rate: float) -> Wanted:
        return self._set(self._held(claim), step=step, done=done, total=total, rate=rate).wanted

    async def rest(self, claim: Claim, resting: bool) -> None:
        self._set(self._held(claim), state=OperationState.PAUSED if resting else OperationState.RUNNING)

    async def report(self, claim: Claim, result: Mapping[str, object]) -> None:
        row = self._held(claim)
        self._set(row, result={**row.operation.result, **result})

    async def finish(self, claim: Claim, state: OperationState, problem: str | None = None) -> Operation:
        if state not in ENDED:
            raise ValueError(f"{state} is no end")
        row = self._held(claim)
        self._free_locks(row.operation.operation_id)
        row.untold.append(state)
        found = row.operation
        done = max(found.done, found.total) if state is OperationState.DONE else found.done
        return self._set(row, state=state, problem=problem, done=done, finished_at=self.now())

    async def untold(self, limit: int, stale: timedelta) -> list[tuple[Operation, OperationState]]:
        late = [r for r in self.rows.values() if r.untold and r.touched_at and r.touched_at < self.now() - stale]
        return [(row.operation, row.untold[0]) for row in late[:limit]]

    async def told(self, operation_id: UUID, state: OperationState) -> None:
        row = self._row(operation_id)
        row.untold = [each for each in row.untold if each is not state]

    # -- inside --

    def _row(self, operation_id: UUID) -> _Row:
        if operation_id not in self.rows:
            raise UnknownOperation(operation_id)
        return self.rows[operation_id]

    def _held(self, claim: Claim) -> _Row:
        row = self._row(claim.operation.operation_id)
        if row.attempt != claim.attempt or row.operation.state not in HELD:
            raise ClaimLost
        row.touched_at = self.now()
        return row

    def _set(self, row: _Row, **changes: object) -> Operation:
        row.operation = replace(row.operation, **changes)  # type: ignore[arg-type]
        return row.operation

    def _too_early(self, row: _Row) -> bool:
        return row.operation.not_before is not None and row.operation.not_before > self.now()

    def _take_locks(self, row: _Row) -> None:
        ours, taken = row.operation.operation_id, {}
        for name in row.new.locks:
            alone = name.removeprefix(SHARED)
            shared = name != alone
            for held, holder in self.locks.items():
                against = held == alone or (not shared and held.startswith(f"{SHARED}{alone} "))
                if against and holder != ours:
                    raise Busy(holder)
            taken[f"{name} {ours}" if shared else name] = ours
        self.locks.update(taken)

    def _free_locks(self, operation_id: UUID) -> None:
        self.locks = {name: holder for name, holder in self.locks.items() if holder != operation_id}
