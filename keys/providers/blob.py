"""The bytes of a wrapped key: which kind of provider, which version of its KEK, and what the provider made.  Pure.

    offset  bytes
    0       4      `fgk` and the version of this form, 1
    4       1      kind of provider (Kind)
    5       1      length n of the version's name, 1 to 64
    6       n      the name, printable ASCII without spaces
    6+n     rest   the provider's own bytes

Everything before the rest is bound to the wrapped key, with its context, by each provider in its own way: whoever
changes the kind or the version makes a blob that does not unwrap.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from keys.errors import KeyringLocked

MAGIC = b"fgk\x01"
MAX_BLOB = 16 * 1024
MAX_VERSION = 64
_FIXED = len(MAGIC) + 2


class Kind(IntEnum):
    """Numbers stand in stored blobs: they are never given to another kind."""

    LOCAL = 1
    VAULT = 2
    PKCS11 = 3
    AWS_KMS = 4

    @property
    def label(self) -> str:
        """As it begins a provider's URI."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True)
class Blob:
    version: str
    payload: bytes


def build(kind: Kind, version: str, payload: bytes) -> bytes:
    return header(kind, version) + payload


def header(kind: Kind, version: str) -> bytes:
    """What comes before the provider's own bytes.  Raises ValueError for a name that cannot stand there."""
    name = version.encode("ascii")
    if not _is_name(name):
        raise ValueError(f"a version's name has 1 to {MAX_VERSION} printable characters")
    return MAGIC + bytes((kind, len(name))) + name


def bound(kind: Kind, version: str, context: bytes) -> bytes:
    """Associated data for a key: its header, which ends by itself, and its context."""
    return header(kind, version) + context


def parse(blob: bytes, kind: Kind) -> Blob:
    """Raises KeyringLocked for anything that a provider of this kind did not make."""
    if len(blob) > MAX_BLOB or len(blob) < _FIXED or not blob.startswith(MAGIC):
        raise KeyringLocked("a wrapped key is damaged, or no wrapped key at all")
    found, length = blob[len(MAGIC)], blob[len(MAGIC) + 1]
    if found != kind:
        raise KeyringLocked(f"a wrapped key is of {_named(found)}, but this is {kind.label}")
    name, payload = blob[_FIXED : _FIXED + length], blob[_FIXED + length :]
    if len(name) != length or not _is_name(name) or not payload:
        raise KeyringLocked("a wrapped key is damaged")
    return Blob(name.decode("ascii"), payload)


def _named(found: int) -> str:
    return Kind(found).label if found in tuple(Kind) else "an unknown provider"


def _is_name(name: bytes) -> bool:
    return 1 <= len(name) <= MAX_VERSION and all(0x21 <= byte <= 0x7E for byte in name)
