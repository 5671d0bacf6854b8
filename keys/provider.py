"""What a provider of the key-encryption key (KEK) does; the keyring never sees the KEK itself.  Pure."""

from __future__ import annotations

from typing import Protocol


class KekProvider(Protocol):
    """Wraps data keys for storage.  `context` says what the key is for; a key unwraps in its own context only."""

    def wrap(self, material: bytes, context: bytes) -> bytes: ...

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Raises KeyringLocked when the bytes were changed, or wrapped by another KEK or for another context."""
        ...

    def authenticate(self, message: bytes) -> bytes:
        """A 32-byte code over a whole keyring, that only the holder of the KEK can make."""
        ...
