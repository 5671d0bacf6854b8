"""Time limits, retries, the circuit breaker and the counters around a provider; the clock is turned by the tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from keys.errors import KeyringLocked, ProviderRefused, ProviderUnavailable
from keys.provider import Wrapped, Wrapping
from keys.providers.breaker import Breaker, BreakerState
from keys.providers.resilient import Patience, ResilientKek

from .clocks import InstantClock

PATIENCE = Patience(timeout=5.0, attempts=3, first_delay=1.0, longest_delay=8.0, failures=5, pause=30.0)


class Scripted:
    """A RemoteKek that does what the script says, one step for each call; then it echoes."""

    uri = "scripted:kek"

    def __init__(self, *script: Exception | Callable[[], object], per_call: int = 10) -> None:
        self.script, self.per_call = list(script), per_call
        self.calls: list[int] = []

    async def _step(self, count: int) -> None:
        self.calls.append(count)
        if self.script:
            step = self.script.pop(0)
            if isinstance(step, Exception):
                raise step
            found = step()
            if asyncio.iscoroutine(found):
                await found

    async def open(self) -> None:
        await self._step(0)

    async def close(self) -> None:
        await self._step(0)

    async def wrap(self, items: Sequence[Wrapping]) -> list[bytes]:
        await self._step(len(items))
        return [item.material for item in items]

    async def unwrap(self, items: Sequence[Wrapped]) -> list[bytes]:
        await self._step(len(items))
        return [item.blob for item in items]

    rewrap = unwrap

    async def rotate(self) -> str:
        await self._step(0)
        return "2"

    async def version(self) -> str:
        await self._step(0)
        return "1"

    def version_of(self, blob: bytes) -> str:
        return blob.decode()

    async def check(self) -> None:
        await self._step(0)


def around(inner: Scripted, patience: Patience = PATIENCE) -> tuple[ResilientKek, InstantClock]:
    clock = InstantClock()
    return ResilientKek(inner, patience, clock), clock


def gone() -> ProviderUnavailable:
    return ProviderUnavailable("gone")


def keys(count: int) -> list[Wrapped]:
    return [Wrapped(b"%d" % number, b"c") for number in range(count)]


async def test_what_passes_is_tried_again_with_jitter() -> None:
    inner = Scripted(gone(), gone())
    kek, clock = around(inner)
    assert await kek.unwrap(keys(2)) == [b"0", b"1"]
    assert inner.calls == [2, 2, 2]
    assert len(clock.slept) == 2 and 0 <= clock.slept[0] <= 1 and 0 <= clock.slept[1] <= 2
    assert kek.statistics().calls == {"unwrap": 3} and kek.statistics().unavailable == {"unwrap": 2}
    assert kek.statistics().since_success == 0


async def test_delays_differ_from_one_caller_to_the_next() -> None:
    seen = set()
    for _ in range(5):
        kek, clock = around(Scripted(gone()))
        await kek.version()
        seen.add(clock.slept[0])
    assert len(seen) == 5


async def test_it_gives_up() -> None:
    inner = Scripted(*[gone() for _ in range(9)])
    kek, _ = around(inner)
    with pytest.raises(ProviderUnavailable, match="gone"):
        await kek.check()
    assert len(inner.calls) == 3


@pytest.mark.parametrize("error", [ProviderRefused("no"), KeyringLocked("changed"), ValueError("bug")])
async def test_what_does_not_pass_is_not_tried_again(error: Exception) -> None:
    inner = Scripted(error)
    kek, clock = around(inner)
    with pytest.raises(type(error)):
        await kek.unwrap(keys(1))
    assert len(inner.calls) == 1 and clock.slept == []
    assert kek.statistics().state is BreakerState.CLOSED


async def test_a_rotation_is_never_repeated() -> None:
    inner = Scripted(gone())
    kek, _ = around(inner)
    with pytest.raises(ProviderUnavailable):
        await kek.rotate()
    assert len(inner.calls) == 1


async def test_long_lists_are_cut_and_only_the_failed_part_is_repeated() -> None:
    inner = Scripted(lambda: None, gone())
    kek, _ = around(inner)
    assert await kek.unwrap(keys(25)) == [b"%d" % number for number in range(25)]
    assert inner.calls == [10, 10, 10, 5]


async def test_an_answer_of_another_length_is_refused() -> None:
    class Short(Scripted):
        async def unwrap(self, items: Sequence[Wrapped]) -> list[bytes]:
            return [item.blob for item in items[1:]]

    kek, _ = around(Short())
    with pytest.raises(ProviderRefused, match="1 of 2"):
        await kek.unwrap(keys(2))


async def test_a_call_that_hangs_is_left() -> None:
    inner = Scripted(lambda: asyncio.Event().wait(), lambda: asyncio.Event().wait())
    kek, _ = around(inner, Patience(timeout=0.02, attempts=2))
    with pytest.raises(ProviderUnavailable, match=r"does not answer within 0\.02 s"):
        await kek.version()
    assert len(inner.calls) == 2


async def test_a_close_that_hangs_is_left() -> None:
    kek, _ = around(Scripted(lambda: asyncio.Event().wait()), Patience(timeout=0.02))
    await kek.close()


async def test_after_failures_in_a_row_nobody_asks_for_a_while() -> None:
    inner = Scripted(*[gone() for _ in range(6)])
    kek, clock = around(inner, Patience(attempts=1, failures=5, pause=30))
    for _ in range(5):
        with pytest.raises(ProviderUnavailable, match="gone"):
            await kek.version()
    assert kek.statistics().state is BreakerState.OPEN
    for _ in range(3):
        with pytest.raises(ProviderUnavailable, match="not asked for the next 30 s"):
            await kek.version()
    assert len(inner.calls) == 5 and kek.statistics().turned_away == 3
    clock.time += 30
    assert kek.statistics().state is BreakerState.HALF_OPEN
    with pytest.raises(ProviderUnavailable, match="gone"):
        await kek.version()
    assert kek.statistics().state is BreakerState.OPEN
    clock.time += 30
    assert await kek.version() == "1"
    assert kek.statistics().state is BreakerState.CLOSED
    assert await kek.version() == "1"


async def test_an_open_breaker_is_not_waited_for() -> None:
    inner = Scripted(*[gone() for _ in range(3)])
    kek, clock = around(inner, Patience(attempts=3, failures=3))
    with pytest.raises(ProviderUnavailable):
        await kek.version()
    slept = len(clock.slept)
    with pytest.raises(ProviderUnavailable, match="not asked"):
        await kek.version()
    assert len(clock.slept) == slept


async def test_half_open_one_tries_for_all() -> None:
    release = asyncio.Event()
    inner = Scripted(gone(), release.wait)
    kek, clock = around(inner, Patience(attempts=1, failures=1, pause=1))
    with pytest.raises(ProviderUnavailable):
        await kek.version()
    clock.time += 1
    trial = asyncio.create_task(kek.version())
    await asyncio.sleep(0)
    with pytest.raises(ProviderUnavailable, match="not asked"):
        await kek.version()
    release.set()
    assert await trial == "1"
    assert len(inner.calls) == 2


async def test_a_trial_that_is_cancelled_lets_the_next_one_try() -> None:
    inner = Scripted(gone(), lambda: asyncio.Event().wait())
    kek, clock = around(inner, Patience(attempts=1, failures=1, pause=1))
    with pytest.raises(ProviderUnavailable):
        await kek.version()
    clock.time += 1
    trial = asyncio.create_task(kek.version())
    await asyncio.sleep(0)
    trial.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trial
    assert await kek.version() == "1"


def test_successes_between_failures_keep_it_closed() -> None:
    breaker = Breaker(failures=2, pause=1, clock=InstantClock())
    for _ in range(5):
        assert breaker.admit()
        breaker.failed()
        breaker.succeeded()
    assert breaker.state is BreakerState.CLOSED
