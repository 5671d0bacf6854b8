"""The keyring file's content: a keyring and its KEK <-> canonical JSON.  Pure.

Each key is wrapped in its own context (purpose, controller, scope, key id, epoch), so that wrapped keys cannot change
places; and a code over everything shows when an entry was changed, removed, added, or put back from an older file.
Only a whole older file passes: that is what backups of the keyring are.  The JSON has one spelling, and another one is
refused, so that what was read is exactly what was authenticated.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError

from .errors import KeyringInvalid, KeyringLocked
from .keyring import HeldKey, KeyInfo, KeyPurpose, Keyring, Slot
from .lifecycle import KeyState
from .primitives import equal
from .provider import FileKek
from .providers.local import Derivation, PassphraseKek
from .sealed_file import DerivationEntry, Strict, canonical, derivation_entry, hexadecimal

FORMAT = "fieldgate keyring"
VERSION = 1


class KeyEntry(Strict):
    id: hexadecimal(8)  # type: ignore[valid-type]
    purpose: Literal["cell", "term", "ledger", "subject"]
    controller: Annotated[str, StringConstraints(max_length=200)]
    scope: Annotated[str, StringConstraints(max_length=200)]
    epoch: Annotated[int, Field(ge=1, le=1 << 31)]
    state: Literal["active", "decrypt-only"]
    created_at: Annotated[str, StringConstraints(max_length=40)]
    wrapped: hexadecimal(60)  # type: ignore[valid-type]  # nonce, 32-byte key, tag


class Document(Strict):
    format: Literal["fieldgate keyring"]
    version: Literal[1]
    generation: Annotated[int, Field(ge=1, le=1 << 53)]
    derivation: DerivationEntry
    verifier: hexadecimal(16)  # type: ignore[valid-type]
    keys: list[KeyEntry]
    code: hexadecimal(32)  # type: ignore[valid-type]


def parse(raw: bytes) -> Document:
    """The file's content with nothing authenticated yet.  Raises KeyringInvalid."""
    try:
        document = Document.model_validate_json(raw)
    except ValidationError as failure:
        where = ".".join(str(part) for part in failure.errors()[0]["loc"]) or "the beginning"
        raise KeyringInvalid(f"the keyring file is malformed at {where}") from None
    if canonical(document.model_dump()) != raw:
        raise KeyringInvalid("the keyring file was reformatted: it has one spelling, and this is another")
    return document


def unlock(document: Document, kek: PassphraseKek) -> Keyring:
    """Raises KeyringLocked for another passphrase or a changed file."""
    if not equal(kek.verifier, bytes.fromhex(document.verifier)):
        raise KeyringLocked("the passphrase is wrong")
    content = document.model_dump()
    code = bytes.fromhex(content.pop("code"))
    if not equal(kek.authenticate(canonical(content)), code):
        raise KeyringLocked("the passphrase is right, but the keyring file was changed: restore it from a backup")
    return Keyring(tuple(_unwrapped(entry, kek) for entry in document.keys))


def lock(keyring: Keyring, kek: PassphraseKek, derivation: Derivation, generation: int) -> bytes:
    """The file's content for these keys."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "generation": generation,
        "derivation": derivation_entry(derivation),
        "verifier": kek.verifier.hex(),
        "keys": [_wrapped(key, kek) for key in keyring.keys],
    }
    return canonical({**content, "code": kek.authenticate(canonical(content)).hex()})


def _wrapped(key: HeldKey, kek: FileKek) -> dict[str, Any]:
    info = key.info
    return {
        "id": info.key_id.hex(),
        "purpose": info.slot.purpose.value,
        "controller": info.slot.controller,
        "scope": info.slot.scope,
        "epoch": info.epoch,
        "state": info.state.value,
        "created_at": info.created_at,
        "wrapped": kek.wrap(key.material, info.context).hex(),
    }


def _unwrapped(entry: KeyEntry, kek: FileKek) -> HeldKey:
    info = KeyInfo(
        key_id=bytes.fromhex(entry.id),
        slot=Slot(entry.controller, entry.scope, KeyPurpose(entry.purpose)),
        epoch=entry.epoch,
        state=KeyState(entry.state),
        created_at=entry.created_at,
    )
    return HeldKey(info, kek.unwrap(bytes.fromhex(entry.wrapped), info.context))
