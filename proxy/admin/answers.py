"""What was answered to a request, by its person and idempotency key, so that sending it again does nothing twice.

Only what was done is kept, for thirty days; a refusal is no answer, and the request may be sent again with its key.
Bodies hold names, counts and dates.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

_KEPT = "30 days"

Lend = Callable[[], AbstractAsyncContextManager[Any]]


@dataclass(frozen=True, slots=True)
class Answer:
    digest: bytes  # of the request
    status: int
    body: str


class Answers(Protocol):
    async def find(self, person: str, key: str) -> Answer | None: ...
    async def keep(self, person: str, key: str, answer: Answer) -> None:
        """The first one stays."""
        ...


class DatabaseAnswers:
    """Answers in the control database (proxy/control_schema/004_admin.sql)."""

    def __init__(self, lend: Lend) -> None:
        self._lend = lend

    async def find(self, person: str, key: str) -> Answer | None:
        async with self._lend() as connection:
            row = await connection.fetchrow(
                "SELECT request_digest, status, body FROM fieldgate.admin_answers"
                " WHERE person = $1 AND idempotency_key = $2",
                *(person, key),
            )
        return None if row is None else Answer(row["request_digest"], row["status"], row["body"])

    async def keep(self, person: str, key: str, answer: Answer) -> None:
        async with self._lend() as connection:
            await connection.execute(
                "INSERT INTO fieldgate.admin_answers (person, idempotency_key, request_digest, status, body)"
                " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (person, idempotency_key) DO NOTHING",
                *(person, key, answer.digest, answer.status, answer.body),
            )
            await connection.execute(
                "DELETE FROM fieldgate.admin_answers WHERE created_at < pg_catalog.now() - $1::text::interval", _KEPT
            )
