"""One operation while a runner carries it out: what its handler is given (proxy/keywork/handler.py)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from proxy.keywork.handler import Cancelled
from proxy.keywork.operation import Operation, Wanted
from proxy.keywork.records import Claim, Records

INTERVAL = 1.0  # seconds between two records of progress
_SMOOTHED = 0.3  # of the rate: how much the newest second counts


class ClaimedWork:
    """A Work.  Several tasks of a handler may use it at a time.  Raises ClaimLost when somebody else has it by now."""

    def __init__(self, records: Records, claim: Claim, clock: Callable[[], float] = time.monotonic) -> None:
        self._records, self._claim, self._clock = records, claim, clock
        self._operation = claim.operation
        self._recorded_at, self._recorded_done = float("-inf"), claim.operation.done
        self._step = ""
        self._rate = 0.0
        self._wanted = claim.operation.wanted
        self._turn = asyncio.Lock()

    @property
    def operation(self) -> Operation:
        return self._operation

    async def checkpoint(self, step: str, done: int = 0, total: int = 0) -> None:
        if step == self._step and self._clock() - self._recorded_at < INTERVAL and self._wanted is Wanted.RUN:
            return
        async with self._turn:
            await self._record(step, done, total)
            if self._wanted is Wanted.PAUSE:
                await self._rest()
            if self._wanted is Wanted.CANCEL:
                raise Cancelled

    async def report(self, result: Mapping[str, object]) -> None:
        await self._records.report(self._claim, result)
        self._operation = replace(self._operation, result={**self._operation.result, **result})

    async def alive(self) -> None:
        """Gives signs of life until it is cancelled, however long a step takes."""
        while True:
            await asyncio.sleep(INTERVAL)
            self._wanted = await self._records.touch(self._claim)

    async def _record(self, step: str, done: int, total: int) -> None:
        now = self._clock()
        passed = now - self._recorded_at
        if step == self._step and passed >= INTERVAL:
            newest = max(0, done - self._recorded_done) / passed
            self._rate = newest if not self._rate else (1 - _SMOOTHED) * self._rate + _SMOOTHED * newest
        elif step != self._step:
            self._rate = 0.0
        self._step, self._recorded_at, self._recorded_done = step, now, done
        self._wanted = await self._records.progress(self._claim, step, done, total, self._rate)

    async def _rest(self) -> None:
        """Until somebody wants it to go on, or cancelled."""
        await self._records.rest(self._claim, resting=True)
        while self._wanted is Wanted.PAUSE:
            await asyncio.sleep(INTERVAL / 2)
            self._wanted = await self._records.touch(self._claim)
        await self._records.rest(self._claim, resting=False)
