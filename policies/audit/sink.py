"""The audit sink: records go in one by one, and come back as durable batch by batch (I8).

A thread of its own takes what has gathered while the last batch was being written, appends it and waits for the disk
once for all of it (group commit).  Clients that wait for one batch come back together, so the thread first waits a
moment for as many records as the last batch had: that costs less than a second wait for the disk.  In `strict` mode a
record is done when it is on the disk, in `relaxed` mode when the operating system has it.  When the file cannot be
written, everything that waits is done with False, `available` turns False, and the sink tries again until it works.

Callbacks run where `dispatch` puts them (the event loop's `call_soon_threadsafe`): one dispatch per batch, and never
inside `submit`.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from policies.errors import AuditSinkFailed

from .events import Line
from .file import AuditFile

_log = logging.getLogger(__name__)


class Durability(StrEnum):
    STRICT = "strict"
    RELAXED = "relaxed"


@dataclass(frozen=True, slots=True)
class SinkSettings:
    durability: Durability = Durability.STRICT
    max_waiting: int = 100_000  # records that may wait; more are refused
    max_batch: int = 4096
    retry_seconds: float = 1.0
    gather_share: float = 0.25  # of the time that the last batch took: as long a batch may wait to become as large
    gather_seconds: float = 0.005  # ... and no longer than this


Done = Callable[[bool], None]
Dispatch = Callable[[Callable[[], None]], object]


def run_here(work: Callable[[], None]) -> None:
    """Callbacks on the writer's own thread: for tools and tests."""
    work()


class FileSink:
    """`start` opens the file and raises AuditSinkFailed when it cannot: without a sink the proxy does not start."""

    def __init__(
        self,
        path: Path,
        settings: SinkSettings | None = None,
        dispatch: Dispatch = run_here,
        changed: Callable[[bool], None] = lambda _available: None,
    ) -> None:
        """`changed` hears, on the writer's own thread, when `available` changes after the start."""
        self._settings = settings or SinkSettings()
        self._dispatch = dispatch
        self._tell_changed = changed
        self._file = AuditFile(path)
        self._waiting: deque[tuple[Line, Done]] = deque()
        self._changed = threading.Condition(threading.Lock())
        self._wanted = 0  # so many waiting records wake the thread
        self._last_size, self._last_seconds = 1, 0.0
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self.available = False
        self.last_error: str | None = None
        self.batches = 0

    def start(self) -> None:
        self._file.open()
        self.available = True
        self._thread.start()

    def submit(self, line: Line, done: Done) -> None:
        """`done` is called exactly once, later."""
        with self._changed:
            waiting = self._waiting
            if self.available and not self._closing and len(waiting) < self._settings.max_waiting:
                waiting.append((line, done))
                if len(waiting) == self._wanted:
                    self._changed.notify()
                return
        self._dispatch(lambda: done(False))

    def close(self) -> None:
        """Writes what waits, then ends.  Blocks until the thread is gone."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()
        self.available = False
        self._file.close()

    # -- the writer's thread --

    def _run(self) -> None:
        while True:
            batch = self._take()
            if batch is None:
                return
            if batch:
                self._commit(batch)
            elif not self.available:
                self._try_again()

    def _take(self) -> list[tuple[Line, Done]] | None:
        """The next batch; an empty one when it is time to try again; None at the end."""
        with self._changed:
            while not self._waiting and not self._closing:
                if not self.available:
                    self._changed.wait(self._settings.retry_seconds)
                    return []
                self._wait_for(1, None)
            if not self._waiting:
                return None
            if len(self._waiting) < self._last_size and not self._closing:
                share = self._last_seconds * self._settings.gather_share
                self._wait_for(self._last_size, min(share, self._settings.gather_seconds))
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), self._settings.max_batch))]

    def _wait_for(self, count: int, seconds: float | None) -> None:
        self._wanted = count
        self._changed.wait(seconds)
        self._wanted = 0  # nobody sleeps

    def _commit(self, batch: list[tuple[Line, Done]]) -> None:
        began = time.monotonic()
        self._write(batch)
        self._last_size, self._last_seconds = len(batch), time.monotonic() - began

    def _write(self, batch: list[tuple[Line, Done]]) -> None:
        strict = self._settings.durability is Durability.STRICT
        answered = False
        try:
            self._file.append(b"".join(line for line, _ in batch))
            if not strict:
                self._answer(batch, True)
                answered = True
            self._file.sync()
        except AuditSinkFailed as error:
            self._fail(str(error), [] if answered else batch)
        else:
            self.batches += 1
            if strict:
                self._answer(batch, True)

    def _fail(self, reason: str, batch: list[tuple[Line, Done]]) -> None:
        """Nothing may wait for a sink that does not work: whatever came in meanwhile has failed too."""
        with self._changed:
            self.available = False
            self.last_error = reason
            batch = [*batch, *self._waiting]
            self._waiting.clear()
        self._tell_changed(False)
        if batch:
            self._answer(batch, False)

    def _try_again(self) -> None:
        try:
            self._file.open()
        except AuditSinkFailed as error:
            self.last_error = str(error)
        else:
            self.available = True
            self._tell_changed(True)

    def _answer(self, batch: list[tuple[Line, Done]], durable: bool) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop is closed: nobody is left to be told
            self._dispatch(lambda: _tell(batch, durable))


def _tell(batch: list[tuple[Line, Done]], durable: bool) -> None:
    """One listener's mistake must not keep the others waiting, nor end the writer's thread."""
    for _, done in batch:
        try:
            done(durable)
        except Exception as error:  # noqa: BLE001
            _log.error("an audit listener failed: %s", type(error).__name__)
