"""`fieldgate observe report` over audit files: what it prints, and what it does with what is no record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from policies.audit.events import encode
from proxy.cli import app
from tests.policies.audit.records import record


def report(*words: str) -> Result:
    return CliRunner().invoke(app, ["observe", "report", *words], env={"COLUMNS": "200"})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    observed = {"decision": "observe", "error": "42501", "statement": "select total from orders", "reason": "why"}
    lines = [
        encode(record(1)),
        encode(record(2, **observed)),
        encode(record(3, **observed)),
        encode(record(4, decision="observe", fingerprint="aa", reason="rows or columns would be left out")),
        encode(record(5, decision="deny", error="0A000", at="2026-11-22T09:00:00Z")),
        b"half a li",
    ]
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"".join(lines))
    return path


def test_as_text(file: Path) -> None:
    done = report("--file", str(file))
    assert done.exit_code == 0
    for words in (
        "would be refused (42501), 2 times",
        "would see less (narrowed), 1 times",
        "refused (0A000), 1 times",
        "  statement  select total from orders",
        "  field      public.customers.email: read, filter_eq",
        "3 kinds of statements need attention; 1 decisions were to allow",
        "1 lines are no records",
    ):
        assert words in done.stdout


def test_several_files_since_a_time_for_programs(file: Path) -> None:
    done = report("--file", str(file), "--file", str(file), "--since", "2026-11-22T08:00:00", "--json")
    [entry] = json.loads(done.stdout)["entries"]
    assert (entry["decision"], entry["count"]) == ("deny", 2)


@pytest.mark.parametrize("words", [("--since", "yesterday"), ("--file", "/nonexistent")])
def test_what_is_wrong_is_said(file: Path, words: tuple[str, str]) -> None:
    assert report("--file", str(file), *words).exit_code == 78
