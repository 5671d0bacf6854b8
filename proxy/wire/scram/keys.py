"""What is kept of a password, and how it is made: verifiers as in pg_authid, client and server keys."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode
from dataclasses import dataclass, field

from scramp import ScramException
from scramp.utils import saslprep

from .messages import KEY_SIZE, base64, hmac_sha256

DEFAULT_ITERATIONS = 4096  # PostgreSQL's scram_iterations
SALT_SIZE = 16


@dataclass(frozen=True, slots=True)
class ScramKeys:
    """What proves a password without being it.  As secret as the password itself."""

    client_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)

    @property
    def stored_key(self) -> bytes:
        return hashlib.sha256(self.client_key).digest()


@dataclass(frozen=True, slots=True)
class Verifier:
    """What a server stores of a password, as in pg_authid.rolpassword; `str()` gives that form."""

    iterations: int
    salt: bytes = field(repr=False)
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)

    def __str__(self) -> str:
        salt, stored, server = (base64(part).decode() for part in (self.salt, self.stored_key, self.server_key))
        return f"SCRAM-SHA-256${self.iterations}:{salt}${stored}:{server}"


def make_verifier(password: str | bytes, *, iterations: int = DEFAULT_ITERATIONS, salt: bytes | None = None) -> str:
    """The verifier of a password, to be stored.  Runs PBKDF2: not on an event loop."""
    salt = secrets.token_bytes(SALT_SIZE) if salt is None else salt
    keys = derive_keys(password, salt, iterations)
    return str(Verifier(iterations, salt, keys.stored_key, keys.server_key))


def parse_verifier(text: str) -> Verifier:
    """Raises ValueError, which does not show the text."""
    try:
        scheme, first, second = text.split("$")
        iterations, salt = first.split(":")
        stored_key, server_key = (b64decode(part, validate=True) for part in second.split(":"))
        parsed = Verifier(int(iterations), b64decode(salt, validate=True), stored_key, server_key)
    except ValueError:
        raise ValueError("not a SCRAM-SHA-256 verifier") from None
    fine = scheme == "SCRAM-SHA-256" and parsed.iterations > 0 and parsed.salt
    if not fine or len(stored_key) != KEY_SIZE or len(server_key) != KEY_SIZE:
        raise ValueError("not a SCRAM-SHA-256 verifier")
    return parsed


def mock_verifier(login: str, secret: bytes, iterations: int = DEFAULT_ITERATIONS) -> Verifier:
    """For a login that does not exist: always the same salt for one name and secret, and keys that nobody has."""
    salt = hmac.digest(secret, b"scram mock salt\0" + login.encode("utf-8", "surrogateescape"), "sha256")[:SALT_SIZE]
    return Verifier(iterations, salt, secrets.token_bytes(KEY_SIZE), secrets.token_bytes(KEY_SIZE))


def derive_keys(password: str | bytes, salt: bytes, iterations: int) -> ScramKeys:
    """Runs PBKDF2: not on an event loop."""
    salted = hashlib.pbkdf2_hmac("sha256", prepare_password(password), salt, iterations)
    return ScramKeys(hmac_sha256(salted, b"Client Key"), hmac_sha256(salted, b"Server Key"))


def prepare_password(password: str | bytes) -> bytes:
    """SASLprep; what it can not prepare is used as it is, as PostgreSQL does (pg_saslprep)."""
    raw = password.encode("utf-8", "surrogateescape") if isinstance(password, str) else password
    try:
        # U+200B is a space to PostgreSQL (RFC 4013 maps spaces first), and nothing to scramp.
        prepared = saslprep(raw.decode("utf-8").replace("\u200b", " "))
    except (ScramException, UnicodeDecodeError):
        return raw
    return str(prepared).encode() or raw
