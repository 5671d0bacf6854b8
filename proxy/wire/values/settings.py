"""The session settings that rule how values look, as the server reports them in ParameterStatus."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from proxy.errors import SqlState, ValueRejected


class DateFormat(StrEnum):
    """The first half of DateStyle: how dates are written."""

    ISO = "ISO"
    SQL = "SQL"
    POSTGRES = "Postgres"
    GERMAN = "German"


class DateOrder(StrEnum):
    """The second half of DateStyle: how ambiguous dates are read, and written in the styles SQL and Postgres."""

    YMD = "YMD"
    DMY = "DMY"
    MDY = "MDY"


@dataclass(frozen=True, slots=True)
class ValueSettings:
    date_style: str = "ISO, MDY"
    time_zone: str = "UTC"
    interval_style: str = "postgres"
    bytea_output: str = "hex"


DEFAULT_SETTINGS = ValueSettings()


@lru_cache(maxsize=32)
def read_date_style(date_style: str) -> tuple[DateFormat, DateOrder]:
    """`"SQL, DMY"` and the like, in the server's own spelling."""
    style, _, order = date_style.partition(", ")
    try:
        return DateFormat(style), DateOrder(order)
    except ValueError:
        raise ValueRejected("unknown DateStyle", sqlstate=SqlState.INTERNAL_ERROR) from None
