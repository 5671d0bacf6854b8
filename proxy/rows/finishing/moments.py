"""extract, date_part and to_char of dates and timestamps, in the session's time zone where it matters."""

from __future__ import annotations

import re
from collections.abc import Callable

from policies.fields import LogicalType
from proxy.errors import CellUnreadable, SqlState
from proxy.wire.values.julian import (
    MICROSECONDS_PER_DAY,
    MICROSECONDS_PER_SECOND,
    TIMESTAMP_END,
    TIMESTAMP_MINIMUM,
    date_of_days,
    days_of_date,
    weekday,
)
from proxy.wire.values.settings import ValueSettings
from proxy.wire.values.zones import offset_of_instant, offset_of_local, session_zone

_WORDS = re.compile(r"YYYY|MM|DD|HH24|MI|SS|.", re.DOTALL)
_ENDLESS = frozenset({"year", "decade", "century", "millennium", "isoyear"})  # grow with time; the others come again
_LOWEST = {4: -(1 << 31), 8: -(1 << 63)}
_HIGHEST = {4: (1 << 31) - 1, 8: (1 << 63) - 1}


def midnight(date: bytes) -> bytes:
    """A date as a timestamp."""
    days = int.from_bytes(date, "big", signed=True)
    if days in (_LOWEST[4], _HIGHEST[4]):
        return (_LOWEST[8] if days < 0 else _HIGHEST[8]).to_bytes(8, "big", signed=True)
    return _checked(days * MICROSECONDS_PER_DAY).to_bytes(8, "big", signed=True)


def _checked(microseconds: int) -> int:
    if not TIMESTAMP_MINIMUM <= microseconds < TIMESTAMP_END:
        raise CellUnreadable("date out of range for timestamp", sqlstate=SqlState.DATETIME_FIELD_OVERFLOW)
    return microseconds


def extractor(unit: str, taken: LogicalType, settings: ValueSettings) -> Callable[[bytes], bytes | None]:
    """From a cell to a numeric cell."""
    local = _local(taken, settings)
    part = _PARTS[unit]

    def extract(cell: bytes) -> bytes | None:
        number = int.from_bytes(cell, "big", signed=True)
        if number in (_LOWEST[len(cell)], _HIGHEST[len(cell)]):
            return (b"Infinity" if number > 0 else b"-Infinity") if unit in _ENDLESS else None
        return b"%d" % part(*local(number))

    return extract


def writer(pattern: str, taken: LogicalType, settings: ValueSettings) -> Callable[[bytes], str | None]:
    """to_char, of a pattern of the words above and what stands between them.

    A date becomes a timestamptz first: where clocks skip its midnight, another hour or even day is shown.
    """
    local, words = _local(taken, settings), _WORDS.findall(pattern)
    instant = _instant_of_date(settings) if taken is LogicalType.DATE else None
    if instant is not None:
        local = _local(LogicalType.TIMESTAMPTZ, settings)

    def write(cell: bytes) -> str | None:
        number = int.from_bytes(cell, "big", signed=True)
        if number in (_LOWEST[len(cell)], _HIGHEST[len(cell)]):
            return None
        days, time = local(number if instant is None else instant(number))
        year, month, day = date_of_days(days)
        hours, seconds = divmod(time // MICROSECONDS_PER_SECOND, 3600)
        shown = {
            "YYYY": f"{year if year > 0 else 1 - year:04d}", "MM": f"{month:02d}", "DD": f"{day:02d}",
            "HH24": f"{hours:02d}", "MI": f"{seconds // 60:02d}", "SS": f"{seconds % 60:02d}",
        }  # fmt: skip
        return "".join(shown.get(word, word) for word in words)

    return write


def _instant_of_date(settings: ValueSettings) -> Callable[[int], int]:
    """From days to the microseconds of their midnight in the session's zone."""
    zone = session_zone(settings.time_zone)

    def instant(days: int) -> int:
        local = _checked(days * MICROSECONDS_PER_DAY)
        return _checked(local - offset_of_local(zone, local // MICROSECONDS_PER_SECOND) * MICROSECONDS_PER_SECOND)

    return instant


def _local(taken: LogicalType, settings: ValueSettings) -> Callable[[int], tuple[int, int]]:
    """From the number of a cell to days from 2000-01-01 and microseconds of the day, as clocks show them."""
    if taken is LogicalType.DATE:
        return lambda days: (days, 0)
    if taken is LogicalType.TIMESTAMP:
        return lambda microseconds: divmod(microseconds, MICROSECONDS_PER_DAY)
    zone = session_zone(settings.time_zone)

    def shown(instant: int) -> tuple[int, int]:
        offset, _ = offset_of_instant(zone, instant // MICROSECONDS_PER_SECOND)
        return divmod(instant + offset * MICROSECONDS_PER_SECOND, MICROSECONDS_PER_DAY)

    return shown


def _year(days: int, _: int) -> int:
    """There is no year 0."""
    year = date_of_days(days)[0]
    return year if year > 0 else year - 1


def _iso(days: int) -> tuple[int, int]:
    """The week's year, astronomical, and the week's number: it is that of its Thursday."""
    thursday = days - (weekday(days) or 7) + 4
    year = date_of_days(thursday)[0]
    return year, (thursday - days_of_date(year, 1, 1)) // 7 + 1


def _iso_year(days: int, _: int) -> int:
    year = _iso(days)[0]
    return year if year > 0 else year - 1


def _century(days: int, _: int) -> int:
    year = date_of_days(days)[0]
    return (year + 99) // 100 if year > 0 else -((99 - (year - 1)) // 100)


def _millennium(days: int, _: int) -> int:
    year = date_of_days(days)[0]
    return (year + 999) // 1000 if year > 0 else -((999 - (year - 1)) // 1000)


def _decade(days: int, _: int) -> int:
    return date_of_days(days)[0] // 10


_PARTS: dict[str, Callable[[int, int], int]] = {
    "year": _year,
    "month": lambda days, _: date_of_days(days)[1],
    "day": lambda days, _: date_of_days(days)[2],
    "quarter": lambda days, _: (date_of_days(days)[1] + 2) // 3,
    "week": lambda days, _: _iso(days)[1],
    "isoyear": _iso_year,
    "dow": lambda days, _: weekday(days),
    "isodow": lambda days, _: weekday(days) or 7,
    "doy": lambda days, _: days - days_of_date(date_of_days(days)[0], 1, 1) + 1,
    "decade": _decade,
    "century": _century,
    "millennium": _millennium,
    "hour": lambda _, time: time // 3_600_000_000,
    "minute": lambda _, time: time // 60_000_000 % 60,
}
