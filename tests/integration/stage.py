"""The whole of Fieldgate on a stage: an embedded server that logs every statement, the sealed shop, and the proxy.

The proxy is `fieldgate serve` in a process of its own, made ready as the demo makes it.
"""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
from rich.progress import Progress

from proxy.demo.admins import make_tokens, write_people
from proxy.demo.folder import DemoFolder
from proxy.demo.generate import Shop, make_shop
from proxy.demo.prepare import CONTROL_DATABASE, DATABASE, prepare, write_settings
from proxy.demo.server import Server, free_port
from proxy.demo.service import Service, Wanted
from proxy.demo.show import PASSWORD, Door
from tests.support.servers import TEST_SETTINGS, Database, new_home

ROWS = 60
SEED = 1
# Everything that reaches the server stands in its log, statements and parameters, so that the search finds it there.
LOG_EVERYTHING = {"log_statement": "all", "log_min_duration_statement": "0", "log_parameter_max_length": "-1"}


@dataclass(slots=True)
class Stage:
    """One running whole.  `door` is the proxy's; `raw` goes around it."""

    folder: DemoFolder
    server: Server
    service: Service
    port: int
    admin_port: int
    shop: Shop

    @property
    def door(self) -> Door:
        return Door("localhost", self.port, self.folder.ca)

    @property
    def raw(self) -> Database:
        return Database(self.server, DATABASE)

    def parameters(self, role: str, **more: Any) -> dict[str, Any]:
        """For psycopg and libpq programs."""
        return {
            "host": "localhost",
            "port": self.port,
            "dbname": DATABASE,
            "user": role,
            "password": PASSWORD,
            "sslmode": "verify-full",
            "sslrootcert": str(self.folder.ca),
            **more,
        }

    def connect(self, role: str, **more: Any) -> psycopg.Connection[Any]:
        return psycopg.connect(**self.parameters(role), autocommit=True, **more)

    async def open(self, role: str) -> asyncpg.Connection:
        return await self.door.open(role, PASSWORD)

    def tls(self) -> ssl.SSLContext:
        """For asyncpg: verify-full."""
        return ssl.create_default_context(cafile=str(self.folder.ca))

    @property
    def control(self) -> Database:
        """The control database, as the superuser."""
        return Database(self.server, CONTROL_DATABASE)

    @property
    def places(self) -> tuple[Path, ...]:
        """Where no plaintext of a sealed field may ever stand."""
        return (self.server.data_dir, self.server.log_file, self.folder.log, self.folder.audit)


@contextmanager
def raised(
    workers: int = 1,
    *,
    plaintext: bool = False,
    jobs: bool = False,
    people: bool = False,
    more: str = "",
    settings: Mapping[str, str] | None = None,
    binaries: Path | None = None,
) -> Iterator[Stage]:
    """A stage, made and at the end removed.  `plaintext`: programs that are built without TLS may come in, too.

    `jobs`: with a job runner beside the proxy.  `people`: with those of the demo at the admin port, and their tokens.
    `more`: further sections of the configuration.  `settings`: the server's, in place of those that log everything.
    `binaries`: of another PostgreSQL than the embedded one.
    """
    folder = DemoFolder(new_home("stage"))
    folder.claim()
    shop = make_shop(ROWS, SEED)
    given = {**TEST_SETTINGS, **(settings or LOG_EVERYTHING)}
    server = Server(folder.path, binaries=binaries, durable=False, settings=given)
    port, admin_port = free_port(), free_port()
    service = Service(folder, admin_port)
    try:
        server.start()
        with Progress(disable=True) as progress:
            asyncio.run(prepare(folder, server, shop, progress))
        write_settings(folder, server, Wanted(port, admin_port, workers, jobs=jobs, people=people))
        folder.config.write_text(folder.config.read_text() + more)
        if plaintext:
            key = 'tls_key = "tls/localhost.key"\n'
            folder.config.write_text(folder.config.read_text().replace(key, f"{key}allow_plaintext = true\n", 1))
        if people:
            write_people(folder)
            asyncio.run(make_tokens(folder))
        service.start()
        yield Stage(folder, server, service, port, admin_port, shop)
    finally:
        service.stop()
        server.stop()
        shutil.rmtree(folder.path, ignore_errors=True)
