"""Operations from the queue to their end: done, failed, cancelled, paused, tried again, taken over."""

from __future__ import annotations

import asyncio
import json

import asyncpg
import pytest

from keys.errors import ProviderUnavailable
from proxy.errors import UpstreamUnavailable
from proxy.jobs.queue import SCHEMA, install_queue
from proxy.keywork.handler import Work
from proxy.keywork.operation import OperationKind, OperationState, Target, Wanted
from proxy.keywork.records import ClaimLost
from proxy.rotation.errors import RotationRefused
from tests.jobs.conftest import ROWS, Jobs, running
from tests.rotation.making import EMAIL, truth
from tests.rotation.working import all_opened, until

pytestmark = pytest.mark.integration
DONE, FAILED, CANCELLED, PAUSED = (
    OperationState.DONE,
    OperationState.FAILED,
    OperationState.CANCELLED,
    OperationState.PAUSED,
)


async def test_a_rotation_from_request_to_end(jobs: Jobs, connection: asyncpg.Connection) -> None:
    async with running(jobs.runner()):
        ended = await jobs.reached(await jobs.ask(), DONE, FAILED)
    assert (ended.state, ended.problem) == (DONE, None)
    assert await jobs.shop.key_states(EMAIL) == ["decrypt-only", "active"]
    assert await all_opened(jobs.shop, connection) == truth(ROWS)
    assert await connection.fetchval(f"SELECT count(*) FROM {SCHEMA}.pgqueuer") == 0
    told = [json.loads(line.data if hasattr(line, "data") else bytes(line)) for line in jobs.sink.lines]
    assert [t["event"] for t in told] == ["operation-started", "operation-finished"]
    assert {t["operation"] for t in told} == {str(ended.operation_id)}


async def test_what_waits_before_the_runner_starts_is_found(jobs: Jobs) -> None:
    asked = [await jobs.ask(OperationKind.VERIFY) for _ in range(3)]
    async with running(jobs.runner()):
        assert [(await jobs.reached(each, DONE, FAILED)).state for each in asked] == [DONE] * 3


async def test_what_cannot_be_done_fails_with_its_reason(jobs: Jobs) -> None:
    async def refuses(work: Work) -> None:
        raise RotationRefused("public.people.email", ["it is not as it must be"])

    async def is_wrong(work: Work) -> None:
        raise ValueError("a value that nobody may see")

    own = {OperationKind.VERIFY: refuses, OperationKind.REWRAP: is_wrong}
    async with running(jobs.runner(own)):
        refused = await jobs.reached(await jobs.ask(OperationKind.VERIFY), FAILED)
        wrong = await jobs.reached(await jobs.ask(OperationKind.REWRAP), FAILED)
        unknown = await jobs.reached(await jobs.ask(OperationKind.SHRED_SUBJECT), FAILED)
    assert refused.problem == "public.people.email: it is not as it must be"
    assert wrong.problem == "it stopped at an error that was not foreseen (ValueError)"
    assert "no handler" in (unknown.problem or "")


@pytest.mark.parametrize(
    "fault", [ProviderUnavailable("gone"), UpstreamUnavailable("gone"), OSError(), asyncpg.LockNotAvailableError("")]
)
async def test_a_fault_that_may_pass_is_tried_again(jobs: Jobs, fault: Exception) -> None:
    attempts = 0

    async def fails_twice(work: Work) -> None:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            raise fault

    runner = jobs.runner({OperationKind.VERIFY: fails_twice})
    async with running(runner):
        await jobs.reached(await jobs.ask(OperationKind.VERIFY), DONE)
        await until(lambda: bool(runner.stats.ended))  # it is counted behind the commit that we have just seen
    assert (attempts, runner.stats.retries) == (3, 2)
    assert runner.stats.ended == {("verify", "done"): 1}


async def test_paused_resumed_and_cancelled(jobs: Jobs) -> None:
    beats = 0

    async def works_on(work: Work) -> None:
        nonlocal beats
        while True:
            await work.checkpoint("working", beats, 1000)
            beats += 1
            await asyncio.sleep(0.02)

    async with running(jobs.runner({OperationKind.VERIFY: works_on})):
        asked = await jobs.ask(OperationKind.VERIFY)
        await until(lambda: beats > 2)
        await jobs.records.steer(asked.operation_id, Wanted.PAUSE)
        await jobs.reached(asked, PAUSED)
        before = beats
        await asyncio.sleep(0.3)
        assert beats == before
        await jobs.records.steer(asked.operation_id, Wanted.RUN)
        await until(lambda: beats > before)
        await jobs.records.steer(asked.operation_id, Wanted.CANCEL)
        ended = await jobs.reached(asked, CANCELLED)
    assert ended.step == "working"


