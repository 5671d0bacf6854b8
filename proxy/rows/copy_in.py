"""COPY data on its way to the server: the client's rows taken apart, sealed columns sealed, and rows of ours sent on.

A plain column's value is passed on as it is; its type is the server's business.  A row that is not well formed, or has
a value that does not fit its field, ends the data: the rows before it are sent, nothing behind it is.
"""

from __future__ import annotations

from binascii import hexlify
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Protocol

from keys.field import FieldCiphers
from keys.subjects import SubjectName
from proxy.errors import CellUnreadable, FieldgateError, SqlState, ValueRejected
from proxy.sql.plan import CopyFrom
from proxy.wire.copying.lines import LineReader
from proxy.wire.copying.options import CopyFormat, CopyHeader, bad_format, wrong_count
from proxy.wire.copying.text_fields import Column, decode, text_columns, text_splitter
from proxy.wire.framing import message
from proxy.wire.values.codec import bad_encoding, is_text
from proxy.wire.values.settings import ValueSettings

from .copy_in_binary import BinaryIn
from .copy_in_csv import csv_columns_taker, csv_row_taker
from .copy_sealing import MESSAGE, TOGETHER, Absent, CopySealing, SealAll, nobody, sealed_together

# What makes the server itself skip a row under ON_ERROR ignore, and count it: no bytea has this form.
_NO_BYTEA = b"\\\\xz"
_HEX = b"\\\\x"  # bytea in hex, in text
# Of a value, and of no other thing: what ON_ERROR ignore is for.
_SKIPPED = frozenset(
    {
        SqlState.STRING_TOO_LONG,
        SqlState.NUMERIC_OUT_OF_RANGE,
        SqlState.INVALID_DATETIME_FORMAT,
        SqlState.DATETIME_FIELD_OVERFLOW,
        SqlState.INVALID_TIME_ZONE_DISPLACEMENT,
        SqlState.INVALID_PARAMETER_VALUE,
        SqlState.INVALID_TEXT_REPRESENTATION,
        SqlState.UNTRANSLATABLE_CHARACTER,
    }
)


class CopyIn(Protocol):
    """`failure`: why the data has ended before its end; rows before that are in what was sent."""

    failure: FieldgateError | None
    wanted: set[SubjectName]

    def data(self, payload: bytes, out: list[bytes]) -> None:
        """Append to `out` the server's CopyData for the client's."""
        ...

    def end(self, out: list[bytes]) -> None:
        """The client has sent all.  May be called again."""
        ...

    def resume(self, out: list[bytes]) -> None:
        """While secrets are `wanted` rows wait; nothing is given in the meantime, and then this is called."""
        ...


def copy_in(copy: CopyFrom, ciphers: FieldCiphers, settings: ValueSettings, absent: Absent = nobody) -> CopyIn:
    """`absent`: of these data subjects those without a secret at hand.  Raises CellUnreadable where there is no key."""
    kind = BinaryIn if copy.options.format is CopyFormat.BINARY else _LinesIn
    return kind(copy, ciphers, settings, absent)


