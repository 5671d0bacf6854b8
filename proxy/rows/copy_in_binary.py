"""COPY's binary rows on their way to the server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from keys.field import FieldCiphers
from proxy.errors import CellUnreadable, ValueRejected
from proxy.sql.plan import CopyFrom
from proxy.wire.copying.binary_rows import HEADER, TRAILER, BinaryReader, Row, build_row, build_rows
from proxy.wire.framing import message
from proxy.wire.values.settings import ValueSettings

from .copy_sealing import MESSAGE, TOGETHER, Absent, CopySealing, SealAll, sealed_together


class BinaryIn(CopySealing):
    """As `copy_in.CopyIn`.  What is sent has a header and a trailer of ours."""

    def __init__(self, copy: CopyFrom, ciphers: FieldCiphers, settings: ValueSettings, absent: Absent) -> None:
        super().__init__(copy, ciphers, settings, absent)
        self._waiting: list[Row] = []
        self._reader = BinaryReader(len(copy.columns))
        self._together = sealed_together(copy, ciphers, settings, binary=True)
        self._parts: list[bytes] = [HEADER]
        self._size = 0
        self._closed = False  # the trailer has been sent

    def data(self, payload: bytes, out: list[bytes]) -> None:
        if self.failure is None:
            self._rows(self._reader.feed(payload), out)
            self._flush(out)

    def end(self, out: list[bytes]) -> None:
        if self.failure is not None:
            return
        if not self._ended:
            self._ended = True
            self._rows(self._reader.finish(), out)
        if self.failure is None and not self.wanted and not self._closed:
            self._closed = True
            self._parts.append(TRAILER)
        self._flush(out)

    def resume(self, out: list[bytes]) -> None:
        rows, self._waiting = self._waiting, []
        self._rows(rows, out)
        self._flush(out)

    def _rows(self, rows: list[Row], out: list[bytes]) -> None:
        at = self._copy.row_key
        if at is not None and self._must_wait((row[at], True) for row in rows):
            self._waiting = rows
            return
        for start in range(0, len(rows), TOGETHER):
            if self.failure is not None:
                break
            some = rows[start : start + TOGETHER]
            for made in self._all_rows(some) or self._rows_before_failure(some):
                self._done += 1
                self._parts.append(made)
                self._size += len(made)
                if self._size > MESSAGE:
                    self._flush(out)
        self.look_for_failure(self._reader.failure)

    def _all_rows(self, rows: list[Row]) -> list[bytes]:
        """The server's rows, made column by column; empty: go row by row, one of them is not as usual."""
        if self._together is None or not rows or not rows[0]:
            return []
        columns: list[Sequence[bytes | None]] = list(zip(*rows, strict=True))
        try:
            for index, seal in self._together:
                columns[index] = _sealed_column(columns[index], seal)
        except (ValueRejected, CellUnreadable):
            return []
        return build_rows(columns)

    def _rows_before_failure(self, rows: list[Row]) -> Iterator[bytes]:
        for row in rows:
            if (taken := self._row(row)) is None:
                break
            yield taken

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


def _sealed_column(values: Sequence[bytes | None], seal: SealAll) -> Sequence[bytes | None]:
    given = [value for value in values if value is not None]
    if len(given) == len(values):
        return seal(given)
    made = iter(seal(given))
    return [None if value is None else next(made) for value in values]
