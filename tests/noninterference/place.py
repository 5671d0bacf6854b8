"""Databases: one template with the schema, and from it, by seat, a pair with the rows of `rows.py` and of `hidden.py`.

Databases made from one template have the same OIDs everywhere, so that one catalog, and one cache of plans, serves all.
Upstream every session is one role that may do everything with every table: nothing but Fieldgate stands in between.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

import asyncpg

from keys.keyring import Keyring, KeyringCiphers
from policies.engine import CompiledDecisions
from proxy.catalog_loader import load_catalog
from proxy.demo.generate import TableRows
from proxy.demo.load import sealed_rows
from proxy.demo.schema import logical_schema, physical_schema
from proxy.demo.server import Server
from proxy.grants.command import apply_grants
from proxy.sealing.needs import key_needs
from proxy.session.services import Revision
from tests.keys.making import CountedLeases
from tests.support.servers import postgres_18, running

from .hidden import other_world
from .rows import World, base
from .seats import Seat, policy

CONTROL = "fieldgate"
VIEWS = "people, reached, placed, townsfolk, sales, spent"
GATE, PASSWORD = "everything", "secret"
AFTER = 100_000  # where sequences go on
# What an administrator may have made beside the sample: no protected table, and views.
BESIDE = """
CREATE TABLE notes (id bigint PRIMARY KEY, customer_id bigint, body text, weight numeric, at timestamptz);
INSERT INTO notes SELECT n, n % 7 + 1, 'note ' || n, n * 1.5, '2025-05-01 00:00+00'::timestamptz + n * interval '1 day'
  FROM generate_series(1, 12) n;
CREATE VIEW people AS SELECT c.id, c.surname, c.city AS town, c.status FROM customers c;
CREATE VIEW reached AS SELECT c.id, c.email, c.surname FROM customers c;
CREATE VIEW placed AS SELECT o.id, o.customer_id, o.placed_at, o.status AS state FROM orders o;
CREATE VIEW townsfolk AS SELECT c.id, c.email FROM customers c WHERE c.city <> 'Казань';
CREATE VIEW sales AS SELECT o.id, o.customer_id, o.status, o.total, o.tech_notes AS remark FROM orders o;
CREATE VIEW spent AS SELECT o.status, sum(o.total) AS total, count(*) AS n FROM orders o GROUP BY o.status;
"""
_SETTINGS = {"autovacuum": "off", "max_connections": "100", "jit": "off", "shared_buffers": "128MB"}


def ciphers_of_policy() -> KeyringCiphers:
    needs = key_needs(policy().data_map)
    empty = Keyring(())
    return empty.with_new_keys(empty.missing_for(needs), "").ciphers(needs, CountedLeases())


@dataclass(slots=True)
class Pair:
    """Two databases, and the words in which a session of the seat reaches them."""

    seat: Seat
    names: tuple[str, str]


class Place:
    """A server with all databases that were asked for."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.ciphers = ciphers_of_policy()
        self._prefix = f"ni_{os.getpid()}"
        self._pairs: dict[str, Pair] = {}
        self._plain = ""
        self._first, self._filled = f"{self._prefix}_first", False
        asyncio.run(self._make_template())

    @cached_property
    def revision(self) -> Revision:
        return Revision(self._catalog, CompiledDecisions(policy()), self.ciphers)

    def pair(self, seat: Seat, *, spoiled: bool = False) -> Pair:
        """`spoiled`: one for bugs, under which the two sides may go apart for good (sequences)."""
        if not self._filled:
            asyncio.run(self._fill(self._first, self.template, base()))
            self._filled = True
        name = f"{seat.name}_spoiled" if spoiled else seat.name
        if name not in self._pairs:
            names = f"{self._prefix}_{name}_a", f"{self._prefix}_{name}_b"
            asyncio.run(self._copy(self._first, names[0]))
            asyncio.run(self._fill(names[1], self.template, other_world(seat)))
            self._pairs[name] = Pair(seat, names)
        return self._pairs[name]

    @property
    def template(self) -> str:
        return f"{self._prefix}_template"

    def plain(self) -> str:
        """The same rows in plaintext."""
        if not self._plain:
            self._plain = f"{self._prefix}_plain"
            asyncio.run(self._fill_plain(self._plain))
        return self._plain

    async def connect(self, database: str) -> asyncpg.Connection:
        server = self.server
        return await asyncpg.connect(
            host=server.host, port=server.port, user=server.superuser, password=server.password, database=database
        )

    async def _make_template(self) -> None:
        admin = await self.connect("postgres")
        await admin.execute(f"CREATE DATABASE {self.template}")
        await admin.execute(f"CREATE ROLE {GATE} LOGIN PASSWORD '{PASSWORD}'")
        await admin.close()
        made = await self.connect(self.template)
        await made.execute(physical_schema(logical_schema(), policy().data_map, self.ciphers.heads()))
        await made.execute(BESIDE)
        await made.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {GATE}")
        await made.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {GATE}")
        await _compile_privileges(made)
        found = await load_catalog(made, replace(policy().data_map, database=self.template))
        self._catalog = replace(found, database=policy().data_map.database)
        await made.close()

    async def _copy(self, template: str, name: str) -> None:
        admin = await self.connect("postgres")
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        await admin.close()

    async def _fill(self, name: str, template: str, world: World) -> None:
        await self._copy(template, name)
        connection = await self.connect(name)
        data_map = policy().data_map
        for table, held in world.items():
            rows = sealed_rows(
                TableRows(table, held.columns, [tuple(row) for row in held.rows]),
                data_map.tables["public", table],
                self.ciphers,
            )
            await connection.copy_records_to_table(table, records=rows, columns=held.columns)
            await connection.execute(f"ALTER TABLE {table} ALTER id RESTART WITH {AFTER}")
        await connection.execute("ANALYZE correspondence, employees, health_records, site_visits")
        await connection.close()

    async def _fill_plain(self, name: str) -> None:
        await self._copy("template1", name)
        connection = await self.connect(name)
        await connection.execute(logical_schema())
        await connection.execute(BESIDE)
        await connection.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {GATE}")
        await connection.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {GATE}")
        for table, held in base().items():
            await connection.copy_records_to_table(table, records=map(tuple, held.rows), columns=held.columns)
            await connection.execute(f"ALTER TABLE {table} ALTER id RESTART WITH {AFTER}")
        await connection.close()


async def _compile_privileges(connection: asyncpg.Connection) -> None:
    """The upstream roles that the policy names, with what it gives them."""
    for role in (CONTROL, *sorted({login.upstream_role for login in policy().logins.values()})):
        await connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
    await apply_grants(connection, policy(), CONTROL)
    await connection.execute(f"GRANT ALL ON notes TO PUBLIC; GRANT SELECT ON {VIEWS} TO PUBLIC")


@contextmanager
def raised() -> Iterator[Place]:
    with running(postgres_18(_SETTINGS)) as server:
        yield Place(server)
