"""What the commands share: sections that must be there, the passphrase, a connection to work over."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console

from keys.database_store import DatabaseKeyStore
from keys.keyring import KeyNeed
from policies.loader import load_policy
from policies.policy_set import PolicySet
from proxy.config import Config
from proxy.config_keys import KeysConfig
from proxy.control import Connection, connect
from proxy.errors import ConfigError
from proxy.key_stores import opened_store
from proxy.sealing.needs import check_own_keys, key_needs
from proxy.terminal import ask_secret, guard_memory, has_source, passphrase_of

DatabaseOption = Annotated[str | None, typer.Option("--database", "-d", help="Needed when several are configured.")]
OwnerOption = Annotated[
    str, typer.Option("--as", help="The role to do it as: the tables' owner.  Password: PGPASSWORD, or asked for.")
]
out = Console(highlight=False, width=None if sys.stdout.isatty() else 160)  # a pipe has no width: nothing is cut
Result = TypeVar("Result")


def keys_config(config: Config) -> KeysConfig:
    """Whoever asks for it is about to hold keys, so the process's memory is guarded from here on."""
    if config.keys is None:
        raise ConfigError("[keys] is required")
    guard_memory(config)
    return config.keys


def current_passphrase(config: Config) -> str:
    found = passphrase_of(keys_config(config))
    return found() if found is not None else ""


def new_passphrase(keys: KeysConfig) -> str:
    if has_source(keys):
        found = passphrase_of(keys)
        return found() if found is not None else ""
    return ask_secret("New passphrase of the keyring", confirm=True)


def keyring_path(config: Config) -> Path:
    """For what is about the keyring file alone."""
    keys = keys_config(config)
    if keys.keyring is None:
        raise ConfigError('this is for [keys] store = "file"; the keys here are in the control database (docs/keys.md)')
    return keys.keyring


def with_store(config: Config, work: Callable[[DatabaseKeyStore], Awaitable[Result]]) -> Result:
    """Over the keys of the control database.  Raises ConfigError for a keyring file."""
    guard_memory(config)

    async def run() -> Result:
        async with opened_store(config) as store:
            return await work(store)

    return asyncio.run(run())


def needs(config: Config) -> tuple[KeyNeed, ...]:
    data_maps = [load_policy(db.policy).data_map for db in config.databases.values()]
    check_own_keys(data_maps)
    return tuple(need for data_map in data_maps for need in key_needs(data_map))


def policy_of(config: Config, database: str | None) -> tuple[str, PolicySet]:
    if not config.databases:
        raise ConfigError("[databases] names no database")
    if database is None and len(config.databases) > 1:
        raise ConfigError(f"say which database: --database {' or '.join(sorted(config.databases))}")
    name = database or next(iter(config.databases))
    if name not in config.databases:
        raise ConfigError(f"[databases] does not name {name}")
    return name, load_policy(config.databases[name].policy)


def control_user(config: Config) -> str | None:
    return config.control.user if config.control else None


def with_owner(config: Config, user: str, database: str, work: Callable[[Connection], Awaitable[Result]]) -> Result:
    password = os.environ.get("PGPASSWORD")
    if password is None and "PGPASSFILE" not in os.environ and not _pgpass().exists():
        password = ask_secret(f"Password of {user}")
    return asyncio.run(with_connection(config, user, password, database, work))


def _pgpass() -> Path:
    return Path("~/.pgpass").expanduser()


async def with_connection(
    config: Config, user: str, password: str | None, database: str, work: Callable[[Connection], Awaitable[Result]]
) -> Result:
    connection = await connect(config.upstream, user, password, database, command_timeout=None)
    try:
        return await work(connection)
    finally:
        await connection.close()
