"""Operations carried out without a runner, over a real store of keys, and an application beside them."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg

from keys.database_store import DatabaseKeyStore
from keys.key_tables import DatabaseTables
from keys.keyring import Keyring, KeyringCiphers
from keys.primitives import random_bytes
from keys.subjects import SubjectCache
from policies.fields import DataMap, Field
from proxy.keywork.handler import Cancelled
from proxy.keywork.operation import Operation, OperationKind, OperationState, Target
from proxy.rotation.throttle import Pace
from proxy.rotation.tools import Tools
from proxy.sealing.needs import key_needs
from tests.keys.making import CountedLeases
from tests.rotation.making import MAP, SEALED, opened, seal
from tests.sealing.making import create_sealed, id_of
from tests.support.control_database import ControlDatabase, make_control
from tests.support.memory_keys import MemoryProvider
from tests.support.servers import Database

UNTHROTTLED = Pace(latency_factor=None, replica_lag=None)


class FixedProvider(MemoryProvider):
    """One that another process can be given, too."""

    def __init__(self, kek: bytes) -> None:
        super().__init__("memory:fixed")
        self._keks = [kek]


def operation_of(kind: OperationKind, target: Target, **more: object) -> Operation:
    made = Operation(uuid4(), kind, target, OperationState.RUNNING, "anna", datetime.now(UTC))
    return replace(made, **more)  # type: ignore[arg-type]


@dataclass(slots=True)
class Steps:
    """A Work that remembers its steps and runs what a test wants at the first call of one; `at` says which."""

    operation: Operation
    at: dict[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    progress: tuple[int, int] = (0, 0)

    async def checkpoint(self, step: str, done: int = 0, total: int = 0) -> None:
        if total:
            self.progress = done, total
        if not self.seen or self.seen[-1] != step:
            self.seen.append(step)
        happening = self.at.pop(step, None)
        if happening is not None:
            await happening()

    async def report(self, result: Mapping[str, object]) -> None:
        self.operation = replace(self.operation, result={**self.operation.result, **result})

    @property
    def result(self) -> Mapping[str, object]:
        return self.operation.result


async def cancel() -> None:
    raise Cancelled


@dataclass(slots=True)
class Shop:
    """A control database and a data database (both in one) with the sealed table of people, empty."""

    database: Database
    control: ControlDatabase
    kek: bytes
    store: DatabaseKeyStore
    made: DataMap = MAP

    @property
    def provider(self) -> MemoryProvider:
        provider = self.store.provider
        assert isinstance(provider, MemoryProvider)
        return provider

    def tools(self, **more: object) -> Tools:
        settings: dict[str, object] = {
            "store": self.store,
            "connect": lambda name: self.database.connect_async(),
            "data_maps": lambda: {"shop": self.made},
            "leases": CountedLeases(),
            "pace": UNTHROTTLED,
            "patience": 0.02,
            **more,
        }
        return Tools(**settings)  # type: ignore[arg-type]

    async def keyring(self) -> Keyring:
        return (await self.store.load()).keyring

    async def ciphers(self) -> KeyringCiphers:
        return (await self.keyring()).ciphers(key_needs(self.made), CountedLeases(), None, SubjectCache())

    async def key_states(self, field: Field) -> list[str]:
        scope = f"field:{id_of(field)}"
        keys = (await self.store.read()).keys
        return [k.info.state.value for k in keys if k.info.slot.scope == scope and k.info.slot.purpose.value == "cell"]


def store_of(control: ControlDatabase, kek: bytes) -> DatabaseKeyStore:
    return DatabaseKeyStore(DatabaseTables(control.connection), FixedProvider(kek))


async def make_shop(database: Database, made: DataMap = MAP) -> Shop:
    control, kek = await make_control(database), random_bytes(32)
    store = store_of(control, kek)
    await store.initialise()
    await store.add_missing(key_needs(made))
    shop = Shop(database, control, kek, store, made)
    database.run(*create_sealed(made, await shop.ciphers()))
    return shop


@dataclass(slots=True)
class Holder:
    """A process that holds keys, as a proxy does: it loads them when they change, confirms, and seals by the active."""

    shop: Shop
    holder_id: UUID = field(default_factory=uuid4)
    ciphers: KeyringCiphers | None = None
    number: int = 0
    stopped: bool = False

    async def load(self) -> None:
        loaded = await self.shop.store.load()
        self.ciphers = loaded.keyring.ciphers(key_needs(self.shop.made), CountedLeases(), None, SubjectCache())
        self.number = loaded.number
        await self.shop.store.tables.confirm(self.holder_id, loaded.number, 30.0)

    async def keep(self) -> None:
        """Until it is cancelled: confirms what it has, and loads what is newer; while `stopped`, neither."""
        while True:
            if not self.stopped:
                _, newest = await self.shop.store.tables.confirm(self.holder_id, self.number, 30.0)
                if newest != self.number:
                    await self.load()
            await asyncio.sleep(0.02)


@asynccontextmanager
async def holding(shop: Shop) -> AsyncIterator[Holder]:
    holder = Holder(shop)
    await holder.load()
    task = asyncio.create_task(holder.keep())
    try:
        yield holder
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@dataclass(slots=True)
class Application:
    """Writes, reads and deletes people at random through one holder's keys; the ledger is what was acknowledged.

    Each has numbers of its own (its `share` of `shares`), so that the ledger is the truth about them.
    """

    holder: Holder
    connection: asyncpg.Connection
    share: int
    shares: int
    ledger: dict[int, tuple[str | None, ...]] = field(default_factory=dict)
    writes: int = 0
    retries: int = 0
    wrong: list[str] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    async def run(self, until: asyncio.Event, numbers: int) -> None:
        while not until.is_set():
            number = self.chance.randrange(numbers) * self.shares + self.share + 1
            await self._one(number)
            await asyncio.sleep(0)

    async def _one(self, number: int) -> None:
        what = self.chance.random()
        try:
            if what < 0.4:
                await self._write(number)
            elif what < 0.5:
                await self.connection.execute("UPDATE people SET city = $1 WHERE id = $2", f"{what}", number)
            elif what < 0.55:
                await self.connection.execute("DELETE FROM people WHERE id = $1", number)
                self.ledger.pop(number, None)
            else:
                await self._read(number)
        except asyncpg.SerializationError:
            self.retries += 1
            await self.holder.load()

    async def _write(self, number: int) -> None:
        values = (f"{number} {self.writes}@example.org", f"Анна {self.writes % 9}", f"note {self.writes}", None)
        assert self.holder.ciphers is not None
        cells = [
            None if v is None else seal(f, v, number, self.holder.ciphers) for f, v in zip(SEALED, values, strict=True)
        ]
        await self.connection.execute(
            """INSERT INTO people (id, email, "Full Name", note, phone) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (id) DO UPDATE SET email = excluded.email, "Full Name" = excluded."Full Name",
               note = excluded.note, phone = excluded.phone""",
            number,
            *cells,
        )
        self.ledger[number] = values
        self.writes += 1

    async def _read(self, number: int) -> None:
        row = await self.connection.fetchrow(
            'SELECT id, email, "Full Name", note, phone FROM people WHERE id = $1', number
        )
        assert self.holder.ciphers is not None
        found = None
        if row is not None:
            found = tuple(
                None
                if row[f.column] is None
                else self.holder.ciphers.cipher(id_of(f))
                .open(row[f.column], row_key=b"%d" % number if f.sealing and f.sealing.row_bound else None)
                .decode()
                for f in SEALED
            )
        if found != self.ledger.get(number):
            self.wrong.append(f"row {number}")


async def all_opened(shop: Shop, connection: asyncpg.Connection) -> dict[int, tuple[str | None, ...]]:
    return await opened(connection, await shop.ciphers())


async def until(true: Callable[[], bool]) -> None:
    """Something that other tasks bring about; the test's own timeout ends a wait in vain."""
    while not true():  # noqa: ASYNC110 (what is waited for tells nobody)
        await asyncio.sleep(0.01)
