"""What the job runner counts, for metrics: numbers and kinds of operations."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class JobStats:
    """`ended` by (kind, state); `running` by kind; `retries` are faults after which an operation is tried again."""

    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    running: Counter[str] = field(default_factory=Counter)
    retries: int = 0
    cells: int = 0  # re-encrypted

    def add_cells(self, count: int) -> None:
        self.cells += count
