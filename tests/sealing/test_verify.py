"""verify_sealed on real servers: a sealed table passes, and each way of not being sealed has its reason."""

from __future__ import annotations

import dataclasses

import pytest

from keys.keyring import KeyringCiphers
from policies.fields import DataMap
from proxy.sealing.ddl import table_elements
from proxy.sealing.verify import verify_sealed
from tests.sealing.making import EMAIL, KEY, NAME, NOTE, PHONE, ciphers_for, create_sealed, data_map, id_of
from tests.support.servers import Database

pytestmark = pytest.mark.integration
CHECK = "fg_0000000000000000000000000000000"
MAP = data_map()
CIPHERS = ciphers_for(MAP)


@pytest.fixture(params=["PostgreSQL 18", "PostgreSQL 15"])
def people(request: pytest.FixtureRequest) -> Database:
    made: Database = request.getfixturevalue("database" if request.param == "PostgreSQL 18" else "tls_database")
    made.run(*create_sealed(MAP, CIPHERS))
    return made


async def problems(database: Database, made: DataMap = MAP, ciphers: KeyringCiphers = CIPHERS) -> list[str]:
    connection = await database.connect_async()
    try:
        return [str(problem) for problem in await verify_sealed(connection, made, ciphers.heads())]
    finally:
        await connection.close()


async def test_a_sealed_table_passes(people: Database) -> None:
    assert await problems(people) == []


async def test_it_stores_cells_and_refuses_everything_else(people: Database) -> None:
    email, note = CIPHERS.cipher(id_of(EMAIL)), CIPHERS.cipher(id_of(NOTE))
    connection = await people.connect_async()
    cell = email.seal(b"a@example.org", term_input=b"a@example.org")
    await connection.execute("INSERT INTO people (id, email) VALUES (1, $1)", cell)
    assert await connection.fetchval("SELECT fg_email_eq FROM people") == email.term(b"a@example.org")
    again = email.seal(b"a@example.org", term_input=b"a@example.org")
    with pytest.raises(Exception, match="duplicate key"):
        await connection.execute("INSERT INTO people (id, email) VALUES (2, $1)", again)
    other = note.seal(b"x", row_key=b"1")
    for wrong in (b"a@example.org", b"", cell[:55], other + bytes(40), b"\xf9\x67\x01\x01" + bytes(60)):
        with pytest.raises(Exception, match="violates check constraint"):
            await connection.execute("UPDATE people SET email = $1", wrong)
    with pytest.raises(Exception, match="can only be updated to DEFAULT"):
        await connection.execute("UPDATE people SET fg_email_eq = ''")
    await connection.close()