class _LinesIn(CopySealing):
    """Text and csv.  Text goes on as it came but for sealed fields; csv goes on as text."""

    def __init__(self, copy: CopyFrom, ciphers: FieldCiphers, settings: ValueSettings, absent: Absent) -> None:
        super().__init__(copy, ciphers, settings, absent)
        self._waiting: list[bytes] = []
        self._reader = LineReader(copy.options)
        csv, width = copy.options.format is CopyFormat.CSV, len(copy.columns)
        self._take = csv_row_taker(copy.options) if csv else text_splitter(copy.options.delimiter)
        self._take_all = csv_columns_taker(copy.options, width) if csv else text_columns(copy.options.delimiter, width)
        self._header = copy.options.header
        self._null, self._default, self._join = copy.upstream.null, copy.upstream.default, copy.upstream.delimiter.join
        self._width = width
        self._together = sealed_together(copy, ciphers, settings, binary=False)
        self._last: list[bytes] = []  # the beginning of a bad row, at which the server fails by itself

    def data(self, payload: bytes, out: list[bytes]) -> None:
        if self.failure is None:
            self._rows(self._reader.feed(payload), out)

    def end(self, out: list[bytes]) -> None:
        if self.failure is None and not self._ended:
            self._ended = True
            self._rows(self._reader.finish(), out)

    def resume(self, out: list[bytes]) -> None:
        rows, self._waiting = self._waiting, []
        self._rows(rows, out)

    def _keys_of(self, rows: Sequence[bytes]) -> Iterator[tuple[bytes | None, bool]]:
        """Of the rows' subjects; what is wrong with a row is found when it is sealed."""
        at = self._copy.row_key
        for row in rows if self._kind is not None and at is not None else ():
            try:
                fields = self._take(row)
                if at is not None and at < len(fields):
                    yield self._value(fields[at]), False
            except (ValueRejected, CellUnreadable):
                continue

    def _rows(self, rows: list[bytes], out: list[bytes]) -> None:
        if self._header is not CopyHeader.NONE and rows:
            self._skip_header(rows.pop(0))
        if self._must_wait(self._keys_of(rows)):
            self._waiting = rows
            return
        made: list[bytes] = []
        for start in range(0, len(rows), TOGETHER):
            if self.failure is not None:
                break
            some = rows[start : start + TOGETHER]
            made += self._all_rows(some) or self._rows_before_failure(some)
        self._done += len(made)
        _send_lines(made + self._last, out)
        self.look_for_failure(self._reader.failure)

    def _all_rows(self, rows: Sequence[bytes]) -> list[bytes]:
        """The server's rows, made column by column; empty: go row by row, one of them is not as usual."""
        if self._together is None or not rows:
            return []
        try:
            columns = self._take_all(rows)
            if columns is None:
                return []
            for index, seal in self._together:
                columns[index] = self._sealed_column(columns[index], seal)
        except (ValueRejected, CellUnreadable):
            return []
        return list(map(self._join, zip(*columns, strict=True)))

    def _sealed_column(self, fields: Column, seal: SealAll) -> Column:
        null, default = self._null, self._default
        if null in fields or default in fields:
            given = [field for field in fields if field != null and field != default]
            made = iter(self._sealed_column(given, seal))
            return [field if field in (null, default) else next(made) for field in fields]
        values = list(map(decode, fields)) if b"\\" in b"".join(fields) else fields
        return [_HEX + hexlify(cell) for cell in seal(values)]

    def _rows_before_failure(self, rows: Sequence[bytes]) -> list[bytes]:
        made: list[bytes] = []
        for row in rows:
            if (taken := self._row(row)) is None:
                break
            made.append(taken)
        return made

    def _row(self, row: bytes) -> bytes | None:
        """The server's row; None: it was a bad one, of which the server may see what stands before the bad value."""
        null, default = self._null, self._default
        fields: list[bytes] = []
        column: int | None = None
        good = 0  # fields before this one are as the server may see them
        try:
            fields = self._take(row)
            if len(fields) > self._width:
                raise wrong_count(len(fields), self._width)
            key = None
            if (column := self._copy.row_key) is not None and column < len(fields):
                key = self.row_key(self._value(fields[column]), binary=False)
            for column, seal in self._sealed:
                if column >= len(fields):
                    break
                good, value = column, fields[column]
                if value != null and value != default:
                    fields[column] = _HEX + hexlify(seal(decode(value) if b"\\" in value else value, key))
            if len(fields) < self._width:
                good, column = len(fields), None
                raise wrong_count(good, self._width)
        except (ValueRejected, CellUnreadable) as error:
            if not is_text(row):  # the server looks at a whole row for that before anything else
                self.failure, self._column = bad_encoding(), column
                return None
            if not self._copy.skips_bad_rows or error.sqlstate not in _SKIPPED:
                self._stop_at(error, column, fields[:good])
                return None
            fields += [null] * (self._width - len(fields))
            for column, _ in self._sealed:  # the server skips the row, and counts it
                fields[column] = null if fields[column] == null else _NO_BYTEA
        return self._join(fields)

    def _stop_at(self, error: FieldgateError, column: int | None, before: list[bytes]) -> None:
        """PostgreSQL reads a row from left to right: an error in a plain column before this one is what it names."""
        self.failure, self._column = error, column
        if before:
            self._last = [self._join(before)]

    def _value(self, field: bytes) -> bytes | None:
        if field == self._default:
            raise ValueRejected("the row's key may not be a default here", sqlstate=SqlState.FEATURE_NOT_SUPPORTED)
        return None if field == self._null else decode(field)

    def _skip_header(self, row: bytes) -> None:
        matched, self._header = self._header is CopyHeader.MATCH, CopyHeader.NONE
        if not matched:
            self._done += 1
            return
        try:
            fields = self._take(row)
            if len(fields) != len(self._copy.columns):
                raise bad_format(
                    f"wrong number of fields in header line: got {len(fields)}, expected {len(self._copy.columns)}"
                )
            for number, (field, column) in enumerate(zip(fields, self._copy.columns, strict=True), 1):
                if field == self._null or decode(field) != column.name.encode():
                    raise bad_format(f'column name mismatch in header line field {number}: expected "{column.name}"')
            self._done += 1
        except ValueRejected as error:
            self.failure = error


def _send_lines(rows: Sequence[bytes], out: list[bytes]) -> None:
    """In messages of many rows each."""
    ends = list(accumulate(map(len, rows)))  # of each row, in bytes
    start = sent = 0
    while start < len(rows):
        following = bisect_right(ends, sent + MESSAGE, start) + 1
        out.append(message(b"d", b"\n".join(rows[start:following]) + b"\n"))
        start, sent = following, ends[min(following, len(ends)) - 1]
