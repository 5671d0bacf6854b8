"""Rows that passed: how they are counted, which of them wait, and how many candidates are asked for."""

from __future__ import annotations

import random

import pytest

from proxy.errors import CellUnreadable
from proxy.rows.reading import Reading
from proxy.wire.backend import build_data_row
from proxy.wire.framing import HEADER_SIZE, Span

ROOM = 1 << 20


def spans_of(rows: list[bytes]) -> list[Span]:
    found, at = [], 0
    for row in rows:
        found.append((row[0], at, at + len(row)))
        at += len(row)
    return found


def given(reading: Reading, candidates: str, *, number: int = 0) -> list[int]:
    """`x` passes, `-` does not; which of them the client gets now."""
    rows = [build_data_row([b"%d" % (number + n)]) for n in range(len(candidates))]
    spans = spans_of(rows)
    passed = [span for span, mark in zip(spans, candidates, strict=True) if mark == "x"]
    return [number + spans.index(span) for span in reading.take(b"".join(rows), spans, passed)]


def begun(reading: Reading, most: int = 0) -> list[int]:
    data, spans = reading.begin(most)
    return [int(data[start + HEADER_SIZE + 6 : end]) for _, start, end in spans]


@pytest.mark.parametrize(
    ("limit", "offset", "expected"), [(None, 1, [2, 3, 5]), (2, 1, [2, 3]), (0, 0, []), (None, 9, [])]
)
def test_offset_and_limit_count_what_passed(limit: int | None, offset: int, expected: list[int]) -> None:
    reading = Reading(limit, offset, ROOM)
    assert begun(reading) == []
    assert given(reading, "x-xx-x") == expected
    assert reading.passed == len(expected) and not reading.suspended
    assert reading.over is (limit is not None)


def test_what_passes_beyond_an_execute_waits_for_the_next() -> None:
    reading = Reading(5, 1, ROOM)
    begun(reading, 2)
    assert given(reading, "x-xx-xx") == [2, 3]
    assert reading.suspended and not reading.over
    assert begun(reading, 1) == [5] and reading.suspended
    assert given(reading, "-x", number=10) == []
    assert begun(reading, 4) == [6, 11] and reading.over and not reading.suspended and reading.passed == 2
    assert given(reading, "x", number=20) == []
    assert begun(reading) == [] and reading.passed == 0


def test_all_rows_at_once_are_not_asked_for_in_steps() -> None:
    assert Reading(None, 3, ROOM).ask_first(0) == 0
    assert Reading(None, 0, ROOM).ask_first(10) == 10
    assert Reading(7, 5, ROOM).ask_first(0) == 12
    assert Reading(7, 5, ROOM).ask_first(100) == 12
    assert Reading(0, 5, ROOM).ask_first(0) == 1
    assert Reading(None, 0, ROOM).ask_first(0x7FFFFFFF) == 0x7FFFFFFF


def test_what_waits_is_bounded() -> None:
    reading = Reading(None, 0, 60)
    begun(reading, 1)
    with pytest.raises(CellUnreadable, match="next Execute") as refused:
        given(reading, "x" * 10)
    assert refused.value.sqlstate == "54000"


@pytest.mark.parametrize(("passed", "asked"), [("xxxx", 6), ("xx--", 8), ("----", 14)])
def test_more_than_is_missing_is_asked_for_only_where_few_pass(passed: str, asked: int) -> None:
    for spares in (True, False):
        reading = Reading(None, 0, ROOM)
        assert reading.ask_first(10, spares=spares) == 10
        begun(reading, 10)
        given(reading, passed)
        assert reading.ask() == (asked if spares else 10 - passed.count("x"))


def test_large_rows_are_asked_for_sparingly() -> None:
    reading = Reading(None, 0, ROOM)
    begun(reading, 10)
    row = build_data_row([b"y" * ROOM])
    reading.take(row, spans_of([row]), [])
    assert reading.ask() == 10


@pytest.mark.parametrize("share", [0.003, 0.1, 0.5, 0.97, 1.0])
def test_steps_find_every_row_once_and_are_few(share: float) -> None:
    """A portal that is executed over and over gives what one that is asked for all gives."""
    chance = random.Random(3)
    table = ["x" if chance.random() < share else "-" for _ in range(20_000)]
    wanted = [n for n, mark in enumerate(table) if mark == "x"]
    reading, at, told, steps, executes = Reading(None, 0, 10 * ROOM), 0, [], 0, 0
    while True:
        executes += 1
        asked = reading.ask_first(50)
        told += begun(reading, 50)
        while True:
            steps += 1
            part = "".join(table[at : at + asked])
            told += given(reading, part, number=at)
            at += len(part)
            if len(part) < asked or reading.satisfied:
                break
            asked = reading.ask()
        assert reading.passed == 50 or at >= len(table)
        if not reading.suspended:
            break
    assert told == wanted
    assert steps <= 6 * executes + 15
