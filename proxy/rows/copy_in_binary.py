"""COPY's binary rows on their way to the server."""

from __future__ import annotations

from keys.field import FieldCiphers
from proxy.errors import CellUnreadable, ValueRejected
from proxy.sql.plan import CopyFrom
from proxy.wire.copying.binary_rows import HEADER, TRAILER, BinaryReader, Row, build_row
from proxy.wire.framing import message
from proxy.wire.values.settings import ValueSettings

from .copy_sealing import MESSAGE, CopySealing


class BinaryIn(CopySealing):
    """As `copy_in.CopyIn`.  What is sent has a header and a trailer of ours."""

    def __init__(self, copy: CopyFrom, ciphers: FieldCiphers, settings: ValueSettings) -> None:
        super().__init__(copy, ciphers, settings)
        self._reader = BinaryReader(len(copy.columns))
        self._parts: list[bytes] = [HEADER]
        self._size = 0

    def data(self, payload: bytes, out: list[bytes]) -> None:
        if self.failure is None:
            self._rows(self._reader.feed(payload), out)
            self._flush(out)

    def end(self, out: list[bytes]) -> None:
        if self.failure is not None:
            return
        self._rows(self._reader.finish(), out)
        if self.failure is None:
            self._parts.append(TRAILER)
        self._flush(out)

    def _rows(self, rows: list[Row], out: list[bytes]) -> None:
        for row in rows:
            taken = self._row(row)
            if taken is None:
                break
            self._done += 1
            self._parts.append(taken)
            self._size += len(taken)
            if self._size > MESSAGE:
                self._flush(out)
        self.look_for_failure(self._reader.failure)

    def _row(self, row: Row) -> bytes | None:
        column: int | None = None
        try:
            key = None
            if (column := self._copy.row_key) is not None:
                key = self.row_key(row[column], binary=True)
            for column, seal in self._sealed:
                value = row[column]
                if value is not None:
                    row[column] = seal(value, key)
        except (ValueRejected, CellUnreadable) as error:
            self.failure, self._column = error, column
            return None
        return build_row(row)

    def _flush(self, out: list[bytes]) -> None:
        if self._parts:
            out.append(message(b"d", b"".join(self._parts)))
            self._parts, self._size = [], 0
