"""`fieldgate init` and `fieldgate keys`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from keys.passphrase import PassphraseSource
from keys.store import add_missing_keys, change_passphrase, init_keyring, list_keys, replace_lost_ledger
from proxy.config import load_config
from proxy.terminal import DEFAULT_CONFIG, ConfigOption, ask_secret, reporting

from .shared import current_passphrase, keys_config, needs, new_passphrase, out

keys_app = typer.Typer(help="Keys of sealed fields.", no_args_is_help=True)


def init(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Make the keyring, with keys for every sealed field of the configured policies."""
    with reporting():
        loaded = load_config(config)
        keys = keys_config(loaded)
        passphrase = new_passphrase(keys)
        init_keyring(keys.keyring, passphrase)
        added = add_missing_keys(keys.keyring, passphrase, needs(loaded))
        out.print(f"made {keys.keyring} with {len(added)} keys", markup=False, soft_wrap=True)
        out.print("Back it up, and its passphrase apart from it: without both, sealed data cannot be read.")


@keys_app.command("list")
def keys_list(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Every key: what it is for, its state, how many cells it may have sealed."""
    with reporting():
        loaded = load_config(config)
        names = {slot: need.name for need in needs(loaded) for slot in need.slots}
        table = Table("key", "purpose", "field or group", "epoch", "state", "made", "seals granted")
        for line in list_keys(keys_config(loaded).keyring, current_passphrase(loaded)):
            info = line.info
            granted = "" if line.seals_granted is None else f"{line.seals_granted:,}"
            name = names.get(info.slot, info.slot.scope)
            table.add_row(
                info.key_id.hex(), info.slot.purpose, name, str(info.epoch), info.state, info.created_at, granted
            )
        out.print(table)


@keys_app.command("add")
def keys_add(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Make the keys that the policies' sealed fields lack."""
    with reporting():
        loaded = load_config(config)
        added = add_missing_keys(keys_config(loaded).keyring, current_passphrase(loaded), needs(loaded))
        out.print(f"added {len(added)} keys")
        if added:
            out.print("Let a running proxy know: fieldgate reload")


@keys_app.command("change-passphrase")
def keys_change_passphrase(
    config: ConfigOption = DEFAULT_CONFIG,
    new_file: Annotated[Path | None, typer.Option(help="Holds the new passphrase; else it is asked for.")] = None,
) -> None:
    """Wrap all keys anew.  Copies of the old file still open with the old passphrase."""
    with reporting():
        loaded = load_config(config)
        old = current_passphrase(loaded)
        if new_file is not None:
            new = PassphraseSource(new_file).read(os.environ)
        else:
            new = ask_secret("New passphrase of the keyring", confirm=True)
        change_passphrase(keys_config(loaded).keyring, old, new)
        out.print("changed; put the new passphrase where the configuration looks for it")


@keys_app.command("replace-lost-ledger")
def keys_replace_lost_ledger(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """When the count of seals beside the keyring is gone: half of each key's budget counts as used."""
    with reporting():
        loaded = load_config(config)
        replace_lost_ledger(keys_config(loaded).keyring, current_passphrase(loaded))
        out.print("made a new ledger")
