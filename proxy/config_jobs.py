"""[jobs]: the process that carries out operations over keys, and how fast it may go (docs/rotation.md)."""

from __future__ import annotations

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from .config_types import Count, Duration, FilePath, Size

_STRICT = ConfigDict(extra="forbid", str_min_length=1)
_SHORTEST_HEARTBEAT = 0.5


@dataclass(frozen=True, slots=True, config=_STRICT)
class JobsConfig:
    """`user` owns the protected tables, and is used by the job runner alone.

    `at_a_time` operations are carried out beside each other; `connections` re-encrypt the parts of one table, `batch`
    rows at a time.  What is 0 is not looked at: `latency_factor` (how many times as long as before the work a probe
    may take), `replica_lag`, `cells_a_second`.  `rewrite_limit`: the largest table that PostgreSQL may write anew under
    an exclusive lock, which a rotation of its term key needs once.
    """

    user: str
    password_file: FilePath | None = None
    at_a_time: Count = 2
    connections: Count = 2
    batch: Count = 2000
    heartbeat: Duration = 10.0  # an operation is handed to another runner after so long without a sign of life
    latency_factor: float = 1.3
    replica_lag: Duration = 10.0
    cells_a_second: float = 0.0
    rewrite_limit: Size = 1 << 30

    def __post_init__(self) -> None:
        if self.latency_factor != 0 and self.latency_factor < 1:
            raise ValueError("latency_factor is at least 1, or 0 to leave latency alone")
        if self.cells_a_second < 0:
            raise ValueError("cells_a_second is not negative")
        if self.heartbeat < _SHORTEST_HEARTBEAT:
            raise ValueError(f"heartbeat is at least {_SHORTEST_HEARTBEAT:g}s")
