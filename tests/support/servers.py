"""Real PostgreSQL servers for the tests of one pytest process.

Each process has servers of its own, in a folder of its own under one base folder, so that several pytest processes run
beside each other.  Folders that a killed process left behind (their lock is free) are stopped and removed first.
"""

from __future__ import annotations

import contextlib
import getpass
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import psycopg
from psycopg import sql

from proxy.demo.certificates import Authority
from proxy.demo.osuser import give, let_through, server_user
from proxy.demo.programs import ServerFailed
from proxy.demo.server import DEFAULT_HBA, Server

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")
TEST_SETTINGS = {"max_connections": "200", "shared_buffers": "64MB", "max_prepared_transactions": "10"}
_numbers = itertools.count(1)


def base_folder() -> Path:
    base = Path(tempfile.gettempdir()) / f"fieldgate-tests-{getpass.getuser()}"
    base.mkdir(mode=0o711, exist_ok=True)
    return base


def sweep(base: Path) -> None:
    """Stop and remove what killed test processes left; a folder's name ends with `-<pid>-<number>`."""
    for home in base.iterdir():
        if psutil.pid_exists(int(home.name.split("-")[1])):
            continue
        with contextlib.suppress(ServerFailed):
            Server(home).recover()
            shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def running(server: Server) -> Iterator[Server]:
    """Started inside; stopped and removed at the end."""
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.home, ignore_errors=True)


def new_home(kind: str) -> Path:
    """A folder for a server of this process; what killed processes left is removed on the way."""
    base = base_folder()
    sweep(base)
    return base / f"{kind}-{os.getpid()}-{next(_numbers)}"


def postgres_18(settings: Mapping[str, str] | None = None, hba: Sequence[str] = DEFAULT_HBA) -> Server:
    """The embedded server; nothing it does survives a crash of the machine."""
    return Server(new_home("pg18"), durable=False, settings={**TEST_SETTINGS, **(settings or {})}, hba=hba)


@dataclass(frozen=True, slots=True)
class TlsServer:
    """PostgreSQL 15 that admits TCP connections by TLS only; `authority` made its certificate."""

    server: Server
    authority: Authority


def postgres_15_tls(hba: Sequence[str] | None = None) -> TlsServer:
    """Not started yet.  `authority.client(login)` makes client certificates that this server accepts."""
    home = new_home("pg15")
    home.mkdir()
    user = server_user()
    authority = Authority(home / "tls", "Fieldgate test CA")
    pair = authority.server("server")
    let_through(pair.key, user)
    give(pair.key, user)
    settings = {
        **TEST_SETTINGS,
        "ssl": "on",
        "ssl_cert_file": str(pair.certificate),
        "ssl_key_file": str(pair.key),
        "ssl_ca_file": str(authority.certificate),
    }
    rules = hba or (
        "local all all scram-sha-256",
        "hostssl all +certificate_only 127.0.0.1/32 cert",
        "hostssl all all 127.0.0.1/32 scram-sha-256",
    )
    return TlsServer(Server(home, binaries=DEBIAN_15, durable=False, settings=settings, hba=rules), authority)


@dataclass(slots=True)
class Database:
    """One database, made for one test; dropped after it, with the roles that the test made by `role`."""

    server: Server
    name: str
    root_certificate: Path | None = None
    roles: list[str] = field(default_factory=list)

    def parameters(self, user: str | None = None, password: str | None = None) -> dict[str, Any]:
        """For `psycopg.connect(**...)`: over TCP, as the superuser or as a role made by `role`."""
        found: dict[str, Any] = {
            "host": self.server.host,
            "port": self.server.port,
            "dbname": self.name,
            "user": user or self.server.superuser,
            "password": password if user else self.server.password,
        }
        if self.root_certificate is not None:
            found |= {"sslmode": "verify-full", "sslrootcert": str(self.root_certificate)}
        return found

    def dsn(self, user: str | None = None, password: str | None = None) -> str:
        """A libpq connection string (`key=value ...`)."""
        return psycopg.conninfo.make_conninfo(**self.parameters(user, password))

    def url(self, user: str | None = None, password: str | None = None) -> str:
        """`postgresql://...`, as asyncpg and SQLAlchemy want it."""
        found = self.parameters(user, password)
        tail = f"?sslmode=verify-full&sslrootcert={self.root_certificate}" if self.root_certificate else ""
        return f"postgresql://{found['user']}:{found['password']}@{found['host']}:{found['port']}/{self.name}{tail}"

    def connect(self, user: str | None = None, password: str | None = None) -> psycopg.Connection[Any]:
        """Synchronous, autocommit."""
        return psycopg.connect(**self.parameters(user, password), autocommit=True)

    async def connect_async(self, user: str | None = None, password: str | None = None) -> asyncpg.Connection:
        return await asyncpg.connect(self.url(user, password))

    def run(self, *statements: str) -> None:
        with self.connect() as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def role(self, prefix: str, password: str | None = None, options: str = "LOGIN") -> str:
        """A role with a name of its own (a server's databases share its roles); its password is `secret`."""
        name = f"{prefix}_{os.getpid()}_{next(_numbers)}"
        self.run(f"CREATE ROLE {name} {options} PASSWORD '{password or 'secret'}'")
        self.roles.append(name)
        return name


@contextlib.contextmanager
def fresh_database(server: Server, root_certificate: Path | None = None, name: str | None = None) -> Iterator[Database]:
    database = Database(server, name or f"t_{os.getpid()}_{next(_numbers)}", root_certificate)
    admin = Database(server, "postgres", root_certificate)
    quoted = sql.Identifier(database.name)
    with admin.connect() as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(quoted))
    try:
        yield database
    finally:
        if server.running:
            with admin.connect() as connection:
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(quoted))
                for role in database.roles:
                    connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))
