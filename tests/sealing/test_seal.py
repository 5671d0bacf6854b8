"""Sealing existing plaintext on real servers: nothing is lost, everything that hung on the column is carried."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from policies.fields import LogicalType
from proxy.sealing.errors import SealingRefused
from proxy.sealing.job import seal_field
from proxy.sealing.run import SealStep
from proxy.sealing.verify import verify_sealed
from tests.sealing.making import KEY, ciphers_for, data_map, field_of, id_of
from tests.sealing.people import CIPHERS, CITY, EMAIL, MAP, NOTE, QUICK, columns, opened, plain
from tests.support.servers import Database

pytestmark = pytest.mark.integration


async def test_a_table_is_sealed_field_by_field(people: Database, connection: asyncpg.Connection) -> None:
    before = {field: await plain(connection, field.column) for field in (EMAIL, CITY, NOTE)}
    places = await columns(connection)
    steps: list[tuple[SealStep, int, int]] = []
    for field in (EMAIL, CITY, NOTE):
        outcome = await seal_field(
            connection, MAP, f"people.{field.column}", CIPHERS, options=QUICK, progress=lambda *step: steps.append(step)
        )
        values = [value for value in before[field].values() if value is not None]
        assert (outcome.already, outcome.rows, outcome.filled, outcome.corrected) == (
            False,
            len(values),
            len(values),
            0,
        )
        assert await opened(connection, field) == before[field]
    assert await verify_sealed(connection, MAP, CIPHERS.heads()) == ()
    assert (await columns(connection))[: len(places)] == places
    assert [step for step, done, total in steps if done == total and step is SealStep.SWITCH] == [SealStep.SWITCH] * 3
    assert all(0 <= done <= total for _, done, total in steps)
    left = "SELECT count(*) FROM pg_class c, pg_proc p WHERE c.relname LIKE 'fg_new%' OR p.proname LIKE 'fg_new%'"
    assert await connection.fetchval(left) == 0
    assert await connection.fetchval("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal") == 0


async def test_unique_constraints_and_indexes_stand_on_the_term(connection: asyncpg.Connection) -> None:
    for column in ("email", "Home City"):
        await seal_field(connection, MAP, f"people.{column}", CIPHERS, options=QUICK)
    found = await connection.fetch("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'people' ORDER BY 1")
    assert [row["indexname"] for row in found] == ["city_index", "people_email_key", "people_pkey"]
    assert '("fg_Home City_eq")' in found[0]["indexdef"]
    cipher = CIPHERS.cipher(id_of(EMAIL))
    again = cipher.seal(b"person1@example.org", term_input=b"person1@example.org")
    with pytest.raises(asyncpg.UniqueViolationError, match="people_email_key"):
        await connection.execute("UPDATE people SET email = $1 WHERE id = 2", again)
    query = "SELECT id FROM people WHERE fg_email_eq = $1"
    assert await connection.fetchval(query, cipher.term(b"person7@example.org")) == 7


async def test_no_plaintext_is_left_in_the_files_of_the_table(people: Database, connection: asyncpg.Connection) -> None:
    async def files() -> bytes:
        await connection.execute("CHECKPOINT")
        found = await connection.fetch(
            """SELECT pg_relation_filepath(c.oid) FROM pg_class c WHERE pg_relation_filepath(c.oid) IS NOT NULL
               AND (c.relname LIKE 'people%' OR c.relname = 'city_index' OR c.oid = (
                 SELECT reltoastrelid FROM pg_class WHERE relname = 'people'))"""
        )
        folder = Path(await connection.fetchval("SHOW data_directory"))
        return b"".join((folder / row[0]).read_bytes() for row in found)

    long = "secret canary " * 1000
    await connection.execute("ALTER TABLE people ALTER note SET STORAGE EXTERNAL")
    await connection.execute("UPDATE people SET note = $1 WHERE id = 1", long)
    content = await files()
    assert b"person77@example.org" in content
    assert b"secret canary" in content
    for column in ("email", "note", "Home City"):
        await seal_field(connection, MAP, f"people.{column}", CIPHERS, options=QUICK)
    content = await files()
    for canary in (b"person77@example.org", b"secret canary", "Київ".encode(), b"note of"):
        assert canary not in content
    assert (await opened(connection, NOTE))[1] == long


async def test_the_same_command_again_finds_it_sealed(connection: asyncpg.Connection) -> None:
    await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    again = await seal_field(connection, MAP, "public.people.note", CIPHERS, options=QUICK)
    assert (again.already, again.filled) == (True, 0)
    with pytest.raises(SealingRefused, match="may not be written now"):
        await seal_field(connection, MAP, "people.note", ciphers_for(MAP), options=QUICK)


async def test_after_it_the_database_refuses_plaintext(connection: asyncpg.Connection) -> None:
    await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    for statement in (
        "UPDATE people SET note = 'plain'",
        "INSERT INTO people (id, email, note) VALUES (500, 'x', 'y')",
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(statement)


async def test_privileges_and_comments_of_the_column_stay(people: Database, connection: asyncpg.Connection) -> None:
    reader = people.role("reader")
    await connection.execute(f"GRANT SELECT (note), UPDATE (note) ON people TO {reader}")
    await connection.execute("COMMENT ON COLUMN people.note IS 'what support wrote'")
    await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    check = "SELECT has_column_privilege($1, 'people', 'note', 'SELECT, UPDATE')"
    assert await connection.fetchval(check, reader)
    assert await connection.fetchval("SELECT col_description('people'::regclass, 4)") == "what support wrote"


VALUES = {
    "text": ["", "x", "Ελένη\t\n", "\\x41", "NULL", '{"a"}'],
    "varchar(20)": ["", "двадцять символів...", "  spaces  "],
    "int2": ["-32768", "0", "32767"],
    "int4": ["-2147483648", "7"],
    "int8": ["-9223372036854775808", "9223372036854775807"],
    "numeric": ["0", "-0.00", "1.50", "1e30", "NaN", "Infinity", "-123456789012345678901234567890.0123"],
    "numeric(12,2)": ["0.10", "-9999999999.99"],
    "bool": ["true", "false"],
    "date": ["2026-02-28", "4713-01-01 BC", "infinity", "-infinity", "5874897-12-31"],
    "timestamp": ["2026-02-28 12:34:56.789", "0044-03-15 12:00:00 BC", "infinity"],
    "timestamp(3)": ["2026-02-28 12:34:56.789"],
    "timestamptz": ["2026-02-28 12:34:56+05:45", "1890-06-01 00:00:00 Europe/Warsaw", "-infinity"],
    "inet": ["10.1.2.3", "10.1.0.0/16", "2001:db8::1/64", "::ffff:1.2.3.4"],
    "uuid": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    "json": ['{"a": 1,   "a": 2}', "null", '"\\u0041"'],
    "jsonb": ['{"b": [1, 2.50, null], "a": "\\u0416"}', "[]", "1e5"],
    "bytea": ["\\x", "\\x00ff", "\\xf967010100"],
}
TYPMODS = {"varchar(20)": 24, "numeric(12,2)": (12 << 16 | 2) + 4, "timestamp(3)": 3}


@pytest.mark.parametrize("type_name", VALUES)
async def test_values_of_every_type_come_back_as_they_were(people: Database, type_name: str) -> None:
    logical = LogicalType(type_name.partition("(")[0])
    equality = logical is not LogicalType.JSON
    field = field_of("value", 9, "things", logical_type=logical, typmod=TYPMODS.get(type_name, -1), equality=equality)
    things = data_map(KEY, field, table="things")
    ciphers = ciphers_for(things)
    people.run(f"CREATE TABLE things (id bigint PRIMARY KEY, value {type_name})")
    connection = await people.connect_async()
    await connection.execute("SET TimeZone = 'UTC'")
    for number, value in enumerate(VALUES[type_name]):
        await connection.execute(f"INSERT INTO things VALUES ($1, $2::text::{type_name})", number, value)
    await connection.execute("INSERT INTO things VALUES (100, NULL)")
    query = "SELECT id, CASE WHEN value IS NOT NULL THEN format('%s', value) END FROM things"
    before = {row[0]: row[1] for row in await connection.fetch(query)}
    outcome = await seal_field(connection, things, "things.value", ciphers)
    assert outcome.rows == len(VALUES[type_name])
    assert await opened(connection, field, ciphers) == before
    await connection.close()


async def test_a_key_of_several_columns_and_types(people: Database, connection: asyncpg.Connection) -> None:
    await connection.execute(
        """CREATE TABLE parts (tenant uuid, "When" timestamptz, code varchar(9), id bigint NOT NULL UNIQUE, note text,
           PRIMARY KEY (code, "When", tenant))"""
    )
    await connection.execute(
        """INSERT INTO parts SELECT gen_random_uuid(), now() + n * interval '1.000001 s', 'c' || n % 5, n, 'note ' || n
           FROM generate_series(1, 60) n"""
    )
    field = field_of("note", 3, "parts", row_bound=True)
    parts = data_map(KEY, field, table="parts")
    ciphers = ciphers_for(parts)
    await connection.execute("SET DateStyle = 'SQL, DMY'; SET TimeZone = 'Asia/Kathmandu'")
    outcome = await seal_field(connection, parts, "parts.note", ciphers, options=QUICK)
    assert outcome.filled == 60
    assert await opened(connection, field, ciphers) == {n: f"note {n}" for n in range(1, 61)}


async def test_an_empty_table_and_a_new_unique_constraint(people: Database, connection: asyncpg.Connection) -> None:
    await connection.execute(
        "TRUNCATE people; ALTER TABLE people DROP CONSTRAINT people_email_key; DROP INDEX city_index"
    )
    for column in ("email", "Home City", "note"):
        assert (await seal_field(connection, MAP, f"people.{column}", CIPHERS)).rows == 0
    assert await verify_sealed(connection, MAP, CIPHERS.heads()) == ()
    found = await connection.fetch("SELECT indexname FROM pg_indexes WHERE tablename = 'people' ORDER BY 1")
    assert [row[0] for row in found] == [f"fg_{id_of(EMAIL)}_key", f"fg_{id_of(CITY)}_idx", "people_pkey"]


async def test_constraints_of_several_columns_are_carried(people: Database, connection: asyncpg.Connection) -> None:
    await connection.execute(
        """ALTER TABLE people ADD CONSTRAINT place UNIQUE (id, "Home City") DEFERRABLE INITIALLY DEFERRED;
           CREATE INDEX mixed ON people ("Home City", other) INCLUDE (id)"""
    )
    await seal_field(connection, MAP, "people.Home City", CIPHERS, options=QUICK)
    definition = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'place'"
    expected = 'UNIQUE (id, "fg_Home City_eq") DEFERRABLE INITIALLY DEFERRED'
    assert await connection.fetchval(definition) == expected
    definition = "SELECT indexdef FROM pg_indexes WHERE indexname = 'mixed'"
    assert (await connection.fetchval(definition)).endswith('btree ("fg_Home City_eq", other) INCLUDE (id)')
