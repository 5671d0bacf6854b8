"""What providers share: the clock that they are given, and the canary."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from keys.errors import ProviderRefused
from keys.primitives import equal, random_bytes
from keys.provider import KekProvider, Wrapped, Wrapping

CANARY_CONTEXT = b"fieldgate canary v1"


class Clock(Protocol):
    """Time as providers see it; tests hand in one that they turn themselves."""

    def now(self) -> float:
        """Seconds that never go back."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def check_with_canary(provider: KekProvider) -> None:
    """Wraps and unwraps random bytes, so that a health check proves use and not only reachability."""
    canary = random_bytes(32)
    [blob] = await provider.wrap([Wrapping(canary, CANARY_CONTEXT)])
    [answer] = await provider.unwrap([Wrapped(blob, CANARY_CONTEXT)])
    if not equal(canary, answer):
        raise ProviderRefused(f"{provider.uri} unwraps other bytes than it wrapped: stop using it and find out why")
