"""All rows folded into one: min, max and counts of opened values.

Of min and max the row is made of the very cells that were found, so that it is opened and shown like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keys.field import FieldCiphers
from proxy.errors import CellUnreadable, ProtocolViolation, SqlState
from proxy.sql.arrangement import Arrangement, Fold, FoldKind
from proxy.wire.backend import FieldDescription, build_data_row, parse_data_row
from proxy.wire.framing import HEADER_SIZE, Span
from proxy.wire.values.settings import ValueSettings

from .arranging import Arranger, Counts, FinishBounds, comparable, identity, too_many
from .computing import Computed, Given, Row


def arranger_of(
    arrangement: Arrangement,
    counts: Counts,
    fields: Sequence[FieldDescription],
    server_formats: Sequence[int] | None,
    ciphers: FieldCiphers,
    settings: ValueSettings,
    given: Given,
    bounds: FinishBounds,
    *,
    most: int = 0,
) -> Arranger | Folder:
    """What one execution's rows are given to.  Raises CellUnreadable."""
    if arrangement.folds:
        return Folder(arrangement, fields, server_formats, ciphers, settings, given, bounds, most=most)
    return Arranger(arrangement, counts, fields, server_formats, ciphers, settings, given, bounds, most=most)


class Folder:
    """Of one execution, as an Arranger.  Raises CellUnreadable where the origin of a column is not proven (I2)."""

    __slots__ = ("_columns", "_folds", "_formats", "_most", "passed")

    def __init__(
        self,
        arrangement: Arrangement,
        fields: Sequence[FieldDescription],
        server_formats: Sequence[int] | None,
        ciphers: FieldCiphers,
        settings: ValueSettings,
        given: Given,
        bounds: FinishBounds,
        *,
        most: int = 0,
    ) -> None:
        self._columns, self._formats, self._most, self.passed = len(fields), server_formats, most, 0
        self._folds = [
            _Folded(fold, fields, server_formats, ciphers, settings, given, bounds) for fold in arrangement.folds
        ]

    @property
    def suspended(self) -> bool:
        return 0 < self._most == self.passed

    def take(self, data: bytes, spans: Sequence[Span]) -> None:
        """Raises CellUnreadable or ProtocolViolation."""
        for _, start, end in spans:
            row = parse_data_row(data[start + HEADER_SIZE : end])
            if len(row) != self._columns:
                raise ProtocolViolation("the server sent a malformed row")
            for column, folded in enumerate(self._folds):
                folded.take(row, column)

    def finish(self) -> tuple[bytes, list[Span]]:
        """One row, also of none."""
        self.passed = 1
        values = [folded.result(self._binary(column)) for column, folded in enumerate(self._folds)]
        row = build_data_row([*values, *[None] * (self._columns - len(values))])
        return row, [(row[0], 0, len(row))]

    def _binary(self, column: int) -> bool:
        return bool(self._formats and self._formats[column])


class _Folded:
    __slots__ = ("_best", "_bounds", "_computed", "_count", "_kind", "_raw", "_same", "_seen", "_value")

    def __init__(
        self,
        fold: Fold,
        fields: Sequence[FieldDescription],
        formats: Sequence[int] | None,
        ciphers: FieldCiphers,
        settings: ValueSettings,
        given: Given,
        bounds: FinishBounds,
    ) -> None:
        self._kind, self._count, self._bounds = fold.kind, 0, bounds
        self._best: Any = None
        self._raw: bytes | None = None
        self._seen: set[Any] = set()
        self._computed: Computed | None = None
        if fold.computation is not None:
            self._computed = Computed(fold.computation, fields, formats, ciphers, settings, given, binary=True)
            self._value = comparable(fold.computation.logical)
            self._same = identity(fold.computation.logical)

    def take(self, row: Row, column: int) -> None:
        if self._computed is None:
            self._count += 1
            return
        value = self._computed.inside(row)
        if value is None:
            return
        self._count += 1
        if self._kind is FoldKind.DISTINCT:
            self._seen.add(self._same(value))
            if len(self._seen) > self._bounds.rows:
                raise too_many("rows", self._bounds.rows)
        elif self._kind is not FoldKind.COUNT:
            self._keep(self._value(value), row[column])

    def _keep(self, value: Any, raw: bytes | None) -> None:
        first = self._raw is None
        if first or (value < self._best if self._kind is FoldKind.MIN else value > self._best):
            self._best, self._raw = value, raw

    def result(self, binary: bool) -> bytes | None:
        if self._kind in (FoldKind.MIN, FoldKind.MAX):
            return self._raw
        if self._kind is FoldKind.ROWS and self._computed is not None:
            raise CellUnreadable("the plan counts what it does not say", sqlstate=SqlState.INTERNAL_ERROR)
        count = len(self._seen) if self._kind is FoldKind.DISTINCT else self._count
        return count.to_bytes(8, "big") if binary else b"%d" % count
