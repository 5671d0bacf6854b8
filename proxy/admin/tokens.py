"""Bearer tokens: made once, shown once, kept as a hash.

A token is `fgt_<id>_<secret>`: 16 hex digits that name it, and 256 random bits.  The control database has the SHA-256
of the secret (it is random, so nothing slower is needed), whose token it is, with which of that person's roles, until
when.  An unknown id costs the same comparison as a wrong secret.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

PREFIX = "fgt_"
_FORM = re.compile(r"fgt_([0-9a-f]{16})_([A-Za-z0-9_-]{43})", re.ASCII)
_NOBODYS = b"\0" * 32

Lend = Callable[[], AbstractAsyncContextManager[Any]]


@dataclass(frozen=True, slots=True)
class Token:
    """A row; `secret_hash` is no secret that opens anything, and is kept out of `repr` all the same."""

    token_id: str
    secret_hash: bytes = field(repr=False)
    person: str
    roles: frozenset[str]
    created_by: str
    expires_at: datetime
    created_at: datetime | None = None
    revoked_at: datetime | None = None

    def valid(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at


class TokenTable(Protocol):
    async def add(self, token: Token) -> None: ...
    async def find(self, token_id: str) -> Token | None: ...
    async def revoke(self, token_id: str) -> bool:
        """False when there is none."""
        ...

    async def all(self) -> Sequence[Token]: ...


def make_token(person: str, roles: frozenset[str], created_by: str, expires_at: datetime) -> tuple[str, Token]:
    """The token as its owner gets it, once, and its row."""
    token_id, secret = secrets.token_hex(8), secrets.token_bytes(32)
    shown = base64.urlsafe_b64encode(secret).rstrip(b"=").decode()
    return f"{PREFIX}{token_id}_{shown}", Token(token_id, _hash(shown), person, roles, created_by, expires_at)


def token_id_of(presented: str) -> str | None:
    """None for what is no token by its form."""
    match = _FORM.fullmatch(presented)
    return match[1] if match else None


async def check_token(presented: str, table: TokenTable, now: datetime) -> Token | None:
    """The row of a token that is right and valid.  What the table raises passes."""
    match = _FORM.fullmatch(presented)
    if match is None:
        return None
    found = await table.find(match[1])
    same = hmac.compare_digest(_hash(match[2]), found.secret_hash if found is not None else _NOBODYS)
    return found if found is not None and same and found.valid(now) else None


def _hash(shown: str) -> bytes:
    return hashlib.sha256(shown.encode("ascii")).digest()


class DatabaseTokens:
    """TokenTable in the control database (proxy/control_schema/004_admin.sql)."""

    def __init__(self, lend: Lend) -> None:
        self._lend = lend

    async def add(self, token: Token) -> None:
        async with self._lend() as connection:
            await connection.execute(
                "INSERT INTO fieldgate.admin_tokens (token_id, secret_hash, person, roles, created_by, expires_at)"
                " VALUES ($1, $2, $3, $4, $5, $6)",
                *(token.token_id, token.secret_hash, token.person, sorted(token.roles), token.created_by),
                token.expires_at,
            )

    async def find(self, token_id: str) -> Token | None:
        async with self._lend() as connection:
            row = await connection.fetchrow("SELECT * FROM fieldgate.admin_tokens WHERE token_id = $1", token_id)
        return None if row is None else _token(row)

    async def revoke(self, token_id: str) -> bool:
        async with self._lend() as connection:
            found = await connection.fetchval(
                "UPDATE fieldgate.admin_tokens SET revoked_at = coalesce(revoked_at, pg_catalog.now())"
                " WHERE token_id = $1 RETURNING token_id",
                token_id,
            )
        return found is not None

    async def all(self) -> Sequence[Token]:
        async with self._lend() as connection:
            rows = await connection.fetch("SELECT * FROM fieldgate.admin_tokens ORDER BY created_at, token_id")
        return [_token(row) for row in rows]


def _token(row: Any) -> Token:
    return Token(
        row["token_id"],
        row["secret_hash"],
        row["person"],
        frozenset(row["roles"]),
        row["created_by"],
        row["expires_at"],
        row["created_at"],
        row["revoked_at"],
    )
