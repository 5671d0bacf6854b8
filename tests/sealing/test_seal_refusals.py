"""What sealing refuses before it changes anything, and why."""

from __future__ import annotations

import asyncpg
import pytest

from proxy.sealing.errors import SealingRefused
from proxy.sealing.job import find_field, seal_field, survey_field
from tests.sealing.people import CIPHERS, MAP, PEOPLE, QUICK, columns
from tests.support.servers import Database

pytestmark = pytest.mark.integration


OBSTACLES = {
    "view": ("CREATE VIEW v AS SELECT note FROM people", "view public.v depends on it: drop the view"),
    "check": ("ALTER TABLE people ADD CHECK (note <> 'x' AND email <> 'x')", "a CHECK cannot read a sealed value"),
    "default": ("ALTER TABLE people ALTER note SET DEFAULT 'none'", "it has a default, which would be plaintext"),
    "generated": (
        "ALTER TABLE people ADD upper text GENERATED ALWAYS AS (upper(note)) STORED",
        "column upper of table public.people depends on it",
    ),
    "expression index": ("CREATE INDEX low ON people (lower(note))", "the index low needs `equality`"),
    "partial index": ("CREATE INDEX part ON people (id) WHERE note > 'a'", "the index part needs `equality`"),
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
    "method": 'CREATE INDEX i ON people USING brin ("Home City")',
    "include": 'CREATE INDEX i ON people (id) INCLUDE ("Home City")',
    "condition": """CREATE INDEX i ON people ("Home City") WHERE id > 5 AND "Home City" <> 'x'""",
    "whole row": 'CREATE INDEX i ON people ("Home City") WHERE people IS NOT NULL',
    "expression": 'CREATE INDEX i ON people (lower("Home City"), "Home City")',
    "collation": 'CREATE INDEX i ON people ("Home City" COLLATE "C")',
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
