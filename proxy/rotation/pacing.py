"""Keeps one operation's pace in one database: measures in the background, and rests after each batch."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

from .places import Place
from .throttle import Gauge, Pace, Throttle
from .tools import Tools

INTERVAL = 0.25
# One row by an index, of a table that re-encryption leaves alone: in its own there would be more and more dead row
# versions to be skipped.
_PROBE = "SELECT relname FROM pg_catalog.pg_class WHERE oid = 1259"
Rest = Callable[[float, int], Awaitable[None]]


@asynccontextmanager
async def paced(tools: Tools, place: Place) -> AsyncIterator[Rest]:
    """What is awaited after each batch.  Without targets nothing is measured."""
    throttle = Throttle(tools.pace)

    async def rest(worked: float, cells: int) -> None:
        await asyncio.sleep(throttle.rest_after(worked, cells))

    if not _measures(tools.pace):
        yield rest
        return
    async with tools.connection(place.database) as connection:
        gauge = Gauge(connection, _PROBE)
        throttle.baseline = await gauge.baseline()
        watching = asyncio.create_task(_watch(gauge, throttle))
        try:
            yield rest
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching


def _measures(pace: Pace) -> bool:
    return pace.latency_factor is not None or pace.replica_lag is not None


async def _watch(gauge: Gauge, throttle: Throttle) -> None:
    """Until the connection is lost: then the work goes on at the share of that moment, and soon loses its own."""
    with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        while True:
            throttle.observe(await gauge.latency_now(), await gauge.lag())
            await asyncio.sleep(INTERVAL)
