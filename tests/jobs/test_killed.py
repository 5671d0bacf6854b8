"""Real kills: of the process that rotates, at several steps, and of PostgreSQL in the middle of the work."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import textwrap
from pathlib import Path

import asyncpg
import pytest

from proxy.keywork.handler import Work
from proxy.keywork.operation import Operation, OperationKind, OperationState
from proxy.rotation.rotate import rotate_data_key
from proxy.sealing.verify import verify_sealed
from tests.jobs.conftest import ROWS, Jobs, make_jobs, running
from tests.rotation.making import EMAIL, MAP, truth
from tests.rotation.test_rotate import require_rotated
from tests.rotation.working import Steps, all_opened
from tests.support.servers import fresh_database, postgres_18
from tests.support.servers import running as running_server

pytestmark = pytest.mark.integration

KILLED_AT = ("activate", "fence", "re-encrypt", "unfence")  # tests/rotation/test_rotate.py breaks off at every step
CHILD = textwrap.dedent(
    """
    import asyncio, os, signal, sys
    import asyncpg, structlog
    from proxy.jobs.registry import handlers
    from proxy.jobs.runner import Runner
    from proxy.jobs.work import ClaimedWork
    from proxy.keywork.records_database import DatabaseRecords
    from proxy.keywork.trail import Trail
    from tests.jobs.conftest import MemorySink
    from tests.rotation.working import Shop, store_of
    from tests.support.control_database import ControlDatabase

    class Raw:
        def __init__(self, url): self.url = url
        async def connect_async(self, user=None, password=None): return await asyncpg.connect(self.url)

    step, url, kek = sys.argv[1], sys.argv[2], bytes.fromhex(sys.stdin.readline())
    checkpoint = ClaimedWork.checkpoint

    async def dying(self, name, done=0, total=0):
        if name == step and (step != "re-encrypt" or done > 10):
            os.kill(os.getpid(), signal.SIGKILL)
        await checkpoint(self, name, done, total)

    ClaimedWork.checkpoint = dying

    async def main():
        database = Raw(url)
        control = ControlDatabase(database, "")
        shop = Shop(database, control, kek, store_of(control, kek))
        made = handlers(shop.tools(batch=8))
        records = DatabaseRecords(control.connection)
        await Runner(records, made, control.connect, Trail(MemorySink()), structlog.get_logger(), heartbeat=1.0).run()

    asyncio.run(main())
    """
)


async def test_a_killed_runner_is_followed_by_another(jobs: Jobs, connection: asyncpg.Connection) -> None:
    """One operation; a process for each step, which is killed there.  The last one is not, and ends it."""
    asked = await jobs.ask()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    for step in KILLED_AT:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CHILD, step, jobs.shop.database.url(),
            stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=environment,
        )  # fmt: skip
        _, errors = await asyncio.wait_for(process.communicate(jobs.shop.kek.hex().encode() + b"\n"), 60)
        assert process.returncode == -signal.SIGKILL, errors.decode()
        assert (await jobs.records.get(asked.operation_id)).state is OperationState.RUNNING
        assert await all_opened(jobs.shop, connection) == truth(ROWS)
    async with running(jobs.runner(heartbeat=1.0)):
        ended = await jobs.reached(asked, OperationState.DONE, OperationState.FAILED)
    assert (ended.state, ended.problem) == (OperationState.DONE, None)
    assert await jobs.shop.key_states(EMAIL) == ["decrypt-only", "active"]
    assert await all_opened(jobs.shop, connection) == truth(ROWS)
    await require_rotated(jobs.shop, connection, EMAIL)


class Reporting:
    """Steps whose results are recorded."""

    def __init__(self, work: Work, steps: Steps) -> None:
        self._work, self.checkpoint = work, steps.checkpoint
        self.report = work.report

    @property
    def operation(self) -> Operation:
        return self._work.operation


async def test_a_restart_of_postgresql_is_waited_for(tmp_path: Path) -> None:
    """Both databases go down in the middle of the batches; the same runner goes on when they are back."""
    with running_server(postgres_18()) as server, fresh_database(server) as database:
        jobs = await make_jobs(database)
        restarted = asyncio.Event()

        async def rotate(work: Work) -> None:
            steps = Steps(work.operation)

            def stop_and_start() -> None:
                server.stop()
                server.start()

            async def restart() -> None:
                restarted.set()
                # One thread does both: the runner breaks this off as soon as its connections are lost.
                await asyncio.to_thread(stop_and_start)

            if not restarted.is_set():
                steps.at["narrow"] = restart
            await rotate_data_key(jobs.shop.tools(batch=8), Reporting(work, steps))

        async with running(jobs.runner({OperationKind.ROTATE_DATA_KEY: rotate}, heartbeat=1.0)):
            asked = await jobs.ask()
            await restarted.wait()
            while True:
                try:
                    ended = await jobs.reached(asked, OperationState.DONE, OperationState.FAILED)
                    break
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await asyncio.sleep(0.1)
        assert (ended.state, ended.problem) == (OperationState.DONE, None)
        connection = await database.connect_async()
        assert await all_opened(jobs.shop, connection) == truth(ROWS)
        ciphers = await jobs.shop.ciphers()
        assert await verify_sealed(connection, MAP, ciphers.heads()) == ()
        assert await jobs.shop.key_states(EMAIL) == ["decrypt-only", "active"]
        await connection.close()
