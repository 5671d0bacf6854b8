"""Offsets of time zones, with Python's own arithmetic as the oracle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.wire.values.zones import find_zone, offset_of_instant, offset_of_local, session_zone

NAMES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Australia/Lord_Howe"]
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
CYCLE = 146_097 * 86_400


@given(st.sampled_from(NAMES), st.datetimes(datetime(1850, 1, 1), datetime(2150, 1, 1)))
def test_an_instant_and_its_local_time(name: str, when: datetime) -> None:
    zone = session_zone(name)
    seconds = int((when.replace(tzinfo=UTC) - EPOCH).total_seconds())
    offset, abbreviation = offset_of_instant(zone, seconds)
    there = (EPOCH + timedelta(seconds=seconds)).astimezone(zone)
    assert (there.utcoffset(), there.tzname()) == (timedelta(seconds=offset), abbreviation)
    back = seconds + offset - offset_of_local(zone, seconds + offset)
    assert back == seconds or there.replace(fold=0).utcoffset() != there.replace(fold=1).utcoffset()


@given(st.sampled_from(NAMES), st.integers(40 * 31_556_952, 400 * 31_556_952), st.integers(1, 700))
def test_rules_repeat_every_400_years(name: str, seconds: int, cycles: int) -> None:
    zone = session_zone(name)
    assert offset_of_instant(zone, seconds + cycles * CYCLE) == offset_of_instant(zone, seconds)
    assert offset_of_local(zone, seconds + cycles * CYCLE) == offset_of_local(zone, seconds)


def test_long_ago_is_local_mean_time() -> None:
    assert offset_of_instant(session_zone("Europe/Berlin"), -6_700 * 31_556_952) == (3208, "LMT")


@pytest.mark.parametrize(
    ("name", "offset", "abbreviation"),
    [
        ("<+03>-03", 10_800, "+03"),
        ("<-0530>+05:30", -19_800, "-0530"),
        ("FOO+3", -10_800, "FOO"),
        ("GMT-2", 7200, "GMT"),
    ],
)
def test_fixed_offsets_count_westwards(name: str, offset: int, abbreviation: str) -> None:
    assert offset_of_instant(session_zone(name), 0) == (offset, abbreviation)


@pytest.mark.parametrize(
    "name", ["", "Nowhere", "Europe/../Europe/Berlin", "/etc/passwd", "FOO5BAR", "<+03>-24", "A" * 99]
)
def test_no_zones(name: str) -> None:
    assert find_zone(name) is None


def test_names_in_any_case() -> None:
    assert find_zone("europe/BERLIN") is find_zone("Europe/Berlin")
