"""Where operations are recorded, and what may become of them: the contract that the database keeps (see
records_database.py) and that tests keep in memory.

Who asks uses `create`, `approve`, `steer`, `requeue`, `get` and `page`; who carries out uses `due`, `claim` and the
methods that take a claim.  An operation holds its locks from `queued` to its end; one that is called `shared ...` does
not keep out others of the same name, only who holds the rest of the name alone.  A claim is good until somebody else
claims the same operation: then ClaimLost says that this runner is too late and must leave it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID, uuid4

from .operation import Operation, OperationKind, OperationState, Target, Wanted

SHARED = "shared "  # begins the name of a lock that several may hold
CHANNEL = "fieldgate_operations"  # notified when an operation may have become due, or is wanted otherwise


class RecordsError(Exception):
    """What was asked of an operation cannot be; the message is for people and holds names only."""


class UnknownOperation(RecordsError):
    def __init__(self, operation_id: UUID) -> None:
        super().__init__(f"there is no operation {operation_id}")


class KeyReused(RecordsError):
    """The same person has used this idempotency key for something else."""

    def __init__(self) -> None:
        super().__init__("this idempotency key was used for another request: make a new one")


class Busy(RecordsError):
    """Another operation works on the same thing."""

    def __init__(self, holder: UUID) -> None:
        super().__init__(f"operation {holder} works on the same thing: wait for its end, or cancel it")
        self.holder = holder


class WrongState(RecordsError):
    def __init__(self, what: str, state: OperationState) -> None:
        super().__init__(f"an operation that is {state} cannot be {what}")
        self.state = state


class SamePerson(RecordsError):
    def __init__(self) -> None:
        super().__init__("who asked for an operation cannot approve it: a second person must")


class ClaimLost(RecordsError):
    """Another runner has taken the operation over, or it has ended."""

    def __init__(self) -> None:
        super().__init__("another runner has taken this operation over, or it has ended")


@dataclass(frozen=True, slots=True)
class NewOperation:
    """`digest` is the SHA-256 of the whole request, so that a key is not used for two; `locks` what it works on."""

    kind: OperationKind
    target: Target
    requested_by: str
    idempotency_key: str
    digest: bytes
    needs_approval: bool = False
    not_before: datetime | None = None
    locks: tuple[str, ...] = ()
    operation_id: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, slots=True)
class Created:
    operation: Operation
    is_new: bool  # False: the same request again


@dataclass(frozen=True, slots=True)
class Claim:
    operation: Operation
    attempt: int


@dataclass(frozen=True, slots=True)
class PageMark:
    """Where a page of the list ended; the next one begins after it."""

    created_at: datetime
    operation_id: UUID


class Records(Protocol):
    async def known(self, by: str, idempotency_key: str, digest: bytes) -> Operation | None:
        """What this person has asked for by this key.  Raises KeyReused when it was something else."""
        ...

    async def create(self, new: NewOperation) -> Created:
        """Recorded once for its person and idempotency key.  Raises KeyReused, Busy."""
        ...

    async def get(self, operation_id: UUID) -> Operation:
        """Raises UnknownOperation."""
        ...

    async def page(
        self,
        limit: int,
        after: PageMark | None = None,
        states: Sequence[OperationState] = (),
        kind: OperationKind | None = None,
    ) -> list[Operation]:
        """The newest first."""
        ...

    async def approve(self, operation_id: UUID, by: str) -> Operation:
        """Queued.  The same approver again changes nothing.  Raises UnknownOperation, SamePerson, WrongState, Busy."""
        ...

    async def steer(self, operation_id: UUID, wanted: Wanted) -> Operation:
        """What has no runner yet obeys at once, the rest at its next checkpoint.  Raises UnknownOperation, WrongState.

        Nothing that is wanted already is an error, also when the operation has ended so.
        """
        ...

    async def requeue(self, operation_id: UUID) -> Operation:
        """A failed operation is to be tried again.  Raises UnknownOperation, WrongState, Busy."""
        ...

    async def due(self, limit: int, stale: timedelta) -> list[UUID]:
        """What waits for a runner: queued and not too early, or begun and its runner not heard of for `stale`."""
        ...

    async def claim(self, operation_id: UUID) -> Claim | None:
        """Taken from whoever had it; None when it has ended, waits for approval, is too early, or is to rest."""
        ...

    async def touch(self, claim: Claim) -> Wanted:
        """A sign of life; says what is wanted.  Raises ClaimLost."""
        ...

    async def progress(self, claim: Claim, step: str, done: int, total: int, rate: float) -> Wanted:
        """Raises ClaimLost."""
        ...

    async def rest(self, claim: Claim, resting: bool) -> None:
        """Running becomes paused, or paused running.  Raises ClaimLost."""
        ...

    async def report(self, claim: Claim, result: Mapping[str, object]) -> None:
        """Adds to the result; the same names are replaced.  Raises ClaimLost."""
        ...

    async def finish(self, claim: Claim, state: OperationState, problem: str | None = None) -> Operation:
        """Done, failed or cancelled; its locks are free, and its end is still to be told.  Raises ClaimLost."""
        ...

    async def untold(self, limit: int, stale: timedelta) -> list[tuple[Operation, OperationState]]:
        """Ends that are still to be told, `stale` or longer after they were (their runner would have told them)."""
        ...

    async def told(self, operation_id: UUID, state: OperationState) -> None:
        """That it ended so is in the audit record."""
        ...
