"""SEAL_FIELD and UNSEAL_FIELD as operations, over a real store of keys and a real server."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import asyncpg
import pytest

from proxy.errors import ConfigError
from proxy.jobs.registry import handlers
from proxy.jobs.sealing import Privileges
from proxy.keywork.handler import Cancelled
from proxy.keywork.operation import NEEDS_APPROVAL, OperationKind, Target
from proxy.rotation.errors import RotationRefused, StepWaits
from proxy.sealing.ddl import sealing_of
from proxy.sealing.errors import SealingRefused
from proxy.sealing.run import SealOptions
from tests.rotation.working import Shop, Steps, cancel, make_shop, operation_of
from tests.sealing.making import KEY, data_map, field_of
from tests.support.servers import Database

pytestmark = pytest.mark.integration

NAME = field_of("name", 2, equality=True)
NOTE = field_of("note", 3, row_bound=True)
MIGRATING = replace(NAME, migrating=sealing_of(NAME))
MAP = data_map(KEY, MIGRATING, NOTE)
OPTIONS = SealOptions(batch=10, lock_seconds=0.2, attempts=2, settle_seconds=0)
PLAIN = (
    "DROP TABLE people",
    "CREATE TABLE people (id bigint PRIMARY KEY, name text, note text)",
    "INSERT INTO people SELECT n, 'name ' || n, 'note ' || n FROM generate_series(1, 60) n",
)


@pytest.fixture
async def shop(database: Database) -> Shop:
    made = await make_shop(database, MAP)
    database.run(*PLAIN)
    return made


async def carried_out(
    shop: Shop,
    kind: OperationKind,
    field: str = "public.people.name",
    privileges: Privileges | None = None,
    **at: object,
) -> Steps:
    work = Steps(operation_of(kind, Target("shop", field)), at=dict(at))  # type: ignore[arg-type]
    made = handlers(shop.tools(), sealing=OPTIONS, **({"privileges": privileges} if privileges else {}))
    await made[kind](work)
    return work


async def stored(shop: Shop, column: str = "name") -> list[object]:
    connection = await shop.database.connect_async()
    try:
        return [row[0] for row in await connection.fetch(f"SELECT {column} FROM people ORDER BY id")]
    finally:
        await connection.close()


def test_only_the_way_back_needs_a_second_person() -> None:
    assert OperationKind.UNSEAL_FIELD in NEEDS_APPROVAL
    assert OperationKind.SEAL_FIELD not in NEEDS_APPROVAL


async def test_there_and_back_with_progress_and_a_report(shop: Shop) -> None:
    before = await stored(shop)
    changed: list[str] = []

    async def privileges(database: str, connection: asyncpg.Connection) -> None:
        assert connection.is_in_transaction()
        changed.append(database)

    there = await carried_out(shop, OperationKind.SEAL_FIELD, privileges=privileges)
    assert there.seen == ["prepare", "fill", "switch"]
    assert there.result["rows"] == 60 and not there.result["already"]
    assert "WAL" in str(there.result["remains"])
    assert all(isinstance(cell, bytes) for cell in await stored(shop))
    again = await carried_out(shop, OperationKind.SEAL_FIELD, privileges=privileges)
    assert again.result["already"] and again.seen == []
    back = await carried_out(shop, OperationKind.UNSEAL_FIELD, privileges=privileges)
    assert back.result == {
        "field": "public.people.name", "rows": 60, "already": False, "fenced": False, "remains": [],
    }  # fmt: skip
    assert await stored(shop) == before
    assert changed == ["shop", "shop"]
    await carried_out(shop, OperationKind.SEAL_FIELD, "public.people.note", privileges=privileges)
    assert len(changed) == 2  # nobody is served a field that does not migrate


@pytest.mark.parametrize("step", ["prepare", "fill", "switch"])
async def test_cancelled_before_the_switch_everything_is_taken_back(shop: Shop, step: str) -> None:
    before = await stored(shop)
    with pytest.raises(Cancelled):
        await carried_out(shop, OperationKind.SEAL_FIELD, **{step: cancel})
    assert await stored(shop) == before
    left = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'people'::regclass AND attname LIKE 'fg_%'"
    with shop.database.connect() as connection:
        assert connection.execute(left.encode()).fetchone() == (0,)
    await carried_out(shop, OperationKind.SEAL_FIELD)
    cells = await stored(shop)
    with pytest.raises(Cancelled):
        await carried_out(shop, OperationKind.UNSEAL_FIELD, **{step: cancel})
    assert await stored(shop) == cells


async def test_a_table_that_is_never_free_and_a_lost_connection_are_tried_again(shop: Shop) -> None:
    with shop.database.connect() as holder, holder.transaction():
        holder.execute("LOCK TABLE people IN SHARE MODE")
        with pytest.raises(StepWaits, match="never free"):
            await carried_out(shop, OperationKind.SEAL_FIELD)

    async def end_the_other() -> None:
        with shop.database.connect() as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")

    with pytest.raises(StepWaits, match=r"connection was lost|server went away"):
        await carried_out(shop, OperationKind.SEAL_FIELD, switch=end_the_other)
    assert (await carried_out(shop, OperationKind.SEAL_FIELD)).result["rows"] == 60


async def test_what_is_in_the_way_fails_it_before_anything_changes(shop: Shop) -> None:
    shop.database.run("ALTER TABLE people ADD CHECK (name <> 'x')")
    with pytest.raises(SealingRefused, match="a CHECK cannot read a sealed value"):
        await carried_out(shop, OperationKind.SEAL_FIELD)
    for wrong in ("public.people.id", "people.nothing"):
        with pytest.raises(RotationRefused):
            await carried_out(shop, OperationKind.SEAL_FIELD, wrong)
    for target in (Target("shop"), Target("shop", "public.people.*"), Target("other", "public.people.name")):
        work = Steps(operation_of(OperationKind.SEAL_FIELD, target))
        with pytest.raises(ConfigError):
            await partial(handlers(shop.tools())[OperationKind.SEAL_FIELD], work)()
