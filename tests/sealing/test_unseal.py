"""The way back on real servers: the plaintext column is as it was before it was sealed, and so is what hung on it."""

from __future__ import annotations

import asyncpg
import pytest

from policies.fields import LogicalType
from proxy.sealing.errors import SealingFailed, SealingRefused
from proxy.sealing.job import abandon_sealing, abandon_unsealing, seal_field, unseal_field
from proxy.sealing.memory import Traits, recall
from proxy.sealing.run import Run, SealOptions, SealStep
from tests.sealing.making import KEY, ciphers_for, data_map, field_of, id_of
from tests.sealing.people import CIPHERS, CITY, EMAIL, MAP, NOTE, QUICK, columns, opened, plain
from tests.sealing.test_seal import TYPMODS, VALUES
from tests.sealing.test_seal_troubles import Stop, stop_at
from tests.support.servers import Database

pytestmark = pytest.mark.integration

# Everything that an index or a column can have and that is carried.
DRESSED = """
ALTER TABLE people ALTER note TYPE text COLLATE "C", ALTER note SET STORAGE EXTERNAL, ALTER note SET STATISTICS 77;
ALTER TABLE people ALTER email SET COMPRESSION pglz;
CREATE INDEX ordered ON people (other, "Home City" DESC NULLS LAST) INCLUDE (id) WITH (fillfactor = 50);
CREATE UNIQUE INDEX partly ON people (email, other) WHERE "Home City" IS NOT NULL AND email IS NOT NULL AND id > 2;
CREATE INDEX without ON people (id) WHERE note IS NULL;
COMMENT ON INDEX ordered IS 'it''s \\ ordered';
COMMENT ON COLUMN people.note IS 'what support wrote';
ALTER TABLE people CLUSTER ON city_index;
ALTER TABLE people ADD CONSTRAINT pair UNIQUE NULLS NOT DISTINCT ("Home City", id) DEFERRABLE INITIALLY DEFERRED;
COMMENT ON CONSTRAINT pair ON people IS 'a pair';
"""
DESCRIBED = """
SELECT 'column ' || attname, format_type(atttypid, atttypmod), attnotnull, attcollation::int8, attstorage::text,
       attcompression::text, (to_jsonb(a) ->> 'attstattarget'), col_description(attrelid, attnum), attacl::text
FROM pg_attribute a WHERE attrelid = 'people'::regclass AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT 'index ' || c.relname, pg_get_indexdef(i.indexrelid), i.indisclustered, 0, c.reloptions::text,
       '', '', obj_description(c.oid), ''
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'people'::regclass
UNION ALL SELECT 'constraint ' || conname, pg_get_constraintdef(oid), convalidated, 0, '', '', '',
       obj_description(oid, 'pg_constraint'), ''
FROM pg_constraint WHERE conrelid = 'people'::regclass AND contype <> 'n'
UNION ALL SELECT 'trigger ' || tgname, '', true, 0, '', '', '', '', ''
FROM pg_trigger WHERE tgrelid = 'people'::regclass AND NOT tgisinternal
UNION ALL SELECT 'function ' || proname, '', true, 0, '', '', '', '', '' FROM pg_proc WHERE proname LIKE 'fg_%'
ORDER BY 1"""


async def described(connection: asyncpg.Connection) -> list[tuple[object, ...]]:
    return [tuple(row) for row in await connection.fetch(DESCRIBED)]


