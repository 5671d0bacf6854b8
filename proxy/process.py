"""One worker as an operating-system process: signals, the control socket, reload, orderly end.

SIGTERM and SIGINT drain, SIGHUP reloads.  A worker of a supervisor also ends when the supervisor does, which it sees by
the end of its standard input.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proxy.errors import ConfigError, FieldgateError

from .admin.api import AdminServer
from .admin.plane import AdminPlane
from .admin.sources import OwnSource, readiness_to
from .app import Circumstances, Worker
from .config import AdminConfig, Config, load_config
from .keywork.trail import Sink
from .logs import Logger, LogStream, describe, make_logger
from .peers import Message, PeerServer, ask, ask_all, jobs_socket, worker_socket, worker_sockets
from .tls import admin_context

_SECRET_SIZE = 32
_PEER_WITHIN = 15.0  # seconds for another worker to pass a cancel on


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a process is to run.  `port` 0 with a supervisor never happens: it has reserved one."""

    config_path: Path
    number: int = 0
    port: int | None = None  # None: the configuration's; else the supervisor's, shared with the other workers
    passphrase: Callable[[], str] | None = None
    supervised: bool = False


def run_dir_of(config: Config, config_path: Path) -> Path:
    return config.process.run_dir or config_path.absolute().parent / "run"


def login_secret(run_dir: Path) -> bytes:
    """Makes up salts for logins that do not exist; the same for all workers, and across restarts."""
    path = run_dir / "login.secret"
    if not path.exists():
        made = run_dir / f"login.secret.{os.getpid()}"
        handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(_SECRET_SIZE))
        with suppress(FileExistsError):
            os.link(made, path)  # whole, or another worker's
        made.unlink()
    found = path.read_bytes()
    if len(found) != _SECRET_SIZE:
        raise ConfigError(f"{path}: was changed; remove it")
    return found


