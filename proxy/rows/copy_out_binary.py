"""COPY's binary rows on their way to the client.  A row is laid out as in a DataRow, so the same loop walks both."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import partial

from keys.errors import CryptoError
from keys.field import FieldCiphers
from keys.subjects import SubjectName
from proxy.errors import CellUnreadable, ProtocolViolation, ValueRejected
from proxy.sql.plan import CopyTo, OutputAction
from proxy.wire.backend import parse_data_row
from proxy.wire.copying.binary_rows import HEADER, SIGNATURE, TRAILER, build_row
from proxy.wire.framing import HEADER_SIZE, Span, message
from proxy.wire.values.settings import ValueSettings

from .envelopes import may_hold_envelope, value_holds_envelope
from .results import cell_opener, cells_opener
from .row_key import row_key_bytes
from .run import OpenAll, Opener, transform, transform_all
from .subjects import subject_columns, subject_name

_Bound = Callable[[bytes, bytes | None], bytes | None]


class BinaryOut:
    """As `copy_out.CopyOut`.  The header may share its message with the first row; the trailer has its own."""

    def __init__(self, copy: CopyTo, ciphers: FieldCiphers, settings: ValueSettings) -> None:
        self._columns = len(copy.columns) + copy.hidden
        self._begun = False
        self._subjects = subject_columns(copy)
        keys = dict(copy.row_key_types)
        self._openers: list[Opener | None] = [None] * len(copy.columns)
        self._together: list[OpenAll | None] = [None] * len(copy.columns)
        self._bound: dict[int, tuple[_Bound, int, int]] = {}  # opener, the key's column and type
        for index, column in enumerate(copy.columns):
            if column.action is not OutputAction.OPEN:
                continue
            opened = cell_opener(column, ciphers, settings, binary=True)
            self._openers[index] = partial(_unbound, opened)
            self._together[index] = cells_opener(column, ciphers, settings, binary=True)
            if column.row_key_output is not None:
                self._bound[index] = (opened, column.row_key_output, keys[index])

    def messages(self, data: bytes, spans: Sequence[Span], out: list[bytes]) -> None:
        parts: list[bytes] = []
        failure: CellUnreadable | None = None
        try:
            if not self._all_rows(data, spans, parts):
                for _, start, end in spans:
                    self._message(data, start, end, parts)
        except CellUnreadable as error:
            failure = error
        except (ValueRejected, ValueError, LookupError, struct.error):
            failure = CellUnreadable("a value in this COPY does not have the form of its type")
        made = b"".join(parts)
        if may_hold_envelope(made, 0, len(made)):
            self._look(data, spans)
        out.append(made)
        if failure is not None:
            raise failure

    def _all_rows(self, data: bytes, spans: Sequence[Span], parts: list[bytes]) -> bool:
        """False: nothing was done, and it goes message by message, because one of them is not as usual."""
        if not self._begun or self._bound or not spans:
            return False
        made: list[bytes] = []
        try:
            copied = transform_all(data, spans, self._columns, self._together, made, b"d")
        except (CryptoError, CellUnreadable, ValueRejected, ValueError, LookupError, struct.error):
            return False
        parts += made
        return copied is not None

    def subjects(self, data: bytes, spans: Sequence[Span]) -> set[SubjectName]:
        found: set[SubjectName] = set()
        for _, start, end in spans if self._subjects else ():
            body = data[start + HEADER_SIZE : end].removeprefix(HEADER)
            values = parse_data_row(body) if body not in (b"", TRAILER) else ()
            for kind, at, oid in self._subjects:
                raw = values[at] if at < len(values) else None
                if raw is not None and (name := subject_name(kind, raw, oid, binary=True)) is not None:
                    found.add(name)
        return found

    def _message(self, data: bytes, start: int, end: int, parts: list[bytes]) -> None:
        body = start + HEADER_SIZE
        if not self._begun:
            if data[body : body + len(SIGNATURE)] != SIGNATURE or data[body : body + len(HEADER)] != HEADER:
                raise _malformed()
            self._begun = True
            parts.append(message(b"d", HEADER))
            body += len(HEADER)
            if body == end:
                return
        if data[body:end] == TRAILER:
            parts.append(data[start:end] if body == start + HEADER_SIZE else message(b"d", TRAILER))
        elif self._bound:
            parts.append(message(b"d", self._row_with_bound_cells(data[body:end])))
        else:
            transform(data, ((0, body - HEADER_SIZE, end),), self._columns, self._openers, parts, b"d")

    def _row_with_bound_cells(self, body: bytes) -> bytes:
        values = parse_data_row(body)
        if len(values) != self._columns:
            raise _malformed()
        opened: list[bytes | None] = list(values[: len(self._openers)])
        for index, opener in enumerate(self._openers):
            value = values[index]
            if value is None or opener is None:
                continue
            bound = self._bound.get(index)
            opened[index] = opener(value) if bound is None else _with_key(value, values, *bound)
        return build_row(opened)

    def _look(self, data: bytes, spans: Sequence[Span]) -> None:
        """Exactly, at each plain column.  Raises CellUnreadable; nothing of these rows is passed on then."""
        for _, start, end in spans:
            body = data[start + HEADER_SIZE : end].removeprefix(HEADER)
            if body in (b"", TRAILER):
                continue
            for index, value in enumerate(parse_data_row(body)):
                plain = index >= len(self._openers) or self._openers[index] is None
                if plain and value is not None and value_holds_envelope(value):
                    raise CellUnreadable("a sealed cell stands where the analysis expects none")


def _unbound(opened: _Bound, value: bytes) -> bytes:
    shown = opened(value, None)
    assert shown is not None  # noqa: S101  only bound cells can have been destroyed
    return shown


def _with_key(value: bytes, values: Sequence[bytes | None], opened: _Bound, place: int, key_type: int) -> bytes | None:
    raw = values[place]
    key = None if raw is None else row_key_bytes(raw, binary=True, type_oid=key_type, key_oid=key_type)
    return opened(value, key)


def _malformed() -> ProtocolViolation:
    return ProtocolViolation("the server sent a malformed row of a COPY")