ALTERATIONS = {
    "no check": (
        f"ALTER TABLE people DROP CONSTRAINT {CHECK}1",
        f"public.people.email: has no CHECK {CHECK}1: plaintext could be stored",
    ),
    "weaker check": (
        f"ALTER TABLE people DROP CONSTRAINT {CHECK}4, ADD CONSTRAINT {CHECK}4 CHECK (octet_length(phone) >= 40)",
        f"public.people.phone: its CHECK {CHECK}4 was altered: it does not say what a sealed column's says",
    ),
    "check of another column": (
        f"""ALTER TABLE people DROP CONSTRAINT {CHECK}4, ADD CONSTRAINT {CHECK}4 CHECK (note IS NULL
            OR octet_length(note) >= 40 AND substr(note, 1, 12) = '\\xf96701000000000000000000')""",
        f"public.people.phone: its CHECK {CHECK}4 was altered: it does not say what a sealed column's says",
    ),
    "check with a way around": (
        f"""ALTER TABLE people DROP CONSTRAINT {CHECK}4, ADD CONSTRAINT {CHECK}4 CHECK (phone IS NULL
            OR octet_length(phone) >= 40 AND substr(phone, 1, 12) = '\\xf96701000000000000000000' OR true)""",
        f"public.people.phone: its CHECK {CHECK}4 was altered: it does not say what a sealed column's says",
    ),
    "plain column": (
        f"""ALTER TABLE people DROP CONSTRAINT {CHECK}4;
            ALTER TABLE people ALTER phone TYPE text USING encode(phone, 'hex')""",
        "public.people.phone: is text, not sealed bytea: run `fieldgate seal people.phone`",
    ),
    "no column": (
        "ALTER TABLE people DROP COLUMN city",
        "public.people.city: the data map names a column that does not exist",
    ),
    "nullable": (
        "ALTER TABLE people ALTER email DROP NOT NULL",
        "public.people.email: is NOT NULL in the data map only",
    ),
    "default": (
        "ALTER TABLE people ALTER phone SET DEFAULT '+48'",
        "public.people.phone: has a default or is generated, so the database could write it by itself",
    ),
    "no term": (
        'ALTER TABLE people DROP COLUMN "fg_Full Name_eq"',
        "public.people.Full Name: has no term column fg_Full Name_eq",
    ),
    "ordinary term": (
        'ALTER TABLE people ALTER "fg_Full Name_eq" DROP EXPRESSION',
        "public.people.Full Name: its term column fg_Full Name_eq is not"
        ' GENERATED ALWAYS AS (substr("Full Name", 13, 16)) STORED',
    ),
    "shorter term": (
        """ALTER TABLE people DROP COLUMN "fg_Full Name_eq", ADD COLUMN "fg_Full Name_eq" bytea
           GENERATED ALWAYS AS (substr("Full Name", 13, 15)) STORED""",
        "public.people.Full Name: its term column fg_Full Name_eq is not"
        ' GENERATED ALWAYS AS (substr("Full Name", 13, 16)) STORED',
    ),
    "not unique": (
        f"ALTER TABLE people DROP CONSTRAINT {CHECK}1_key; CREATE INDEX ON people (fg_email_eq)",
        "public.people.email: is unique in the data map, but fg_email_eq has no unique constraint",
    ),
    "unique in part": (
        f"""ALTER TABLE people DROP CONSTRAINT {CHECK}1_key;
            CREATE UNIQUE INDEX ON people (fg_email_eq) WHERE id > 5""",
        "public.people.email: is unique in the data map, but fg_email_eq has no unique constraint",
    ),
    "unique by surprise": (
        'CREATE UNIQUE INDEX ON people ("fg_Full Name_eq")',
        "public.people.Full Name: fg_Full Name_eq is unique, but the data map does not say so",
    ),
    "no table": (
        "ALTER TABLE people RENAME TO persons",
        "public.people: the data map names a table that does not exist",
    ),
    "a view": (
        "ALTER TABLE people RENAME TO persons; CREATE VIEW people AS SELECT * FROM persons",
        "public.people: is not an ordinary or partitioned table",
    ),
    "no row key": (
        "ALTER TABLE people RENAME COLUMN id TO number",
        "public.people.note: is bound to its row, but the table has no row key",
    ),
}


@pytest.mark.parametrize("alteration", ALTERATIONS)
async def test_each_alteration_has_its_reason(people: Database, alteration: str) -> None:
    statement, reason = ALTERATIONS[alteration]
    people.run(statement)
    assert reason in await problems(people)


async def test_a_check_that_is_not_valid_is_no_lock(people: Database) -> None:
    connection = await people.connect_async()
    definition = await connection.fetchval(
        f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{CHECK}4'"
    )
    await connection.execute(f"ALTER TABLE people DROP CONSTRAINT {CHECK}4")
    await connection.execute(f"ALTER TABLE people ADD CONSTRAINT {CHECK}4 {definition} NOT VALID")
    (found,) = await problems(people)
    assert found.startswith(f"public.people.phone: its CHECK {CHECK}4 is NOT VALID or NOT ENFORCED")
    await connection.close()


