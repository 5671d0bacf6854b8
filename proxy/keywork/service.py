"""What the admin port does for people: look at keys and operations, ask for one, approve it, steer it, export, import.

Each method first asks the admin policy whether the actor may (default: no), then writes the audit record, then acts.
It holds no keys and touches no data database: operations are carried out by the job runner.  A person is one name,
however they logged in; who asked for an operation never approves it.

Raises Refusal; what the control database cannot do (down, lost) is a Refusal too.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import asyncpg

from keys.errors import CryptoError
from keys.key_tables import Uses
from keys.keyring import KeyPurpose
from keys.leases import SEALS_PER_KEY
from keys.records import KeySnapshot, StoredKey
from policies.audit.key_events import Author, KeyEvent, KeyRecord
from proxy.errors import UpstreamUnavailable

from .escrow import Escrow, PutBack, export_of, plan_import, store_after
from .fields import FieldIndex, Place
from .operation import NEEDS_APPROVAL, Operation, OperationKind, OperationState, Target, Wanted
from .records import (
    Busy,
    KeyReused,
    NewOperation,
    PageMark,
    Records,
    RecordsError,
    SamePerson,
    UnknownOperation,
    WrongState,
)
from .refusals import Code, Refusal
from .trail import Trail, about
from .wishes import check_wish, find_key, names_of

_CODES: dict[type[RecordsError], Code] = {
    Busy: Code.BUSY,
    KeyReused: Code.IDEMPOTENCY_KEY_REUSED,
    SamePerson: Code.SAME_PERSON,
    UnknownOperation: Code.UNKNOWN_OPERATION,
    WrongState: Code.WRONG_OPERATION_STATE,
}
_LATEST = 200  # verifications that are looked through
STEERED = {Wanted.PAUSE: KeyEvent.PAUSED, Wanted.RUN: KeyEvent.RESUMED, Wanted.CANCEL: KeyEvent.CANCELLED}


class Rights(Protocol):
    """The admin policy: `thing` is `keys`, `operations`, `escrow`, or a kind of operation."""

    def allows(self, roles: frozenset[str], thing: str, act: str) -> bool: ...


class KeyReader(Protocol):
    async def read(self) -> KeySnapshot: ...
    async def uses(self) -> Mapping[bytes, Uses]: ...


class EscrowWriter(Protocol):
    async def put_back(self, put: PutBack, expected: int) -> None: ...


class EscrowCheck(Protocol):
    async def require_loadable(self, snapshot: KeySnapshot) -> None: ...


@dataclass(frozen=True, slots=True)
class Actor:
    """A person who has logged in.  `via` is how (see policies.audit.key_events.Author)."""

    person: str
    via: str
    roles: frozenset[str]

    @property
    def author(self) -> Author:
        return Author(self.person, self.via, tuple(sorted(self.roles)))


@dataclass(frozen=True, slots=True)
class Asked:
    """What is kept of an idempotency key, and the SHA-256 of the whole request that came with it."""

    key: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Counted:
    """How many cells were under a key when a field was last verified, by that operation."""

    operation_id: UUID
    at: datetime | None
    cells: int


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One key, where it is used, and how much of its budget is left."""

    key: StoredKey
    places: tuple[Place, ...]
    uses: Uses
    counted: Counted | None = None

    @property
    def seals_left(self) -> int:
        return max(0, SEALS_PER_KEY - self.key.seals_granted)


@dataclass(frozen=True, slots=True)
class Imported:
    revision: int
    put_back: tuple[str, ...]
    present: int


@dataclass(frozen=True, slots=True)
class ServiceParts:
    records: Records
    keys: KeyReader
    escrow: EscrowWriter
    check: EscrowCheck
    fields: Callable[[], FieldIndex]
    rights: Rights
    trail: Trail
    destroy_after: timedelta


