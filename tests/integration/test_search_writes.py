"""UPDATE and DELETE by a search through the whole of Fieldgate, beside plain text, and beside others who write."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.integration.stage import Stage
from tests.support.servers import Database, fresh_database

pytestmark = [pytest.mark.integration, pytest.mark.slow]

FIRST, ROWS, STATEMENTS, SEED = 700_000, 120, 60, 5
NAMES = ("Ковальчук", "Ковалёва", "КОВАЛЕНКО", "Смирнова", "Иванова", "Smith", "SMITHSON", "Anna", "Annabel", "Ян")
PARTS = ("%ова%", "Ков%", "%СМИТ%", "%smith%", "Ann%", "%алё%", "%нов%", "Ян%")
COLUMNS = "id, surname, name, city, email, phone, country, postal_code, address"
Connection = psycopg.Connection[Any]


@pytest.fixture
def twin(stage: Stage) -> Iterator[Database]:
    """Some people in plain text, and the same people sealed; taken out again at the end."""
    chance = random.Random(SEED)
    rows = [(FIRST + n, chance.choice(NAMES), chance.choice(NAMES), chance.choice("AB")) for n in range(ROWS)]
    query = f"INSERT INTO customers ({COLUMNS}) VALUES (%s, %s, %s, %s, %s, '1', 'x', '1', 'x')"
    with fresh_database(stage.server) as made, made.connect() as plain, stage.connect("management") as gate:
        plain.execute("CREATE TABLE customers (id bigint PRIMARY KEY, surname text, name text, city text)")
        plain.cursor().executemany("INSERT INTO customers VALUES (%s, %s, %s, %s)", rows)
        gate.cursor().executemany(query, [(*row, f"{row[0]}@example.com") for row in rows])
        yield made
        gate.execute("DELETE FROM customers WHERE id >= %s", [FIRST])


def rows_of(connection: Connection) -> list[Any]:
    return connection.execute(
        "SELECT id, surname, name, city FROM customers WHERE id >= %s ORDER BY id", [FIRST]
    ).fetchall()


def a_write(chance: random.Random) -> tuple[str, list[object]]:
    condition = f"{chance.choice(('surname', 'name'))} {chance.choice(('LIKE', 'ILIKE'))} %s AND id >= {FIRST}"
    given: list[object] = [chance.choice(PARTS)]
    if chance.random() < 0.4:
        condition, given = f"city = %s AND {condition}", [chance.choice("AB"), *given]
    returning = chance.choice(("", " RETURNING id, surname", " RETURNING *"))
    if returning.endswith("*"):
        returning = " RETURNING id, city, name"
    if chance.random() < 0.5:
        condition += f" AND id > {FIRST + chance.randrange(ROWS)}"
        return f"DELETE FROM customers WHERE {condition}{returning}", given
    column = chance.choice(("city", "surname"))
    return f"UPDATE customers SET {column} = %s WHERE {condition}{returning}", [chance.choice(NAMES), *given]


def answer(connection: Connection, query: str, given: list[object], *, simple: bool) -> object:
    try:
        made = (psycopg.ClientCursor(connection) if simple else connection.cursor()).execute(
            query.encode(), given or None
        )
    except psycopg.Error as error:
        return error.sqlstate
    return made.statusmessage, sorted(made.fetchall()) if made.description else None


def test_no_difference_to_plain_text(stage: Stage, twin: Database) -> None:
    chance, answered, written = random.Random(SEED + 1), 0, 0
    with stage.connect("management") as gate, twin.connect() as plain:
        for number in range(STATEMENTS):
            query, given = a_write(chance)
            simple, undone = number % 2 == 0, number % 3 == 0
            for each in (gate, plain):
                each.execute("BEGIN" if undone else "SELECT 1")
            told = answer(gate, query, given, simple=simple)
            if told != "0A000":
                assert told == answer(plain, query, given, simple=simple), (query, given)
                answered += 1
                written += isinstance(told, tuple) and not str(told[0]).endswith(" 0")
                if told != ("", None) and not isinstance(told, str):
                    assert rows_of(gate) == rows_of(plain), (query, given)
            for each in (gate, plain):
                each.execute("ROLLBACK" if undone else "SELECT 1")
            assert rows_of(gate) == rows_of(plain), (query, given)
    assert answered > 0.6 * STATEMENTS and written > 0.3 * STATEMENTS


def test_pipelines_and_prepared_statements(stage: Stage, twin: Database) -> None:
    query = b"UPDATE customers SET city = %s WHERE surname ILIKE %s AND id >= 700000"
    found = []
    for side in (stage.connect("management"), twin.connect()):
        with side as connection:
            with connection.pipeline() as pipeline:
                cursors = [connection.cursor() for _ in range(4)]
                for number, cursor in enumerate(cursors):
                    cursor.execute(query, [f"c{number}", PARTS[number % 3]], prepare=True)
                pipeline.sync()
            found.append([cursor.statusmessage for cursor in cursors])
            found.append(rows_of(connection))
    assert found[0] == found[2] and found[1] == found[3]


async def test_in_binary_and_with_returning(stage: Stage, twin: Database) -> None:
    connection = await stage.open("management")
    query = "DELETE FROM customers WHERE surname ILIKE $1 AND id >= $2 RETURNING id, surname"
    with twin.connect() as plain:
        known = plain.execute("SELECT id, surname FROM customers WHERE surname ILIKE '%ова%'").fetchall()
    async with connection.transaction():
        assert sorted(map(tuple, await connection.fetch(query, "%ова%", FIRST))) == sorted(known)
        assert await connection.fetch(query, "%ова%", FIRST) == []
        assert await connection.execute("UPDATE customers SET city = 'X' WHERE surname ILIKE '%smith%'")
    await connection.close()


def waits(stage: Stage) -> None:
    """Until a session waits for a lock."""
    query = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    with stage.raw.connect() as raw:
        while raw.execute(query).fetchone() != (1,):
            raw.execute("SELECT pg_sleep(0.01)")


def begun(
    stage: Stage, query: str, told: list[object], level: str = "READ COMMITTED"
) -> tuple[threading.Thread, threading.Event]:
    """Somebody whose transaction has its snapshot, and who says the query when the event is set."""

    def run() -> None:
        with stage.connect("management") as gate:
            gate.execute(f"BEGIN ISOLATION LEVEL {level}".encode())
            gate.execute("SELECT 1 FROM customers LIMIT 1")  # takes the snapshot of REPEATABLE READ
            ready.set()
            go.wait(30)
            told.append(answer(gate, query, [], simple=len(query) % 2 == 0))
            gate.execute("COMMIT")

    ready, go = threading.Event(), threading.Event()
    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(30)
    return thread, go


@pytest.mark.parametrize("query", ["DELETE FROM customers", "UPDATE customers SET city = 'seen'"])
@pytest.mark.parametrize(("becomes", "written"), [("Смирнова", 0), ("Ковров", 1)])
def test_a_row_that_changes_meanwhile_is_looked_at_as_it_is_then(
    stage: Stage, twin: Database, query: str, becomes: str, written: int
) -> None:
    """READ COMMITTED: what the other one has written counts, for the false and for the true."""
    with stage.connect("management") as gate, stage.connect("management") as other:
        gate.execute(f"INSERT INTO customers ({COLUMNS}) VALUES (700900, 'Ковальчук', 'x', 'A', 'z@example.com',"
                     " '1', 'x', '1', 'x')")  # fmt: skip
        other.execute("BEGIN")
        other.execute("UPDATE customers SET surname = %s WHERE id = 700900", [becomes])
        told: list[object] = []
        thread, go = begun(stage, f"{query} WHERE surname LIKE 'Ков%' AND id = 700900", told)
        go.set()
        waits(stage)
        other.execute("COMMIT")
        thread.join(30)
        assert told == [(f"{query[:6]} {written}", None)]
        left = gate.execute("SELECT surname, city FROM customers WHERE id = 700900").fetchall()
        expected = [(becomes, "seen" if written else "A")]
        assert left == ([] if written and query.startswith("DELETE") else expected)


def test_repeatable_read_fails_as_the_server_says(stage: Stage, twin: Database) -> None:
    told: list[object] = []
    with stage.connect("management") as other:
        query = "UPDATE customers SET city = 'seen' WHERE surname LIKE 'Ков%' AND id >= 700000"
        thread, go = begun(stage, query, told, "REPEATABLE READ")
        other.execute("UPDATE customers SET city = 'theirs' WHERE id >= %s", [FIRST])
        go.set()
        thread.join(30)
        assert told == ["40001"]
        assert other.execute("SELECT count(*) FROM customers WHERE city = 'seen'").fetchone() == (0,)


def test_many_who_write_at_once_lose_nothing(stage: Stage, twin: Database) -> None:
    """Each of them adds one to the same rows, found by a search; none is lost, and none fails but for a deadlock."""

    def add(numbers: list[int]) -> None:
        with stage.connect("management") as gate:
            for _ in range(8):
                made = gate.execute("UPDATE customers SET city = (city::int + 1)::text WHERE surname LIKE 'Ков%' AND id"
                                    " BETWEEN 700500 AND 700510")  # fmt: skip
                numbers.append(made.rowcount)

    with stage.connect("management") as gate:
        for n in range(6):
            values = (700_500 + n, "Ковальчук" if n % 2 else "Иванова", f"w{n}@example.com")
            gate.execute(f"INSERT INTO customers ({COLUMNS}) VALUES (%s, %s, 'x', '0', %s, '1', 'x', '1', 'x')", values)
        counts: list[int] = []
        threads = [threading.Thread(target=add, args=(counts,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert counts == [3] * 32
        query = "SELECT surname, city FROM customers WHERE id BETWEEN 700500 AND 700510 ORDER BY id"
        assert gate.execute(query).fetchall() == [("Иванова", "0"), ("Ковальчук", "32")] * 3


def test_what_the_server_is_sent_holds_no_pattern_and_no_other_key(stage: Stage, twin: Database) -> None:
    mark = "Ковальзнак"
    with stage.connect("management") as gate:
        gate.execute(f"DELETE FROM customers WHERE surname LIKE '%{mark}%'")
        gate.execute("UPDATE customers SET city = 'x' WHERE surname ILIKE %s", [f"%{mark}%"])
    log = stage.server.log_file.read_bytes()
    assert mark.encode() not in log and re.search(rb"FOR NO KEY UPDATE", log)


def test_who_may_not_read_may_not_find(stage: Stage, twin: Database) -> None:
    with stage.connect("support") as gate, pytest.raises(psycopg.errors.InsufficientPrivilege):
        gate.execute("UPDATE customers SET email = 'x' WHERE surname LIKE 'Ков%'")