async def test_a_check_that_is_not_enforced_is_no_lock(database: Database) -> None:
    database.run(*create_sealed(MAP, CIPHERS))
    with database.connect() as connection:
        row = connection.execute(f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{CHECK}4'")
        (definition,) = row.fetchone() or ("",)
    database.run(
        f"ALTER TABLE people DROP CONSTRAINT {CHECK}4",
        f"ALTER TABLE people ADD CONSTRAINT {CHECK}4 {definition} NOT ENFORCED",
    )
    (found,) = await problems(database)
    assert found.startswith(f"public.people.phone: its CHECK {CHECK}4 is NOT VALID or NOT ENFORCED")


async def test_a_not_null_that_was_not_validated_is_none(database: Database) -> None:
    database.run(*create_sealed(MAP, CIPHERS))
    database.run("ALTER TABLE people ALTER email DROP NOT NULL", "INSERT INTO people (id) VALUES (1)")
    database.run("ALTER TABLE people ADD CONSTRAINT later NOT NULL email NOT VALID")
    assert "public.people.email: its NOT NULL has not been validated" in await problems(database)


async def test_heads_of_other_keys_and_schemes_are_named(people: Database) -> None:
    key_id = CIPHERS.cipher(id_of(EMAIL)).head[4:].hex()
    found = await problems(people, ciphers=ciphers_for(MAP))
    assert (
        f"public.people.email: its CHECK admits cells that may not be written now (key {key_id}, or another scheme)"
        in found
    )
    assert "public.people.email: its CHECK refuses every cell that the keyring would write" in found


async def test_two_heads_may_be_admitted_during_a_rotation(people: Database) -> None:
    heads = dict(CIPHERS.heads())
    email = id_of(EMAIL)
    newer = bytes.fromhex("f9670101" + "0b" * 8)
    pair = data_map(KEY, EMAIL, table="pair")
    (old,) = heads[email]
    heads[email] = frozenset({old, newer})
    people.run(
        "DROP TABLE people",
        f"CREATE TABLE pair (id bigint PRIMARY KEY, {', '.join(table_elements(EMAIL, heads[email]))})",
    )
    connection = await people.connect_async()
    assert await verify_sealed(connection, pair, heads) == ()
    (problem,) = await verify_sealed(connection, pair, {email: {old}})
    assert newer[4:].hex() in problem.reason
    await connection.close()


async def test_a_map_that_asks_for_more_than_there_is_is_refused(people: Database) -> None:
    phone = dataclasses.replace(PHONE, sealing=dataclasses.replace(PHONE.sealing, equality=True))  # type: ignore[type-var]
    name = dataclasses.replace(NAME, sealing=dataclasses.replace(NAME.sealing, not_null=True))  # type: ignore[type-var]
    found = await problems(people, data_map(KEY, phone, name))
    assert f"public.people.phone: its CHECK {CHECK}4 was altered: it does not say what a sealed column's says" in found
    assert "public.people.phone: has no term column fg_phone_eq" in found
    assert "public.people.Full Name: is NOT NULL in the data map only" in found


async def test_children_and_partitions_are_held_to_the_same(people: Database) -> None:
    people.run("CREATE TABLE grown () INHERITS (people)")
    assert await problems(people) == []
    people.run("CREATE TABLE stray () INHERITS (people); ALTER TABLE grown NO INHERIT people")
    people.run("ALTER TABLE people ALTER phone DROP NOT NULL", "ALTER TABLE stray ALTER phone SET NOT NULL")
    assert await problems(people) == ["public.people.phone: is NOT NULL, but not in the data map (in public.stray)"]


async def test_partitions_of_a_sealed_table_pass(people: Database) -> None:
    visits = data_map(KEY, dataclasses.replace(NAME, table="visits"), table="visits")
    statement, *indexes = create_sealed(visits, CIPHERS)
    people.run("DROP TABLE people", statement + " PARTITION BY RANGE (id)", *indexes)
    people.run("CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (0) TO (100)")
    assert await problems(people, visits) == []


async def test_functions_of_the_same_name_do_not_deceive(people: Database) -> None:
    """A CHECK that calls another `substr` prints differently under the fixed search_path."""
    people.run(
        "CREATE FUNCTION public.substr(bytea, int, int) RETURNS bytea IMMUTABLE LANGUAGE sql AS"
        " $$SELECT '\\xf9670100'::bytea || substring($1 from 5 for 8)$$"
    )
    head = CIPHERS.cipher(id_of(PHONE)).head.hex()
    people.run(
        f"ALTER TABLE people DROP CONSTRAINT {CHECK}4, ADD CONSTRAINT {CHECK}4 CHECK (phone IS NULL"
        f" OR octet_length(phone) >= 40 AND public.substr(phone, 1, 12) = '\\x{head}')"
    )
    (found,) = await problems(people)
    assert "was altered" in found
    people.run(f"ALTER DATABASE {people.name} SET search_path = public, pg_catalog")
    (found,) = await problems(people)
    assert "was altered" in found