class WorkerProcess:
    """Runs until it is told to stop."""

    def __init__(self, assignment: Assignment, config: Config, stream: LogStream, logger: Logger) -> None:
        self._assignment = assignment
        self._config = config
        self._stream = stream
        self._logger = logger
        self._run_dir = run_dir_of(config, assignment.config_path)
        self._stop = asyncio.Event()
        self._reloading = asyncio.Lock()
        self._worker = Worker(config, logger, self._circumstances())
        self._plane: AdminPlane | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, ready: Callable[[int], None]) -> None:
        """Raises FieldgateError if anything is wrong before it listens; `ready` gets the client port."""
        await self._worker.assemble()
        self._plane = await self._open_plane()
        peers = PeerServer(self._handlers())
        await peers.start(worker_socket(self._run_dir, self._assignment.number))
        admin = await self._start_admin()
        try:
            await self._worker.start(**self._listen())
            self._listen_to_signals()
            self._logger.info("ready", port=self._worker.port, pid=os.getpid())
            ready(self._worker.port)
            await self._stop.wait()
            self._logger.info("draining")
        finally:
            await self._worker.stop()
            if admin is not None:
                await admin.stop()
            if self._plane is not None:
                await self._plane.close()
            await peers.stop()
        self._logger.info("stopped")

    def _listen(self) -> dict[str, Any]:
        port = self._assignment.port
        return {} if port is None else {"host": self._config.listener.host, "port": port, "reuse_port": True}

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._spawn(self._reload({})))
        if self._assignment.supervised:
            loop.add_reader(sys.stdin.fileno(), self._supervisor_news)

    def _supervisor_news(self) -> None:
        """Nothing is ever said here after the start; the end of the stream is the end of the supervisor."""
        if not os.read(sys.stdin.fileno(), 4096):
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            self._stop.set()

    async def _start_admin(self) -> AdminServer | None:
        if self._config.admin is None or self._assignment.supervised:
            return None
        source = OwnSource(self._worker.metrics, self._worker.readiness, jobs_socket(self._run_dir))
        return await start_admin(self._config.admin, source, self._plane, self._logger)

    async def _open_plane(self) -> AdminPlane | None:
        """Only where this process has the admin port, and people may log in there."""
        if self._assignment.supervised or self._worker.audit is None:
            return None
        return await open_plane(self._config, self._logger, self._worker.audit)

    # -- the control socket --

    def _handlers(self) -> dict[str, Callable[[Message], Any]]:
        return {
            "cancel": self._cancel,
            "catalog": self._catalog,
            "metrics": self._metrics,
            "ready": self._ready,
            "reload": self._reload,
        }

    async def _cancel(self, request: Message) -> Message:
        return {"found": await self._worker.cancel_here(int(request["pid"]), bytes.fromhex(request["secret"]))}

    async def _catalog(self, request: Message) -> Message:
        self._worker.refresh_catalog(str(request["database"]))
        return {}

    async def _metrics(self, _request: Message) -> Message:
        return {"page": self._worker.metrics()}

    async def _ready(self, _request: Message) -> Message:
        return readiness_to(await self._worker.readiness())

    async def _reload(self, _request: Message) -> Message:
        """The old revision stays whenever the new one is wrong, and whoever asked hears why."""
        async with self._reloading:
            try:
                self._stream.reopen()
                config = await asyncio.to_thread(load_config, self._assignment.config_path)
                return {"revisions": await self._worker.reload(config)}
            except FieldgateError as error:
                self._logger.error("reload_refused", **describe(error))
                return {"error": error.message}

    # -- other workers --

    def _circumstances(self) -> Circumstances:
        return Circumstances(
            number=self._assignment.number,
            passphrase=self._assignment.passphrase,
            mock_secret=login_secret(self._run_dir),
            ask_peers=self._ask_peers,
            tell_peers=self._tell_peers,
        )

    def _others(self) -> list[Path]:
        own = worker_socket(self._run_dir, self._assignment.number)
        return [path for path in worker_sockets(self._run_dir) if path != own]

    async def _ask_peers(self, pid: int, secret: bytes, issuer: int | None) -> bool:
        """Pass a cancel to the worker that its key names, or to all of them when it names none."""
        request: Message = {"op": "cancel", "pid": pid, "secret": secret.hex()}
        if issuer is not None:
            path = worker_socket(self._run_dir, issuer)
            reply = await ask(path, request, _PEER_WITHIN) if path in self._others() else None
            return bool(reply and reply.get("found"))
        replies = await ask_all(self._others(), request, _PEER_WITHIN)
        return any(reply.get("found") for reply in replies)

    async def _tell_peers(self, database: str) -> None:
        await ask_all(self._others(), {"op": "catalog", "database": database}, _PEER_WITHIN)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def open_plane(config: Config, logger: Logger, sink: Sink | None = None) -> AdminPlane | None:
    """What people log in to at the admin port; None where the configuration has no people.  Raises FieldgateError."""
    if config.admin is None or config.admin.people is None:
        return None
    plane = AdminPlane(config, logger, sink)
    try:
        await plane.open()
    except FieldgateError:
        await plane.close()
        raise
    return plane


async def check_admin(config: Config, logger: Logger) -> None:
    """Would people be able to log in at the admin port?  Raises FieldgateError."""
    plane = await open_plane(config, logger)
    if plane is not None:
        await plane.close()


async def start_admin(
    config: AdminConfig, source: Any, plane: AdminPlane | None = None, logger: Logger | None = None
) -> AdminServer:
    server = AdminServer(source, plane.endpoints if plane is not None else None, logger)
    context = None
    if config.tls_certificate is not None and config.tls_key is not None:
        context = admin_context(config.tls_certificate, config.tls_key, config.client_ca)
    try:
        await server.start(config.host, config.port, context)
    except OSError as error:
        raise ConfigError(f"admin: cannot listen on {config.host}:{config.port}: {error.strerror}") from None
    return server


def make_process_logger(config: Config, **context: object) -> tuple[LogStream, Logger]:
    stream = LogStream(config.logs.file)
    return stream, make_logger(config.logs, stream, **context)
