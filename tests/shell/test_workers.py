"""The proxy as processes: `fieldgate serve` with two workers in front of a real server."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import pytest

from keys import document, files
from keys.keyring import KeyPurpose
from keys.providers.local import LOWEST_COST, Derivation, PassphraseKek
from keys.store import OpenKeyring
from proxy.config import load_config
from proxy.demo.certificates import Authority
from proxy.demo.osuser import write_private
from proxy.demo.prepare import open_store
from proxy.demo.server import free_port
from proxy.peers import prepare_run_dir
from proxy.process import make_process_logger, run_dir_of
from proxy.workers import Supervisor
from tests.integration.stage import Stage, raised
from tests.support.servers import Database

from .test_pass_through import install_verifier

ROOT = Path(__file__).parents[2]
WITHIN = 30.0


def eventually(condition: Callable[[], object], within: float = WITHIN) -> object:
    """Polls; processes do not tell us when they are done."""
    deadline = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.02)
    return found


@dataclass
class Served:
    folder: Path
    database: Database
    admin_port: int
    process: subprocess.Popen[bytes]
    port: int

    @property
    def config(self) -> Path:
        return self.folder / "fieldgate.toml"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def connect(self, user: str, **more: object) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host="localhost",
            port=self.port,
            user=user,
            password="secret",
            dbname=self.database.name,
            sslmode="verify-full",
            sslrootcert=str(self.folder / "tls" / "ca.crt"),
            autocommit=True,
            **more,  # type: ignore[arg-type]
        )

    def admin(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, name: str) -> float:
        _, page = self.admin("/metrics")
        return sum(float(line.split()[-1]) for line in page.splitlines() if line.startswith(name))

    def workers(self) -> list[int]:
        return [child.pid for child in psutil.Process(self.process.pid).children()]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return fieldgate(*words, "--config", str(self.config))


def fieldgate(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "proxy", *words], cwd=ROOT, capture_output=True, text=True, timeout=WITHIN, check=False
    )


def write_config(folder: Path, database: Database, control: str, admin_port: int, workers: int) -> None:
    Authority(folder / "tls").server("localhost")
    write_private(folder / "control", "secret\n")
    (folder / "fieldgate.toml").write_text(
        f"""
