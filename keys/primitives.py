"""The primitives that everything else here is built from; the only importer of cryptography.hazmat and of argon2.

AES-256-GCM (96-bit nonces, 128-bit tags), HMAC-SHA-256, HKDF-SHA-256, Argon2id, the system's random generator and
comparison in constant time.  Nothing else is used, and no parameter of them is left to a caller.
"""

from __future__ import annotations

import hmac as _hmac
import os
from collections.abc import Callable

from argon2.low_level import Type as _Argon2Type
from argon2.low_level import hash_secret_raw as _argon2
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

__all__ = [
    "DIGEST_SIZE",
    "KEY_SIZE",
    "NONCE_SIZE",
    "TAG_SIZE",
    "Aead",
    "InvalidTag",
    "Sealer",
    "aead",
    "argon2id",
    "derive",
    "equal",
    "hmac_sha256",
    "keyed_hash",
    "random_bytes",
]

KEY_SIZE = 32
NONCE_SIZE = 12
TAG_SIZE = 16
DIGEST_SIZE = 32
Aead = AESGCM


Sealer = AESGCM  # one key, ready for use


def aead(key: bytes) -> AESGCM:
    """AES-256-GCM over one key: `encrypt(nonce, data, associated)` and `decrypt(...)`, which raises InvalidTag.

    Making one runs the key schedule, so callers keep the object, not the key.
    """
    _require_key(key)
    return AESGCM(key)


def random_bytes(count: int) -> bytes:
    """Unpredictable bytes of the operating system, safe across fork (no state is kept in the process)."""
    return os.urandom(count)


def equal(left: bytes, right: bytes) -> bool:
    """Whether both are the same, in a time that depends on the lengths only."""
    return _hmac.compare_digest(left, right)


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """The whole 32-byte HMAC."""
    return keyed_hash(key, b"")(message)


def keyed_hash(key: bytes, prefix: bytes) -> Callable[[bytes], bytes]:
    """A function that gives HMAC-SHA-256(key, prefix || message); key and prefix are absorbed once, here."""
    _require_key(key)
    absorbed = HMAC(key, SHA256())
    absorbed.update(prefix)

    def digest(message: bytes) -> bytes:
        state = absorbed.copy()
        state.update(message)
        return state.finalize()

    return digest


def derive(key: bytes, *, label: bytes, length: int = KEY_SIZE) -> bytes:
    """HKDF-SHA-256 without salt, for a `key` that is uniformly random already (RFC 5869 section 3.1)."""
    _require_key(key)
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=label).derive(key)


def argon2id(secret: bytes, salt: bytes, *, passes: int, memory_kib: int, lanes: int) -> bytes:
    """A 32-byte key from a passphrase (RFC 9106).  The caller has bounded the parameters."""
    return _argon2(
        secret,
        salt,
        time_cost=passes,
        memory_cost=memory_kib,
        parallelism=lanes,
        hash_len=KEY_SIZE,
        type=_Argon2Type.ID,
    )


def _require_key(key: bytes) -> None:
    if len(key) != KEY_SIZE:
        raise ValueError(f"a key has {KEY_SIZE} bytes, not {len(key)}")
