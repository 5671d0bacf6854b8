"""The whole shop from an unprotected copy to sealed and back under a working application: nothing wrong, nothing lost.

The data map says `migrating` of every sealed field all the time; the proxy is never restarted and never reloaded.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import asyncpg
import pytest

from keys.keyring import KeyringCiphers
from policies.fields import Field
from policies.loader import load_policy
from policies.policy_set import PolicySet
from proxy.demo.folder import DemoFolder
from proxy.demo.generate import make_shop, tables
from proxy.demo.prepare import (
    CONTROL_DATABASE,
    CONTROL_ROLE,
    DATABASE,
    connect,
    make_files,
    make_keys,
    make_roles,
    open_ciphers,
    write_settings,
)
from proxy.demo.schema import logical_schema
from proxy.demo.server import Server, free_port
from proxy.demo.service import Service, Wanted
from proxy.grants.command import apply_grants
from proxy.sealing.job import seal_field, unseal_field
from proxy.sealing.run import Hooks, SealOptions
from tests.support.servers import TEST_SETTINGS, new_home

from .canaries import Canaries
from .sample_app import Row, work
from .stage import SEED, Stage

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(400)]

ROWS = 30
OPTIONS = SealOptions(batch=20, lock_seconds=1.0, settle_seconds=0.2)
_SEALED = re.compile(r'(sealed = "[0-9a-f]{32}")')


@pytest.fixture(scope="module")
def plain_stage() -> Iterator[Stage]:
    """The sample with nothing sealed yet, and everything about to be."""
    folder = DemoFolder(new_home("stage"))
    folder.claim()
    shop = make_shop(ROWS, SEED)
    server = Server(folder.path, durable=False, settings=TEST_SETTINGS)
    port, admin_port = free_port(), free_port()
    service = Service(folder, admin_port)

    async def prepare() -> None:
        make_files(folder)
        data_map = folder.policy / "datamap.toml"
        data_map.write_text(_SEALED.sub(r'\1, state = "migrating"', data_map.read_text()))
        policy = load_policy(folder.policy)
        admin = await connect(server, "postgres")
        await admin.execute(f"CREATE DATABASE {DATABASE}")
        await admin.execute(f"CREATE DATABASE {CONTROL_DATABASE}")
        await make_roles(admin, folder, policy)
        await admin.close()
        await make_keys(folder, server, policy.data_map)
        owner = await connect(server, DATABASE)
        await owner.execute(logical_schema())
        for table in tables(shop):
            await owner.copy_records_to_table(table.name, records=table.rows, columns=table.columns)
            await owner.execute(f"ALTER TABLE {table.name} ALTER id RESTART WITH {len(table.rows) + 1}")
        await apply_grants(owner, policy, CONTROL_ROLE)
        await owner.close()

    try:
        server.start()
        asyncio.run(prepare())
        write_settings(folder, server, Wanted(port, admin_port, 1))
        service.start()
        yield Stage(folder, server, service, port, admin_port, shop)
    finally:
        service.stop()
        server.stop()
        shutil.rmtree(folder.path, ignore_errors=True)


def dumped(stage: Stage, *options: str) -> list[str]:
    """Lines of pg_dump, but for the random key of its psql restrictions."""
    command = [str(stage.server.binaries / "pg_dump"), stage.raw.dsn(), *options]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line for line in made.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]


def rows_of(stage: Stage) -> list[str]:
    """The data's lines, in an order that is not the disk's; the sequences' places are the application's business."""
    return sorted(line for line in dumped(stage, "--data-only") if "setval" not in line)


class Application:
    """Works all day, in several sessions, and runs a statement again when it is told to."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.canaries = stage, Canaries()
        self.days = self.retries = 0
        self.phases: dict[str, int] = {}
        self.phase = ""
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        async def session() -> None:
            connection = await self.stage.open("shop_app")

            async def run(text: str, *values: Any) -> list[Row]:
                said: set[str] = set()
                for _ in range(1500):
                    try:
                        return await connection.fetch(text, *values)
                    except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError) as refusal:
                        said.add(f"{refusal.sqlstate}: {refusal}")
                        self.retries += 1
                        await asyncio.sleep(0.02)
                raise AssertionError(
                    f"a statement was refused for ever: {said}\n{self.stage.folder.log.read_text()[-6000:]}"
                )

            while not self._stopped.is_set():
                await work(run, self.canaries)
                self.days += 1
                self.phases[self.phase] = self.phases.get(self.phase, 0) + 1
            await connection.close()

        await asyncio.gather(*(session() for _ in range(2)))

    def stop(self) -> None:
        self._stopped.set()


def sealed_fields(policy: PolicySet) -> list[Field]:
    return [f for t in policy.data_map.tables.values() for f in t.fields.values() if f.sealing is not None]


async def through_the_proxy(stage: Stage, names: Sequence[str]) -> dict[str, list[bytes]]:
    """Every table as `management` copies it."""
    connection = await stage.open("management")
    found = {}
    for name in names:
        collected = bytearray()

        async def keep(data: bytes, into: bytearray = collected) -> None:
            into += data

        await connection.copy_from_query(f"SELECT * FROM {name} WHERE id <= 30", output=keep)
        found[name] = sorted(bytes(collected).splitlines())
    await connection.close()
    return found


async def test_there_and_back_under_load(plain_stage: Stage) -> None:
    policy = load_policy(plain_stage.folder.policy)
    async with open_ciphers(plain_stage.folder, plain_stage.server, policy.data_map) as ciphers:
        await there_and_back(plain_stage, policy, ciphers)


async def there_and_back(plain_stage: Stage, policy: PolicySet, ciphers: KeyringCiphers) -> None:
    fields = sealed_fields(policy)
    names = ["customers", "orders", "correspondence"]
    schema, rows = dumped(plain_stage, "--schema-only"), rows_of(plain_stage)
    shown = await through_the_proxy(plain_stage, names)
    owner = await connect(plain_stage.server, DATABASE)

    async def with_privileges(connection: asyncpg.Connection) -> None:
        await apply_grants(connection, policy, CONTROL_ROLE)

    hooks = Hooks(in_switch=with_privileges)
    application = Application(plain_stage)
    application.phase = "sealing"
    working = asyncio.create_task(application.run())
    try:
        for field in fields:
            outcome = await seal_field(owner, policy.data_map, field.name, ciphers, options=OPTIONS, hooks=hooks)
            assert not outcome.already and not working.done()
        application.phase = "unsealing"
        assert await through_the_proxy(plain_stage, names) == shown
        assert not await plaintext_in(owner, fields)
        for field in reversed(fields):
            outcome = await unseal_field(owner, policy.data_map, field.name, ciphers, options=OPTIONS, hooks=hooks)
            assert not outcome.already and not working.done()
    finally:
        application.stop()
        with suppress(asyncio.CancelledError):
            await working
    assert min(application.phases.get(phase, 0) for phase in ("sealing", "unsealing")) > 0
    assert dumped(plain_stage, "--schema-only") == schema
    after = rows_of(plain_stage)
    assert set(rows) <= set(after)  # the application changes its own rows only
    assert await through_the_proxy(plain_stage, names) == shown
    await owner.close()


async def plaintext_in(owner: asyncpg.Connection, fields: Sequence[Field]) -> list[str]:
    """Fields with a value that is no cell."""
    return [
        field.name
        for field in fields
        if await owner.fetchval(f"SELECT count(*) FROM {field.table} WHERE substr({field.column}, 1, 3) <> '\\xf96701'")
    ]