async def test_there_and_back_leaves_everything_as_it_was(people: Database, connection: asyncpg.Connection) -> None:
    reader = people.role("reader")
    await connection.execute(DRESSED)
    await connection.execute(f"GRANT SELECT (note, email), UPDATE (note) ON people TO {reader}")
    before, places = await described(connection), await columns(connection)
    values = {field: await plain(connection, field.column) for field in (EMAIL, CITY, NOTE)}
    for field in (EMAIL, CITY, NOTE):
        await seal_field(connection, MAP, f"people.{field.column}", CIPHERS, options=QUICK)
    assert await described(connection) != before
    for field in (NOTE, EMAIL, CITY):
        assert await opened(connection, field) == values[field]
        outcome = await unseal_field(connection, MAP, f"people.{field.column}", CIPHERS, options=QUICK)
        rows = len([value for value in values[field].values() if value is not None])
        assert (outcome.already, outcome.rows, outcome.filled, outcome.corrected) == (False, rows, rows, 0)
    assert await described(connection) == before
    assert [each for each in await columns(connection) if not each[0].startswith("...")][: len(places)] == places
    assert {field: await plain(connection, field.column) for field in (EMAIL, CITY, NOTE)} == values
    assert (await unseal_field(connection, MAP, "people.note", CIPHERS)).already


@pytest.mark.parametrize("type_name", VALUES)
async def test_values_of_every_type_come_back(people: Database, type_name: str) -> None:
    logical = LogicalType(type_name.partition("(")[0])
    field = field_of(
        "value", 9, "things", logical_type=logical, typmod=TYPMODS.get(type_name, -1), equality=type_name != "json"
    )
    things = data_map(KEY, field, table="things")
    ciphers = ciphers_for(things)
    people.run(f"CREATE TABLE things (id bigint PRIMARY KEY, value {type_name})")
    connection = await people.connect_async()
    for number, value in enumerate(VALUES[type_name]):
        await connection.execute(f"INSERT INTO things VALUES ($1, $2::text::{type_name})", number, value)
    await connection.execute("INSERT INTO things VALUES (100, NULL)")
    look = (
        "SELECT id, value::text, format_type(t, m) FROM things, LATERAL (SELECT atttypid AS t, atttypmod AS m FROM"
        " pg_attribute WHERE attrelid = 'things'::regclass AND attname = 'value') a ORDER BY 1"
    )
    before = await connection.fetch(look)
    await seal_field(connection, things, "things.value", ciphers)
    await unseal_field(connection, things, "things.value", ciphers, options=QUICK)
    assert await connection.fetch(look) == before
    await connection.close()


async def test_it_can_be_taken_back_until_it_switches(people: Database, connection: asyncpg.Connection) -> None:
    values = await plain(connection, "note")
    with pytest.raises(SealingRefused, match="plain already"):
        await abandon_unsealing(connection, MAP, "people.note")
    await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    sealed = await described(connection)
    with pytest.raises(Stop):
        await unseal_field(connection, MAP, "people.note", CIPHERS, options=QUICK, progress=stop_at(SealStep.FILL, 4))
    with pytest.raises(SealingRefused, match="being unsealed"):
        await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    await abandon_unsealing(connection, MAP, "people.note")
    assert await described(connection) == sealed
    assert await opened(connection, NOTE) == values
    await unseal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    with pytest.raises(Stop):
        await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK, progress=stop_at(SealStep.FILL, 4))
    with pytest.raises(SealingRefused, match="being sealed"):
        await unseal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    await abandon_sealing(connection, MAP, "people.note")
    assert await plain(connection, "note") == values


async def test_what_depends_on_the_cells_is_an_obstacle(people: Database, connection: asyncpg.Connection) -> None:
    await seal_field(connection, MAP, "people.Home City", CIPHERS, options=QUICK)
    await connection.execute('CREATE VIEW terms AS SELECT "fg_Home City_eq" FROM people')
    await connection.execute('CREATE INDEX lengths ON people (octet_length("Home City"))')
    before = await described(connection)
    with pytest.raises(SealingRefused) as refusal:
        await unseal_field(connection, MAP, "people.Home City", CIPHERS, options=QUICK)
    told = " ".join(refusal.value.obstacles)
    assert "view public.terms depends on it" in told
    assert "the index lengths cannot be carried" in told
    assert await described(connection) == before


