"""What handlers of rotation are made with, and what several of them do alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from keys.database_store import DatabaseKeyStore
from keys.field import SealLeases
from keys.keyring import KeyPurpose, Keyring, KeyringCiphers, Slot
from keys.lifecycle import KeyState
from keys.records import KeySnapshot, StoredKey
from keys.subjects import SubjectCache
from policies.fields import DataMap
from proxy.keywork.handler import Work
from proxy.sealing.facts import Connection
from proxy.sealing.needs import key_needs
from proxy.subject_keeper import SubjectKeeper

from .places import Place, places_of
from .secrets import keeper_of
from .throttle import Pace

Connect = Callable[[str], Awaitable[Connection]]


@dataclass(frozen=True, slots=True)
class Tools:
    """`connect` makes a connection to a data database as the role that owns the protected tables.

    `data_maps` reads the policies anew, by name of the database.  `workers` connections re-encrypt a table's parts
    beside each other, in batches of `batch` rows.  No table of more than `rewrite_limit` bytes is written anew under a
    lock.
    """

    store: DatabaseKeyStore
    connect: Connect
    data_maps: Callable[[], Mapping[str, DataMap]]
    leases: SealLeases
    pace: Pace = field(default_factory=Pace)
    workers: int = 2
    batch: int = 2000
    rewrite_limit: int = 1 << 30
    patience: float = 0.2  # seconds between looks at who has confirmed
    cells_done: Callable[[int], None] = lambda count: None  # for metrics

    def places(self) -> tuple[Place, ...]:
        return places_of(self.data_maps())

    @asynccontextmanager
    async def connection(self, database: str) -> AsyncIterator[Connection]:
        """One of our own, closed afterwards, without waiting for a server that does not answer."""
        made = await self.connect(database)
        try:
            yield made
        finally:
            if not made.is_closed():
                made.terminate()

    def ciphers(
        self,
        keyring: Keyring,
        place: Place,
        keeper: SubjectKeeper | None = None,
        admitted: Mapping[str, Collection[bytes]] | None = None,
    ) -> KeyringCiphers:
        """Of this place's field alone.  Without a `keeper` those of data subjects' cells seal and open nothing."""
        needs = [need for need in key_needs(self.data_maps()[place.database]) if need.field_id == place.field_id]
        return keyring.ciphers(needs, self.leases, admitted, keeper.cache if keeper is not None else SubjectCache())

    def keeper(self, keyring: Keyring, place: Place) -> SubjectKeeper | None:
        """Of the secrets that the place's cells need; None: they need none.  Raises RotationRefused."""
        return keeper_of(self.store, self.leases, keyring, place)

    async def confirmed(self, work: Work, step: str) -> None:
        """Waits until every process that serves protected fields has loaded the keys as they are now.

        One whose lease has passed has stopped by its own clock; it is not waited for.
        """
        number = (await self.store.read()).number
        while waiting := await self.store.tables.behind(number):
            await work.checkpoint(f"{step}: waiting for {len(waiting)} processes to load the keys")
            await asyncio.sleep(self.patience)


def slot_of(place: Place) -> Slot:
    return Slot(place.controller, place.scope, KeyPurpose.CELL)


def keys_of(snapshot: KeySnapshot, slot: Slot, *states: KeyState) -> list[StoredKey]:
    """In the order of their epochs; of these states, or of any."""
    found = [key for key in snapshot.keys if key.info.slot == slot and (not states or key.info.state in states)]
    return sorted(found, key=lambda key: key.info.epoch)


async def together(*work: Awaitable[None]) -> None:
    """All of them; the first failure ends the others and is raised by itself."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
