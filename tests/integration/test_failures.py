"""When things go wrong: a clear SQLSTATE, no value in any message or log, and nothing lost."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import struct
from typing import Any

import asyncpg
import psycopg
import pytest

from policies.loader import SHOP, load_policy

from .canaries import Canaries
from .stage import Stage

pytestmark = pytest.mark.integration


def cell(stage: Stage, statement: str) -> bytes:
    with stage.raw.connect() as raw:
        row = raw.execute(statement.encode()).fetchone()
    assert row is not None
    return bytes(row[0])


def put(stage: Stage, statement: str, value: bytes) -> None:
    with stage.raw.connect() as raw:
        raw.execute("SET log_statement = 'none'")
        raw.execute(statement.encode(), (value,))


def plant(stage: Stage, canaries: Canaries) -> int:
    """A customer of management's, all canaries; its id."""
    with stage.connect("management") as connection:
        row = connection.execute(
            "INSERT INTO customers (surname, name, email, phone, country, city, postal_code, address)"
            " VALUES (%s, %s, %s, %s, 'Россия', 'Тула', %s, %s) RETURNING id",
            (canaries.text(), canaries.text(), canaries.mail(), *(canaries.text() for _ in range(3))),
        ).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("user", ["management", "nobody-of-this-name"])
def test_wrong_password_and_unknown_login_are_told_apart_by_nothing(stage: Stage, user: str) -> None:
    with pytest.raises(psycopg.OperationalError) as refused:
        psycopg.connect(**{**stage.parameters(user), "password": "guess"})
    assert f'password authentication failed for user "{user}"' in str(refused.value)


async def test_wrong_password_has_its_sqlstate(stage: Stage) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await stage.door.open("support", "guess")


async def test_an_unknown_database_does_not_exist(stage: Stage) -> None:
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(
            host="localhost", port=stage.port, user="support", password="demo", database="warehouse",
            ssl=stage.tls(),
        )  # fmt: skip


def test_a_connection_in_the_clear_is_refused_before_any_password(stage: Stage) -> None:
    with socket.create_connection(("127.0.0.1", stage.port), timeout=10) as connection:
        body = struct.pack("!i", 196608) + b"user\0support\0database\0shop\0\0"
        connection.sendall(struct.pack("!i", len(body) + 4) + body)
        answer = connection.makefile("rb").read()
    assert answer[:1] == b"E"
    assert b"C28000\0" in answer


