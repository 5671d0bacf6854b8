"""The rotation of a data key as a whole: under work, cancelled, taken up again, and what is left afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from keys.errors import ProviderUnavailable
from policies.fields import Field
from proxy.keywork.handler import Cancelled
from proxy.keywork.operation import OperationKind, Target
from proxy.rotation.errors import CellsDamaged, RotationRefused, StepWaits
from proxy.rotation.exchange import admitted_now
from proxy.rotation.rotate import Rotation, rotate_data_key
from proxy.sealing.verify import verify_sealed
from tests.rotation.making import EMAIL, MAP, NOTE, SEALED, fill, seal, truth
from tests.rotation.working import (
    Application,
    Holder,
    Shop,
    Steps,
    all_opened,
    cancel,
    holding,
    make_shop,
    operation_of,
    until,
)
from tests.sealing.making import id_of
from tests.support.servers import Database

pytestmark = pytest.mark.integration
ROWS = 60
EVERY_STEP = ["key", "admit", "activate", "activated", "fence", "re-encrypt", "narrow", "unfence"]


@pytest.fixture
async def shop(database: Database) -> Shop:
    return await make_shop(database)


@pytest.fixture
async def connection(shop: Shop) -> AsyncIterator[asyncpg.Connection]:
    made = await shop.database.connect_async()
    await fill(made, await shop.ciphers(), ROWS)
    yield made
    await made.close()


def steps_of(field: Field | str = EMAIL) -> Steps:
    name = field if isinstance(field, str) else field.name
    return Steps(operation_of(OperationKind.ROTATE_DATA_KEY, Target("shop", name)))


async def require_rotated(shop: Shop, connection: asyncpg.Connection, *fields: Field) -> None:
    """Sealed under the newest keys alone, no trace of the way, every key's predecessor for opening only."""
    ciphers = await shop.ciphers()
    assert await verify_sealed(connection, MAP, ciphers.heads()) == ()
    for field in fields:
        [head] = ciphers.heads()[id_of(field)]
        assert await admitted_now(connection, field) == {head}
        query = f'SELECT count(*) FROM people WHERE substr("{field.column}", 1, 12) <> $1'
        assert await connection.fetchval(query, head) == 0
    assert await connection.fetchval("SELECT count(*) FROM pg_trigger WHERE tgname LIKE '~fg_%'") == 0
    assert await connection.fetchval("SELECT count(*) FROM pg_proc WHERE proname LIKE 'fg_%'") == 0
    assert await connection.fetchval("SELECT count(*) FROM pg_constraint WHERE conname LIKE 'fg_next%'") == 0


@pytest.mark.parametrize("field", [EMAIL, NOTE], ids=["equality", "row-bound"])
async def test_all_steps(shop: Shop, connection: asyncpg.Connection, field: Field) -> None:
    work = steps_of(field)
    await rotate_data_key(shop.tools(), work)
    assert work.seen == EVERY_STEP
    assert work.progress[0] == work.progress[1] > 0
    assert await shop.key_states(field) == ["decrypt-only", "active"]
    await require_rotated(shop, connection, field)
    assert await all_opened(shop, connection) == truth(ROWS)
    assert set(work.result) == {"keys", "finished"}


async def test_all_fields_of_a_table_in_one_pass(shop: Shop, connection: asyncpg.Connection) -> None:
    work = steps_of("public.people.*")
    await rotate_data_key(shop.tools(), work)
    await require_rotated(shop, connection, *SEALED)
    assert await all_opened(shop, connection) == truth(ROWS)
    assert work.seen.count("re-encrypt") == 1


async def test_under_work(shop: Shop, connection: asyncpg.Connection) -> None:
    """Writers, readers and deleters at full speed through two processes' keys; every acknowledged change stays."""
    await connection.execute("DELETE FROM people")
    done = asyncio.Event()
    async with holding(shop) as one, holding(shop) as two:
        applications = [
            Application(holder, await shop.database.connect_async(), n, 3) for n, holder in enumerate((one, two, two))
        ]
        running = [asyncio.create_task(a.run(done, 120)) for a in applications]
        await until(lambda: min(a.writes for a in applications) >= 40)
        for field in (EMAIL, NOTE):
            await rotate_data_key(shop.tools(batch=16), steps_of(field))
        done.set()
        await asyncio.gather(*running)
        for application in applications:
            await application.connection.close()
    ledger = {number: values for a in applications for number, values in a.ledger.items()}
    assert [a.wrong for a in applications] == [[], [], []]
    assert sum(a.retries for a in applications) == 0  # whoever confirms in time never meets the fence
    assert await all_opened(shop, connection) == ledger
    await require_rotated(shop, connection, EMAIL, NOTE)


