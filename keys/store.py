"""The local keyring file: create, open, add keys, change the passphrase, for `fieldgate init` and `fieldgate keys`.

Changes happen under a lock and replace the file as a whole (see keys/files.py); what is about to be written is first
read back with the same keys, so that no file is written that could not be opened again.  The file is JSON in the form
of keys/document.py; the ledger of seals stands beside it (keys/leases.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from . import document
from .errors import KeyringInvalid
from .field import Unshareable
from .files import locked, read_private, write_private
from .keyring import LEDGER_SLOT, KeyInfo, KeyNeed, KeyPurpose, Keyring
from .leases import SEALS_PER_KEY, FileLeases
from .providers.local import Cost, Derivation, PassphraseKek, require_strong
from .sealed_file import derivation_of

LIMIT = 64 << 20


@dataclass(frozen=True, slots=True, eq=False)
class OpenKeyring(Unshareable):
    """An unlocked keyring file."""

    path: Path
    keyring: Keyring
    generation: int

    def leases(self, *, limit: int = SEALS_PER_KEY) -> FileLeases:
        """The ledger of seals; each worker process makes its own."""
        key = self.keyring.active(LEDGER_SLOT)
        if key is None:
            raise KeyringInvalid(f"{self.path} has no ledger key")
        return FileLeases(ledger_path(self.path), key.material, limit=limit)


@dataclass(frozen=True, slots=True)
class KeyListing:
    """One line of `fieldgate keys list`."""

    info: KeyInfo
    seals_granted: int | None  # None for keys that do not seal cells


def ledger_path(path: Path) -> Path:
    return path.with_name(path.name + ".seals")


def init_keyring(path: Path, passphrase: str, *, cost: Cost | None = None) -> OpenKeyring:
    """A new keyring without field keys, and its ledger.  Refuses to replace anything."""
    require_strong(passphrase)
    with locked(path):
        if path.exists() or path.is_symlink():
            raise KeyringInvalid(f"{path} exists already")
        opened = OpenKeyring(path, Keyring(()).with_new_keys([LEDGER_SLOT], _now()), 1)
        opened.leases().create()
        _save(opened, passphrase, Derivation(cost or Cost()))
    return opened


def open_keyring(path: Path, passphrase: str) -> OpenKeyring:
    """Raises KeyringLocked for a wrong passphrase or a changed file, KeyringInvalid for anything else that is wrong."""
    return _open(path, passphrase)[0]


def add_missing_keys(path: Path, passphrase: str, needs: Iterable[KeyNeed]) -> tuple[KeyInfo, ...]:
    """Makes the keys that these fields lack, and says which; nothing else changes."""
    needs = tuple(needs)
    with locked(path):
        opened, derivation, kek = _open(path, passphrase)
        missing = opened.keyring.missing_for(needs)
        if not missing:
            return ()
        keyring = opened.keyring.with_new_keys(missing, _now())
        added = keyring.infos[len(opened.keyring.keys) :]
        # The ledger first: a key without an entry could not seal, an entry without a key does no harm.
        opened.leases().open_accounts(info.key_id for info in added if info.slot.purpose is KeyPurpose.CELL)
        _write(OpenKeyring(path, keyring, opened.generation + 1), derivation, kek)
    return added


def change_passphrase(path: Path, old: str, new: str, *, cost: Cost | None = None) -> None:
    """Wraps all keys anew under another KEK.  Copies of the old file still open with the old passphrase."""
    require_strong(new)
    with locked(path):
        opened, derivation, _ = _open(path, old)
        _save(OpenKeyring(path, opened.keyring, opened.generation + 1), new, Derivation(cost or derivation.cost))


def list_keys(path: Path, passphrase: str) -> tuple[KeyListing, ...]:
    opened = open_keyring(path, passphrase)
    granted = opened.leases().granted()
    return tuple(KeyListing(info, granted.get(info.key_id)) for info in opened.keyring.infos)


def replace_lost_ledger(path: Path, passphrase: str) -> None:
    """For a keyring whose ledger is gone: see FileLeases.replace_lost."""
    with locked(path):
        opened = open_keyring(path, passphrase)
        cells = [info.key_id for info in opened.keyring.infos if info.slot.purpose is KeyPurpose.CELL]
        opened.leases().replace_lost(cells)


def _open(path: Path, passphrase: str) -> tuple[OpenKeyring, Derivation, PassphraseKek]:
    content = document.parse(read_private(path, limit=LIMIT))
    derivation = derivation_of(content.derivation)
    kek = PassphraseKek(passphrase, derivation)
    return OpenKeyring(path, document.unlock(content, kek), content.generation), derivation, kek


def _save(opened: OpenKeyring, passphrase: str, derivation: Derivation) -> None:
    _write(opened, derivation, PassphraseKek(passphrase, derivation))


def _write(opened: OpenKeyring, derivation: Derivation, kek: PassphraseKek) -> None:
    content = document.lock(opened.keyring, kek, derivation, opened.generation)
    again = document.unlock(document.parse(content), kek)
    if len(content) > LIMIT or [k.material for k in again.keys] != [k.material for k in opened.keyring.keys]:
        raise KeyringInvalid("the new keyring could not be read back; the old one was kept")
    try:
        write_private(opened.path, content)
    except OSError as failure:
        raise KeyringInvalid(f"{opened.path} cannot be written: {failure.strerror}; it is as it was") from None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
