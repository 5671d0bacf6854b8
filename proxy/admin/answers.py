"""What was answered to a request, by its person and idempotency key, so that sending it again does nothing twice.

A key is claimed durably before anything is done; its answer is kept for thirty days.  A refusal is no answer: its claim
is given up, and the request may be sent again with its key.  A claim without an answer (the process died, the answer
could not be kept, or it is being worked on) says that nobody knows what became of the request.
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
    status: int
    body: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a key that was claimed before: `digest` is of the request that came with it."""

    digest: bytes
    answer: Answer | None  # None: nobody knows it


class Answers(Protocol):
    async def claim(self, person: str, key: str, digest: bytes) -> Known | None:
        """None: it is ours from here on, and was nobody's before."""
        ...

    async def keep(self, person: str, key: str, answer: Answer) -> None:
        """The first one stays."""
        ...

    async def give_up(self, person: str, key: str) -> None:
        """Nothing was done: the key is as if it had never been sent.  An answer that is there stays."""
        ...


class DatabaseAnswers:
    """Answers in the control database (proxy/control_schema/004_admin.sql)."""

    def __init__(self, lend: Lend) -> None:
        self._lend = lend

    async def claim(self, person: str, key: str, digest: bytes) -> Known | None:
        async with self._lend() as connection:
            while True:
                if await connection.fetchval(_CLAIM, person, key, digest):
                    return None
                row = await connection.fetchrow(_KNOWN, person, key)
                if row is not None:  # else it was given up in this moment
                    answer = None if row["status"] is None else Answer(row["status"], row["body"])
                    return Known(row["request_digest"], answer)

    async def keep(self, person: str, key: str, answer: Answer) -> None:
        async with self._lend() as connection:
            await connection.execute(_KEEP, person, key, answer.status, answer.body)
            await connection.execute(_FORGET, _KEPT)

    async def give_up(self, person: str, key: str) -> None:
        async with self._lend() as connection:
            await connection.execute(_GIVE_UP, person, key)


_CLAIM = """
INSERT INTO fieldgate.admin_answers (person, idempotency_key, request_digest) VALUES ($1, $2, $3)
ON CONFLICT (person, idempotency_key) DO NOTHING RETURNING true
"""
_KNOWN = """
SELECT request_digest, status, body FROM fieldgate.admin_answers WHERE person = $1 AND idempotency_key = $2
"""
_KEEP = """
UPDATE fieldgate.admin_answers SET status = $3, body = $4 WHERE person = $1 AND idempotency_key = $2 AND status IS NULL
"""
_GIVE_UP = "DELETE FROM fieldgate.admin_answers WHERE person = $1 AND idempotency_key = $2 AND status IS NULL"
_FORGET = "DELETE FROM fieldgate.admin_answers WHERE created_at < pg_catalog.now() - $1::text::interval"
