"""A record as the session makes them."""

from __future__ import annotations


def record(number: int = 0, **changed: object) -> dict[str, object]:
    made: dict[str, object] = {
        "at": "2026-11-22T05:31:00.123456+00:00",
        "id": f"{number:016x}",
        "person": "support",
        "login": "support",
        "subject": None,
        "roles": ["support"],
        "controller": "shop",
        "purpose": "identification",
        "case": None,
        "decision": "allow",
        "error": None,
        "fields": {"public.customers.email": ["read", "filter_eq"], "public.customers.id": ["read"]},
        "rules": ["policy.csv:22 allow D19|D27"],
        "kind": "select",
        "parts": {"public.orders": {"rows": 5, "by": ["status"]}},
        "fingerprint": "0123456789abcdef",
        "statement": None,
        "reason": None,
        "revision": "32f501dfba5e827d7ede1e52f9f26ff1dff62c5a78fcd66bfdf06141f135ce36",
        "session": "w0-17",
    }
    made.update(changed)
    return made
