"""The provider without a server: versioned random KEKs in one file, under a passphrase (`local:<name>`).

Whoever has the file and the passphrase has the keys.  The file is looked at before each call and read again when it
was replaced, so that a rotation by another process is seen, and a file that is gone is noticed; wrapping itself
happens in memory.  Its content: keys/providers/local_document.py.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from keys.ciphers import Unshareable
from keys.errors import KeyringInvalid, KeyringLocked, ProviderRefused
from keys.files import locked, read_private, write_private
from keys.primitives import KEY_SIZE, NONCE_SIZE, Aead, InvalidTag, aead, random_bytes
from keys.provider import Wrapped, Wrapping
from keys.sealed_file import derivation_of

from . import local_document as document
from .blob import Kind, bound, build, parse
from .common import check_with_canary
from .local import Cost, Derivation, PassphraseKek, require_strong
from .local_document import HeldKek

LIMIT = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class _Unlocked(Unshareable):
    signature: tuple[int, ...]  # of the file that was read
    derivation: Derivation
    kek: PassphraseKek = field(repr=False)
    keys: tuple[HeldKek, ...] = field(repr=False)
    ciphers: dict[str, Aead] = field(repr=False)

    @property
    def newest(self) -> str:
        return str(self.keys[-1].version)


def create_kek_file(path: Path, passphrase: str, *, cost: Cost | None = None) -> None:
    """A new file with a first version.  Refuses to replace anything.  Raises KeyringInvalid."""
    require_strong(passphrase)
    derivation = Derivation(cost or Cost())
    with locked(path):
        if path.exists() or path.is_symlink():
            raise KeyringInvalid(f"{path} exists already")
        _write(path, (_new_key(1),), PassphraseKek(passphrase, derivation), derivation)


class LocalFileKek(Unshareable):
    """A KekProvider.  `passphrase` is called when the file is opened, and when its passphrase was changed."""

    __slots__ = ("_held", "_name", "_passphrase", "path")

    def __init__(self, name: str, path: Path, passphrase: Callable[[], str]) -> None:
        self._name, self.path, self._passphrase = name, path, passphrase
        self._held: _Unlocked | None = None

    @property
    def uri(self) -> str:
        return f"local:{self._name}"

    async def open(self) -> None:
        self._held = None
        self._held = await asyncio.to_thread(self._read, None)

    async def close(self) -> None:
        self._held = None

    async def wrap(self, items: Sequence[Wrapping]) -> list[bytes]:
        held = await self._current()
        return [_wrap(held, item.material, item.context) for item in items]

    async def unwrap(self, items: Sequence[Wrapped]) -> list[bytes]:
        held = await self._current()
        return [_unwrap(held, item) for item in items]

    async def rewrap(self, items: Sequence[Wrapped]) -> list[bytes]:
        held = await self._current()
        return [_wrap(held, _unwrap(held, item), item.context) for item in items]

    async def rotate(self) -> str:
        held = await asyncio.to_thread(self._rotated, await self._current())
        self._held = held
        return held.newest

    async def version(self) -> str:
        return (await self._current()).newest

    def version_of(self, blob: bytes) -> str:
        return parse(blob, Kind.LOCAL).version

    async def check(self) -> None:
        await check_with_canary(self)

    async def _current(self) -> _Unlocked:
        held = self._held
        if held is None:
            raise ProviderRefused(f"{self.uri} is not open")
        if self._signature() != held.signature:
            held = self._held = await asyncio.to_thread(self._read, held)
        return held

    def _signature(self) -> tuple[int, ...]:
        try:
            status = os.lstat(self.path)
        except OSError as failure:
            raise ProviderRefused(f"{self.path} cannot be read: {failure.strerror}; restore it") from None
        return status.st_ino, status.st_dev, status.st_mtime_ns, status.st_ctime_ns, status.st_size

    def _read(self, before: _Unlocked | None) -> _Unlocked:
        signature = self._signature()
        try:
            content = document.parse(read_private(self.path, limit=LIMIT))
            derivation = derivation_of(content.derivation)
            if before is not None and before.derivation == derivation:
                kek = before.kek
            else:
                kek = PassphraseKek(self._passphrase(), derivation)
        except KeyringInvalid as failure:
            raise ProviderRefused(str(failure)) from None
        keys = document.unlock(content, kek)
        if before is not None and len(keys) < len(before.keys):
            raise KeyringLocked(f"an older copy of {self.path} was put in its place: restore the newest")
        return _Unlocked(signature, derivation, kek, keys, {str(k.version): aead(k.material) for k in keys})

    def _rotated(self, held: _Unlocked) -> _Unlocked:
        try:
            with locked(self.path):
                now = self._read(held)
                _write(self.path, (*now.keys, _new_key(len(now.keys) + 1)), now.kek, now.derivation)
                return self._read(now)
        except KeyringInvalid as failure:
            raise ProviderRefused(str(failure)) from None


def _new_key(version: int) -> HeldKek:
    return HeldKek(version, datetime.now(UTC).isoformat(timespec="seconds"), random_bytes(KEY_SIZE))


def _write(path: Path, keys: tuple[HeldKek, ...], kek: PassphraseKek, derivation: Derivation) -> None:
    """Reads back what is about to be written, so that no file is written that could not be opened again."""
    content = document.lock(keys, kek, derivation)
    again = document.unlock(document.parse(content), kek)
    if len(content) > LIMIT or [key.material for key in again] != [key.material for key in keys]:
        raise KeyringInvalid("the new file of key-encryption keys could not be read back; nothing was changed")
    try:
        write_private(path, content)
    except OSError as failure:
        raise KeyringInvalid(f"{path} cannot be written: {failure.strerror}; it is as it was") from None


def _wrap(held: _Unlocked, material: bytes, context: bytes) -> bytes:
    nonce = random_bytes(NONCE_SIZE)
    sealed = held.ciphers[held.newest].encrypt(nonce, material, bound(Kind.LOCAL, held.newest, context))
    return build(Kind.LOCAL, held.newest, nonce + sealed)


def _unwrap(held: _Unlocked, item: Wrapped) -> bytes:
    blob = parse(item.blob, Kind.LOCAL)
    cipher = held.ciphers.get(blob.version)
    if cipher is None:
        raise KeyringLocked("a wrapped key names a version that this file of key-encryption keys does not hold")
    nonce, sealed = blob.payload[:NONCE_SIZE], blob.payload[NONCE_SIZE:]
    try:
        return cipher.decrypt(nonce, sealed, bound(Kind.LOCAL, blob.version, item.context))
    except (InvalidTag, ValueError):
        raise KeyringLocked("a wrapped key was changed, or is of another file of keys or another context") from None
