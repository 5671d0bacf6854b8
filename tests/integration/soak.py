"""Days of an application in minutes: `make soak`, or `python -m tests.integration.soak --minutes 10 --clients 20`.

Many clients do the sample application's work and look at it as other roles, while sessions are killed and the policy is
loaded again.  Ends with 1 when an error other than a killed session occurred, a plaintext was found, or the proxy's
memory grew by more than a quarter after the first fifth of the time.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

import asyncpg
import psutil

from .canaries import Canaries, Searcher
from .conftest import raw_finds
from .sample_app import Row, work
from .stage import Stage, raised

_KILLED = (
    asyncpg.AdminShutdownError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # its word for a query sent between the server's last error and the close
    ConnectionError,
)
_LOOKS = (
    ("management", "SELECT * FROM customers ORDER BY id DESC LIMIT 50"),
    ("support", "SELECT id, surname, email FROM customers LIMIT 50"),
    ("accounting", "SELECT o.id, o.total, c.surname FROM orders o JOIN customers c ON c.id = o.customer_id LIMIT 50"),
    ("hr", "SELECT * FROM employees"),
)


@dataclass(slots=True)
class Soak:
    stage: Stage
    canaries: Canaries
    until: float
    counts: Counter[str] = field(default_factory=Counter)
    memory: list[int] = field(default_factory=list)

    async def run(self, clients: int) -> None:
        tasks = [self._application() for _ in range(clients)]
        tasks += [self._look(role, query) for role, query in _LOOKS]
        await asyncio.gather(*tasks, self._disturb(), self._watch())

    async def _application(self) -> None:
        while time.monotonic() < self.until:
            await self._session("shop_app", self._work)

    async def _work(self, connection: asyncpg.Connection) -> None:
        async def run(statement: str, *values: object) -> list[Row]:
            return [tuple(record) for record in await connection.fetch(statement, *values)]

        for _ in range(random.randint(1, 10)):
            await work(run, self.canaries)

    async def _look(self, role: str, query: str) -> None:
        async def look(connection: asyncpg.Connection) -> None:
            for _ in range(20):
                await connection.fetch(query)
                await asyncio.sleep(0.05)

        while time.monotonic() < self.until:
            await self._session(role, look)

    async def _session(self, role: str, do: object) -> None:
        try:
            connection = await self.stage.open(role)
            try:
                await do(connection)  # type: ignore[operator]
            finally:
                await connection.close(timeout=5)
            self.counts["good sessions"] += 1
        except (*_KILLED, TimeoutError):
            self.counts["killed sessions"] += 1
        except (AssertionError, asyncpg.PostgresError) as problem:
            self.counts[f"wrong: {type(problem).__name__}: {problem}"[:200]] += 1

    async def _disturb(self) -> None:
        """Now and then a server session dies, and the policy is loaded again."""
        raw = await asyncpg.connect(self.stage.raw.url())
        while time.monotonic() < self.until:
            await asyncio.sleep(random.uniform(1, 4))
            await raw.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'fg\\_%' LIMIT 1"
            )
            if random.random() < 0.2:
                self.stage.service.signal(signal.SIGHUP)
        await raw.close()

    async def _watch(self) -> None:
        proxy = psutil.Process(self.stage.service.pid)
        while time.monotonic() < self.until:
            family = [proxy, *proxy.children(recursive=True)]
            self.memory.append(sum(process.memory_info().rss for process in family))
            await asyncio.sleep(2)

    def verdict(self) -> list[str]:
        """What is wrong."""
        found = [line for line in self.counts if line.startswith("wrong")]
        found += raw_finds(self.stage, self.canaries)
        found += Searcher(self.canaries.patterns()).search(*self.stage.places)
        early = self.memory[len(self.memory) // 5]
        if self.memory[-1] > early * 1.25:
            found.append(f"memory grew from {early >> 20} MB to {self.memory[-1] >> 20} MB")
        return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=20)
    options = parser.parse_args()
    with raised(workers=2) as stage:
        soak = Soak(stage, Canaries(), time.monotonic() + options.minutes * 60)
        asyncio.run(soak.run(options.clients))
        wrong = soak.verdict()
    for name, count in soak.counts.most_common():
        print(f"{count:8} {name}")
    print(f"memory: {soak.memory[0] >> 20} MB at first, {soak.memory[-1] >> 20} MB at the end")
    print("\n".join(wrong) or "nothing wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
