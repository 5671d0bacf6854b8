"""Durable before it is said to be; refused when it cannot be; working again when it can.  On real files."""

from __future__ import annotations

import contextlib
import os
import queue
import resource
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from policies.audit.events import decode, encode
from policies.audit.file import AuditFile
from policies.audit.sink import Durability, FileSink, SinkSettings
from policies.errors import AuditSinkFailed

from .records import record

SOON = 20.0
QUICK = SinkSettings(retry_seconds=0.02)


@contextlib.contextmanager
def running(path: Path, settings: SinkSettings = QUICK) -> Iterator[FileSink]:
    sink = FileSink(path, settings)
    sink.start()
    try:
        yield sink
    finally:
        sink.close()


def ask(sink: FileSink, number: int = 0) -> bool:
    """Submits one record and waits for its answer."""
    answers: queue.Queue[bool] = queue.Queue()
    sink.submit(encode(record(number)), answers.put)
    return answers.get(timeout=SOON)


def ask_until(sink: FileSink, wanted: bool) -> None:
    """Asks until the answer is `wanted`; each answer is waited for, nothing is slept over."""
    for number in range(200_000):
        if ask(sink, number) is wanted:
            return
    pytest.fail(f"never answered {wanted}")


def ids(path: Path) -> list[int]:
    lines = path.read_bytes().splitlines(keepends=True)
    return [int(str(decode(line)["id"]), 16) for line in lines if line.strip()]


