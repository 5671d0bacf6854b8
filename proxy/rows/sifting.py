"""Rows that the server found by search tokens: which of them are the result (`Sift` of the plan).

`sought_of` reads what one execution searches for, `Sifter` looks at its rows.  What passes is counted in `reading`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import compress

from keys.errors import CryptoError
from keys.field import FieldCiphers
from proxy.errors import CellUnreadable, ProtocolViolation, SqlState, ValueRejected
from proxy.sql.plan import Search, Sift, ValueSource
from proxy.wire.backend import FieldDescription
from proxy.wire.framing import HEADER_SIZE, Span
from proxy.wire.oids import BYTEA, INT2, INT4, INT8, UNKNOWN
from proxy.wire.values.settings import ValueSettings

from .apart import column_values
from .cells import from_text, unreadable
from .client_values import ClientValues, source_value
from .opened import RememberingCiphers
from .params import cipher_of, pattern_text
from .patterns import make_test
from .ranges import range_of

Test = Callable[[bytes], bool]
"""What a cell's opened value has to pass.  Raises ValueError for what is none of its type."""

_SIZES = {INT2: 2, INT4: 4, INT8: 8}
_LENGTH = struct.Struct("!i").unpack_from
_COUNT = struct.Struct("!H").unpack_from


@dataclass(frozen=True, slots=True)
class Sought:
    """For what one execution searches.  A test that is None passes nothing: NULL was searched for."""

    tests: tuple[Test | None, ...]
    limit: int | None
    offset: int


def sought_of(sift: Sift, client: ClientValues, settings: ValueSettings) -> Sought:
    """Raises ValueRejected."""
    tests = [_test(search, sift, client, settings) for search in sift.searches]
    limit, offset = counts_of(sift.limit, sift.offset, client)
    return Sought(tuple(tests), limit, offset)


def counts_of(
    limit_from: ValueSource | None, offset_from: ValueSource | None, client: ClientValues
) -> tuple[int | None, int]:
    """LIMIT and OFFSET.  Raises ValueRejected."""
    limit, offset = _count(limit_from, client), _count(offset_from, client)
    if offset is not None and offset < 0:
        raise ValueRejected("OFFSET must not be negative", sqlstate=SqlState.INVALID_ROW_COUNT_IN_OFFSET)
    if limit is not None and limit < 0:
        raise ValueRejected("LIMIT must not be negative", sqlstate=SqlState.INVALID_ROW_COUNT_IN_LIMIT)
    return limit, offset or 0


def _test(search: Search, sift: Sift, client: ClientValues, settings: ValueSettings) -> Test | None:
    if search.bounds:
        within = range_of(search.field, search.bounds, client, settings)
        return None if within is None else within.test()
    text = pattern_text(search.field, search.sought, client, settings)
    if text is None or search.comparing is None:
        return None
    matches = make_test(search.comparing, text, sift.lowering)
    return lambda cell: matches(cell.decode("utf-8"))


def _count(source: ValueSource | None, client: ClientValues) -> int | None:
    raw, binary, declared = source_value(source, client)
    if raw is None:
        return None
    if declared not in (*_SIZES, UNKNOWN, 0):
        raise ValueRejected("a LIMIT or OFFSET has another type than bigint", sqlstate=SqlState.DATATYPE_MISMATCH)
    try:
        if not binary:
            value = int(raw.decode("ascii").strip())
        elif len(raw) == _SIZES.get(declared, 8):
            value = int.from_bytes(raw, "big", signed=True)
        else:
            raise ValueError
    except ValueError:
        raise ValueRejected(
            "a LIMIT or OFFSET is no whole number", sqlstate=SqlState.INVALID_TEXT_REPRESENTATION
        ) from None
    most = 1 << 8 * _SIZES.get(declared, 8) - 1
    if not -most <= value < most:
        raise ValueRejected("a LIMIT or OFFSET is out of range", sqlstate=SqlState.NUMERIC_OUT_OF_RANGE)
    return value


