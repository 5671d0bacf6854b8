"""Plans that leave the text as it is."""

from __future__ import annotations

from .plan import StatementKind, StatementPlan


def forwarded(kind: StatementKind, source: bytes, *, returns_rows: bool = False) -> StatementPlan:
    return StatementPlan(kind, (source,), returns_rows=returns_rows)
