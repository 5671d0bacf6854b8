"""A circuit breaker: after several failures in a row nobody asks for a while, then one call tries for all.

    closed --(`failures` in a row)--> open --(`pause` seconds)--> half-open --(success)--> closed
                                        ^-------------(failure)-------'
Belongs to one event loop; nothing here waits.
"""

from __future__ import annotations

from enum import StrEnum

from .common import Clock


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    __slots__ = ("_clock", "_failures", "_in_a_row", "_opened_at", "_pause", "_trying")

    def __init__(self, *, failures: int, pause: float, clock: Clock) -> None:
        self._failures, self._pause, self._clock = failures, pause, clock
        self._in_a_row = 0
        self._opened_at: float | None = None
        self._trying = False

    @property
    def state(self) -> BreakerState:
        if self._opened_at is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self.wait() > 0 else BreakerState.HALF_OPEN

    def wait(self) -> float:
        """Seconds until a call may be tried again; 0 when it may be now."""
        if self._opened_at is None:
            return 0.0
        return max(0.0, self._opened_at + self._pause - self._clock.now())

    def admit(self) -> bool:
        """Whether the caller may ask now.  Whoever was admitted says afterwards how it went."""
        if self.state is BreakerState.CLOSED:
            return True
        if self.state is BreakerState.OPEN or self._trying:
            return False
        self._trying = True
        return True

    def succeeded(self) -> None:
        """The provider answered, be it with a refusal."""
        self._in_a_row, self._opened_at, self._trying = 0, None, False

    def failed(self) -> None:
        self._in_a_row += 1
        self._trying = False
        if self._opened_at is not None or self._in_a_row >= self._failures:
            self._opened_at = self._clock.now()

    def abandoned(self) -> None:
        """The caller was cancelled before there was an answer: says nothing about the provider."""
        self._trying = False
