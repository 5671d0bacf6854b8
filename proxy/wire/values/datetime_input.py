"""Dates and times as text: what PostgreSQL's DecodeDateTime understands, as far as it is unambiguous.

Read are ISO 8601, everything that PostgreSQL writes in any DateStyle, and the common forms with month names or with
the order of DateStyle.  Every form that is read has the meaning that it has for PostgreSQL; every other form is
rejected with 22007, never guessed.  Not read, though PostgreSQL does: words that depend on the clock (now, today),
abbreviations of zones but UTC, GMT and Z, Julian days, days of the year.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from proxy.errors import SqlState, ValueRejected

from .codec import bad_encoding, is_text
from .datetime_forms import FORMS, MONTHS, USUAL
from .julian import MICROSECONDS_PER_DAY, MICROSECONDS_PER_SECOND, days_in_month
from .settings import DateOrder

_LONGEST = 128  # MAXDATELEN of PostgreSQL
_MOST_OFFSET_HOURS = 15


class Special(Enum):
    INFINITY = auto()
    MINUS_INFINITY = auto()


@dataclass(frozen=True, slots=True)
class Moment:
    """What a text says.  `year` is astronomical; `microseconds` of the day may be 24:00:00 and seconds 60.

    `zone`: seconds east of UTC, the name of a zone, or None where the text names none.
    """

    year: int
    month: int
    day: int
    microseconds: int = 0
    zone: int | str | None = None


_SPECIALS: dict[str, Moment | Special] = {
    "infinity": Special.INFINITY,
    "+infinity": Special.INFINITY,
    "-infinity": Special.MINUS_INFINITY,
    "epoch": Moment(1970, 1, 1, 0, 0),
}


def parse_moment(raw: bytes, order: DateOrder, type_name: str) -> Moment | Special:
    """Raises ValueRejected: 22007 for what is not understood, 22008 for fields out of range."""
    if len(raw) > _LONGEST or not raw.isascii() or 0 in raw:
        raise _not_understood(raw, type_name)
    text = raw.decode("ascii").strip(" \t\n\v\f\r")
    usual = USUAL.fullmatch(text)
    if usual is not None:
        return _usual_moment(*usual.groups())
    special = _SPECIALS.get(text.lower())
    if special is not None:
        return special
    match = next((found for form in FORMS if (found := form.fullmatch(text))), None)
    if match is None:
        raise _not_understood(raw, type_name)
    parts = match.groupdict()
    if parts.get("era1") and parts.get("era2"):
        raise _not_understood(raw, type_name)
    year, month, day, short_year = _date_fields(parts, order)
    year = _year(year, short_year, (parts.get("era1") or parts.get("era2") or "").lower())
    microseconds = _time(parts)
    _check_date(year, month, day)
    return Moment(year, month, day, microseconds, _zone(parts))


def _usual_moment(
    year: str,
    month: str,
    day: str,
    hour: str | None,
    minute: str,
    second: str,
    fraction: str | None,
    offset: str | None,
) -> Moment:
    numbers = _year(int(year), False, ""), int(month), int(day)
    time = 0 if hour is None else _time_of_day(int(hour), int(minute), int(second), _fraction(fraction), "")
    _check_date(*numbers)
    return Moment(*numbers, time, None if offset is None else _offset(offset))


def _date_fields(parts: dict[str, str | None], order: DateOrder) -> tuple[int, int, int, bool]:
    """Year as written, month, day, and whether the year has but one or two digits."""
    if parts.get("y1"):
        return _number(parts["y1"]), _number(parts["m1"]), _number(parts["d1"]), False
    if parts.get("a"):
        return _ordered(parts["a"] or "", parts["b"] or "", parts["c"] or "", order)
    if run := parts.get("run"):
        return int(run[:-4]), int(run[-4:-2]), int(run[-2:]), len(run) == 6
    for day, month, year in (("d5", "t5", "y5"), ("d6", "t6", "y6"), ("d7", "t7", "y7"), ("d8", "t8", "y7")):
        if parts.get(month):
            return _number(parts[year]), MONTHS[(parts[month] or "").lower()], _number(parts[day]), False
    first, second = parts.get("n1") or parts.get("n3") or "", parts.get("n2") or parts.get("n4") or ""
    month_number = MONTHS[(parts.get("t1") or parts.get("t2") or "").lower()]
    if len(first) >= 3 or (len(second) <= 2 and order is DateOrder.YMD):
        return int(first), month_number, int(second), len(first) <= 2
    return int(second), month_number, int(first), len(second) <= 2


def _ordered(a: str, b: str, c: str, order: DateOrder) -> tuple[int, int, int, bool]:
    if order is DateOrder.YMD:
        return int(a), int(b), int(c), True
    month, day = (a, b) if order is DateOrder.MDY else (b, a)
    return int(c), int(month), int(day), len(c) <= 2


def _number(text: str | None) -> int:
    return int(text or 0)


def _year(year: int, short: bool, era: str) -> int:
    """ValidateDate() of PostgreSQL: there is no year 0, and two digits are 1970 to 2069 unless they are BC."""
    if era == "bc":
        if year <= 0:
            raise _field_overflow()
        return 1 - year
    if short:
        return year + 2000 if year < 70 else year + 1900
    if year <= 0:
        raise _field_overflow()
    return year


def _check_date(year: int, month: int, day: int) -> None:
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        raise _field_overflow(hint='Perhaps you need a different "datestyle" setting.')
    if day > days_in_month(year, month):
        raise _field_overflow()


def _time(parts: dict[str, str | None]) -> int:
    """Microseconds of the day."""
    prefix = "run_" if parts.get("run_hour") else ""
    if not parts.get(f"{prefix}hour"):
        return 0
    hour, minute = _number(parts[f"{prefix}hour"]), _number(parts[f"{prefix}minute"])
    second, fraction = _number(parts[f"{prefix}second"]), _fraction(parts[f"{prefix}fraction"])
    return _time_of_day(hour, minute, second, fraction, (parts.get("half") or "").lower())


def _time_of_day(hour: int, minute: int, second: int, fraction: int, half: str) -> int:
    if minute > 59 or second > 60 or hour > 24 or (hour == 24 and (minute or second or fraction)):
        raise _field_overflow()
    if half:
        if hour > 12:
            raise _field_overflow()
        hour = hour % 12 + (12 if half == "pm" else 0)
    time = ((hour * 60 + minute) * 60 + second) * MICROSECONDS_PER_SECOND + fraction
    if time > MICROSECONDS_PER_DAY:
        raise _field_overflow()
    return time


def _fraction(digits: str | None) -> int:
    """PostgreSQL computes rint(fraction * 1000000) in double precision; so do we, to the last bit."""
    return round(float(f"0.{digits}") * 1_000_000) if digits else 0


def _zone(parts: dict[str, str | None]) -> int | str | None:
    if parts.get("utc"):
        return 0
    if offset := parts.get("offset"):
        return _offset(offset)
    return parts.get("zone")


def _offset(text: str) -> int:
    """`+5`, `+05`, `+530`, `+0530`, `+05:30`, `+05:30:15`."""
    fields = text[1:].split(":")
    if len(fields) == 1 and len(fields[0]) > 2:
        fields = [fields[0][:-2], fields[0][-2:]]
    hours, minutes, seconds = (*map(int, fields), 0, 0)[:3]
    if hours > _MOST_OFFSET_HOURS or minutes > 59 or seconds > 59:
        raise ValueRejected("time zone displacement out of range", sqlstate=SqlState.INVALID_TIME_ZONE_DISPLACEMENT)
    east = (hours * 60 + minutes) * 60 + seconds
    return -east if text[0] == "-" else east


def _field_overflow(hint: str | None = None) -> ValueRejected:
    return ValueRejected("date/time field value out of range", sqlstate=SqlState.DATETIME_FIELD_OVERFLOW, hint=hint)


def _not_understood(raw: bytes, type_name: str) -> ValueRejected:
    if not is_text(raw):
        return bad_encoding()
    return ValueRejected(
        f"invalid input syntax for type {type_name}",
        sqlstate=SqlState.INVALID_DATETIME_FORMAT,
        hint="For a sealed field use ISO 8601, such as 1999-01-08 04:05:06+00.",
    )
