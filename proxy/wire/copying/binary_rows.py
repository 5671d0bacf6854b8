"""COPY's binary format: signature, flags and extension, then rows of counted fields, then a trailer."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from itertools import repeat
from struct import Struct

from proxy.errors import ValueRejected

from .chunks import Chunks
from .options import LONGEST_ROW, bad_format, too_long

SIGNATURE = b"PGCOPY\n\xff\r\n\0"
HEADER = SIGNATURE + bytes(8)
TRAILER = b"\xff\xff"
_HEAD_SIZE = len(HEADER)
_COUNT = Struct("!h")
_SIZE = Struct("!i")
_WITH_OIDS = 1 << 16
_NULL = b"\xff\xff\xff\xff"

Row = list[bytes | None]


class BinaryReader:
    """Give it data, get whole rows.  `failure` as in `lines.LineReader`."""

    def __init__(self, columns: int) -> None:
        self.failure: ValueRejected | None = None
        self._columns = columns
        self._chunks = Chunks()
        self._begun = self._over = False
        self._skip = 0  # bytes of the header's extension that are still to come

    def feed(self, data: bytes) -> list[Row]:
        if self.failure is not None:
            return []
        buffer = self._chunks.add(data)
        return [] if buffer is None else self._read(buffer)

    def finish(self) -> list[Row]:
        """The trailer may be missing, or cut in two as the server takes it; half a row may not."""
        if self.failure is not None:
            return []
        rows = self._read(self._chunks.take())
        if self.failure is None:
            if not self._begun:
                self.failure = bad_format("COPY file signature not recognized")
            elif self._skip or len(self._chunks.take()) > 1:
                self.failure = bad_format("unexpected EOF in COPY data")
        return rows

    def _read(self, buffer: bytes) -> list[Row]:
        rows: list[Row] = []
        try:
            position = self._header(buffer)
            while self._begun and not self._over:
                following = self._row(buffer, position, rows)
                if following == position:
                    break
                position = following
            if self._over and position < len(buffer):
                raise bad_format("received copy data after EOF marker")
            self._chunks.keep(buffer[position:])
        except ValueRejected as error:
            self.failure = error
        return rows

    def _header(self, buffer: bytes) -> int:
        """Where the rows begin.  Raises ValueRejected."""
        position = 0
        if not self._begun:
            if not (SIGNATURE.startswith(buffer[: len(SIGNATURE)])):
                raise bad_format("COPY file signature not recognized")
            if len(buffer) < _HEAD_SIZE:
                return 0
            self._skip = _extension_size(buffer)
            self._begun, position = True, _HEAD_SIZE
        skipped = min(self._skip, len(buffer) - position)
        self._skip -= skipped
        return position + skipped

    def _row(self, buffer: bytes, start: int, rows: list[Row]) -> int:
        """Behind the row that begins at `start`; there again, if it is not whole.  Raises ValueRejected."""
        if start + 2 > len(buffer):
            return start
        (count,) = _COUNT.unpack_from(buffer, start)
        if count == -1:
            self._over = True
            return start + 2
        if count != self._columns:
            raise bad_format(f"row field count is {count}, expected {self._columns}")
        position, furthest, unpack = start + 2, start + LONGEST_ROW, _SIZE.unpack_from
        row: Row = []
        try:
            for _ in range(count):
                (length,) = unpack(buffer, position)
                position += 4
                if length >= 0:
                    follow = position + length
                    if follow > furthest:
                        raise too_long()
                    row.append(buffer[position:follow])  # cut short where the row is not whole, and dropped then
                    position = follow
                elif length == -1:
                    row.append(None)
                else:
                    raise bad_format("invalid field size")
        except struct.error:  # the next length is still to come
            return start
        if position > len(buffer):
            return start
        rows.append(row)
        return position


def _extension_size(buffer: bytes) -> int:
    (flags,) = _SIZE.unpack_from(buffer, len(SIGNATURE))
    (extension,) = _SIZE.unpack_from(buffer, len(SIGNATURE) + 4)
    if flags & _WITH_OIDS:
        raise bad_format("invalid COPY file header (WITH OIDS)")
    if flags >> 16:
        raise bad_format("unrecognized critical flags in COPY file header")
    if extension < 0:
        raise bad_format("invalid COPY file header (missing length)")
    return int(extension)


def build_row(values: Sequence[bytes | None]) -> bytes:
    parts = [_COUNT.pack(len(values))]
    for value in values:
        if value is None:
            parts.append(_NULL)
        else:
            parts += (_SIZE.pack(len(value)), value)
    return b"".join(parts)


def build_rows(columns: Sequence[Sequence[bytes | None]]) -> list[bytes]:
    """What `build_row` makes of each row of these columns, which are equally long."""
    parts: list[Iterable[bytes]] = [repeat(_COUNT.pack(len(columns)))]
    for column in columns:
        given = [value for value in column if value is not None]
        if len(given) == len(column):
            parts += (map(_SIZE.pack, map(len, given)), given)
        else:
            parts += ([_NULL if value is None else _SIZE.pack(len(value)) + value for value in column],)
    return list(map(b"".join, zip(*parts, strict=False)))
