"""Time zones: the session's TimeZone, and the zones that are named in values.

Names are of the IANA database; besides, POSIX's fixed offsets, which SET TIME ZONE 3 makes (`<+03>-03`).  Beyond the
years that Python's datetime knows, the rules repeat every 400 years, as they do for PostgreSQL.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from proxy.errors import SqlState, ValueRejected

from .julian import DAYS_PER_CYCLE

_EPOCH = datetime(2000, 1, 1)
_EPOCH_UTC = datetime(2000, 1, 1, tzinfo=UTC)
_CYCLE_SECONDS = DAYS_PER_CYCLE * 86_400
_LATEST_SECONDS = 7_990 * 31_556_952  # the year 9990
_EARLIEST_SECONDS = -1_990 * 31_556_952  # the year 10: long before any zone's first rule

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")
_FIXED = re.compile(r"(?:<([A-Za-z0-9+-]{3,})>|([A-Za-z]{3,}))([+-]?)([0-9]{1,2})(?::([0-5][0-9])(?::([0-5][0-9]))?)?")


@lru_cache(maxsize=256)
def find_zone(name: str) -> tzinfo | None:
    """None: there is no such zone."""
    if len(name) > 64:
        return None
    if name == "UTC":
        return UTC
    if _NAME.fullmatch(name) and (known := _names().get(name.lower())):
        try:
            return ZoneInfo(known)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return None
    fixed = _FIXED.fullmatch(name)
    return None if fixed is None else _fixed(fixed)


def session_zone(name: str) -> tzinfo:
    """The zone of a session's TimeZone setting."""
    zone = find_zone(name)
    if zone is None:
        raise ValueRejected(
            "the session's time zone is not known to Fieldgate",
            sqlstate=SqlState.INVALID_PARAMETER_VALUE,
            hint="Set TimeZone to a name of the IANA time zone database.",
        )
    return zone


def offset_of_local(zone: tzinfo, local_seconds: int) -> int:
    """Seconds east of UTC when clocks there show this time, in seconds from 2000-01-01 00:00.

    A time that never was (clocks go forward) is read with the offset before, one that was twice (clocks go back) with
    the offset after the change, as PostgreSQL does: in both cases that is the smaller one.
    """
    if zone is UTC:
        return 0
    local = _EPOCH + timedelta(seconds=_within(local_seconds))
    first, second = zone.utcoffset(local), zone.utcoffset(local.replace(fold=1))
    return int(min(first or timedelta(), second or timedelta()).total_seconds())


def offset_of_instant(zone: tzinfo, utc_seconds: int) -> tuple[int, str]:
    """Seconds east of UTC at this instant, and the abbreviation that the zone has then."""
    if zone is UTC:
        return 0, "UTC"
    local = (_EPOCH_UTC + timedelta(seconds=_within(utc_seconds))).astimezone(zone)
    offset = local.utcoffset() or timedelta()
    return int(offset.total_seconds()), local.tzname() or ""


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    """All names of zones by their lower case: PostgreSQL does not mind the case."""
    return {name.lower(): name for name in available_timezones()}


def _within(seconds: int) -> int:
    """The same time within the years that datetime knows, in a year with the same rules."""
    if seconds > _LATEST_SECONDS:
        return seconds - ((seconds - _LATEST_SECONDS) // _CYCLE_SECONDS + 1) * _CYCLE_SECONDS
    return max(seconds, _EARLIEST_SECONDS)


def _fixed(match: re.Match[str]) -> timezone | None:
    hours, minutes, seconds = int(match[4]), int(match[5] or 0), int(match[6] or 0)
    if hours > 23:
        return None
    west = timedelta(hours=hours, minutes=minutes, seconds=seconds)  # POSIX counts westwards
    return timezone(west if match[3] == "-" else -west, match[1] or match[2])
