"""What the job runner's process needs of the configuration, and what it counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.config import Config, parse_config
from proxy.errors import ConfigError
from proxy.jobs.process import JobsProcess
from proxy.jobs.stats import JobStats, stats_page
from proxy.logs import make_logger

KEYS = {"store": "database", "provider": {"kind": "local", "file": "keks", "passphrase_file": "passphrase"}}


def config(**sections: object) -> Config:
    data = {
        "listener": {"allow_plaintext": True},
        "upstream": {"hosts": ["/run/postgresql"], "pass_through": True},
        "control": {"user": "fieldgate"},
        "keys": KEYS,
        "audit": {"path": "audit.jsonl"},
        **sections,
    }
    return parse_config(data, Path("fieldgate.toml"))


def test_the_section_has_defaults_that_are_careful() -> None:
    jobs = config(jobs={"user": "owner"}).jobs
    assert jobs is not None
    assert (jobs.latency_factor, jobs.replica_lag, jobs.cells_a_second) == (1.3, 10.0, 0)
    assert jobs.rewrite_limit == 1 << 30


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ({}, "user"),
        ({"user": "owner", "workers": 2}, "unknown key"),
        ({"user": "owner", "latency_factor": 0.5}, "latency_factor is at least 1"),
        ({"user": "owner", "cells_a_second": -1}, "not negative"),
        ({"user": "owner", "heartbeat": "1ms"}, "heartbeat is at least"),
        ({"user": "owner", "batch": 0}, "jobs.batch"),
        ({"user": "owner", "rewrite_limit": "much"}, "jobs.rewrite_limit"),
    ],
)
def test_what_is_wrong_with_it_is_said(section: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        config(jobs=section)


def test_keys_in_a_file_have_no_jobs() -> None:
    with pytest.raises(ConfigError, match=r"needs \[keys\] store"):
        config(jobs={"user": "owner"}, keys={"keyring": "keyring"})


@pytest.mark.parametrize("missing", ["jobs", "audit"])
def test_a_runner_without_its_sections_does_not_start(missing: str, tmp_path: Path) -> None:
    sections = {"jobs": {"user": "owner"}, missing: None}
    with pytest.raises(ConfigError, match="are required"):
        JobsProcess(config(**sections), tmp_path, make_logger, supervised=False)


def test_what_it_counts_is_a_page_of_metrics() -> None:
    stats = JobStats(retries=2)
    stats.ended["rotate-data-key", "done"] += 1
    stats.running["verify"] += 1
    stats.add_cells(7)
    page = stats_page(stats)
    assert 'fieldgate_operations_total{kind="rotate-data-key",state="done"} 1.0' in page
    assert 'fieldgate_operations_running{kind="verify"} 1.0' in page
    assert "fieldgate_operation_retries_total 2.0" in page
    assert "fieldgate_cells_reencrypted_total 7.0" in page