[listener]
port = 0
tls_certificate = "tls/localhost.crt"
tls_key = "tls/localhost.key"
[upstream]
hosts = ["127.0.0.1:{database.server.port}"]
sslmode = "disable"
allow_plaintext = true
pass_through = true
other_databases = "forward"
[control]
user = "{control}"
password_file = "control"
database = "{database.name}"
[admin]
port = {admin_port}
[process]
workers = {workers}
run_dir = "run"
drain_timeout = "2s"
[logs]
file = "log"
"""
    )


@pytest.fixture(scope="module")
def served(postgres: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    from proxy.demo.server import Server
    from tests.support.servers import fresh_database

    assert isinstance(postgres, Server)
    folder = tmp_path_factory.mktemp("served")
    with fresh_database(postgres) as database:
        control = database.role("control")
        install_verifier(database, control)
        admin_port = free_port()
        write_config(folder, database, control, admin_port, workers=2)
        command = [sys.executable, "-m", "proxy", "serve", "--config", str(folder / "fieldgate.toml")]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        try:
            assert process.stdout is not None
            line = process.stdout.readline().decode()
            assert line.startswith("ready port="), line
            yield Served(folder, database, admin_port, process, int(line.split("=")[1]))
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(WITHIN)


def test_it_is_ready_and_says_what_it_counts(served: Served) -> None:
    assert served.admin("/healthz") == (200, '{"status": "alive"}')
    status, body = served.admin("/readyz")
    assert status == 200 and json.loads(body)["workers"] == 2
    before = served.metric("fieldgate_sessions_total")
    role = served.database.role("counted")
    for _ in range(6):
        served.connect(role).close()
    assert served.metric("fieldgate_sessions_total") == before + 6


def test_no_process_that_may_hold_keys_leaves_a_core_dump(served: Served) -> None:
    for pid in (served.process.pid, *served.workers()):
        limits = Path(f"/proc/{pid}/limits").read_text()
        [line] = [line for line in limits.splitlines() if line.startswith("Max core file size")]
        assert line.split()[4:6] == ["0", "0"]


@pytest.mark.parametrize("protocol", ["3.0", "3.2"])
def test_a_cancel_finds_its_session_in_whichever_worker_it_is(served: Served, protocol: str) -> None:
    """The kernel spreads connections over the workers, so several cancels meet both cases, with short and long keys."""
    if protocol != "3.0" and psycopg.pq.version() < 180000:
        pytest.skip("this libpq speaks 3.0 only")
    more = {"max_protocol_version": protocol} if protocol != "3.0" else {}
    role = served.database.role("canceller")
    found = served.metric('fieldgate_cancels_total{outcome="found"}')
    for _ in range(10):
        with served.connect(role, **more) as connection:
            with pytest.raises(psycopg.errors.QueryCanceled):
                connection.execute("SET statement_timeout = '20s'")
                _cancel_soon(served, connection)
                connection.execute("SELECT pg_sleep(15)")
            assert connection.execute("SELECT 1").fetchone() == (1,)
    assert served.metric('fieldgate_cancels_total{outcome="found"}') == found + 10


def _cancel_soon(served: Served, connection: psycopg.Connection[tuple[object, ...]]) -> None:
    import threading

    pid = connection.info.backend_pid

    def cancel() -> None:
        with served.database.connect() as admin:
            query = (
                "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND query LIKE 'SELECT pg_sleep%%' AND state = 'active'"
            )
            eventually(lambda: admin.execute(query, (pid,)).fetchone())
        connection.cancel()

    threading.Thread(target=cancel, daemon=True).start()


def test_a_worker_that_dies_is_replaced_and_its_sessions_only_are_lost(served: Served) -> None:
    role = served.database.role("survivor")
    before = served.workers()
    assert len(before) == 2
    connections = [served.connect(role) for _ in range(12)]
    os.kill(before[0], signal.SIGKILL)
    alive = sum(_lives(connection) for connection in connections)
    assert 0 < alive < len(connections)
    eventually(lambda: len(served.workers()) == 2 and set(served.workers()) != set(before))
    eventually(lambda: served.admin("/readyz")[0] == 200)
    served.connect(role).close()
    for connection in connections:
        connection.close()


def _lives(connection: psycopg.Connection[tuple[object, ...]]) -> bool:
    try:
        return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def test_reload_by_command_and_by_signal(served: Served) -> None:
    done = served.run("reload")
    assert done.returncode == 0 and done.stdout.count("reloaded") == 2
    served.process.send_signal(signal.SIGHUP)
    eventually(lambda: served.metric('fieldgate_reloads_total{outcome="done"}') >= 4)
    good = served.config.read_text()
    try:
        served.config.write_text(good.replace("[admin]", "[admin]\nbogus = 1"))
        refused = served.run("reload")
        assert refused.returncode == 78 and "admin.bogus: unknown key" in refused.stderr
        certificate = served.folder / "tls" / "localhost.crt"
        served.config.write_text(good)
        kept = certificate.read_bytes()
        certificate.write_text("nothing")
        refused = served.run("reload")
        assert refused.returncode == 1 and "localhost.crt" in refused.stdout
        certificate.write_bytes(kept)
    finally:
        served.config.write_text(good)
    served.connect(served.database.role("later")).close()


def test_a_second_proxy_in_the_same_run_folder_is_refused(served: Served) -> None:
    refused = served.run("serve")
    assert refused.returncode == 1 and "another proxy runs" in refused.stderr
    assert served.admin("/healthz")[0] == 200


def test_the_end_is_orderly(served: Served) -> None:
    """Last in this file: SIGTERM, 57P01 to who is idle, nothing left behind."""
    connection = served.connect(served.database.role("last"))
    connection.execute("SELECT 1")
    workers = served.workers()
    served.process.terminate()
    assert served.process.wait(WITHIN) == 0
    with pytest.raises(psycopg.OperationalError, match="administrator command"):
        connection.execute("SELECT 1")
    assert not any(psutil.pid_exists(pid) for pid in workers)
    assert sorted(path.name for path in (served.folder / "run").iterdir()) == ["login.secret"]
    assert "internal_error" not in served.log


def test_workers_end_with_their_supervisor(database: Database, tmp_path: Path) -> None:
    """Even when it is killed and can not tell them."""
    control = database.role("control")
    install_verifier(database, control)
    write_config(tmp_path, database, control, free_port(), workers=2)
    command = [sys.executable, "-m", "proxy", "serve", "--config", str(tmp_path / "fieldgate.toml")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline().startswith(b"ready")
    workers = [child.pid for child in psutil.Process(process.pid).children()]
    process.kill()
    process.wait(WITHIN)
    process.stdout.close()
    eventually(lambda: not any(psutil.pid_exists(pid) for pid in workers))


def test_a_passphrase_that_was_asked_for_reaches_the_workers() -> None:
    """The supervisor asks once, and tells each worker by its standard input: no argument, no environment, no file."""
    with raised() as stage:
        stage.service.stop()
        passphrase = "asked for on the terminal"
        asyncio.run(_keyring_file(stage, passphrase))
        text = re.sub(
            r"(?s)\[keys\]\n.*?(?=\n\[(?!keys))", '[keys]\nkeyring = "keyring"\n', stage.folder.config.read_text()
        )
        stage.folder.config.write_text(text.replace("workers = 1", "workers = 2"))
        asyncio.run(_serve_sample(stage, passphrase))


async def _keyring_file(stage: Stage, passphrase: str) -> None:
    """The sample's keys in a file, which is the store whose passphrase may be asked for."""
    async with open_store(stage.folder, stage.server) as store:
        keyring = (await store.load()).keyring
    opened, derivation = OpenKeyring(stage.folder.path / "keyring", keyring, 1), Derivation(LOWEST_COST)
    opened.leases().create()
    opened.leases().open_accounts(k.key_id for k in keyring.infos if k.slot.purpose is KeyPurpose.CELL)
    files.write_private(opened.path, document.lock(keyring, PassphraseKek(passphrase, derivation), derivation, 1))


