"""Processes of ours: waiting for their port, their CPU time and memory, and ending them."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]

START_SECONDS = 60.0


class ProcessFailed(Exception):
    """A process ended before it listened; the message has the end of its log."""


def await_port(host: str, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex((host, port)) == 0:
                return
        time.sleep(0.05)
    raise ProcessFailed(f"{process.args!r} does not listen: {log.read_text(errors='replace')[-2000:]}")


def end(process: subprocess.Popen[bytes], seconds: float = 20) -> None:
    """By its own pid, first politely."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def tree(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and of its children that still live."""
    return float(sum(times.user + times.system for times in (p.cpu_times() for p in tree(pid))))


def with_ended_children(pid: int) -> float:
    """The same, with the time of children that have ended: of a server whose processes come and go."""
    ended = psutil.Process(pid).cpu_times()
    return cpu_seconds(pid) + float(ended.children_user + ended.children_system)


class CpuTime:
    """CPU seconds that a process tree used between the beginning and the end of a `with`."""

    seconds: float = 0.0


@contextmanager
def cpu_time(pid: int | None) -> Iterator[CpuTime]:
    taken = CpuTime()
    before = cpu_seconds(pid) if pid is not None else 0.0
    yield taken
    if pid is not None:
        taken.seconds = cpu_seconds(pid) - before


class OtherWork:
    """What the rest of the machine did meanwhile, in cores: 0.1 spoils little, 1 spoils a measurement."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._busy = _busy() - _ours()

    def cores(self) -> float:
        return max(0.0, (_busy() - _ours() - self._busy) / (time.monotonic() - self._began))


def _busy() -> float:
    """CPU seconds of the whole machine; what a hypervisor gave to others counts as work of others."""
    times = psutil.cpu_times()
    return float(sum(getattr(times, kind, 0.0) for kind in ("user", "nice", "system", "irq", "softirq", "steal")))


def _ours() -> float:
    """CPU seconds of this process and all below it, those that have ended included."""
    total = 0.0
    for process in tree(os.getpid()):
        try:
            total += sum(process.cpu_times()[:4])  # own user and system, and those of ended children
        except psutil.NoSuchProcess:
            continue
    return total


def memory(pid: int) -> int:
    """Proportional set size of the process tree in bytes: pages that forked processes share are counted once."""
    return sum(int(p.memory_full_info().pss) for p in tree(pid))
