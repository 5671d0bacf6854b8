"""Foreign keys between term columns go along when the term key of both ends is rotated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from policies.fields import DataMap, Field
from proxy.jobs.sealing import no_privileges
from proxy.keywork.operation import OperationKind, Target
from proxy.rotation.errors import RotationRefused
from proxy.rotation.rotate_terms import rotate_term_key
from proxy.sealing.admitted import read_admitted
from proxy.sealing.needs import key_needs
from proxy.sealing.verify import verify_sealed
from tests.keys.making import CountedLeases
from tests.rotation.working import Shop, Steps, make_shop, operation_of
from tests.sealing.making import KEY, data_map, field_of, id_of
from tests.support.servers import Database

pytestmark = pytest.mark.integration

EMAIL = field_of("email", 1, equality=True, unique=True, join_group="mail")
BUYER = field_of("buyer", 2, table="orders", equality=True, join_group="mail")
GIVER = field_of("giver", 3, table="orders", equality=True, join_group="mail")
SHOP = Field("public", "orders", "shop", "pd.test")
ORDERS = data_map(replace(KEY, table="orders"), BUYER, GIVER, table="orders")
PEOPLE = data_map(KEY, EMAIL, replace(SHOP, table="people"))
MAP = DataMap("shop", "shop", {**PEOPLE.tables, **ORDERS.tables})
# One of each kind: rows that go with others, a check at commit, columns beside terms, and one that was never looked at.
KEYS = (
    "ALTER TABLE orders ADD shop text; ALTER TABLE people ADD UNIQUE (shop, fg_email_eq)",
    "ALTER TABLE orders ADD CONSTRAINT buyers FOREIGN KEY (fg_buyer_eq) REFERENCES people (fg_email_eq)"
    " ON DELETE CASCADE",
    "ALTER TABLE orders ADD CONSTRAINT givers FOREIGN KEY (fg_giver_eq) REFERENCES people (fg_email_eq)"
    " DEFERRABLE INITIALLY DEFERRED; COMMENT ON CONSTRAINT givers ON orders IS 'who''s giving'",
    "ALTER TABLE orders ADD CONSTRAINT local FOREIGN KEY (shop, fg_buyer_eq) REFERENCES people (shop, fg_email_eq)"
    " MATCH FULL ON UPDATE RESTRICT NOT VALID",
)
SAID = """
SELECT conname, pg_get_constraintdef(oid), obj_description(oid) FROM pg_constraint
WHERE contype = 'f' AND conrelid = 'orders'::regclass ORDER BY 1
"""


@pytest.fixture
async def shop(database: Database) -> Shop:
    return await make_shop(database, MAP)


@pytest.fixture
async def connection(shop: Shop) -> AsyncIterator[asyncpg.Connection]:
    made = await shop.database.connect_async()
    for statement in KEYS:
        await made.execute(statement)
    for number in range(8):
        await made.execute(
            "INSERT INTO people (id, email, shop) VALUES ($1, $2, 'here')", number, await cell(shop, EMAIL, number)
        )
    for number in range(20):
        cells = await cell(shop, BUYER, number % 8), None if number % 3 else await cell(shop, GIVER, number % 4)
        await made.execute("INSERT INTO orders (id, buyer, giver, shop) VALUES ($1, $2, $3, 'here')", number, *cells)
    yield made
    await made.close()


async def cell(shop: Shop, field: Field, number: int) -> bytes:
    value = b"person%d@example.org" % number
    return (await shop.ciphers()).cipher(id_of(field)).seal(value, term_input=value)


async def rotate(shop: Shop) -> Steps:
    work = Steps(operation_of(OperationKind.ROTATE_TERM_KEY, Target("shop", BUYER.name)))
    await rotate_term_key(shop.tools(batch=8), no_privileges, work)
    return work


async def require_kept(shop: Shop, connection: asyncpg.Connection) -> None:
    """What each of the keys says is still so."""
    for field, constraint in ((BUYER, "buyers"), (GIVER, "givers")):
        unknown = await cell(shop, field, 99)
        with pytest.raises(asyncpg.ForeignKeyViolationError) as refused:
            await connection.execute(f"INSERT INTO orders (id, {field.column}) VALUES (-1, $1)", unknown)
        assert refused.value.constraint_name == constraint
    with pytest.raises(asyncpg.ForeignKeyViolationError) as refused:
        known = await cell(shop, BUYER, 1)
        await connection.execute("INSERT INTO orders (id, buyer, shop) VALUES (-1, $1, 'elsewhere')", known)
    assert refused.value.constraint_name == "local"
    async with connection.transaction():  # looked at when it is committed
        await connection.execute("INSERT INTO orders (id, giver) VALUES (-1, $1)", await cell(shop, GIVER, 99))
        await connection.execute("DELETE FROM orders WHERE id = -1")
    await connection.execute("DELETE FROM people WHERE id = 7")
    assert await connection.fetchval("SELECT count(*) FROM orders WHERE id % 8 = 7") == 0


async def test_they_say_the_same_of_the_new_columns(shop: Shop, connection: asyncpg.Connection) -> None:
    before = [tuple(row) for row in await connection.fetch(SAID)]
    assert len(before) == 3
    await rotate(shop)
    after = [tuple(row) for row in await connection.fetch(SAID)]
    assert [(name, said.replace("_eq_2", "_eq"), remark) for name, said, remark in after] == before
    assert all("_eq_2" in said for _, said, _ in after)
    ciphers = await shop.ciphers()
    assert await verify_sealed(connection, MAP, ciphers.heads()) == ()
    await require_kept(shop, connection)


async def test_killed_around_the_switch(shop: Shop, connection: asyncpg.Connection) -> None:
    async def killed() -> None:
        raise ConnectionError

    work = Steps(operation_of(OperationKind.ROTATE_TERM_KEY, Target("shop", BUYER.name)))
    for step in ("compare", "switch", "activated"):
        work.at = {step: killed}
        with pytest.raises(ConnectionError):
            await rotate_term_key(shop.tools(batch=8), no_privileges, work)
        assert len(await connection.fetch(SAID)) == 3
    await rotate_term_key(shop.tools(batch=8), no_privileges, work)
    await require_kept(shop, connection)


async def test_rows_that_refer_to_each_other_are_written_all_the_while(
    shop: Shop, connection: asyncpg.Connection
) -> None:
    over, written = asyncio.Event(), 0

    async def application() -> None:
        nonlocal written
        own = await shop.database.connect_async()
        while not over.is_set():
            number = 1000 + written
            ciphers = (await shop.keyring()).ciphers(key_needs(MAP), CountedLeases(), await read_admitted(own, MAP))
            value = b"person%d@example.org" % number
            email, buyer = (ciphers.cipher(id_of(f)).seal(value, term_input=value) for f in (EMAIL, BUYER))
            try:
                async with own.transaction():
                    await own.execute("INSERT INTO people (id, email, shop) VALUES ($1, $2, 'there')", number, email)
                    await own.execute("INSERT INTO orders (id, buyer, shop) VALUES ($1, $2, 'there')", number, buyer)
                written += 1
            except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError):
                pass
        await own.close()

    running = asyncio.create_task(application())
    await rotate(shop)
    over.set()
    await running
    assert written > 3
    assert await connection.fetchval("SELECT count(*) FROM orders WHERE id >= 1000") == written
    assert not await connection.fetchval(
        "SELECT count(*) FROM orders o LEFT JOIN people p ON p.fg_email_eq_2 = o.fg_buyer_eq_2 WHERE p.id IS NULL"
    )


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE child (e bytea REFERENCES people (fg_email_eq))",
        "CREATE TABLE known (e bytea UNIQUE); INSERT INTO known SELECT DISTINCT fg_giver_eq FROM orders;"
        "ALTER TABLE orders ADD CONSTRAINT k FOREIGN KEY (fg_giver_eq) REFERENCES known (e) NOT VALID",
    ],
    ids=["from a plain column", "to a plain column"],
)
async def test_one_with_an_end_that_stays_is_refused(
    shop: Shop, connection: asyncpg.Connection, statement: str
) -> None:
    await connection.execute(statement)
    with pytest.raises(RotationRefused, match=r"constraint .* depends on its term column"):
        await rotate(shop)
    assert not await connection.fetchval("SELECT count(*) FROM pg_attribute WHERE attname ~ '_eq_2'")
