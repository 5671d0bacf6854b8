"""Rotates keys, and kills what carries them out and what is in between, in an order that a seed gives."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import asyncpg

from .house import LEASE, OURS, House
from .nodes import Node
from .operations import Desk, of_field

EMAIL, PHONE, SURNAME, ORDER_IP, EVENT_IP = (
    "public.customers.email", "public.customers.phone", "public.customers.surname",
    "public.orders.submit_ip", "public.login_events.ip",
)  # fmt: skip
FIELDS = (EMAIL, PHONE, SURNAME, ORDER_IP, EVENT_IP)
# The orders' address and the events' share a term key, and the data keys of a whole table may be rotated in one pass.
ROTATIONS = (
    of_field(EMAIL, "rotate-term-key"),
    of_field(EVENT_IP, "rotate-data-key"),
    "keks/rotate",
    of_field(EVENT_IP, "rotate-term-key"),
)
MORE_ROTATIONS = (
    *ROTATIONS,
    of_field(EMAIL, "rotate-data-key"),
    "keks/rewrap",
    of_field("public.customers.*", "rotate-data-key"),
    of_field(ORDER_IP, "rotate-term-key"),
    of_field(PHONE, "rotate-term-key"),
    of_field(PHONE, "rotate-data-key"),
    of_field(SURNAME, "rotate-term-key"),
)
DISTURBANCES = ("kill_runner", "kill_proxy", "hold_proxy", "restart_server", "end_backends")
AT_ONCE = 2  # operations
HOLDS = (1, LEASE + 6)  # seconds: for a moment, or until nobody waits any more (keys/key_tables.py: GRACE)
_PAUSE = (0.3, 1.5)  # seconds between two disturbances


@dataclass(slots=True)
class Disturber:
    house: House
    desk: Desk
    chance: random.Random
    counts: Counter[str] = field(default_factory=Counter)
    round_done: asyncio.Event = field(default_factory=asyncio.Event)

    async def rotate(self, rotations: Sequence[str], seconds: float = 0.0) -> None:
        """Each of these once, some beside each other; then others at random.

        Until the seconds have passed, and each disturbance has happened.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        waiting = deque(self.chance.sample(rotations, len(rotations)))
        while waiting or asyncio.get_running_loop().time() < deadline or not self.round_done.is_set():
            if not waiting:
                waiting.append(self.chance.choice(MORE_ROTATIONS))
            if len(await self.desk.unfinished()) < AT_ONCE:
                if await self.desk.ask(waiting[0]) is not None:
                    waiting.popleft()
                else:
                    waiting.rotate(-1)
            await asyncio.sleep(0.1)

    async def disturb(self, over: asyncio.Event, disturbances: Sequence[str]) -> None:
        """Each of these once in every round, until it is over; what is disturbed is whole again at the end."""
        while not over.is_set():
            for what in self.chance.sample(disturbances, len(disturbances)):
                with suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), self.chance.uniform(*_PAUSE))
                if over.is_set():
                    break
                await getattr(self, what)()
                self.counts[what.replace("_", " ")] += 1
            self.round_done.set()
            if not disturbances:
                return

    # -- what is done --

    async def kill_runner(self) -> None:
        await self._kill(self.chance.choice(self.house.runners))

    async def kill_proxy(self) -> None:
        await self._kill(self.chance.choice(self.house.proxies))

    async def _kill(self, node: Node) -> None:
        await asyncio.to_thread(node.kill)
        await asyncio.sleep(self.chance.uniform(0, 1))
        node.start()
        if node in self.house.proxies:
            await self.house.ready(node)

    async def hold_proxy(self) -> None:
        """For longer than others wait for it, or for a moment."""
        proxy = self.chance.choice(self.house.proxies)
        proxy.hold()
        try:
            await asyncio.sleep(self.chance.choice(HOLDS))
        finally:
            proxy.go_on()

    async def restart_server(self) -> None:
        await self.house.restart_server()

    async def end_backends(self) -> None:
        """Those of the runners, or those by which proxies and runners look after keys, catalogs and operations."""
        user = self.chance.choice(("postgres", "fieldgate"))
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            raw = await self.house.raw()
            try:
                await raw.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1"
                    " AND application_name <> $2",
                    *(user, OURS),
                )
            finally:
                raw.terminate()
