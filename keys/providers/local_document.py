"""The content of a file of key-encryption keys <-> canonical JSON.  Pure.

The same rules as for the keyring file (keys/document.py): one spelling, every key wrapped in its own context, a code
over everything that only the holder of the passphrase can make.  Keys are only ever added, and count up from 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError

from keys.ciphers import Unshareable
from keys.envelope import prefixed
from keys.errors import KeyringInvalid, KeyringLocked
from keys.primitives import equal
from keys.sealed_file import DerivationEntry, Strict, canonical, derivation_entry, hexadecimal

from .local import Derivation, PassphraseKek

FORMAT = "fieldgate key-encryption keys"


class KekEntry(Strict):
    version: Annotated[int, Field(ge=1, le=1 << 31)]
    created_at: Annotated[str, StringConstraints(max_length=40)]
    wrapped: hexadecimal(60)  # type: ignore[valid-type]  # nonce, 32-byte key, tag


class Document(Strict):
    format: Literal["fieldgate key-encryption keys"]
    version: Literal[1]
    derivation: DerivationEntry
    verifier: hexadecimal(16)  # type: ignore[valid-type]
    keys: Annotated[list[KekEntry], Field(min_length=1)]
    code: hexadecimal(32)  # type: ignore[valid-type]


@dataclass(frozen=True, slots=True, eq=False)
class HeldKek(Unshareable):
    """One version, unwrapped."""

    version: int
    created_at: str  # UTC, ISO 8601, to the second
    material: bytes = field(repr=False)


def parse(raw: bytes) -> Document:
    """The file's content with nothing authenticated yet.  Raises KeyringInvalid."""
    try:
        document = Document.model_validate_json(raw)
    except ValidationError as failure:
        where = ".".join(str(part) for part in failure.errors()[0]["loc"]) or "the beginning"
        raise KeyringInvalid(f"the file of key-encryption keys is malformed at {where}") from None
    if canonical(document.model_dump()) != raw:
        raise KeyringInvalid("the file of key-encryption keys was reformatted: it has one spelling, this is another")
    if [entry.version for entry in document.keys] != list(range(1, len(document.keys) + 1)):
        raise KeyringInvalid("the versions in the file of key-encryption keys do not count up from 1")
    return document


def unlock(document: Document, kek: PassphraseKek) -> tuple[HeldKek, ...]:
    """Oldest first.  Raises KeyringLocked for another passphrase or a changed file."""
    if not equal(kek.verifier, bytes.fromhex(document.verifier)):
        raise KeyringLocked("the passphrase of the file of key-encryption keys is wrong")
    content = document.model_dump()
    code = bytes.fromhex(content.pop("code"))
    if not equal(kek.authenticate(canonical(content)), code):
        raise KeyringLocked("the file of key-encryption keys was changed: restore it from a backup")
    return tuple(
        HeldKek(e.version, e.created_at, kek.unwrap(bytes.fromhex(e.wrapped), _context(e.version)))
        for e in document.keys
    )


def lock(keys: tuple[HeldKek, ...], kek: PassphraseKek, derivation: Derivation) -> bytes:
    """The file's content for these keys."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "version": 1,
        "derivation": derivation_entry(derivation),
        "verifier": kek.verifier.hex(),
        "keys": [
            {
                "version": key.version,
                "created_at": key.created_at,
                "wrapped": kek.wrap(key.material, _context(key.version)).hex(),
            }
            for key in keys
        ],
    }
    return canonical({**content, "code": kek.authenticate(canonical(content)).hex()})


def _context(version: int) -> bytes:
    return prefixed(b"fieldgate key-encryption key v1") + version.to_bytes(4, "big")
