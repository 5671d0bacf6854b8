"""Sealing existing plaintext on real servers: nothing is lost, everything that hung on the column is carried."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from keys.keyring import KeyringCiphers
from policies.fields import Field, LogicalType
from proxy.rows.row_key import row_key_bytes
from proxy.sealing.cells import SETTINGS
from proxy.sealing.ddl import sealing_of
from proxy.sealing.errors import SealingFailed, SealingRefused
from proxy.sealing.job import abandon_sealing, find_field, seal_field, survey_field
from proxy.sealing.remains import remaining_plaintext
from proxy.sealing.run import Progress, SealOptions, SealStep
from proxy.sealing.statements import Statements
from proxy.sealing.verify import verify_sealed
from proxy.wire.values.codecs import codec_for
from tests.sealing.making import KEY, ciphers_for, data_map, field_of, id_of
from tests.support.servers import Database

pytestmark = pytest.mark.integration

EMAIL = field_of("email", 1, equality=True, unique=True, not_null=True)
CITY = field_of("Home City", 2, equality=True)
NOTE = field_of("note", 3, row_bound=True, pad_to=16)
MAP = data_map(KEY, EMAIL, CITY, NOTE)
CIPHERS = ciphers_for(MAP)
QUICK = SealOptions(batch=7, lock_seconds=0.5)
PEOPLE = (
    'CREATE TABLE people (id bigint PRIMARY KEY, email text NOT NULL UNIQUE, "Home City" text, note text, other int)',
    'CREATE INDEX city_index ON people ("Home City")',
    """INSERT INTO people SELECT n, 'person' || n || '@example.org', CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE
       'Київ ' || n % 3 END, CASE WHEN n % 5 > 0 THEN 'note of ' || n END, n FROM generate_series(1, 100) n""",
)


@pytest.fixture(params=["PostgreSQL 18", "PostgreSQL 15"])
def people(request: pytest.FixtureRequest) -> Database:
    made: Database = request.getfixturevalue("database" if request.param == "PostgreSQL 18" else "tls_database")
    made.run(*PEOPLE)
    return made


@pytest.fixture
async def connection(people: Database) -> AsyncIterator[asyncpg.Connection]:
    made = await people.connect_async()
    yield made
    await made.close()


async def opened(
    connection: asyncpg.Connection, field: Field, ciphers: KeyringCiphers = CIPHERS, key: str = "id"
) -> dict[int, str | None]:
    """The field as an application would see it, by row."""
    cipher, codec = ciphers.cipher(id_of(field)), codec_for(sealing_of(field).logical_type)
    found: dict[int, str | None] = {}
    for row in await connection.fetch(f'SELECT "{key}" AS key, "{field.column}" AS cell FROM {field.table}'):
        bound = row_key_bytes(b"%d" % row["key"], binary=False, type_oid=0, key_oid=20)
        if row["cell"] is None:
            found[row["key"]] = None
            continue
        cell = cipher.open(row["cell"], row_key=bound if sealing_of(field).row_bound else None)
        found[row["key"]] = codec.to_text(cell, SETTINGS).decode()
    return found


async def plain(connection: asyncpg.Connection, column: str) -> dict[int, str | None]:
    return {row[0]: row[1] for row in await connection.fetch(f'SELECT id, "{column}" FROM people')}


async def columns(connection: asyncpg.Connection) -> list[tuple[str, int]]:
    query = "SELECT attname, attnum FROM pg_attribute WHERE attrelid = 'people'::regclass AND attnum > 0 ORDER BY 2"
    return [(row[0], row[1]) for row in await connection.fetch(query) if not row[0].startswith("....")]


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


# --- what is refused beforehand

OBSTACLES = {
    "view": ("CREATE VIEW v AS SELECT note FROM people", "view public.v depends on it: drop the view"),
    "check": ("ALTER TABLE people ADD CHECK (note <> 'x' AND email <> 'x')", "a CHECK cannot read a sealed value"),
    "default": ("ALTER TABLE people ALTER note SET DEFAULT 'none'", "it has a default, which would be plaintext"),
    "generated": (
        "ALTER TABLE people ADD upper text GENERATED ALWAYS AS (upper(note)) STORED",
        "column upper of table public.people depends on it",
    ),
    "expression index": ("CREATE INDEX low ON people (lower(note))", "the index low needs `equality`"),
    "partial index": ("CREATE INDEX part ON people (id) WHERE note IS NULL", "the index part needs `equality`"),
    "policy": ("CREATE POLICY own ON people USING (note = 'x')", "policy own on table public.people depends on it"),
    "trigger": (
        """CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
           CREATE TRIGGER watch BEFORE UPDATE OF note ON people FOR EACH ROW EXECUTE FUNCTION f()""",
        "trigger watch on table public.people depends on it",
    ),
    "statistics": ("CREATE STATISTICS s ON note, other FROM people", "statistics object public.s depends on it"),
    "publication": ("CREATE PUBLICATION p FOR TABLE people (id, note)", "publication"),
    "type": ("ALTER TABLE people ALTER note TYPE varchar(100)", "the data map says another type or length"),
    "domain": (
        "CREATE DOMAIN remark AS text; ALTER TABLE people ALTER note TYPE remark",
        "its type is the domain public.remark",
    ),
    "not null": ("UPDATE people SET note = ''; ALTER TABLE people ALTER note SET NOT NULL", "but not in the data map"),
    "no key": ("ALTER TABLE people DROP CONSTRAINT people_pkey", "the table has no primary key"),
    "row key": (
        "ALTER TABLE people DROP CONSTRAINT people_pkey, ADD PRIMARY KEY (email), ALTER id DROP NOT NULL",
        "id may be NULL",
    ),
    "in the key": (
        "ALTER TABLE people DROP CONSTRAINT people_pkey, ADD PRIMARY KEY (id, note)",
        "part of the primary key",
    ),
    "in the key's include": (
        "ALTER TABLE people DROP CONSTRAINT people_pkey, ADD PRIMARY KEY (id) INCLUDE (note)",
        "part of the primary key",
    ),
    "rule": ("CREATE RULE r AS ON DELETE TO people DO INSTEAD NOTHING", "the table has rules"),
    "child": ("CREATE TABLE grown () INHERITS (people)", "takes part in inheritance"),
}


@pytest.mark.parametrize("obstacle", OBSTACLES)
async def test_what_cannot_be_carried_is_refused_before_anything_changes(
    people: Database, connection: asyncpg.Connection, obstacle: str
) -> None:
    statement, expected = OBSTACLES[obstacle]
    if obstacle == "in the key":
        statement = "UPDATE people SET note = coalesce(note, '');" + statement
    await connection.execute(statement)
    before = await columns(connection)
    with pytest.raises(SealingRefused) as refusal:
        await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    assert any(expected in each for each in refusal.value.obstacles), refusal.value.obstacles
    assert tuple((await survey_field(connection, MAP, "people.note")).obstacles) == refusal.value.obstacles
    assert await columns(connection) == before


async def test_a_collation_with_its_own_equality_is_refused(tls_database: Database) -> None:
    """The embedded PostgreSQL 18 is built without ICU, so this is shown on 15 only."""
    tls_database.run(*PEOPLE)
    connection = await tls_database.connect_async()
    await connection.execute(
        """CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
           ALTER TABLE people ALTER note TYPE text COLLATE loose"""
    )
    with pytest.raises(SealingRefused, match="its collation is nondeterministic"):
        await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    await connection.close()


async def test_foreign_keys_in_both_directions_are_named(people: Database, connection: asyncpg.Connection) -> None:
    await connection.execute(
        """CREATE TABLE child (address text REFERENCES people (email));
           ALTER TABLE people ADD FOREIGN KEY (email) REFERENCES people (email)"""
    )
    with pytest.raises(SealingRefused) as refusal:
        await seal_field(connection, MAP, "people.email", CIPHERS, options=QUICK)
    told = " ".join(refusal.value.obstacles)
    assert (
        "child_address_fkey on table public.child depends on it" in told or "child_address_fkey on table child" in told
    )
    assert "people_email_fkey" in told


EQUALITY_OBSTACLES = {
    "operator class": 'CREATE INDEX i ON people ("Home City" text_pattern_ops)',
    "order": 'CREATE INDEX i ON people ("Home City" DESC)',
    "method": 'CREATE INDEX i ON people USING brin ("Home City")',
    "include": 'CREATE INDEX i ON people (id) INCLUDE ("Home City")',
    "condition": 'CREATE INDEX i ON people ("Home City") WHERE id > 5',
    "expression": 'CREATE INDEX i ON people (lower("Home City"), "Home City")',
    "collation": 'CREATE INDEX i ON people ("Home City" COLLATE "C")',
    "options": 'CREATE INDEX i ON people ("Home City") WITH (fillfactor = 50)',
}


@pytest.mark.parametrize("obstacle", EQUALITY_OBSTACLES)
async def test_indexes_that_a_term_cannot_have_are_refused(connection: asyncpg.Connection, obstacle: str) -> None:
    await connection.execute(EQUALITY_OBSTACLES[obstacle])
    with pytest.raises(SealingRefused, match="the index i cannot be carried"):
        await seal_field(connection, MAP, "people.Home City", CIPHERS, options=QUICK)


async def test_unique_by_surprise_and_names_that_do_not_exist(connection: asyncpg.Connection) -> None:
    await connection.execute('DELETE FROM people WHERE id > 3; CREATE UNIQUE INDEX i ON people ("Home City")')
    with pytest.raises(SealingRefused, match="does not say `unique`"):
        await seal_field(connection, MAP, "people.Home City", CIPHERS, options=QUICK)
    for name in ("people.other", "people", "a.b.c.d", "nowhere.note", "people.id"):
        with pytest.raises(Exception, match="not a sealed field"):
            find_field(MAP, name)
    with pytest.raises(SealingRefused, match="does not exist"):
        await connection.execute("DROP TABLE people")
        await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)


async def test_a_table_of_someone_else_is_refused(people: Database) -> None:
    stranger = people.role("stranger")
    people.run(f"GRANT ALL ON people TO {stranger}")
    connection = await people.connect_async(stranger, "secret")
    with pytest.raises(SealingRefused, match="does not own"):
        await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    await connection.close()


# --- triggers

TOUCH = """
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.other := -1; RETURN NEW; END';
CREATE TRIGGER touch BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION touch();
"""


async def test_the_applications_triggers_stay_quiet(people: Database, connection: asyncpg.Connection) -> None:
    await connection.execute(TOUCH)
    await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    assert await connection.fetchval("SELECT count(*) FROM people WHERE other = -1") == 0


async def test_an_owner_who_cannot_quiet_them_is_told(people: Database) -> None:
    owner = people.role("owner")
    people.run(f"ALTER TABLE people OWNER TO {owner}", f"GRANT ALL ON SCHEMA public TO {owner}")
    connection = await people.connect_async(owner, "secret")
    await connection.execute(TOUCH)
    with pytest.raises(SealingRefused, match=r"would fire for every row \(touch\)"):
        await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    await connection.execute("DROP TRIGGER touch ON people")
    assert (await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)).filled == 80
    await connection.close()


# --- going back, and being in the way


async def test_a_reader_who_stays_stops_the_switch_and_nothing_is_lost(
    people: Database, connection: asyncpg.Connection
) -> None:
    before = await plain(connection, "note")
    reader = await people.connect_async()
    transaction = reader.transaction()
    begun = asyncio.Event()

    async def stay() -> None:
        await begun.wait()
        await transaction.start()
        await reader.fetch("SELECT 1 FROM people")

    def on_fill(step: SealStep, done: int, total: int) -> None:
        if step is SealStep.FILL:
            begun.set()

    options = SealOptions(batch=30, lock_seconds=0.2, attempts=2)
    staying = asyncio.create_task(stay())
    with pytest.raises(SealingFailed, match="never free"):
        await seal_field(connection, MAP, "people.note", CIPHERS, options=options, progress=on_fill)
    await staying
    assert await plain(connection, "note") == before
    await transaction.rollback()
    outcome = await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    assert (outcome.filled, outcome.rows) == (0, 80)
    assert await opened(connection, NOTE) == before
    await reader.close()


async def test_two_jobs_on_one_field_exclude_each_other(
    people: Database, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxy.sealing.job.PATIENCE", 1)
    second = await people.connect_async()
    refusals: list[SealingRefused] = []

    async def try_second() -> None:
        with pytest.raises(SealingRefused, match="another process") as refusal:
            await seal_field(second, MAP, "people.note", CIPHERS)
        refusals.append(refusal.value)

    tasks: list[asyncio.Task[None]] = []

    def start_second(step: SealStep, done: int, total: int) -> None:
        if not tasks:
            tasks.append(asyncio.create_task(try_second()))

    await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK, progress=start_second)
    await asyncio.gather(*tasks)
    assert len(refusals) == 1
    assert (await seal_field(second, MAP, "people.note", CIPHERS)).already
    await second.close()


class Stop(BaseException):
    """Thrown out of a progress call: the job ends there and then."""


def stop_at(stopping: SealStep, number: int = 1) -> Progress:
    seen = 0

    def progress(step: SealStep, done: int, total: int) -> None:
        nonlocal seen
        seen += step is stopping
        if step is stopping and seen == number:
            raise Stop

    return progress


async def test_a_sealing_that_has_begun_can_be_taken_back(people: Database, connection: asyncpg.Connection) -> None:
    before, places = await plain(connection, "note"), await columns(connection)
    with pytest.raises(Stop):
        await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK, progress=stop_at(SealStep.FILL, 4))
    assert len(await columns(connection)) == len(places) + 1
    await abandon_sealing(connection, MAP, "people.note")
    await abandon_sealing(connection, MAP, "people.note")
    assert await columns(connection) == places
    assert await plain(connection, "note") == before
    assert await connection.fetchval("SELECT count(*) FROM pg_proc WHERE proname LIKE 'fg_new%'") == 0
    await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    with pytest.raises(SealingRefused, match="sealed already"):
        await abandon_sealing(connection, MAP, "people.note")
    assert await opened(connection, NOTE) == before


async def test_cells_of_an_older_key_are_made_again(connection: asyncpg.Connection) -> None:
    before = await plain(connection, "note")
    with pytest.raises(Stop):
        await seal_field(
            connection, MAP, "people.note", ciphers_for(MAP), options=QUICK, progress=stop_at(SealStep.VERIFY)
        )
    outcome = await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    assert outcome.filled == 80
    assert await opened(connection, NOTE) == before


# --- what the comparison under lock finds


async def test_cells_that_were_tampered_with_are_made_again(people: Database, connection: asyncpg.Connection) -> None:
    before = await plain(connection, "Home City")
    with pytest.raises(Stop):
        await seal_field(connection, MAP, "people.Home City", CIPHERS, options=QUICK, progress=stop_at(SealStep.VERIFY))
    new = f"fg_new_{id_of(CITY)}"
    filled = await connection.fetchval(f"SELECT count(*) FROM people WHERE {new} IS NOT NULL")
    # The fill of the switch was rolled back with it; what the passes filled is there.
    assert filled == 75
    await connection.execute(f"UPDATE people SET {new} = (SELECT {new} FROM people WHERE id = 1) WHERE id IN (2, 3)")
    await connection.execute(f"UPDATE people SET {new} = overlay({new} placing '\\x00' from 60) WHERE id = 6")
    await connection.execute(f"UPDATE people SET {new} = (SELECT {new} FROM people WHERE id = 1) WHERE id = 4")
    outcome = await seal_field(connection, MAP, "people.Home City", CIPHERS, options=QUICK)
    assert outcome.corrected == 4
    assert await opened(connection, CITY) == before


async def test_a_value_that_would_not_come_back_stops_it(
    connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lossy:
        """A codec that loses trailing digits."""

        def from_text(self, raw: bytes, typmod: int, settings: object) -> bytes:
            return raw

        def to_text(self, cell: bytes, settings: object) -> bytes:
            return cell.rstrip(b"0123456789")

    monkeypatch.setattr("proxy.sealing.run.codec_for", lambda logical: Lossy())
    before = await plain(connection, "note")
    with pytest.raises(SealingFailed, match="would not come back") as failure:
        await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    assert "note of" not in str(failure.value)
    assert await plain(connection, "note") == before


async def test_the_servers_own_words_are_not_repeated(people: Database, connection: asyncpg.Connection) -> None:
    """A row that cannot be written (here: another CHECK) is quoted by the server; our error does not repeat it."""
    await connection.execute("ALTER TABLE people ADD CHECK (other < 50) NOT VALID")
    with pytest.raises(SealingFailed, match="23514") as failure:
        await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    shown = f"{failure.value} {failure.value.detail} {failure.value.__cause__}"
    assert "note of" not in shown
    assert "example.org" not in shown


async def test_a_lost_connection_is_one_clear_error(people: Database, connection: asyncpg.Connection) -> None:
    def cut(step: SealStep, done: int, total: int) -> None:
        if step is SealStep.FILL and done > 20:
            connection.terminate()

    with pytest.raises(SealingFailed):
        await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK, progress=cut)


async def test_a_switch_that_does_not_end_as_it_should_is_taken_back(
    connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last step holds the result against the same judgement as a proxy's start does, before it commits."""
    before = await plain(connection, "email")
    with monkeypatch.context() as patched:
        patched.setattr(Statements, "_indexes", lambda self: [])
        with pytest.raises(SealingRefused, match="fg_email_eq has no unique constraint"):
            await seal_field(connection, MAP, "people.email", CIPHERS, options=QUICK)
    assert await plain(connection, "email") == before
    await seal_field(connection, MAP, "people.email", CIPHERS, options=QUICK)
    assert await opened(connection, EMAIL) == before


def test_what_remains_is_told_for_the_very_table() -> None:
    told = " ".join(remaining_plaintext(CITY))
    for place in ("WAL", "backups", "replication", "log", "pg_statistic", 'VACUUM FULL "public"."people"'):
        assert place in told
