"""The command line: `fieldgate serve`, `check`, `reload` and the rest.  Parses, calls, prints; decides nothing.

Exit codes: 0 fine, 1 the check or the work failed, 78 the configuration, policy, keys or database is not as it must be.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import sys
from collections.abc import Coroutine, Iterator
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
import uvloop
from rich.console import Console

from proxy.errors import FieldgateError

from . import operations
from .app import check_all
from .config import Config, load_config
from .jobs.keeper import JobsKeeper
from .jobs.process import JobsProcess
from .logs import Logger
from .peers import ask, prepare_run_dir, worker_sockets
from .process import Assignment, WorkerProcess, check_admin, make_process_logger, run_dir_of
from .terminal import DEFAULT_CONFIG, ConfigOption, fail, guard_memory, has_source, passphrase_of, reporting
from .workers import Supervisor, WorkerFailed

app = typer.Typer(
    name="fieldgate",
    help="A PostgreSQL wire proxy that seals personal data and gives each role only the fields its policy allows.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
operations.add_to(app)

_RELOAD_WITHIN = 60.0
_out = Console(highlight=False)
_Result = TypeVar("_Result")


@app.command()
def serve(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Run the proxy until SIGTERM; SIGHUP reloads policy, certificates and logins."""
    with reporting():
        loaded = load_config(config)
        guard_memory(loaded)
        run_dir = run_dir_of(loaded, config)
        prepare_run_dir(run_dir)
        with _pid_file(run_dir):
            if loaded.process.workers == 1:
                _run_worker(Assignment(config, passphrase=passphrase_of(loaded.keys)), loaded)
            else:
                _run_supervisor(config, loaded)


@app.command(hidden=True)
def worker(config: ConfigOption, number: Annotated[int, typer.Option()], port: Annotated[int, typer.Option()]) -> None:
    """One worker of a supervisor; its first line of standard input is what was asked for at the terminal."""
    with reporting():
        loaded = load_config(config)
        guard_memory(loaded)
        said = json.loads(sys.stdin.buffer.readline() or b"{}").get("passphrase")
        passphrase = (lambda: str(said)) if said is not None else passphrase_of(loaded.keys)
        _run_worker(Assignment(config, number, port, passphrase, supervised=True), loaded)


@app.command()
def jobs(config: ConfigOption = DEFAULT_CONFIG, supervised: Annotated[bool, typer.Option(hidden=True)] = False) -> None:
    """Carry out operations over keys until SIGTERM; `serve` does it by itself where [jobs] is configured."""
    with reporting():
        loaded = load_config(config)
        guard_memory(loaded)
        run_dir = run_dir_of(loaded, config)
        prepare_run_dir(run_dir)
        _, logger = make_process_logger(loaded, worker="jobs", pid=os.getpid())
        try:
            _run(JobsProcess(loaded, run_dir, logger, supervised=supervised).run(), loaded)
        except FieldgateError as error:
            logger.error("refused_to_start", message=error.message)
            raise


@app.command()
def reload(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Let the running proxy load policy, certificates and logins anew; the old ones stay if the new are wrong."""
    with reporting():
        sockets = worker_sockets(run_dir_of(load_config(config), config))
        if not sockets:
            fail("no running proxy was found in the run folder", 1)
        failed = False
        for path in sockets:
            reply = asyncio.run(ask(path, {"op": "reload"}, _RELOAD_WITHIN))
            problem = "does not answer" if reply is None else reply.get("error")
            failed = failed or problem is not None
            revisions = ", ".join(f"{name} {rev[:12]}" for name, rev in (reply or {}).get("revisions", {}).items())
            _out.print(f"{path.stem}: {problem or f'reloaded {revisions}'.rstrip()}", markup=False, soft_wrap=True)
        raise typer.Exit(1 if failed else 0)


@app.command()
def check(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Validate everything that `serve` would, without listening."""
    with reporting():
        loaded = load_config(config)
        guard_memory(loaded)
        _, logger = make_process_logger(loaded, worker="check")
        remarks = _run(check_all(loaded, logger, passphrase_of(loaded.keys)), loaded)
        _run(check_admin(loaded, logger), loaded)
        for remark in remarks:
            _out.print(f"note: {remark}", markup=False, soft_wrap=True)
        _out.print("everything is as it must be" if not remarks else "nothing keeps it from starting")


@app.command()
def demo(
    port: Annotated[int | None, typer.Option(help="Where clients connect; 6543 unless said otherwise.")] = None,
    admin_port: Annotated[int | None, typer.Option(help="8443 unless said otherwise.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Kept between runs; demo-data unless said otherwise.")] = None,
    rows: Annotated[int, typer.Option(min=1, help="How many customers.")] = 2000,
    seed: Annotated[int, typer.Option(help="The same people for the same seed.")] = 1,
    workers: Annotated[int, typer.Option(min=1)] = 1,
    check_it: Annotated[bool, typer.Option("--check", help="Verify what is shown, then end.")] = False,
) -> None:
    """A shop with sealed data and its own PostgreSQL, on loopback, to look at."""
    try:
        from .demo.run import DemoOptions, run_demo
    except ModuleNotFoundError as missing:
        fail(f"the demo needs the extra fieldgate[demo] ({missing.name} is not installed)", 1)
    raise typer.Exit(run_demo(DemoOptions(port, admin_port, data_dir, rows, seed, workers, check_it)))


@app.command()
def version() -> None:
    """Print the version."""
    _out.print(package_version("fieldgate"))


def main() -> None:
    app()


# -- running --


def _run_worker(assignment: Assignment, config: Config) -> None:
    stream, logger = make_process_logger(config, worker=assignment.number, pid=os.getpid())

    async def run() -> None:
        work = WorkerProcess(assignment, config, stream, logger).run(
            _say_ready if not assignment.supervised else _silent
        )
        if assignment.supervised:
            await work
        else:
            await _beside_jobs(assignment.config_path, config, logger, work)

    try:
        _run(run(), config)
    except FieldgateError as error:
        logger.error("refused_to_start", message=error.message)
        raise


def _run_supervisor(path: Path, config: Config) -> None:
    _, logger = make_process_logger(config, worker="supervisor", pid=os.getpid())
    asked = passphrase_of(config.keys) if config.keys is not None and not has_source(config.keys) else None
    try:
        work = Supervisor(config, path, asked, logger).run(_say_ready)
        _run(_beside_jobs(path, config, logger, work), config)
    except WorkerFailed as failed:
        fail("a worker refused to start; its reason stands above or in the log", failed.code)


async def _beside_jobs(path: Path, config: Config, logger: Logger, work: Coroutine[Any, Any, None]) -> None:
    """A job runner runs as long as the proxy does, where one is configured."""
    if config.jobs is None:
        await work
        return
    keeper = JobsKeeper(path, logger)
    keeper.start()
    try:
        await work
    finally:
        await keeper.stop()


def _run(work: Coroutine[Any, Any, _Result], config: Config) -> _Result:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if config.process.uvloop else None) as runner:
        return runner.run(work)


def _say_ready(port: int) -> None:
    print(f"ready port={port}", flush=True)  # noqa: T201


def _silent(_port: int) -> None:
    pass


@contextlib.contextmanager
def _pid_file(run_dir: Path) -> Iterator[None]:
    """Held for as long as the proxy runs; a second one in the same run folder is refused."""
    path = run_dir / "fieldgate.pid"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            fail(f"{path}: another proxy runs with this run folder", 1)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        for left in worker_sockets(run_dir):
            left.unlink(missing_ok=True)
        yield
        path.unlink(missing_ok=True)
