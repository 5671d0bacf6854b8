"""`fieldgate demo`: the whole of Fieldgate on one machine, for a person who has just met it.

Order: folder, server, database (made and sealed once, reused afterwards), proxy, `ready`, how to connect, what each
role sees; then it stays until Ctrl-C, or, with `check`, verifies what it showed and ends.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import asyncpg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from keys.errors import CryptoError
from policies.errors import PolicyError
from policies.loader import load_policy
from proxy.errors import FieldgateError

from .admins import ADMINS, make_tokens, write_people
from .check import Checker
from .folder import Contents, DemoFolder, FolderNotOurs
from .generate import Shop, make_shop
from .prepare import prepare, write_settings
from .programs import ServerFailed
from .server import Server, free_port
from .service import ProxyFailed, Service, Wanted
from .show import Door, Exhibition, show_admin_port, show_connections

DEFAULT_DATA_DIR = Path("demo-data")
DEFAULT_PORT = 6543
DEFAULT_ADMIN_PORT = 8443


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """`port` and `admin_port` None: the usual ones, or for a check any free ones.  `data_dir` None: `demo-data` in the
    current folder, or for a check a temporary folder that is removed at the end."""

    port: int | None = None
    admin_port: int | None = None
    data_dir: Path | None = None
    rows: int = 2000
    seed: int = 1
    workers: int = 1
    check: bool = False


class PortTaken(Exception):
    """A port that was asked for is in use."""


def run_demo(options: DemoOptions, console: Console | None = None) -> int:
    """The process's exit status: 0 after Ctrl-C or a good check, 1 otherwise."""
    out = console or Console(width=None if sys.stdout.isatty() else 150)
    try:
        with _ended_like_ctrl_c(), ExitStack() as stack:
            return _Demo(options, out, stack).run()
    except KeyboardInterrupt:
        out.print("\nstopped")
        return 0 if not options.check else 1
    except (FolderNotOurs, PortTaken, ProxyFailed, ServerFailed, FieldgateError, CryptoError, PolicyError) as problem:
        out.print(f"fieldgate demo: {problem}", style="red", markup=False, highlight=False, soft_wrap=True)
        return 1


class _Demo:
    def __init__(self, options: DemoOptions, console: Console, stack: ExitStack) -> None:
        self._options = options
        self._console = console
        self._stack = stack
        self._folder = DemoFolder(self._data_dir().resolve())
        self._port = _port(options.port, DEFAULT_PORT, options.check)
        self._admin_port = _port(options.admin_port, DEFAULT_ADMIN_PORT, options.check)
        self._server = Server(self._folder.path)

    def _data_dir(self) -> Path:
        if self._options.data_dir is not None:
            return self._options.data_dir
        if self._options.check:
            return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="fieldgate-demo-")))
        return DEFAULT_DATA_DIR

    def run(self) -> int:
        self._start_server()
        service = self._start_service()
        self._announce()
        asyncio.run(self._exhibit())
        if self._options.check:
            return asyncio.run(self._check())
        return self._stay(service)

    def _start_server(self) -> None:
        folder, wanted = self._folder, Contents.wanted(self._options.rows, self._options.seed)
        folder.claim()
        self._server.recover()
        fresh = not folder.holds(wanted)
        if fresh:
            folder.clear()
        with self._console.status("starting PostgreSQL"):
            self._server.start()
        self._stack.callback(self._server.stop)
        if fresh:
            with self._progress() as progress:
                asyncio.run(prepare(folder, self._server, self._shop(), progress))
            folder.complete(wanted)
        else:
            self._console.print(f"using the shop in {folder.path} again")

    def _start_service(self) -> Service:
        wanted = Wanted(self._port, self._admin_port, self._options.workers, jobs=True, people=True)
        write_settings(self._folder, self._server, wanted)
        write_people(self._folder)
        service = Service(self._folder, self._admin_port)
        with self._console.status("starting Fieldgate"):
            asyncio.run(make_tokens(self._folder))
            self._stack.callback(service.stop)
            service.start()
        return service

    def _announce(self) -> None:
        """The first word is what programs wait for."""
        self._console.print(
            f"ready: Fieldgate on localhost:{self._port}, its admin port on http://127.0.0.1:{self._admin_port}, "
            f"PostgreSQL itself on {self._server.host}:{self._server.port}",
            soft_wrap=True,
            highlight=False,
        )
        logins = sorted(load_policy(self._folder.policy).logins)
        password_file = self._folder.path / "postgres.password"
        show_connections(self._console, self._proxy(), self._raw(), password_file, logins)
        tokens = {person: (role, self._folder.token_file(person)) for person, role in ADMINS.items()}
        show_admin_port(self._console, f"http://127.0.0.1:{self._admin_port}/", tokens, self._folder.config)

    async def _exhibit(self) -> None:
        exhibition = Exhibition()
        await exhibition.collect(self._proxy(), self._raw(), self._server.password)
        exhibition.show(self._console)

    async def _check(self) -> int:
        checker = Checker(self._proxy(), load_policy(self._folder.policy), self._shop())
        files = (self._server.data_dir, self._server.log_file, self._folder.log, self._folder.audit)
        raw = await self._raw().open(self._server.superuser, self._server.password)
        try:
            with Progress(TextColumn("checking"), BarColumn(), MofNCompleteColumn(), console=self._console) as bar:
                task = bar.add_task("check", total=5)
                await checker.run(raw, files, lambda: bar.advance(task))
        except (OSError, asyncpg.PostgresError) as problem:
            checker.wrong.append(f"{type(problem).__name__}: {problem}")
        finally:
            await raw.close()
        for wrong in checker.wrong:
            self._console.print(f"[red]wrong:[/red] {wrong}", highlight=False)
        self._console.print(f"check: {checker.passed} right, {len(checker.wrong)} wrong", highlight=False)
        return 1 if checker.wrong else 0

    def _stay(self, service: Service) -> int:
        self._console.print("Everything stays up until Ctrl-C.")
        while service.running and self._server.running:
            time.sleep(0.2)
        log = self._folder.log if self._server.running else self._server.log_file
        self._console.print(f"[red]a process has ended by itself[/red]: see {log}")
        return 1

    @contextmanager
    def _progress(self) -> Iterator[Progress]:
        columns = (TextColumn("{task.description:<18}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._console) as progress:
            yield progress

    def _shop(self) -> Shop:
        return make_shop(self._options.rows, self._options.seed)

    def _proxy(self) -> Door:
        return Door("localhost", self._port, self._folder.ca)

    def _raw(self) -> Door:
        return Door(self._server.host, self._server.port)


def _port(asked: int | None, usual: int, check: bool) -> int:
    """Found out before the long work begins; the proxy would find it out after it."""
    if asked is None and check:
        return free_port()
    port = usual if asked is None else asked
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as busy:
            raise PortTaken(f"port {port} is in use; choose others with --port and --admin-port") from busy
    return port


@contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """SIGTERM (a container's stop) ends the demo as tidily as Ctrl-C does, and so does SIGINT to one in the background.

    A shell starts what runs in the background with SIGINT ignored; then Python raises no KeyboardInterrupt by itself.
    """

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {kind: signal.signal(kind, interrupt) for kind in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