async def test_nobody_seals_by_the_old_key_once_it_is_fenced(shop: Shop, connection: asyncpg.Connection) -> None:
    """A process that holds still across the whole rotation, with a lease that has passed for others."""
    async with holding(shop) as stopped:
        stopped.stopped = True
        old = stopped.ciphers
        assert old is not None
        await shop.store.tables.leave(stopped.holder_id)  # as if its lease had passed
        work = steps_of()

        async def write_late() -> None:
            with pytest.raises(asyncpg.SerializationError, match="key of a protected field has been rotated"):
                await connection.execute("UPDATE people SET email = $1 WHERE id = 1", seal(EMAIL, "late", 1, old))

        work.at["re-encrypt"] = write_late
        await rotate_data_key(shop.tools(), work)
        with pytest.raises(asyncpg.CheckViolationError):  # when the fence is gone the CHECK says it
            await connection.execute("UPDATE people SET email = $1 WHERE id = 1", seal(EMAIL, "late", 1, old))
        stopped.stopped = False
        await stopped.load()
        assert stopped.ciphers is not None
        await connection.execute("UPDATE people SET email = $1 WHERE id = 1", seal(EMAIL, "late", 1, stopped.ciphers))
    assert (await all_opened(shop, connection))[1][0] == "late"


async def test_it_waits_until_everyone_has_confirmed(shop: Shop, connection: asyncpg.Connection) -> None:
    """Without that wait a live process would meet the fence: the next test shows it."""
    holder = Holder(shop)
    await holder.load()
    work = steps_of()
    rotating = asyncio.create_task(rotate_data_key(shop.tools(), work))
    waiting = "key: waiting for 1 processes to load the keys"
    await until(lambda: waiting in work.seen)
    assert "admit" not in work.seen
    keeping = asyncio.create_task(holder.keep())
    await rotating
    keeping.cancel()
    await require_rotated(shop, connection, EMAIL)


