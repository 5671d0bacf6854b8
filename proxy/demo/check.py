"""`fieldgate demo --check`: is what the demo shows true?

- Raw: every sealed cell of every table is an envelope, and known plaintexts stand neither in the data directory (heap,
  indexes, WAL) nor in the server's log.
- Roles: of every table, each role sees exactly the values of the fields that the policy lets it read, equal to what was
  made up, and of the others nothing.  A few fields are also named here, so that a wrong policy shows too.
- Searching and changing: what the policy does not give is refused with 42501, and what it gives works.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from policies.engine import CompiledDecisions
from policies.model import Verb
from policies.policy_set import PolicySet

from .generate import Shop, TableRows, tables
from .people import ANNA
from .show import PASSWORD, ROLES, Door

_ROWS = 40
# (role, table, column, is it shown): written policy D17, D19 and D20, in a dozen lines.
ANCHORS = (
    ("management", "customers", "address", True),
    ("management", "refunds", "requisites", True),
    ("support", "customers", "email", True),
    ("support", "orders", "submit_ip", True),
    ("support", "customers", "address", False),
    ("support", "orders", "total", False),
    ("support", "payment_details", "account_ref", False),
    ("accounting", "customers", "address", True),
    ("accounting", "payment_details", "account_ref", True),
    ("accounting", "orders", "submit_ip", False),
    ("accounting", "access_accounts", "login", False),
    ("accounting", "customers", "email", False),
)
REFUSED = (
    ("accounting", "SELECT id FROM customers WHERE email = 'anna.smirnova@example.org'"),
    ("accounting", "SELECT submit_ip FROM orders"),
    ("support", "SELECT address FROM customers WHERE id = 1"),
    ("support", "UPDATE customers SET phone = '+7 900 000-00-00' WHERE id = 1"),
    ("support", "SELECT amount FROM payments"),
    ("support", "SELECT id FROM customers WHERE surname LIKE 'Смир%'"),
    ("client", "UPDATE orders SET recipient_name = 'somebody else' WHERE id = 1"),
)


@dataclass(slots=True)
class Checker:
    """Collects what is wrong; `wrong` stays empty when all is well.  `passed` counts what was looked at."""

    proxy: Door
    policy: PolicySet
    shop: Shop
    wrong: list[str] = field(default_factory=list)
    passed: int = 0
    _made: dict[str, TableRows] = field(default_factory=dict)

    async def run(self, raw: asyncpg.Connection, files: tuple[Path, ...], step: Callable[[], None]) -> None:
        self._made = {table.name: table for table in tables(self.shop)}
        await self._check_cells(raw)
        await raw.execute("CHECKPOINT")
        self._check_files(files)
        step()
        for role in ROLES:
            async with self._as(role) as connection:
                await self._check_role(role, connection)
            step()
        await self._check_refusals()
        await self._check_search_and_change()
        step()

    def _expect(self, true: bool, what: str) -> None:
        self.passed += true
        if not true:
            self.wrong.append(what)

    @asynccontextmanager
    async def _as(self, role: str) -> AsyncIterator[asyncpg.Connection]:
        connection = await self.proxy.open(role, PASSWORD)
        try:
            yield connection
        finally:
            await connection.close()

    async def _check_cells(self, raw: asyncpg.Connection) -> None:
        for sealed in self.policy.all_fields():
            if sealed.sealing is None:
                continue
            made = self._made[sealed.table]
            at = made.columns.index(sealed.column)
            expected = sum(row[at] is not None for row in made.rows)
            found = await raw.fetchval(
                f"SELECT count(*) FROM {sealed.table} WHERE substr({sealed.column}, 1, 3) = '\\xf96701'::bytea"  # noqa: S608
            )
            self._expect(found == expected, f"raw {sealed.name}: {found} envelopes, {expected} values")

    def _check_files(self, files: tuple[Path, ...]) -> None:
        plain = {text.encode() for text in (ANNA.mailbox(0), ANNA.address, ANNA.phone, ANNA.full_name)}
        plain |= {text.hex().encode() for text in plain}
        for file in (f for place in files for f in ([place] if place.is_file() else place.rglob("*"))):
            if file.is_file():
                content = file.read_bytes()
                self._expect(not any(text in content for text in plain), f"a plaintext stands in {file}")

    async def _check_role(self, role: str, connection: asyncpg.Connection) -> None:
        decisions, principal = CompiledDecisions(self.policy), self.policy.principal(role)
        for made in self._made.values():
            rights = decisions.table_rights(principal, "public", made.name).fields
            readable = {column for column, right in rights.items() if right.allows(Verb.READ)}
            for named, table, column, shown in ANCHORS:
                if (named, table) == (role, made.name):
                    self._expect((column in readable) == shown, f"policy: {role} and {table}.{column}")
            await self._check_table(role, connection, made, readable)

    async def _check_table(
        self, role: str, connection: asyncpg.Connection, made: TableRows, readable: set[str]
    ) -> None:
        try:
            found = await connection.fetch(f"SELECT * FROM {made.name} LIMIT {_ROWS}")  # noqa: S608
        except asyncpg.InsufficientPrivilegeError:
            self._expect(not readable, f"{role} may read {made.name} and was refused")
            return
        expected = {_shown(dict(zip(made.columns, row, strict=True)), readable) for row in made.rows}
        good = {_shown(dict(row.items()), set(made.columns)) for row in found} <= expected
        self._expect(good and bool(found), f"{role} sees in {made.name} something else than the policy says")

    def _born(self, first: datetime.date, last: datetime.date) -> set[object]:
        made = self._made["employees"]
        at, birth = made.columns.index("id"), made.columns.index("birth_date")
        dates = {row[at]: row[birth] for row in made.rows}
        return {key for key, born in dates.items() if isinstance(born, datetime.date) and first <= born <= last}

    async def _check_refusals(self) -> None:
        for role, statement in REFUSED:
            async with self._as(role) as connection:
                try:
                    await connection.execute(statement)
                except asyncpg.InsufficientPrivilegeError:
                    self.passed += 1
                else:
                    self.wrong.append(f"{role} was not refused: {statement}")

    async def _check_search_and_change(self) -> None:
        mail = ANNA.mailbox(0)
        async with self._as("support") as connection:
            found = await connection.fetchval("SELECT surname FROM customers WHERE email = $1", mail)
            self._expect(found == ANNA.surname, "support does not find a customer by e-mail")
        async with self._as("management") as connection:
            found = await connection.fetchval("SELECT id FROM customers WHERE surname ILIKE '%МИРНОВ%' ORDER BY id")
            self._expect(found == 1, "management does not find a customer by a part of the surname")
            ends = (datetime.date(1980, 1, 1), datetime.date(1989, 12, 31))
            born = await connection.fetch("SELECT id FROM employees WHERE birth_date BETWEEN $1 AND $2", *ends)
            self._expect({row["id"] for row in born} == self._born(*ends), "management does not find birth dates")
        async with self._as("client") as connection:
            changing = connection.transaction()
            await changing.start()
            done = await connection.execute("UPDATE customers SET city = $1 WHERE email = $2", "Псков", mail)
            self._expect(done == "UPDATE 1", "the client cannot change the own registration")
            done = await connection.execute(
                "UPDATE customers SET city = $1 WHERE email = $2", "Псков", "james.turner@example.org"
            )
            self._expect(done == "UPDATE 0", "the client can change somebody else's registration")
            await changing.rollback()


def _shown(row: dict[str, object], readable: set[str]) -> tuple[object, ...]:
    return tuple(_comparable(value) if column in readable else None for column, value in row.items())


def _comparable(value: object) -> object:
    """asyncpg gives addresses as objects and jsonb as PostgreSQL's own text."""
    if isinstance(value, ipaddress.IPv4Address | ipaddress.IPv6Address):
        return str(value)
    if isinstance(value, str) and value.startswith("{"):
        return json.dumps(json.loads(value), sort_keys=True)
    return value
