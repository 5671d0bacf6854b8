"""Several worker processes behind one port, and the supervisor that keeps them running.

Every worker listens by itself on the same port (SO_REUSEPORT) and the kernel spreads connections.  The supervisor
reserves the port, starts workers again when they die (slower each time), passes signals on, and answers on the admin
port for all of them.  It holds no key and sees no client.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from proxy.errors import ConfigError

from .admin.plane import AdminPlane
from .admin.sources import PeersSource
from .config import Config
from .logs import Logger
from .peers import ask, worker_socket
from .process import open_plane, run_dir_of, start_admin

_FIRST_DELAY, _LONGEST_DELAY = 0.5, 30.0
_STEADY = 60.0  # seconds of running after which a death counts as the first
_KILL_AFTER = 10.0  # seconds after the drain is over


class WorkerFailed(Exception):
    """A worker refused to start; its own words are in the log.  `code` is its exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"a worker ended with code {code}")
        self.code = code


class Supervisor:
    def __init__(self, config: Config, config_path: Path, passphrase: Callable[[], str] | None, logger: Logger) -> None:
        self._config = config
        self._config_path = config_path
        self._passphrase = passphrase
        self._logger = logger
        self._run_dir = run_dir_of(config, config_path)
        self._stop = asyncio.Event()
        self._failed: WorkerFailed | None = None
        self._plane: AdminPlane | None = None
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._were_ready: set[int] = set()

    async def run(self, ready: Callable[[int], None]) -> None:
        """Raises WorkerFailed when a worker refuses to start at all, FieldgateError for people who could not log in."""
        self._plane = await open_plane(self._config, self._logger)  # wrong people: no worker is started
        reserved = _reserve(self._config.listener.host, self._config.listener.port)
        port = int(reserved.getsockname()[1])
        secret = self._passphrase() if self._passphrase else None
        keepers = [
            asyncio.create_task(self._keep(number, port, secret)) for number in range(self._config.process.workers)
        ]
        admin = None
        try:
            self._listen_to_signals()
            if self._config.admin is not None:
                source = PeersSource(self._run_dir, self._config.process.workers)
                admin = await start_admin(self._config.admin, source, self._plane, self._logger)
            if await self._all_ready():
                self._logger.info("ready", port=port, pid=os.getpid(), workers=self._config.process.workers)
                ready(port)
            await self._stop.wait()
        finally:
            self._stop.set()
            await self._end_all(keepers)
            if admin is not None:
                await admin.stop()
            if self._plane is not None:
                await self._plane.close()
            reserved.close()
        if self._failed is not None:
            raise self._failed

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._pass_on, signal.SIGHUP)

    def _pass_on(self, number: signal.Signals) -> None:
        for process in self._processes.values():
            with suppress(ProcessLookupError):
                process.send_signal(number)

    async def _keep(self, number: int, port: int, secret: str | None) -> None:
        """One worker, again and again."""
        loop, delay = asyncio.get_running_loop(), _FIRST_DELAY
        while not self._stop.is_set():
            began = loop.time()
            process = await self._start(number, port, secret)
            code = await process.wait()
            if self._stop.is_set():
                return
            if number not in self._were_ready:  # it never served: the same would happen again
                self._failed = WorkerFailed(code)
                self._stop.set()
                return
            delay = _FIRST_DELAY if loop.time() - began > _STEADY else min(delay * 2, _LONGEST_DELAY)
            self._logger.error("worker_died", worker=number, code=code, again_in=delay)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), delay)

    async def _start(self, number: int, port: int, secret: str | None) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "proxy", "worker", "--config", str(self._config_path)),
            *("--number", str(number), "--port", str(port)),
            stdin=asyncio.subprocess.PIPE,
            start_new_session=True,  # a terminal's Ctrl-C is for the supervisor, which drains
        )
        self._processes[number] = process
        if process.stdin is not None:
            process.stdin.write(json.dumps({"passphrase": secret}).encode() + b"\n")
        self._logger.info("worker_started", worker=number, pid=process.pid)
        return process

    async def _all_ready(self) -> bool:
        """True once every worker answers; False when one has refused to start."""
        waiting = set(range(self._config.process.workers))
        while waiting and not self._stop.is_set():
            for number in list(waiting):
                if await ask(worker_socket(self._run_dir, number), {"op": "ready"}, 1.0) is not None:
                    waiting.discard(number)
                    self._were_ready.add(number)
            if waiting:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), 0.1)
        return not waiting and self._failed is None

    async def _end_all(self, keepers: list[asyncio.Task[None]]) -> None:
        self._pass_on(signal.SIGTERM)
        patience = self._config.process.drain_timeout + _KILL_AFTER
        _, late = await asyncio.wait(keepers, timeout=patience)
        if late:
            self._pass_on(signal.SIGKILL)
            await asyncio.wait(late, timeout=_KILL_AFTER)


def _reserve(host: str, port: int) -> socket.socket:
    """Bound but not listening: the port is ours, and connections go to the workers only."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        reserved = socket.socket(family, kind, protocol)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind(address)
    except OSError as error:
        raise ConfigError(f"listener: cannot listen on {host}:{port}: {error.strerror}") from None
    return reserved
