"""COPY data on its way to the client: each of the server's CopyData messages is one row, in the client's own format.

Plain columns are the server's own bytes.  Cells are opened and written as PostgreSQL writes values of their type.  The
second proof of a cell is the field id that it is sealed with (I2), since COPY describes no columns; and an envelope in
any other column is an error.
"""

from __future__ import annotations

import struct
from binascii import Error as NotHex
from binascii import unhexlify
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain, repeat
from struct import Struct
from typing import Protocol

from keys.field import FieldCiphers
from keys.subjects import SubjectName
from proxy.errors import CellUnreadable, ProtocolViolation, ValueRejected
from proxy.sql.plan import CopyTo, OutputAction, OutputColumn
from proxy.wire.copying.csv_fields import csv_column_encoder, csv_decoder, csv_encoder, csv_splitter
from proxy.wire.copying.options import CopyFormat, CopyHeader
from proxy.wire.copying.text_fields import (
    Column,
    EncodeAll,
    decode,
    in_columns,
    text_column_encoder,
    text_encoder,
    text_splitter,
)
from proxy.wire.framing import HEADER_SIZE, Span
from proxy.wire.values.settings import ValueSettings

from .copy_out_binary import BinaryOut
from .envelopes import may_hold_envelope, value_holds_envelope
from .results import cell_opener, cells_opener, envelope_from_text
from .row_key import row_key_bytes
from .run import OpenAll
from .subjects import subject_columns, subject_name

_HEAD = Struct("!ci")
_ESCAPED_SIGN = b"371g\\"  # of an envelope in bytea's escape form, whose backslashes text doubles
_NEWLINE = 10
_HEADS = tuple(_HEAD.pack(b"d", size + 5) for size in range(1024))  # those of nearly all rows, made once
_LONG = len(_HEADS)
_Open = Callable[[bytes, Sequence[bytes]], bytes]


class CopyOut(Protocol):
    def messages(self, data: bytes, spans: Sequence[Span], out: list[bytes]) -> None:
        """Append the client's messages for the server's CopyData at `spans`.

        Raises CellUnreadable or ProtocolViolation; the rows before that one are then in `out`.
        """
        ...

    def subjects(self, data: bytes, spans: Sequence[Span]) -> set[SubjectName]:
        """The data subjects whose secrets these rows need.  What is malformed is passed over."""
        ...


def copy_out(copy: CopyTo, ciphers: FieldCiphers, settings: ValueSettings) -> CopyOut:
    """Raises CellUnreadable where there is no key."""
    if copy.options.format is CopyFormat.BINARY:
        return BinaryOut(copy, ciphers, settings)
    return _LinesOut(copy, ciphers, settings)


