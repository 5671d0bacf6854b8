"""Audit records of work over keys and of administration: who asked for, approved, steered or finished what.

They stand in the same file as decisions over data and have the same opening; the key `event` tells them apart.  As
there, the form is closed and leaves no place for a value: names, key ids, states, codes of problems.  `subject` is a
data subject's pseudonym.  A reason is a sentence of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from secrets import token_hex

from .events import Line, encode


class KeyEvent(StrEnum):
    READ = "read"
    REQUESTED = "operation-requested"
    APPROVED = "operation-approved"
    PAUSED = "operation-paused"
    RESUMED = "operation-resumed"
    CANCELLED = "operation-cancelled"
    RETRIED = "operation-retried"
    STARTED = "operation-started"
    FINISHED = "operation-finished"
    KEY_STATE = "key-state-changed"
    KEYS_EXPORTED = "keys-exported"
    KEYS_IMPORTED = "keys-imported"
    TOKEN_CREATED = "token-created"
    TOKEN_REVOKED = "token-revoked"
    LOGIN_REFUSED = "admin-login-refused"


class Outcome(StrEnum):
    ASKED = "asked"  # written before it is done: what follows is done, refused or failed, or a crash
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Author:
    """Who acts.  `via` says how they were known: `token:<id>`, `certificate`, `oidc`, `runner`, `shell:<login>`."""

    person: str
    via: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What a record says beside its time and id.  `state` is what a key or an operation has become."""

    event: KeyEvent
    author: Author
    outcome: Outcome = Outcome.DONE
    operation: str | None = None
    kind: str | None = None
    database: str | None = None
    field: str | None = None
    keys: tuple[str, ...] = ()
    subject: str | None = None
    state: str | None = None
    error: str | None = None
    reason: str | None = None

    def line(self, at: datetime | None = None) -> Line:
        """Raises AuditRecordInvalid."""
        return encode(self.written((at or datetime.now(UTC)).isoformat(), token_hex(16)))

    def written(self, at: str, identity: str) -> Mapping[str, object]:
        return {
            "at": at,
            "id": identity,
            "event": self.event.value,
            "person": self.author.person,
            "via": self.author.via,
            "roles": list(self.author.roles),
            "outcome": self.outcome.value,
            "operation": self.operation,
            "kind": self.kind,
            "database": self.database,
            "field": self.field,
            "keys": list(self.keys),
            "subject": self.subject,
            "state": self.state,
            "error": self.error,
            "reason": self.reason,
        }
