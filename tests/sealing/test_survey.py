"""What is read from the catalogs: facts of tables, and the survey of one column."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from proxy.sealing.carry import Carried
from proxy.sealing.facts import read_tables
from proxy.sealing.queries import DEPENDENTS
from proxy.sealing.survey import KeyColumn, survey
from tests.sealing.making import KEY, data_map, field_of
from tests.support.servers import Database

pytestmark = pytest.mark.integration
EMAIL = field_of("email", 1, equality=True, unique=True, not_null=True)
NOTE = field_of("note", 2, row_bound=True)
MAP = data_map(KEY, EMAIL, NOTE)
TABLE = MAP.tables["public", "people"]


@pytest.fixture
def people(database: Database) -> Database:
    database.run(
        """CREATE TABLE people (id bigint, tenant varchar(9), email text NOT NULL, note text,
           CONSTRAINT "One" UNIQUE NULLS NOT DISTINCT (email) DEFERRABLE, PRIMARY KEY (tenant, id))""",
        "CREATE INDEX two ON people USING hash (email)",
    )
    return database


async def test_the_survey_of_a_sound_column(people: Database) -> None:
    connection = await people.connect_async()
    async with connection.transaction():
        found = await survey(connection, TABLE, EMAIL)
        assert found.obstacles == ()
        assert found.primary_key == (KeyColumn("tenant", "character varying(9)", 1043), KeyColumn("id", "bigint", 20))
        assert found.row_key == KeyColumn("id", "bigint", 20)
        assert found.carried == (
            Carried("One", True, True, ("email",), (), "btree", True, True, False, orders=(0,)),
            Carried("two", False, False, ("email",), (), "hash", False, False, False, orders=(0,)),
        )
        assert found.user_triggers == ()
        assert (await survey(connection, TABLE, NOTE)).carried == ()
        gone = dataclasses.replace(EMAIL, column="gone")
        assert (await survey(connection, TABLE, gone)).obstacles == ("the column does not exist",)
    await connection.close()


async def test_triggers_that_would_fire_are_named_and_others_not(people: Database) -> None:
    people.run("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
    for name, event in (("updated", "UPDATE"), ("inserted", "INSERT"), ("sleeping", "UPDATE")):
        people.run(f"CREATE TRIGGER {name} BEFORE {event} ON people FOR EACH ROW EXECUTE FUNCTION f()")
    people.run("ALTER TABLE people DISABLE TRIGGER sleeping")
    connection = await people.connect_async()
    async with connection.transaction():
        assert (await survey(connection, TABLE, NOTE)).user_triggers == ("updated",)
    await connection.close()


async def test_what_depends_is_asked_of_the_catalog_not_guessed(people: Database) -> None:
    """A kind of object that this code has no word for is an obstacle all the same."""
    people.run("CREATE STATISTICS odd (mcv) ON (note || 'x'), id FROM people")
    assert "pg_statistic_ext" not in DEPENDENTS
    connection = await people.connect_async()
    async with connection.transaction():
        assert (await survey(connection, TABLE, NOTE)).obstacles == (
            "statistics object public.odd depends on it: drop it first",
        )
    await connection.close()


async def test_facts_of_tables_and_their_descendants(people: Database) -> None:
    people.run("CREATE SCHEMA other", "CREATE TABLE other.child () INHERITS (people)", "CREATE VIEW v AS SELECT 1 AS x")
    connection = await people.connect_async()
    names = [("public", "people"), ("public", "v"), ("public", "absent")]
    found = await read_tables(connection, names)
    assert [(t.schema, t.name, t.kind) for t in found["public", "people"]] == [
        ("public", "people", "r"),
        ("other", "child", "r"),
    ]
    assert [t.kind for t in found["public", "v"]] == ["v"]
    assert ("public", "absent") not in found
    root, child = found["public", "people"]
    assert (root.unique, child.unique) == (frozenset({"email"}), frozenset())
    assert root.columns["email"].not_null
    assert root.columns["tenant"].type_name == "character varying(9)"
    assert await connection.fetchval("SHOW search_path") == '"$user", public'
    await connection.close()


async def test_facts_are_of_one_moment(people: Database) -> None:
    """What changes between two queries is seen as it was by both of them."""
    connection, other = await people.connect_async(), await people.connect_async()
    await other.execute("ALTER TABLE people ADD CONSTRAINT going CHECK (id > 0)")

    class Interrupted:
        """Between the first query and the next the table changes."""

        def __getattr__(self, name: str) -> Any:
            return getattr(connection, name)

        async def fetch(self, query: str, *values: object) -> Any:
            found = await connection.fetch(query, *values)
            await other.execute("ALTER TABLE people DROP CONSTRAINT IF EXISTS going")
            return found

    interrupted: Any = Interrupted()
    [table] = (await read_tables(interrupted, [("public", "people")]))["public", "people"]
    assert table.checks["going"].definition == "CHECK ((id > 0))"
    await connection.close()
    await other.close()
