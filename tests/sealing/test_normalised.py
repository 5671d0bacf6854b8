"""Fields with normalisers: sealing existing spellings, what becomes unique, and a data map that says something else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from keys.keyring import Keyring
from policies.fields import Field
from proxy.sealing.ddl import check_name, checks_of, sealing_of
from proxy.sealing.errors import SealingFailed, SealingRefused
from proxy.sealing.job import abandon_sealing, seal_field
from proxy.sealing.needs import key_needs
from proxy.sealing.run import SealOptions, SealStep
from proxy.sealing.verify import verify_sealed
from tests.keys.making import CountedLeases
from tests.sealing.making import KEY, data_map, field_of, id_of
from tests.support.servers import Database

pytestmark = pytest.mark.integration

FOLDED = ("trim.1", "casefold.1", "nfc.1")
EMAIL = field_of("email", 1, equality=True, unique=True, not_null=True, normalisers=FOLDED)
PHONE = field_of("phone", 2, equality=True, normalisers=("e164.1:RU",))
MAP = data_map(KEY, EMAIL, PHONE)
KEYRING = Keyring(()).with_new_keys(Keyring(()).missing_for(key_needs(MAP)), "")
CIPHERS = KEYRING.ciphers(key_needs(MAP), CountedLeases())
QUICK = SealOptions(batch=7, lock_seconds=0.5)
PEOPLE = (
    "CREATE TABLE people (id bigint PRIMARY KEY, email text NOT NULL UNIQUE, phone text, shop int,"
    " CONSTRAINT phone_in_shop UNIQUE (shop, phone))",
    """INSERT INTO people VALUES (1, 'Anna@Example.org', '+7 912 345-67-89', 1), (2, 'bela@example.org', NULL, 1),
       (3, 'ANNA@EXAMPLE.ORG ', '8 (912) 345 67 89', 2), (4, 'Strasse@x.de', 'unknown', 1),
       (5, 'carl@x.de', NULL, 1)""",
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


async def plaintext(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await connection.fetch("SELECT id, email, phone FROM people ORDER BY id")
    return rows


async def test_spellings_that_would_be_one_are_refused_before_anything_is_dropped(
    connection: asyncpg.Connection,
) -> None:
    before = await plaintext(connection)
    with pytest.raises(SealingFailed) as failure:
        await seal_field(connection, MAP, "people.email", CIPHERS, options=QUICK)
    told = str(failure.value)
    assert "1 of its values (equal under trim.1 and casefold.1 and nfc.1) stand in several rows" in told
    assert "nna" not in f"{told} {failure.value.detail} {failure.value.hint}".lower()
    assert await plaintext(connection) == before
    query = str(failure.value.detail).removeprefix("This finds their keys: ")
    assert [sorted(row[0]) for row in await connection.fetch(query)] == [[1, 3]]
    with pytest.raises(asyncpg.UniqueViolationError):  # the constraint still stands
        await connection.execute("INSERT INTO people VALUES (6, 'bela@example.org')")

    await connection.execute("UPDATE people SET email = 'anna.b@example.org' WHERE id = 3")
    outcome = await seal_field(connection, MAP, "people.email", CIPHERS, options=QUICK)
    assert outcome.rows == 5
    assert await verify_sealed(connection, data_map(KEY, EMAIL), CIPHERS.heads()) == ()


async def test_a_unique_constraint_over_several_columns_is_looked_at_too(connection: asyncpg.Connection) -> None:
    await connection.execute("UPDATE people SET shop = 1")
    with pytest.raises(SealingFailed, match=r"1 of its values \(equal under e164.1:RU\)"):
        await seal_field(connection, MAP, "people.phone", CIPHERS, options=QUICK)
    await connection.execute("UPDATE people SET shop = id")
    assert (await seal_field(connection, MAP, "people.phone", CIPHERS, options=QUICK)).rows == 3


async def test_cells_keep_the_spelling_and_terms_follow_the_normalised_value(connection: asyncpg.Connection) -> None:
    before = {row["id"]: row["phone"] for row in await plaintext(connection)}
    await seal_field(connection, MAP, "people.phone", CIPHERS, options=QUICK)
    cipher = CIPHERS.cipher(id_of(PHONE))
    rows = await connection.fetch("SELECT id, phone FROM people")
    assert {row["id"]: row["phone"] and cipher.open(row["phone"]).decode() for row in rows} == before
    for asked, ids in ((b"9123456789", [1, 3]), (b"unknown", [4]), (b"Unknown", [])):
        query = "SELECT array_agg(id ORDER BY id) FROM people WHERE fg_phone_eq = $1"
        assert (await connection.fetchval(query, cipher.term(asked)) or []) == ids


async def seal_all(connection: asyncpg.Connection) -> None:
    await connection.execute("UPDATE people SET email = 'x@x.de' WHERE id = 3")
    for name in ("people.email", "people.phone"):
        await seal_field(connection, MAP, name, CIPHERS, options=QUICK)


async def test_a_second_spelling_is_a_duplicate(connection: asyncpg.Connection) -> None:
    await seal_all(connection)
    for spelling, taken in ((b"STRASSE@X.DE", True), ("Straße@x.de".encode(), True), (b"S@x.de", False)):
        cell = CIPHERS.cipher(id_of(EMAIL)).seal(spelling, term_input=spelling)
        try:
            async with connection.transaction():
                await connection.execute("UPDATE people SET email = $1 WHERE id = 5", cell)
            assert not taken
        except asyncpg.UniqueViolationError:
            assert taken


@pytest.mark.parametrize("declared", [(), ("casefold.1",), ("nfc.1", "casefold.1", "trim.1")])
async def test_other_normalisers_than_those_of_the_cells_are_found_at_start(
    connection: asyncpg.Connection, declared: tuple[str, ...]
) -> None:
    await seal_all(connection)
    assert await verify_sealed(connection, MAP, CIPHERS.heads()) == ()
    changed = data_map(KEY, altered(EMAIL, declared), PHONE)
    (problem,) = await verify_sealed(connection, changed, CIPHERS.heads())
    assert problem.field == "public.people.email"
    assert f"other normalisers than the data map's ({', '.join(declared) or 'none'})" in problem.reason
    with pytest.raises(SealingRefused, match="other normalisers"):
        await seal_field(connection, changed, "people.email", CIPHERS, options=QUICK)
    with pytest.raises(SealingRefused, match="sealed already"):
        await abandon_sealing(connection, changed, "people.email")


async def test_normalisers_for_a_field_that_was_sealed_without_them_are_found_too(database: Database) -> None:
    database.run(*PEOPLE)
    connection = await database.connect_async()
    exact = data_map(KEY, altered(EMAIL, ()), PHONE)
    ciphers = KEYRING.ciphers(key_needs(exact), CountedLeases())
    for name in ("people.email", "people.phone"):
        await seal_field(connection, exact, name, ciphers, options=QUICK)
    assert await verify_sealed(connection, exact, ciphers.heads()) == ()
    assert [p.field for p in await verify_sealed(connection, MAP, CIPHERS.heads())] == ["public.people.email"]
    await connection.close()


class Stopped(Exception):
    """The job ended half-way."""


def stop_before_the_switch(step: SealStep, done: int, total: int) -> None:
    if step is SealStep.VERIFY:
        raise Stopped


async def test_cells_that_an_earlier_run_filled_under_other_normalisers_are_made_anew(
    connection: asyncpg.Connection,
) -> None:
    exact = data_map(KEY, altered(PHONE, ()), EMAIL)
    ciphers = KEYRING.ciphers(key_needs(exact), CountedLeases())
    with pytest.raises(Stopped):
        await seal_field(connection, exact, "people.phone", ciphers, options=QUICK, progress=stop_before_the_switch)
    outcome = await seal_field(connection, MAP, "people.phone", CIPHERS, options=QUICK)
    assert (outcome.rows, outcome.corrected) == (3, 3)
    term = CIPHERS.cipher(id_of(PHONE)).term(b"9123456789")
    assert await connection.fetchval("SELECT count(*) FROM people WHERE fg_phone_eq = $1", term) == 2


def altered(field: Field, normalisers: tuple[str, ...]) -> Field:
    return replace(field, sealing=replace(sealing_of(field), normalisers=normalisers))


def test_the_name_of_the_check_tells_the_normalisers() -> None:
    names = {check_name(sealing_of(altered(EMAIL, chain))) for chain in ((), ("trim.1",), FOLDED, FOLDED[::-1])}
    assert len(names) == 4
    assert all(len(name) <= 63 for name in names)
    assert sorted(names) == sorted(checks_of(sealing_of(EMAIL), [*names, "fg_0", f"fg_new_{id_of(EMAIL)}_check"]))
    assert checks_of(sealing_of(PHONE), names) == []
