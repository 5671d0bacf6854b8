"""Term keys of partitioned tables, with partitions of partitions, and a foreign key from them to another table."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from policies.fields import DataMap, Field
from proxy.jobs.sealing import no_privileges
from proxy.keywork.handler import Cancelled
from proxy.keywork.operation import OperationKind, Target
from proxy.rotation.errors import RotationRefused
from proxy.rotation.rotate_terms import rotate_term_key
from proxy.rotation.verify import verify_field
from proxy.sealing.admitted import read_admitted
from proxy.sealing.ddl import sealing_of, table_elements, table_indexes
from proxy.sealing.needs import key_needs
from proxy.sealing.verify import verify_sealed
from proxy.stored_forms import as_searched
from tests.keys.making import CountedLeases
from tests.rotation.working import Shop, Steps, cancel, make_shop, operation_of
from tests.sealing.making import KEY, data_map, field_of, id_of
from tests.support.servers import Database

pytestmark = pytest.mark.integration

EMAIL = field_of("email", 1, equality=True, unique=True, join_group="mail")
BUYER = field_of("buyer", 2, table="orders", equality=True, tokens=("match.1",), join_group="mail")
ORDERS = data_map(replace(KEY, table="orders"), BUYER, table="orders")
MAP = DataMap("shop", "shop", {**data_map(KEY, EMAIL).tables, **ORDERS.tables})
PARTS = (
    "CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (0) TO (10)",
    "CREATE TABLE orders_2 PARTITION OF orders FOR VALUES FROM (10) TO (1000) PARTITION BY HASH (id)",
    "CREATE TABLE orders_2a PARTITION OF orders_2 FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
    "CREATE TABLE orders_2b PARTITION OF orders_2 FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
    "ALTER TABLE orders ADD UNIQUE (fg_buyer_eq, id)",
    "ALTER TABLE orders ADD CONSTRAINT buyers FOREIGN KEY (fg_buyer_eq) REFERENCES people (fg_email_eq)",
)
ROWS = 30
STEPS = ("column", "admit", "key", "fence", "re-encrypt", "narrow", "unfence", "compare", "switch", "activated")


@pytest.fixture
async def shop(database: Database) -> Shop:
    return await make_shop(database, MAP)


@pytest.fixture
async def connection(shop: Shop) -> AsyncIterator[asyncpg.Connection]:
    made = await shop.database.connect_async()
    elements = ", ".join(table_elements(BUYER, (await shop.ciphers()).heads()[id_of(BUYER)]))
    await made.execute("DROP TABLE orders")
    await made.execute(f"CREATE TABLE orders (id bigint PRIMARY KEY, {elements}) PARTITION BY RANGE (id)")
    for statement in (*table_indexes(BUYER), *PARTS):
        await made.execute(statement)
    for number in range(5):
        await write(made, shop, EMAIL, number, number)
    for number in range(ROWS):
        await write(made, shop, BUYER, number, number % 5)
    yield made
    await made.close()


async def write(connection: asyncpg.Connection, shop: Shop, field: Field, number: int, whose: int) -> None:
    """By the newest keys, and what the database takes."""
    ciphers = (await shop.keyring()).ciphers(key_needs(MAP), CountedLeases(), await read_admitted(connection, MAP))
    value = b"person%d@example.org" % whose
    cell = ciphers.cipher(id_of(field)).seal(value, term_input=value)
    await connection.execute(f"INSERT INTO {field.table} (id, {field.column}) VALUES ($1, $2)", number, cell)


async def bought(connection: asyncpg.Connection, shop: Shop, whose: int) -> list[int]:
    """By term, in the join, and by tokens: as the catalog says now."""
    cipher = (await shop.ciphers()).cipher(id_of(BUYER))
    searched = await as_searched(connection, MAP)
    buyer, email = (
        searched.tables["public", "orders"].fields["buyer"],
        searched.tables["public", "people"].fields["email"],
    )
    value = b"person%d@example.org" % whose
    rows = await connection.fetch(
        f"SELECT o.id FROM orders o JOIN people p ON p.{email.term_column} = o.{buyer.term_column}"
        f" WHERE o.{buyer.term_column} = $1 ORDER BY 1",
        cipher.term(value, buyer.term_epoch),
    )
    tokens = cipher.tokens([b"match.1\0on%d" % whose], buyer.token_epoch)
    numbers = [int.from_bytes(token, "big", signed=True) for token in tokens]
    by_part = await connection.fetch(f"SELECT id FROM orders WHERE {buyer.token_column} @> $1 ORDER BY 1", numbers)
    assert by_part == rows
    return [row["id"] for row in rows]


def steps_of() -> Steps:
    return Steps(operation_of(OperationKind.ROTATE_TERM_KEY, Target("shop", BUYER.name)))


async def rotate(shop: Shop, work: Steps | None = None) -> None:
    await rotate_term_key(shop.tools(batch=4), no_privileges, work or steps_of())


async def require_rotated(shop: Shop, connection: asyncpg.Connection, epoch: int = 2) -> None:
    ciphers = await shop.ciphers()
    assert await verify_sealed(connection, MAP, ciphers.heads(), None, ciphers.epochs()) == ()
    await verify_field(shop.tools(), Steps(operation_of(OperationKind.VERIFY, Target("shop", BUYER.name))))
    for table in ("orders", "orders_1", "orders_2", "orders_2a", "orders_2b"):
        names = await connection.fetch(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attname ~ '^fg_' ORDER BY 1",
            table,
        )
        assert [row[0] for row in names] == [f"fg_buyer_eq_{epoch}", f"fg_buyer_tk_{epoch}"]
    left = "SELECT count(*) FROM pg_index WHERE NOT indisvalid AND indrelid::regclass::text LIKE 'orders%'"
    assert not await connection.fetchval(left)
    assert not await connection.fetchval("SELECT count(*) FROM pg_trigger WHERE tgname LIKE '~fg_%'")
    for whose in range(5):
        assert await bought(connection, shop, whose) == [n for n in range(ROWS) if n % 5 == whose]
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await write(connection, shop, BUYER, 900, 77)


async def test_all_partitions_move_twice(shop: Shop, connection: asyncpg.Connection) -> None:
    for epoch in (2, 3):
        await rotate(shop)
        await require_rotated(shop, connection, epoch)
    assert sealing_of(BUYER).join_group == "mail"


async def test_killed_at_every_step_it_goes_on(shop: Shop, connection: asyncpg.Connection) -> None:
    async def killed() -> None:
        raise ConnectionError

    work = steps_of()
    for number, step in enumerate(STEPS):
        work.at = {step: killed}
        with pytest.raises(ConnectionError):
            await rotate(shop, work)
        assert await bought(connection, shop, 3) == [n for n in range(ROWS) if n % 5 == 3]
        await write(connection, shop, BUYER, 100 + number, 4)
    await connection.execute("DELETE FROM orders WHERE id >= 100")
    await rotate(shop, work)
    await require_rotated(shop, connection)


async def test_taken_back_before_there_is_a_key(shop: Shop, connection: asyncpg.Connection) -> None:
    work = steps_of()
    work.at["admit"] = cancel
    with pytest.raises(Cancelled):
        await rotate(shop, work)
    assert not await connection.fetchval("SELECT count(*) FROM pg_attribute WHERE attname = 'fg_buyer_eq_2'")
    await rotate(shop)
    await require_rotated(shop, connection)


async def test_a_partition_that_is_made_meanwhile_takes_part(shop: Shop, connection: asyncpg.Connection) -> None:
    async def make(number: int) -> None:
        first = 1000 * number
        await connection.execute(
            f"CREATE TABLE new_{number} PARTITION OF orders FOR VALUES FROM ({first}) TO ({first + 1000})"
        )
        await write(connection, shop, BUYER, first, 4)

    work = steps_of()
    steps = ("admit", "fence", "narrow", "switch", "activated")
    for number, step in enumerate(steps, 1):
        work.at[step] = lambda number=number: make(number)  # type: ignore[misc]
    await rotate(shop, work)
    assert not work.at
    made = [1000 * number for number in range(1, len(steps) + 1)]
    assert await bought(connection, shop, 4) == [*(n for n in range(ROWS) if n % 5 == 4), *made]
    await connection.execute("DELETE FROM orders WHERE id >= 1000")
    await require_rotated(shop, connection)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("CREATE INDEX own ON orders_2a (fg_buyer_eq)", "index own is of the partition public.orders_2a alone"),
        ("CREATE VIEW part AS SELECT fg_buyer_eq FROM orders_1", "view public.part depends on its term column"),
        ("CREATE VIEW part AS SELECT fg_buyer_tk FROM orders_2b", "view public.part depends on its token column"),
        (
            "ALTER TABLE orders_1 ADD CONSTRAINT own FOREIGN KEY (fg_buyer_eq) REFERENCES people (fg_email_eq)",
            "constraint own on table public.orders_1 depends on its term column",
        ),
    ],
)
async def test_what_a_partition_has_of_its_own_is_refused(
    shop: Shop, connection: asyncpg.Connection, statement: str, why: str
) -> None:
    await connection.execute(statement)
    with pytest.raises(RotationRefused, match=why):
        await rotate(shop)


async def test_the_sizes_of_partitions_count_together(shop: Shop, connection: asyncpg.Connection) -> None:
    one = await connection.fetchval("SELECT max(pg_table_size(relid)) FROM pg_partition_tree('orders')")
    with pytest.raises(RotationRefused, match=r"orders\.buyer: its table has .* locks it while it is written anew"):
        await rotate_term_key(shop.tools(rewrite_limit=one), no_privileges, steps_of())


async def test_inheritance_is_refused(shop: Shop, connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE TABLE child () INHERITS (people)")
    with pytest.raises(RotationRefused, match="takes part in inheritance"):
        await rotate(shop)
