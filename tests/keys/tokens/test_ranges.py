"""Spans of ranges: they miss nothing, hold little besides, and are few."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.tokens import inputs_of
from keys.tokens.ranges import (
    DATES,
    INTEGERS,
    LADDERS,
    NUMBERS,
    STEPS,
    TIMES,
    Ladder,
    step_of_days,
    step_of_integer,
    step_of_microseconds,
    step_of_number,
)

LADDER = st.sampled_from(list(LADDERS.values()))
SMALL = Ladder("small", 3)
STEP = st.one_of(st.integers(-70, 70), st.integers(-(1 << 33), 1 << 33), st.integers(-20_000, 20_000))
END = st.one_of(st.none(), STEP)
SIZES = {DATES: 4, TIMES: 8, INTEGERS: 8}


@given(LADDER, STEP, END, END)
def test_a_step_has_a_span_of_the_range_iff_it_lies_in_it(
    ladder: Ladder, step: int, low: int | None, high: int | None
) -> None:
    cover = ladder.cover(low, high)
    assert len(cover) <= ladder.most
    inside = (low is None or low <= step) and (high is None or step <= high)
    edge = 4**ladder.top
    if inside or -edge <= step < edge:  # outside all spans others are found, too, and looked at
        assert inside == bool(ladder.spans_of(step) & cover)


def test_every_range_of_a_small_ladder_exactly() -> None:
    steps = range(-66, 67)
    spans = {step: SMALL.spans_of(step) for step in steps}
    for low in range(-64, 65):
        for high in range(low - 1, 65):
            cover = SMALL.cover(low, high)
            found = {step for step in steps if spans[step] & cover}
            wanted = set(range(low, high + 1))
            assert found - wanted <= ({64, 65, 66} if high >= 64 else set())
            assert wanted <= found


@pytest.mark.parametrize(
    ("mode", "most", "tokens"), [(DATES, 40, 7), (TIMES, 46, 8), (INTEGERS, 34, 6), (NUMBERS, 34, 6)]
)
def test_how_many_there_are(mode: str, most: int, tokens: int) -> None:
    assert LADDERS[mode].most == most
    assert len(LADDERS[mode].spans_of(-1)) == tokens
    assert len(LADDERS[mode].spans_of(1 << 40)) == len(LADDERS[mode].spans_of(-(1 << 40))) == 1


@given(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(-(1 << 63), (1 << 63) - 1))
def test_steps_of_whole_numbers_never_fall(one: int, other: int) -> None:
    one, other = sorted((one, other))
    for step in (step_of_days, step_of_microseconds, step_of_integer):
        assert step(one) <= step(other)


_DECIMALS = st.one_of(
    st.decimals(-1000, 1000, places=4, allow_nan=False),
    st.decimals(allow_nan=False, allow_infinity=False).filter(lambda d: abs(d.as_tuple().exponent) < 400),  # type: ignore[arg-type]
)


def canonical(number: Decimal) -> bytes:
    text = f"{number:f}"
    return (text if number else text.removeprefix("-")).encode()


@given(_DECIMALS, _DECIMALS)
def test_steps_of_decimal_numbers_never_fall(one: Decimal, other: Decimal) -> None:
    one, other = sorted((one, other))
    low, high = step_of_number(canonical(one)), step_of_number(canonical(other))
    assert low <= high
    assert step_of_number(b"-Infinity") < low
    assert high < step_of_number(b"Infinity") <= step_of_number(b"NaN")
    assert step_of_number(canonical(-one)) == -low


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("52400", "55999.99", True), ("50000", "49999", False), ("0", "0.000000009", True), ("0.5", "0.50", True),
     ("9", "10", False), ("34", "31", True), ("35", "34", False), ("0.00000001", "0", False)],
)  # fmt: skip
def test_how_fine_steps_of_numbers_are(one: str, other: str, same: bool) -> None:
    assert (step_of_number(one.encode()) == step_of_number(other.encode())) is same


@given(st.sampled_from(list(SIZES)), st.binary(min_size=8, max_size=8))
def test_every_cell_has_its_spans(mode: str, cell: bytes) -> None:
    cell = cell[: SIZES[mode]]
    assert inputs_of([mode])(cell) == LADDERS[mode].spans_of(STEPS[mode](cell))


def test_what_is_no_number_can_not_be_told() -> None:
    for cell in (b"", b"x", b"1x", b"1.y", b"--1"):
        assert inputs_of([NUMBERS])(cell) is None


def test_a_long_number_takes_no_time() -> None:
    assert step_of_number(b"9" * 131_072) > 4**5
    assert step_of_number(b"0." + b"0" * 16_000 + b"1") == 0


def test_what_a_year_is_covered_by() -> None:
    """The number of days that are looked at for a year is the year, and less than two months."""
    ladder = LADDERS[DATES]
    low, high = -3653, -3288  # 1990
    cover = ladder.cover(step_of_days(low), step_of_days(high))
    held = [day for day in range(-5000, 0) if ladder.spans_of(step_of_days(day)) & cover]
    assert held[0] <= low and held[-1] >= high
    assert len(held) <= 366 + 62
    assert len(cover) <= 12
