"""No key seals more than its budget, whoever leases and however processes end; the data path hardly ever waits."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import asyncpg
import pytest

from keys import database_leases
from keys.database_leases import DatabaseLeases
from keys.database_store import DatabaseKeyStore, Move
from keys.errors import SealBudgetExhausted, SealBudgetUnavailable
from keys.key_tables import DatabaseTables
from keys.keyring import KeyNeed
from keys.leases import FIRST_BLOCK, LARGEST_BLOCK
from keys.lifecycle import KeyState
from tests.support.control_database import ControlDatabase, make_control
from tests.support.memory_keys import MemoryProvider
from tests.support.servers import Database

NEED = KeyNeed("shop", "a" * 32, "a")


@pytest.fixture
async def control(database: Database) -> ControlDatabase:
    return await make_control(database)


@pytest.fixture
async def store(control: ControlDatabase) -> DatabaseKeyStore:
    made = DatabaseKeyStore(DatabaseTables(control.connection), MemoryProvider())
    await made.initialise()
    return made


@pytest.fixture
async def key_id(store: DatabaseKeyStore) -> bytes:
    [key] = await store.add_missing([NEED])
    return key.info.key_id


@contextmanager
def leasing(control: ControlDatabase, **more: int) -> Iterator[DatabaseLeases]:
    made = DatabaseLeases(control.connect, **more)
    made.start()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
async def leases(control: ControlDatabase) -> AsyncIterator[DatabaseLeases]:
    with leasing(control) as made:
        yield made


async def granted(control: ControlDatabase, key_id: bytes) -> int:
    async with control.connection() as connection:
        return int(await connection.fetchval("SELECT seals_granted FROM fieldgate.data_keys WHERE key_id = $1", key_id))


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


async def test_blocks_double_and_are_counted_before_they_are_taken(
    control: ControlDatabase, leases: DatabaseLeases, key_id: bytes
) -> None:
    taken = 0
    for n in range(12):
        block = leases.lease(key_id)
        assert block == min(FIRST_BLOCK << n, LARGEST_BLOCK)
        taken += block
        assert await granted(control, key_id) >= taken


async def test_a_reserve_is_there_before_it_is_needed(
    control: ControlDatabase, leases: DatabaseLeases, key_id: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    leases.prepare([key_id])
    monkeypatch.setattr(database_leases, "PATIENCE", 0.0)  # whoever had to wait would fail
    assert leases.lease(key_id) == FIRST_BLOCK
    until(lambda: leases._accounts[key_id].reserve > 0)
    assert leases.lease(key_id) == 2 * FIRST_BLOCK


async def test_the_last_block_is_what_is_left_and_then_none(control: ControlDatabase, key_id: bytes) -> None:
    with leasing(control, limit=FIRST_BLOCK + 10) as leases:
        assert [leases.lease(key_id), leases.lease(key_id)] == [FIRST_BLOCK, 10]
        for _ in range(2):
            with pytest.raises(SealBudgetExhausted, match="must be rotated") as spent:
                leases.lease(key_id)
            assert not isinstance(spent.value, SealBudgetUnavailable)
    assert await granted(control, key_id) == FIRST_BLOCK + 10


async def test_the_database_itself_refuses_more(control: ControlDatabase, key_id: bytes) -> None:
    async with control.connection() as connection:
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute("UPDATE fieldgate.data_keys SET seals_granted = (1::int8 << 32) + 1")


async def test_an_orderly_end_gives_back_what_was_not_used(control: ControlDatabase, key_id: bytes) -> None:
    with leasing(control) as leases:
        block = leases.lease(key_id)
        until(lambda: leases._accounts[key_id].reserve > 0)
        leases.give_back(key_id, block - 100)
    assert await granted(control, key_id) == 100


async def test_what_is_given_back_is_taken_first(leases: DatabaseLeases, key_id: bytes) -> None:
    block = leases.lease(key_id)
    until(lambda: leases._accounts[key_id].reserve > 0)
    leases.give_back(key_id, block)
    assert leases.lease(key_id) == 3 * block


async def test_keys_that_may_not_seal_are_given_nothing(
    store: DatabaseKeyStore, leases: DatabaseLeases, key_id: bytes
) -> None:
    with pytest.raises(SealBudgetUnavailable, match="no key 0000000000000000"):
        leases.lease(bytes(8))
    await store.transition([Move(key_id, KeyState.ACTIVE, KeyState.DECRYPT_ONLY)])
    assert leases.lease(key_id) > 0  # its head may be the one that the database admits
    await store.transition([Move(key_id, KeyState.DECRYPT_ONLY, KeyState.DISABLED)])
    leases._accounts.clear()
    with pytest.raises(SealBudgetUnavailable):
        leases.lease(key_id)


async def test_without_the_database_one_sealing_waits_and_the_next_ones_do_not(
    control: ControlDatabase, key_id: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = True

    async def connect() -> asyncpg.Connection:
        if not there:
            raise ConnectionRefusedError
        return await control.connect()

    monkeypatch.setattr(database_leases, "PATIENCE", 0.2)
    leases = DatabaseLeases(connect)
    there = False
    leases.start()
    try:
        began = time.monotonic()
        for _ in range(5):
            with pytest.raises(SealBudgetUnavailable, match="slow"):
                leases.lease(key_id)
        assert 0.2 <= time.monotonic() - began < 0.8
        there = True
        until(lambda: leases._accounts[key_id].reserve > 0)
        assert leases.lease(key_id) == FIRST_BLOCK
    finally:
        leases.close()


async def test_a_lost_connection_is_made_again(control: ControlDatabase, leases: DatabaseLeases, key_id: bytes) -> None:
    leases.prepare([key_id])
    owner = await control.database.connect_async()
    await owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", control.user)
    await owner.close()
    assert [leases.lease(key_id) for _ in range(3)] == [FIRST_BLOCK, 2 * FIRST_BLOCK, 4 * FIRST_BLOCK]


def test_a_limit_is_at_most_2_to_the_32() -> None:
    for limit in (0, (1 << 32) + 1):
        with pytest.raises(ValueError, match="2\\^32"):
            DatabaseLeases(lambda: None, limit=limit)  # type: ignore[arg-type,return-value]


# Each prints what it has taken, line by line, after it is granted; the parent kills some of them at any moment.
WORKER = """
    import sys, asyncpg
    from keys import database_leases
    from keys.database_leases import DatabaseLeases
    from keys.errors import SealBudgetUnavailable, SealBudgetExhausted
    url, key_id, limit, mode = sys.argv[1], bytes.fromhex(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    if mode == "careless":
        async def careless(connection, asked, limit):
            [key_id], [block] = asked, asked.values()
            used = await connection.fetchval("SELECT seals_granted FROM fieldgate.data_keys WHERE key_id = $1", key_id)
            given = min(block, limit - used)
            await connection.execute(
                "UPDATE fieldgate.data_keys SET seals_granted = $2 WHERE key_id = $1", key_id, used + given)
            return {key_id: given}
        database_leases._granted = careless
    database_leases.LARGEST_BLOCK = 64  # so that they come often
    leases = DatabaseLeases(lambda: asyncpg.connect(url), limit=limit)
    leases.start()
    try:
        while True:
            try:
                print(leases.lease(key_id), flush=True)
            except SealBudgetUnavailable:
                pass
    except SealBudgetExhausted:
        print("spent", flush=True)
"""


def race(control: ControlDatabase, key_id: bytes, limit: int, mode: str) -> tuple[int, list[str]]:
    """Four processes lease until nothing is left; two of them are killed in the middle.  What was taken; last words."""
    url = control.database.url(control.user, "secret")
    command = [sys.executable, "-c", textwrap.dedent(WORKER), url, key_id.hex(), str(limit), mode]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    taken, last = 0, []
    try:
        for process in processes[:2]:
            assert process.stdout is not None
            taken += sum(int(process.stdout.readline()) for _ in range(3))
            process.send_signal(signal.SIGKILL)
        for process in processes:
            said = process.communicate(timeout=60)[0].split()
            taken += sum(int(word) for word in said if word.isdigit())
            last += said[-1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    return taken, last


async def test_processes_together_never_pass_the_limit(
    control: ControlDatabase, key_id: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = 100_000
    taken, last = race(control, key_id, limit, "as it is")
    assert "spent" in last
    assert taken <= limit == await granted(control, key_id)


async def test_a_careless_ledger_would_be_noticed(control: ControlDatabase, key_id: bytes) -> None:
    """The test above can fail: where the count is read and then written, processes take the same seals twice."""
    limit = 100_000
    assert race(control, key_id, limit, "careless")[0] > limit
