"""What the job runner counts, as a page of metrics: numbers, and kinds and states of operations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from proxy.metrics import page


@dataclass(slots=True)
class JobStats:
    """`ended` by (kind, state); `running` by kind; `retries` are faults after which an operation is tried again."""

    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    running: Counter[str] = field(default_factory=Counter)
    retries: int = 0
    cells: int = 0  # re-encrypted

    def add_cells(self, count: int) -> None:
        self.cells += count


class _Collector(Collector):
    def __init__(self, stats: JobStats) -> None:
        self._stats = stats

    def collect(self) -> Iterator[Metric]:
        running = GaugeMetricFamily("fieldgate_operations_running", "Operations being carried out.", labels=["kind"])
        for kind, count in self._stats.running.items():
            running.add_metric([kind], count)
        yield running
        ended = CounterMetricFamily("fieldgate_operations", "Operations that have ended.", labels=["kind", "state"])
        for (kind, state), count in self._stats.ended.items():
            ended.add_metric([kind, state], count)
        yield ended
        told = "Times that an operation is tried again after a fault."
        yield CounterMetricFamily("fieldgate_operation_retries", told, self._stats.retries)
        yield CounterMetricFamily("fieldgate_cells_reencrypted", "Cells sealed anew by jobs.", self._stats.cells)


def stats_page(stats: JobStats) -> str:
    return page(_Collector(stats))
