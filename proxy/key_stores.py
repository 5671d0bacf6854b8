"""Builds what keeps keys, as the configuration says: for a worker the source of its keys, for commands the store.

The source of a worker has connections to the control database of its own: one for the store, one for confirmations, one
for leases (in their thread), one that listens.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from keys.database_leases import DatabaseLeases
from keys.database_store import DatabaseKeyStore
from keys.key_tables import CHANNEL, DatabaseTables
from keys.keyring import KeyNeed, KeyringCiphers
from keys.subjects import SubjectCache
from proxy.errors import ConfigError, UpstreamUnavailable

from .config import Config, ControlConfig, UpstreamConfig
from .config_keys import KeysConfig, KeyStoreKind
from .control import Control, connect, read_secret
from .control_schema.install import schema_problems
from .custody import Channel, CustodySettings, KeyCustodian
from .key_provider import make_provider
from .key_source import FileKeys, KeySource
from .logs import Logger

Passphrase = Callable[[], str] | None


def make_source(config: Config, control: Control, passphrase: Passphrase, logger: Logger) -> KeySource | None:
    """Raises ConfigError."""
    keys, settings = config.keys, config.control
    if keys is None or settings is None:
        return None
    if keys.store is KeyStoreKind.FILE:
        return FileKeys(keys, passphrase)
    store = make_store(keys, control, lambda said: logger.warning("key_provider", said=said))

    async def listen(heard: Callable[[], None]) -> Channel:
        connection = await control.listener(settings.database, CHANNEL, heard)
        return Channel(lambda: not connection.is_closed(), connection.terminate)

    return KeyCustodian(
        store,
        DatabaseTables(lambda: control.connection(lane="custody")),
        make_leases(config.upstream, settings),
        listen,
        CustodySettings(lease=keys.lease, survive_outage=keys.survive_outage),
        logger,
        before=lambda: require_schema(control),
    )


def make_store(keys: KeysConfig, control: Control, notice: Callable[[str], None] = lambda _: None) -> DatabaseKeyStore:
    """Not opened yet.  Raises ConfigError."""
    if keys.store is not KeyStoreKind.DATABASE or keys.provider is None:
        raise ConfigError('this needs [keys] store = "database" (docs/keys.md)')
    former = [make_provider(each, notice=notice) for each in keys.former_providers]
    tables = DatabaseTables(lambda: control.connection(lane="keys"))
    return DatabaseKeyStore(tables, make_provider(keys.provider, notice=notice), former)


def make_leases(upstream: UpstreamConfig, control: ControlConfig) -> DatabaseLeases:
    password = read_secret(control.password_file)

    async def connected() -> Any:
        try:
            return await connect(upstream, control.user, password, control.database)
        except UpstreamUnavailable as error:
            raise ConnectionError(error.message) from None

    return DatabaseLeases(connected)


@asynccontextmanager
async def opened_store(config: Config) -> AsyncIterator[DatabaseKeyStore]:
    """For a command: the store with its provider open; closed at the end.  Raises FieldgateError, CryptoError."""
    if config.keys is None or config.control is None:
        raise ConfigError("[keys] and [control] are required")
    control = Control(config.control, config.upstream)
    try:
        store = make_store(config.keys, control)
        await require_schema(control)
        await store.open()
        try:
            yield store
        except asyncpg.PostgresError as error:
            raise UpstreamUnavailable(f"the control database refused a step ({error.sqlstate})") from None
        finally:
            await store.close()
    finally:
        await control.close()


@asynccontextmanager
async def sealing_ciphers(
    config: Config, passphrase: Passphrase, needs: tuple[KeyNeed, ...]
) -> AsyncIterator[KeyringCiphers]:
    """For a command that seals: ciphers of either store by their active keys; leases are given back at the end."""
    if config.keys is None or config.control is None:
        raise ConfigError("[keys] and [control] are required")
    if config.keys.store is KeyStoreKind.FILE:
        source = FileKeys(config.keys, passphrase)
        ciphers = (await source.open()).ciphers(needs, source.leases())
        try:
            yield ciphers
        finally:
            await asyncio.to_thread(ciphers.close)
        return
    async with opened_store(config) as store:
        leases = make_leases(config.upstream, config.control)
        leases.start()
        try:
            ciphers = (await store.load()).keyring.ciphers(needs, leases, None, SubjectCache())
            await asyncio.to_thread(leases.prepare, ciphers.sealing_keys())
            yield ciphers
            ciphers.close()
        finally:
            await asyncio.to_thread(leases.close)


async def require_schema(control: Control) -> None:
    """Raises ConfigError when the control database is not as this version needs it."""
    async with control.connection(lane="keys") as connection:
        try:
            problems = await schema_problems(connection)
        except asyncpg.PostgresError as error:
            raise UpstreamUnavailable(f"the control database cannot be looked at ({error.sqlstate})") from None
    if problems:
        raise ConfigError("; ".join(problems))
