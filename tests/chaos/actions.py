"""What an application does: each of it writes down in a draft of its journal what must be true if it succeeds.

An action that is done again, because it was told to, draws the same from its source of chance.  `session.commits` is
set before something is said that may take effect by itself.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import asyncpg

from .journal import Journal
from .statements import Session

PEOPLE, ADDRESSES, PHONES, SHARED = 30, 4, 3, 12
_INSERT = (
    "INSERT INTO customers (surname, name, email, phone, country, city, postal_code, address)"
    " VALUES ($4, 'Анна', $1, $2, 'Россия', $3, '420000', 'ул. Лесная')"
)
_ORDER = (
    "INSERT INTO orders (customer_id, total, recipient_name, recipient_phone, delivery_address, submit_ip,"
    " submit_hostname) VALUES ($1, 1.00, 'Анна', '+7', 'ул. Лесная', $2, $3)"
)
_JOIN = (
    "SELECT o.submit_hostname, e.user_agent FROM orders o JOIN login_events e ON e.ip = o.submit_ip"
    " WHERE o.submit_ip = $1"
)


class Wrong(Exception):
    """An answer that must not be."""


def require(true: bool, what: str) -> None:
    if not true:
        raise Wrong(what)


@dataclass(slots=True)
class Share:
    """What belongs to one client: nobody else writes it."""

    number: int
    marks: int = 0

    @property
    def city(self) -> str:
        return f"chaos {self.number}"

    @property
    def surname(self) -> str:
        return f"Chaosov-{self.number}-"

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


@dataclass(frozen=True, slots=True)
class Doing:
    """One action under way."""

    share: Share
    session: Session
    draft: Journal
    chance: random.Random

    def mail(self) -> str:
        return self.share.mail(self.chance.randrange(PEOPLE))

    def phone(self) -> str:
        return self.share.phone(self.chance.randrange(PHONES))

    def address(self) -> str:
        return self.share.address(self.chance.randrange(ADDRESSES))


async def puts(doing: Doing) -> None:
    email, phone = doing.mail(), doing.phone()
    doing.draft.people[email] = phone
    doing.session.commits = True
    await _put(doing, email, phone)


async def _put(doing: Doing, email: str, phone: str) -> None:
    rows = await doing.session.fetch(
        f"{_INSERT} ON CONFLICT (email) DO UPDATE SET phone = excluded.phone RETURNING email, phone",
        *(email, phone, doing.share.city, doing.share.surname),
    )
    require(rows == [(email, phone)], f"an upsert of {email} returned {rows}")


async def inserts(doing: Doing) -> None:
    """Of what is there already it must be refused."""
    email, phone = doing.mail(), doing.phone()
    known = email in doing.draft.people
    doing.draft.people.setdefault(email, phone)
    doing.session.commits = not known
    try:
        await doing.session.execute(_INSERT, email, phone, doing.share.city, doing.share.surname)
    except asyncpg.UniqueViolationError:
        require(known, f"{email} is not there, and was refused")
    else:
        require(not known, f"{email} is there twice")


async def changes(doing: Doing) -> None:
    email, phone, people = doing.mail(), doing.phone(), doing.draft.people
    expected = [(email,)] if email in people else []
    if expected:
        people[email] = phone
    doing.session.commits = True
    rows = await doing.session.fetch("UPDATE customers SET phone = $1 WHERE email = $2 RETURNING email", phone, email)
    require(rows == expected, f"an update of {email} changed {rows}")


async def renames(doing: Doing) -> None:
    old, new, people = doing.mail(), doing.mail(), doing.draft.people
    there, taken = old in people, new in people and new != old
    if there and not taken:
        people[new] = people.pop(old)
    doing.session.commits = True
    try:
        rows = await doing.session.fetch("UPDATE customers SET email = $1 WHERE email = $2 RETURNING email", new, old)
    except asyncpg.UniqueViolationError:
        require(there and taken, f"{new} is not there, and was refused")
    else:
        require(not (there and taken), f"{new} is there twice")
        require(rows == ([(new,)] if there else []), f"{old} became {rows}")


async def deletes(doing: Doing) -> None:
    email = doing.mail()
    expected = [(email,)] if doing.draft.people.pop(email, None) is not None else []
    doing.session.commits = True
    rows = await doing.session.fetch("DELETE FROM customers WHERE email = $1 RETURNING email", email)
    require(rows == expected, f"a deletion of {email} removed {rows}")


async def orders(doing: Doing) -> None:
    doing.session.commits = True
    await _order(doing, doing.address())


async def _order(doing: Doing, address: str) -> None:
    mark = doing.share.mark()
    doing.draft.note(doing.draft.orders, address, mark)
    await doing.session.execute(_ORDER, doing.share.customer, address, mark)


async def events(doing: Doing) -> None:
    address, mark = doing.address(), doing.share.mark()
    doing.draft.note(doing.draft.events, address, mark)
    doing.session.commits = True
    await doing.session.execute(
        "INSERT INTO login_events (customer_id, kind, ip, user_agent) VALUES ($1, 'login', $2, $3)",
        *(doing.share.customer, address, mark),
    )


async def forgets(doing: Doing) -> None:
    address = doing.address()
    expected = sorted(doing.draft.events.pop(address, ()))
    doing.session.commits = True
    rows = await doing.session.fetch("DELETE FROM login_events WHERE ip = $1 RETURNING user_agent", address)
    require(sorted(mark for (mark,) in rows) == expected, f"of {address} {rows} were removed, not {expected}")


async def transacts(doing: Doing) -> None:
    """Several tables; what was written is found before the commit; now and then all of it is taken back."""
    draft, before, email, address = doing.draft, doing.draft.copy(), doing.mail(), doing.address()
    await doing.session.connection.execute("BEGIN")
    draft.people[email] = doing.phone()
    await _put(doing, email, draft.people[email])
    await find(doing.session, draft, email)
    await _order(doing, address)
    await join(doing.session, draft, address)
    if doing.chance.random() < 0.2:
        await doing.session.connection.execute("ROLLBACK")
        draft.people, draft.orders, draft.events = before.people, before.orders, before.events
    else:
        doing.session.commits = True
        await doing.session.connection.execute("COMMIT")


async def races(doing: Doing) -> None:
    """Several clients insert the same; it is there once, whoever was the first."""
    email = f"chaos.shared.{doing.chance.randrange(SHARED)}@example.org"
    conflict = doing.chance.choice(("", " ON CONFLICT (email) DO NOTHING"))
    with suppress(asyncpg.UniqueViolationError):
        await doing.session.execute(f"{_INSERT}{conflict}", email, "+7 shared", "chaos", "Everybody")
    rows = await doing.session.fetch("SELECT email FROM customers WHERE email = $1", email)
    require(rows == [(email,)], f"of {email} {len(rows)} were found")


async def finds(doing: Doing) -> None:
    how = doing.chance.random()
    if how < 0.6:
        await find(doing.session, doing.draft, doing.mail())
    elif how < 0.85:
        await find_phone(doing.session, doing.draft, doing.phone())
    else:
        await find_part(doing.session, doing.draft, doing.share)


async def joins(doing: Doing) -> None:
    await join(doing.session, doing.draft, doing.address())


async def find(session: Session, known: Journal, email: str) -> None:
    rows = await session.fetch("SELECT email, phone FROM customers WHERE email = $1", email)
    expected = [(email, known.people[email])] if email in known.people else []
    require(rows == expected, f"{email} was found as {rows}, not as {expected}")


async def find_phone(session: Session, known: Journal, phone: str) -> None:
    rows = await session.fetch("SELECT email FROM customers WHERE phone = $1", phone)
    expected = known.with_phone(phone)
    require(sorted(email for (email,) in rows) == expected, f"{phone} was found at {rows}, not at {expected}")


async def find_part(session: Session, known: Journal, share: Share) -> None:
    """All of a client's people have one surname, and are found by a part of it."""
    rows = await session.fetch("SELECT email FROM customers WHERE surname LIKE $1", f"%{share.surname[3:]}%")
    found = sorted(email for (email,) in rows)
    require(found == sorted(known.people), f"by part {sorted({*found} ^ {*known.people})} are missing or too many")


async def join(session: Session, known: Journal, address: str) -> None:
    rows: Any = await session.fetch(_JOIN, address)
    expected = known.joined(address)
    require(sorted(rows) == expected, f"the join of {address} gave {sorted(rows)}, not {expected}")


Action = Callable[[Doing], Awaitable[None]]
ACTIONS: dict[Action, int] = {
    puts: 5, inserts: 3, changes: 4, renames: 2, deletes: 2, orders: 3, events: 3, forgets: 1, transacts: 4, races: 2,
    finds: 9, joins: 4,
}  # fmt: skip
