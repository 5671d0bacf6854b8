"""One application: writes, searches and joins through whichever proxy answers, and compares answers with its journal.

A failure that says "again" (40001, 40P01, 57P03) has changed nothing, and the same is done again, with the statements
prepared before.  Where a connection is lost, what became of a write is not known: then the server's own session is
waited for, and either of the two states is right, as a whole.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from proxy.demo.show import PASSWORD

from .house import House
from .journal import Journal, marks_of
from .statements import Session

AGAIN = frozenset({"40001", "40P01", "57P03"})
LOST = (
    OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError, asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, asyncpg.ConnectionDoesNotExistError,
)  # fmt: skip
PATIENCE = 60.0  # seconds in which a statement must have been answered, and an action must have succeeded
PEOPLE, ADDRESSES, PHONES, SHARED = 8, 4, 3, 12

Action = Callable[[Session, Journal], Awaitable[None]]


class Wrong(Exception):
    """An answer that must not be."""


def require(true: bool, what: str) -> None:
    if not true:
        raise Wrong(what)


@dataclass(slots=True)
class Client:
    number: int
    house: House
    chance: random.Random
    journal: Journal = field(default_factory=Journal)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    session: Session | None = None
    commits: bool = False  # what has been said last may have taken effect
    sessions: int = 0
    marks: int = 0

    async def run(self, over: asyncio.Event) -> None:
        """Until it is over, or something is wrong."""
        try:
            while not over.is_set() and not self.wrong:
                await self._act(self._chosen())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what was looked for
            self.wrong.append(f"client {self.number}: {type(error).__name__} {error}")
        finally:
            await self._leave()

    # -- one action --

    async def _act(self, action: Action) -> None:
        """Once it has succeeded, or is known to have, or to have not."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            draft, self.commits = self.journal.copy(), False
            try:
                async with asyncio.timeout_at(deadline):
                    session = await self._connected()
                    await action(session, draft)
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
        commits, session = self.commits, self.session
        await self._leave()
        if session is not None:
            await self._ended(session.name)
        found = await self.observe()
        if found == self.journal:
            return
        require(commits and found == draft, f"after a lost connection: {self.journal.difference(found)}")
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
        people = await session.fetch("SELECT email, phone FROM customers WHERE city = $1", self.city)
        orders = await session.fetch(
            "SELECT submit_ip, submit_hostname FROM orders WHERE customer_id = $1", self.customer
        )
        events = await session.fetch("SELECT ip, user_agent FROM login_events WHERE customer_id = $1", self.customer)
        mine = [[(str(a), m) for a, m in rows if m and m.startswith("chaos")] for rows in (orders, events)]
        return Journal(dict(people), dict(marks_of(mine[0])), dict(marks_of(mine[1])))

    async def compare(self, proxy: int) -> None:
        """At the end: everything that was acknowledged, and every search for it, by this proxy.  Raises Wrong."""
        found = await self.observe(proxy)
        require(found == self.journal, f"client {self.number}: {self.journal.difference(found)}")
        session = await self._open(proxy)
        for number in range(PEOPLE):
            await self._find(session, self.mail(number))
        for number in range(PHONES):
            await self._find_phone(session, self.phone(number))
        for number in range(ADDRESSES):
            await self._join(session, self.address(number))
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

    # -- what there is --

    @property
    def city(self) -> str:
        return f"chaos {self.number}"

    @property
    def customer(self) -> int:
        """One of the sample's, whose orders and events are this client's."""
        return self.number + 1

    def mail(self, number: int) -> str:
        return f"chaos{self.number}.{number}@example.org"

    def phone(self, number: int) -> str:
        return f"+7 900 {self.number:03}-{number:04}"

    def address(self, number: int) -> str:
        return f"10.77.{self.number}.{number}"

    def mark(self) -> str:
        self.marks += 1
        return f"chaos-{self.number}-{self.marks}"

    # -- what is done --

    def _chosen(self) -> Action:
        actions = {
            self.puts: 5, self.inserts: 3, self.changes: 4, self.renames: 2, self.deletes: 2, self.orders: 3,
            self.events: 3, self.forgets: 1, self.transacts: 4, self.races: 2, self.finds: 8, self.joins: 4,
        }  # fmt: skip
        # What is drawn is drawn before, so that the same is done again.
        chosen = self.chance.choices(list(actions), list(actions.values()))[0]
        seed = self.chance.random()

        async def action(session: Session, draft: Journal) -> None:
            await chosen(session, draft, random.Random(seed))

        action.__name__ = chosen.__name__
        return action

    async def puts(self, session: Session, draft: Journal, chance: random.Random) -> None:
        email, phone = self.mail(chance.randrange(PEOPLE)), self.phone(chance.randrange(PHONES))
        draft.people[email] = phone
        self.commits = True
        await self._put(session, email, phone)

    async def _put(self, session: Session, email: str, phone: str) -> None:
        rows = await session.fetch(
            "INSERT INTO customers (surname, name, email, phone, country, city, postal_code, address)"
            " VALUES ('Хаос', 'Анна', $1, $2, 'Россия', $3, '420000', 'ул. Лесная')"
            " ON CONFLICT (email) DO UPDATE SET phone = excluded.phone RETURNING email, phone",
            *(email, phone, self.city),
        )
        require(rows == [(email, phone)], f"an upsert of {email} returned {rows}")

    async def inserts(self, session: Session, draft: Journal, chance: random.Random) -> None:
        """Of what is there already it must be refused."""
        email, phone = self.mail(chance.randrange(PEOPLE)), self.phone(chance.randrange(PHONES))
        known = email in draft.people
        draft.people.setdefault(email, phone)
        self.commits = not known
        try:
            await session.execute(
                "INSERT INTO customers (surname, name, email, phone, country, city, postal_code, address)"
                " VALUES ('Хаос', 'Олег', $1, $2, 'Россия', $3, '420000', 'ул. Лесная')",
                *(email, phone, self.city),
            )
        except asyncpg.UniqueViolationError:
            require(known, f"{email} is not there, and was refused")
        else:
            require(not known, f"{email} is there twice")

    async def changes(self, session: Session, draft: Journal, chance: random.Random) -> None:
        email, phone = self.mail(chance.randrange(PEOPLE)), self.phone(chance.randrange(PHONES))
        expected = [(email,)] if email in draft.people else []
        if expected:
            draft.people[email] = phone
        self.commits = True
        rows = await session.fetch("UPDATE customers SET phone = $1 WHERE email = $2 RETURNING email", phone, email)
        require(rows == expected, f"an update of {email} changed {rows}")

    async def renames(self, session: Session, draft: Journal, chance: random.Random) -> None:
        old, new = self.mail(chance.randrange(PEOPLE)), self.mail(chance.randrange(PEOPLE))
        there, taken = old in draft.people, new in draft.people and new != old
        if there and not taken:
            draft.people[new] = draft.people.pop(old)
        self.commits = True
        try:
            rows = await session.fetch("UPDATE customers SET email = $1 WHERE email = $2 RETURNING email", new, old)
        except asyncpg.UniqueViolationError:
            require(there and taken, f"{new} is not there, and was refused")
        else:
            require(not (there and taken), f"{new} is there twice")
            require(rows == ([(new,)] if there else []), f"{old} became {rows}")

    async def deletes(self, session: Session, draft: Journal, chance: random.Random) -> None:
        email = self.mail(chance.randrange(PEOPLE))
        expected = [(email,)] if draft.people.pop(email, None) is not None else []
        self.commits = True
        rows = await session.fetch("DELETE FROM customers WHERE email = $1 RETURNING email", email)
        require(rows == expected, f"a deletion of {email} removed {rows}")

    async def orders(self, session: Session, draft: Journal, chance: random.Random) -> None:
        self.commits = True
        await self._order(session, draft, self.address(chance.randrange(ADDRESSES)))

    async def _order(self, session: Session, draft: Journal, address: str) -> None:
        mark = self.mark()
        draft.note(draft.orders, address, mark)
        await session.execute(
            "INSERT INTO orders (customer_id, total, recipient_name, recipient_phone, delivery_address, submit_ip,"
            " submit_hostname) VALUES ($1, 1.00, 'Анна', '+7', 'ул. Лесная', $2, $3)",
            *(self.customer, address, mark),
        )

    async def events(self, session: Session, draft: Journal, chance: random.Random) -> None:
        address, mark = self.address(chance.randrange(ADDRESSES)), self.mark()
        draft.note(draft.events, address, mark)
        self.commits = True
        await session.execute(
            "INSERT INTO login_events (customer_id, kind, ip, user_agent) VALUES ($1, 'login', $2, $3)",
            *(self.customer, address, mark),
        )

    async def forgets(self, session: Session, draft: Journal, chance: random.Random) -> None:
        address = self.address(chance.randrange(ADDRESSES))
        expected = sorted(draft.events.pop(address, ()))
        self.commits = True
        rows = await session.fetch("DELETE FROM login_events WHERE ip = $1 RETURNING user_agent", address)
        require(sorted(mark for (mark,) in rows) == expected, f"of {address} {rows} were removed, not {expected}")

    async def transacts(self, session: Session, draft: Journal, chance: random.Random) -> None:
        """Several tables, what was written is found before the commit; now and then all of it is taken back."""
        before, email = draft.copy(), self.mail(chance.randrange(PEOPLE))
        await session.connection.execute("BEGIN")
        draft.people[email] = self.phone(chance.randrange(PHONES))
        await self._put(session, email, draft.people[email])
        await self._find(session, email, draft)
        address = self.address(chance.randrange(ADDRESSES))
        await self._order(session, draft, address)
        await self._join(session, address, draft)
        if chance.random() < 0.2:
            await session.connection.execute("ROLLBACK")
            draft.people, draft.orders, draft.events = before.people, before.orders, before.events
        else:
            self.commits = True
            await session.connection.execute("COMMIT")

    async def races(self, session: Session, _draft: Journal, chance: random.Random) -> None:
        """Several clients insert the same; it is there once, whoever was the first."""
        email = f"chaos.shared.{chance.randrange(SHARED)}@example.org"
        conflict = chance.choice(("", " ON CONFLICT (email) DO NOTHING"))
        with suppress(asyncpg.UniqueViolationError):
            await session.execute(
                "INSERT INTO customers (surname, name, email, phone, country, city, postal_code, address)"
                f" VALUES ('Хаос', 'Ян', $1, '+7', 'Россия', 'chaos', '420000', 'ул. Лесная'){conflict}",
                email,
            )
        rows = await session.fetch("SELECT email FROM customers WHERE email = $1", email)
        require(rows == [(email,)], f"of {email} {len(rows)} were found")

    async def finds(self, session: Session, draft: Journal, chance: random.Random) -> None:
        if chance.random() < 0.7:
            await self._find(session, self.mail(chance.randrange(PEOPLE)), draft)
        else:
            await self._find_phone(session, self.phone(chance.randrange(PHONES)), draft)

    async def joins(self, session: Session, draft: Journal, chance: random.Random) -> None:
        await self._join(session, self.address(chance.randrange(ADDRESSES)), draft)

    async def _find(self, session: Session, email: str, draft: Journal | None = None) -> None:
        known = (draft or self.journal).people
        rows = await session.fetch("SELECT email, phone FROM customers WHERE email = $1", email)
        require(rows == ([(email, known[email])] if email in known else []), f"{email} was found as {rows}")

    async def _find_phone(self, session: Session, phone: str, draft: Journal | None = None) -> None:
        rows = await session.fetch("SELECT email FROM customers WHERE phone = $1", phone)
        expected = (draft or self.journal).with_phone(phone)
        require(sorted(email for (email,) in rows) == expected, f"{phone} was found at {rows}, not at {expected}")

    async def _join(self, session: Session, address: str, draft: Journal | None = None) -> None:
        rows: Any = await session.fetch(
            "SELECT o.submit_hostname, e.user_agent FROM orders o JOIN login_events e ON e.ip = o.submit_ip"
            " WHERE o.submit_ip = $1",
            address,
        )
        expected = (draft or self.journal).joined(address)
        require(sorted(rows) == expected, f"the join of {address} gave {sorted(rows)}, not {expected}")
