"""Days and dates of the proleptic Gregorian calendar, for PostgreSQL's whole range (4713 BC to 5874897 AD).

Days count from 2000-01-01, microseconds from its midnight.  Years are astronomical: 0 is 1 BC, -1 is 2 BC.
"""

from __future__ import annotations

MICROSECONDS_PER_DAY = 86_400_000_000
MICROSECONDS_PER_SECOND = 1_000_000
DAYS_PER_CYCLE = 146_097  # 400 years, after which the calendar repeats itself, weekdays included

DATE_MINIMUM = -2_451_545  # 4714-11-24 BC, Julian day 0
DATE_END = 2_145_031_949  # 5874898-01-01, the first that is too late
TIMESTAMP_MINIMUM = -211_813_488_000_000_000  # 4714-11-24 00:00:00 BC
TIMESTAMP_END = 9_223_371_331_200_000_000  # 294277-01-01 00:00:00, the first that is too late

_EPOCH_FROM_MARCH_0 = 730_425  # days from 0000-03-01 to 2000-01-01


def days_of_date(year: int, month: int, day: int) -> int:
    """After Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years begin in March."""
    if month <= 2:
        year -= 1
        month += 12
    cycle, year = divmod(year, 400)
    day_of_year = (153 * (month - 3) + 2) // 5 + day - 1
    return cycle * DAYS_PER_CYCLE + year * 365 + year // 4 - year // 100 + day_of_year - _EPOCH_FROM_MARCH_0


def date_of_days(days: int) -> tuple[int, int, int]:
    cycle, day = divmod(days + _EPOCH_FROM_MARCH_0, DAYS_PER_CYCLE)
    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5
    return cycle * 400 + year + (month >= 10), month + 3 if month < 10 else month - 9, day + 1


def days_in_month(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def weekday(days: int) -> int:
    """0 is Sunday."""
    return (days + 6) % 7  # 2000-01-01 was a Saturday


def is_valid_julian(year: int, month: int) -> bool:
    """IS_VALID_JULIAN() of PostgreSQL: what may be put into `days_of_date` at all."""
    return (-4713, 11) <= (year, month) < (5874898, 6)
