"""The pace: it falls when others wait, grows slowly when they do not, and keeps to what it is told."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from proxy.rotation.pacing import paced
from proxy.rotation.throttle import LEAST_SHARE, LONGEST_REST, Gauge, Pace, Throttle
from proxy.rotation.tools import Tools
from tests.keys.making import CountedLeases
from tests.rotation.making import EMAIL, MAP, place_of
from tests.support.servers import Database


def test_a_late_server_halves_the_share_until_a_floor() -> None:
    throttle = Throttle(baseline=0.010, share=0.8)
    throttle.observe(0.0131, None)
    assert throttle.share == 0.4
    for _ in range(10):
        throttle.observe(0.5, None)
    assert throttle.share == LEAST_SHARE
    throttle.observe(0.009, None)
    assert LEAST_SHARE < throttle.share < 0.1


def test_a_replica_that_is_behind_counts_as_late() -> None:
    throttle = Throttle(Pace(replica_lag=2.0), baseline=0.010, share=0.8)
    throttle.observe(0.010, 2.5)
    assert throttle.share == 0.4
    throttle.observe(0.010, 1.5)
    assert throttle.share > 0.4


def test_what_could_not_be_measured_is_not_late() -> None:
    throttle = Throttle(share=1.0)
    throttle.observe(None, None)
    assert throttle.share == 1.0


def test_rest_follows_the_share() -> None:
    throttle = Throttle(Pace(), share=0.25)
    assert throttle.rest_after(0.1, 1000) == pytest.approx(0.3)
    throttle.share = LEAST_SHARE
    assert throttle.rest_after(1.0, 1000) == LONGEST_REST


def test_so_many_cells_a_second_at_most() -> None:
    throttle = Throttle(Pace(latency_factor=None, replica_lag=None, cells_a_second=1000))
    assert throttle.rest_after(0.1, 500) == pytest.approx(0.4)
    assert throttle.rest_after(0.6, 500) == 0


def test_unthrottled_never_rests() -> None:
    throttle = Throttle(Pace(latency_factor=None, replica_lag=None), share=LEAST_SHARE)
    throttle.observe(9.0, 9.0)
    assert throttle.rest_after(1.0, 1) == 0


@pytest.mark.integration
async def test_the_gauge_measures(people: asyncpg.Connection) -> None:
    gauge = Gauge(people, "SELECT 1 FROM people WHERE id = 1")
    assert 0 < await gauge.baseline(5) < 5
    assert 0 < await gauge.latency_now(5) < 5
    assert await gauge.lag() is None


@pytest.mark.integration
async def test_batches_rest_while_the_server_answers_late(
    people: asyncpg.Connection, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([0.001] * 7)  # the baseline; from then on five times as long

    async def latency(self: Gauge, probes: int = 10) -> float:
        measured.set()
        return next(answers, 0.005)

    measured = asyncio.Event()
    monkeypatch.setattr(Gauge, "latency_now", latency)
    tools = Tools(
        store=None,  # type: ignore[arg-type]
        connect=lambda name: database.connect_async(),
        data_maps=lambda: {"shop": MAP},
        leases=CountedLeases(),
    )
    async with paced(tools, place_of(EMAIL)) as rest:
        for _ in range(2):  # when it is measured a second time, the first has been observed
            measured.clear()
            await measured.wait()
        began = asyncio.get_running_loop().time()
        await rest(0.01, 100)
        assert asyncio.get_running_loop().time() - began > 0.01 / 0.25  # more than at the share that it begins with
