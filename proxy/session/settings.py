"""What a session's settings mean for planning and for values: reported parameters, search_path, transaction status.

search_path is known from login, from SET in the client's own text, and, from PostgreSQL 18 on, from ParameterStatus.
Where it could be either of two values it is None, and unqualified names of protected tables are refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from proxy.errors import FieldgateError, SqlState, Unsupported
from proxy.wire.values.settings import ValueSettings

from .replies import BookChange, Reply

_PATH = "search_path"


class SessionSettings:
    def __init__(self, reported: dict[str, str], search_path: tuple[str, ...] | None) -> None:
        self._reported = dict(reported)
        self._book: dict[Any, Any] = {_PATH: (search_path,)}  # a tuple around, since None is a value of its own
        self._change_sent = self._changed = False  # search_path, since the transaction began
        self._failed = False  # since the transaction began
        self._asked: tuple[str, ...] | None = None  # the path that was resolved last
        self._resolved: tuple[str, ...] | None = None
        self._values: ValueSettings | None = None
        self._blocking: FieldgateError | None = self._find_blocking()
        self.transaction = b"I"  # as of the last ReadyForQuery

    @property
    def search_path(self) -> tuple[str, ...] | None:
        """`$user` is the server's role, which it reports and which no session may change."""
        path: tuple[str, ...] | None = self._book[_PATH][0]
        if path is self._asked:
            return self._resolved
        user = self._reported.get("session_authorization")
        known = path is not None and user is not None and "$user" in path
        self._asked = path
        self._resolved = tuple(user if s == "$user" else s for s in path) if known and path and user else path
        return self._resolved

    @property
    def values(self) -> ValueSettings:
        """The settings that rule our codecs as they rule the server's."""
        if self._values is None:
            get = self._reported.get
            self._values = ValueSettings(
                date_style=get("DateStyle", "ISO, MDY"),
                time_zone=get("TimeZone", "UTC"),
                interval_style=get("IntervalStyle", "postgres"),
            )
        return self._values

    def report(self, name: str, value: str, *, path_in_flight: bool) -> None:
        """A ParameterStatus arrived.  `path_in_flight`: a later change of search_path is sent and not answered."""
        self._reported[name] = value
        self._values = None
        self._blocking = self._find_blocking()
        if name == _PATH and not path_in_flight:
            self._believe_report()

    def _believe_report(self) -> None:
        self._book[_PATH] = (parse_search_path(self._reported[_PATH]),)

    def change_path(self, path: tuple[str, ...] | None, index: int = 0) -> BookChange:
        """A statement that changes search_path is being sent; the change is undone if it is never reached."""
        change = BookChange(self._book, _PATH, self._book[_PATH], (path,), index)
        self._book[_PATH] = (path,)
        self._change_sent = True
        return change

    def transaction_control_sent(self, index: int = 0) -> BookChange | None:
        """COMMIT, ROLLBACK or a savepoint command: a path that was changed inside may be gone once it is done."""
        return self.change_path(None, index) if self._change_sent else None

    def completed(self, change: BookChange) -> None:
        """The statement that changes this has been carried out."""
        if change.book is self._book:
            self._changed = True

    def failed(self) -> None:
        """A statement failed, and with it all that ran since the transaction began, explicit or not."""
        self._failed = True

    def ready(self, status: bytes, queue: Iterable[Reply]) -> None:
        """ReadyForQuery arrived with this transaction status; `queue` is what is still to be answered.

        A server that reports search_path (18) has done so just before.  Of the others it is not known what the path is
        after a transaction that changed it and failed, or was longer than what one ReadyForQuery answers.
        """
        ended = status == b"I" and (self.transaction != b"I" or self._failed)
        self.transaction = status
        if status == b"I":
            self._failed = False
        if not self._change_sent or self.path_in_flight(queue):
            return
        if _PATH in self._reported:
            self._believe_report()
        elif ended and self._changed:
            self._book[_PATH] = (None,)
        if status == b"I":
            self._change_sent = self._changed = False

    def path_in_flight(self, queue: Iterable[Reply]) -> bool:
        """Whether a message that is still to be answered changes search_path."""
        return any(change.book is self._book for entry in queue for change in entry.changes)

    def blocking(self) -> FieldgateError | None:
        """Why nothing protected can be analysed in this session right now, if so."""
        return self._blocking

    def _find_blocking(self) -> FieldgateError | None:
        if self._reported.get("client_encoding", "UTF8").upper().replace("-", "") not in ("UTF8", "UNICODE"):
            return Unsupported(
                "protected fields can only be used with client_encoding UTF8",
                hint="SET client_encoding TO 'UTF8'.",
                sqlstate=SqlState.FEATURE_NOT_SUPPORTED,
            )
        if self._reported.get("standard_conforming_strings", "on") != "on":
            return Unsupported(
                "protected fields can only be used with standard_conforming_strings on",
                hint="SET standard_conforming_strings TO on.",
            )
        return None


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
