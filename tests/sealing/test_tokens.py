"""Fields that are searched by tokens: their sealed form, on both servers, and what verification finds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from keys.keyring import Keyring
from keys.tokens import MATCH, PREFIX
from keys.tokens.grams import Run, grams_to_find
from keys.tokens.ranges import DATES, LADDERS, NUMBERS, step_of_days, step_of_number
from policies.fields import Field, LogicalType
from proxy.sealing.ddl import sealing_of, token_column
from proxy.sealing.job import seal_field
from proxy.sealing.needs import key_needs
from proxy.sealing.run import SealOptions
from proxy.sealing.verify import verify_sealed
from tests.keys.making import CountedLeases
from tests.sealing.making import KEY, create_sealed, data_map, field_of, id_of
from tests.support.servers import Database

pytestmark = pytest.mark.integration

BORN = field_of("born", 3, logical_type=LogicalType.DATE, tokens=(DATES,))
PAID = field_of("paid", 4, logical_type=LogicalType.NUMERIC, equality=True, tokens=(NUMBERS,))
NAME = field_of('full "Name"', 1, equality=True, not_null=True, tokens=(MATCH, PREFIX))
NOTE = field_of("note", 2, tokens=(PREFIX,))
MAP = data_map(KEY, NAME, NOTE, BORN, PAID)
KEYRING = Keyring(()).with_new_keys(Keyring(()).missing_for(key_needs(MAP)), "")
CIPHERS = KEYRING.ciphers(key_needs(MAP), CountedLeases())
QUICK = SealOptions(batch=7, lock_seconds=0.5)
PEOPLE = (
    'CREATE TABLE people (id bigint PRIMARY KEY, "full ""Name""" text NOT NULL, note text, born date, paid numeric)',
    "INSERT INTO people VALUES (1, 'Anna Ковальчук', 'x'), (2, 'ANNABEL', NULL), (3, '', ''), (4, 'x\u0378y', 'abc')",
    "UPDATE people SET born = '1990-02-28', paid = 52400 WHERE id = 1",
    "UPDATE people SET born = 'infinity', paid = 'NaN' WHERE id = 2",
)


@pytest.fixture(params=["PostgreSQL 18", "PostgreSQL 15"])
async def connection(request: pytest.FixtureRequest) -> AsyncIterator[asyncpg.Connection]:
    made: Database = request.getfixturevalue("database" if request.param == "PostgreSQL 18" else "tls_database")
    connected = await made.connect_async()
    for statement in PEOPLE:
        await connected.execute(statement)
    for name in ('people.full "Name"', "people.note", "people.born", "people.paid"):
        await seal_field(connected, MAP, name, CIPHERS, options=QUICK)
    yield connected
    await connected.close()


async def candidates(connection: asyncpg.Connection, part: str) -> list[int]:
    tokens = CIPHERS.cipher(id_of(NAME)).tokens(grams_to_find([Run(part)]))
    wanted = [int.from_bytes(token, "big", signed=True) for token in tokens]
    rows = await connection.fetch('SELECT id FROM people WHERE "fg_full ""Name""_tk" @> $1 ORDER BY id', wanted)
    return [row["id"] for row in rows]


async def of_spans(connection: asyncpg.Connection, field: Field, spans: frozenset[bytes]) -> list[int]:
    tokens = [int.from_bytes(token, "big", signed=True) for token in CIPHERS.cipher(id_of(field)).tokens(spans)]
    rows = await connection.fetch(f"SELECT id FROM people WHERE {token_column(field)} && $1 ORDER BY id", tokens)
    return [row["id"] for row in rows]


async def test_tokens_are_what_the_cells_hold_and_have_an_index(connection: asyncpg.Connection) -> None:
    assert await verify_sealed(connection, MAP, CIPHERS.heads()) == ()
    assert await candidates(connection, "ANN") == [1, 2]
    assert await candidates(connection, "вальч") == [1]
    assert await candidates(connection, "ВАЛЬЧА") == []
    assert await connection.fetchval('SELECT "fg_full ""Name""_tk" FROM people WHERE id = 4') == [0]
    assert await connection.fetchval("SELECT fg_note_tk FROM people WHERE id = 3") == []
    assert await connection.fetchval("SELECT fg_note_tk FROM people WHERE id = 2") is None
    born, paid = LADDERS[DATES], LADDERS[NUMBERS]
    assert await of_spans(connection, BORN, born.cover(step_of_days(-3600), step_of_days(-3580))) == [1]
    assert await of_spans(connection, BORN, born.cover(None, None)) == [1, 2]
    assert await of_spans(connection, BORN, born.cover(step_of_days(0), None)) == [2]
    assert await of_spans(connection, PAID, paid.cover(step_of_number(b"50000"), step_of_number(b"60000"))) == [1]
    assert await of_spans(connection, PAID, paid.cover(step_of_number(b"Infinity"), None)) == [2]
    await connection.execute("SET enable_seqscan = off")
    plan = await connection.fetch("EXPLAIN SELECT id FROM people WHERE fg_note_tk @> '{5}'")
    assert f"fg_{id_of(NOTE)}_tkx" in str(plan)


async def test_a_table_made_sealed_is_the_same(database: Database) -> None:
    database.run(*create_sealed(MAP, CIPHERS))
    connection = await database.connect_async()
    assert await verify_sealed(connection, MAP, CIPHERS.heads()) == ()
    cell = CIPHERS.cipher(id_of(NOTE)).seal(b"Anna")
    await connection.execute(
        'INSERT INTO people (id, "full ""Name""", note) VALUES (1, $1, $2)', seal_name("Анна"), cell
    )
    assert len(await connection.fetchval("SELECT fg_note_tk FROM people")) == 3
    with pytest.raises(asyncpg.PostgresError):
        await connection.execute("UPDATE people SET note = 'plaintext'")
    await connection.close()


