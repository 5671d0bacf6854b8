"""Ranges of a sealed date through the whole of Fieldgate, beside the same queries over plain dates: no difference."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import psycopg
import pytest

from tests.integration.stage import Stage
from tests.support.servers import Database, fresh_database

pytestmark = [pytest.mark.integration, pytest.mark.slow]

FIRST, ROWS, QUERIES, SEED = 900_000, 300, 250, 11
ODD = ("-infinity", "infinity", "4714-11-24 BC", "0001-01-01", "5874897-12-31", "1640-02-29", "2359-01-01", None)
STYLES = ("ISO, MDY", "SQL, DMY", "German, DMY")


def a_date(chance: random.Random) -> str | None:
    if chance.random() < 0.1:
        return chance.choice(ODD)
    return date.fromordinal(date(1950, 1, 1).toordinal() + chance.randrange(20_000)).isoformat()


@pytest.fixture(scope="module")
def twin(stage: Stage) -> Iterator[Database]:
    """The same rows with the date in plain; taken out of the sample again at the end."""
    chance = random.Random(SEED)
    rows = [(FIRST + n, a_date(chance)) for n in range(ROWS)]
    columns = "id, birth_date, full_name, hired_on, position, salary"
    with fresh_database(stage.server) as made, made.connect() as plain, stage.connect("management") as gate:
        plain.execute("CREATE TABLE employees (id bigint PRIMARY KEY, birth_date date)")
        plain.cursor().executemany("INSERT INTO employees VALUES (%s, %s)", rows)
        query = f"INSERT INTO employees ({columns}) VALUES (%s, %s, 'x', '2020-01-01', 'x', 1)"
        gate.cursor().executemany(query, rows)
        yield made
        gate.execute("DELETE FROM employees WHERE id >= %s", [FIRST])


def a_value(chance: random.Random, simple: bool) -> tuple[str, object]:
    """As it stands in the text, and what is bound."""
    text = a_date(chance)
    if text is not None and text[:4].isdigit() and "BC" not in text and len(text) == 10:
        moment = datetime.fromisoformat(text).replace(hour=chance.choice((0, 12)))
        forms: list[tuple[str, object]] = [
            ("%s", text), ("%s::date", text), (f"'{text}'", None), (f"DATE '{text}'", None),
            ("%s", date.fromisoformat(text)), ("%s", moment), (f"'{moment}'::timestamp", None),
            (f"CAST('{text}' AS date)", None), (f"'{moment:%d/%m/%Y}'", None), ("%s", f"{moment:%m/%d/%Y}"),
        ]  # fmt: skip
        if not simple:
            forms += [("%b", date.fromisoformat(text)), ("%t", moment)]
        return chance.choice(forms)
    return chance.choice((("%s", text), ("%s::date", text)))


def a_condition(chance: random.Random, given: list[object], simple: bool) -> str:
    def value() -> str:
        shown, bound = a_value(chance, simple)
        if "%" in shown:
            given.append(bound)
        return shown

    match chance.randrange(5):
        case 0:
            return f"birth_date BETWEEN {value()} AND {value()}"
        case 1:
            return f"birth_date BETWEEN SYMMETRIC {value()} AND {value()}"
        case 2:
            return f"{value()} {chance.choice(('<', '<=', '>', '>='))} birth_date"
        case _:
            return f"(birth_date {chance.choice(('<', '<=', '>', '>='))} {value()})"


def a_query(chance: random.Random, simple: bool) -> tuple[str, list[object]]:
    given: list[object] = []
    conditions = [a_condition(chance, given, simple) for _ in range(chance.choice((1, 1, 2, 2, 3)))]
    conditions.insert(chance.randrange(len(conditions) + 1), f"id >= {FIRST}")
    query = f"SELECT {chance.choice(('id', 'birth_date, id'))} FROM employees WHERE " + " AND ".join(conditions)
    query += " ORDER BY id" + chance.choice(("", " DESC", " LIMIT 5", " OFFSET 3"))
    return query, given


def answer(connection: psycopg.Connection[Any], query: str, values: list[object], *, simple: bool) -> object:
    try:
        if simple:
            cursor = psycopg.ClientCursor(connection).execute(query, values)
        else:
            cursor = connection.execute(query, values)
        return [[str(value) for value in row] for row in _rows(cursor)], cursor.statusmessage
    except psycopg.errors.DataError as error:
        return error.sqlstate


def _rows(cursor: psycopg.Cursor[Any]) -> list[list[bytes | None]]:
    """As the server wrote them: Python has no dates BC."""
    result = cursor.pgresult
    assert result is not None
    return [[result.get_value(row, column) for column in range(result.nfields)] for row in range(result.ntuples)]


def test_no_difference_to_plain_dates(stage: Stage, twin: Database) -> None:
    chance = random.Random(SEED + 1)
    found = failed = 0
    with stage.connect("management") as gate, twin.connect() as plain:
        for number in range(QUERIES):
            if number % 50 == 0:
                for side in (gate, plain):
                    side.execute(f"SET DateStyle = '{STYLES[number // 50 % len(STYLES)]}'")
            simple = chance.random() < 0.4
            query, given = a_query(chance, simple)
            told = answer(gate, query, given, simple=simple)
            assert told == answer(plain, query, given, simple=simple), (query, given)
            found += isinstance(told, tuple) and bool(told[0])
            failed += isinstance(told, str)
    assert found > 0.3 * QUERIES
    assert failed < 0.2 * QUERIES


def test_what_the_server_is_sent_holds_no_end(stage: Stage) -> None:
    with stage.connect("management") as gate:
        gate.execute("SELECT id FROM employees WHERE birth_date < '1873-03-19' AND birth_date > %s", ["1872-05-06"])
        gate.execute("SELECT id FROM employees WHERE birth_date BETWEEN %s AND %s", ["1872-05-06", date(1873, 3, 19)])
    log = stage.server.log_file.read_bytes()
    for mark in (b"1873-03-19", b"1872-05-06"):
        assert mark not in log


async def test_parameters_are_described_as_dates(stage: Stage) -> None:
    connection = await stage.open("hr")
    query = "SELECT id FROM employees WHERE birth_date BETWEEN $1 AND $2 AND birth_date < $3 ORDER BY id LIMIT 2"
    statement = await connection.prepare(query)
    assert [str(each.name) for each in statement.get_parameters()] == ["date", "date", "date"]
    rows = await connection.fetch(f"SELECT id, birth_date FROM employees WHERE id < {FIRST} ORDER BY id")
    low, high = date(1960, 1, 1), date(2000, 1, 1)
    wanted = [row["id"] for row in rows if row["birth_date"] and low <= row["birth_date"] < high][:2]
    assert wanted and [row["id"] for row in await statement.fetch(low, high, high)] == wanted
    assert await statement.fetch(low, None, high) == []
    await connection.close()


def test_who_may_not_search_by_range(stage: Stage) -> None:
    for role, value in (("support", "'1990-01-01'"), ("client", "now()")):
        with stage.connect(role) as gate:
            for condition in (f"birth_date < {value}", f"birth_date BETWEEN '1980-01-01' AND {value}"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match=r"public\.employees"):
                    gate.execute(f"SELECT id FROM employees WHERE {condition}".encode())
