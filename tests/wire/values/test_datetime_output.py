"""Dates and times as text, in every DateStyle."""

from __future__ import annotations

import pytest

from proxy.errors import ValueRejected
from proxy.wire.values.datetime_output import format_date, format_offset, format_timestamp
from proxy.wire.values.julian import MICROSECONDS_PER_DAY, days_of_date
from proxy.wire.values.settings import ValueSettings

DAY = days_of_date(1997, 12, 17)
MOMENT = DAY * MICROSECONDS_PER_DAY + ((7 * 60 + 37) * 60 + 16) * 1_000_000
IDES = days_of_date(-43, 3, 15)


@pytest.mark.parametrize(
    ("style", "date", "timestamp", "ides"),
    [
        ("ISO, MDY", "1997-12-17", "1997-12-17 07:37:16-08", "0044-03-15 BC"),
        ("SQL, MDY", "12/17/1997", "12/17/1997 07:37:16 PST", "03/15/0044 BC"),
        ("SQL, DMY", "17/12/1997", "17/12/1997 07:37:16 PST", "15/03/0044 BC"),
        ("Postgres, MDY", "12-17-1997", "Wed Dec 17 07:37:16 1997 PST", "03-15-0044 BC"),
        ("Postgres, DMY", "17-12-1997", "Wed 17 Dec 07:37:16 1997 PST", "15-03-0044 BC"),
        ("German, YMD", "17.12.1997", "17.12.1997 07:37:16 PST", "15.03.0044 BC"),
    ],
)
def test_styles(style: str, date: str, timestamp: str, ides: str) -> None:
    settings = ValueSettings(style)
    assert format_date(DAY, settings) == date
    assert format_date(IDES, settings) == ides
    assert format_timestamp(MOMENT, settings, -28_800, "PST") == timestamp
    assert format_timestamp(MOMENT, settings) == timestamp.removesuffix(" PST").removesuffix("-08")


def test_fractions_without_trailing_zeros() -> None:
    settings = ValueSettings()
    assert format_timestamp(MOMENT + 100_000, settings).endswith(":16.1")
    assert format_timestamp(MOMENT + 1, settings).endswith(":16.000001")


@pytest.mark.parametrize(
    ("offset", "text"), [(0, "+00"), (-28_800, "-08"), (19_800, "+05:30"), (3208, "+00:53:28"), (-2670, "-00:44:30")]
)
def test_offsets(offset: int, text: str) -> None:
    assert format_offset(offset) == text


def test_an_unknown_style_is_an_error() -> None:
    for style in ("", "ISO", "ISO,MDY", "XSD, MDY"):
        with pytest.raises(ValueRejected):
            format_date(0, ValueSettings(style))
