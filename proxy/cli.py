"""The command line: `fieldgate serve`, `check`, `reload` and the rest.  Parses, calls, prints; decides nothing.

Exit codes: 0 fine, 1 the check or the work failed, 78 the configuration, policy, keys or database is not as it must be.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import uvloop
from rich.console import Console

from keys.errors import CryptoError
from keys.passphrase import PassphraseSource
from proxy.errors import FieldgateError

from .config import Config, KeysConfig, load_config
from .peers import ask, prepare_run_dir, worker_sockets
from .process import Assignment, WorkerProcess, make_process_logger, run_dir_of
from .workers import EXIT_CONFIG, Supervisor, WorkerFailed

app = typer.Typer(
    name="fieldgate",
    help="A PostgreSQL wire proxy that seals personal data and gives each role only the fields its policy allows.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", envvar="FIELDGATE_CONFIG", help="The configuration file.", show_default=True)
]
_DEFAULT_CONFIG = Path("/etc/fieldgate/fieldgate.toml")
_RELOAD_WITHIN = 60.0

_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)


@app.command()
def serve(config: ConfigOption = _DEFAULT_CONFIG) -> None:
    """Run the proxy until SIGTERM; SIGHUP reloads policy, certificates and logins."""
    with _reporting():
        loaded = load_config(config)
        run_dir = run_dir_of(loaded, config)
        prepare_run_dir(run_dir)
        with _pid_file(run_dir):
            if loaded.process.workers == 1:
                _run_worker(Assignment(config, passphrase=_passphrase(loaded.keys)), loaded)
            else:
                _run_supervisor(config, loaded)


@app.command(hidden=True)
def worker(config: ConfigOption, number: Annotated[int, typer.Option()], port: Annotated[int, typer.Option()]) -> None:
    """One worker of a supervisor; its first line of standard input is what was asked for at the terminal."""
    with _reporting():
        said = json.loads(sys.stdin.buffer.readline() or b"{}").get("passphrase")
        loaded = load_config(config)
        passphrase = (lambda: str(said)) if said is not None else _passphrase(loaded.keys)
        _run_worker(Assignment(config, number, port, passphrase, supervised=True), loaded)


@app.command()
def reload(config: ConfigOption = _DEFAULT_CONFIG) -> None:
    """Let the running proxy load policy, certificates and logins anew; the old ones stay if the new are wrong."""
    with _reporting():
        sockets = worker_sockets(run_dir_of(load_config(config), config))
        if not sockets:
            _fail("no running proxy was found in the run folder", 1)
        failed = False
        for path in sockets:
            reply = asyncio.run(ask(path, {"op": "reload"}, _RELOAD_WITHIN))
            problem = "does not answer" if reply is None else reply.get("error")
            failed = failed or problem is not None
            revisions = ", ".join(f"{name} {rev[:12]}" for name, rev in (reply or {}).get("revisions", {}).items())
            _out.print(f"{path.stem}: {problem or f'reloaded {revisions}'.rstrip()}", markup=False, soft_wrap=True)
        raise typer.Exit(1 if failed else 0)


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
        await WorkerProcess(assignment, config, stream, logger).run(
            _say_ready if not assignment.supervised else _silent
        )

    try:
        _run(run(), config)
    except FieldgateError as error:
        logger.error("refused_to_start", message=error.message)
        raise


def _run_supervisor(path: Path, config: Config) -> None:
    _, logger = make_process_logger(config, worker="supervisor", pid=os.getpid())
    asked = _passphrase(config.keys) if config.keys is not None and not _has_source(config.keys) else None
    try:
        _run(Supervisor(config, path, asked, logger).run(_say_ready), config)
    except WorkerFailed as failed:
        _fail("a worker refused to start; its reason stands above or in the log", failed.code)


def _run(work: Coroutine[Any, Any, None], config: Config) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if config.process.uvloop else None) as runner:
        runner.run(work)


def _say_ready(port: int) -> None:
    print(f"ready port={port}", flush=True)  # noqa: T201


def _silent(_port: int) -> None:
    pass


@contextlib.contextmanager
def _pid_file(run_dir: Path) -> Iterator[None]:
    """Held for as long as the proxy runs; a second one in the same run folder is refused."""
    import fcntl

    path = run_dir / "fieldgate.pid"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            _fail(f"{path}: another proxy runs with this run folder", 1)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        for left in worker_sockets(run_dir):
            left.unlink(missing_ok=True)
        yield
        path.unlink(missing_ok=True)


# -- errors and secrets --


@contextlib.contextmanager
def _reporting() -> Iterator[None]:
    """Our own errors become one clear message and an exit code; anything else is a defect and shows its place."""
    try:
        yield
    except (FieldgateError, CryptoError) as error:
        _fail(str(error), EXIT_CONFIG)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _fail(message: str, code: int) -> NoReturn:
    _err.print(f"fieldgate: {message}", markup=False, soft_wrap=True)
    raise typer.Exit(code)


def _has_source(keys: KeysConfig) -> bool:
    return keys.passphrase_file is not None or keys.passphrase_env is not None


def _passphrase(keys: KeysConfig | None) -> Callable[[], str] | None:
    """From the file, the environment, or the terminal: asked for once, kept for reloads."""
    if keys is None:
        return None
    source = PassphraseSource(keys.passphrase_file, keys.passphrase_env)
    if _has_source(keys):
        return lambda: source.read(os.environ)
    if not sys.stdin.isatty():
        _fail("[keys] names no passphrase_file and no passphrase_env, and there is no terminal to ask at", EXIT_CONFIG)
    said = source.read(os.environ, lambda text: str(typer.prompt(text.rstrip(": "), hide_input=True)))
    return lambda: said
