"""What both sides of SCRAM share: attributes, nonces, and the little cryptography."""

from __future__ import annotations

import hmac
import secrets
from base64 import b64decode, b64encode

from proxy.errors import ProtocolViolation

SCRAM_SHA_256 = b"SCRAM-SHA-256"
SCRAM_SHA_256_PLUS = b"SCRAM-SHA-256-PLUS"
BINDING_NAME = b"tls-server-end-point"
KEY_SIZE = 32
MAXIMUM_NONCE = 1024  # CVE-2026-6665
_NONCE_SIZE = 24
_PRINTABLE = frozenset(range(0x21, 0x7F)) - {ord(",")}


def split_attributes(message: bytes) -> list[tuple[bytes, bytes]]:
    found: list[tuple[bytes, bytes]] = []
    for part in message.split(b","):
        if len(part) < 2 or part[1:2] != b"=" or not part[:1].isalpha():
            raise malformed()
        found.append((part[:1], part[2:]))
    return found


def read_nonce(attribute: tuple[bytes, bytes]) -> bytes:
    name, value = attribute
    if name != b"r" or not 0 < len(value) <= MAXIMUM_NONCE or not _PRINTABLE.issuperset(value):
        raise malformed()
    return value


def malformed() -> ProtocolViolation:
    return ProtocolViolation("malformed SCRAM message")


def new_nonce() -> bytes:
    return base64(secrets.token_bytes(_NONCE_SIZE))


def base64(raw: bytes) -> bytes:
    return b64encode(raw)


def unbase64(text: bytes) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise malformed() from None


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