async def test_a_cell_that_does_not_open_stops_it(people: Database, connection: asyncpg.Connection) -> None:
    await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    with pytest.raises(SealingFailed, match="a cell that does not open"):
        await unseal_field(connection, MAP, "people.note", ciphers_for(MAP), options=QUICK)
    await connection.execute("UPDATE people SET note = (SELECT note FROM people WHERE id = 1) WHERE id = 2")
    with pytest.raises(SealingFailed, match="a cell that does not open"):
        await unseal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    assert (await connection.fetchval("SELECT note FROM people WHERE id = 3")).startswith(b"\xf9\x67\x01")


TAMPERED = f"UPDATE people SET fg_open_{id_of(CITY)} = 'forged' WHERE id IN (1, 2)"


@pytest.mark.parametrize("compared", [True, False], ids=["compared", "not compared"])
async def test_the_comparison_under_lock_finds_what_is_not_the_cells(
    people: Database, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, compared: bool
) -> None:
    values = await plain(connection, "Home City")
    await seal_field(connection, MAP, "people.Home City", CIPHERS, options=QUICK)
    with pytest.raises(Stop):
        await unseal_field(
            connection, MAP, "people.Home City", CIPHERS, options=QUICK, progress=stop_at(SealStep.VERIFY)
        )
    await connection.execute(TAMPERED)
    if not compared:

        async def finds_nothing(run: Run) -> list[object]:
            return []

        monkeypatch.setattr(Run, "_mismatches", finds_nothing)
    outcome = await unseal_field(connection, MAP, "people.Home City", CIPHERS, options=QUICK)
    found = await plain(connection, "Home City")
    assert outcome.corrected == (2 if compared else 0)
    assert found == (values if compared else values | {1: "forged", 2: "forged"})


async def test_a_cell_is_refused_in_the_plain_column_while_the_fence_stands(
    people: Database, connection: asyncpg.Connection
) -> None:
    """Who planned before the switch would store a cell as text: PostgreSQL casts bytea to text on assignment."""
    await seal_field(connection, MAP, "people.Home City", CIPHERS, options=QUICK)
    cell = await connection.fetchval('SELECT "Home City" FROM people WHERE id = 1')
    late = await people.connect_async()
    transaction = late.transaction(isolation="repeatable_read")
    await transaction.start()
    await late.fetch("SELECT 1")
    outcome = await unseal_field(
        connection, MAP, "people.Home City", CIPHERS, options=SealOptions(batch=50, fence_seconds=0, settle_seconds=0)
    )
    assert outcome.fenced
    write = f"UPDATE people SET \"Home City\" = '\\x{cell.hex()}'::bytea WHERE id = 5"
    with pytest.raises(asyncpg.SerializationError, match="unsealed after this statement"):
        await connection.execute(write)
    with pytest.raises(asyncpg.SerializationError, match="unsealed after this transaction"):
        await late.execute("DELETE FROM people")
    await connection.execute("UPDATE people SET \"Home City\" = '\\xf967 is text' WHERE id = 5")
    await transaction.rollback()
    await late.close()
    again = await unseal_field(connection, MAP, "people.Home City", CIPHERS, options=QUICK)
    assert (again.already, again.fenced) == (True, False)
    await connection.execute(write)  # what the fence is for: now it would be stored
    assert (await plain(connection, "Home City"))[5] == f"\\x{cell.hex()}"
    assert await connection.fetchval("SELECT count(*) FROM pg_proc WHERE proname LIKE 'fg_%'") == 0


def test_what_was_kept_is_read_strictly() -> None:
    assert recall(None) == Traits()
    assert recall('{"collation": ["pg_catalog", "C"], "storage": "MAIN", "compression": "lz4"}') == Traits(
        ("pg_catalog", "C"), "MAIN", "lz4"
    )
    for wrong in ("", "[]", '{"x": 1}', '{"collation": "C"}', '{"collation": [1, 2]}', '{"storage": "EXTERNAL; x"}'):
        with pytest.raises(Exception, match="was kept"):
            recall(wrong)
