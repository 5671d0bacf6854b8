"""The plan says before it starts what the work then does, and what it refuses."""

from __future__ import annotations

import asyncpg
import pytest

from proxy.sealing.errors import SealingRefused
from proxy.sealing.job import seal_field, unseal_field
from proxy.sealing.plan import plan_lines, plan_sealing
from proxy.sealing.run import SealStep
from tests.sealing.people import CIPHERS, MAP, QUICK, columns
from tests.sealing.test_seal_troubles import Stop, stop_at
from tests.support.servers import Database

pytestmark = pytest.mark.integration


async def lines(connection: asyncpg.Connection, name: str, *, seals: bool) -> list[str]:
    return list(plan_lines(await plan_sealing(connection, MAP, name, seals=seals)))


async def test_what_is_carried_made_and_needed(people: Database, connection: asyncpg.Connection) -> None:
    await connection.execute('ALTER TABLE people ALTER "Home City" TYPE text COLLATE "C"')
    await connection.execute('CREATE INDEX empty ON people (id) WHERE "Home City" IS NULL')
    before = await columns(connection)
    told = await lines(connection, "people.Home City", seals=True)
    assert await columns(connection) == before
    assert told[0] == "public.people.Home City becomes sealed"
    assert "100 rows with 75 values" in told[1]
    for expected in (
        "carried  index city_index, to fg_Home City_eq",
        "carried  index empty, as it is",
        "made     column fg_Home City_eq, generated",
        "kept for the way back collation pg_catalog.C",
        "nothing stands in the way",
    ):
        assert expected in told
    await seal_field(connection, MAP, "people.Home City", CIPHERS, options=QUICK)
    assert await lines(connection, "people.Home City", seals=True) == [
        "public.people.Home City is sealed already: nothing to do"
    ]
    back = await lines(connection, "people.Home City", seals=False)
    assert "carried  index city_index, to Home City" in back
    assert "dropped  column fg_Home City_eq, generated" in back
    await unseal_field(connection, MAP, "people.Home City", CIPHERS, options=QUICK)


async def test_what_is_refused_is_what_the_work_refuses(people: Database, connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE VIEW v AS SELECT note FROM people; ALTER TABLE people ADD CHECK (note <> 'x')")
    told = await lines(connection, "people.note", seals=True)
    refused = [line.removeprefix("REFUSED  ") for line in told if line.startswith("REFUSED")]
    with pytest.raises(SealingRefused) as refusal:
        await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    assert refused == list(refusal.value.obstacles)
    assert told[-1] == "it does not begin while anything is refused"
    assert not any("note of" in line for line in told)


async def test_the_estimate_of_the_disk_is_enough(people: Database, connection: asyncpg.Connection) -> None:
    """The table, filled and not yet rewritten, with what the rewrite then needs."""
    await connection.execute("ALTER TABLE people SET (autovacuum_enabled = off)")
    await connection.execute(
        "INSERT INTO people SELECT n, 'p' || n, NULL, repeat(md5(n::text), 10), n FROM generate_series(1000, 3000) n"
    )
    plan = await plan_sealing(connection, MAP, "people.note", seals=True)
    size = "SELECT pg_total_relation_size('people')"
    before = await connection.fetchval(size)
    with pytest.raises(Stop):
        await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK, progress=stop_at(SealStep.VERIFY))
    assert (await plan_sealing(connection, MAP, "people.note", seals=True)).begun
    filled = await connection.fetchval(size)
    await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    rewritten = await connection.fetchval(size)
    assert 0 < filled - before + rewritten < plan.disk * 1.5
    assert plan.disk < 10 * before
