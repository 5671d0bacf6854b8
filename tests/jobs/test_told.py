"""How an operation ended is in the audit record, whatever happens to its runner right behind the commit of that."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import textwrap
from datetime import timedelta
from pathlib import Path

import pytest

from proxy.jobs.runner import Runner
from proxy.keywork.handler import Work
from proxy.keywork.operation import OperationKind, OperationState
from proxy.keywork.records_database import DatabaseRecords
from tests.jobs.conftest import Jobs, running
from tests.rotation.working import until

pytestmark = pytest.mark.integration
DONE, FAILED = OperationState.DONE, OperationState.FAILED
SHORT = 0.3  # seconds of a heartbeat; what is untold for three of them is told by anybody
ENDED = ("operation-finished", "done", "done")
CHILD = textwrap.dedent(
    """
    import asyncio, os, signal, sys
    import asyncpg, structlog
    from proxy.jobs.runner import Runner
    from proxy.keywork.operation import OperationKind
    from proxy.keywork.records_database import DatabaseRecords
    from proxy.keywork.trail import Trail
    from tests.jobs.conftest import MemorySink
    from tests.support.control_database import ControlDatabase

    class Raw:
        async def connect_async(self, user=None, password=None): return await asyncpg.connect(sys.argv[1])

    finish = DatabaseRecords.finish

    async def finishing(self, claim, state, problem=None):
        await finish(self, claim, state, problem)
        os.kill(os.getpid(), signal.SIGKILL)

    DatabaseRecords.finish = finishing

    async def verify(work):
        pass

    control = ControlDatabase(Raw(), "")
    records = DatabaseRecords(control.connection)
    made, trail = {OperationKind.VERIFY: verify}, Trail(MemorySink())
    asyncio.run(Runner(records, made, control.connect, trail, structlog.get_logger(), heartbeat=1.0).run())
    """
)


async def ends(_work: Work) -> None:
    pass


def runner(jobs: Jobs) -> Runner:
    return jobs.runner({OperationKind.VERIFY: ends}, heartbeat=SHORT)


def finished(jobs: Jobs) -> list[tuple[str, str, str | None]]:
    return [each for each in jobs.told() if each[0] == "operation-finished"]


async def test_an_end_is_told_once(jobs: Jobs) -> None:
    async with running(runner(jobs)):
        await jobs.reached(await jobs.ask(OperationKind.VERIFY), DONE)
        await until(lambda: bool(finished(jobs)))
        await asyncio.sleep(4 * SHORT)  # long enough for it to be looked for as untold
    assert finished(jobs) == [ENDED]
    assert await jobs.records.untold(10, timedelta(seconds=-60)) == []


async def test_a_runner_that_is_killed_behind_the_end_is_told_of_by_the_next(jobs: Jobs) -> None:
    asked = await jobs.ask(OperationKind.VERIFY)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, jobs.shop.database.url(),
        stderr=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == -signal.SIGKILL, errors.decode()
    assert (await jobs.records.get(asked.operation_id)).state is DONE and not jobs.sink.lines
    async with running(runner(jobs)):
        await until(lambda: bool(finished(jobs)))
    assert jobs.told() == [ENDED]


@pytest.mark.parametrize("behind", ["finish", "told"])
async def test_a_runner_that_is_stopped_behind_the_end_tells_it(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, behind: str
) -> None:
    stopped, step = runner(jobs), getattr(DatabaseRecords, behind)

    async def stopping(*said: object) -> object:
        done = await step(*said)
        stopped.stop()
        await asyncio.sleep(0)  # where a cancelling would arrive
        return done

    monkeypatch.setattr(DatabaseRecords, behind, stopping)
    async with running(stopped):
        await jobs.reached(await jobs.ask(OperationKind.VERIFY), DONE)
    assert finished(jobs) == [ENDED]
    assert await jobs.records.untold(10, timedelta(seconds=-60)) == []


async def test_an_end_without_a_sink_is_told_when_it_is_back(jobs: Jobs) -> None:
    async def breaks(_work: Work) -> None:
        jobs.sink.available = False
        raise RuntimeError

    one = jobs.runner({OperationKind.VERIFY: breaks}, heartbeat=SHORT)
    async with running(one):
        await jobs.reached(await jobs.ask(OperationKind.VERIFY), FAILED)
        await asyncio.sleep(4 * SHORT)
        assert finished(jobs) == []
        jobs.sink.available = True
        await until(lambda: bool(finished(jobs)))
    assert finished(jobs) == [("operation-finished", "failed", "failed")]


async def test_a_runner_that_is_stopped_while_it_connects_ends(jobs: Jobs) -> None:
    """Told to stop before there is a queue, it does not begin to wait for one."""
    connecting, go_on = asyncio.Event(), asyncio.Event()
    one, connect = runner(jobs), jobs.shop.control.connect

    async def slowly() -> object:
        connecting.set()
        await go_on.wait()
        return await connect()

    one.connect = slowly
    task = asyncio.create_task(one.run())
    await connecting.wait()
    one.stop()
    go_on.set()
    await asyncio.wait_for(task, 20)
