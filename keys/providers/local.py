"""The embedded default: a KEK derived from a passphrase by Argon2id.

Whoever has the keyring file and the passphrase has the keys; nothing else protects them.  The cost parameters stand in
the keyring file and are bounded here before they are used, so that a changed file can neither make the derivation
cheap nor let it take all memory.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

from keys.errors import KeyringInvalid, KeyringLocked
from keys.field import Unshareable
from keys.primitives import NONCE_SIZE, InvalidTag, aead, argon2id, derive, keyed_hash, random_bytes

SALT_SIZE = 16
MINIMUM_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Cost:
    """Argon2id's parameters; the default is RFC 9106's second recommendation, the minimum that of OWASP."""

    passes: int = 3
    memory_kib: int = 64 * 1024
    lanes: int = 4

    def __post_init__(self) -> None:
        if not (2 <= self.passes <= 32 and 19 * 1024 <= self.memory_kib <= 1024 * 1024 and 1 <= self.lanes <= 16):
            raise KeyringInvalid("the keyring's Argon2id parameters are outside 2-32 passes, 19-1024 MiB, 1-16 lanes")


LOWEST_COST = Cost(passes=2, memory_kib=19 * 1024, lanes=1)


@dataclass(frozen=True, slots=True)
class Derivation:
    """How the KEK comes from the passphrase: everything but the passphrase."""

    cost: Cost = field(default_factory=Cost)
    salt: bytes = field(default_factory=lambda: random_bytes(SALT_SIZE))

    def __post_init__(self) -> None:
        if len(self.salt) != SALT_SIZE:
            raise KeyringInvalid(f"the keyring's salt has not {SALT_SIZE} bytes")


class PassphraseKek(Unshareable):
    """A FileKek; holds keys derived from the passphrase, not the passphrase."""

    __slots__ = ("_cipher", "_code", "_verifier")

    def __init__(self, passphrase: str, derivation: Derivation) -> None:
        cost = derivation.cost
        # NFC: the same characters typed on two systems are one passphrase (RFC 8265, OpaqueString).
        secret = unicodedata.normalize("NFC", passphrase).encode()
        root = argon2id(secret, derivation.salt, passes=cost.passes, memory_kib=cost.memory_kib, lanes=cost.lanes)
        self._cipher = aead(derive(root, label=b"fieldgate keyring wrap v1"))
        self._code = keyed_hash(derive(root, label=b"fieldgate keyring code v1"), b"")
        self._verifier = derive(root, label=b"fieldgate keyring verifier v1", length=16)

    @property
    def verifier(self) -> bytes:
        """Stands in the file, to tell a wrong passphrase from a changed file; it is as hard to guess from as a key."""
        return self._verifier

    def wrap(self, material: bytes, context: bytes) -> bytes:
        nonce = random_bytes(NONCE_SIZE)
        return nonce + self._cipher.encrypt(nonce, material, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        try:
            return self._cipher.decrypt(wrapped[:NONCE_SIZE], wrapped[NONCE_SIZE:], context)
        except (InvalidTag, ValueError):
            raise KeyringLocked("a key of the keyring does not unwrap: the file was changed") from None

    def authenticate(self, message: bytes) -> bytes:
        return self._code(message)


def require_strong(passphrase: str) -> None:
    """For passphrases that are being set; raises KeyringInvalid."""
    if len(passphrase.strip()) < MINIMUM_LENGTH:
        raise KeyringInvalid(f"a passphrase has at least {MINIMUM_LENGTH} characters")
