"""Dates and times as text, in the four styles of DateStyle, as EncodeDateOnly and EncodeDateTime write them."""

from __future__ import annotations

from .julian import MICROSECONDS_PER_DAY, MICROSECONDS_PER_SECOND, date_of_days, weekday
from .settings import DateFormat, DateOrder, ValueSettings, read_date_style

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_ABBREVIATION_SIZE = 10  # MAXTZLEN


def format_date(days: int, settings: ValueSettings) -> str:
    style, order = read_date_style(settings.date_style)
    year, month, day = date_of_days(days)
    era = "" if year > 0 else " BC"
    year = year if year > 0 else 1 - year
    if style is DateFormat.ISO:
        return f"{year:04d}-{month:02d}-{day:02d}{era}"
    if style is DateFormat.GERMAN:
        return f"{day:02d}.{month:02d}.{year:04d}{era}"
    first, second = (day, month) if order is DateOrder.DMY else (month, day)
    separator = "/" if style is DateFormat.SQL else "-"
    return f"{first:02d}{separator}{second:02d}{separator}{year:04d}{era}"


def format_timestamp(
    microseconds: int, settings: ValueSettings, offset: int | None = None, abbreviation: str = ""
) -> str:
    """`microseconds` are local; `offset`, in seconds east of UTC, is given for timestamptz only."""
    style, order = read_date_style(settings.date_style)
    days, time = divmod(microseconds, MICROSECONDS_PER_DAY)
    year, month, day = date_of_days(days)
    era = "" if year > 0 else " BC"
    year = year if year > 0 else 1 - year
    clock = _clock(time)
    if style is DateFormat.ISO:
        zone = "" if offset is None else format_offset(offset)
        return f"{year:04d}-{month:02d}-{day:02d} {clock}{zone}{era}"
    zone = "" if offset is None else f" {abbreviation[:_ABBREVIATION_SIZE] or format_offset(offset)}"
    if style is DateFormat.GERMAN:
        return f"{day:02d}.{month:02d}.{year:04d} {clock}{zone}{era}"
    if style is DateFormat.SQL:
        first, second = (day, month) if order is DateOrder.DMY else (month, day)
        return f"{first:02d}/{second:02d}/{year:04d} {clock}{zone}{era}"
    name = _MONTHS[month - 1]
    of_month = f"{day:02d} {name}" if order is DateOrder.DMY else f"{name} {day:02d}"
    return f"{_WEEKDAYS[weekday(days)]} {of_month} {clock} {year:04d}{zone}{era}"


def format_offset(offset: int) -> str:
    minutes, seconds = divmod(abs(offset), 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{'-' if offset < 0 else '+'}{hours:02d}"
    if seconds:
        return f"{text}:{minutes:02d}:{seconds:02d}"
    return f"{text}:{minutes:02d}" if minutes else text


def _clock(time: int) -> str:
    seconds, fraction = divmod(time, MICROSECONDS_PER_SECOND)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    text = f"{hour:02d}:{minute:02d}:{second:02d}"
    return f"{text}.{fraction:06d}".rstrip("0") if fraction else text