def test_a_tampered_cell_is_an_error_and_its_neighbours_are_not(stage: Stage, canaries: Canaries) -> None:
    one, two = plant(stage, canaries), plant(stage, canaries)
    stored = cell(stage, f"SELECT address FROM customers WHERE id = {one}")
    for position in (30, len(stored) // 2, len(stored) - 1):
        changed = bytearray(stored)
        changed[position] ^= 1
        put(stage, f"UPDATE customers SET address = %s WHERE id = {one}", bytes(changed))
        with stage.connect("management") as connection:
            with pytest.raises(psycopg.errors.DataCorrupted) as broken:
                connection.execute(f"SELECT address FROM customers WHERE id = {one}".encode())
            assert canaries.marker not in str(broken.value)
            assert "public.customers.address" in str(broken.value)
        with stage.connect("management") as connection:
            assert connection.execute(f"SELECT address FROM customers WHERE id = {two}".encode()).fetchone()
            assert connection.execute(f"SELECT email FROM customers WHERE id = {one}".encode()).fetchone()
    put(stage, f"UPDATE customers SET address = %s WHERE id = {one}", stored)
    with stage.connect("management") as connection:
        row = connection.execute(f"SELECT address FROM customers WHERE id = {one}".encode()).fetchone()
    assert row is not None
    assert canaries.marker in row[0]


def test_a_cell_of_another_column_is_refused_by_the_table_and_does_not_open(stage: Stage, canaries: Canaries) -> None:
    one = plant(stage, canaries)
    code, address = (cell(stage, f"SELECT {c} FROM customers WHERE id = {one}") for c in ("postal_code", "address"))
    change = f"UPDATE customers SET address = %s WHERE id = {one}"
    with pytest.raises(psycopg.errors.CheckViolation):
        put(stage, change, code)
    put(stage, change, address[:12] + code[12:])  # under the right column's head it passes the CHECK
    with stage.connect("management") as connection, pytest.raises(psycopg.errors.DataCorrupted):
        connection.execute(f"SELECT address FROM customers WHERE id = {one}".encode())
    put(stage, change, address)


def test_a_row_bound_cell_of_another_row_does_not_open(stage: Stage) -> None:
    mine, other = (cell(stage, f"SELECT last_login_ip FROM access_accounts WHERE id = {n}") for n in (1, 2))
    put(stage, "UPDATE access_accounts SET last_login_ip = %s WHERE id = 1", other)
    with stage.connect("management") as connection, pytest.raises(psycopg.errors.DataCorrupted):
        connection.execute("SELECT id, last_login_ip FROM access_accounts WHERE id = 1")
    put(stage, "UPDATE access_accounts SET last_login_ip = %s WHERE id = 1", mine)


def test_a_term_that_was_changed_makes_the_cell_unreadable(stage: Stage, canaries: Canaries) -> None:
    """Somebody who can write to the database cannot make a customer answer to another e-mail address."""
    one, two = plant(stage, canaries), plant(stage, canaries)
    mine, other = (cell(stage, f"SELECT surname FROM customers WHERE id = {n}") for n in (one, two))
    put(stage, f"UPDATE customers SET surname = %s WHERE id = {one}", mine[:12] + other[12:28] + mine[28:])
    with stage.connect("management") as connection, pytest.raises(psycopg.errors.DataCorrupted):
        connection.execute(f"SELECT surname FROM customers WHERE id = {one}".encode())
    put(stage, f"UPDATE customers SET surname = %s WHERE id = {one}", mine)


def test_an_envelope_where_none_may_stand_never_leaves(stage: Stage) -> None:
    """A plain column into which somebody wrote a cell: the client gets an error, not the bytes."""
    stolen = cell(stage, "SELECT email FROM customers WHERE id = 1")
    put(stage, "UPDATE customers SET city = %s::bytea::text WHERE id = 1", stolen)
    try:
        with stage.connect("management") as connection, pytest.raises(psycopg.errors.DataCorrupted):
            connection.execute("SELECT city FROM customers WHERE id = 1")
    finally:
        stage.raw.run("UPDATE customers SET city = 'Казань' WHERE id = 1")


def test_a_unique_violation_names_no_value(stage: Stage, canaries: Canaries) -> None:
    mail = canaries.mail()
    insert = (
        "INSERT INTO customers (surname, name, email, phone, country, city, postal_code, address)"
        " VALUES ('a', 'b', %s, 'c', 'd', 'e', 'f', 'g')"
    )
    with stage.connect("management") as connection:
        connection.execute(insert, (mail,))
        with pytest.raises(psycopg.errors.UniqueViolation) as twice:
            connection.execute(insert, (mail,))
    told = f"{twice.value} {twice.value.diag.message_detail} {twice.value.diag.message_hint}"
    assert canaries.marker not in told
    assert "f967" not in told


@pytest.mark.parametrize(
    ("column", "value", "sqlstate"),
    [("birth_date", "31 February", "22008"), ("salary", "much", "22P02"), ("salary", "12345678901.00", "22003")],
)
def test_a_value_that_does_not_fit_its_type_is_refused_without_being_repeated(
    stage: Stage, column: str, value: str, sqlstate: str
) -> None:
    with stage.connect("hr") as connection, pytest.raises(psycopg.Error) as refused:
        connection.execute(f"UPDATE employees SET {column} = %s WHERE id = 1".encode(), (value,))
    assert value not in str(refused.value)
    assert refused.value.sqlstate in (sqlstate, "22007")


async def test_a_server_that_is_killed_in_mid_row_ends_the_session_cleanly(stage: Stage) -> None:
    """A backend that is killed makes the server start all of them again; new sessions find it as it was."""
    connection = await stage.open("management")
    begun = connection.transaction()
    await begun.start()
    pid = await connection.fetchval("SELECT pg_backend_pid()")
    many = "SELECT c.address, o.delivery_address FROM customers c, orders o, generate_series(1, 200)"
    portal = await connection.cursor(many)
    assert len(await portal.fetch(50)) == 50
    os.kill(pid, signal.SIGKILL)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        for _ in range(1000):
            await portal.fetch(500)
    connection.terminate()
    await _until_it_answers(stage)


async def _until_it_answers(stage: Stage) -> None:
    deadline = asyncio.get_running_loop().time() + 30
    while True:
        try:
            connection = await stage.open("management")
            assert await connection.fetchval("SELECT count(*) FROM customers WHERE id <= 60") == 60
            await connection.close()
        except (asyncpg.PostgresError, OSError):
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.1)
        else:
            return


def test_no_plaintext_of_the_sample_in_any_log(stage: Stage) -> None:
    """The made-up people themselves, not only the planted values."""
    sealed = [f for f in load_policy(SHOP).all_fields() if f.sealing is not None]
    assert sealed
    plain: list[Any] = ["anna.smirnova@example.org", "ул. Лесная, д. 12, кв. 45", "Смирнова Анна Игоревна"]
    for file in (stage.folder.log, stage.folder.audit):
        text = file.read_text(errors="replace") if file.exists() else ""
        assert not [value for value in plain if value in text], file
