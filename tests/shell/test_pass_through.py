"""Pass-through on a real server: its own roles log in with their own passwords, and as themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from proxy.config import altered
from proxy.control import Control
from proxy.demo.osuser import write_private
from proxy.hba import find_exposures
from proxy.wire.scram import make_verifier
from tests.support.servers import Database, TlsServer
from tests.support.shell import Proxy, running, settings

SQL = Path(__file__).parents[2] / "deploy" / "scram_verifier.sql"


def install_verifier(database: Database, control_role: str) -> None:
    """deploy/scram_verifier.sql without psql's own commands."""
    text = SQL.read_text().replace(':"control_role"', f'"{control_role}"')
    database.run("\n".join(line for line in text.splitlines() if not line.startswith("\\")))


def sections(
    database: Database, folder: Path, control: str, port: int, **upstream: object
) -> dict[str, dict[str, object]]:
    write_private(folder / "control", "secret\n")
    return {
        "upstream": {"pass_through": True, "hosts": [f"127.0.0.1:{port}"], **upstream},
        "control": {"user": control, "password_file": "control", "database": database.name},
    }


@pytest.fixture
async def proxy(database: Database, tmp_path: Path) -> AsyncIterator[Proxy]:
    control = database.role("control")
    install_verifier(database, control)
    config = settings(tmp_path, 1, **sections(database, tmp_path, control, database.server.port))
    async with running(config, tmp_path) as made:
        yield made


async def connect(proxy: Proxy, user: str, password: str, database: str, **more: str) -> psycopg.AsyncConnection:  # type: ignore[type-arg]
    return await psycopg.AsyncConnection.connect(
        host="localhost",
        port=proxy.port,
        user=user,
        password=password,
        dbname=database,
        sslmode="verify-full",
        sslrootcert=str(proxy.authority.certificate),
        channel_binding="require",
        autocommit=True,
        **more,
    )


async def test_roles_made_later_log_in_at_once_and_as_themselves(proxy: Proxy, database: Database) -> None:
    role = database.role("late")
    async with await connect(proxy, role, "secret", database.name, options="-c work_mem=5MB") as connection:
        row = await (
            await connection.execute(
                "SELECT current_user, session_user, current_setting('work_mem'), current_setting('fieldgate.principal')"
            )
        ).fetchone()
        assert row == (role, role, "5MB", role)


async def test_who_may_not_log_in_at_the_server_may_not_here(proxy: Proxy, database: Database) -> None:
    """An expired password is still stored (CVE-2025-2291); so is that of a role that may not log in."""
    expired = database.role("expired", options="LOGIN VALID UNTIL '2001-01-01'")
    barred = database.role("barred", options="NOLOGIN")
    fine = database.role("fine")
    for user, password in ((expired, "secret"), (barred, "secret"), (fine, "wrong"), ("nobody_at_all", "secret")):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            await connect(proxy, user, password, database.name)
    (await_connection,) = [await connect(proxy, fine, "secret", database.name)]
    await await_connection.close()


async def test_a_new_password_counts_from_the_next_login(proxy: Proxy, database: Database) -> None:
    role = database.role("changing")
    await (await connect(proxy, role, "secret", database.name)).close()
    database.run(f"ALTER ROLE {role} PASSWORD 'fresh'")
    with pytest.raises(psycopg.OperationalError):
        await connect(proxy, role, "secret", database.name)
    await (await connect(proxy, role, "fresh", database.name)).close()


async def test_the_servers_own_words_reach_the_client(proxy: Proxy, database: Database) -> None:
    role = database.role("someone")
    with pytest.raises(psycopg.OperationalError, match='database "no_such" does not exist'):
        await connect(proxy, role, "secret", "no_such")


async def test_the_verifier_function_answers_only_the_control_role(proxy: Proxy, database: Database) -> None:
    role = database.role("curious")
    async with await connect(proxy, role, "secret", database.name) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute("SELECT fieldgate.scram_verifier('postgres')")


async def test_no_key_and_no_password_in_the_log(proxy: Proxy, database: Database) -> None:
    role = database.role("quiet")
    await (await connect(proxy, role, "secret", database.name)).close()
    log = proxy.log.getvalue()
    assert role in log and "secret" not in log and "SCRAM" not in log


async def test_pg_hba_is_looked_at(database: Database, tmp_path: Path) -> None:
    """The test server admits everyone from loopback, where the proxy is too: that is one address, and fine."""
    control = database.role("control")
    install_verifier(database, control)
    config = settings(tmp_path, 1, **sections(database, tmp_path, control, database.server.port))
    async with running(config, tmp_path) as proxy:
        (unread,) = await proxy.worker.remarks()
        assert "was not looked at" in unread
        database.run(
            f"GRANT SELECT ON pg_hba_file_rules TO {control}",
            f"GRANT EXECUTE ON FUNCTION pg_hba_file_rules() TO {control}",
        )
        remarks = await proxy.worker.remarks()
        assert remarks == ["pg_hba.conf line 1: admits users of the server's own machine by the unix socket"]
        assert isinstance(proxy.worker._control, Control)
        async with proxy.worker._control.connection() as connection:
            assert await find_exposures(connection, control)


async def test_tls_upstream_with_channel_binding(
    postgres_tls: TlsServer, tls_database: Database, tmp_path: Path
) -> None:
    """PostgreSQL 15 by verify-full, SCRAM-SHA-256-PLUS required on both legs."""
    control = tls_database.role("control")
    install_verifier(tls_database, control)
    config = settings(
        tmp_path,
        1,
        **sections(
            tls_database,
            tmp_path,
            control,
            postgres_tls.server.port,
            sslmode="verify-full",
            ca=str(postgres_tls.authority.certificate),
            channel_binding="require",
            hosts=[f"localhost:{postgres_tls.server.port}"],
        ),
    )
    role = tls_database.role("bound")
    async with (
        running(config, tmp_path) as proxy,
        await connect(proxy, role, "secret", tls_database.name) as connection,
    ):
        row = await (
            await connection.execute("SELECT s.ssl, current_user FROM pg_stat_ssl s WHERE s.pid = pg_backend_pid()")
        ).fetchone()
        assert row == (True, role)
        assert (
            connection.info.backend_pid == (await (await connection.execute("SELECT pg_backend_pid()")).fetchone())[0]
        )  # type: ignore[index]


async def test_an_upstream_role_by_client_certificate(
    postgres_tls: TlsServer, tls_database: Database, tmp_path: Path
) -> None:
    """A mapped login whose upstream role has no password at all: the server asks for the proxy's certificate."""
    role = tls_database.role("certified")
    with tls_database.connect() as connection:
        connection.execute("DO 'BEGIN CREATE ROLE certificate_only; EXCEPTION WHEN duplicate_object THEN NULL; END'")
        connection.execute(f"GRANT certificate_only TO {role}".encode())
    pair = postgres_tls.authority.client(role)
    write_private(tmp_path / "mapped", f'"{role}" = "{make_verifier("secret")}"\n')
    upstream = {
        "sslmode": "verify-full",
        "ca": str(postgres_tls.authority.certificate),
        "hosts": [f"localhost:{postgres_tls.server.port}"],
        "credentials": {role: {"certificate": str(pair.certificate), "key": str(pair.key)}},
    }
    config = settings(tmp_path, 1, upstream=upstream)
    query = "SELECT current_user, client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    async with (
        running(altered(config, logins=tmp_path / "mapped"), tmp_path) as proxy,
        await connect(proxy, role, "secret", tls_database.name) as connection,
    ):
        row = await (await connection.execute(query)).fetchone()
    assert row == (role, f"/CN={role}")
