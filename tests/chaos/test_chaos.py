"""Rotations of data key, term keys and KEK under a workload, with kills: nothing is lost, and what would lose is found.

`make soak` does it for minutes.  A failure prints its seed; `python -m tests.chaos.run --seed N` begins alike.
"""

from __future__ import annotations

import random

import pytest

from .disturber import DISTURBANCES, PHONE, ROTATIONS
from .faults import LOST_UPDATES
from .house import House, built
from .operations import of_field
from .run import Chaos

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(400)]


async def test_nothing_is_lost_and_what_would_lose_is_found() -> None:
    """One house for both, since it takes longest to build."""
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")
    async with built(proxies=2, runners=2, rows=40) as house:
        chaos = Chaos(house, seed).with_clients(3)
        assert await chaos.run(ROTATIONS, DISTURBANCES) == [], chaos.story()
        assert all(client.sessions > 1 for client in chaos.clients)  # the server was restarted under each of them
        with_one_runner(house, LOST_UPDATES)
        faulty = Chaos(house, seed, chaos.clients)
        assert await faulty.run([of_field(PHONE, "rotate-data-key")] * 5, ()) != [], faulty.story()


def with_one_runner(house: House, fault: str) -> None:
    for node in house.runners:
        node.kill()
    del house.runners[1:]
    house.runners[0].fault = fault
    house.runners[0].start()
