"""Rows put in order and told apart: they are kept as the server sent them, within bounds, until the last has come.

Where LIMIT says how many are wanted, no more than a few times as many are kept.  An arranger belongs to one execution.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from keys.field import FieldCiphers
from policies.fields import LogicalType
from proxy.errors import CellUnreadable, ProtocolViolation, SqlState
from proxy.sql.arrangement import Arrangement, SortKey
from proxy.wire.backend import FieldDescription, parse_data_row
from proxy.wire.framing import HEADER_SIZE, Span
from proxy.wire.oids import INT8
from proxy.wire.values.codecs import codec_for
from proxy.wire.values.settings import ValueSettings

from .computing import Computed, Given, Row

_KEPT_BESIDE_LIMIT = 1024
_SPECIAL_NUMBERS = {b"-Infinity": (0, Decimal(0)), b"Infinity": (2, Decimal(0)), b"NaN": (3, Decimal(0))}
_NULL_FIRST, _VALUE, _NULL_LAST = 0, 1, 2


@dataclass(frozen=True, slots=True)
class FinishBounds:
    """How much of one result is kept to be put in order; `limits.finish_rows` and `limits.finish_bytes`.

    `locked_rows`: of how many candidates an UPDATE or DELETE by a search finds its rows; `limits.locked_rows`.
    """

    rows: int = 100_000
    bytes: int = 64 * 1024 * 1024
    locked_rows: int = 10_000


@dataclass(frozen=True, slots=True)
class Counts:
    """LIMIT and OFFSET of one execution."""

    limit: int | None = None
    offset: int = 0


class Arranger:
    """Raises CellUnreadable where the origin of a column is not proven (I2)."""

    __slots__ = (
        "_apart",
        "_bounds",
        "_bytes",
        "_columns",
        "_counts",
        "_keys",
        "_most",
        "_rows",
        "_seen",
        "_seen_bytes",
        "passed",
    )

    def __init__(
        self,
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
    ) -> None:
        """`most`: as Execute asked, 0 for all."""
        self._keys = [_Key(key, fields, server_formats, ciphers, settings, given) for key in arrangement.keys]
        self._apart = [_Key(key, fields, server_formats, ciphers, settings, given) for key in arrangement.apart]
        self._seen: set[tuple[Any, ...]] = set()
        self._columns, self._counts, self._most, self._bounds = len(fields), counts, most, bounds
        self._rows: list[tuple[list[Any], bytes]] = []
        self._bytes = self._seen_bytes = self.passed = 0

    @property
    def suspended(self) -> bool:
        """As many rows as were asked for have passed, so that there may be more."""
        return 0 < self._most == self.passed

    def take(self, data: bytes, spans: Sequence[Span]) -> None:
        """Raises CellUnreadable, also when they are too many, or ProtocolViolation."""
        for _, start, end in spans:
            row = parse_data_row(data[start + HEADER_SIZE : end])
            if len(row) != self._columns:
                raise ProtocolViolation("the server sent a malformed row")
            if self._apart and not self._is_new(row, end - start):
                continue
            self._rows.append(([key.of(row) for key in self._keys], data[start:end]))
            self._bytes += end - start
            if self._is_full:
                self._cut()
                self._check_bounds()

    def _is_new(self, row: Row, size: int) -> bool:
        """What was seen stays here even where LIMIT has cut its row, so that it counts by itself."""
        values = tuple([key.same(row) for key in self._apart])
        if values in self._seen:
            return False
        self._seen.add(values)
        self._seen_bytes += size
        if len(self._seen) > self._bounds.rows:
            raise too_many("rows", self._bounds.rows)
        if self._seen_bytes > self._bounds.bytes:
            raise too_many("bytes", self._bounds.bytes)
        return True

    @property
    def _is_full(self) -> bool:
        kept, limit = len(self._rows), self._counts.limit
        beyond = limit is not None and kept >= 2 * self._wanted + _KEPT_BESIDE_LIMIT
        return beyond or kept > self._bounds.rows or self._bytes > self._bounds.bytes

    def _check_bounds(self) -> None:
        if len(self._rows) > self._bounds.rows:
            raise too_many("rows", self._bounds.rows)
        if self._bytes > self._bounds.bytes:
            raise too_many("bytes", self._bounds.bytes)

    def finish(self) -> tuple[bytes, list[Span]]:
        """The result in its order, counted."""
        self._cut()
        rows = [row for _, row in self._rows[self._counts.offset :]][: self._most or None]
        self._rows, self._seen, self.passed = [], set(), len(rows)
        spans, at = [], 0
        for row in rows:
            spans.append((row[0], at, at + len(row)))
            at += len(row)
        return b"".join(rows), spans

    @property
    def _wanted(self) -> int:
        return self._counts.offset + (self._counts.limit or 0)

    def _cut(self) -> None:
        """In order, and without what LIMIT leaves out.  Sorting is stable, so the last key goes first."""
        for number in reversed(range(len(self._keys))):
            self._rows.sort(key=lambda row, n=number: row[0][n], reverse=self._keys[number].descending)  # type: ignore[misc]
        if self._counts.limit is not None and len(self._rows) > self._wanted:
            del self._rows[self._wanted :]
            self._bytes = sum(len(row) for _, row in self._rows)


def too_many(what: str, bound: int) -> CellUnreadable:
    return CellUnreadable(
        f"the result is too large to be put in order: more than {bound} {what}",
        sqlstate=SqlState.PROGRAM_LIMIT_EXCEEDED,
        hint=f"Ask for fewer rows by WHERE or LIMIT, or ask the operator for a higher limits.finish_{what}.",
    )


class _Key:
    """A value of one row as a tuple that Python compares as PostgreSQL compares the values."""

    __slots__ = ("_computed", "_null", "_rank", "_same", "_value", "descending")

    def __init__(
        self,
        key: SortKey,
        fields: Sequence[FieldDescription],
        formats: Sequence[int] | None,
        ciphers: FieldCiphers,
        settings: ValueSettings,
        given: Given,
    ) -> None:
        self.descending = key.descending
        self._null = (_NULL_FIRST if key.nulls_first is not key.descending else _NULL_LAST,)
        self._computed: Computed | None = None
        if key.computation is not None:
            self._computed = Computed(key.computation, fields, formats, ciphers, settings, given, binary=True)
            self._value, self._same = comparable(key.computation.logical), identity(key.computation.logical)
            return
        if key.rank >= len(fields) or fields[key.rank].type_oid != INT8:
            raise CellUnreadable("the server describes another column than the analysis")
        self._rank = _rank_reader(key.rank, bool(formats and formats[key.rank]))

    def of(self, row: Row) -> tuple[Any, ...]:
        if self._computed is None:
            return (_VALUE, self._rank(row))
        value = self._computed.inside(row)
        return self._null if value is None else (_VALUE, self._value(value))

    def same(self, row: Row) -> Any:
        """Equal for values that are equal to the server; NULL is equal to NULL."""
        if self._computed is None:
            return self._rank(row)
        value = self._computed.inside(row)
        return None if value is None else self._same(value)


def identity(logical: LogicalType) -> Callable[[Any], Any]:
    if logical in (LogicalType.TEXT, LogicalType.VARCHAR):
        return lambda value: value  # collations of databases are deterministic
    return codec_for(logical).term_input


def _rank_reader(column: int, binary: bool) -> Callable[[Row], int]:
    def read(row: Row) -> int:
        raw = row[column]
        if raw is None:
            raise ProtocolViolation("the server sent a row without its place")
        return int.from_bytes(raw, "big") if binary else int(raw)

    return read


def comparable(logical: LogicalType) -> Callable[[Any], Any]:
    match logical:
        case LogicalType.TEXT | LogicalType.VARCHAR | LogicalType.BOOL | LogicalType.UUID | LogicalType.BYTEA:
            return lambda value: value  # characters by their codes, which is by their bytes in UTF-8
        case LogicalType.NUMERIC:
            return lambda cell: _SPECIAL_NUMBERS.get(cell) or (1, Decimal(cell.decode("ascii")))
        case LogicalType.INET:
            return _network
        case LogicalType.JSON | LogicalType.JSONB:
            return _no_order
    return lambda cell: int.from_bytes(cell, "big", signed=True)


def _no_order(value: Any) -> Any:
    raise CellUnreadable("the plan orders what has no order here", sqlstate=SqlState.INTERNAL_ERROR)


def _network(cell: bytes) -> tuple[int, str, bytes]:
    """As network_cmp(): family, then the common bits of both networks, then the shorter one, then the address."""
    family, bits, address = cell[0], cell[1], cell[4:]
    return family, f"{int.from_bytes(address, 'big'):0{8 * len(address)}b}"[:bits], address
