"""What holds a key-encryption key (KEK) and what it does for us: the two protocols.  Pure.

`KekProvider` is the one that keys outside of the keyring file are wrapped by: a file of KEKs, Vault or OpenBao
Transit, a PKCS#11 token, AWS KMS (keys/providers/).  All of them pass one suite, tests/keys/providers/conformity.py.
`FileKek` is what the passphrase of a keyring file becomes; it needs no waiting and no versions.

`context` says what a key is for, in canonical bytes (see `prefixed` in keys/envelope.py).  It is bound to the wrapped
bytes as associated data: a key unwraps in its own context only, so that wrapped keys cannot change places.  It is not
secret: providers write it into their own audit logs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .ciphers import Unshareable

MAX_MATERIAL = 1024
MAX_CONTEXT = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Wrapping(Unshareable):
    """A key that is to be wrapped: 1 to 1024 bytes of material, 1 to 4096 of context.  Raises ValueError for others."""

    material: bytes = field(repr=False)
    context: bytes

    def __post_init__(self) -> None:
        if not 1 <= len(self.material) <= MAX_MATERIAL:
            raise ValueError(f"the material of a key has 1 to {MAX_MATERIAL} bytes, not {len(self.material)}")
        _require_context(self.context)


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A wrapped key as it is stored, with the context that it was wrapped in.  Nothing of it is secret."""

    blob: bytes = field(repr=False)
    context: bytes

    def __post_init__(self) -> None:
        _require_context(self.context)


def _require_context(context: bytes) -> None:
    if not 1 <= len(context) <= MAX_CONTEXT:
        raise ValueError(f"the context of a key has 1 to {MAX_CONTEXT} bytes, not {len(context)}")


class KekProvider(Protocol):
    """One KEK with its versions.  Belongs to one event loop; open it after a fork, not before.

    Each method that asks raises ProviderUnavailable (try again later), ProviderRefused (somebody has to do what the
    message says), or KeyringLocked (the bytes were changed, or are of another KEK or context).  Lists are answered in
    their order, as a whole or not at all; an empty list is answered without asking.  A blob begins with the kind of its
    provider and the KEK's version (keys/providers/blob.py), so that a foreign one is recognised before it is sent.
    """

    @property
    def uri(self) -> str:
        """Kind and key without anything secret: `local:default`, `vault:transit/fieldgate`, `aws-kms:alias/x`, ..."""
        ...

    async def open(self) -> None:
        """Logs in, and makes sure that the key exists, is of the right kind, and cannot be exported where it says so.

        After an error the provider is closed as if it had never been opened.
        """
        ...

    async def close(self) -> None:
        """Logs out and forgets what it holds.  May be called at any time, and twice."""
        ...

    async def wrap(self, items: Sequence[Wrapping]) -> list[bytes]:
        """One blob for each item, under the newest version."""
        ...

    async def unwrap(self, items: Sequence[Wrapped]) -> list[bytes]:
        """The material of each item, whichever version it was wrapped under."""
        ...

    async def rewrap(self, items: Sequence[Wrapped]) -> list[bytes]:
        """The same keys under the newest version.  Where the provider can do it alone, material does not leave it."""
        ...

    async def rotate(self) -> str:
        """Makes a new version and returns its name.  What older versions wrapped still unwraps."""
        ...

    async def version(self) -> str:
        """The name of the newest version, as the provider says now."""
        ...

    def version_of(self, blob: bytes) -> str:
        """The version that the blob says it was wrapped under; asks nobody.  Raises KeyringLocked for a foreign one.

        Where a provider rotates by itself in the middle of a call, a blob may name the version before.
        """
        ...

    async def check(self) -> None:
        """Proves cheaply that the key can be used now: wraps and unwraps a random canary."""
        ...


class FileKek(Protocol):
    """Wraps the data keys of a keyring file and authenticates the file as a whole (keys/document.py)."""

    def wrap(self, material: bytes, context: bytes) -> bytes: ...

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Raises KeyringLocked when the bytes were changed, or wrapped by another KEK or for another context."""
        ...

    def authenticate(self, message: bytes) -> bytes:
        """A 32-byte code over a whole keyring, that only the holder of the KEK can make."""
        ...
