"""The sink of a worker: a process of its own, which may be killed, and a file that may fail."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import signal
import sys
from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path

import psutil
import pytest

from policies.audit.events import Line, decode, encode
from policies.audit.sink import Durability
from policies.errors import AuditSinkFailed
from proxy.audit_process import AuditProcess
from proxy.config import LogConfig
from proxy.logs import LogStream, make_logger
from tests.policies.audit.records import record

SOON = 30.0


@contextlib.asynccontextmanager
async def running(path: Path, log: StringIO | None = None) -> AsyncIterator[AuditProcess]:
    stream = LogStream(None)
    stream._file = log or StringIO()
    sink = AuditProcess(path, Durability.STRICT, make_logger(LogConfig(level="debug"), stream))
    await sink.start()
    try:
        yield sink
    finally:
        await sink.close()


def line(number: int) -> Line:
    return encode(record(number))


def asked(sink: AuditProcess, number: int) -> asyncio.Future[bool]:
    answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    sink.submit(line(number), answer.set_result)
    return answer


async def ask(sink: AuditProcess, number: int = 0) -> bool:
    return await asyncio.wait_for(asked(sink, number), SOON)


async def ask_until(sink: AuditProcess, wanted: bool) -> None:
    async with asyncio.timeout(SOON):
        while True:
            if await asked(sink, 0) is wanted:
                return
            await asyncio.sleep(0.01)


def ids(path: Path) -> list[int]:
    return [int(str(decode(each)["id"]), 16) for each in path.read_bytes().splitlines()]


def writer() -> psutil.Process:
    [found] = [p for p in psutil.Process().children() if "policies.audit.writer" in p.cmdline()]
    return found


async def test_lines_come_back_when_they_are_in_the_file(tmp_path: Path) -> None:
    async with running(tmp_path / "a") as sink:
        for number in range(3):
            assert await ask(sink, number)
            assert ids(tmp_path / "a") == list(range(number + 1))
        assert await asyncio.gather(*(asked(sink, number) for number in range(3, 2000))) == [True] * 1997
    assert ids(tmp_path / "a") == list(range(2000))


async def test_what_was_handed_over_is_written_on_close_and_nothing_after(tmp_path: Path) -> None:
    async with running(tmp_path / "a") as sink:
        waiting = [asked(sink, number) for number in range(500)]
    assert await asyncio.gather(*waiting) == [True] * 500
    assert ids(tmp_path / "a") == list(range(500))
    assert not sink.available and await ask(sink) is False


@pytest.mark.parametrize("content", [None, b"no record of ours", b'{"at":"x"}\n[keys]'])
async def test_a_file_that_cannot_be_the_audits_is_refused_at_start(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a"
    if content is None:
        path = tmp_path / "none" / "a"
    else:
        path.write_bytes(content)
        path.chmod(0o600)
    with pytest.raises(AuditSinkFailed, match=r"audit file .*/a "):
        async with running(path):
            pytest.fail("it runs")
    assert content is None or path.read_bytes() == content
    assert not [p for p in psutil.Process().children() if "policies.audit.writer" in p.cmdline()]


@pytest.mark.parametrize("torn", [b"{", b'{"at":"2026-11-22T05', b'{"at":"' + b"x" * 200_000])
async def test_a_torn_last_line_of_a_killed_writer_is_cut_off(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(line(1) + torn)
    path.chmod(0o600)
    async with running(path) as sink:
        assert await ask(sink, 2)
    assert ids(path) == [1, 2]


async def test_a_killed_writer_fails_what_waits_and_is_started_again(tmp_path: Path) -> None:
    log = StringIO()
    async with running(tmp_path / "a", log) as sink:
        assert await ask(sink, 1)
        killed = writer()
        killed.suspend()
        waiting = [asked(sink, number) for number in range(2, 12)]
        killed.kill()
        assert await asyncio.wait_for(asyncio.gather(*waiting), SOON) == [False] * 10
        assert not sink.available
        await ask_until(sink, True)
        assert sink.available and writer().pid != killed.pid
    assert "audit_writer_gone" in log.getvalue() and "example" not in log.getvalue()


async def test_a_writer_is_started_again_though_there_is_no_process_to_be_had_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, program = StringIO(), sys.executable
    async with running(tmp_path / "a", log) as sink:
        monkeypatch.setattr("proxy.audit_process.sys.executable", str(tmp_path / "none"))
        writer().kill()
        async with asyncio.timeout(SOON):
            while "audit_writer_not_started" not in log.getvalue():  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
        monkeypatch.setattr("proxy.audit_process.sys.executable", program)
        await ask_until(sink, True)


async def test_a_full_disk_makes_the_sink_unavailable_and_room_heals_it(tmp_path: Path) -> None:
    path = tmp_path / "a"
    async with running(path) as sink:
        assert await ask(sink, 1)
        whole = path.stat().st_size
        resource.prlimit(writer().pid, resource.RLIMIT_FSIZE, (whole + 100, resource.RLIM_INFINITY))
        assert await ask(sink, 2) is False
        assert not sink.available
        assert path.stat().st_size == whole
        resource.prlimit(writer().pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await ask_until(sink, True)
    assert ids(path)[0] == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_the_writer_outlives_signals_that_are_meant_for_its_worker(tmp_path: Path, number: int) -> None:
    async with running(tmp_path / "a") as sink:
        writer().send_signal(number)
        assert await ask(sink, 1)


async def test_the_writer_inherits_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIELDGATE_PASSPHRASE", "hush")
    async with running(tmp_path / "a"):
        assert "hush" not in str(writer().environ())


async def test_the_writer_ends_with_its_worker_and_writes_what_it_has(tmp_path: Path) -> None:
    """The worker is killed: its end of the socket closes, and the program comes to the end of its input."""
    async with running(tmp_path / "a") as sink:
        asked(sink, 1)
        await asyncio.sleep(0)  # the line is on its way
        line = sink._line
        assert line is not None and line._transport is not None and line._process is not None
        line._transport.write_eof()
        await asyncio.wait_for(line._process.wait(), SOON)
    assert ids(tmp_path / "a") == [1]


@pytest.mark.parametrize("said", ["ready", "no room", ""])
async def test_a_writer_that_ends_at_once_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\neval \"printf '{said}\\n' >&$5\"\n")
    program.chmod(0o700)
    monkeypatch.setattr("proxy.audit_process.sys.executable", str(program))
    stream = LogStream(None)
    stream._file = StringIO()
    sink = AuditProcess(tmp_path / "a", Durability.STRICT, make_logger(LogConfig(level="debug"), stream))
    with contextlib.suppress(AuditSinkFailed):
        await sink.start()
        assert said == "ready"  # it may have been seen alive
    assert await ask(sink) is False
    if said != "ready":
        assert sink._restart is None  # what has never worked is not started again
    await sink.close()