async def _serve_sample(stage: Stage, passphrase: str) -> None:
    config = load_config(stage.folder.config)
    prepare_run_dir(run_dir_of(config, stage.folder.config))
    _, logger = make_process_logger(config)
    supervisor = Supervisor(config, stage.folder.config, lambda: passphrase, logger)
    ready: asyncio.Queue[int] = asyncio.Queue()
    running = asyncio.create_task(supervisor.run(ready.put_nowait))
    async with asyncio.timeout(60):
        assert await ready.get() == stage.port
        connection = await stage.open("support")
        assert await connection.fetchval("SELECT surname FROM customers WHERE id = 1")
        await connection.close()
        workers = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
        assert len(workers) >= 2  # other tests may have left children that are dead and not waited for
        for worker in workers:
            assert not any(passphrase in seen for seen in [*worker.cmdline(), *worker.environ().values()])
        supervisor._stop.set()
        await running


@pytest.mark.parametrize("workers", [1, 2])
def test_a_wrong_start_says_why_and_does_not_listen(database: Database, tmp_path: Path, workers: int) -> None:
    write_config(tmp_path, database, "control", free_port(), workers=workers)
    (tmp_path / "tls" / "localhost.key").write_text("no key")
    refused = fieldgate("serve", "--config", str(tmp_path / "fieldgate.toml"))
    assert refused.returncode == 78
    assert "localhost.key" in refused.stderr
    assert "localhost.key" in (tmp_path / "log").read_text()
    assert Supervisor.__name__ not in refused.stderr  # a message, not a traceback