async def test_two_runners_share_the_work(jobs: Jobs) -> None:
    by: list[int] = []

    def handler(number: int) -> object:
        async def notes(work: Work) -> None:
            by.append(number)
            await asyncio.sleep(0.3)

        return notes

    runners = [jobs.runner({OperationKind.VERIFY: handler(n)}) for n in range(2)]  # type: ignore[dict-item]
    async with running(*runners):
        asked = [await jobs.ask(OperationKind.VERIFY) for _ in range(6)]
        for each in asked:
            await jobs.reached(each, DONE)
    assert len(by) == 6
    assert set(by) == {0, 1}


async def test_a_runner_whose_claim_is_lost_stops(jobs: Jobs) -> None:
    """As one that was asleep while another took the operation over."""
    started, lost = asyncio.Event(), asyncio.Event()

    async def works_on(work: Work) -> None:
        started.set()
        try:
            while True:
                await work.checkpoint(f"step {asyncio.get_running_loop().time()}")
                await asyncio.sleep(0.02)
        except ClaimLost:
            lost.set()
            raise

    runner = jobs.runner({OperationKind.VERIFY: works_on})
    async with running(runner):
        asked = await jobs.ask(OperationKind.VERIFY)
        await started.wait()
        claim = await jobs.records.claim(asked.operation_id)
        assert claim is not None
        await lost.wait()
        await jobs.records.finish(claim, DONE)
    assert runner.stats.ended == {}


async def test_a_stopped_runner_hands_back_what_it_had(jobs: Jobs) -> None:
    started = asyncio.Event()

    async def works_for_ever(work: Work) -> None:
        started.set()
        await asyncio.Event().wait()

    async def ends(work: Work) -> None:
        pass

    async with running(jobs.runner({OperationKind.VERIFY: works_for_ever})):
        asked = await jobs.ask(OperationKind.VERIFY)
        await started.wait()
    async with running(jobs.runner({OperationKind.VERIFY: ends})):
        await jobs.reached(asked, DONE)


async def test_a_lost_control_database_is_waited_for(jobs: Jobs, connection: asyncpg.Connection) -> None:
    started, attempts = asyncio.Event(), 0

    async def works_until_lost(work: Work) -> None:
        nonlocal attempts
        attempts += 1
        started.set()
        while attempts == 1:
            await work.checkpoint(f"step {asyncio.get_running_loop().time()}")
            await asyncio.sleep(0.02)

    async with running(jobs.runner({OperationKind.VERIFY: works_until_lost})):
        asked = await jobs.ask(OperationKind.VERIFY)
        await started.wait()
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", jobs.shop.control.user
        )
        ended = await jobs.reached(asked, DONE, FAILED)
    assert (ended.state, attempts) == (DONE, 2)


async def test_without_an_audit_sink_nothing_is_begun(jobs: Jobs) -> None:
    begun = False

    async def begins(work: Work) -> None:
        nonlocal begun
        begun = True

    jobs.sink.available = False
    runner = jobs.runner({OperationKind.VERIFY: begins})
    async with running(runner):
        asked = await jobs.ask(OperationKind.VERIFY)
        await until(lambda: runner.stats.retries > 0)
        assert not begun
        jobs.sink.available = True
        await jobs.reached(asked, DONE)


async def test_the_queue_is_installed_twice_without_harm(jobs: Jobs, connection: asyncpg.Connection) -> None:
    await install_queue(connection, jobs.shop.control.user)
    assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 1
    with pytest.raises(ValueError, match="identifier"):
        await install_queue(connection, 'x"; DROP TABLE people')


async def test_a_rotation_by_a_target_that_is_none_fails(jobs: Jobs) -> None:
    async with running(jobs.runner()):
        ended = await jobs.reached(await jobs.ask(target=Target("shop", "public.people.city")), FAILED)
    assert "not a sealed field" in (ended.problem or "")