def test_a_record_is_in_the_file_when_it_is_done(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    with running(path) as sink:
        seen: queue.Queue[tuple[bool, list[int]]] = queue.Queue()
        sink.submit(encode(record(5)), lambda durable: seen.put((durable, ids(path))))
        assert seen.get(timeout=SOON) == (True, [5])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_strict_answers_after_the_disk_and_relaxed_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    real = AuditFile.sync

    def sync(self: AuditFile) -> None:
        order.append("sync")
        real(self)

    monkeypatch.setattr(AuditFile, "sync", sync)
    for durability in Durability:
        with running(tmp_path / durability, SinkSettings(durability)) as sink:
            sink.submit(encode(record()), lambda _: order.append("done"))
    assert order == ["sync", "done", "done", "sync"]


def test_a_burst_costs_few_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, first = threading.Event(), threading.Event()
    real = AuditFile.sync

    def slow(self: AuditFile) -> None:
        first.set()
        assert gate.wait(SOON)
        real(self)

    monkeypatch.setattr(AuditFile, "sync", slow)
    answers: queue.Queue[bool] = queue.Queue()
    with running(tmp_path / "a", SinkSettings(max_batch=400)) as sink:
        sink.submit(encode(record(0)), answers.put)
        assert first.wait(SOON)
        for number in range(1, 1001):
            sink.submit(encode(record(number)), answers.put)
        gate.set()
        assert all(answers.get(timeout=SOON) for _ in range(1001))
        assert sink.batches == 4
    assert ids(tmp_path / "a") == list(range(1001))


def test_the_queue_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, first = threading.Event(), threading.Event()
    real = AuditFile.append

    def slow(self: AuditFile, batch: bytes) -> None:
        first.set()
        assert gate.wait(SOON)
        real(self, batch)

    monkeypatch.setattr(AuditFile, "append", slow)
    answers: queue.Queue[bool] = queue.Queue()
    with running(tmp_path / "a", SinkSettings(max_waiting=3)) as sink:
        sink.submit(encode(record(0)), answers.put)
        assert first.wait(SOON)
        for number in range(1, 6):
            sink.submit(encode(record(number)), answers.put)
        assert [answers.get(timeout=SOON) for _ in range(2)] == [False, False]
        gate.set()
        assert [answers.get(timeout=SOON) for _ in range(4)] == [True] * 4
    assert ids(tmp_path / "a") == [0, 1, 2, 3]


def test_everything_that_waits_is_written_on_close_and_nothing_after(tmp_path: Path) -> None:
    answers: queue.Queue[bool] = queue.Queue()
    with running(tmp_path / "a") as sink:
        for number in range(500):
            sink.submit(encode(record(number)), answers.put)
    assert [answers.get(timeout=SOON) for _ in range(500)] == [True] * 500
    assert ids(tmp_path / "a") == list(range(500))
    assert not sink.available and ask(sink) is False


def test_clients_that_come_back_together_share_a_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, written, sizes = threading.Event(), threading.Event(), list[int]()
    real = AuditFile.append

    def counted(self: AuditFile, batch: bytes) -> None:
        sizes.append(batch.count(b"\n"))
        written.set()
        assert gate.wait(SOON)
        real(self, batch)

    monkeypatch.setattr(AuditFile, "append", counted)
    answers: queue.Queue[bool] = queue.Queue()
    with running(tmp_path / "a", SinkSettings(gather_share=1e9, gather_seconds=SOON)) as sink:
        sink.submit(encode(record(0)), answers.put)
        assert written.wait(SOON)
        for number in range(1, 4):
            sink.submit(encode(record(number)), answers.put)
        gate.set()
        assert [answers.get(timeout=SOON) for _ in range(4)] == [True] * 4
        written.clear()
        for number in range(4, 6):
            sink.submit(encode(record(number)), answers.put)
        assert not written.wait(0.05)  # the third of them is waited for
        sink.submit(encode(record(6)), answers.put)
        assert [answers.get(timeout=SOON) for _ in range(3)] == [True] * 3
    assert sizes == [1, 3, 3]


def test_a_listener_that_fails_keeps_nobody_waiting(tmp_path: Path) -> None:
    def broken(_: bool) -> None:
        raise ValueError("a mistake of a session")

    with running(tmp_path / "a") as sink:
        sink.submit(encode(record(1)), broken)
        assert ask(sink, 2) and ask(sink, 3)


@pytest.mark.parametrize("prepare", ["folder", "fifo", "link", "wide"])
def test_a_place_that_is_no_safe_file_is_refused_at_start(tmp_path: Path, prepare: str) -> None:
    path = tmp_path / "a"
    if prepare == "folder":
        path.mkdir()
    elif prepare == "fifo":
        os.mkfifo(path, 0o600)
    elif prepare == "link":
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.touch(0o600)
        path.chmod(0o640)
    sink = FileSink(path)
    with pytest.raises(AuditSinkFailed, match=r"audit file .*/a "):
        sink.start()
    assert not sink.available


def test_a_missing_folder_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(AuditSinkFailed, match="No such file"):
        FileSink(tmp_path / "none" / "a").start()


def test_a_removed_folder_fails_the_sink_and_its_return_heals_it(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    with running(folder / "a") as sink:
        assert ask(sink, 1)
        folder.rename(tmp_path / "gone")
        ask_until(sink, False)
        assert not sink.available and "No such file" in (sink.last_error or "")
        folder.mkdir()
        ask_until(sink, True)
        assert sink.available
    assert ids(tmp_path / "gone" / "a")[0] == 1
    assert ids(folder / "a")


def test_what_waits_when_the_sink_fails_is_answered_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, first = threading.Event(), threading.Event()

    def fails(self: AuditFile, batch: bytes) -> None:
        first.set()
        assert gate.wait(SOON)
        raise AuditSinkFailed("no")

    monkeypatch.setattr(AuditFile, "append", fails)
    answers: queue.Queue[tuple[int, bool]] = queue.Queue()
    with running(tmp_path / "a", SinkSettings(max_batch=1)) as sink:
        for number in range(3):
            sink.submit(encode(record(number)), lambda durable, number=number: answers.put((number, durable)))
        assert first.wait(SOON)
        gate.set()
        assert [answers.get(timeout=SOON) for _ in range(3)] == [(n, False) for n in range(3)]
        monkeypatch.undo()
        ask_until(sink, True)
    assert answers.empty()


def test_a_rotated_file_is_left_alone_and_a_new_one_begun(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with running(path) as sink:
        assert ask(sink, 1)
        path.rename(tmp_path / "a.1")
        assert ask(sink, 2)
    assert ids(tmp_path / "a.1") == [1] and ids(path) == [2]


def test_a_file_removed_under_a_batch_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    real = AuditFile.append

    def append_then_remove(self: AuditFile, batch: bytes) -> None:
        real(self, batch)
        path.unlink()

    with running(path) as sink:
        monkeypatch.setattr(AuditFile, "append", append_then_remove)
        assert ask(sink, 1) is False
        assert "was removed" in (sink.last_error or "")
        monkeypatch.undo()
        ask_until(sink, True)


@pytest.fixture
def file_size_limit() -> Iterator[Callable[[int], None]]:
    """The kernel's own limit on a file's size stands in for a full disk: a write is cut short, the next fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def limit(size: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size if size >= 0 else soft, hard))

    yield limit
    limit(-1)
    signal.signal(signal.SIGXFSZ, before)


def test_a_full_disk_fails_the_sink_leaves_no_torn_line_and_room_heals_it(
    tmp_path: Path, file_size_limit: Callable[[int], None]
) -> None:
    path = tmp_path / "a"
    with running(path) as sink:
        assert ask(sink, 1)
        whole = path.stat().st_size
        file_size_limit(whole + 100)  # less than a record
        refused = ask(sink, 2)
        state = sink.available, sink.last_error or ""
        file_size_limit(-1)
        assert refused is False
        assert not state[0] and "cannot be written" in state[1]
        ask_until(sink, True)
    assert path.read_bytes().endswith(b"}\n")
    assert ids(path)[0] == 1


def test_a_disk_that_stays_full_keeps_the_sink_unavailable(
    tmp_path: Path, file_size_limit: Callable[[int], None]
) -> None:
    """Opening alone would succeed; the sink writes a probe before it says that it works."""
    path = tmp_path / "a"
    file = AuditFile(path)
    file.open()
    file.append(b"x\n")
    file_size_limit(100)
    with pytest.raises(AuditSinkFailed, match="File too large"):
        file.open()
    file_size_limit(-1)
    assert path.read_bytes() == b"x\n"


_WRITER = """
import sys, threading
from pathlib import Path
from policies.audit.sink import FileSink, SinkSettings
from policies.audit.events import encode
from tests.policies.audit.records import record
start, sink = int(sys.argv[2]), FileSink(Path(sys.argv[1]), SinkSettings(max_batch=7))
sink.start()
done = []
for number in range(start, start + 300):
    sink.submit(encode(record(number)), done.append)
sink.close()
assert done == [True] * 300
"""


def test_several_processes_write_one_file_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "a"
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(path), str(n * 1000)]) for n in range(3)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0]
    found = ids(path)
    assert sorted(found) == sorted(n * 1000 + k for n in range(3) for k in range(300))
    for n in range(3):
        mine = [number for number in found if number // 1000 == n]
        assert mine == sorted(mine)
