"""What a session's settings mean for planning and for values: reported parameters, search_path, transaction status.

search_path is known from login, from SET in the client's own text, and, from PostgreSQL 18 on, from ParameterStatus.
Where it could be either of two values it is None, and unqualified names of protected tables are refused.
"""

from __future__ import annotations

from typing import Any

from proxy.errors import FieldgateError, SqlState, Unsupported
from proxy.wire.values.settings import ValueSettings

from .replies import BookChange

_PATH = "search_path"


class SessionSettings:
    def __init__(self, reported: dict[str, str], search_path: tuple[str, ...] | None) -> None:
        self._reported = dict(reported)
        self._book: dict[Any, Any] = {_PATH: (search_path,)}  # a tuple around, since None is a value of its own
        self._changed_in_transaction = False
        self._values: ValueSettings | None = None
        self._blocking: FieldgateError | None = self._find_blocking()
        self.transaction = b"I"  # as of the last ReadyForQuery

    @property
    def search_path(self) -> tuple[str, ...] | None:
        path: tuple[str, ...] | None = self._book[_PATH][0]
        return path

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
            self._book[_PATH] = (parse_search_path(value),)

    @property
    def path_book(self) -> dict[Any, Any]:
        return self._book

    def change_path(self, path: tuple[str, ...] | None) -> BookChange:
        """A statement that changes search_path is being sent; the change is undone if it is never reached."""
        change = BookChange(self._book, _PATH, self._book[_PATH], (path,))
        self._book[_PATH] = (path,)
        self._changed_in_transaction = True
        return change

    def transaction_control_sent(self) -> BookChange | None:
        """COMMIT, ROLLBACK or a savepoint command: a path that was changed inside may be gone once it is done."""
        return self.change_path(None) if self._changed_in_transaction else None

    def ready(self, status: bytes) -> None:
        """ReadyForQuery arrived with this transaction status.

        Servers before 18 do not report search_path, so a transaction that changed it leaves it unknown.
        """
        transaction_ended = self.transaction != b"I" and status == b"I"
        if transaction_ended and self._changed_in_transaction and _PATH not in self._reported:
            self._book[_PATH] = (None,)
        if status == b"I":
            self._changed_in_transaction = False
        self.transaction = status

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
