"""Dates and times as text, read form by form."""

from __future__ import annotations

import pytest

from proxy.errors import ValueRejected
from proxy.wire.values.datetime_input import Moment, Special, parse_moment
from proxy.wire.values.settings import DateOrder

HOUR = 3_600_000_000


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1999-01-08", Moment(1999, 1, 8)),
        ("19990108", Moment(1999, 1, 8)),
        ("990108", Moment(1999, 1, 8)),
        ("January 8, 1999", Moment(1999, 1, 8)),
        ("Fri 8 Jan 1999", Moment(1999, 1, 8)),
        ("08-Jan-1999", Moment(1999, 1, 8)),
        ("0044-03-15 BC", Moment(-43, 3, 15)),
        ("1999-01-08T10:00Z", Moment(1999, 1, 8, 10 * HOUR, 0)),
        ("1999-01-08 12:00 am", Moment(1999, 1, 8, 0)),
        ("1999-01-08 12:00 pm", Moment(1999, 1, 8, 12 * HOUR)),
        ("1999-01-08 24:00", Moment(1999, 1, 8, 24 * HOUR)),
        ("1999-01-08 10:00-0530", Moment(1999, 1, 8, 10 * HOUR, -19_800)),
        ("1999-01-08 10:00 Europe/Berlin", Moment(1999, 1, 8, 10 * HOUR, "Europe/Berlin")),
        ("Fri Jan 08 10:00:00 1999 +02 BC", Moment(-1998, 1, 8, 10 * HOUR, 7200)),
        ("epoch", Moment(1970, 1, 1, 0, 0)),
        ("Infinity", Special.INFINITY),
        ("-infinity", Special.MINUS_INFINITY),
    ],
)
def test_forms(text: str, moment: Moment | Special) -> None:
    for order in DateOrder:
        assert parse_moment(f" {text}\t".encode(), order, "date") == moment


@pytest.mark.parametrize(
    ("text", "order", "moment"),
    [
        ("1/2/2003", DateOrder.MDY, Moment(2003, 1, 2)),
        ("1/2/2003", DateOrder.DMY, Moment(2003, 2, 1)),
        ("1.2.69", DateOrder.DMY, Moment(2069, 2, 1)),
        ("1.2.70", DateOrder.DMY, Moment(1970, 2, 1)),
        ("1-2-3", DateOrder.YMD, Moment(2001, 2, 3)),
        ("08-Jan-09", DateOrder.YMD, Moment(2008, 1, 9)),
        ("08-Jan-09", DateOrder.DMY, Moment(2009, 1, 8)),
    ],
)
def test_the_order_of_date_style(text: str, order: DateOrder, moment: Moment) -> None:
    assert parse_moment(text.encode(), order, "date") == moment


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("1999-13-01", "22008"),
        ("1999-02-29", "22008"),
        ("0000-01-01", "22008"),
        ("1999-01-08 25:00", "22008"),
        ("1999-01-08 13:00 pm", "22008"),
        ("1999-01-08 23:59:60.1", "22008"),
        ("1999-01-08 10:00+05:60", "22009"),
        ("1999-01-08 10:00 EST", "22007"),
        ("1999-01-08 10:00pm-08", "22007"),
        ("friday 1999-01-08", "22007"),
        ("8-Jan-1999T10:00", "22007"),
        ("tomorrow", "22007"),
        ("1999-01-08" + " " * 128, "22007"),
        ("1999-01-0\u0668", "22007"),
    ],
)
def test_not_read(text: str, state: str) -> None:
    with pytest.raises(ValueRejected) as caught:
        parse_moment(text.encode(), DateOrder.MDY, "date")
    assert caught.value.sqlstate == state
