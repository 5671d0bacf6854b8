"""Which statements of an application need attention, and why: the audit file read and added up, nothing else is stored.

Contract: memory is bounded by the number of different entries, which is capped; what does not fit is counted.  Records
hold no values, so neither does this.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .events import AuditRecordInvalid, decode, is_about_keys

MOST_ENTRIES = 10_000
_MOST_NAMES = 20  # logins of one entry
_ALLOWED = b'"decision":"allow"'

_Key = tuple[str, str, str | None, tuple[str, ...], str]


@dataclass(slots=True)
class Entry:
    """One statement of one role set, and one reason."""

    decision: str  # deny, observe
    fingerprint: str
    sqlstate: str | None  # None: it would be answered, with fewer rows or with NULLs
    roles: tuple[str, ...]
    purpose: str
    kind: str
    statement: str | None
    reason: str | None
    first: str
    last: str
    count: int = 0
    fields: dict[str, list[str]] = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)

    def add(self, record: dict[str, Any]) -> None:
        self.count += 1
        self.first, self.last = min(self.first, record["at"]), max(self.last, record["at"])
        if record["login"] not in self.logins and len(self.logins) < _MOST_NAMES:
            self.logins.append(record["login"])


@dataclass(slots=True)
class Attention:
    entries: dict[_Key, Entry] = field(default_factory=dict)
    allowed: int = 0
    unreadable: int = 0
    left_out: int = 0  # records of entries beyond the cap

    def read(self, lines: Iterable[bytes], since: str = "") -> None:
        """`since`: a time as records have it; older ones do not count."""
        for line in lines:
            if _ALLOWED in line:
                self.allowed += 1
                continue
            try:
                record = decode(line)
            except AuditRecordInvalid:
                self.unreadable += 1
                continue
            if not is_about_keys(record) and str(record["at"]) >= since:
                self._add(record)

    def _add(self, record: dict[str, Any]) -> None:
        roles = tuple(record["roles"])
        key = (record["decision"], record["fingerprint"], record["error"], roles, record["purpose"])
        entry = self.entries.get(key)
        if entry is None:
            if len(self.entries) >= MOST_ENTRIES:
                self.left_out += 1
                return
            entry = self.entries[key] = _entry(record, roles)
        entry.add(record)

    def ordered(self) -> Iterator[Entry]:
        """Observed before denied, frequent before rare."""
        return iter(sorted(self.entries.values(), key=lambda e: (e.decision != "observe", -e.count, e.fingerprint)))


def _entry(record: dict[str, Any], roles: tuple[str, ...]) -> Entry:
    return Entry(
        record["decision"],
        record["fingerprint"],
        record["error"],
        roles,
        record["purpose"],
        record["kind"],
        record["statement"],
        record["reason"],
        record["at"],
        record["at"],
        fields=record["fields"],
        rules=list(record["rules"]),
    )
