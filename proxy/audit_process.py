"""A worker's audit sink: lines go to a process of their own (`policies.audit.writer`) and come back as durable.

What is asked for in one turn of the event loop goes in one write.  When the process is gone, everything that waits has
failed, `available` is False, and it is started again, more slowly each time; so is one whose file cannot be written
(it tries again by itself).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from policies.audit.events import Line
from policies.audit.sink import Durability
from policies.audit.writer import ANSWER, AVAILABLE, READY, UNAVAILABLE
from policies.errors import AuditSinkFailed

from .logs import Logger, describe

Done = Callable[[bool], None]

_MAX_WAITING = 100_000  # lines
_START_SECONDS = 30.0
_END_SECONDS = 15.0
_FIRST_DELAY, _LONGEST_DELAY = 0.2, 10.0
_KEPT_VARIABLES = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR")  # no secret


class AuditProcess:
    """`start` raises AuditSinkFailed when the file cannot be opened: without a sink a worker does not start."""

    def __init__(self, path: Path, mode: Durability, logger: Logger) -> None:
        self.available = False
        self._path, self._mode, self._logger = path, mode, logger
        self._line: _Channel | None = None
        self._closing = asyncio.Event()
        self._restart: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._line = await _Channel.open(self._path, self._mode, self._changed, self._lost)
        self.available = True

    def submit(self, line: Line, done: Done) -> None:
        """`done` is called exactly once, later."""
        if self._line is None or not self.available or not self._line.take(line, done):
            asyncio.get_running_loop().call_soon(done, False)

    async def close(self) -> None:
        """What was handed over is written before this returns."""
        self._closing.set()
        if self._restart is not None:
            await self._restart  # not cancelled: a process half started would be left behind
        self.available = False
        if self._line is not None:
            await self._line.close()

    def _changed(self, available: bool) -> None:
        self.available = available and not self._closing.is_set()
        (self._logger.info if available else self._logger.error)("audit_sink", available=available)

    def _lost(self) -> None:
        self._line, self.available = None, False
        if not self._closing.is_set():
            self._logger.error("audit_writer_gone")
            self._restart = asyncio.ensure_future(self._start_again())

    async def _start_again(self) -> None:
        delay = _FIRST_DELAY
        while self._line is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), delay)
            if self._closing.is_set():
                return
            delay = min(2 * delay, _LONGEST_DELAY)
            try:
                await self.start()
            except (AuditSinkFailed, OSError) as error:  # no process or socket is to be had just now
                self._logger.error("audit_writer_not_started", **describe(error))


class _Channel(asyncio.Protocol):
    """One run of the program: its socket, and who waits for which line."""

    def __init__(self, changed: Callable[[bool], None], lost: Callable[[], None]) -> None:
        self._changed, self._lost = changed, lost
        self._process: asyncio.subprocess.Process | None = None
        self._transport: asyncio.WriteTransport | None = None
        self._loop = asyncio.get_running_loop()
        self._greeting: asyncio.Future[bytes] = self._loop.create_future()
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._opened = False  # the owner has it
        self._received = b""
        self._count = 0
        self._waiting: dict[int, Done] = {}
        self._out: list[bytes] = []

    @classmethod
    async def open(
        cls, path: Path, mode: Durability, changed: Callable[[bool], None], lost: Callable[[], None]
    ) -> _Channel:
        made = cls(changed, lost)
        ours, theirs = socket.socketpair()
        with theirs:
            made._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "policies.audit.writer", str(path), str(mode), str(theirs.fileno())),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # a terminal's Ctrl-C is not for it
                env={name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ},
            )
        await made._loop.connect_accepted_socket(lambda: made, ours)
        await made._await_greeting(path)
        return made

    async def _await_greeting(self, path: Path) -> None:
        try:
            greeting = await asyncio.wait_for(self._greeting, _START_SECONDS)
        except TimeoutError:
            greeting = b""
        self._opened = greeting == READY.strip() and not self._gone.done()
        if not self._opened:
            await self.close()
            said = greeting.decode("utf-8", "replace") if greeting != READY.strip() else ""
            raise AuditSinkFailed(said or f"audit file {path}: its writer did not start")

    def take(self, line: Line, done: Done) -> bool:
        """False: too many wait."""
        if len(self._waiting) >= _MAX_WAITING:
            return False
        self._count += 1
        self._waiting[self._count] = done
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(line)
        return True

    def _flush(self) -> None:
        if self._transport is not None and not self._gone.done():
            self._transport.write(b"".join(self._out))
        self._out.clear()

    async def close(self) -> None:
        """The program writes what it has, answers, and ends."""
        self._flush()
        if self._transport is not None and not self._gone.done() and not self._transport.is_closing():
            self._transport.write_eof()
        if self._process is not None:
            try:
                async with asyncio.timeout(_END_SECONDS):
                    await self._gone
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        if self._transport is not None and not self._gone.done():
            self._transport.close()

    # -- what the event loop calls --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's are none by inheritance

    def data_received(self, data: bytes) -> None:
        data = self._received + data
        if not self._greeting.done():
            greeting, newline, data = data.partition(b"\n")
            if not newline:
                self._received = greeting
                return
            self._greeting.set_result(greeting)
        whole = len(data) - len(data) % ANSWER.size
        self._received = data[whole:]
        for (answer,) in ANSWER.iter_unpack(data[:whole]):
            self._answer(answer)

    def _answer(self, answer: int) -> None:
        if answer in (AVAILABLE, UNAVAILABLE):
            self._changed(answer == AVAILABLE)
        elif (done := self._waiting.pop(abs(answer), None)) is not None:
            done(answer > 0)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._greeting.done():
            self._greeting.set_result(b"")
        if not self._gone.done():
            self._gone.set_result(None)
        waiting, self._waiting = list(self._waiting.values()), {}
        if self._opened:
            self._lost()
        for done in waiting:
            done(False)
