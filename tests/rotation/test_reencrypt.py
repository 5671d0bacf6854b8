"""Batches of cells under a new key: all of them, each once, and nothing that somebody wrote meanwhile."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from keys.keyring import Keyring, KeyringCiphers
from policies.fields import DataMap, Field
from proxy.rotation.errors import RotationRefused
from proxy.rotation.exchange import exchange_check
from proxy.rotation.reencrypt import Range, Reencryption, Sealed, Tally
from proxy.rotation.session import settle
from proxy.rotation.survey import survey
from tests.rotation.conftest import ROWS
from tests.rotation.making import (
    EMAIL,
    MAP,
    NAME,
    NOTE,
    PHONE,
    SEALED,
    ciphers_of,
    first_keyring,
    opened,
    place_of,
    rotated,
    seal,
    truth,
)
from tests.rotation.test_exchange import in_turn
from tests.sealing.making import create_sealed, data_map, field_of, id_of
from tests.support.servers import Database

pytestmark = pytest.mark.integration


async def no_rest(worked: float, cells: int) -> None:
    pass


async def admit(connection: asyncpg.Connection, fields: tuple[Field, ...], *all_ciphers: KeyringCiphers) -> None:
    for field in fields:
        heads = frozenset().union(*(ciphers.heads()[id_of(field)] for ciphers in all_ciphers))
        assert await exchange_check(connection, field, heads, in_turn(connection))  # type: ignore[arg-type]


async def work_of(
    connection: asyncpg.Connection, fields: tuple[Field, ...], after: KeyringCiphers, made: DataMap = MAP, **more: int
) -> list[Reencryption]:
    """One for each table that holds rows."""
    targets = tuple(Sealed(f, next(iter(after.heads()[id_of(f)])), after.cipher(id_of(f))) for f in fields)
    return [
        Reencryption(member, targets, batch=more.get("batch", 7), compare=bool(more.get("compare", 1)))
        for member in await survey(connection, place_of(fields[0], made))
    ]


async def walk(
    worker: asyncpg.Connection,
    work: Reencryption,
    where: Range | None = None,
    interleave: Callable[[], Awaitable[None]] | None = None,
) -> Tally:
    tally = Tally()
    await work.walk(worker, where or Range(), tally, no_rest, interleave)
    return tally


@pytest.fixture
async def worker(database: Database, people: asyncpg.Connection) -> object:
    made = await settle(await database.connect_async())
    yield made
    await made.close()


async def old_cells(connection: asyncpg.Connection, field: Field, after: KeyringCiphers) -> int:
    [head] = after.heads()[id_of(field)]
    query = f'SELECT count(*) FROM people WHERE substr("{field.column}", 1, 12) <> $1'
    return await connection.fetchval(query, head)  # type: ignore[no-any-return]


@pytest.mark.parametrize("fields", [SEALED, (EMAIL,), (NOTE,), (NAME, PHONE)], ids=lambda f: f"{len(f)}")
async def test_every_cell_is_sealed_anew_and_opens(
    people: asyncpg.Connection, worker: asyncpg.Connection, keyring: Keyring, fields: tuple[Field, ...]
) -> None:
    before, after = ciphers_of(keyring), ciphers_of(rotated(keyring, *fields))
    await admit(people, fields, before, after)
    terms = await people.fetch('SELECT id, fg_email_eq, "fg_Full Name_eq", "fg_Full Name_tk" FROM people ORDER BY id')
    columns = ", ".join(f'count("{field.column}")' for field in fields)
    cells = sum(await people.fetchrow(f"SELECT {columns} FROM people"))
    [work] = await work_of(worker, fields, after)
    tally = await walk(worker, work)
    assert (tally.sealed, tally.missed, tally.damaged) == (cells, 0, {})
    assert [await old_cells(people, field, after) for field in fields] == [0] * len(fields)
    assert await opened(people, after) == truth(ROWS)
    assert terms == await people.fetch(
        'SELECT id, fg_email_eq, "fg_Full Name_eq", "fg_Full Name_tk" FROM people ORDER BY id'
    )
    assert (await walk(worker, work)).sealed == 0


async def test_parts_are_disjoint_and_whole(
    people: asyncpg.Connection, worker: asyncpg.Connection, keyring: Keyring
) -> None:
    after = ciphers_of(rotated(keyring, EMAIL))
    await admit(people, (EMAIL,), ciphers_of(keyring), after)
    [work] = await work_of(worker, (EMAIL,), after)
    cuts = [None, (10,), (11,), (45,), None]
    done = [(await walk(worker, work, Range(after, until))).sealed for after, until in itertools.pairwise(cuts)]
    assert done == [10, 1, 34, 15]
    assert await old_cells(people, EMAIL, after) == 0


async def test_a_large_table_is_split(people: asyncpg.Connection, worker: asyncpg.Connection, keyring: Keyring) -> None:
    await people.execute("ALTER TABLE people ALTER email DROP NOT NULL")
    await people.execute("INSERT INTO people (id, city) SELECT n, repeat('x', 600) FROM generate_series(100, 9000) n")
    [work] = await work_of(worker, (EMAIL,), ciphers_of(rotated(keyring, EMAIL)))
    ranges = await work.split(worker, 4)
    assert ranges[0].after is None
    assert ranges[-1].until is None
    assert all(one.until == two.after for one, two in itertools.pairwise(ranges))
    assert len(ranges) <= 4


async def test_a_change_meanwhile_is_never_overwritten(
    people: asyncpg.Connection, worker: asyncpg.Connection, keyring: Keyring
) -> None:
    """Between reading a batch and writing it, somebody changes a cell, empties one, and deletes a row."""
    after = ciphers_of(rotated(keyring, EMAIL, PHONE))
    await admit(people, (EMAIL, PHONE), ciphers_of(keyring), after)
    done: list[None] = []

    async def meanwhile() -> None:
        if not done:
            done.append(None)
            await people.execute("UPDATE people SET email = $1 WHERE id = 2", seal(EMAIL, "changed", 2, after))
            await people.execute("UPDATE people SET phone = NULL WHERE id = 3")
            await people.execute("DELETE FROM people WHERE id = 4")
            await people.execute("UPDATE people SET city = 'elsewhere' WHERE id = 5")

    [work] = await work_of(worker, (EMAIL, PHONE), after)
    tally = await walk(worker, work, interleave=meanwhile)
    assert tally.missed == 1  # the deleted row; of the others one cell was still as it was read
    expected = truth(ROWS)
    expected[2] = ("changed", *expected[2][1:])
    expected[3] = (*expected[3][:3], None)
    del expected[4]
    assert await opened(people, after) == expected
    assert await old_cells(people, EMAIL, after) == await old_cells(people, PHONE, after) == 0


async def test_without_comparison_it_would_be(
    people: asyncpg.Connection, worker: asyncpg.Connection, keyring: Keyring
) -> None:
    after = ciphers_of(rotated(keyring, EMAIL, PHONE))
    await admit(people, (EMAIL, PHONE), ciphers_of(keyring), after)
    changed = seal(EMAIL, "changed", 2, after)

    async def meanwhile() -> None:
        await people.execute("UPDATE people SET email = $1 WHERE id = 2", changed)

    [work] = await work_of(worker, (EMAIL, PHONE), after, compare=0, batch=100)
    await walk(worker, work, interleave=meanwhile)
    assert (await opened(people, after))[2][0] == truth(2)[2][0]


async def test_a_held_row_is_gone_around(
    people: asyncpg.Connection, worker: asyncpg.Connection, keyring: Keyring
) -> None:
    after = ciphers_of(rotated(keyring, EMAIL))
    await admit(people, (EMAIL,), ciphers_of(keyring), after)
    transaction = people.transaction()
    await transaction.start()
    await people.execute("UPDATE people SET city = 'held' WHERE id = 5")
    [work] = await work_of(worker, (EMAIL,), after)
    tally = await walk(worker, work)
    assert (tally.sealed, tally.missed) == (ROWS - 1, 1)
    await transaction.commit()
    assert (await walk(worker, work)).sealed == 1
    assert await opened(people, after) == truth(ROWS)


async def test_a_damaged_cell_is_counted_and_left(
    people: asyncpg.Connection, worker: asyncpg.Connection, keyring: Keyring
) -> None:
    before, after = ciphers_of(keyring), ciphers_of(rotated(keyring, EMAIL))
    await admit(people, (EMAIL,), before, after)
    sound = seal(EMAIL, "x", 1, before)
    damaged = sound[:-1] + bytes((sound[-1] ^ 1,))
    await people.execute("UPDATE people SET email = $1 WHERE id = 1", damaged)
    [work] = await work_of(worker, (EMAIL,), after)
    tally = await walk(worker, work)
    assert (tally.sealed, tally.damaged) == (ROWS - 1, {"public.people.email": 1})
    assert await people.fetchval("SELECT email FROM people WHERE id = 1") == damaged


async def test_applications_triggers_are_quiet(
    people: asyncpg.Connection, worker: asyncpg.Connection, keyring: Keyring
) -> None:
    await people.execute(
        "CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'fired'; END $$;"
        "CREATE TRIGGER shout BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION shout()"
    )
    after = ciphers_of(rotated(keyring, EMAIL))
    await admit(people, (EMAIL,), ciphers_of(keyring), after)
    [work] = await work_of(worker, (EMAIL,), after)
    assert (await walk(worker, work)).sealed == ROWS
    with pytest.raises(RotationRefused, match=r"would fire for every row \(shout\)"):
        await survey(people, place_of(EMAIL))
    await people.execute("ALTER TABLE people ENABLE ALWAYS TRIGGER shout")
    with pytest.raises(RotationRefused, match="shout"):
        await survey(worker, place_of(EMAIL))


CODE = field_of("code", 7, equality=True)
ODD_KEYS = {
    "text": ("k text", "'key ' || n"),
    "uuid": ("k uuid", "md5(n::text)::uuid"),
    "char": ("k char(12)", "'c' || n"),
    "numeric": ("k numeric", "n / 3.0"),
    "timestamp": ("k timestamptz", "timestamptz '2000-01-01 03:04:05.6789+05' + n * interval '1 hour 1 microsecond'"),
    "bytea": ("k bytea", "decode(md5(n::text), 'hex')"),
    "float": ("k float8", "n / 7.0"),
    "inet": ("k inet", "'10.0.0.1'::inet + n"),
    "domain": ("k small", "n"),
    "enum": ("k mood", "(enum_range(NULL::mood))[n]"),
    "date": ("k date", "'2000-01-01'::date + n"),
}


@pytest.mark.parametrize("kind", ODD_KEYS)
async def test_keys_of_any_type(database: Database, kind: str) -> None:
    made = data_map(CODE, row_key=None)
    keyring = first_keyring(made)
    before, after = ciphers_of(keyring, made), ciphers_of(rotated(keyring, CODE), made)
    column, value = ODD_KEYS[kind]
    moods = ", ".join(f"'mood {n}'" for n in range(1, 31))
    database.run(
        "CREATE DOMAIN small AS int CHECK (value < 100)",
        f"CREATE TYPE mood AS ENUM ({moods})",
        *create_sealed(made, before, f"{column}, n int, PRIMARY KEY (k, n)"),
    )
    connection = await database.connect_async()
    for number in range(1, 31):
        cell = before.cipher(id_of(CODE)).seal(b"%d" % number, term_input=b"%d" % number)
        await connection.execute(
            f"INSERT INTO people (k, n, code) SELECT {value}, n, $2 FROM (SELECT $1::int AS n)", number, cell
        )
    await admit(connection, (CODE,), before, after)
    await settle(connection)
    [work] = await work_of(connection, (CODE,), after, made)
    tally = await walk(connection, work)
    assert (tally.sealed, tally.missed) == (30, 0)
    rows = await connection.fetch("SELECT n, code FROM public.people")
    assert all(after.cipher(id_of(CODE)).open(row["code"]) == b"%d" % row["n"] for row in rows)
    assert {row["code"][:12] for row in rows} == after.heads()[id_of(CODE)]
    await connection.close()


async def test_children_by_inheritance_have_their_own_keys(database: Database) -> None:
    made = data_map(CODE, row_key=None)
    keyring = first_keyring(made)
    before, after = ciphers_of(keyring, made), ciphers_of(rotated(keyring, CODE), made)
    database.run(*create_sealed(made, before), "CREATE TABLE child (PRIMARY KEY (id)) INHERITS (people)")
    connection = await database.connect_async()
    for table, number in (("people", 1), ("child", 1), ("child", 2)):
        cell = before.cipher(id_of(CODE)).seal(table.encode(), term_input=b"")
        await connection.execute(f"INSERT INTO {table} (id, code) VALUES ($1, $2)", number, cell)
    await admit(connection, (CODE,), before, after)
    await settle(connection)
    works = await work_of(connection, (CODE,), after, made)
    assert [(await walk(connection, work)).sealed for work in works] == [1, 2]
    await connection.execute("CREATE TABLE public.keyless () INHERITS (public.people)")
    with pytest.raises(RotationRefused, match="keyless has no primary key"):
        await survey(connection, place_of(CODE, made))
    await connection.close()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("ALTER TABLE people DROP CONSTRAINT people_pkey", "no primary key"),
        ("CREATE RULE r AS ON UPDATE TO people DO ALSO NOTHING", "has rules"),
        ("ALTER TABLE people RENAME TO others", "does not exist"),
        ("ALTER TABLE people RENAME id TO number", "no row key"),
    ],
)
async def test_what_stands_in_the_way_is_said_beforehand(people: asyncpg.Connection, change: str, reason: str) -> None:
    await people.execute(change)
    with pytest.raises(RotationRefused, match=reason):
        await survey(people, place_of(NOTE))


async def test_who_does_not_own_the_table_is_told(people: asyncpg.Connection, database: Database) -> None:
    stranger = database.role("stranger")
    connection = await database.connect_async(stranger, "secret")
    with pytest.raises(RotationRefused, match="does not own"):
        await survey(connection, place_of(EMAIL))
    await connection.close()
