"""A keyring file's keys moved into the control database: the same ids and epochs, wrapped by the provider.

    set the ledger aside     no process can lease seals from it any more; what it has granted is final
    write                    all keys in one change, with what the ledger has granted of each
    set the keyring aside    nobody starts from it by mistake

A kill at any point is followed by the same command.  The key of the ledger file stays behind: the control database has
one of its own.  The two files are renamed, not removed: they are a backup until everything opens.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .database_store import DatabaseKeyStore
from .errors import KeyringInvalid
from .files import locked
from .keyring import LEDGER_SLOT, HeldKey
from .leases import FileLeases
from .store import OpenKeyring, ledger_path, open_keyring

ASIDE = ".moved-to-database"


@dataclass(frozen=True, slots=True)
class Moved:
    keys: int
    keyring: Path
    ledger: Path


async def move_keyring(store: DatabaseKeyStore, path: Path, passphrase: str) -> Moved:
    """Raises CryptoError; then run it again once the reason is gone.  The store has been initialised."""
    with locked(path):
        keys, ledger = _set_ledger_aside(path, passphrase)
        added = await store.take_in(keys)
        return Moved(len(added), _set_aside(path), ledger)


def _set_ledger_aside(path: Path, passphrase: str) -> tuple[list[tuple[HeldKey, int]], Path]:
    """Every key with what was granted of it, and where the ledger is now."""
    opened = open_keyring(path, passphrase)
    ledger = ledger_path(path)
    aside = _aside(ledger)
    if not aside.exists():
        _set_aside(ledger)
    elif ledger.exists():
        raise KeyringInvalid(f"{ledger} and {aside} are both there: which of them is the ledger must be found out")
    granted = _granted(opened, aside)
    keys = [key for key in opened.keyring.keys if key.info.slot != LEDGER_SLOT]
    return [(key, granted.get(key.info.key_id, 0)) for key in keys], aside


def _set_aside(path: Path) -> Path:
    try:
        return path.rename(_aside(path))
    except OSError as failure:
        raise KeyringInvalid(f"{path} cannot be renamed: {failure.strerror}") from None


def _aside(path: Path) -> Path:
    return path.with_name(path.name + ASIDE)


def _granted(opened: OpenKeyring, ledger: Path) -> dict[bytes, int]:
    key = opened.keyring.active(LEDGER_SLOT)
    if key is None:
        raise KeyringInvalid(f"{opened.path} has no ledger key")
    return FileLeases(ledger, key.material).granted()
