"""Everything that a demo's folder and its database need before the proxy can start, made once."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from rich.progress import Progress, TaskID

from keys.database_leases import DatabaseLeases
from keys.database_store import DatabaseKeyStore
from keys.key_tables import DatabaseTables
from keys.keyring import KeyringCiphers
from keys.providers.local_file import LocalFileKek, create_kek_file
from keys.subjects import SubjectCache
from policies.fields import DataMap
from policies.loader import SHOP, load_policy
from policies.policy_set import PolicySet
from proxy.control_schema.install import install
from proxy.errors import ConfigError
from proxy.grants.command import apply_grants, plan_text
from proxy.jobs.queue import install_queue
from proxy.sealing.ddl import quote
from proxy.sealing.needs import key_needs
from proxy.wire.scram import make_verifier

from .certificates import Authority
from .folder import DemoFolder
from .generate import Shop
from .load import load_shop
from .osuser import write_private
from .schema import logical_schema, physical_schema
from .server import Server
from .service import Wanted, configuration
from .show import PASSWORD

DATABASE = "shop"
CONTROL_DATABASE = "fieldgate"  # the proxy's own tables: wrapped keys, work over them
CONTROL_ROLE = "fieldgate"  # reads the catalog and draws row keys; has no right over any table of the shop
KEK_NAME = "demo"


async def prepare(folder: DemoFolder, server: Server, shop: Shop, progress: Progress) -> None:
    """Certificates, keys, policy, roles, schema, rows, grants."""
    policy = make_files(folder)
    admin = await connect(server, "postgres")
    try:
        await admin.execute(f"CREATE DATABASE {DATABASE}")
        await admin.execute(f"CREATE DATABASE {CONTROL_DATABASE}")
        await make_roles(admin, folder, policy)
    finally:
        await admin.close()
    await make_keys(folder, server, policy.data_map)
    owner = await connect(server, DATABASE)
    try:
        async with open_ciphers(folder, server, policy.data_map) as ciphers:
            await fill(owner, policy, ciphers, shop, progress)
        left = await apply_grants(owner, policy, CONTROL_ROLE)
        if left.changes or left.findings:
            raise ConfigError(f"the demo's grants are not whole: {plan_text(left)}")
    finally:
        await owner.close()


async def connect(server: Server, database: str) -> asyncpg.Connection:
    """As the superuser, straight to the server."""
    return await asyncpg.connect(
        host=server.host,
        port=server.port,
        user=server.superuser,
        password=server.password,
        database=database,
        ssl=False,
    )


def make_files(folder: DemoFolder) -> PolicySet:
    """The folder's own policy: the sample's, which one may edit afterwards."""
    Authority(folder.tls).server("localhost")
    shutil.copytree(SHOP, folder.policy)
    policy = load_policy(folder.policy)
    passphrase = secrets.token_urlsafe(24)
    write_private(folder.passphrase, passphrase + "\n")
    create_kek_file(folder.keks, passphrase)
    return policy


async def make_keys(folder: DemoFolder, server: Server, data_map: DataMap) -> None:
    """The control database's own tables, and in them the data keys of every sealed field."""
    control = await connect(server, CONTROL_DATABASE)
    try:
        await install(control, CONTROL_ROLE)
        await install_queue(control, CONTROL_ROLE)
    finally:
        await control.close()
    async with open_store(folder, server) as store:
        await store.initialise()
        await store.add_missing(key_needs(data_map))


@asynccontextmanager
async def open_store(folder: DemoFolder, server: Server) -> AsyncIterator[DatabaseKeyStore]:
    """The demo's keys, straight from the control database."""

    @asynccontextmanager
    async def connections() -> AsyncIterator[asyncpg.Connection]:
        made = await connect(server, CONTROL_DATABASE)
        try:
            yield made
        finally:
            await made.close()

    passphrase = folder.passphrase.read_text().strip()
    store = DatabaseKeyStore(DatabaseTables(connections), LocalFileKek(KEK_NAME, folder.keks, lambda: passphrase))
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def open_ciphers(folder: DemoFolder, server: Server, data_map: DataMap) -> AsyncIterator[KeyringCiphers]:
    """To seal and open around the proxy; what was leased and not used goes back at the end."""
    async with open_store(folder, server) as store:
        leases = DatabaseLeases(lambda: connect(server, CONTROL_DATABASE))
        leases.start()
        try:
            ciphers = (await store.load()).keyring.ciphers(key_needs(data_map), leases, None, SubjectCache())
            await asyncio.to_thread(leases.prepare, ciphers.sealing_keys())
            yield ciphers
            ciphers.close()
        finally:
            await asyncio.to_thread(leases.close)


def upstream_roles(policy: PolicySet) -> list[str]:
    return sorted({login.upstream_role for login in policy.logins.values()})


async def make_roles(admin: asyncpg.Connection, folder: DemoFolder, policy: PolicySet) -> None:
    """One upstream role for each role of the policy, each with a random password that only the proxy knows."""
    for role in (CONTROL_ROLE, *upstream_roles(policy)):
        verifier = make_verifier(folder.make_secret(folder.password_file(role)))
        await admin.execute(f"CREATE ROLE {quote(role)} LOGIN PASSWORD '{verifier}'")


async def fill(
    owner: asyncpg.Connection, policy: PolicySet, ciphers: KeyringCiphers, shop: Shop, progress: Progress
) -> None:
    await owner.execute(physical_schema(logical_schema(), policy.data_map, ciphers.heads()))
    tasks: dict[str, TaskID] = {}

    def show(table: str, done: int, total: int) -> None:
        task = tasks.get(table)
        if task is None:
            task = tasks[table] = progress.add_task(table, total=total)
        progress.update(task, completed=done)

    await load_shop(owner, shop, policy.data_map, ciphers, show)


def write_settings(folder: DemoFolder, server: Server, wanted: Wanted) -> None:
    """At every start: the server's port and socket are others each time, and logins may have been added."""
    policy = load_policy(folder.policy)
    roles = upstream_roles(policy)
    folder.config.write_text(configuration(folder, server, wanted, roles))
    lines = [f'"{login}" = "{make_verifier(PASSWORD)}"\n' for login in sorted(policy.logins)]
    write_private(folder.logins, "".join(lines))