class KeyService:
    def __init__(self, parts: ServiceParts) -> None:
        self._parts = parts
        self._records, self._trail = parts.records, parts.trail

    # -- keys --

    async def keys(self, actor: Actor) -> list[KeyLine]:
        await self._looks(actor, "keys", "read")
        async with _store():
            snapshot, uses = await self._parts.keys.read(), await self._parts.keys.uses()
        return [self._line(key, uses) for key in snapshot.keys]

    async def key(self, actor: Actor, key_id: str) -> KeyLine:
        await self._looks(actor, "keys", "read")
        async with _store():
            snapshot, uses = await self._parts.keys.read(), await self._parts.keys.uses()
            line = self._line(find_key(snapshot, key_id), uses)
            if not line.places or line.key.info.slot.purpose is not KeyPurpose.CELL:
                return line
            ended = (OperationState.DONE, OperationState.FAILED)
            verified = await self._records.page(_LATEST, states=ended, kind=OperationKind.VERIFY)
        return replace(line, counted=_counted(line, verified))

    def _line(self, key: StoredKey, uses: Mapping[bytes, Uses]) -> KeyLine:
        slot = key.info.slot
        sharing = self._parts.fields().sharing(slot.controller, slot.scope)
        return KeyLine(key, tuple(each.place for each in sharing), uses.get(key.info.key_id, Uses()))

    # -- operations --

    async def operation(self, actor: Actor, operation_id: UUID) -> Operation:
        await self._looks(actor, "operations", "read")
        async with _store():
            return await self._records.get(operation_id)

    async def operations(
        self,
        actor: Actor,
        limit: int,
        after: PageMark | None = None,
        states: Sequence[OperationState] = (),
        kind: OperationKind | None = None,
    ) -> list[Operation]:
        await self._looks(actor, "operations", "read")
        async with _store():
            return await self._records.page(limit, after, states, kind)

    async def request(self, actor: Actor, asked: Asked, kind: OperationKind, target: Target) -> Operation:
        """The same request again is the same operation, as it is by now."""
        named = names_of(target, self._parts.fields())
        record = _about_target(KeyRecord(KeyEvent.REQUESTED, actor.author, kind=kind.value), named)
        await self._require(actor, kind.value, "request", record)
        async with self._refusing(record), _store():
            known = await self._records.known(actor.person, asked.key, asked.digest)
            if known is not None:
                return known
            keys = await self._parts.keys.read()
            checked = check_wish(kind, target, self._parts.fields(), keys, self._parts.destroy_after)
        new = NewOperation(
            kind=kind,
            target=checked.target,
            requested_by=actor.person,
            idempotency_key=asked.key,
            digest=asked.digest,
            needs_approval=kind in NEEDS_APPROVAL,
            not_before=checked.not_before,
            locks=checked.locks,
        )
        record = _about_target(record, checked.target, str(new.operation_id))
        async with self._trail.asking(record), _store():
            return (await self._records.create(new)).operation

    async def approve(self, actor: Actor, operation_id: UUID) -> Operation:
        async with self._upon(actor, operation_id, "approve", KeyEvent.APPROVED):
            return await self._records.approve(operation_id, actor.person)

    async def steer(self, actor: Actor, operation_id: UUID, wanted: Wanted) -> Operation:
        async with self._upon(actor, operation_id, "steer", STEERED[wanted]):
            return await self._records.steer(operation_id, wanted)

    async def retry(self, actor: Actor, operation_id: UUID) -> Operation:
        """A failed operation once more; what a second person approved stays approved."""
        async with self._upon(actor, operation_id, "steer", KeyEvent.RETRIED):
            return await self._records.requeue(operation_id)

    # -- may they still? --

    async def may_request(self, actor: Actor, kind: OperationKind) -> None:
        """Raises Refusal, as do the others here."""
        record = KeyRecord(KeyEvent.REQUESTED, actor.author, kind=kind.value)
        await self._require(actor, kind.value, "request", record)

    async def may_act(self, actor: Actor, operation_id: UUID, act: str, event: KeyEvent) -> None:
        async with _store():
            found = await self._records.get(operation_id)
        await self._require(actor, found.kind.value, act, about(KeyRecord(event, actor.author), found))

    async def may_import(self, actor: Actor) -> None:
        await self._require(actor, "escrow", "import", KeyRecord(KeyEvent.KEYS_IMPORTED, actor.author))

    # -- escrow --

    async def export(self, actor: Actor) -> Escrow:
        record = KeyRecord(KeyEvent.KEYS_EXPORTED, actor.author)
        await self._require(actor, "escrow", "export", record)
        async with self._trail.asking(record), _store():
            return export_of(await self._parts.keys.read())

    async def put_back(self, actor: Actor, escrow: Escrow) -> Imported:
        record = KeyRecord(KeyEvent.KEYS_IMPORTED, actor.author)
        await self._require(actor, "escrow", "import", record)
        async with self._trail.asking(record), _store():
            there = await self._parts.keys.read()
            put = plan_import(escrow, there)
            if put.rows:
                await self._parts.check.require_loadable(store_after(put, there))
                await self._parts.escrow.put_back(put, there.number)
        return Imported(put.number, tuple(row.name for row in put.rows), put.present)

    # -- inside --

    async def _looks(self, actor: Actor, thing: str, act: str) -> None:
        record = KeyRecord(KeyEvent.READ, actor.author, kind=thing)
        await self._require(actor, thing, act, record)
        await self._trail.write_seldom(record)

    async def _require(self, actor: Actor, thing: str, act: str, record: KeyRecord) -> None:
        if not self._parts.rights.allows(actor.roles, thing, act):
            refused = Refusal(Code.FORBIDDEN, f"none of your roles may {act} {thing}")
            await self._trail.refused(record, refused)
            raise refused

    @contextlib.asynccontextmanager
    async def _upon(self, actor: Actor, operation_id: UUID, act: str, event: KeyEvent) -> AsyncIterator[None]:
        """Something is done with an operation that is there, by somebody who may."""
        async with _store():
            found = await self._records.get(operation_id)
        record = about(KeyRecord(event, actor.author), found)
        await self._require(actor, found.kind.value, act, record)
        async with self._trail.asking(record), _store():
            yield

    @contextlib.asynccontextmanager
    async def _refusing(self, record: KeyRecord) -> AsyncIterator[None]:
        try:
            yield
        except Refusal as refused:
            await self._trail.refused(record, refused)
            raise