async def test_without_that_wait_a_live_process_meets_the_fence(
    shop: Shop, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = Holder(shop)
    await holder.load()
    assert holder.ciphers is not None
    old = holder.ciphers

    async def at_once(self: Rotation, step: str) -> None:
        await self.work.checkpoint(step)

    monkeypatch.setattr(Rotation, "_confirmed", at_once)
    work = steps_of()

    async def write() -> None:
        with pytest.raises(asyncpg.SerializationError):
            await connection.execute("UPDATE people SET email = $1 WHERE id = 1", seal(EMAIL, "x", 1, old))

    work.at["re-encrypt"] = write
    await rotate_data_key(shop.tools(), work)


async def test_cancelled_before_the_new_key_is_active_it_is_taken_back(
    shop: Shop, connection: asyncpg.Connection
) -> None:
    before = await admitted_now(connection, EMAIL)
    for count, step in enumerate(("key", "admit", "activate"), 1):
        work = steps_of()
        work.at[step] = cancel
        with pytest.raises(Cancelled):
            await rotate_data_key(shop.tools(), work)
        assert await shop.key_states(EMAIL) == ["active", *["disabled"] * count]
        assert await admitted_now(connection, EMAIL) == before
        assert await verify_sealed(connection, MAP, (await shop.ciphers()).heads()) == ()
    await rotate_data_key(shop.tools(), steps_of())
    assert await shop.key_states(EMAIL) == ["decrypt-only", *["disabled"] * 3, "active"]
    await require_rotated(shop, connection, EMAIL)


async def test_cancelled_later_it_stops_and_the_next_goes_on(shop: Shop, connection: asyncpg.Connection) -> None:
    for epoch, step in enumerate(("activated", "fence", "re-encrypt", "narrow", "unfence"), 2):
        work = steps_of()
        work.at[step] = cancel
        with pytest.raises(Cancelled):
            await rotate_data_key(shop.tools(), work)
        assert await all_opened(shop, connection) == truth(ROWS)
        ciphers = await shop.ciphers()
        assert await verify_sealed(connection, MAP, ciphers.heads(), ciphers.known_heads()) == ()
        same = seal(EMAIL, truth(1)[1][0] or "", 1, ciphers)
        await connection.execute("UPDATE people SET email = $1 WHERE id = 1", same)
        await rotate_data_key(shop.tools(), steps_of())
        assert await shop.key_states(EMAIL) == [*["decrypt-only"] * (epoch - 1), "active"]  # no key more was made
        await require_rotated(shop, connection, EMAIL)


class Killed(BaseException):
    """Ends the run without any cleaning up that a handler could do."""


async def test_broken_off_at_every_step_the_same_operation_goes_on(shop: Shop, connection: asyncpg.Connection) -> None:
    async def die() -> None:
        raise Killed

    for epoch, step in enumerate(EVERY_STEP, 2):
        work = steps_of()
        work.at[step] = die
        with pytest.raises(Killed):
            await rotate_data_key(shop.tools(), work)
        assert await all_opened(shop, connection) == truth(ROWS)
        await rotate_data_key(shop.tools(), Steps(work.operation))
        assert await shop.key_states(EMAIL) == [*["decrypt-only"] * (epoch - 1), "active"]
    await require_rotated(shop, connection, EMAIL)
    # Ended, but killed before that was recorded: it does not begin another.
    await rotate_data_key(shop.tools(), Steps(work.operation))
    assert len(await shop.key_states(EMAIL)) == len(EVERY_STEP) + 1


async def test_cells_that_no_key_opens_end_it_with_everything_else_done(
    shop: Shop, connection: asyncpg.Connection
) -> None:
    sound = seal(EMAIL, "x", 1, await shop.ciphers())
    damaged = sound[:-1] + bytes((sound[-1] ^ 1,))
    await connection.execute("UPDATE people SET email = $1 WHERE id = 1", damaged)
    with pytest.raises(CellsDamaged, match=r"1 of public\.people\.email"):
        await rotate_data_key(shop.tools(), steps_of())
    assert await connection.fetchval("SELECT email FROM people WHERE id = 1") == damaged
    await connection.execute("UPDATE people SET city = 'the row can still be changed' WHERE id = 1")
    await connection.execute("UPDATE people SET email = $1 WHERE id = 1", seal(EMAIL, "y", 1, await shop.ciphers()))
    await rotate_data_key(shop.tools(), steps_of())
    assert await shop.key_states(EMAIL) == ["decrypt-only", "active"]
    await require_rotated(shop, connection, EMAIL)


async def test_a_provider_that_is_gone_is_a_reason_to_try_again(shop: Shop, connection: asyncpg.Connection) -> None:
    work = steps_of()

    async def lose() -> None:
        shop.provider.down = True

    shop.provider.down = True
    with pytest.raises(ProviderUnavailable):
        await rotate_data_key(shop.tools(), work)
    shop.provider.down = False
    work.at["re-encrypt"] = lose  # from here on all keys are at hand
    await rotate_data_key(shop.tools(), work)
    shop.provider.down = False
    await require_rotated(shop, connection, EMAIL)


async def test_a_transaction_that_has_written_is_waited_for(shop: Shop, connection: asyncpg.Connection) -> None:
    """Its cell under the old key is committed after the new key is active, and is re-encrypted like all others."""
    writer = await shop.database.connect_async()
    old = await shop.ciphers()
    transaction = writer.transaction()
    work = steps_of()

    async def begin() -> None:
        await transaction.start()
        await writer.execute("UPDATE people SET email = $1 WHERE id = 1", seal(EMAIL, "in flight", 1, old))

    work.at["fence"] = begin
    work.at["fence: waiting for a transaction that holds the table"] = transaction.commit
    await rotate_data_key(shop.tools(), work)
    assert (await all_opened(shop, connection))[1][0] == "in flight"
    await require_rotated(shop, connection, EMAIL)
    await writer.close()


async def test_a_late_runner_does_not_touch_a_later_rotations_fence(shop: Shop, connection: asyncpg.Connection) -> None:
    """It was stopped before the last step; meanwhile another one ended its rotation, and a new rotation has begun."""
    late = steps_of()

    async def others() -> None:
        await rotate_data_key(shop.tools(), Steps(late.operation))
        following = steps_of()
        following.at["re-encrypt"] = cancel
        with pytest.raises(Cancelled):
            await rotate_data_key(shop.tools(), following)

    late.at["unfence"] = others
    with pytest.raises(StepWaits, match="another rotation"):
        await rotate_data_key(shop.tools(), late)
    assert await connection.fetchval("SELECT count(*) FROM pg_trigger WHERE tgname LIKE '~fg_%'") == 2


async def test_what_cannot_be_rotated_is_refused_before_a_key_is_made(
    shop: Shop, connection: asyncpg.Connection
) -> None:
    for name, reason in (("public.people.city", "not a sealed field"), ("public.people.nothing", "not a sealed")):
        with pytest.raises(RotationRefused, match=reason):
            await rotate_data_key(shop.tools(), steps_of(name))
    await connection.execute("ALTER TABLE people DROP CONSTRAINT people_pkey")
    with pytest.raises(RotationRefused, match="no primary key"):
        await rotate_data_key(shop.tools(), steps_of())
    assert await shop.key_states(EMAIL) == ["active"]
