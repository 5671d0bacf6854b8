"""Keys rotated under the running whole: proxies, one of them stopped meanwhile, and a runner kept by `serve`."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import uuid4

import asyncpg
import psutil
import pytest

from policies.loader import load_policy
from proxy.demo.folder import DemoFolder
from proxy.demo.prepare import upstream_roles
from proxy.demo.server import free_port
from proxy.demo.service import Wanted, configuration
from proxy.demo.show import PASSWORD, Door
from proxy.keywork.operation import Operation, OperationKind, OperationState, Target
from proxy.keywork.records import NewOperation
from proxy.keywork.records_database import DatabaseRecords

from .stage import Stage, raised

pytestmark = [pytest.mark.integration]
FIELD = "public.customers.email"
SURNAME = "public.customers.surname"  # with terms, and search tokens


@pytest.fixture(scope="module")
def whole() -> Iterator[Stage]:
    with raised(jobs=True) as stage:
        yield stage


@contextmanager
def another_proxy(stage: Stage) -> Iterator[tuple[int, Door]]:
    """A second one over the same databases, with a run folder of its own and without jobs; leases of three seconds."""
    folder = DemoFolder(stage.folder.path)
    port, admin_port = free_port(), free_port()
    config = stage.folder.path / "second.toml"
    text = configuration(folder, stage.server, Wanted(port, admin_port), upstream_roles(load_policy(folder.policy)))
    run_dir = stage.folder.path / "run2"
    text = text.replace(str(folder.run_dir), str(run_dir)).replace('"fieldgate.log"', '"second.log"')
    text = text.replace('store = "database"', 'store = "database"\nlease = "3s"')
    config.write_text(text.replace('path = "audit.jsonl"', 'path = "second.jsonl"'))
    process = subprocess.Popen(
        [sys.executable, "-m", "proxy", "serve", "--config", str(config)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready")
        yield process.pid, Door("localhost", port, stage.folder.ca)
    finally:
        stop_family(process.pid, signal.SIGCONT)
        process.terminate()
        process.wait()
        shutil.rmtree(run_dir, ignore_errors=True)


def stop_family(pid: int, kind: signal.Signals) -> None:
    parent = psutil.Process(pid)
    for each in [parent, *parent.children(recursive=True)]:
        os.kill(each.pid, kind)


async def rotate(stage: Stage, kind: OperationKind = OperationKind.ROTATE_DATA_KEY, field: str = FIELD) -> Operation:
    """Asked for in the control database, as the admin port does; carried out by the runner that `serve` keeps."""
    connection = await asyncpg.connect(stage.control.url())

    @asynccontextmanager
    async def lend() -> AsyncIterator[asyncpg.Connection]:
        yield connection

    try:
        records = DatabaseRecords(lend)
        name = uuid4().hex
        new = NewOperation(kind, Target("shop", field), "anna", name, hashlib.sha256(name.encode()).digest())
        asked = (await records.create(new)).operation
        async with asyncio.timeout(60):
            while True:
                found = await records.get(asked.operation_id)
                if found.state in (OperationState.DONE, OperationState.FAILED):
                    return found
                await asyncio.sleep(0.1)
    finally:
        await connection.close()


async def email(connection: asyncpg.Connection, number: int) -> str:
    found: str = await connection.fetchval("SELECT email FROM customers WHERE id = $1", number)
    return found


async def test_a_proxy_that_was_stopped_across_a_rotation(whole: Stage) -> None:
    """Its next write gets 40001 or succeeds, the one after succeeds; what it reads is right all along."""
    with another_proxy(whole) as (pid, door):
        live, stopped = await whole.open("shop_app"), await door.open("shop_app", PASSWORD)
        before = await email(live, 1)
        await stopped.execute("UPDATE customers SET email = $1 WHERE id = 1", "one@example.org")
        stop_family(pid, signal.SIGSTOP)
        written = 0

        async def application() -> None:
            nonlocal written
            while not rotating.done():
                written += 1
                await live.execute("UPDATE customers SET email = $1 WHERE id = 2", f"{written}@example.org")
                assert await email(live, 2) == f"{written}@example.org"

        rotating = asyncio.create_task(rotate(whole))
        await application()
        ended = await rotating
        assert (ended.state, ended.problem) == (OperationState.DONE, None)
        stop_family(pid, signal.SIGCONT)
        failures = []
        for _ in range(100):
            try:
                await stopped.execute("UPDATE customers SET email = $1 WHERE id = 1", "late@example.org")
                break
            except asyncpg.PostgresError as error:
                failures.append(error.sqlstate)
                await asyncio.sleep(0.1)
        else:
            pytest.fail(f"its writes never succeeded: {failures}")
        assert set(failures) <= {"40001", "57P03"}
        assert await email(stopped, 1) == await email(live, 1) == "late@example.org"
        assert await email(stopped, 2) == f"{written}@example.org"
        assert before != "late@example.org"
        await live.close()
        await stopped.close()
    with whole.raw.connect() as connection:
        heads = connection.execute("SELECT DISTINCT substr(email, 1, 12) FROM customers").fetchall()
        assert len(heads) == 1


async def test_searches_by_part_across_a_rotation_of_what_makes_their_tokens(whole: Stage) -> None:
    """By statements that were prepared before, all the while: they find every row, or fail and find it then."""
    reader, writer = await whole.open("management"), await whole.open("shop_app")
    for number in (1, 2):
        await writer.execute("UPDATE customers SET surname = 'Rotatable' WHERE id = $1", number)
    by_part = await reader.prepare("SELECT id FROM customers WHERE surname LIKE '%otata%' AND id < 3")
    by_term = await reader.prepare("SELECT id FROM customers WHERE surname = $1 AND id < 3")
    rotating = asyncio.create_task(rotate(whole, OperationKind.ROTATE_TERM_KEY, SURNAME))
    failures, rounds, after = set[str | None](), 0, 0
    async with asyncio.timeout(60):
        while after < 2:  # rounds without a failure, once it is done
            after += rotating.done()
            try:
                for found in (await by_part.fetch(), await by_term.fetch("Rotatable")):
                    assert sorted(row["id"] for row in found) == [1, 2]
                await writer.execute("UPDATE customers SET surname = 'Rotatable' WHERE id = 1")
                rounds += 1
            except asyncpg.PostgresError as error:
                failures.add(error.sqlstate)
                after = 0
    ended = await rotating
    assert (ended.state, ended.problem) == (OperationState.DONE, None)
    assert rounds > 10
    assert failures <= {"40001"}
    await reader.close()
    await writer.close()
    with whole.raw.connect() as connection:
        mine = "attrelid = 'customers'::regclass AND attname ~ '^fg_surname_(eq|tk)'"
        names = connection.execute(f"SELECT attname FROM pg_attribute WHERE {mine} ORDER BY 1").fetchall()
        assert names == [("fg_surname_eq_2",), ("fg_surname_tk_2",)]


def runner_of(stage: Stage) -> psutil.Process:
    """The process that `serve` keeps."""
    children = psutil.Process(stage.service.pid).children()
    return next(child for child in children if "jobs" in child.cmdline())


async def test_a_runner_that_is_killed_is_started_again(whole: Stage) -> None:
    killed = runner_of(whole)
    killed.kill()
    ended = await rotate(whole)
    assert (ended.state, ended.problem) == (OperationState.DONE, None)
    assert runner_of(whole).pid != killed.pid
    page = await asyncio.to_thread(metrics_of, whole)
    assert 'fieldgate_operations_total{kind="rotate-data-key",state="done"} 1.0' in page
    assert "fieldgate_cells_reencrypted_total" in page
    assert "operation-finished" in whole.folder.audit.read_text()


def metrics_of(stage: Stage) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{stage.admin_port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())
