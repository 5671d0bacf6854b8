"""What search_path is, as far as it is certain; None: it could be either of two values (I5).

It is known from login, from SET in the client's own text, and, from PostgreSQL 18 on, from ParameterStatus, which comes
just before ReadyForQuery.  Other servers say nothing, but their command tags tell how a transaction ended: COMMIT keeps
the path that a plain SET made in it, ROLLBACK returns to the one that was when it began.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .replies import BookChange, Reply

Path = tuple[str, ...] | None
Entry = tuple[Path]  # a tuple around, since None is a value of its own
_PATH = "search_path"
_UNKNOWN: Entry = (None,)


@dataclass(slots=True, eq=False)
class _End(BookChange):
    """COMMIT or ROLLBACK of a transaction that has changed the path; its tag will say what of that stays."""


class SearchPath:
    """The path as it will be when the server has answered everything; each message that changes it can be undone."""

    def __init__(self, path: Path) -> None:
        self._book: dict[Any, Any] = {_PATH: (path,)}
        self._base: Entry = (path,)  # when the transaction began
        self._sent = False  # a change, since the transaction began
        self._carried_out = False  # ... and the server has done one
        self._in_block = False  # at the last ReadyForQuery, and not ended since
        self.open_since = 0  # the newest entry that changes it and is not followed by a ReadyForQuery yet; 0: none

    @property
    def is_changing(self) -> bool:
        """A change was sent, and the transaction that it belongs to is not over."""
        return self._sent

    @property
    def value(self) -> Path:
        entry: Entry = self._book[_PATH]
        return entry[0]

    def change(self, path: Path, index: int, number: int) -> BookChange:
        """A statement that changes it is being sent, in the entry of this number; it is undone if never reached."""
        return self._enter(BookChange(self._book, _PATH, self._book[_PATH], (path,), index), number)

    def transaction_ends(self, index: int, number: int) -> BookChange | None:
        """COMMIT or ROLLBACK is being sent."""
        if not self._sent:
            return None
        return self._enter(_End(self._book, _PATH, self._book[_PATH], _UNKNOWN, index), number)

    def returns_to_savepoint(self, index: int, number: int) -> BookChange | None:
        return self.change(None, index, number) if self._sent else None

    def _enter(self, change: BookChange, number: int) -> BookChange:
        self.open_since = number
        self._book[_PATH] = change.new
        self._sent = True
        return change

    def completed(self, change: BookChange, tag: bytes, later: Iterable[BookChange]) -> None:
        """The statement that changes this has been carried out; `later` are the changes still to be answered."""
        if change.book is not self._book:
            return
        if not isinstance(change, _End):
            self._carried_out = True
            return
        after = self._after(change, tag)
        self._put(after, self._first(later))
        self._base = after
        self._carried_out = self._in_block = False

    def _after(self, end: BookChange, tag: bytes) -> Entry:
        """What a plain SET made stays with COMMIT; SET LOCAL and a return to a savepoint have made it unknown before.

        ROLLBACK takes back what a block did; outside of one, what went before it may have been committed by itself.
        """
        if tag == b"COMMIT":
            before: Entry = end.old  # type: ignore[assignment]
            return before
        return self._base if tag == b"ROLLBACK" and self._in_block else _UNKNOWN

    def reported(self, path: Path, behind: Iterable[Reply]) -> None:
        """The server says so; `behind`: what is not answered yet."""
        if not self.in_flight(behind):
            self._book[_PATH] = (path,)

    def ready(self, number: int, status: bytes, *, failed: bool, told: Entry | None, behind: Iterable[Reply]) -> None:
        """ReadyForQuery.  `failed`: a statement has, since the transaction began; `told`: what the server reports."""
        if number >= self.open_since:
            self.open_since = 0
        ended = status == b"I" and (self._in_block or failed)
        self._in_block = status != b"I"
        first = self._first(change for entry in behind for change in entry.changes) if self._sent else None
        if told is not None:
            self._put(told, first)
        elif ended and self._carried_out:
            self._put(_UNKNOWN, first)
        if status == b"I":
            self._base = self._book[_PATH] if first is None else first.old  # type: ignore[assignment]
            self._carried_out = False
            self._sent = first is not None

    def _first(self, later: Iterable[BookChange]) -> BookChange | None:
        return next((change for change in later if change.book is self._book), None)

    def _put(self, now: Entry, first: BookChange | None) -> None:
        """What it is after all that was answered; `first` is the oldest change on top of that."""
        if first is None:
            self._book[_PATH] = now
        else:
            first.old = now

    def in_flight(self, behind: Iterable[Reply]) -> bool:
        return self._first(change for entry in behind for change in entry.changes) is not None


def parse_search_path(value: str) -> tuple[str, ...] | None:
    """The schemas of a search_path setting as the server prints it; None when it is not understood."""
    path: list[str] = []
    rest = value.strip()
    while rest:
        if rest.startswith('"'):
            end = 1
            while True:
                end = rest.find('"', end)
                if end < 0:
                    return None
                if rest[end : end + 2] != '""':
                    break
                end += 2
            path.append(rest[1:end].replace('""', '"'))
            rest = rest[end + 1 :].lstrip()
        else:
            name, comma, tail = rest.partition(",")
            path.append(name.strip().lower())
            rest = comma + tail
        if rest and not rest.startswith(","):
            return None
        rest = rest[1:].lstrip()
    return tuple(path)
