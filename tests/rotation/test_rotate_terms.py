"""The rotation of a term key as a whole: under work, killed at each step, refused where it cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import asyncpg
import pytest

from keys.keyring import KeyPurpose
from policies.fields import DataMap, Field
from proxy.jobs.sealing import no_privileges
from proxy.keywork.handler import Cancelled
from proxy.keywork.operation import OperationKind, Target
from proxy.protected_database import CATALOG_CHANNEL
from proxy.rotation.errors import RotationRefused
from proxy.rotation.exchange import admitted_now
from proxy.rotation.rotate_terms import rotate_term_key
from proxy.sealing.admitted import read_admitted
from proxy.sealing.needs import key_needs
from proxy.sealing.verify import verify_sealed
from proxy.stored_forms import as_searched
from tests.keys.making import CountedLeases
from tests.rotation.working import Holder, Shop, Steps, cancel, make_shop, operation_of, until
from tests.sealing.making import KEY, data_map, field_of, id_of
from tests.support.servers import Database

pytestmark = pytest.mark.integration

EMAIL = field_of("email", 1, equality=True, unique=True, not_null=True, join_group="mail")
OTHER = field_of("other", 2, equality=True, join_group="mail")
NAME = field_of("name", 3, equality=True, tokens=("match.1",))
MAP = data_map(KEY, EMAIL, OTHER, NAME)
ROWS = 40
EVERY_STEP = [
    "column", "admit", "key", "fence", "re-encrypt", "narrow", "unfence", "compare", "switch", "activated",
]  # fmt: skip


@pytest.fixture
async def shop(database: Database) -> Shop:
    return await make_shop(database, MAP)


@pytest.fixture
async def connection(shop: Shop) -> AsyncIterator[asyncpg.Connection]:
    made = await shop.database.connect_async()
    user = await User.enter(shop, made)
    for number in range(ROWS):
        await user.write(number, f"person{number}@example.org", f"person{number % 7}@example.org")
    await user.leave()
    yield made
    await made.close()


def steps_of(target: Field = EMAIL) -> Steps:
    return Steps(operation_of(OperationKind.ROTATE_TERM_KEY, Target("shop", target.name)))


async def rotate(shop: Shop, work: Steps) -> None:
    await rotate_term_key(shop.tools(batch=16), no_privileges, work)


@dataclass(slots=True)
class User:
    """A process with keys and catalog, as a proxy has them, and what it knows to be true about its own rows."""

    holder: Holder
    connection: asyncpg.Connection
    share: int = 0
    searched: DataMap = MAP
    truth: dict[str, str] = field(default_factory=dict)  # email -> other
    wrong: list[str] = field(default_factory=list)
    retries: int = 0
    done: int = 0

    @classmethod
    async def enter(cls, shop: Shop, connection: asyncpg.Connection, share: int = 0) -> User:
        made = cls(Holder(shop), connection, share)
        await made.load()
        return made

    async def leave(self) -> None:
        """Nobody waits for it any more."""
        await self.holder.shop.store.tables.leave(self.holder.holder_id)

    async def load(self) -> None:
        """Keys, what the database takes of their cells, and the catalog; then all of it is confirmed."""
        shop = self.holder.shop
        loaded = await shop.store.load()
        own = await shop.database.connect_async()
        try:
            admitted = await read_admitted(own, MAP)
            self.holder.ciphers = loaded.keyring.ciphers(key_needs(MAP), CountedLeases(), admitted)
            ciphers = self.holder.ciphers
            assert await verify_sealed(own, MAP, ciphers.heads(), ciphers.known_heads()) == ()
            self.searched = await as_searched(own, MAP)
        finally:
            await own.close()
        self.holder.number = loaded.number
        await shop.store.tables.confirm(self.holder.holder_id, loaded.number, 30.0)

    def column(self, of: Field) -> str:
        found = self.searched.tables["public", "people"].fields[of.column].term_column
        assert found is not None
        return found

    def term(self, of: Field, value: str) -> bytes:
        epoch = self.searched.tables["public", "people"].fields[of.column].term_epoch
        assert self.holder.ciphers is not None
        return self.holder.ciphers.cipher(id_of(of)).term(value.encode(), epoch)

    def cell(self, of: Field, value: str) -> bytes:
        assert self.holder.ciphers is not None
        return self.holder.ciphers.cipher(id_of(of)).seal(value.encode(), term_input=value.encode())

    async def write(self, number: int, email: str, other: str) -> None:
        await self.connection.execute(
            f"INSERT INTO people (id, email, other) VALUES ($1, $2, $3)"
            f' ON CONFLICT ("{self.column(EMAIL)}") DO UPDATE SET other = excluded.other',
            number,
            self.cell(EMAIL, email),
            self.cell(OTHER, other),
        )

    async def others(self, email: str) -> list[int]:
        """Joins the two fields of the group: who has this e-mail as their other one."""
        rows = await self.connection.fetch(
            f'SELECT b.id FROM people a JOIN people b ON b."{self.column(OTHER)}" = a."{self.column(EMAIL)}"'
            f' WHERE a."{self.column(EMAIL)}" = $1 ORDER BY 1',
            self.term(EMAIL, email),
        )
        return [row["id"] for row in rows]

    async def run(self, over: asyncio.Event) -> None:
        """Upserts by the unique term, and searches by a join, each compared with what it knows."""
        while not over.is_set():
            self.done += 1
            email, other = f"{self.share}-{self.done % 9}@example.org", f"{self.share}-{self.done % 5}@example.org"
            try:
                _, newest = await self.holder.shop.store.tables.confirm(self.holder.holder_id, self.holder.number, 30.0)
                if newest != self.holder.number:
                    await self.load()
                await self.write(1000 * (self.share + 1) + self.done, email, other)
                self.truth[email] = other
                expected = sum(value == email for value in self.truth.values())
                if len(await self.others(email)) != expected:
                    self.wrong.append(f"{email} has not {expected} others")
            except (asyncpg.SerializationError, asyncpg.UndefinedColumnError, asyncpg.InvalidColumnReferenceError):
                self.retries += 1
                await self.load()


async def require_rotated(shop: Shop, connection: asyncpg.Connection, epoch: int = 2) -> None:
    ciphers = await shop.ciphers()
    assert await verify_sealed(connection, MAP, ciphers.heads()) == ()
    searched = await as_searched(connection, MAP)
    for each in (EMAIL, OTHER):
        [head] = ciphers.heads()[id_of(each)]
        assert await admitted_now(connection, each) == {head}
        assert (
            await connection.fetchval(f"SELECT count(*) FROM people WHERE substr({each.column}, 1, 12) <> $1", head)
            == 0
        )
        assert searched.tables["public", "people"].fields[each.column].term_epoch == epoch
    assert await connection.fetchval("SELECT count(*) FROM pg_trigger WHERE tgname LIKE '~fg_%'") == 0
    names = await connection.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'people'::regclass AND attname ~ '_eq' ORDER BY 1"
    )
    assert [row["attname"] for row in names] == [f"fg_email_eq_{epoch}", "fg_name_eq", f"fg_other_eq_{epoch}"]
    states = [k.info.state.value for k in (await shop.store.read()).keys if k.info.slot.scope == "group:mail"]
    assert states[-2:] == ["decrypt-only", "active"]


async def require_found(shop: Shop, connection: asyncpg.Connection) -> None:
    user = await User.enter(shop, connection)
    for number in range(7):
        assert await user.others(f"person{number}@example.org") == list(range(number, ROWS, 7))
    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        await connection.execute(
            "INSERT INTO people (id, email) VALUES (-1, $1)", user.cell(EMAIL, "person1@example.org")
        )
    assert refused.value.constraint_name == f"fg_{id_of(EMAIL)}_key"
    await user.leave()


async def test_all_steps_twice(shop: Shop, connection: asyncpg.Connection) -> None:
    for epoch in (2, 3):
        work = steps_of()
        await rotate(shop, work)
        assert list(dict.fromkeys(work.seen)) == EVERY_STEP
        await require_rotated(shop, connection, epoch)
        await require_found(shop, connection)


async def test_killed_at_every_step_it_goes_on(shop: Shop, connection: asyncpg.Connection) -> None:
    async def killed() -> None:
        raise ConnectionError

    work = steps_of()
    for step in [*EVERY_STEP, *(f"activated {step}" for step in EVERY_STEP[3:7])]:
        first, _, second = step.partition(" ")
        work.at = {first: killed}
        if second:

            async def later(second: str = second, work: Steps = work) -> None:
                work.at[second] = killed

            work.at = {first: later}
        with pytest.raises(ConnectionError):
            await rotate(shop, work)
        await require_found(shop, connection)
        if step in ("key", "activated"):  # the report of what it did may be lost, too
            work = steps_of(OTHER)
    await rotate(shop, work)
    await require_rotated(shop, connection)
    await require_found(shop, connection)


async def test_the_switch_announces_itself(shop: Shop, connection: asyncpg.Connection) -> None:
    """So that proxies read the catalog at once, and also when the runner dies right behind it."""
    heard = list[str]()
    await connection.add_listener(CATALOG_CHANNEL, lambda *said: heard.append(said[2]))

    async def nothing_yet() -> None:
        await connection.fetchval("SELECT 1")
        assert heard == []

    async def announced() -> None:
        await connection.fetchval("SELECT 1")
        assert heard == [CATALOG_CHANNEL]

    work = steps_of()
    work.at |= {"switch": nothing_yet, "activated": announced}
    await rotate(shop, work)
    assert not work.at


async def test_under_work(shop: Shop, connection: asyncpg.Connection) -> None:
    """Upserts and joins of two processes with keys and catalogs of their own; nothing is missed, nothing is lost."""
    over = asyncio.Event()
    users = [await User.enter(shop, await shop.database.connect_async(), share) for share in range(2)]
    running = [asyncio.create_task(user.run(over)) for user in users]
    await until(lambda: min(user.done for user in users) >= 20)
    await rotate(shop, steps_of())
    after = [user.done for user in users]
    await until(lambda: all(user.done >= before + 10 for user, before in zip(users, after, strict=True)))
    over.set()
    await asyncio.gather(*running)
    assert [user.wrong for user in users] == [[], []]
    await require_rotated(shop, connection)
    for user in users:
        for email in user.truth:
            assert len(await user.others(email)) == sum(value == email for value in user.truth.values())
        await user.connection.close()


async def test_before_there_is_a_key_a_rotation_is_taken_back(shop: Shop, connection: asyncpg.Connection) -> None:
    work = steps_of()
    work.at["admit"] = cancel
    with pytest.raises(Cancelled):
        await rotate(shop, work)
    ciphers = await shop.ciphers()
    assert await verify_sealed(connection, MAP, ciphers.heads()) == ()
    assert [k.info.epoch for k in (await shop.store.read()).keys if k.info.slot.purpose is KeyPurpose.TERM] == [1, 1]
    assert not await connection.fetchval("SELECT count(*) FROM pg_attribute WHERE attname = 'fg_email_eq_2'")
    await rotate(shop, steps_of())
    await require_rotated(shop, connection)


async def test_without_the_fence_a_late_cell_of_one_term_would_be_lost(
    shop: Shop, connection: asyncpg.Connection
) -> None:
    """A process that holds still, with a lease that has passed, writes by what it knew: it is refused."""
    late = await User.enter(shop, connection)
    await late.leave()
    refusals = list[str]()

    async def write_late() -> None:
        try:
            await late.write(5000, "late@example.org", "late@example.org")
        except asyncpg.SerializationError as refused:
            refusals.append(str(refused.sqlstate))

    work = steps_of()
    work.at["re-encrypt"] = write_late
    await rotate(shop, work)
    assert refusals == ["40001"]
    with pytest.raises(asyncpg.UndefinedColumnError):  # and never finds less by the old column: it is gone
        await late.others("person1@example.org")


async def test_it_waits_for_everyone_before_it_takes_the_new_terms_alone(
    shop: Shop, connection: asyncpg.Connection
) -> None:
    slow = await User.enter(shop, connection)
    work = steps_of()
    task = asyncio.create_task(rotate(shop, work))

    async def waits_at(step: str) -> None:
        await until(lambda: task.done() or (bool(work.seen) and work.seen[-1].startswith(f"{step}: waiting")))
        assert not task.done()

    await waits_at("key")
    assert all(not head[3] & 0x20 for head in await admitted_now(connection, EMAIL))
    await slow.load()
    await waits_at("activated")
    assert all(head[3] & 0x10 for head in await admitted_now(connection, EMAIL))  # cells with both terms still
    await slow.load()
    await waits_at("admit")
    await slow.load()
    await task
    await require_rotated(shop, connection)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("CREATE VIEW terms AS SELECT fg_email_eq FROM people", "depends on its term column"),
        ("CREATE INDEX some_terms ON people (fg_email_eq) WHERE fg_email_eq IS NOT NULL", "cannot be made again"),
        ("CREATE TABLE child (e bytea REFERENCES people (fg_email_eq))", "depends on its term column"),
    ],
)
async def test_what_cannot_be_carried_is_refused_first(
    shop: Shop, connection: asyncpg.Connection, statement: str, why: str
) -> None:
    await connection.execute(statement)
    with pytest.raises(RotationRefused, match=why):
        await rotate(shop, steps_of())
    assert not await connection.fetchval("SELECT count(*) FROM pg_attribute WHERE attname = 'fg_email_eq_2'")


async def test_large_tables_are_refused(shop: Shop, connection: asyncpg.Connection) -> None:
    size = await connection.fetchval("SELECT pg_table_size('people')")
    with pytest.raises(RotationRefused, match=r"locks it while it is written anew.*\(rewrite_limit of \[jobs\]\)"):
        await rotate_term_key(shop.tools(rewrite_limit=size - 1), no_privileges, steps_of())
    assert not await connection.fetchval("SELECT count(*) FROM pg_attribute WHERE attname = 'fg_email_eq_2'")
    await rotate_term_key(shop.tools(rewrite_limit=size), no_privileges, steps_of())
