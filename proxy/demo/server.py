"""A PostgreSQL server of our own: made, started, stopped, and recovered after a crash of ours.

    HOME/postgres            the data directory
    HOME/postgres.log        everything the server says
    HOME/postgres.password   the superuser's random password, 0600
    HOME/lock                held for as long as a process of ours runs this server

The server listens on 127.0.0.1 at `port` and on a Unix socket in `socket_dir` (a short path: the system's limit is 107
bytes); every login is SCRAM-SHA-256 by password.  A Ctrl-C in the terminal stops us, and we stop the server.  One that
a crashed process left behind is stopped by its pid at the next start.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from .osuser import OsUser, OsUserFailed, give, give_tree, let_through, server_user, write_private
from .postmaster import end_child, end_leftover, read_postmaster
from .programs import SUPERUSER, Programs, ServerFailed, embedded_binaries

HOST = "127.0.0.1"
DEFAULT_HBA = (
    "local all all scram-sha-256",
    "host all all 127.0.0.1/32 scram-sha-256",
    "host replication all 127.0.0.1/32 scram-sha-256",
)
# Nothing here outlives the data directory, so a machine crash may lose it: for tests and benchmarks only.
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
START_SECONDS = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """One server.  A context manager: started inside, stopped at the end."""

    def __init__(
        self,
        home: Path,
        *,
        binaries: Path | None = None,
        port: int | None = None,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
        hba: Sequence[str] = DEFAULT_HBA,
    ) -> None:
        self.home = home.resolve()
        self.data_dir = self.home / "postgres"
        self.log_file = self.home / "postgres.log"
        self.host = HOST
        self.superuser = SUPERUSER
        self.binaries = binaries or embedded_binaries()
        self._wanted_port = port
        self._durable = durable
        self._settings = dict(settings or {})
        self._hba = tuple(hba)
        self._port: int | None = port
        self._socket_dir: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None
        self._user: OsUser | None = None

    @property
    def port(self) -> int:
        if self._port is None:
            raise ServerFailed("the server has not been started yet")
        return self._port

    @property
    def socket_dir(self) -> Path:
        if self._socket_dir is None:
            raise ServerFailed("the server is not running")
        return self._socket_dir

    @property
    def password(self) -> str:
        return (self.home / "postgres.password").read_text().strip()

    @property
    def pid(self) -> int:
        if self._process is None:
            raise ServerFailed("the server is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when the server accepts connections.  Raises ServerFailed."""
        try:
            self._take_home()
            self._end_leftover()
            self._make_socket_dir()
            if not (self.data_dir / "PG_VERSION").exists():
                self._initialise()
            self._write_hba()
            self._launch()
        except OsUserFailed as problem:
            self.stop()
            raise ServerFailed(str(problem)) from problem
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Fast shutdown, harder if it does not help.  May be called at any time and twice."""
        if self._process is not None:
            end_child(self._process)
            self._process = None
        if self._socket_dir is not None:
            shutil.rmtree(self._socket_dir, ignore_errors=True)
            self._socket_dir = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def recover(self) -> None:
        """End the server that a killed process of ours left here, without starting another."""
        try:
            self._take_home()
            self._end_leftover()
        finally:
            self.stop()

    def crash(self) -> None:
        """What a power cut does: all of the server's processes end at once, in the middle of whatever they do."""
        if self._process is not None:
            end_child(self._process, signal.SIGQUIT)
        self.stop()

    def _take_home(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self._user = server_user()
        self._programs().make_reachable()
        let_through(self.data_dir, self._user)
        self._lock = os.open(self.home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            raise ServerFailed(f"another process runs the server in {self.home}") from busy
        if self.data_dir.exists():
            give_tree(self.data_dir, self._user)

    def _end_leftover(self) -> None:
        """Whoever holds the lock owns the server, so one that still runs here was left behind by a crash."""
        found = read_postmaster(self.data_dir)
        if found is None:
            return
        end_leftover(found.pid, self.data_dir)
        if found.socket_dir is not None and found.socket_dir.name.startswith("fg-"):
            shutil.rmtree(found.socket_dir, ignore_errors=True)

    def _make_socket_dir(self) -> None:
        parent = tempfile.gettempdir()
        if len(parent) > 60:
            parent = "/tmp"  # noqa: S108 (mkdtemp makes a folder of its own there)
        self._socket_dir = Path(tempfile.mkdtemp(prefix="fg-", dir=parent))
        let_through(self._socket_dir, self._user)
        give(self._socket_dir, self._user)

    def _initialise(self) -> None:
        """A folder without PG_VERSION is what an initdb that was killed leaves: it holds nothing."""
        if self.data_dir.exists():
            shutil.rmtree(self.data_dir)
        self.data_dir.mkdir(mode=0o700)
        give(self.data_dir, self._user)
        password = secrets.token_urlsafe(24)
        write_private(self.home / "postgres.password", password)
        self._programs().initdb(self.data_dir, password, self.socket_dir)

    def _write_hba(self) -> None:
        target = self.data_dir / "pg_hba.conf"
        target.write_text("".join(f"{line}\n" for line in self._hba))
        give(target, self._user)

    def _launch(self) -> None:
        """A chosen port may be taken between the choice and the start, and the shared memory of a killed server takes
        a moment to go: both are tried again."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            self._port = self._wanted_port or free_port()
            began = self.log_file.stat().st_size if self.log_file.exists() else 0
            self._spawn()
            if self._ready(deadline):
                return
            said = self._said_since(began)
            retry = "shared memory block" in said or (self._wanted_port is None and "could not bind" in said)
            if not retry or time.monotonic() > deadline:
                raise ServerFailed(f"PostgreSQL did not start, see {self.log_file}: {said[-600:].strip()}")
            time.sleep(0.1)

    def _spawn(self) -> None:
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": str(self.socket_dir),
            "password_encryption": "scram-sha-256",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] %q%u@%d ",
            **({} if self._durable else NOT_DURABLE),
            **self._settings,
        }
        self._process = self._programs().start(self.data_dir, settings, self.log_file)

    def _ready(self, deadline: float) -> bool:
        while self._process is not None and self._process.poll() is None and time.monotonic() < deadline:
            found = read_postmaster(self.data_dir)
            if found is not None and found.pid == self._process.pid and found.ready:
                return True
            time.sleep(0.01)
        return False

    def _said_since(self, offset: int) -> str:
        with self.log_file.open("rb") as log:
            log.seek(offset)
            return log.read().decode(errors="replace")

    def _programs(self) -> Programs:
        return Programs(self.binaries, self._user)
