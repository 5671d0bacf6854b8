"""The fixtures themselves: a fresh database each, and TLS where it is promised."""

from __future__ import annotations

import psycopg
import pytest

from tests.support.servers import Database, fresh_database, postgres_18


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_a_database_of_its_own(database: Database, turn: int) -> None:
    database.run(f"CREATE TABLE only_once (turn int DEFAULT {turn})")


async def test_the_same_database_by_asyncpg_and_as_a_role_of_ones_own(database: Database) -> None:
    role = database.role("reader")
    connection = await database.connect_async(role, "secret")
    assert await connection.fetchval("SELECT current_user || ' ' || current_database()") == f"{role} {database.name}"
    await connection.close()


def test_a_database_goes_with_its_roles(database: Database) -> None:
    with fresh_database(database.server) as short:
        role = short.role("gone")
    with database.connect() as connection:
        assert connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone() is None
        assert connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (short.name,)).fetchone() is None


def test_the_tls_server_is_verified_and_admits_nothing_else(tls_database: Database) -> None:
    with tls_database.connect() as connection:
        row = connection.execute("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
        assert row is not None
        assert row[0] in ("TLSv1.2", "TLSv1.3")
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        psycopg.connect(**{**tls_database.parameters(), "sslmode": "disable"})


def test_two_runs_have_two_servers() -> None:
    assert postgres_18().home != postgres_18().home
