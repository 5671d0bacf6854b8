"""What a worker counts, and how workers' counts become one Prometheus page.

The data path adds to plain integers; Prometheus' own objects are made when a page is asked for.  No label carries a
login, a statement or a value.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from .key_source import KeysState

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(slots=True)
class WorkerStats:
    """Counts since this worker began."""

    connections: int = 0  # accepted
    sessions: int = 0  # logged in on both legs
    from_client_bytes: int = 0
    from_server_bytes: int = 0
    upstream_lost: int = 0
    client_write_timeouts: int = 0
    internal_errors: int = 0
    catalog_refreshes: int = 0
    audit_records: int = 0
    audit_failures: int = 0
    logins_refused: Counter[str] = field(default_factory=Counter)  # by SQLSTATE
    refusals: Counter[str] = field(default_factory=Counter)  # recorded ones, by SQLSTATE
    observed: Counter[str] = field(default_factory=Counter)  # what passed although policy would refuse or narrow it
    cancels: Counter[str] = field(default_factory=Counter)  # found, unknown, dropped
    reloads: Counter[str] = field(default_factory=Counter)  # done, refused


class StatsCollector(Collector):
    """Reads a worker's stats when a page is made.  `open_sessions` and `revisions` are asked at that moment."""

    def __init__(
        self,
        stats: WorkerStats,
        open_sessions: Callable[[], int],
        revisions: Callable[[], dict[str, str]],
        keys: Callable[[], KeysState] | None = None,
        worker: int = 0,
    ) -> None:
        self._stats = stats
        self._open_sessions = open_sessions
        self._revisions = revisions
        self._keys = keys
        self._worker = worker

    def collect(self) -> Iterator[Metric]:
        stats = self._stats
        yield GaugeMetricFamily("fieldgate_connections_open", "Client connections open now.", self._open_sessions())
        yield _total("connections", "Client connections accepted.", stats.connections)
        yield _total("sessions", "Sessions that logged in on both legs.", stats.sessions)
        yield _total("upstream_lost", "Sessions ended by the database server.", stats.upstream_lost)
        yield _total("client_write_timeouts", "Clients that took nothing for too long.", stats.client_write_timeouts)
        yield _total("internal_errors", "Sessions ended by an unexpected error.", stats.internal_errors)
        yield _total("catalog_refreshes", "Times the catalog was read again.", stats.catalog_refreshes)
        yield _total("audit_records", "Decisions recorded.", stats.audit_records)
        yield _total("audit_failures", "Decisions that could not be recorded.", stats.audit_failures)
        transferred = {"from_client": stats.from_client_bytes, "from_server": stats.from_server_bytes}
        yield _labelled("transferred_bytes", "Bytes read, after TLS.", "direction", transferred)
        yield _labelled("logins_refused", "Logins refused, by SQLSTATE.", "sqlstate", stats.logins_refused)
        yield _labelled("refusals", "Statements over protected data refused, by SQLSTATE.", "sqlstate", stats.refusals)
        yield _labelled("observed", "Statements that policy would refuse, by SQLSTATE.", "sqlstate", stats.observed)
        yield _labelled("cancels", "Cancel requests, by outcome.", "outcome", stats.cancels)
        yield _labelled("reloads", "Reloads, by outcome.", "outcome", stats.reloads)
        yield from _of_keys(self._keys(), str(self._worker)) if self._keys is not None else ()
        for database, revision in self._revisions().items():
            family = InfoMetricFamily("fieldgate_policy", "The policy revision in force.", labels=["database"])
            family.add_metric([database], {"revision": revision})
            yield family


def _of_keys(state: KeysState, worker: str) -> Iterator[Metric]:
    """By worker, since each confirms by itself, and their seconds cannot be added up."""
    gauges = (
        ("keys_loaded", "Keys that open something.", state.keys),
        ("keys_serving", "1 while keys are confirmed and their provider is not gone for too long.", state.serving),
        ("keys_revision", "The revision of keys in force.", state.revision),
        ("keys_lease_seconds", "Seconds until keys have to be confirmed again.", state.lease_seconds),
        ("key_provider_answers", "1 when the provider of key-encryption keys answered last.", state.provider_answers),
        ("key_provider_outage_seconds", "Seconds since it has answered last, when it does not.", state.outage_seconds),
    )
    for name, text, value in gauges:
        family = GaugeMetricFamily(f"fieldgate_{name}", text, labels=["worker"])
        family.add_metric([worker], float(value))
        yield family
    yield _total("keys_reloads", "Times that other keys were put in force.", state.reloads)
    yield _total("keys_failures", "Confirmations, loads and checks of keys that failed.", state.failures)


def _total(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"fieldgate_{name}", text, value)


def _labelled(name: str, text: str, label: str, values: Iterable[tuple[str, int]] | dict[str, int]) -> Metric:
    family = CounterMetricFamily(f"fieldgate_{name}", text, labels=[label])
    for key, value in sorted(dict(values).items()):
        family.add_metric([key], value)
    return family


def page(collector: Collector) -> str:
    """One worker's page."""
    registry = CollectorRegistry()
    registry.register(collector)
    return generate_latest(registry).decode()


def merge_pages(pages: list[str]) -> str:
    """The workers' pages as one: samples of the same name and labels are added up (an info stays 1)."""
    help_lines: dict[str, tuple[str, str]] = {}
    samples: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = defaultdict(dict)
    for text in pages:
        for family in text_string_to_metric_families(text):
            help_lines[family.name] = (family.documentation, family.type)
            for sample in family.samples:
                key = (sample.name, tuple(sorted(sample.labels.items())))
                known = samples[family.name].get(key, 0.0)
                samples[family.name][key] = 1.0 if sample.name.endswith("_info") else known + sample.value
    lines: list[str] = []
    for name, (documentation, kind) in help_lines.items():
        shown = f"{name}_total" if kind == "counter" else name
        lines += [f"# HELP {shown} {documentation}", f"# TYPE {shown} {kind}"]
        lines += [_line(sample, labels, value) for (sample, labels), value in samples[name].items()]
    return "\n".join(lines) + "\n"


def _line(name: str, labels: tuple[tuple[str, str], ...], value: float) -> str:
    inner = ",".join(f'{key}="{_escape(text)}"' for key, text in labels)
    return f"{name}{{{inner}}} {value}" if inner else f"{name} {value}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
