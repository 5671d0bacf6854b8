"""Records of work over keys: one closed form beside the decisions', in the same file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from policies.audit.attention import Attention
from policies.audit.events import OPENING, AuditRecordInvalid, check, decode
from policies.audit.key_events import Author, KeyEvent, KeyRecord, Outcome

WHOLE = KeyRecord(
    KeyEvent.REQUESTED,
    Author("olga", "token:0a1b2c3d4e5f6071", ("key-admin",)),
    Outcome.DONE,
    operation="5f0c7c2e-6e9b-4d5f-9a58-3c9a7c7b1a11",
    kind="rotate-data-key",
    database="shop",
    field="public.customers.email",
    keys=("00112233aabbccdd",),
    state="queued",
)
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_record_is_one_line_that_reads_back() -> None:
    line = WHOLE.line(AT)
    assert line.startswith(OPENING) and line.endswith(b"\n") and line.count(b"\n") == 1
    record = decode(line)
    assert (record["event"], record["person"], record["via"]) == (
        "operation-requested",
        "olga",
        "token:0a1b2c3d4e5f6071",
    )
    assert record["keys"] == ["00112233aabbccdd"] and record["at"] == "2026-01-02T03:04:05+00:00"


@pytest.mark.parametrize("event", KeyEvent)
@pytest.mark.parametrize("outcome", Outcome)
def test_every_event_has_a_record(event: KeyEvent, outcome: Outcome) -> None:
    decode(KeyRecord(event, Author("olga", "certificate"), outcome, error="busy", reason="it is in use").line())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("event", "Something Else"),
        ("person", ""),
        ("via", "token abc"),
        ("operation", "1"),
        ("kind", "rotate 'Ivanov'"),
        ("keys", ["00112233aabbccdd00"]),
        ("keys", "00112233aabbccdd"),
        ("state", "queued; 'x'"),
        ("error", "Value 17"),
        ("reason", "it said 'Ivanov'"),
        ("roles", "key-admin"),
        ("subject", 17),
    ],
)
def test_nothing_of_another_form_is_written(key: str, value: Any) -> None:
    with pytest.raises(AuditRecordInvalid, match=key):
        check({**WHOLE.written(AT.isoformat(), "0" * 32), key: value})


def test_no_key_may_be_missing_or_added() -> None:
    written = dict(WHOLE.written(AT.isoformat(), "0" * 32))
    with pytest.raises(AuditRecordInvalid):
        check({**written, "note": "x"})
    del written["state"]
    with pytest.raises(AuditRecordInvalid, match="state"):
        check(written)


def test_the_attention_report_counts_decisions_only() -> None:
    report = Attention()
    report.read([WHOLE.line(AT)])
    assert (report.entries, report.unreadable, report.allowed) == ({}, 0, 0)
