"""Clocks that tests turn themselves."""

from __future__ import annotations

import asyncio


class InstantClock:
    """Sleeping takes no time, but moves the clock; remembers how long each sleep was."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)


class HeldClock:
    """Sleeping lasts until the test lets time pass."""

    def __init__(self) -> None:
        self.time = 1000.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []
        self._asleep = asyncio.Event()

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        event = asyncio.Event()
        self._sleepers.append((self.time + seconds, event))
        self._asleep.set()
        await event.wait()

    async def next_sleep(self) -> float:
        """Seconds until the first sleeper wants to wake, as soon as there is one."""
        while not self._sleepers:
            self._asleep.clear()
            await self._asleep.wait()
        return min(at for at, _ in self._sleepers) - self.time

    def advance(self, seconds: float) -> None:
        self.time += seconds
        for at, event in list(self._sleepers):
            if at <= self.time:
                self._sleepers.remove((at, event))
                event.set()