class Sifter:
    """Raises CellUnreadable where a column that it is to open is not proven to be what the analysis expects (I2)."""

    __slots__ = ("_ciphers", "_columns", "_looks")

    def __init__(
        self, sift: Sift, sought: Sought, fields: Sequence[FieldDescription], ciphers: FieldCiphers, *, binary: bool
    ) -> None:
        """`binary`: the form in which the server sends the cells that are looked at.

        `ciphers`: those of the result, which remember what was opened here.
        """
        self._columns = len(fields)
        self._ciphers = ciphers if isinstance(ciphers, RememberingCiphers) else RememberingCiphers(ciphers)
        self._looks = [
            _Look(search, test, fields, self._ciphers, binary)
            for search, test in zip(sift.searches, sought.tests, strict=True)
        ]

    def sift(self, data: bytes, spans: Sequence[Span]) -> list[Span]:
        """Those of the DataRow messages at `spans` that are what was searched for.

        Raises CellUnreadable or ProtocolViolation.
        """
        self._ciphers.forget()
        kept = self._sift_all(data, spans)
        return [span for span in spans if self._passes(data, span)] if kept is None else kept

    def _sift_all(self, data: bytes, spans: Sequence[Span]) -> list[Span] | None:
        """Looked at together.  None: go row by row, one of them is not as usual."""
        kept = list(spans)
        for look in self._looks:
            values = column_values(data, kept, self._columns, look.column)
            passed = None if values is None else look.all_pass(values)
            if passed is None:
                return None
            kept = list(compress(kept, passed))
        return kept

    def _passes(self, data: bytes, span: Span) -> bool:
        values = _values(data, span, self._columns)
        return all(look.passes(values) for look in self._looks)


class _Look:
    __slots__ = ("_binary", "_field", "_open", "_open_all", "_test", "column")

    def __init__(
        self,
        search: Search,
        test: Test | None,
        fields: Sequence[FieldDescription],
        ciphers: RememberingCiphers,
        binary: bool,
    ) -> None:
        described = fields[search.column] if search.column < len(fields) else None
        proven = described is not None and (described.table_oid, described.attnum, described.type_oid) == (
            search.relation_oid,
            search.attnum,
            BYTEA,
        )
        if not proven:
            raise CellUnreadable(f"the origin of a column is not proven to be {search.field.name}")
        self._field, self.column, self._test, self._binary = search.field, search.column, test, binary
        cipher_of(ciphers, search.field)  # says that there is no key
        assert search.field.sealing is not None  # noqa: S101
        cipher = ciphers.cipher(search.field.sealing.field_id)
        self._open, self._open_all = cipher.look, cipher.look_at_all

    def all_pass(self, values: Sequence[bytes | None]) -> list[bool] | None:
        """Of a whole column; None: look at each."""
        test = self._test
        if test is None or None in values:
            return None
        cells = [value for value in values if value is not None]
        try:
            opened = self._open_all(cells if self._binary else [from_text(cell, self._field) for cell in cells])
            return list(map(test, opened))
        except (CellUnreadable, CryptoError, ValueError):
            return None

    def passes(self, values: Sequence[bytes | None]) -> bool:
        value = values[self.column]
        if value is None or self._test is None:
            return False
        try:
            return self._test(self._open(value if self._binary else from_text(value, self._field)))
        except (CryptoError, ValueError):  # no cell, or none of a value of the field's type
            raise unreadable(self._field) from None


def _values(data: bytes, span: Span, columns: int) -> list[bytes | None]:
    _, start, end = span
    at = start + HEADER_SIZE
    found: list[bytes | None] = []
    try:
        if _COUNT(data, at)[0] != columns:
            raise ProtocolViolation("the server sent a malformed row")
        at += 2
        for _ in range(columns):
            (size,) = _LENGTH(data, at)
            at += 4
            found.append(None if size < 0 else data[at : at + size])
            at += max(size, 0)
    except struct.error:
        raise ProtocolViolation("the server sent a malformed row") from None
    if at != end:
        raise ProtocolViolation("the server sent a malformed row")
    return found
