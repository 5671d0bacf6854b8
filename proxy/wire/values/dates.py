"""date, timestamp and timestamptz: the cell is the binary form.

Between them a parameter is converted as PostgreSQL's casts do, in the session's TimeZone, and only where nothing is
lost: a timestamp that is not midnight is no date.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo

from policies.fields import LogicalType
from proxy.errors import SqlState, ValueRejected
from proxy.wire.oids import ARRAYS, DATE, TIMESTAMP, TIMESTAMPTZ, UNKNOWN

from .codec import bad_binary, bad_text, inexact
from .datetime_input import Moment, Special, parse_moment
from .datetime_output import format_date, format_timestamp
from .julian import (
    DATE_END,
    DATE_MINIMUM,
    MICROSECONDS_PER_DAY,
    MICROSECONDS_PER_SECOND,
    TIMESTAMP_END,
    TIMESTAMP_MINIMUM,
    days_of_date,
    is_valid_julian,
)
from .settings import ValueSettings, read_date_style
from .zones import find_zone, offset_of_instant, offset_of_local, session_zone

_DATE_SIZE, _TIMESTAMP_SIZE = 4, 8
_NAMES = {DATE: "date", TIMESTAMP: "timestamp", TIMESTAMPTZ: "timestamp with time zone"}
_SIZES = {DATE: _DATE_SIZE, TIMESTAMP: _TIMESTAMP_SIZE, TIMESTAMPTZ: _TIMESTAMP_SIZE}
_INFINITIES = {size: (-(1 << 8 * size - 1), (1 << 8 * size - 1) - 1) for size in (_DATE_SIZE, _TIMESTAMP_SIZE)}


class _MomentCodec:
    """What the three have in common; a value in between is its number: days or microseconds from 2000-01-01."""

    text_is_cell = False
    binary_is_cell = True

    def __init__(self, logical: LogicalType, type_oid: int) -> None:
        self.logical = logical
        self.type_oid = type_oid
        self.array_oid = ARRAYS[type_oid]

    def from_text(self, raw: bytes, typmod: int, settings: ValueSettings, source_oid: int = 0) -> bytes:
        source = self.type_oid if source_oid in (0, UNKNOWN) else source_oid
        number = _read_text(raw, source, settings)
        return self._cell(_converted(number, source, self.type_oid, settings), typmod)

    def from_binary(self, raw: bytes, typmod: int, source_oid: int = 0, settings: ValueSettings | None = None) -> bytes:
        source = self.type_oid if source_oid in (0, UNKNOWN) else source_oid
        if len(raw) != _SIZES.get(source):
            raise bad_binary(_NAMES[self.type_oid])
        number = int.from_bytes(raw, "big", signed=True)
        if number not in _INFINITIES[_SIZES[source]]:
            _check_range(number, source)
        return self._cell(_converted(number, source, self.type_oid, settings), typmod)

    def to_text(self, cell: bytes, settings: ValueSettings) -> bytes:
        number = int.from_bytes(cell, "big", signed=True)
        lowest, highest = _INFINITIES[len(cell)]
        if number == lowest:
            return b"-infinity"
        if number == highest:
            return b"infinity"
        return _write_text(number, self.type_oid, settings).encode("ascii")

    def to_binary(self, cell: bytes) -> bytes:
        return cell

    def term_input(self, cell: bytes) -> bytes:
        return cell

    def _cell(self, number: int, typmod: int) -> bytes:
        if self.type_oid != DATE and 0 <= typmod < 6 and number not in _INFINITIES[_TIMESTAMP_SIZE]:
            number = _rounded(number, typmod)
        return number.to_bytes(_SIZES[self.type_oid], "big", signed=True)


def date_codec() -> _MomentCodec:
    return _MomentCodec(LogicalType.DATE, DATE)


def timestamp_codec() -> _MomentCodec:
    return _MomentCodec(LogicalType.TIMESTAMP, TIMESTAMP)


def timestamptz_codec() -> _MomentCodec:
    return _MomentCodec(LogicalType.TIMESTAMPTZ, TIMESTAMPTZ)


def _read_text(raw: bytes, type_oid: int, settings: ValueSettings) -> int:
    moment = parse_moment(raw, read_date_style(settings.date_style)[1], _NAMES[type_oid])
    if isinstance(moment, Special):
        lowest, highest = _INFINITIES[_SIZES[type_oid]]
        return highest if moment is Special.INFINITY else lowest
    named = _named_zone(moment, raw, type_oid)
    if not is_valid_julian(moment.year, moment.month):
        raise _too_far(type_oid)
    days = days_of_date(moment.year, moment.month, moment.day)
    number = days if type_oid == DATE else days * MICROSECONDS_PER_DAY + moment.microseconds
    if type_oid == TIMESTAMPTZ:
        number -= _offset(moment, named, number, settings) * MICROSECONDS_PER_SECOND
    _check_range(number, type_oid)
    return number


def _named_zone(moment: Moment, raw: bytes, type_oid: int) -> tzinfo | None:
    """A zone that the text names must exist, even where the type takes no notice of it."""
    if not isinstance(moment.zone, str):
        return None
    zone = find_zone(moment.zone)
    if zone is None:
        raise bad_text(raw, _NAMES[type_oid], SqlState.INVALID_PARAMETER_VALUE)
    return zone


def _offset(moment: Moment, named: tzinfo | None, local: int, settings: ValueSettings) -> int:
    if isinstance(moment.zone, int):
        return moment.zone
    return offset_of_local(named or session_zone(settings.time_zone), local // MICROSECONDS_PER_SECOND)


def _write_text(number: int, type_oid: int, settings: ValueSettings) -> str:
    if type_oid == DATE:
        return format_date(number, settings)
    if type_oid == TIMESTAMP:
        return format_timestamp(number, settings)
    zone = session_zone(settings.time_zone)
    offset, abbreviation = offset_of_instant(zone, number // MICROSECONDS_PER_SECOND)
    return format_timestamp(number + offset * MICROSECONDS_PER_SECOND, settings, offset, abbreviation)


def _converted(number: int, source: int, target: int, settings: ValueSettings | None) -> int:
    if source == target:
        return number
    source_infinities, target_infinities = _INFINITIES[_SIZES[source]], _INFINITIES[_SIZES[target]]
    if number in source_infinities:
        return target_infinities[source_infinities.index(number)]
    step = _STEPS[source, target]
    converted = step(number, settings)
    _check_range(converted, target)
    return converted


def _date_to_timestamp(days: int, settings: ValueSettings | None) -> int:
    return days * MICROSECONDS_PER_DAY


def _timestamp_to_date(local: int, settings: ValueSettings | None) -> int:
    days, time = divmod(local, MICROSECONDS_PER_DAY)
    if time:
        raise inexact("date")
    return days


def _timestamp_to_timestamptz(local: int, settings: ValueSettings | None) -> int:
    zone = session_zone(_needed(settings).time_zone)
    return local - offset_of_local(zone, local // MICROSECONDS_PER_SECOND) * MICROSECONDS_PER_SECOND


def _timestamptz_to_timestamp(instant: int, settings: ValueSettings | None) -> int:
    zone = session_zone(_needed(settings).time_zone)
    local = instant + offset_of_instant(zone, instant // MICROSECONDS_PER_SECOND)[0] * MICROSECONDS_PER_SECOND
    if _timestamp_to_timestamptz(local, settings) != instant:
        raise inexact("timestamp")  # clocks show this time twice, and the other one is meant
    return local


def _date_to_timestamptz(days: int, settings: ValueSettings | None) -> int:
    local = _date_to_timestamp(days, settings)
    _check_range(local, TIMESTAMP)
    return _timestamp_to_timestamptz(local, settings)


def _timestamptz_to_date(instant: int, settings: ValueSettings | None) -> int:
    return _timestamp_to_date(_timestamptz_to_timestamp(instant, settings), settings)


_STEPS: dict[tuple[int, int], Callable[[int, ValueSettings | None], int]] = {
    (DATE, TIMESTAMP): _date_to_timestamp,
    (DATE, TIMESTAMPTZ): _date_to_timestamptz,
    (TIMESTAMP, DATE): _timestamp_to_date,
    (TIMESTAMP, TIMESTAMPTZ): _timestamp_to_timestamptz,
    (TIMESTAMPTZ, DATE): _timestamptz_to_date,
    (TIMESTAMPTZ, TIMESTAMP): _timestamptz_to_timestamp,
}


def _needed(settings: ValueSettings | None) -> ValueSettings:
    if settings is None:
        raise ValueRejected(
            "a timestamp cannot be converted here without the session's time zone",
            sqlstate=SqlState.DATATYPE_MISMATCH,
            hint="Declare the parameter with the field's own type.",
        )
    return settings


def _rounded(number: int, precision: int) -> int:
    """AdjustTimestampForTypmod() of PostgreSQL: half away from zero, and zero is 2000-01-01."""
    scale = int(10 ** (6 - precision))
    rounded = (abs(number) + scale // 2) // scale * scale
    return rounded if number >= 0 else -rounded


def _check_range(number: int, type_oid: int) -> None:
    lowest, end = (DATE_MINIMUM, DATE_END) if type_oid == DATE else (TIMESTAMP_MINIMUM, TIMESTAMP_END)
    if not lowest <= number < end:
        raise _too_far(type_oid)


def _too_far(type_oid: int) -> ValueRejected:
    name = "date" if type_oid == DATE else "timestamp"
    return ValueRejected(f"{name} out of range", sqlstate=SqlState.DATETIME_FIELD_OVERFLOW)
