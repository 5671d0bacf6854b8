"""What may become of an operation, in the control database and in the memory that other tests use instead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from proxy.demo.server import Server
from proxy.keywork.operation import OperationKind, OperationState, Target, Wanted
from proxy.keywork.records import (
    CHANNEL,
    Busy,
    Claim,
    ClaimLost,
    KeyReused,
    NewOperation,
    PageMark,
    Records,
    SamePerson,
    UnknownOperation,
    WrongState,
)
from proxy.keywork.records_database import DatabaseRecords
from tests.support.operations_memory import MemoryRecords
from tests.support.servers import Database, fresh_database

SCHEMA = ("001_keys.sql", "002_operations.sql", "008_untold.sql")
STALE = timedelta(seconds=30)
EMAIL = Target(database="shop", field="public.customers.email")
Act = Callable[[Records, UUID], Any]


@pytest.fixture(scope="module")
def control(postgres: Server) -> Iterator[Database]:
    with fresh_database(postgres) as made:
        scripts = [(files("proxy.control_schema") / name).read_text() for name in SCHEMA]
        made.run("CREATE SCHEMA fieldgate", *scripts)
        yield made


@pytest.fixture
async def pool(control: Database) -> AsyncIterator[asyncpg.Pool]:
    control.run("TRUNCATE fieldgate.operations CASCADE")
    async with asyncpg.create_pool(control.url(), min_size=0, max_size=4, server_settings={"search_path": ""}) as made:
        yield made


@pytest.fixture(params=["database", "memory"])
def records(request: pytest.FixtureRequest) -> Records:
    if request.param == "memory":
        return MemoryRecords()
    return database_records(request.getfixturevalue("pool"))


def database_records(pool: asyncpg.Pool) -> DatabaseRecords:
    @asynccontextmanager
    async def lend() -> AsyncIterator[Any]:
        async with pool.acquire() as connection:
            yield connection

    return DatabaseRecords(lend)


def wish(
    key: str | None = None,
    *,
    who: str = "olga",
    kind: OperationKind = OperationKind.ROTATE_DATA_KEY,
    digest: bytes = b"d" * 32,
    locks: tuple[str, ...] = ("field shop/public.customers.email",),
    approval: bool = False,
    not_before: datetime | None = None,
) -> NewOperation:
    return NewOperation(kind, EMAIL, who, key or str(uuid4()), digest, approval, not_before, locks)


async def made(records: Records, **wished: Any) -> UUID:
    return (await records.create(wish(**wished))).operation.operation_id


async def claimed(records: Records, operation_id: UUID) -> Claim:
    found = await records.claim(operation_id)
    assert found is not None
    return found


async def test_an_operation_is_recorded_as_it_was_asked_for(records: Records) -> None:
    created = await records.create(wish())
    found = await records.get(created.operation.operation_id)
    assert created.is_new and found == created.operation
    assert (found.kind, found.target, found.requested_by) == (OperationKind.ROTATE_DATA_KEY, EMAIL, "olga")
    assert (found.state, found.wanted, found.approved_by) == (OperationState.QUEUED, Wanted.RUN, None)
    assert abs(found.created_at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_the_same_request_again_is_the_same_operation_whatever_has_become_of_it(records: Records) -> None:
    first = await records.create(wish("k"))
    await records.steer(first.operation.operation_id, Wanted.CANCEL)
    again = await records.create(wish("k"))
    assert not again.is_new and again.operation.operation_id == first.operation.operation_id
    assert again.operation.state is OperationState.CANCELLED


async def test_a_key_is_good_for_one_request_of_one_person(records: Records) -> None:
    await records.create(wish("k", locks=()))
    with pytest.raises(KeyReused):
        await records.create(wish("k", digest=b"e" * 32, locks=()))
    assert (await records.create(wish("k", who="pavel", locks=()))).is_new
    known = await records.known("olga", "k", b"d" * 32)
    assert known is not None and known.requested_by == "olga"
    assert await records.known("olga", "other", b"d" * 32) is None
    with pytest.raises(KeyReused):
        await records.known("olga", "k", b"e" * 32)


async def test_two_operations_do_not_work_on_the_same_thing(records: Records) -> None:
    first = await made(records, locks=("a", "b"))
    with pytest.raises(Busy) as refused:
        await made(records, locks=("b", "c"))
    assert refused.value.holder == first
    await made(records, locks=("c",))  # the refused one has left nothing behind
    await records.steer(first, Wanted.CANCEL)
    assert await made(records, locks=("b",))


@pytest.mark.parametrize(
    ("first", "second", "busy"),
    [
        (("shared form t",), ("shared form t",), False),
        (("shared form t",), ("form t",), True),
        (("form t",), ("shared form t",), True),
        (("form t",), ("form t",), True),
        (("form t",), ("form t 2", "shared form u"), False),
        (("shared form t",), ("a", "form t 2"), False),
        (("subject 1", "shared form t"), ("subject 1", "shared form t"), True),
    ],
)
async def test_what_is_shared_keeps_out_only_who_wants_it_alone(
    records: Records, first: tuple[str, ...], second: tuple[str, ...], busy: bool
) -> None:
    one = await made(records, locks=first)
    if not busy:
        two = await made(records, locks=second)
        await records.steer(two, Wanted.CANCEL)
        await records.steer(one, Wanted.CANCEL)
        return
    with pytest.raises(Busy) as refused:
        await made(records, locks=second)
    assert refused.value.holder == one
    await records.steer(one, Wanted.CANCEL)
    await made(records, locks=second)


async def test_of_many_who_want_it_at_once_one_alone_or_all_others_have_it(pool: asyncpg.Pool) -> None:
    records = database_records(pool)
    wanted = [("shared form t",), ("form t",)] * 6
    found = await asyncio.gather(*(made(records, locks=locks) for locks in wanted), return_exceptions=True)
    have = {wanted[n][0] for n, each in enumerate(found) if isinstance(each, UUID)}
    assert len(have) == 1 and all(isinstance(each, (UUID, Busy)) for each in found)


async def test_a_refused_request_may_be_made_again_with_its_key(records: Records) -> None:
    first = await made(records)
    with pytest.raises(Busy):
        await records.create(wish("k"))
    await records.steer(first, Wanted.CANCEL)
    assert (await records.create(wish("k"))).is_new


async def test_a_second_person_approves(records: Records) -> None:
    operation_id = await made(records, approval=True)
    assert (await records.get(operation_id)).state is OperationState.AWAITING_APPROVAL
    assert await records.claim(operation_id) is None and await records.due(10, STALE) == []
    with pytest.raises(SamePerson):
        await records.approve(operation_id, "olga")
    approved = await records.approve(operation_id, "pavel")
    assert (approved.state, approved.approved_by) == (OperationState.QUEUED, "pavel")
    assert await records.approve(operation_id, "pavel") == approved
    with pytest.raises(WrongState):
        await records.approve(operation_id, "vera")
    assert await records.due(10, STALE) == [operation_id]


async def test_what_waits_for_approval_holds_nothing_yet(records: Records) -> None:
    waiting = await made(records, approval=True)
    holder = await made(records)
    with pytest.raises(Busy):
        await records.approve(waiting, "pavel")
    assert (await records.get(waiting)).state is OperationState.AWAITING_APPROVAL
    await records.steer(holder, Wanted.CANCEL)
    assert (await records.approve(waiting, "pavel")).state is OperationState.QUEUED


async def test_nothing_is_carried_out_too_early(records: Records) -> None:
    now = datetime.now(UTC)
    later = await made(records, not_before=now + timedelta(hours=1), locks=())
    past = await made(records, not_before=now - timedelta(hours=1), locks=())
    assert await records.due(10, STALE) == [past]
    assert await records.claim(later) is None
    assert await records.claim(past) is not None


async def test_a_runner_says_how_far_it_is(records: Records) -> None:
    claim = await claimed(records, await made(records))
    assert claim.operation.state is OperationState.RUNNING and claim.operation.started_at is not None
    assert await records.progress(claim, "cells", 250, 1000, 50.0) is Wanted.RUN
    await records.report(claim, {"cells": 250, "old": "aa"})
    await records.report(claim, {"cells": 1000})
    running = await records.get(claim.operation.operation_id)
    assert (running.step, running.done, running.total, running.seconds_left) == ("cells", 250, 1000, 15.0)
    ended = await records.finish(claim, OperationState.DONE)
    assert ended.result == {"cells": 1000, "old": "aa"} and ended.finished_at is not None
    assert await made(records)  # its lock is free


async def test_who_has_lost_the_claim_can_say_nothing_more(records: Records) -> None:
    operation_id = await made(records)
    first = await claimed(records, operation_id)
    second = await claimed(records, operation_id)
    said: list[Callable[[], Any]] = [
        lambda: records.touch(first),
        lambda: records.progress(first, "cells", 1, 1, 1.0),
        lambda: records.rest(first, True),
        lambda: records.report(first, {"cells": 1}),
        lambda: records.finish(first, OperationState.FAILED, "too late"),
    ]
    for say in said:
        with pytest.raises(ClaimLost):
            await say()
    assert await records.touch(second) is Wanted.RUN
    await records.finish(second, OperationState.DONE)
    with pytest.raises(ClaimLost):
        await records.touch(second)
    assert await records.claim(operation_id) is None


async def test_an_end_is_untold_until_it_is_told(records: Records) -> None:
    """Each of them, also when the operation was tried again meanwhile."""
    operation_id = await made(records)
    failed = await records.finish(await claimed(records, operation_id), OperationState.FAILED, "lost")
    assert await records.untold(10, STALE) == []
    await asyncio.sleep(0.01)
    assert await records.untold(10, timedelta(0)) == [(failed, OperationState.FAILED)]
    await records.requeue(operation_id)
    done = await records.finish(await claimed(records, operation_id), OperationState.DONE)
    await asyncio.sleep(0.01)
    assert await records.untold(10, timedelta(0)) == [(done, OperationState.FAILED)]
    await records.told(operation_id, OperationState.FAILED)
    assert await records.untold(10, timedelta(0)) == [(done, OperationState.DONE)]
    await records.told(operation_id, OperationState.DONE)
    await records.told(operation_id, OperationState.DONE)
    assert await records.untold(10, timedelta(0)) == []


@pytest.mark.parametrize(("state", "done"), [(OperationState.DONE, 200), (OperationState.FAILED, 64)])
async def test_what_is_done_is_done_to_the_end(records: Records, state: OperationState, done: int) -> None:
    """Progress is told once in a second, so the last of it may never have been."""
    claim = await claimed(records, await made(records))
    await records.progress(claim, "verify", 64, 200, 1.0)
    ended = await records.finish(claim, state)
    assert (ended.done, ended.total) == (done, 200)


async def test_only_ends_finish(records: Records) -> None:
    claim = await claimed(records, await made(records))
    with pytest.raises(ValueError, match="no end"):
        await records.finish(claim, OperationState.PAUSED)


async def test_a_runner_that_is_not_heard_of_loses_its_operation_to_the_next(records: Records) -> None:
    operation_id = await made(records)
    await claimed(records, operation_id)
    assert await records.due(10, STALE) == []
    assert await records.due(10, timedelta(0)) == [operation_id]


async def test_pause_and_resume_before_it_began(records: Records) -> None:
    operation_id = await made(records)
    assert (await records.steer(operation_id, Wanted.PAUSE)).state is OperationState.PAUSED
    assert await records.claim(operation_id) is None and await records.due(10, timedelta(0)) == []
    assert (await records.steer(operation_id, Wanted.RUN)).state is OperationState.QUEUED
    await claimed(records, operation_id)


async def test_a_running_operation_obeys_at_its_checkpoint(records: Records) -> None:
    operation_id = await made(records)
    claim = await claimed(records, operation_id)
    assert (await records.steer(operation_id, Wanted.PAUSE)).state is OperationState.RUNNING
    assert await records.touch(claim) is Wanted.PAUSE
    await records.rest(claim, True)
    assert (await records.get(operation_id)).state is OperationState.PAUSED
    assert (await claimed(records, operation_id)).operation.state is OperationState.PAUSED  # taken over, still resting
    await records.steer(operation_id, Wanted.RUN)
    assert (await claimed(records, operation_id)).operation.state is OperationState.RUNNING


async def test_cancelling_has_the_last_word(records: Records) -> None:
    operation_id = await made(records)
    claim = await claimed(records, operation_id)
    assert (await records.steer(operation_id, Wanted.CANCEL)).state is OperationState.RUNNING
    with pytest.raises(WrongState):
        await records.steer(operation_id, Wanted.RUN)
    assert await records.touch(claim) is Wanted.CANCEL
    ended = await records.finish(claim, OperationState.CANCELLED)
    assert await records.steer(operation_id, Wanted.CANCEL) == ended
    for wanted in (Wanted.RUN, Wanted.PAUSE):
        with pytest.raises(WrongState):
            await records.steer(operation_id, wanted)


async def test_what_waits_for_approval_can_be_cancelled_and_nothing_else(records: Records) -> None:
    operation_id = await made(records, approval=True)
    with pytest.raises(WrongState):
        await records.steer(operation_id, Wanted.PAUSE)
    assert (await records.steer(operation_id, Wanted.CANCEL)).state is OperationState.CANCELLED
    with pytest.raises(WrongState):
        await records.approve(operation_id, "pavel")


async def test_a_failed_operation_is_tried_again(records: Records) -> None:
    operation_id = await made(records)
    with pytest.raises(WrongState):
        await records.requeue(operation_id)
    claim = await claimed(records, operation_id)
    failed = await records.finish(claim, OperationState.FAILED, "the server went away")
    assert failed.problem == "the server went away"
    again = await records.requeue(operation_id)
    assert (again.state, again.problem, again.finished_at) == (OperationState.QUEUED, None, None)
    with pytest.raises(ClaimLost):
        await records.touch(claim)
    await claimed(records, operation_id)
    with pytest.raises(Busy):
        await made(records)


async def test_a_failed_operation_waits_when_its_place_is_taken(records: Records) -> None:
    operation_id = await made(records)
    await records.finish(await claimed(records, operation_id), OperationState.FAILED, "lost")
    await made(records)
    with pytest.raises(Busy):
        await records.requeue(operation_id)


async def test_pages_are_whole_and_in_order(records: Records) -> None:
    ids = [await made(records, locks=()) for _ in range(5)]
    seen: list[UUID] = []
    mark: PageMark | None = None
    while page := await records.page(2, mark):
        seen += [each.operation_id for each in page]
        mark = PageMark(page[-1].created_at, page[-1].operation_id)
    assert sorted(seen) == sorted(ids) and seen[0] == ids[-1]
    await records.steer(ids[0], Wanted.CANCEL)
    cancelled = await records.page(9, states=[OperationState.CANCELLED])
    assert [each.operation_id for each in cancelled] == [ids[0]]
    assert await records.page(9, kind=OperationKind.VERIFY) == []


async def test_what_is_unknown_is_said_to_be(records: Records) -> None:
    acts: list[Act] = [
        lambda r, i: r.get(i),
        lambda r, i: r.approve(i, "pavel"),
        lambda r, i: r.steer(i, Wanted.PAUSE),
        lambda r, i: r.requeue(i),
    ]
    for act in acts:
        with pytest.raises(UnknownOperation):
            await act(records, uuid4())
    assert await records.claim(uuid4()) is None


async def test_of_many_that_ask_at_once_one_is_new(pool: asyncpg.Pool) -> None:
    records = database_records(pool)
    created = await asyncio.gather(*(records.create(wish("k")) for _ in range(8)))
    assert sum(each.is_new for each in created) == 1
    assert len({each.operation.operation_id for each in created}) == 1


async def test_of_many_that_want_the_same_lock_one_gets_it(pool: asyncpg.Pool) -> None:
    records = database_records(pool)
    orders = [("a", "b"), ("b", "a")] * 4
    found = await asyncio.gather(*(records.create(wish(locks=locks)) for locks in orders), return_exceptions=True)
    assert sum(isinstance(each, Busy) for each in found) == 7


async def test_listeners_hear_of_every_change(pool: asyncpg.Pool) -> None:
    records = database_records(pool)
    heard: asyncio.Queue[str] = asyncio.Queue()
    async with pool.acquire() as listening:
        await listening.add_listener(CHANNEL, lambda *_: heard.put_nowait("changed"))
        operation_id = await made(records)
        await asyncio.wait_for(heard.get(), 10)
        await records.steer(operation_id, Wanted.CANCEL)
        await asyncio.wait_for(heard.get(), 10)
        await listening.reset(timeout=10)


async def test_the_database_itself_refuses_an_approval_by_the_same_person(pool: asyncpg.Pool) -> None:
    operation_id = await made(database_records(pool), approval=True)
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute("UPDATE fieldgate.operations SET approved_by = 'olga' WHERE operation_id = $1", operation_id)
