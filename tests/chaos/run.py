"""Chaos: rotations of data keys, term keys and the KEK under a workload through whole proxies, with kills in between.

`python -m tests.chaos.run --seconds 600 --seed 7`, and as part of `make soak`.  Ends with 1 when anything is wrong: an
answer, a cell, an operation that did not end, something that was left behind.  The seed gives what is done and in which
order; when the machine does it is the machine's.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .client import Client
from .disturber import DISTURBANCES, MORE_ROTATIONS, Disturber
from .faults import FAULTS
from .house import House, built
from .operations import Desk
from .verdict import verdict

MOST = 12  # clients: each speaks for a customer of the sample


@dataclass(slots=True)
class Chaos:
    """One run over a house.  `clients` stay, with their journals, from one run to the next."""

    house: House
    seed: int
    clients: list[Client] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    patience: float = 240.0  # seconds in which everything that was asked for must have ended
    desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        self.desk = Desk(self.house)

    def with_clients(self, count: int) -> Chaos:
        self.clients += [Client(n, self.house, random.Random(f"{self.seed}/{n}")) for n in range(count)]
        return self

    async def run(self, rotations: Sequence[str], disturbances: Sequence[str], seconds: float = 0.0) -> list[str]:
        """What is wrong at the end."""
        disturber = Disturber(self.house, self.desk, random.Random(f"{self.seed}/disturber"))
        over, quiet = asyncio.Event(), asyncio.Event()
        working = [asyncio.create_task(client.run(over)) for client in self.clients]
        disturbing = asyncio.create_task(disturber.disturb(quiet, disturbances))
        wrong = []
        try:
            async with asyncio.timeout(seconds + self.patience):
                await self._watched(disturber.rotate(rotations, seconds), working)
                quiet.set()
                await disturbing
                await self._watched(self.desk.ended(*self.desk.asked), working)
        except TimeoutError:
            wrong.append(f"operations have not ended: {await self._unfinished()}")
        finally:
            quiet.set()
            over.set()
            await asyncio.gather(disturbing, *working)
        self.counts += disturber.counts
        for client in self.clients:
            self.counts += client.counts
        if wrong or any(client.wrong for client in self.clients):
            return [*wrong, *(told for client in self.clients for told in client.wrong)]
        return await verdict(self.house, self.desk, self.clients)

    async def _watched(self, work, working: Sequence[asyncio.Task[None]]) -> None:  # type: ignore[no-untyped-def]
        """Until it is done, or a client has found something wrong."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task, *working}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
        finally:
            task.cancel()

    def story(self) -> str:
        """What was done, for people."""
        told = [f"{count:8} {name}" for name, count in sorted(self.counts.items())]
        return "\n".join([*told, f"{len(self.desk.asked):8} operations", f"seed {self.seed}"])

    async def _unfinished(self) -> list[str]:
        return [f"{each['kind']} {each['state']} {each['step']}" for each in await self.desk.unfinished()]


async def soak(seconds: float, seed: int, options: argparse.Namespace) -> list[str]:
    async with built(proxies=3, runners=2, rows=400, keep=options.keep_logs, fault=options.fault) as house:
        chaos = Chaos(house, seed, patience=options.patience).with_clients(min(options.clients, MOST))
        wrong = await chaos.run(MORE_ROTATIONS, DISTURBANCES, seconds)
    print(chaos.story())
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=None)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--keep-logs", type=Path, default=None)
    parser.add_argument("--patience", type=float, default=240, help="seconds in which everything must have ended")
    parser.add_argument("--fault", choices=sorted(FAULTS), default=None, help="break the product: it must be found")
    options, _ = parser.parse_known_args()
    seed = options.seed if options.seed is not None else time.time_ns() % 1_000_000
    seconds = options.seconds if options.seconds is not None else 60 * options.minutes
    wrong = asyncio.run(soak(seconds, seed, options))
    print("\n".join(wrong) or "nothing wrong")
    if wrong:
        print(f"again: python -m tests.chaos.run --seconds {seconds:g} --seed {seed}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
