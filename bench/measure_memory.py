"""Measurement 4: what one idle connection holds in the proxy, over TLS, in the database with protected tables.

Proportional set size before and after, divided by the connections: once they are logged in, and after each of them has
asked for a sealed customer.  A first batch is opened and closed beforehand, so that what the process keeps for itself
(caches, arenas, loaded modules) is not counted as theirs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

import asyncpg

from .client import POINT, connect
from .contest import Contest, Reading, Side
from .gate import Gates
from .people import email_of
from .places import Endpoint
from .processes import memory
from .ratios import Goal
from .workplace import SHOP, Workplace

NAME = "memory"
WANTED_KIB = 100.0
_AT_ONCE = 16
_WARM_UP = 50
_SIDE = "fieldgate"


def contest(place: Workplace, gates: Gates) -> Contest:
    where, count = gates.one.endpoint(SHOP, tls=True), place.sizes.connections
    side = Side(_SIDE, lambda: asyncio.run(_measure(where, gates.one.pid, count)))
    title = f"{count:,} idle connections, each has asked once: resident memory of the proxy for one"
    return Contest(NAME, title, "KiB", (side,), (Goal(_SIDE, at_most=WANTED_KIB),))


async def _measure(where: Endpoint, pid: int, count: int) -> Reading:
    warm = await _gently(_WARM_UP * [lambda: connect(where)])
    await _ask(warm)
    await _close(warm)
    before = memory(pid)
    connections = await _gently(count * [lambda: connect(where)])
    logged_in = memory(pid)
    await _ask(connections)
    asked = memory(pid)
    await _close(connections)
    notes = {"logged in only, KiB": (logged_in - before) / count / 1024, "process, MiB": asked / (1 << 20)}
    return Reading((asked - before) / count / 1024, notes)


async def _ask(connections: list[asyncpg.Connection]) -> None:
    await _gently([partial(c.fetchrow, POINT, email_of(1)) for c in connections])


async def _close(connections: list[asyncpg.Connection]) -> None:
    await _gently([c.close for c in connections])


async def _gently(work: Iterable[Callable[[], Awaitable[object]]]) -> list[asyncpg.Connection]:
    """All of it, a few at a time."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(act: Callable[[], Awaitable[object]]) -> object:
        async with gate:
            return await act()

    return await asyncio.gather(*(one(act) for act in work))
