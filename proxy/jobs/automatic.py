"""Asks for the rotation of data keys that are due (proxy/rotation/due.py), one at a time for each key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from keys.database_store import DatabaseKeyStore
from policies.audit.key_events import KeyEvent, KeyRecord
from policies.fields import DataMap
from proxy.keywork.records import Busy, Records
from proxy.keywork.refusals import Refusal
from proxy.keywork.trail import Trail
from proxy.logs import Logger
from proxy.rotation.due import Limits, due_keys, wishes
from proxy.rotation.errors import is_transient
from proxy.rotation.places import places_of

from .runner import AUTHOR


@dataclass(frozen=True, slots=True)
class Automatic:
    """`interval`: seconds between two looks."""

    store: DatabaseKeyStore
    records: Records
    data_maps: Callable[[], Mapping[str, DataMap]]
    limits: Limits
    trail: Trail
    logger: Logger
    interval: float = 60.0

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:
                if not is_transient(error) and not isinstance(error, Refusal):
                    raise
                self.logger.warning("automatic_rotation_waits", kind=type(error).__name__)
            await asyncio.sleep(self.interval)

    async def look(self) -> int:
        """How many operations were asked for that had not been before."""
        due = due_keys(await self.store.read(), self.limits)
        asked = 0
        for wish in wishes(due, places_of(self.data_maps())):
            if await self.records.known(wish.requested_by, wish.idempotency_key, wish.digest) is not None:
                continue
            record = KeyRecord(
                KeyEvent.REQUESTED,
                AUTHOR,
                operation=str(wish.operation_id),
                kind=wish.kind.value,
                database=wish.target.database,
                field=wish.target.field,
            )
            try:
                async with self.trail.asking(record):
                    await self.records.create(wish)
            except Busy:
                continue  # somebody works on this field; later
            asked += 1
            self.logger.info("rotation_due", field=wish.target.field, database=wish.target.database)
        return asked
