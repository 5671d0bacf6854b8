"""What a worker counts, and how workers' pages become one."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from proxy.metrics import StatsCollector, WorkerStats, merge_pages, page


def made(sessions: int, refused: dict[str, int], open_now: int, revision: str = "abc") -> str:
    stats = WorkerStats(sessions=sessions)
    stats.logins_refused.update(refused)
    return page(StatsCollector(stats, lambda: open_now, lambda: {"shop": revision}))


def values(text: str) -> dict[tuple[str, str], float]:
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_page_holds_what_was_counted() -> None:
    found = values(made(5, {"28P01": 2}, open_now=3))
    assert found["fieldgate_sessions_total", ""] == 5
    assert found["fieldgate_logins_refused_total", "28P01"] == 2
    assert found["fieldgate_connections_open", ""] == 3
    assert found["fieldgate_policy_info", "shop"] == 1


def test_pages_of_several_workers_are_added_up() -> None:
    merged = merge_pages([made(5, {"28P01": 2}, 3), made(7, {"28P01": 1, "53300": 4}, 1), ""])
    found = values(merged)
    assert found["fieldgate_sessions_total", ""] == 12
    assert found["fieldgate_logins_refused_total", "28P01"] == 3
    assert found["fieldgate_logins_refused_total", "53300"] == 4
    assert found["fieldgate_connections_open", ""] == 4
    assert found["fieldgate_policy_info", "shop"] == 1
    assert merged.count("# TYPE fieldgate_sessions_total counter") == 1


def test_labels_survive_what_stands_in_them() -> None:
    stats = WorkerStats()
    stats.cancels['od"d\\\n'] = 1
    text = page(StatsCollector(stats, lambda: 0, dict))
    assert values(merge_pages([text, text]))["fieldgate_cancels_total", 'od"d\\\n'] == 2
