"""`fieldgate jobs`: the job runner as an operating-system process, with everything that handlers need.

It holds the credentials of the role that owns protected tables, and no client ever talks to it.  SIGTERM and SIGINT end
it: what is being carried out is broken off at once and handed to the next runner.  A runner that `serve` has started
also ends when `serve` does, which it sees by the end of its standard input.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from keys.database_store import DatabaseKeyStore
from policies.fields import DataMap
from policies.loader import load_policy
from proxy.audit_process import AuditProcess
from proxy.config import Config
from proxy.config_jobs import JobsConfig
from proxy.control import Connection, Control, connect, read_secret
from proxy.errors import ConfigError
from proxy.grants.command import apply_grants
from proxy.key_stores import make_leases, make_store, require_schema
from proxy.keywork.records_database import DatabaseRecords
from proxy.keywork.trail import Trail
from proxy.logs import Logger
from proxy.peers import Message, PeerServer, jobs_socket
from proxy.rotation.due import AFTER_CELLS, Limits
from proxy.rotation.retire import DESTROY_AFTER
from proxy.rotation.throttle import Pace
from proxy.rotation.tools import Tools

from .audited import AuditedKeyStore
from .automatic import Automatic
from .registry import handlers
from .runner import AUTHOR, Runner
from .stats import JobStats, stats_page

_POLICIES_KEPT = 5.0  # seconds for which a data map that was read is good enough


class JobsProcess:
    """Runs until it is told to stop.  Raises FieldgateError when something is wrong before it begins."""

    def __init__(self, config: Config, run_dir: Path, logger: Logger, *, supervised: bool) -> None:
        self._config, self._run_dir, self._logger, self._supervised = config, run_dir, logger, supervised
        self._jobs = _required(config)
        self._stop = asyncio.Event()
        self._stats = JobStats()

    async def run(self, ready: Callable[[], None] = lambda: None) -> None:
        config, jobs = self._config, self._jobs
        assert config.control is not None  # noqa: S101 (looked at in _required)
        assert config.keys is not None  # noqa: S101
        assert config.audit is not None  # noqa: S101
        async with contextlib.AsyncExitStack() as stack:
            self._listen_to_signals()
            audit = AuditProcess(config.audit.path, config.audit.mode, self._logger)
            await audit.start()
            stack.push_async_callback(audit.close)
            trail = Trail(audit)
            control = Control(config.control, config.upstream)
            stack.push_async_callback(control.close)
            await require_schema(control)
            plain = make_store(config.keys, control, self._notice)
            store = AuditedKeyStore.of(plain, trail, AUTHOR)
            await store.open()
            stack.push_async_callback(store.close)
            leases = make_leases(config.upstream, config.control)
            leases.start()
            stack.push_async_callback(asyncio.to_thread, leases.close)
            records = DatabaseRecords(lambda: control.connection(lane="operations"))
            tools = self._tools(store, leases)
            runner = Runner(
                records,
                handlers(tools, _destroy_after(config), self._grant),
                lambda: self._connect_control(config.control.database),  # type: ignore[union-attr]
                trail,
                self._logger,
                self._stats,
                heartbeat=jobs.heartbeat,
                at_a_time=jobs.at_a_time,
            )
            peers = PeerServer({"metrics": self._metrics})
            await peers.start(jobs_socket(self._run_dir))
            stack.push_async_callback(peers.stop)
            automatic = Automatic(store, records, tools.data_maps, self._limits(), trail, self._logger)
            looking = asyncio.create_task(automatic.run())
            stack.push_async_callback(_ended, looking)
            running = asyncio.create_task(runner.run())
            self._logger.info("jobs_ready", pid=os.getpid())
            ready()
            stopping = asyncio.create_task(self._stop.wait())
            await asyncio.wait({running, looking, stopping}, return_when=asyncio.FIRST_COMPLETED)
            runner.stop()
            await running
            stopping.cancel()
            if looking.done():
                looking.result()

    def _tools(self, store: DatabaseKeyStore, leases: object) -> Tools:
        jobs, upstream, password = self._jobs, self._config.upstream, read_secret(self._jobs.password_file)

        async def connected(database: str) -> Connection:
            return await connect(upstream, jobs.user, password, database, command_timeout=None)

        return Tools(
            store=store,
            connect=connected,
            data_maps=_Policies({name: each.policy for name, each in self._config.databases.items()}),
            leases=leases,  # type: ignore[arg-type]
            pace=Pace(jobs.latency_factor or None, jobs.replica_lag or None, jobs.cells_a_second),
            workers=jobs.connections,
            batch=jobs.batch,
            rewrite_limit=jobs.rewrite_limit,
            cells_done=self._stats.add_cells,
        )

    async def _connect_control(self, database: str) -> Connection:
        control = self._config.control
        assert control is not None  # noqa: S101
        return await connect(self._config.upstream, control.user, read_secret(control.password_file), database)

    def _limits(self) -> Limits:
        keys = self._config.keys
        assert keys is not None  # noqa: S101
        after = timedelta(seconds=keys.rotate_after) if keys.rotate_after is not None else None
        return Limits(after, keys.rotate_after_cells or AFTER_CELLS)

    async def _grant(self, database: str, connection: Connection) -> None:
        """What the policy says, in the transaction in which a field changes its form."""
        control = self._config.control
        policy = load_policy(self._config.databases[database].policy)
        await apply_grants(connection, policy, control.user if control is not None else None)

    def _notice(self, said: str) -> None:
        self._logger.warning("key_provider", said=said)

    async def _metrics(self, _request: Message) -> Message:
        return {"page": stats_page(self._stats)}

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        if self._supervised:
            loop.add_reader(sys.stdin.fileno(), self._supervisor_news)

    def _supervisor_news(self) -> None:
        """Nothing is ever said here after the start; the end of the stream is the end of `serve`."""
        if not os.read(sys.stdin.fileno(), 4096):
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            self._stop.set()


class _Policies:
    """The data maps as they stand on disk; read again after a while, so that operations see what is in force."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = folders
        self._read_at = float("-inf")
        self._maps: Mapping[str, DataMap] = {}

    def __call__(self) -> Mapping[str, DataMap]:
        now = asyncio.get_running_loop().time()
        if now - self._read_at > _POLICIES_KEPT:
            self._maps = {name: load_policy(folder).data_map for name, folder in self._folders.items()}
            self._read_at = now
        return self._maps


def _required(config: Config) -> JobsConfig:
    if config.jobs is None or config.control is None or config.keys is None or config.audit is None:
        raise ConfigError("[jobs], [control], [keys] and [audit] are required")
    return config.jobs


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _destroy_after(config: Config) -> timedelta:
    """As the admin port has it, which says when a destruction may begin; the handler looks again."""
    return timedelta(seconds=config.admin.destroy_after) if config.admin is not None else DESTROY_AFTER
