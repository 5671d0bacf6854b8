"""A table that holds plaintext is sealed under its data subjects' secrets, and opened again."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from keys.primitives import random_bytes
from proxy.jobs.sealing import no_privileges, seal_handler, unseal_handler
from proxy.keywork.operation import OperationKind, Target
from proxy.rotation.shred import shred_subject
from proxy.sealing.ddl import table_elements
from proxy.sealing.errors import SealingFailed
from proxy.sealing.needs import key_needs
from proxy.sealing.run import SealOptions
from tests.rotation.test_shred import LOGIN, MAP, TEXT, TITLE, name_of, work_of, world_over
from tests.rotation.working import Shop, Steps, operation_of, store_of
from tests.support.control_database import make_control
from tests.support.servers import Database

ROWS = 40
OPTIONS = SealOptions(batch=7, settle_seconds=0)


@pytest.fixture
async def shop(database: Database) -> AsyncIterator[tuple[Shop, asyncpg.Connection]]:
    control = await make_control(database)
    store = store_of(control, kek := random_bytes(32))
    await store.initialise()
    await store.add_missing(key_needs(MAP))
    connection = await database.connect_async()
    await connection.execute(
        "CREATE TABLE notes (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id int NOT NULL,"
        " title text NOT NULL, text text);"
        "INSERT INTO notes (customer_id, title, text) SELECT n % 5 + 1, 'title ' || n,"
        f" CASE WHEN n % 3 > 0 THEN 'text ' || n END FROM generate_series(1, {ROWS}) n"
    )
    yield Shop(database, control, kek, store, MAP), connection
    await connection.close()


def work(kind: OperationKind, field: str) -> Steps:
    return Steps(operation_of(kind, Target(database="shop", field=field)))


async def test_there_and_back(shop: tuple[Shop, asyncpg.Connection]) -> None:
    made, connection = shop
    before = await connection.fetch("SELECT * FROM notes ORDER BY id")
    for field in (TITLE, TEXT):
        await seal_handler(made.tools(), no_privileges, OPTIONS, work(OperationKind.SEAL_FIELD, field.name))
    world = await world_over(made, connection)
    await world.keeper.have([name_of(person) for person in range(1, 6)], make=False)
    for row, plain in zip(await connection.fetch("SELECT * FROM notes ORDER BY id"), before, strict=True):
        assert world.shown(TITLE, row["title"], row["customer_id"]) == plain["title"]
        assert world.shown(TEXT, row["text"], row["customer_id"]) == plain["text"]
    for field in (TEXT, TITLE):
        await unseal_handler(made.tools(), no_privileges, OPTIONS, work(OperationKind.UNSEAL_FIELD, field.name))
    assert await connection.fetch("SELECT * FROM notes ORDER BY id") == before


async def test_what_was_destroyed_cannot_be_made_plain(shop: tuple[Shop, asyncpg.Connection]) -> None:
    made, connection = shop
    for field in (TITLE, TEXT):
        await seal_handler(made.tools(), no_privileges, OPTIONS, work(OperationKind.SEAL_FIELD, field.name))
    world = await world_over(made, connection)
    elements = ", ".join(table_elements(LOGIN, world.ciphers.heads()[LOGIN.sealing.field_id if LOGIN.sealing else ""]))
    await connection.execute(f"CREATE TABLE accounts (customer_id int PRIMARY KEY, {elements})")
    await shred_subject(made.tools(), work_of(3))
    with pytest.raises(SealingFailed, match="destroyed"):
        await unseal_handler(made.tools(), no_privileges, OPTIONS, work(OperationKind.UNSEAL_FIELD, TITLE.name))
