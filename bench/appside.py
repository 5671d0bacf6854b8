"""The same work done by an application itself: its own keys, cells and search terms, over a direct connection.

This is what somebody writes who has no proxy, and writes well: AES-256-GCM with a random nonce and the column's name
as associated data, HMAC-SHA-256 search terms, objects made once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from keys.primitives import KEY_SIZE, NONCE_SIZE, aead, keyed_hash, random_bytes

TABLE = """
    CREATE TABLE customers (
        id bigint PRIMARY KEY, surname bytea NOT NULL, name bytea NOT NULL, email bytea NOT NULL,
        email_term bytea NOT NULL UNIQUE
    )
"""
COLUMNS = ("id", "surname", "name", "email", "email_term")
POINT = "SELECT surname, email FROM customers WHERE email_term = $1"
ROWS = "SELECT id, surname, name, email FROM customers"
_SEALED = ("surname", "name", "email")


def new_key() -> bytes:
    return random_bytes(KEY_SIZE)


@dataclass(frozen=True, slots=True)
class AppKeys:
    """Throwaway keys of one run."""

    cells: bytes = field(default_factory=new_key, repr=False)
    terms: bytes = field(default_factory=new_key, repr=False)


class AppCrypto:
    def __init__(self, keys: AppKeys) -> None:
        cipher = aead(keys.cells)
        self._encrypt, self._decrypt = cipher.encrypt, cipher.decrypt
        self._term = keyed_hash(keys.terms, b"")

    def seal(self, column: str, value: str) -> bytes:
        nonce = random_bytes(NONCE_SIZE)
        return nonce + self._encrypt(nonce, value.encode(), column.encode())

    def open(self, column: bytes, cell: bytes) -> str:
        return self._decrypt(cell[:NONCE_SIZE], cell[NONCE_SIZE:], column).decode()

    def term(self, value: str) -> bytes:
        return self._term(value.encode())[:16]

    def row(self, number: int, surname: str, name: str, email: str) -> tuple[object, ...]:
        """One row of TABLE."""
        cells = (self.seal(c, v) for c, v in zip(_SEALED, (surname, name, email), strict=True))
        return (number, *cells, self.term(email))
