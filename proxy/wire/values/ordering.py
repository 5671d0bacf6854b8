"""The order of dates, times and numbers as PostgreSQL's `<` has it, also between two types that it compares.

A cell's *position* is what orders its type.  What a cell is compared with may be of another type and lie between two
positions: `Ends` are the last position at or below it and the first at or above it, so `x < b` is `x < ceiling`, and
`x <= b` is `x <= floor`.  Pairs of types whose comparison would convert each row's value by the session's TimeZone are
not here: clocks that go back make that order no order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from policies.fields import LogicalType
from proxy.errors import SqlState, ValueRejected
from proxy.wire.oids import DATE, INT2, INT4, INT8, NUMERIC, TIMESTAMP, TIMESTAMPTZ

from .codec import Codec
from .codecs import codec_for
from .julian import MICROSECONDS_PER_DAY
from .settings import ValueSettings

Position = Any  # an int, or for numeric a tuple; positions of one type are compared with each other only

INTEGERS = frozenset({LogicalType.INT2, LogicalType.INT4, LogicalType.INT8})
_NUMBERS = INTEGERS | {LogicalType.NUMERIC}
COMPARABLE: dict[LogicalType, frozenset[LogicalType]] = {
    LogicalType.DATE: frozenset({LogicalType.DATE, LogicalType.TIMESTAMP}),
    LogicalType.TIMESTAMP: frozenset({LogicalType.TIMESTAMP, LogicalType.DATE}),
    LogicalType.TIMESTAMPTZ: frozenset({LogicalType.TIMESTAMPTZ, LogicalType.TIMESTAMP, LogicalType.DATE}),
    **dict.fromkeys(_NUMBERS, _NUMBERS),
}
"""What values of a field's type are compared with exactly."""

BY_OID = {
    DATE: LogicalType.DATE, TIMESTAMP: LogicalType.TIMESTAMP, TIMESTAMPTZ: LogicalType.TIMESTAMPTZ,
    INT2: LogicalType.INT2, INT4: LogicalType.INT4, INT8: LogicalType.INT8, NUMERIC: LogicalType.NUMERIC,
}  # fmt: skip

_DATE_INFINITIES = (-(1 << 31), (1 << 31) - 1)
_TIME_INFINITIES = (-(1 << 63), (1 << 63) - 1)
_BEYOND = 1 << 64  # no integer type has it
_MOST_DIGITS = 20
_LOWEST, _NEGATIVE, _ZERO, _POSITIVE, _HIGHEST, _NAN = range(6)
_COMPLEMENT = bytes.maketrans(b"0123456789", b"9876543210")


@dataclass(frozen=True, slots=True, order=True)
class Ends:
    """Of what a cell is compared with: equal where it is a position itself."""

    floor: Position
    ceiling: Position


def position(logical: LogicalType, cell: bytes) -> Position:
    """Raises ValueError for what is no cell of the type."""
    return number_position(cell) if logical is LogicalType.NUMERIC else int.from_bytes(cell, "big", signed=True)


def ends_of(
    logical: LogicalType, source: LogicalType, raw: bytes, settings: ValueSettings, *, binary: bool, sent: int
) -> Ends:
    """Of a value of type `source`, for a field of type `logical`; both are COMPARABLE.

    `sent`: the OID of the type in whose binary form it comes.  Raises ValueRejected.
    """
    codec = codec_for(source)
    if logical is LogicalType.TIMESTAMPTZ and source is not logical:
        return _exact(position(logical, _read(codec_for(logical), raw, settings, binary, codec.type_oid)))
    cell = _read(codec, raw, settings, binary, sent)
    if logical is LogicalType.NUMERIC:
        text = cell if source is logical else b"%d" % int.from_bytes(cell, "big", signed=True)
        return _exact(number_position(text))
    if source is LogicalType.NUMERIC:
        return _around(cell)
    number = int.from_bytes(cell, "big", signed=True)
    if source is logical or logical in INTEGERS:
        return _exact(number)
    return _of_date(number) if source is LogicalType.DATE else _of_timestamp(number)


