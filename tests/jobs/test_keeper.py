"""The keeper of the job runner begins it again, whatever was in the way."""

from __future__ import annotations

import asyncio
from io import StringIO
from pathlib import Path

import pytest

from proxy.config import LogConfig
from proxy.jobs import keeper
from proxy.jobs.keeper import JobsKeeper
from proxy.logs import LogStream, make_logger


async def test_a_runner_is_begun_again_though_no_process_was_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, attempts = asyncio.Event(), 0

    async def begin(self: JobsKeeper) -> asyncio.subprocess.Process:
        nonlocal attempts
        attempts += 1
        if attempts > 1:
            begun.set()
        raise OSError("no process")

    monkeypatch.setattr(JobsKeeper, "_begin", begin)
    monkeypatch.setattr(keeper, "_FIRST_DELAY", 0.001)
    stream, said = LogStream(None), StringIO()
    stream._file = said
    kept = JobsKeeper(Path("fieldgate.toml"), make_logger(LogConfig(level="error"), stream))
    kept.start()
    await asyncio.wait_for(begun.wait(), 10)
    await kept.stop()
    assert "jobs_died" in said.getvalue()