@contextlib.asynccontextmanager
async def _store() -> AsyncIterator[None]:
    """What the control database says becomes ours; its own messages are not passed on."""
    try:
        yield
    except RecordsError as error:
        raise Refusal(_CODES.get(type(error), Code.WRONG_OPERATION_STATE), str(error)) from None
    except (UpstreamUnavailable, OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresError) as error:
        raise Refusal(
            Code.STORE_UNAVAILABLE, f"the control database cannot be used now ({type(error).__name__}); try later"
        ) from None
    except CryptoError as error:
        raise Refusal(Code.STORE_UNAVAILABLE, str(error)) from None


def _counted(line: KeyLine, verified: Iterable[Operation]) -> Counted | None:
    """From the latest report about one of the key's places; None without any."""
    places = {(place.database, place.field) for place in line.places}
    for operation in verified:
        reports = operation.result.get("verified")
        found = [r for r in reports if isinstance(r, dict)] if isinstance(reports, list) else []
        ours = [report for report in found if (report.get("database"), report.get("field")) in places]
        if ours:
            cells = sum(int(report.get("by_key", {}).get(line.key.name, 0)) for report in ours)
            return Counted(operation.operation_id, operation.finished_at, cells)
    return None


def _about_target(record: KeyRecord, target: Target, operation: str | None = None) -> KeyRecord:
    return KeyRecord(
        record.event,
        record.author,
        operation=operation,
        kind=record.kind,
        database=target.database,
        field=target.field,
        keys=(target.key_id,) if target.key_id else (),
        subject=target.subject,
    )
