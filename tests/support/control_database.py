"""A control database for tests: installed in the test's own database, worked with as its control role."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg

from proxy.control_schema.install import install
from tests.support.servers import Database


@dataclass(frozen=True, slots=True)
class ControlDatabase:
    """`user` may do what a proxy may; its password is `secret`."""

    database: Database
    user: str

    async def connect(self) -> asyncpg.Connection:
        return await self.database.connect_async(self.user, "secret")

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        made = await self.connect()
        try:
            yield made
        finally:
            await made.close()


async def make_control(database: Database) -> ControlDatabase:
    made = ControlDatabase(database, database.role("control"))
    owner = await database.connect_async()
    try:
        await install(owner, made.user)
    finally:
        await owner.close()
    return made
