"""What one client knows to be true: what was acknowledged, and nothing else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Journal:
    """Of rows that nobody else writes.  Orders and events are told apart by marks in columns that are not sealed."""

    people: dict[str, str] = field(default_factory=dict)  # e-mail -> telephone
    orders: dict[str, frozenset[str]] = field(default_factory=dict)  # address -> marks
    events: dict[str, frozenset[str]] = field(default_factory=dict)

    def copy(self) -> Journal:
        return Journal(dict(self.people), dict(self.orders), dict(self.events))

    def with_phone(self, phone: str) -> list[str]:
        return sorted(email for email, own in self.people.items() if own == phone)

    def joined(self, address: str) -> list[tuple[str, str]]:
        orders, events = self.orders.get(address, ()), self.events.get(address, ())
        return sorted((order, event) for order in orders for event in events)

    def note(self, marks: dict[str, frozenset[str]], address: str, mark: str) -> None:
        marks[address] = marks.get(address, frozenset()) | {mark}

    def difference(self, found: Journal) -> str:
        """Of what was acknowledged and what was found, by names alone that mean nothing outside of this run."""
        told = []
        for name in ("people", "orders", "events"):
            mine, theirs = getattr(self, name), getattr(found, name)
            told += [
                f"{name} {key}: {mine.get(key)} was acknowledged, {theirs.get(key)} was found"
                for key in sorted({*mine, *theirs})
                if mine.get(key) != theirs.get(key)
            ]
        return "; ".join(told)


def marks_of(rows: list[tuple[str, str]]) -> Mapping[str, frozenset[str]]:
    """(address, mark) -> marks by address."""
    found = defaultdict[str, set[str]](set)
    for address, mark in rows:
        found[address].add(mark)
    return {address: frozenset(marks) for address, marks in found.items()}
