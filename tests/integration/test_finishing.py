"""Expressions over sealed columns through the whole of Fieldgate, by real drivers; the server says what is right."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.integration.stage import Stage

pytestmark = [pytest.mark.integration, pytest.mark.slow]

NAMES = (
    "lower(surname), upper(name), name || ' ' || surname, left(patronymic, 1) || '.', length(surname), reverse(name)"
)
PEOPLE = (
    "extract(year FROM birth_date), to_char(birth_date, 'DD.MM.YYYY'), birth_date::text, coalesce(salary, 0), "
    "phone || ''"
)


def asked_plainly(stage: Stage, table: str, columns: str, expressions: str, rows: list[tuple[Any, ...]]) -> list[Any]:
    """Of the server, over a temporary table that holds the opened values."""
    with stage.raw.connect() as plain:
        plain.execute("SET log_statement = 'none'")
        plain.execute("SET log_min_duration_statement = -1")
        plain.execute(f"CREATE TEMP TABLE {table} ({columns})".encode())
        with plain.cursor() as cursor:
            marks = ", ".join(["%s"] * len(rows[0]))
            cursor.executemany(f"INSERT INTO pg_temp.{table} VALUES ({marks})".encode(), rows)
        found = plain.execute(f"SELECT {expressions} FROM pg_temp.{table} ORDER BY id".encode()).fetchall()
        plain.execute(f"DROP TABLE pg_temp.{table}".encode())
        return found


@pytest.mark.parametrize("binary", [False, True])
def test_as_the_server_would(stage: Stage, binary: bool) -> None:
    with stage.connect("hr") as gate:
        rows = gate.execute("SELECT id, birth_date, salary, phone FROM employees ORDER BY id").fetchall()
        cursor = gate.execute(f"SELECT {PEOPLE} FROM employees ORDER BY id".encode(), binary=binary)
        names = [column.name for column in cursor.description or ()]
        assert names == ["extract", "to_char", "birth_date", "coalesce", "?column?"]
        found = cursor.fetchall()
    assert len(rows) > 3
    assert found == asked_plainly(
        stage, "people", "id bigint, birth_date date, salary numeric, phone text", PEOPLE, rows
    )


async def test_prepared_with_parameters(stage: Stage) -> None:
    connection = await stage.open("management")
    statement = await connection.prepare(
        "SELECT id, coalesce(patronymic, $1) || $2 AS made FROM customers WHERE id < $3"
    )
    assert [each.type.name for each in statement.get_attributes()] == ["int8", "text"]
    assert [each.name for each in statement.get_parameters()] == ["text", "text", "int8"]
    for given in ("none", "other"):
        rows = await statement.fetch(given, "!", 50)
        plain = {row["id"]: row["patronymic"] for row in await connection.fetch("SELECT id, patronymic FROM customers")}
        assert rows and all(row["made"] == (plain[row["id"]] or given) + "!" for row in rows)
    await connection.close()


def test_psycopg_prepares_and_asks_again(stage: Stage) -> None:
    with stage.connect("support") as gate:
        for _ in range(8):
            row = gate.execute(f"SELECT {NAMES} FROM customers WHERE id = %s".encode(), (1,)).fetchone()
            assert row is not None and row[4] == len(row[0])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            gate.execute("SELECT length(postal_code) FROM customers")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            gate.execute("SELECT name || address FROM customers")


def test_rows_in_order(stage: Stage) -> None:
    """The sample's database compares texts by their characters' codes, as Python does."""
    with stage.connect("management") as gate:
        everybody = gate.execute("SELECT surname, name, id, city FROM customers").fetchall()
        for binary in (False, True):
            found = gate.execute(
                "SELECT surname, name, id, city FROM customers ORDER BY 1, name DESC, id", binary=binary
            )
            expected = sorted(sorted(everybody, key=lambda row: row[1], reverse=True), key=lambda row: row[0])
            assert [row[:2] for row in found.fetchall()] == [row[:2] for row in expected]
        page = gate.execute(
            "SELECT id FROM customers ORDER BY lower(surname), id LIMIT %s OFFSET %s", (5, 3)
        ).fetchall()
        assert page == [(row[2],) for row in sorted(everybody, key=lambda row: (row[0].lower(), row[2]))[3:8]]
    with stage.connect("support") as gate, pytest.raises(psycopg.errors.InsufficientPrivilege):
        gate.execute("SELECT id FROM customers ORDER BY surname")


async def test_an_execute_with_a_number_of_ordered_rows(stage: Stage) -> None:
    connection = await stage.open("hr")
    query = "SELECT id, birth_date FROM employees ORDER BY birth_date DESC NULLS LAST, id"
    rows = await connection.fetch(query)
    assert [tuple(row) for row in rows] == [
        tuple(row)
        for row in sorted(rows, key=lambda row: (row["birth_date"] is None, -row["birth_date"].toordinal(), row["id"]))
    ]
    for _ in range(2):
        assert await connection.fetchval(f"{query} LIMIT $1", 3) == rows[0]["id"]
    await connection.close()