def _read(codec: Codec, raw: bytes, settings: ValueSettings, binary: bool, sent: int) -> bytes:
    if binary:
        return codec.from_binary(raw, -1, sent, settings)
    return codec.from_text(raw, -1, settings, sent)


def _exact(found: Position) -> Ends:
    return Ends(found, found)


def _of_date(days: int) -> Ends:
    """Among timestamps: one that is later than all of them is still before infinity."""
    if days in _DATE_INFINITIES:
        return _exact(_TIME_INFINITIES[_DATE_INFINITIES.index(days)])
    lowest, highest = _TIME_INFINITIES
    return _exact(min(max(days * MICROSECONDS_PER_DAY, lowest + 1), highest - 1))


def _of_timestamp(microseconds: int) -> Ends:
    """Among dates, which stand for their midnight."""
    if microseconds in _TIME_INFINITIES:
        return _exact(_DATE_INFINITIES[_TIME_INFINITIES.index(microseconds)])
    return Ends(microseconds // MICROSECONDS_PER_DAY, -(-microseconds // MICROSECONDS_PER_DAY))


def _around(numeric: bytes) -> Ends:
    """Among whole numbers."""
    rank = number_position(numeric)[0]
    whole, _, fraction = numeric.partition(b".")
    if rank in (_LOWEST, _HIGHEST, _NAN) or len(whole) > _MOST_DIGITS:
        return _exact(-_BEYOND if rank in (_LOWEST, _NEGATIVE) else _BEYOND)
    number = int(whole)
    if not fraction.strip(b"0"):
        return _exact(number)
    return Ends(number - 1, number) if rank == _NEGATIVE else Ends(number, number + 1)


def number_position(text: bytes) -> tuple[int, int, bytes]:
    """Of numeric's canonical text: NaN is above all others.  Raises ValueError for anything else."""
    special = {b"-Infinity": _LOWEST, b"Infinity": _HIGHEST, b"NaN": _NAN}.get(text)
    if special is not None:
        return special, 0, b""
    whole, _, fraction = text.removeprefix(b"-").partition(b".")
    if not whole.isdigit() or (fraction and not fraction.isdigit()):
        raise ValueError("no canonical number")
    whole = whole.lstrip(b"0")
    digits = whole + fraction.rstrip(b"0")
    if not digits.strip(b"0"):
        return _ZERO, 0, b""
    if text.startswith(b"-"):  # the complement's end is above each digit that might follow
        return _NEGATIVE, -len(whole), digits.translate(_COMPLEMENT) + b"~"
    return _POSITIVE, len(whole), digits


def number_text(found: tuple[int, int, bytes]) -> bytes:
    """The canonical text of a number's position, without its display scale."""
    rank, size, digits = found
    if rank not in (_NEGATIVE, _POSITIVE):
        return {_LOWEST: b"-Infinity", _ZERO: b"0", _HIGHEST: b"Infinity", _NAN: b"NaN"}[rank]
    if rank == _NEGATIVE:
        size, digits = -size, digits.rstrip(b"~").translate(_COMPLEMENT)
    fraction = digits[size:]
    return b"-" * (rank == _NEGATIVE) + (digits[:size] or b"0") + (b"." + fraction if fraction else b"")


def check_comparable(logical: LogicalType, source: int) -> LogicalType:
    """The type with this OID, if a field is compared with it exactly.  Raises ValueRejected."""
    found = BY_OID.get(source)
    if found is None or found not in COMPARABLE[logical]:
        raise ValueRejected(
            f"a sealed field of type {logical} is not compared with a value of this type",
            sqlstate=SqlState.DATATYPE_MISMATCH,
            hint="Declare the parameter with the field's own type, or leave its type unspecified.",
        )
    return found
