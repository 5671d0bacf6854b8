"""One process of Fieldgate that may be killed: `fieldgate serve` or `fieldgate jobs`, over its own configuration."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from proxy.demo.show import Door

_ROOT = Path(__file__).parents[2]
_PLAIN = ("-m", "proxy")
_BROKEN = "from proxy.cli import main\nmain()"


@dataclass(slots=True)
class Node:
    """`fault` is Python that its process runs first; `door` and `admin_port` are a proxy's."""

    name: str
    verb: str
    config: Path
    log: Path
    door: Door | None = None
    admin_port: int = 0
    fault: str = ""
    process: subprocess.Popen[bytes] | None = None
    stopped: bool = False
    left: list[psutil.Process] = field(default_factory=list)  # what killed ones had started

    def start(self) -> None:
        code = ("-c", f"{self.fault}\n{_BROKEN}") if self.fault else _PLAIN
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *code, self.verb, "--config", str(self.config)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=_ROOT, start_new_session=True,
            )  # fmt: skip

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def family(self) -> list[psutil.Process]:
        if self.process is None:
            return []
        with suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self.process.pid)
            return [parent, *parent.children(recursive=True)]
        return []

    def kill(self) -> None:
        """The process alone, at once; what it has started is to notice by itself."""
        if self.process is None:
            return
        self.left += self.family()[1:]
        self.process.kill()
        self.process.wait()
        self.stopped = False

    def hold(self) -> None:
        self._signal(signal.SIGSTOP)
        self.stopped = True

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)
        self.stopped = False

    def end(self) -> None:
        if self.process is None:
            return
        self.go_on()
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def orphans(self) -> list[psutil.Process]:
        """Those of killed processes that have not ended."""
        return [each for each in self.left if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]

    def _signal(self, kind: signal.Signals) -> None:
        for each in self.family():
            with suppress(ProcessLookupError):
                os.kill(each.pid, kind)
