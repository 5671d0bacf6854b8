"""A shop whose operations are recorded in its control database, with a queue, and runners of this process."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
import pytest
import structlog

from policies.audit.events import Line, decode
from proxy.jobs.queue import install_queue
from proxy.jobs.registry import handlers
from proxy.jobs.runner import Runner
from proxy.keywork.handler import Handler
from proxy.keywork.operation import Operation, OperationKind, OperationState, Target
from proxy.keywork.records import NewOperation
from proxy.keywork.records_database import DatabaseRecords
from proxy.keywork.trail import Trail
from tests.rotation.making import EMAIL, fill
from tests.rotation.working import Shop, make_shop
from tests.support.servers import Database

ROWS = 60


@dataclass(slots=True)
class MemorySink:
    """`available` may be put off: then nothing is written."""

    available: bool = True
    lines: list[Line] = field(default_factory=list)

    def submit(self, line: Line, done: Callable[[bool], None]) -> None:
        if self.available:
            self.lines.append(line)
        done(self.available)


@dataclass(slots=True)
class Jobs:
    shop: Shop
    records: DatabaseRecords
    sink: MemorySink = field(default_factory=MemorySink)
    numbers: int = 0

    async def ask(self, kind: OperationKind = OperationKind.ROTATE_DATA_KEY, target: Target | None = None) -> Operation:
        self.numbers += 1
        name = f"request {self.numbers}"
        new = NewOperation(
            kind, target or Target("shop", EMAIL.name), "anna", name, hashlib.sha256(name.encode()).digest()
        )
        return (await self.records.create(new)).operation

    def runner(self, own: dict[OperationKind, Handler] | None = None, **more: object) -> Runner:
        settings: dict[str, object] = {"heartbeat": 2.0, "look": 0.2, "longest_delay": 1.0, **more}
        return Runner(
            self.records,
            own or handlers(self.shop.tools()),
            self.shop.control.connect,
            Trail(self.sink),
            structlog.get_logger(),
            **settings,  # type: ignore[arg-type]
        )

    def told(self) -> list[tuple[str, str, str | None]]:
        """Event, outcome and state of each record that is durable."""
        found = map(decode, self.sink.lines)
        return [(str(each["event"]), str(each["outcome"]), each["state"]) for each in found]

    async def reached(self, operation: Operation, *states: OperationState) -> Operation:
        while True:
            found = await self.records.get(operation.operation_id)
            if found.state in states:
                return found
            await asyncio.sleep(0.05)


@asynccontextmanager
async def running(*runners: Runner) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(runner.run()) for runner in runners]
    try:
        yield
    finally:
        for runner in runners:
            runner.stop()
        await asyncio.gather(*tasks)


async def make_jobs(database: Database) -> Jobs:
    shop = await make_shop(database)
    owner = await database.connect_async()
    await install_queue(owner, shop.control.user)
    await fill(owner, await shop.ciphers(), ROWS)
    await owner.close()
    return Jobs(shop, DatabaseRecords(shop.control.connection))


@pytest.fixture
async def jobs(database: Database) -> Jobs:
    return await make_jobs(database)


@pytest.fixture
async def connection(jobs: Jobs) -> AsyncIterator[asyncpg.Connection]:
    made = await jobs.shop.database.connect_async()
    yield made
    await made.close()
