"""The whole of Fieldgate for a run of chaos: PostgreSQL, proxies, job runners, each in processes of its own.

Nothing that was acknowledged may be lost when the server's processes are killed, so commits are written at once; what a
crash of the machine would lose does not matter here.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import asyncpg
from rich.progress import Progress

from policies.loader import load_policy
from proxy.admin.tokens import DatabaseTokens, make_token
from proxy.demo.folder import DemoFolder
from proxy.demo.generate import Shop, make_shop
from proxy.demo.osuser import write_private
from proxy.demo.prepare import CONTROL_DATABASE, DATABASE, prepare, upstream_roles, write_settings
from proxy.demo.server import Server, free_port
from proxy.demo.service import Wanted, configuration
from proxy.demo.show import Door
from tests.support.servers import TEST_SETTINGS, Database, new_home

from .faults import FAULTS, OF_PROXIES
from .nodes import Node

LEASE = 3  # seconds, the shortest there is: so long, and a little more, a rotation waits for a proxy that holds still
OURS = "chaos"  # application_name of what the run itself asks around the proxies
_SETTINGS = {**TEST_SETTINGS, "synchronous_commit": "on", "full_page_writes": "on", "log_statement": "none"}
_JOBS = """
[jobs]
user = "postgres"
password_file = "{password}"
heartbeat = "2s"
latency_factor = 0
replica_lag = "0s"
batch = 16
"""


@dataclass(slots=True)
class House:
    folder: DemoFolder
    server: Server
    shop: Shop
    proxies: list[Node]
    runners: list[Node]
    token: str = ""
    _tls: ssl.SSLContext | None = None

    @property
    def tls(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=str(self.folder.ca))
        return self._tls

    @property
    def nodes(self) -> list[Node]:
        return [*self.proxies, *self.runners]

    async def raw(self, database: str = DATABASE) -> asyncpg.Connection:
        """As the superuser, around the proxies; waits for a server that is being started."""
        while True:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
                url = Database(self.server, database).url()
                return await asyncpg.connect(url, server_settings={"application_name": OURS})
            await asyncio.sleep(0.05)

    async def restart_server(self) -> None:
        """All of its processes end at once, in the middle of whatever they do."""

        def crash_and_start() -> None:
            self.server.crash()
            self.server.start()

        await asyncio.to_thread(crash_and_start)

    async def ready(self, *proxies: Node) -> None:
        """Until these answer that they serve."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as http:
            for proxy in proxies:
                while not await _is_ready(http, proxy):
                    if not proxy.running:
                        raise RuntimeError(f"{proxy.name} has ended: {proxy.log.read_text()[-1500:]}")
                    await asyncio.sleep(0.05)


async def _is_ready(http: aiohttp.ClientSession, proxy: Node) -> bool:
    with suppress(aiohttp.ClientError, TimeoutError):
        async with http.get(f"http://127.0.0.1:{proxy.admin_port}/readyz") as answer:
            return answer.status == 200
    return False


def _node(folder: DemoFolder, server: Server, name: str, verb: str) -> Node:
    port, admin_port = free_port(), free_port()
    roles = upstream_roles(load_policy(folder.policy))
    text = configuration(folder, server, Wanted(port, admin_port), roles)
    changes = {
        f'hosts = ["{server.socket_dir}:{server.port}"]\nsslmode = "disable"': (
            f'hosts = ["127.0.0.1:{server.port}"]\nallow_plaintext = true\nsslmode = "disable"'
        ),
        'store = "database"': f'store = "database"\nlease = "{LEASE}s"',
        json.dumps(str(folder.run_dir)): json.dumps(str(folder.path / f"run-{name}")),
        '"fieldgate.log"': f'"{name}.log"',
        '"audit.jsonl"': f'"{name}.jsonl"',
        "[admin]\n": '[admin]\npeople = "admins.toml"\n',
    }
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    text += "\n[limits]\nsearches_per_person = 10000000\n"
    if verb == "jobs":
        text += _JOBS.format(password=server.home / "postgres.password")
    config = folder.path / f"{name}.toml"
    config.write_text(text)
    door = Door("localhost", port, folder.ca) if verb == "serve" else None
    return Node(name, verb, config, folder.path / f"{name}.log", door, admin_port)


@asynccontextmanager
async def built(
    proxies: int, runners: int, rows: int, keep: Path | None = None, fault: str | None = None
) -> AsyncIterator[House]:
    """Made and started, with a fault if one is named (faults.py).

    At the end everything is stopped and removed, but logs that are to be kept.
    """
    folder = DemoFolder(new_home("chaos"))
    folder.claim()
    shop = make_shop(rows, 1)
    server = Server(folder.path, port=free_port(), durable=False, settings=_SETTINGS)
    house = House(folder, server, shop, [], [])
    try:
        await asyncio.to_thread(server.start)
        with Progress(disable=True) as progress:
            await prepare(folder, server, shop, progress)
        write_settings(folder, server, Wanted(0, 0))  # logins
        write_private(folder.path / "admins.toml", '[people.olga]\nroles = ["key-admin"]\n')
        house.token = await _token(house)
        house.proxies += [_node(folder, server, f"proxy-{n}", "serve") for n in range(proxies)]
        house.runners += [_node(folder, server, f"runner-{n}", "jobs") for n in range(runners)]
        if fault is not None:
            for node in house.proxies if fault in OF_PROXIES else house.runners:
                node.fault = FAULTS[fault]
        for node in house.nodes:
            node.start()
        await house.ready(*house.proxies)
        yield house
    finally:
        for node in house.nodes:
            await asyncio.to_thread(node.end)
        server.stop()
        if keep is not None:
            for log in folder.path.glob("*.log"):
                shutil.copy(log, keep)
        shutil.rmtree(folder.path, ignore_errors=True)


async def _token(house: House) -> str:
    """For a person who may ask for operations over keys, as `fieldgate admin token create` makes it."""
    shown, row = make_token("olga", frozenset({"key-admin"}), "chaos", datetime.now(UTC) + timedelta(days=1))

    @asynccontextmanager
    async def lend() -> AsyncIterator[asyncpg.Connection]:
        connection = await house.raw(CONTROL_DATABASE)
        try:
            yield connection
        finally:
            await connection.close()

    await DatabaseTokens(lend).add(row)
    return shown
