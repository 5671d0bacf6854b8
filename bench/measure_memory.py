"""Measurement 4: what one idle connection holds in the proxy, over TLS, in the database with protected tables.

Proportional set size before and after, divided by the connections.  A first batch is opened and closed beforehand, so
that what the process keeps for itself (caches, arenas, loaded modules) is not counted as theirs.
"""

from __future__ import annotations

import asyncio

import asyncpg

from .client import POINT, connect
from .contest import Contest, Reading, Side
from .gate import Gate
from .people import email_of
from .places import Endpoint
from .processes import memory
from .ratios import Goal
from .workplace import SHOP, Workplace

NAME = "memory"
WANTED_KIB = 100.0
_AT_ONCE = 16
_WARM_UP = 50


def contest(place: Workplace, gate: Gate) -> Contest:
    where, count = gate.endpoint(SHOP, tls=True), place.sizes.connections

    def measure(asked: bool) -> Reading:
        return asyncio.run(_measure(where, gate.pid, count, asked=asked))

    fresh, used = "logged in", "logged in, one query done"
    sides = (Side(fresh, lambda: measure(False)), Side(used, lambda: measure(True)))
    goals = (Goal(fresh, at_most=WANTED_KIB), Goal(used, at_most=WANTED_KIB))
    return Contest(NAME, f"{count:,} idle connections, resident memory of the proxy for each", "KiB", sides, goals)


async def _measure(where: Endpoint, pid: int, count: int, *, asked: bool) -> Reading:
    await _close(await _open(where, _WARM_UP, asked=asked))
    before = memory(pid)
    connections = await _open(where, count, asked=asked)
    after = memory(pid)
    await _close(connections)
    return Reading((after - before) / count / 1024, {"process, MiB": after / (1 << 20)})


async def _open(where: Endpoint, count: int, *, asked: bool) -> list[asyncpg.Connection]:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one() -> asyncpg.Connection:
        async with gate:
            connection = await connect(where)
            if asked:
                await connection.fetchrow(POINT, email_of(1))
            return connection

    return await asyncio.gather(*(one() for _ in range(count)))


async def _close(connections: list[asyncpg.Connection]) -> None:
    await asyncio.gather(*(connection.close() for connection in connections))
