"""What is read out of audit files: counted by statement and reason, within bounds."""

from __future__ import annotations

import pytest

from policies.audit import attention
from policies.audit.attention import Attention
from policies.audit.events import encode

from .records import record


def denied(number: int = 0, **changed: object) -> bytes:
    return encode(record(number, **{"decision": "deny", "error": "42501", **changed}))


def test_entries_are_counted_with_their_times_and_logins() -> None:
    found = Attention()
    found.read(
        [
            denied(1, at="2026-11-22T05:00:02Z", login="b"),
            denied(2, at="2026-11-22T05:00:01Z", login="a"),
            denied(3, fingerprint="ff"),
            denied(4, decision="observe", fingerprint="ee", statement="select _", reason="why"),
            denied(5, error="0A000"),
            encode(record(6)),
        ]
    )
    observed, *others = found.ordered()
    assert (observed.decision, observed.statement, observed.reason) == ("observe", "select _", "why")
    assert (others[0].count, others[0].first, others[0].last, others[0].logins) == (
        2, "2026-11-22T05:00:01Z", "2026-11-22T05:00:02Z", ["b", "a"],
    )  # fmt: skip
    assert len(others) == 3
    assert found.allowed == 1


def test_older_records_do_not_count() -> None:
    found = Attention()
    found.read([denied(1, at="2026-11-22T05:00:02Z"), denied(2, at="2026-11-22T07:00:02Z")], "2026-11-22T06")
    assert [entry.count for entry in found.ordered()] == [1]


def test_what_is_no_record_is_counted_and_skipped() -> None:
    found = Attention()
    found.read([b"not json\n", b'{"decision":"deny"}\n', b"\n", denied()])
    assert found.unreadable == 3
    assert len(found.entries) == 1


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "MOST_ENTRIES", 3)
    found = Attention()
    found.read(denied(number, fingerprint=f"{number:016x}") for number in range(5))
    found.read([denied(9, fingerprint=f"{0:016x}")])
    assert (len(found.entries), found.left_out) == (3, 2)
    found.read(denied(n, login=f"l{n}", fingerprint=f"{0:016x}") for n in range(50))
    assert len(next(found.ordered()).logins) == 20
