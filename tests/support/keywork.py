"""A key service in memory: fake records and key tables, the shop's data map, an audit sink that keeps its lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

from keys.database_store import DatabaseKeyStore, Move
from keys.keyring import KeyPurpose
from keys.lifecycle import KeyState
from keys.records import StoredKey
from policies.admin_rights import AdminRights
from policies.audit.events import Line, decode
from policies.fields import DataMap
from policies.loader import SHOP, load_policy
from proxy.keywork.escrow import PutBack
from proxy.keywork.escrow_check import ProviderCheck
from proxy.keywork.fields import FieldIndex
from proxy.keywork.refusals import Code, Refusal
from proxy.keywork.service import Actor, Asked, KeyService, ServiceParts
from proxy.keywork.trail import Trail
from proxy.sealing.needs import key_needs
from tests.support.memory_keys import MemoryProvider, MemoryTables
from tests.support.operations_memory import MemoryRecords

EMAIL = "public.customers.email"
PASSPORT = "public.refunds.passport_scan"
RIGHTS = AdminRights()
SHOP_MAP = load_policy(SHOP).data_map
SUBJECT = "customer:17"


def _with_subject_keys() -> DataMap:
    """The shop's, as if cells of customers were under their secrets."""
    customers = ("public", "customers")
    table = replace(SHOP_MAP.tables[customers], subject_kind="customer")
    return replace(SHOP_MAP, tables={**SHOP_MAP.tables, customers: table})


INDEX = FieldIndex([_with_subject_keys()])


@dataclass
class MemorySink:
    available: bool = True
    lines: list[Line] = field(default_factory=list)
    fail_after: int | None = None  # so many lines are durable, then none

    def submit(self, line: Line, done: Callable[[bool], None]) -> None:
        fine = self.fail_after is None or len(self.lines) < self.fail_after
        if fine:
            self.lines.append(line)
        done(fine)

    @property
    def records(self) -> list[dict[str, Any]]:
        return [decode(line) for line in self.lines]

    def told(self) -> list[tuple[str, str]]:
        """Event and outcome of each record."""
        return [(record["event"], record["outcome"]) for record in self.records]


@dataclass
class MemoryEscrow:
    tables: MemoryTables

    async def put_back(self, put: PutBack, expected: int) -> None:
        if self.tables.number != expected:
            raise Refusal(Code.BUSY, "changed")
        self.tables.rows |= {row.info.key_id: row for row in put.rows}
        self.tables.number, self.tables.code = put.number, put.code


@dataclass
class Desk:
    """Everything that a test of the service looks at."""

    tables: MemoryTables
    store: DatabaseKeyStore
    records: MemoryRecords
    sink: MemorySink
    service: KeyService

    async def key_of(self, place: str = EMAIL, purpose: KeyPurpose = KeyPurpose.CELL) -> StoredKey:
        [scope] = [need.cell_slot.scope for need in key_needs(SHOP_MAP) if need.name == place]
        keys = [k for k in self.tables.rows.values() if (k.info.slot.scope, k.info.slot.purpose) == (scope, purpose)]
        return max(keys, key=lambda key: key.info.epoch)

    async def move(self, key: StoredKey, *states: KeyState) -> StoredKey:
        for state in states:
            [key] = await self.store.transition([Move(key.info.key_id, key.info.state, state)])
        return key

    async def disabled_key(self, place: str = EMAIL) -> StoredKey:
        return await self.move(await self.key_of(place), KeyState.DECRYPT_ONLY, KeyState.DISABLED)


async def make_desk() -> Desk:
    tables, records, sink = MemoryTables(), MemoryRecords(), MemorySink()
    store = DatabaseKeyStore(tables, MemoryProvider())
    await store.initialise()
    await store.add_missing(key_needs(SHOP_MAP))
    check = ProviderCheck(lambda: DatabaseKeyStore(tables, store.provider))
    parts = ServiceParts(
        records, tables, MemoryEscrow(tables), check, lambda: INDEX, RIGHTS, Trail(sink), timedelta(days=7)
    )
    return Desk(tables, store, records, sink, KeyService(parts))


def actor(person: str = "olga", *roles: str) -> Actor:
    return Actor(person, "token:0011223344556677", frozenset(roles or ("key-admin",)))


def asked(key: str | None = None, body: object = None) -> Asked:
    return Asked(key or str(uuid4()), sha256(json.dumps(body).encode()).digest())
