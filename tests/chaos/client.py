"""One application: works through whichever proxy answers, and compares each answer with its journal.

A failure that says "again" (40001, 40P01, 57P03) has changed nothing, and the same is done again, with the statements
prepared before.  Where a connection is lost, what became of a write is not known: then the server's own session is
waited for, and either of the two states is right, as a whole.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

import asyncpg

from proxy.demo.show import PASSWORD

from .actions import (
    ACTIONS,
    ADDRESSES,
    PEOPLE,
    PHONES,
    Action,
    Doing,
    Share,
    Wrong,
    find,
    find_part,
    find_phone,
    join,
    require,
)
from .house import House
from .journal import Journal, marks_of
from .statements import Session

AGAIN = frozenset({"40001", "40P01", "57P03"})
LOST = (
    OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError, asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, asyncpg.ConnectionDoesNotExistError,
)  # fmt: skip
REST = 0.04  # seconds at most between two actions: the machine has rotations to do, too
PATIENCE = 60.0  # seconds in which a statement must have been answered, and an action must have succeeded


@dataclass(slots=True)
class Client:
    number: int
    house: House
    chance: random.Random
    journal: Journal = field(default_factory=Journal)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    share: Share = field(init=False)
    session: Session | None = None
    sessions: int = 0

    def __post_init__(self) -> None:
        self.share = Share(self.number)

    async def run(self, over: asyncio.Event) -> None:
        """Until it is over, or something is wrong."""
        try:
            while not over.is_set() and not self.wrong:
                action = self.chance.choices(list(ACTIONS), list(ACTIONS.values()))[0]
                await self._act(action, self.chance.random())
                await asyncio.sleep(self.chance.uniform(0, REST))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what was looked for
            self.wrong.append(f"client {self.number}: {type(error).__name__} {error}")
        finally:
            await self._leave()

    # -- one action --

    async def _act(self, action: Action, seed: float) -> None:
        """Once it has succeeded, or is known to have, or to have not."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            draft = self.journal.copy()
            try:
                async with asyncio.timeout_at(deadline):
                    session = await self._connected()
                    session.commits = False
                    await action(Doing(self.share, session, draft, random.Random(seed)))
                self.journal = draft
                self.counts[action.__name__] += 1
                return None
            except asyncpg.PostgresError as error:
                if isinstance(error, LOST):
                    return await self._settle(draft)
                if error.sqlstate not in AGAIN:
                    raise Wrong(f"{action.__name__}: {error.sqlstate} {error}") from error
                self.counts[f"again {error.sqlstate}"] += 1
                require(asyncio.get_running_loop().time() < deadline, f"{action.__name__}: for {PATIENCE} s {error}")
                await self._rolled_back()
                await asyncio.sleep(0.02)
            except Wrong as wrong:
                raise Wrong(f"{action.__name__}: {wrong}") from None
            except LOST as error:
                late = asyncio.get_running_loop().time() >= deadline
                require(not late, f"{action.__name__}: no answer within {PATIENCE} s ({type(error).__name__})")
                return await self._settle(draft)

    async def _rolled_back(self) -> None:
        if self.session is not None and self.session.connection.is_in_transaction():
            with suppress(*LOST):
                await self.session.connection.execute("ROLLBACK")

    async def _settle(self, draft: Journal) -> None:
        """The connection is lost: waits for the server's session to end, and looks what has become of the draft."""
        self.counts["lost"] += 1
        session = self.session
        await self._leave()
        if session is not None:
            await self._ended(session.name)
        found = await self.observe()
        if found == self.journal:
            return
        require(
            session is not None and session.commits and found == draft,
            f"after a lost connection: {self.journal.difference(found)}",
        )
        self.journal = found
        self.counts["lost, but done"] += 1

    async def _ended(self, name: str) -> None:
        """A server that has not heard of the connection's end yet may still commit."""
        while True:
            with suppress(*LOST, asyncpg.PostgresError):
                raw = await self.house.raw()
                try:
                    while await raw.fetchval("SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", name):
                        await raw.execute(
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", name
                        )
                        await asyncio.sleep(0.05)
                    return
                finally:
                    raw.terminate()

    async def observe(self, proxy: int | None = None) -> Journal:
        """What the database says of this client's rows, by one proxy or by any."""
        while True:
            try:
                async with asyncio.timeout(PATIENCE):
                    session = await self._open(proxy)
                    try:
                        return await self._observed(session)
                    finally:
                        session.connection.terminate()
            except asyncpg.PostgresError as error:
                if error.sqlstate not in AGAIN and not isinstance(error, LOST):
                    raise
            except LOST:
                pass
            await asyncio.sleep(0.05)

    async def _observed(self, session: Session) -> Journal:
        people = await session.fetch("SELECT email, phone FROM customers WHERE city = $1", self.share.city)
        orders = await session.fetch(
            "SELECT submit_ip, submit_hostname FROM orders WHERE customer_id = $1", self.share.customer
        )
        events = await session.fetch(
            "SELECT ip, user_agent FROM login_events WHERE customer_id = $1", self.share.customer
        )
        mine = [[(str(a), m) for a, m in rows if m and m.startswith("chaos")] for rows in (orders, events)]
        return Journal(dict(people), dict(marks_of(mine[0])), dict(marks_of(mine[1])))

    async def compare(self, proxy: int) -> None:
        """At the end: everything that was acknowledged, and every search for it, by this proxy.  Raises Wrong."""
        found = await self.observe(proxy)
        require(found == self.journal, f"client {self.number}: {self.journal.difference(found)}")
        session = await self._open(proxy)
        for number in range(PEOPLE):
            await find(session, self.journal, self.share.mail(number))
        for number in range(PHONES):
            await find_phone(session, self.journal, self.share.phone(number))
        for number in range(ADDRESSES):
            await join(session, self.journal, self.share.address(number))
        await find_part(session, self.journal, self.share)
        await session.connection.close()

    # -- connections --

    async def _connected(self) -> Session:
        if self.session is None or self.session.connection.is_closed():
            self.session = await self._open(None)
        return self.session

    async def _open(self, proxy: int | None) -> Session:
        while True:
            node = self.chance.choice(self.house.proxies) if proxy is None else self.house.proxies[proxy]
            assert node.door is not None
            self.sessions += 1
            name = f"chaos-{self.number}-{self.sessions}"
            try:
                made = await asyncpg.connect(
                    host=node.door.host, port=node.door.port, user="management", password=PASSWORD, database="shop",
                    ssl=self.house.tls, server_settings={"application_name": name}, timeout=20,
                )  # fmt: skip
                return Session(made, name, self.chance)
            except LOST:
                pass
            except asyncpg.PostgresError as error:
                if error.sqlstate not in AGAIN and error.sqlstate[:2] != "08":
                    raise
            await asyncio.sleep(0.1)

    async def _leave(self) -> None:
        session, self.session = self.session, None
        if session is not None:
            session.connection.terminate()
