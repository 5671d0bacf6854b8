"""What several rounds say: the spread of a side's values, and the spread of the ratio between two sides.

A ratio is taken within each round, because neighbouring measurements share the machine's mood; then the rounds'
ratios are summed up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    minimum: float
    median: float
    maximum: float


def spread(values: Sequence[float]) -> Spread:
    """Raises ValueError for no values."""
    if not values:
        raise ValueError("nothing was measured")
    return Spread(min(values), median(values), max(values))


def ratios(values: Sequence[float], base: Sequence[float]) -> list[float]:
    """Round by round.  Raises ValueError when the rounds do not match, or when a base is not positive."""
    if len(values) != len(base):
        raise ValueError("both sides of a ratio need the same rounds")
    if any(b <= 0 for b in base):
        raise ValueError("the base of a ratio is not positive")
    return [v / b for v, b in zip(values, base, strict=True)]


@dataclass(frozen=True, slots=True)
class Goal:
    """What is wanted of a side: a bound on its own value, or, with `base`, on its ratio to another side."""

    side: str
    base: str | None = None
    at_least: float | None = None
    at_most: float | None = None

    def values(self, rounds: Mapping[str, Sequence[float]]) -> list[float]:
        own = rounds[self.side]
        return list(own) if self.base is None else ratios(own, rounds[self.base])

    def met(self, rounds: Mapping[str, Sequence[float]]) -> bool | None:
        """Judged by the median; None when the goal is only there to be shown."""
        if self.at_least is None and self.at_most is None:
            return None
        middle = median(self.values(rounds))
        low = self.at_least is None or middle >= self.at_least
        return low and (self.at_most is None or middle <= self.at_most)
