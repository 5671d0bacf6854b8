"""What a data directory says about the server that runs in it, and how a server is ended by its pid."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

STOP_SECONDS = 30.0
_STEP = 0.01


@dataclass(frozen=True, slots=True)
class Postmaster:
    """`postmaster.pid`: it outlives a server that was killed, so its pid may be anybody's by now."""

    pid: int
    socket_dir: Path | None
    ready: bool


def read_postmaster(data_dir: Path) -> Postmaster | None:
    """None: no server was left here, or the file is being written just now."""
    try:
        lines = [line.strip() for line in (data_dir / "postmaster.pid").read_text().splitlines()]
        pid = int(lines[0])
    except (OSError, IndexError, ValueError):
        return None
    socket_dir = Path(lines[4]) if len(lines) > 4 and lines[4] else None
    return Postmaster(pid, socket_dir, ready=len(lines) > 7 and lines[7] == "ready")


def serves(pid: int, data_dir: Path) -> bool:
    """Is this living process the server of this very directory?  A pid alone may have been given to another."""
    return str(data_dir) in _command_line(pid)


def _command_line(pid: int) -> list[str]:
    """Empty for a process that is gone, and for one that has ended but was not waited for."""
    proc = Path("/proc")
    if (proc / "self" / "cmdline").exists():
        try:
            return (proc / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            return []
    shown = subprocess.run(["ps", "-p", str(pid), "-o", "args="], capture_output=True, text=True, check=False)
    return shown.stdout.split()


def end_leftover(pid: int, data_dir: Path) -> None:
    """End a server that is not our child: fast shutdown, then an immediate one."""
    for kind in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if not serves(pid, data_dir):
            return
        os.kill(pid, kind)
        deadline = time.monotonic() + STOP_SECONDS
        while serves(pid, data_dir) and time.monotonic() < deadline:
            time.sleep(_STEP)


def end_child(process: subprocess.Popen[bytes], first: signal.Signals = signal.SIGINT) -> None:
    """End a server that we started.  SIGINT is PostgreSQL's fast shutdown, SIGQUIT the immediate one."""
    for kind in (first, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(kind)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        return
