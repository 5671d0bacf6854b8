"""`fieldgate init` and `fieldgate keys`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from keys.database_store import DatabaseKeyStore
from keys.key_tables import Uses
from keys.keyring import KeyInfo, KeyPurpose, Slot
from keys.moving import Moved, move_keyring
from keys.passphrase import PassphraseSource
from keys.providers.local_file import create_kek_file
from keys.records import KeySnapshot
from keys.store import add_missing_keys, change_passphrase, init_keyring, list_keys, replace_lost_ledger
from proxy.config import Config, load_config
from proxy.config_keys import KeysConfig, KeyStoreKind, LocalKekConfig
from proxy.terminal import DEFAULT_CONFIG, ConfigOption, ask_secret, reporting

from .shared import current_passphrase, keyring_path, keys_config, needs, new_passphrase, out, with_store

keys_app = typer.Typer(help="Keys of sealed fields.", no_args_is_help=True)


def init(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Make the store of keys, with keys for every sealed field of the configured policies."""
    with reporting():
        loaded = load_config(config)
        keys = keys_config(loaded)
        if keys.store is KeyStoreKind.DATABASE:
            _init_database(loaded, keys)
            return
        path, passphrase = keyring_path(loaded), new_passphrase(keys)
        init_keyring(path, passphrase)
        added = add_missing_keys(path, passphrase, needs(loaded))
        out.print(f"made {path} with {len(added)} keys", markup=False, soft_wrap=True)
        out.print("Back it up, and its passphrase apart from it: without both, sealed data cannot be read.")


def _init_database(config: Config, keys: KeysConfig) -> None:
    _make_kek_file(keys)

    async def make(store: DatabaseKeyStore) -> tuple[bool, int]:
        return await store.initialise(), len(await store.add_missing(needs(config)))

    new, added = with_store(config, make)
    out.print(f"{'made the keys of the control database' if new else 'found the keys there'}; added {added}")


def _make_kek_file(keys: KeysConfig) -> None:
    """Where the provider is a file that is not there yet."""
    provider = keys.provider
    if isinstance(provider, LocalKekConfig) and not provider.file.exists():
        source = PassphraseSource(provider.passphrase_file, provider.passphrase_env)
        create_kek_file(provider.file, source.read(os.environ))
        out.print(f"made {provider.file}", markup=False, soft_wrap=True)
        out.print("Back it up, and its passphrase apart from it: without both, sealed data cannot be read.")


@keys_app.command("list")
def keys_list(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Every key: what it is for, its state, how many cells it may have sealed."""
    with reporting():
        loaded = load_config(config)
        names = {slot: need.name for need in needs(loaded) for slot in need.slots}
        if keys_config(loaded).store is KeyStoreKind.DATABASE:
            out.print(_database_table(loaded, names))
            return
        table = Table("key", "purpose", "field or group", "epoch", "state", "made", "seals granted")
        for line in list_keys(keyring_path(loaded), current_passphrase(loaded)):
            info = line.info
            granted = "" if line.seals_granted is None else f"{line.seals_granted:,}"
            table.add_row(*_row(info, names), info.created_at, granted)
        out.print(table)


def _database_table(config: Config, names: dict[Slot, str]) -> Table:
    async def read(store: DatabaseKeyStore) -> tuple[KeySnapshot, Mapping[bytes, Uses]]:
        return await store.read(), await store.tables.uses()

    snapshot, uses = with_store(config, read)
    table = Table(
        "key", "purpose", "field or group", "epoch", "state", "made", "wrapped by", "seals granted", "sealed", "opened"
    )
    for key in snapshot.keys:
        used, seals = uses.get(key.info.key_id, Uses()), key.info.slot.purpose is KeyPurpose.CELL
        counts = (f"{key.seals_granted:,}", f"{used.sealed:,}", f"{used.opened:,}") if seals else ("", "", "")
        table.add_row(*_row(key.info, names), key.info.created_at, key.kek_uri or "", *counts)
    return table


def _row(info: KeyInfo, names: dict[Slot, str]) -> tuple[str, ...]:
    name = names.get(info.slot, info.slot.scope)
    return info.key_id.hex(), info.slot.purpose, name, str(info.epoch), info.state


@keys_app.command("add")
def keys_add(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Make the keys that the policies' sealed fields lack."""
    with reporting():
        loaded = load_config(config)
        if keys_config(loaded).store is KeyStoreKind.DATABASE:
            made = with_store(loaded, lambda store: store.add_missing(needs(loaded)))
            out.print(f"added {len(made)} keys; a running proxy hears of them by itself")
            return
        added = add_missing_keys(keyring_path(loaded), current_passphrase(loaded), needs(loaded))
        out.print(f"added {len(added)} keys")
        if added:
            out.print("Let a running proxy know: fieldgate reload")


@keys_app.command("move-to-database")
def keys_move_to_database(
    keyring: Annotated[Path, typer.Option(help="The keyring file whose keys are moved.")],
    config: ConfigOption = DEFAULT_CONFIG,
    passphrase_file: Annotated[Path | None, typer.Option(help="Of the keyring; else it is asked for.")] = None,
) -> None:
    """Move a keyring file's keys into the control database.  Stop every proxy that uses the file first.

    The configuration is the new one, with store = "database".
    """
    with reporting():
        loaded = load_config(config)
        if passphrase_file is not None:
            passphrase = PassphraseSource(passphrase_file).read(os.environ)
        else:
            passphrase = ask_secret("Passphrase of the keyring")
        _make_kek_file(keys_config(loaded))

        async def move(store: DatabaseKeyStore) -> Moved:
            await store.initialise()
            return await move_keyring(store, keyring, passphrase)

        moved = with_store(loaded, move)
        out.print(f"moved {moved.keys} keys into the control database", markup=False)
        out.print(
            f"{moved.keyring} and {moved.ledger} are left as a backup: destroy them once everything opens",
            markup=False,
            soft_wrap=True,
        )


@keys_app.command("change-passphrase")
def keys_change_passphrase(
    config: ConfigOption = DEFAULT_CONFIG,
    new_file: Annotated[Path | None, typer.Option(help="Holds the new passphrase; else it is asked for.")] = None,
) -> None:
    """Wrap all keys anew.  Copies of the old file still open with the old passphrase."""
    with reporting():
        loaded = load_config(config)
        path, old = keyring_path(loaded), current_passphrase(loaded)
        if new_file is not None:
            new = PassphraseSource(new_file).read(os.environ)
        else:
            new = ask_secret("New passphrase of the keyring", confirm=True)
        change_passphrase(path, old, new)
        out.print("changed; put the new passphrase where the configuration looks for it")


@keys_app.command("replace-lost-ledger")
def keys_replace_lost_ledger(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """When the count of seals beside the keyring is gone: half of each key's budget counts as used."""
    with reporting():
        loaded = load_config(config)
        replace_lost_ledger(keyring_path(loaded), current_passphrase(loaded))
        out.print("made a new ledger")
