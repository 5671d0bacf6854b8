"""What a session's settings mean for planning and for values: reported parameters, search_path, transaction status."""

from __future__ import annotations

from collections.abc import Iterable

from proxy.errors import FieldgateError, SqlState, Unsupported
from proxy.wire.values.settings import ValueSettings

from .replies import Reply
from .search_path import SearchPath, parse_search_path

_PATH = "search_path"


class SessionSettings:
    def __init__(self, reported: dict[str, str], search_path: tuple[str, ...] | None) -> None:
        self._reported = dict(reported)
        self.path = SearchPath(search_path)
        self._failed = False  # since the transaction began
        self._asked: tuple[str, ...] | None = None  # the path that was resolved last
        self._resolved: tuple[str, ...] | None = None
        self._values: ValueSettings | None = None
        self._blocking: FieldgateError | None = self._find_blocking()
        self.transaction = b"I"  # as of the last ReadyForQuery

    @property
    def search_path(self) -> tuple[str, ...] | None:
        """`$user` is the server's role, which it reports and which no session may change."""
        path = self.path.value
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

    def report(self, name: str, value: str, behind: Iterable[Reply]) -> None:
        """A ParameterStatus arrived; `behind` is what is still to be answered."""
        self._reported[name] = value
        self._values = None
        self._blocking = self._find_blocking()
        if name == _PATH:
            self.path.reported(parse_search_path(value), behind)

    def failed(self) -> None:
        """A statement failed, and with it all that ran since the transaction began, explicit or not."""
        self._failed = True

    def ready(self, number: int, status: bytes, behind: Iterable[Reply]) -> None:
        """ReadyForQuery of the entry of this number arrived; `behind` is what is still to be answered."""
        self.transaction = status
        told = (
            (parse_search_path(self._reported[_PATH]),) if self.path.is_changing and _PATH in self._reported else None
        )
        self.path.ready(number, status, failed=self._failed, told=told, behind=behind)
        if status == b"I":
            self._failed = False

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
