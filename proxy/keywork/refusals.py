"""Why work over keys is refused: a closed list of codes, each with a sentence for people.  Pure.

The admin port makes them problem types (docs/admin.md), the audit record their `error`.
"""

from __future__ import annotations

from enum import StrEnum

from proxy.errors import FieldgateError, SqlState


class Code(StrEnum):
    FORBIDDEN = "forbidden"
    UNKNOWN_KEY = "unknown-key"
    UNKNOWN_FIELD = "unknown-field"
    UNKNOWN_OPERATION = "unknown-operation"
    WRONG_KEY_STATE = "wrong-key-state"
    WRONG_OPERATION_STATE = "wrong-operation-state"
    SAME_PERSON = "same-person"
    BUSY = "busy"
    IDEMPOTENCY_KEY_REUSED = "idempotency-key-reused"
    EXPORT_INVALID = "export-invalid"
    STORE_NOT_EMPTY = "store-not-empty"
    AUDIT_UNAVAILABLE = "audit-unavailable"
    PROVIDER_UNAVAILABLE = "provider-unavailable"
    STORE_UNAVAILABLE = "store-unavailable"


class Refusal(FieldgateError):
    """The message says what was refused and what to do instead; it holds names only."""

    sqlstate = SqlState.INSUFFICIENT_PRIVILEGE

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