class _LinesOut:
    """Text and csv."""

    def __init__(self, copy: CopyTo, ciphers: FieldCiphers, settings: ValueSettings) -> None:
        options = copy.options
        csv = options.format is CopyFormat.CSV
        self._delimiter, self._null = options.delimiter, options.null
        self._split = csv_splitter(options) if csv else text_splitter(options.delimiter)
        self._marks_split = options.quote if csv else b"\\" + options.delimiter  # what makes a split not enough
        self._decode = _csv_value(csv_decoder(options)) if csv else decode
        self._columns, self._visible = len(copy.columns) + copy.hidden, len(copy.columns)
        self._header = options.header is CopyHeader.LINE
        keys = dict(copy.row_key_types)
        self._cells: list[tuple[int, _Open]] = []
        self._together: list[tuple[int, OpenAll]] | None = []  # None: some cells need their row's key
        for index, column in enumerate(copy.columns):
            if column.action is OutputAction.OPEN:
                forced, single = index in options.force_quote, self._visible == 1
                encode = csv_encoder(options, single=single, always=forced) if csv else text_encoder(options.delimiter)
                opened = cell_opener(column, ciphers, settings, binary=False)
                self._cells.append((index, self._opener(column, opened, encode, keys.get(index, 0), csv)))
                if column.row_key_output is not None:
                    self._together = None
                elif self._together is not None:
                    encode_all = (
                        csv_column_encoder(options, single=single, always=forced)
                        if csv
                        else text_column_encoder(options.delimiter)
                    )
                    opened_all = cells_opener(column, ciphers, settings, binary=False)
                    self._together.append((index, _all_opener(opened_all, encode_all, b"\\x" if csv else b"\\\\x")))
        self._subjects = subject_columns(copy)
        sealed = {index for index, _ in self._cells}
        self._plain = [index for index in range(self._columns) if index not in sealed]
        marks = options.delimiter + (options.quote + options.escape if csv else b"")
        self._look_exactly = marks.isalnum() or any(bytes((mark,)).isalnum() for mark in marks)

    def messages(self, data: bytes, spans: Sequence[Span], out: list[bytes]) -> None:
        parts: list[bytes] = []
        failure: CellUnreadable | None = None
        try:
            if not self._all_rows(data, spans, parts):
                self._rows(data, spans, parts)
        except CellUnreadable as error:
            failure = error
        except (ValueRejected, ValueError, LookupError, struct.error):
            failure = CellUnreadable("a row of this COPY does not have the form that it was asked for in")
        made = b"".join(parts)
        if self._look_exactly or _may_hold(made):
            self._look(data, spans)
        out.append(made)
        if failure is not None:
            raise failure

    def subjects(self, data: bytes, spans: Sequence[Span]) -> set[SubjectName]:
        found: set[SubjectName] = set()
        for _, start, end in spans if self._subjects else ():
            fields = self._split(data[start + HEADER_SIZE : end].removesuffix(b"\n"))
            for kind, at, oid in self._subjects:
                if at < len(fields) and fields[at] != self._null:
                    name = subject_name(kind, self._decode(fields[at]), oid, binary=False)
                    found |= {name} if name is not None else set()
        return found

    def _all_rows(self, data: bytes, spans: Sequence[Span], parts: list[bytes]) -> bool:
        """Column by column; False: nothing was done, and it goes row by row, because one of them is not as usual."""
        if self._together is None or self._header or not self._columns:
            return False
        given = [data[start + HEADER_SIZE : end - 1] for _, start, end in spans if data[end - 1] == _NEWLINE]
        strange = self._marks_split in data
        columns = in_columns(
            map(self._split, given) if strange else [row.split(self._delimiter) for row in given], self._columns
        )
        if columns is None or len(given) != len(spans):
            return False
        try:
            for index, opened in self._together:
                columns[index] = self._opened_column(columns[index], opened)
        except (CellUnreadable, ValueRejected, ValueError, LookupError, struct.error):
            return False
        rows = list(map(self._delimiter.join, zip(*columns[: self._visible], strict=True)))
        pack = _HEAD.pack
        heads = [_HEADS[size] if size < _LONG else pack(b"d", size + 5) for size in map(len, rows)]
        parts += chain.from_iterable(zip(heads, rows, repeat(b"\n")))
        return True

    def _opened_column(self, fields: Column, opened: OpenAll) -> Column:
        null = self._null
        if null not in fields:
            return opened(fields)
        made = iter(opened([field for field in fields if field != null]))
        return [field if field == null else next(made) for field in fields]

    def _rows(self, data: bytes, spans: Sequence[Span], parts: list[bytes]) -> None:
        null, cells, columns, visible = self._null, self._cells, self._columns, self._visible
        split, join, pack = self._split, self._delimiter.join, _HEAD.pack
        for _, start, end in spans:
            if data[end - 1] != _NEWLINE:
                raise _malformed()
            fields = split(data[start + HEADER_SIZE : end - 1])
            if len(fields) != columns:
                raise _malformed()
            if self._header:
                self._header = False
            else:
                for index, opener in cells:
                    value = fields[index]
                    if value != null:
                        fields[index] = opener(value, fields)
            if visible != columns:
                del fields[visible:]
            row = join(fields)
            parts.append(pack(b"d", len(row) + 5))
            parts.append(row)
            parts.append(b"\n")

    def _opener(
        self,
        column: OutputColumn,
        opened: Callable[[bytes, bytes | None], bytes | None],
        encode: Callable[[bytes], bytes],
        key_type: int,
        csv: bool,
    ) -> _Open:
        """From a field as it stands, with the others of its row, to the client's field."""
        mark = b"\\x" if csv else b"\\\\x"
        size, full, null = len(mark), self._decode, self._null
        key = partial(self._key, column, key_type) if column.row_key_output is not None else None

        def opener(value: bytes, fields: Sequence[bytes]) -> bytes:
            try:
                envelope = unhexlify(value[size:]) if value.startswith(mark) else None
            except NotHex:
                envelope = None
            if envelope is None:
                envelope = envelope_from_text(full(value), column)
            shown = opened(envelope, key(fields) if key is not None else None)
            return null if shown is None else encode(shown)

        return opener

    def _key(self, column: OutputColumn, key_type: int, fields: Sequence[bytes]) -> bytes | None:
        assert column.row_key_output is not None  # noqa: S101  the caller looks
        value = fields[column.row_key_output]
        if value == self._null:
            return None
        return row_key_bytes(self._decode(value), binary=False, type_oid=key_type, key_oid=key_type)

    def _look(self, data: bytes, spans: Sequence[Span]) -> None:
        """Exactly, at each plain column.  Raises CellUnreadable; nothing of these rows is passed on then."""
        for _, start, end in spans:
            fields = self._split(data[start + HEADER_SIZE : end].removesuffix(b"\n"))
            for index in self._plain:
                if index < len(fields) and value_holds_envelope(self._decode(fields[index])):
                    raise CellUnreadable("a sealed cell stands where the analysis expects none")


def _all_opener(opened: OpenAll, encode_all: EncodeAll, mark: bytes) -> OpenAll:
    """From the fields of a column, as bytea in hex.  Raises ValueError for another form, and what `opened` raises."""
    size = len(mark)

    def opener(fields: Sequence[bytes]) -> Sequence[bytes]:
        if {field[:size] for field in fields} - {mark}:
            raise ValueError("another form")
        return encode_all(opened([unhexlify(field[size:]) for field in fields]))

    return opener


def _may_hold(made: bytes) -> bool:
    return _ESCAPED_SIGN in made or may_hold_envelope(made, 0, len(made))


def _csv_value(decoder: Callable[[bytes], tuple[bytes, bool]]) -> Callable[[bytes], bytes]:
    return lambda field: decoder(field)[0]


def _malformed() -> ProtocolViolation:
    return ProtocolViolation("the server sent a malformed row of a COPY")
