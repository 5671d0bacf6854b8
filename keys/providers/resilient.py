"""The one wrapper around every remote provider: time limits, retries with jitter, a circuit breaker, counters.

Long lists are cut into calls of `inner.per_call` items, so that each has a time limit of its own and a retry repeats
one call, not all.  Only ProviderUnavailable is retried.  `rotate` is never repeated: an answer that was lost may hide
a version that was made.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from keys.ciphers import Unshareable
from keys.errors import CryptoError, ProviderRefused, ProviderUnavailable
from keys.provider import KekProvider, Wrapped, Wrapping

from .breaker import Breaker, BreakerState
from .common import Clock, SystemClock

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


class RemoteKek(KekProvider, Protocol):
    """A provider that is asked over something that can fail."""

    @property
    def per_call(self) -> int:
        """How many keys one call may hold; the methods of the provider are called with no more."""
        ...


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds and counts: how long one call may take, how often it is made, and when nobody asks for a while."""

    timeout: float = 10.0
    attempts: int = 3
    first_delay: float = 0.2
    longest_delay: float = 5.0
    failures: int = 5
    pause: float = 30.0


@dataclass(frozen=True, slots=True)
class Statistics:
    """For metrics.  `calls` and `unavailable` by operation, each attempt counted; `since_success` in seconds."""

    calls: Mapping[str, int]
    unavailable: Mapping[str, int]
    refused: Mapping[str, int]
    turned_away: int
    state: BreakerState
    since_success: float | None


class _NotAsked(ProviderUnavailable):
    """The breaker is open."""


def _worth_repeating(failure: BaseException) -> bool:
    return isinstance(failure, ProviderUnavailable) and not isinstance(failure, _NotAsked)


class ResilientKek(Unshareable):
    """A KekProvider around a RemoteKek."""

    def __init__(self, inner: RemoteKek, patience: Patience | None = None, clock: Clock | None = None) -> None:
        self._inner, self._patience, self._clock = inner, patience or Patience(), clock or SystemClock()
        self._breaker = Breaker(failures=self._patience.failures, pause=self._patience.pause, clock=self._clock)
        self._calls: Counter[str] = Counter()
        self._unavailable: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._turned_away = 0
        self._succeeded_at: float | None = None

    @property
    def uri(self) -> str:
        return self._inner.uri

    def statistics(self) -> Statistics:
        since = None if self._succeeded_at is None else self._clock.now() - self._succeeded_at
        return Statistics(
            dict(self._calls),
            dict(self._unavailable),
            dict(self._refused),
            self._turned_away,
            self._breaker.state,
            since,
        )

    async def open(self) -> None:
        await self._persistently("open", self._inner.open)

    async def close(self) -> None:
        try:
            async with asyncio.timeout(self._patience.timeout):
                await self._inner.close()
        except TimeoutError:
            pass  # what does not answer has nothing left that could be closed

    async def wrap(self, items: Sequence[Wrapping]) -> list[bytes]:
        return await self._in_calls("wrap", self._inner.wrap, items)

    async def unwrap(self, items: Sequence[Wrapped]) -> list[bytes]:
        return await self._in_calls("unwrap", self._inner.unwrap, items)

    async def rewrap(self, items: Sequence[Wrapped]) -> list[bytes]:
        return await self._in_calls("rewrap", self._inner.rewrap, items)

    async def rotate(self) -> str:
        return await self._once("rotate", self._inner.rotate)

    async def version(self) -> str:
        return await self._persistently("version", self._inner.version)

    def version_of(self, blob: bytes) -> str:
        return self._inner.version_of(blob)

    async def check(self) -> None:
        await self._persistently("check", self._inner.check)

    async def _in_calls(
        self, name: str, call: Callable[[Sequence[_Item]], Awaitable[list[bytes]]], items: Sequence[_Item]
    ) -> list[bytes]:
        answers: list[bytes] = []
        for start in range(0, len(items), self._inner.per_call):
            part = items[start : start + self._inner.per_call]
            answered = await self._persistently(name, lambda part=part: call(part))  # type: ignore[misc]
            if len(answered) != len(part):
                raise ProviderRefused(f"{self.uri} answered {len(answered)} of {len(part)} keys")
            answers += answered
        return answers

    async def _persistently(self, name: str, call: Callable[[], Awaitable[_Answer]]) -> _Answer:
        patience = self._patience
        retrying = AsyncRetrying(
            sleep=self._clock.sleep,
            retry=retry_if_exception(_worth_repeating),
            stop=stop_after_attempt(patience.attempts),
            wait=wait_random_exponential(multiplier=patience.first_delay, max=patience.longest_delay),
            reraise=True,
        )
        return await retrying(self._once, name, call)

    async def _once(self, name: str, call: Callable[[], Awaitable[_Answer]]) -> _Answer:
        if not self._breaker.admit():
            self._turned_away += 1
            raise _NotAsked(
                f"{self.uri} failed {self._patience.failures} times in a row and is not asked for the next "
                f"{self._breaker.wait():.0f} s"
            )
        self._calls[name] += 1
        try:
            answer = await self._timed(call)
        except ProviderUnavailable:
            self._unavailable[name] += 1
            self._breaker.failed()
            raise
        except CryptoError:
            self._refused[name] += 1
            self._breaker.succeeded()
            raise
        except BaseException:
            self._breaker.abandoned()
            raise
        self._breaker.succeeded()
        self._succeeded_at = self._clock.now()
        return answer

    async def _timed(self, call: Callable[[], Awaitable[_Answer]]) -> _Answer:
        try:
            async with asyncio.timeout(self._patience.timeout) as limit:
                return await call()
        except TimeoutError:
            if not limit.expired():
                raise ProviderUnavailable(f"{self.uri} does not answer") from None
            raise ProviderUnavailable(f"{self.uri} does not answer within {self._patience.timeout:g} s") from None
