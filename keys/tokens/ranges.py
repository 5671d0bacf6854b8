"""Inputs of the tokens of dates, times and numbers: the nested spans that a value lies in.  Pure.

A *step* is a whole number that never falls while values rise; many values share one.  Spans of level n hold 4**n steps,
and a value has one token for each level.  So any range is a few spans, six of a level at most, whatever its ends, and
what they hold besides lies in the first and the last step.  Far from where people's data is there is one span below all
others and one above.

Steps: 32 days; 2**39 microseconds (6.4 days); of numbers, the twentieth part of a decade (the series R20 of ISO 3).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

DATES, TIMES, INTEGERS, NUMBERS = "range-date.1", "range-time.1", "range-integer.1", "range-numeric.1"

_FAN = 4
_DAY_BITS, _MICROSECOND_BITS = 5, 39
_SERIES = (10, 11, 12, 14, 16, 18, 20, 22, 25, 28, 31, 35, 40, 45, 50, 56, 63, 71, 80, 90)  # of two leading digits
_SMALLEST = -8  # the decade of 0.00000001; what is closer to zero shares its step
_BELOW, _ABOVE = b"below", b"above"
_FAR = 1 << 32  # a step beyond all spans


@dataclass(frozen=True, slots=True)
class Ladder:
    """The spans of one mode: levels 0 to `top`, over the steps from -4**top to 4**top - 1."""

    mode: str
    top: int

    @property
    def most(self) -> int:
        """No range has more spans than this."""
        return 2 * (_FAN - 1) * self.top + 4

    def spans_of(self, step: int) -> frozenset[bytes]:
        """What a value of this step is found by."""
        edge = _FAN**self.top
        if not -edge <= step < edge:
            return frozenset((self._outside(_BELOW if step < 0 else _ABOVE),))
        return frozenset(self._span(level, step // _FAN**level) for level in range(self.top + 1))

    def cover(self, low: int | None, high: int | None) -> frozenset[bytes]:
        """Spans that hold all steps from `low` to `high`, and no other; None: no end on that side."""
        edge = _FAN**self.top
        first, last = -edge if low is None else low, edge - 1 if high is None else high
        if low is not None and high is not None and low > high:
            return frozenset()
        found = set(self._inside(max(first, -edge), min(last, edge - 1)))
        if low is None or low < -edge:
            found.add(self._outside(_BELOW))
        if high is None or high >= edge:
            found.add(self._outside(_ABOVE))
        return frozenset(found)

    def _inside(self, first: int, last: int) -> Iterator[bytes]:
        """From both ends inwards: as far as the next level does not begin or end there."""
        for level in range(self.top + 1):
            while first <= last and (first % _FAN or level == self.top):
                yield self._span(level, first)
                first += 1
            while first <= last and (last + 1) % _FAN:
                yield self._span(level, last)
                last -= 1
            if first > last:
                return
            first, last = first // _FAN, (last + 1) // _FAN - 1

    def _span(self, level: int, number: int) -> bytes:
        return b"%s\0%d:%d" % (self.mode.encode(), level, number)

    def _outside(self, side: bytes) -> bytes:
        return self.mode.encode() + b"\0" + side


LADDERS = {DATES: Ladder(DATES, 6), TIMES: Ladder(TIMES, 7), INTEGERS: Ladder(INTEGERS, 5), NUMBERS: Ladder(NUMBERS, 5)}


def step_of_days(days: int) -> int:
    """Days from 2000-01-01, as in date's binary form; its infinities are the ends of 32 bits."""
    return days >> _DAY_BITS


def step_of_microseconds(microseconds: int) -> int:
    """Microseconds from 2000-01-01, as in the binary form of timestamp and timestamptz."""
    return microseconds >> _MICROSECOND_BITS


def step_of_number(text: bytes) -> int:
    """Of a number in canonical decimal form, as numeric_out prints it.  Raises ValueError for anything else."""
    if text in (b"NaN", b"Infinity", b"-Infinity"):
        return -_FAR if text.startswith(b"-") else _FAR
    size = _size_of(text.removeprefix(b"-"))
    return -size if text.startswith(b"-") else size


def _size_of(digits: bytes) -> int:
    """0 for zero and what is next to it, then 1, 2, ... : the decade, and where in it."""
    whole, _, fraction = digits.partition(b".")
    if not whole.isdigit() or (fraction and not fraction.isdigit()):
        raise ValueError("no canonical number")
    significant = fraction.lstrip(b"0") if whole == b"0" else whole
    if not significant:
        return 0
    decade = len(whole) - 1 if whole != b"0" else len(significant) - len(fraction) - 1
    leading = (significant if whole == b"0" else whole + fraction[:1])[:2].ljust(2, b"0")
    return 0 if decade < _SMALLEST else (decade - _SMALLEST) * len(_SERIES) + bisect_right(_SERIES, int(leading))


def _step_of_binary(of_value: Callable[[int], int]) -> Callable[[bytes], int]:
    return lambda cell: of_value(int.from_bytes(cell, "big", signed=True))


def step_of_integer(number: int) -> int:
    return step_of_number(b"%d" % number)


STEPS: dict[str, Callable[[bytes], int]] = {
    DATES: _step_of_binary(step_of_days),
    TIMES: _step_of_binary(step_of_microseconds),
    INTEGERS: _step_of_binary(step_of_integer),
    NUMBERS: step_of_number,
}
"""From a cell form of each mode to its step."""


def spans_of(mode: str) -> Callable[[bytes], frozenset[bytes] | None]:
    """From a cell form to the inputs of its tokens; None: it is none of this mode's values."""
    ladder, step = LADDERS[mode], STEPS[mode]

    def inputs(cell: bytes) -> frozenset[bytes] | None:
        try:
            return ladder.spans_of(step(cell))
        except ValueError:
            return None

    return inputs