def seal_name(text: str) -> bytes:
    return CIPHERS.cipher(id_of(NAME)).seal(text.encode(), term_input=text.encode())


async def test_what_is_not_as_the_data_map_says_is_found(connection: asyncpg.Connection) -> None:
    await connection.execute(f"DROP INDEX fg_{id_of(BORN)}_tkx; DROP INDEX fg_{id_of(PAID)}_idx")
    missing = await verify_sealed(connection, MAP, CIPHERS.heads())
    assert [problem.field.rpartition(".")[2] for problem in missing] == ["born", "paid"]
    for problem, kind, column in zip(missing, ("GIN index", "index"), ("fg_born_tk", "fg_paid_eq"), strict=True):
        assert f"{column} has no valid {kind}: each search would read the whole table" in problem.reason
        await connection.execute(problem.reason.rpartition("table (")[2].removesuffix(")"))
    other = data_map(KEY, NAME, altered(NOTE, (MATCH,)), BORN, PAID)
    (problem,) = await verify_sealed(connection, other, CIPHERS.heads())
    assert f"other modes than the data map's ({MATCH})" in problem.reason
    await connection.execute("ALTER TABLE people DROP COLUMN fg_note_tk")
    (problem,) = await verify_sealed(connection, MAP, CIPHERS.heads())
    assert problem.reason == "has no token column fg_note_tk"
    await connection.execute("ALTER TABLE people ADD fg_note_tk int[] GENERATED ALWAYS AS ('{1}'::int[]) STORED")
    (problem,) = await verify_sealed(connection, MAP, CIPHERS.heads())
    assert "its token column fg_note_tk is not GENERATED ALWAYS AS" in problem.reason


def altered(field: Field, tokens: tuple[str, ...]) -> Field:
    return replace(field, sealing=replace(sealing_of(field), tokens=tokens))


def test_the_name_of_the_column() -> None:
    assert token_column(NOTE) == "fg_note_tk"


async def test_a_hundred_thousand_rows_are_found_by_the_index(database: Database) -> None:
    """Cells are forged, for their tokens only: the CHECK can not tell, and nothing here opens them."""
    database.run(*create_sealed(MAP, CIPHERS))
    connection = await database.connect_async()
    (head,) = CIPHERS.heads()[id_of(NOTE)]
    column = '"full ""Name"""'
    tokens = "(SELECT string_agg(decode(md5(n::text || k), 'hex'), ''::bytea) FROM generate_series(1, 3) k)"
    await connection.execute(
        f"INSERT INTO people (id, {column}, note) SELECT n, $1, $2 || {tokens} || repeat('x', 40)::bytea"
        " FROM generate_series(1, 100000) n",
        seal_name("Anna"),
        head + bytes((0, 12)),
    )
    await connection.execute("ANALYZE people")
    one = await connection.fetchval("SELECT fg_note_tk[3:4] FROM people WHERE id = 77")
    query = "SELECT id FROM people WHERE (fg_note_tk @> {} OR fg_note_tk @> '{{0}}'::int4[])"
    literal = query.format(f"'{{{one[0]},{one[1]}}}'::int4[]")
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    await connection.execute(f"PREPARE found (int4[]) AS {query.format('$1')}")
    for asked in (literal, f"EXECUTE found ('{{{one[0]},{one[1]}}}')"):
        assert [row["id"] for row in await connection.fetch(asked)] == [77]
        plan = str(await connection.fetch(f"EXPLAIN {asked}"))
        assert plan.count(f"Bitmap Index Scan on fg_{id_of(NOTE)}_tkx") == 2, plan
    await connection.close()


async def test_ranges_are_found_by_the_index(database: Database) -> None:
    """100,000 birth dates, of which a year is one in fifty; cells are forged as above, their tokens are real."""
    database.run(*create_sealed(MAP, CIPHERS))
    connection = await database.connect_async()
    (head,) = CIPHERS.heads()[id_of(BORN)]
    cipher, ladder = CIPHERS.cipher(id_of(BORN)), LADDERS[DATES]
    cells = [
        head + bytes((0, 7)) + b"".join(cipher.tokens(ladder.spans_of(step))) + bytes(40)
        for step in range(step_of_days(-18250), step_of_days(0))
    ]
    await connection.execute(
        'INSERT INTO people (id, "full ""Name""", born)'
        " SELECT n, $1, ($2::bytea[])[1 + n % $3] FROM generate_series(1, 100000) n",
        seal_name("Anna"),
        cells,
        len(cells),
    )
    await connection.execute("ANALYZE people")
    spans = ladder.cover(step_of_days(-3653), step_of_days(-3289))
    numbers = [0, *(int.from_bytes(token, "big", signed=True) for token in cipher.tokens(spans))]
    wanted = "{" + ",".join(map(str, numbers)) + "}"
    query = "SELECT id FROM people WHERE fg_born_tk OPERATOR(pg_catalog.&&) {} OPERATOR(pg_catalog.=) true"
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    both = "($1::int4[] OPERATOR(pg_catalog.||) $2::int4[])"
    await connection.execute(f"PREPARE found (int4[], int4[]) AS {query.format(both)}")
    for asked in (query.format(f"'{wanted}'::int4[]"), f"EXECUTE found ('{wanted}', NULL)"):
        assert 1800 < len(await connection.fetch(asked)) < 2500
        plan = str(await connection.fetch(f"EXPLAIN {asked}"))
        assert f"Bitmap Index Scan on fg_{id_of(BORN)}_tkx" in plan, plan
    await connection.close()
