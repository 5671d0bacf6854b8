"""Everything that stands while measurements run: one PostgreSQL, pgbouncer if it is installed, and their databases.

    DATABASE "plain"     pgbench's tables; nothing in it is protected
    DATABASE "appside"   customers whose cells the application seals and opens itself
    DATABASE "shop"      Fieldgate's: the sample's schema, sealed, and pgbench's tables beside it (see gate.py)

All servers listen on loopback without durability, so that no disk is measured.  The embedded server was built without
TLS; where Debian's PostgreSQL is installed, a second server with TLS holds "appside", too.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import asyncpg

from proxy.demo.certificates import Authority
from proxy.demo.osuser import give, let_through, server_user
from proxy.demo.server import Server

from . import appside, bouncer, pgbench
from .appside import AppCrypto, AppKeys
from .client import connect
from .people import people
from .places import Endpoint

PLAIN = "plain"
APPSIDE = "appside"
SHOP = "shop"
DEBIAN = Path("/usr/lib/postgresql/15/bin")
SETTINGS = {"max_connections": "1300", "shared_buffers": "512MB", "max_wal_size": "4GB", "jit": "off"}


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much there is to measure with."""

    rows: int = 100_000
    searched: int = 100_000  # rows of the searches
    scale: int = 10
    clients: int = 8
    seconds: int = 5
    connections: int = 1000
    keks: int = 10_000  # keys that are rewrapped

    @classmethod
    def quick(cls) -> Sizes:
        """Enough to see that everything works; its numbers mean little."""
        return cls(rows=10_000, searched=5_000, scale=1, seconds=1, connections=50, keks=500)

    def lasting(self, seconds: int) -> Sizes:
        return replace(self, seconds=seconds)

    def searching(self, rows: int) -> Sizes:
        return replace(self, searched=rows)


@dataclass(frozen=True, slots=True)
class Workplace:
    home: Path
    sizes: Sizes
    server: Server
    authority: Authority
    direct: Endpoint  # as the superuser, in "plain"
    direct_tls: Endpoint | None  # as the superuser of the second server, in "appside"
    bouncer: bouncer.Bouncer | None
    app_keys: AppKeys = field(default_factory=AppKeys)

    def bounced(self, *, tls: bool) -> Endpoint:
        assert self.bouncer is not None
        return Endpoint(
            "pgbouncer" if tls else "pgbouncer, no TLS",
            self.direct.host,
            self.bouncer.port,
            PLAIN,
            self.direct.user,
            self.direct.password,
            self.authority.certificate if tls else None,
        )


@contextlib.contextmanager
def workplace(sizes: Sizes, progress: Callable[[str], None]) -> Iterator[Workplace]:
    """Started and filled; stopped and removed at the end."""
    with contextlib.ExitStack() as stack:
        prefix = f"fieldgate-bench-{getpass.getuser()}-"
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=prefix)))
        progress("starting PostgreSQL")
        server = stack.enter_context(Server(home / "server", durable=False, settings=SETTINGS))
        direct = Endpoint("direct", server.host, server.port, PLAIN, server.superuser, server.password)
        authority = Authority(home / "tls", "Fieldgate benchmark CA")
        for database in (PLAIN, APPSIDE):
            asyncio.run(execute(direct.at("postgres"), f"CREATE DATABASE {database}"))
        direct_tls = _second_server(stack, home, authority) if (DEBIAN / "postgres").exists() else None
        progress("filling pgbench's tables")
        pgbench.fill(direct, sizes.scale)
        running = None
        if bouncer.PGBOUNCER.exists():
            pair = authority.server("pgbouncer")
            running = stack.enter_context(bouncer.running(home / "pgbouncer", direct, pair))
        yield Workplace(home, sizes, server, authority, direct, direct_tls, running)


def _second_server(stack: contextlib.ExitStack, home: Path, authority: Authority) -> Endpoint:
    pair, user = authority.server("postgres"), server_user()
    let_through(pair.key, user)
    give(pair.key, user)
    tls = {"ssl": "on", "ssl_cert_file": str(pair.certificate), "ssl_key_file": str(pair.key)}
    hba = ("hostssl all all 127.0.0.1/32 scram-sha-256",)
    made = Server(home / "tls-server", binaries=DEBIAN, durable=False, settings=SETTINGS | tls, hba=hba)
    server = stack.enter_context(made)
    where = Endpoint(
        "direct, TLS", server.host, server.port, "postgres", server.superuser, server.password, authority.certificate
    )
    asyncio.run(execute(where, f"CREATE DATABASE {APPSIDE}"))
    return where.at(APPSIDE)


async def execute(where: Endpoint, *statements: str) -> None:
    connection = await connect(where)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def fill_appside(place: Workplace) -> None:
    for where in (place.direct.at(APPSIDE), place.direct_tls):
        if where is not None:
            await _fill_appside(place, where)


async def _fill_appside(place: Workplace, where: Endpoint) -> None:
    crypto = AppCrypto(place.app_keys)
    connection = await connect(where)
    try:
        await connection.execute(appside.TABLE)
        rows = (crypto.row(*person) for person in people(place.sizes.rows))
        await copy(connection, "customers", rows, appside.COLUMNS)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def copy(
    connection: asyncpg.Connection, table: str, rows: Iterator[tuple[object, ...]], columns: tuple[str, ...]
) -> None:
    await connection.copy_records_to_table(table, records=rows, columns=columns)
