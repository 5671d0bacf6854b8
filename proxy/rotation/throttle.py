"""How fast re-encryption may go: a share of the time in which it works, cut when the server answers others late.

After each batch `Throttle` says how long to rest.  It knows three things: how long a small probe takes now against
how long it took before the work began (applications feel the same), how far the furthest replica is behind, and how
many cells a second are allowed at most.  The share falls by half when a target is missed and grows by little while all
are kept (additive increase, multiplicative decrease), so it finds the pace that the server bears.  Pure; the probe and
the lag are measured by `Gauge`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from proxy.sealing.facts import Connection

LEAST_SHARE = 0.02
STEP = 0.05
LONGEST_REST = 5.0


@dataclass(frozen=True, slots=True)
class Pace:
    """What the throttle keeps to; None or 0 means that it does not look at that.

    `latency_factor`: how many times as long as before the probe may take.  `replica_lag`: seconds.
    """

    latency_factor: float | None = 1.3
    replica_lag: float | None = 10.0
    cells_a_second: float = 0.0
    rest: float = 0.0  # seconds between batches, at least

    @property
    def unthrottled(self) -> bool:
        return self.latency_factor is None and self.replica_lag is None and not self.cells_a_second and not self.rest


@dataclass(slots=True)
class Throttle:
    """One for all workers of an operation in one database.  Durations are seconds."""

    pace: Pace = field(default_factory=Pace)
    baseline: float | None = None  # of the probe, before the work
    share: float = 0.25  # of the time; begins low

    def observe(self, probe: float | None, lag: float | None) -> None:
        """What was measured last; None: could not be."""
        late = (
            self.pace.latency_factor is not None
            and self.baseline is not None
            and probe is not None
            and probe > self.baseline * self.pace.latency_factor
        )
        behind = self.pace.replica_lag is not None and lag is not None and lag > self.pace.replica_lag
        if late or behind:
            self.share = max(LEAST_SHARE, self.share / 2)
        else:
            self.share = min(1.0, self.share + STEP)

    def rest_after(self, worked: float, cells: int) -> float:
        """How long to rest after a batch of so many cells that took so long."""
        if self.pace.unthrottled:
            return 0.0
        rest = self.pace.rest
        if self.pace.latency_factor is not None or self.pace.replica_lag is not None:
            rest = max(rest, worked / self.share - worked)
        if self.pace.cells_a_second:
            rest = max(rest, cells / self.pace.cells_a_second - worked)
        return min(rest, LONGEST_REST)


class Gauge:
    """Measures through a connection of its own, which does nothing else."""

    def __init__(self, connection: Connection, probe: str, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._connection, self._probe, self._clock = connection, probe, clock

    async def baseline(self, times: int = 7) -> float:
        """The median of some looks."""
        return sorted([await self.latency_now() for _ in range(times)])[times // 2]

    async def latency_now(self, probes: int = 10) -> float:
        """What one probe in five exceeds: an average would hide those that wait."""
        found = []
        for _ in range(probes):
            started = self._clock()
            await self._connection.fetchval(self._probe)
            found.append(self._clock() - started)
        return sorted(found)[probes * 4 // 5 - 1]

    async def lag(self) -> float | None:
        """Seconds that the furthest streaming replica is behind; None without replicas, or without the right to see."""
        found = await self._connection.fetchval(_LAG)
        return None if found is None else float(found)


_LAG = "SELECT extract(epoch FROM max(replay_lag))::pg_catalog.float8 FROM pg_catalog.pg_stat_replication"
