"""Sealed tables carried elsewhere by PostgreSQL's own means: every cell opens there, and a proxy would start.

Dump and restore, logical replication, point-in-time recovery, and pg_upgrade from PostgreSQL 15 to 18.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from proxy.demo.osuser import give, server_user
from proxy.demo.server import DEFAULT_HBA, Server
from proxy.sealing.job import seal_field, unseal_field
from proxy.sealing.verify import verify_sealed
from tests.sealing.making import KEY, ciphers_for, data_map, field_of
from tests.sealing.people import QUICK, opened
from tests.support.servers import DEBIAN_15, TEST_SETTINGS, Database, fresh_database, new_home, running

pytestmark = pytest.mark.integration

EMAIL = field_of("email", 1, equality=True, unique=True, not_null=True, tokens=("match.1",))
NOTE = field_of("note", 3, row_bound=True)
MAP = data_map(KEY, EMAIL, NOTE)
CIPHERS = ciphers_for(MAP)
PEOPLE = (
    'CREATE TABLE people (id bigint PRIMARY KEY, email text COLLATE "C" NOT NULL UNIQUE, note text)',
    "INSERT INTO people SELECT n, 'person' || n || '@example.org', 'note ' || n FROM generate_series(1, 30) n",
)
EMAILS = {n: f"person{n}@example.org" for n in range(1, 31)}
NOTES = {n: f"note {n}" for n in range(1, 31)}


async def seal_all(database: Database) -> None:
    database.run(*PEOPLE)
    connection = await database.connect_async()
    for column in ("email", "note"):
        await seal_field(connection, MAP, f"people.{column}", CIPHERS)
    await connection.close()


async def check(database: Database, *, extra: int = 0) -> None:
    """Every cell opens, terms find their rows, the proxy's start has nothing to say, and the way back is open."""
    connection = await database.connect_async()
    emails = await opened(connection, EMAIL, CIPHERS)
    assert {n: emails[n] for n in EMAILS} == EMAILS
    assert len(emails) == len(EMAILS) + extra
    notes = await opened(connection, NOTE, CIPHERS)
    assert {n: notes[n] for n in NOTES} == NOTES
    assert await verify_sealed(connection, MAP, CIPHERS.heads()) == ()
    term = CIPHERS.cipher("0" * 31 + "1").term(b"person7@example.org")
    assert await connection.fetchval("SELECT id FROM people WHERE fg_email_eq = $1", term) == 7
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute("UPDATE people SET note = 'plain'")
    await connection.close()


def program(binaries: Path, name: str, *arguments: str, user: bool = False, cwd: Path | None = None) -> str:
    """One of PostgreSQL's own; as the user that servers run as, where a program insists on that."""
    account = server_user() if user else None
    options: dict[str, Any] = {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}
    done = subprocess.run(
        [str(binaries / name), *arguments],
        capture_output=True, text=True, check=False, cwd=cwd, timeout=100, **options,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


# --- dump and restore


def _plain(binaries: Path, source: Database, target: Database, folder: Path) -> None:
    dump = str(folder / "dump.sql")
    program(binaries, "pg_dump", "--no-owner", "-f", dump, source.dsn())
    program(binaries, "psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", dump, target.dsn())


def _custom(binaries: Path, source: Database, target: Database, folder: Path) -> None:
    dump = str(folder / "dump.custom")
    program(binaries, "pg_dump", "--no-owner", "-Fc", "-f", dump, source.dsn())
    program(binaries, "pg_restore", "--no-owner", "--exit-on-error", "-d", target.dsn(), dump)


@pytest.mark.parametrize("restore", [_plain, _custom], ids=["plain", "custom"])
async def test_dump_and_restore(
    database: Database, postgres: Server, tmp_path: Path, restore: Callable[[Path, Database, Database, Path], None]
) -> None:
    await seal_all(database)
    with fresh_database(postgres) as target:
        restore(postgres.binaries, database, target, tmp_path)
        await check(target)
        connection = await target.connect_async()  # what was kept of the plain column has come along
        await unseal_field(connection, MAP, "people.email", CIPHERS, options=QUICK)
        rows = await connection.fetch("SELECT id, email, pg_collation_for(email) AS of FROM people")
        assert {row["id"]: row["email"] for row in rows} == EMAILS
        assert {row["of"] for row in rows} == {'"C"'}
        await connection.close()


# --- servers of our own


@contextmanager
def own_server(settings: dict[str, str], binaries: Path | None = None, kind: str = "own") -> Iterator[Server]:
    server = Server(new_home(kind), binaries=binaries, durable=False, settings={**TEST_SETTINGS, **settings})
    with running(server):
        yield server


async def test_logical_replication_to_another_server(tmp_path: Path) -> None:
    """The subscriber has the sealed table by its dump, and gets cells; generated columns are made there."""
    with (
        own_server({"wal_level": "logical"}, kind="publisher") as publisher,
        own_server({}, kind="subscriber") as other,
        fresh_database(publisher) as source,
        fresh_database(other) as target,
    ):
        await seal_all(source)
        schema = str(tmp_path / "schema.sql")
        program(publisher.binaries, "pg_dump", "--no-owner", "--schema-only", "-f", schema, source.dsn())
        program(other.binaries, "psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", schema, target.dsn())
        source.run("CREATE PUBLICATION everything FOR TABLE people")
        target.run(f"CREATE SUBSCRIPTION all_of_it CONNECTION '{source.dsn()}' PUBLICATION everything")
        cell = CIPHERS.cipher("0" * 31 + "1").seal(b"new@example.org", term_input=b"new@example.org")
        source.run(f"INSERT INTO people VALUES (31, '\\x{cell.hex()}', NULL)")
        await caught_up(source, target)
        await check(target, extra=1)
        target.run("ALTER SUBSCRIPTION all_of_it DISABLE", "DROP SUBSCRIPTION all_of_it")


async def caught_up(source: Database, target: Database) -> None:
    """Until the subscriber has copied the table and applied all that was written before."""
    here, there = await source.connect_async(), await target.connect_async()
    position = await here.fetchval("SELECT pg_current_wal_lsn()::text")
    for _ in range(300):
        copied = await there.fetchval("SELECT count(*) = 1 AND bool_and(srsubstate = 'r') FROM pg_subscription_rel")
        query = "SELECT coalesce(bool_and(confirmed_flush_lsn >= $1::text::pg_lsn), false) FROM pg_replication_slots"
        if copied and await here.fetchval(query, position):
            break
        await asyncio.sleep(0.1)
    else:
        raise AssertionError("the subscriber did not catch up")
    await here.close()
    await there.close()


async def test_point_in_time_recovery() -> None:
    """A base backup of the plain table, and the archived WAL of its sealing up to a restore point."""
    archive, copy = new_home("archive"), new_home("recovered")
    for folder in (archive, copy):
        folder.mkdir(mode=0o711)
    give(archive, server_user())
    try:
        archiving = {"archive_mode": "on", "archive_command": f"cp %p {archive}/%f", "wal_level": "replica"}
        with own_server(archiving, kind="archiving") as server, fresh_database(server) as source:
            source.run(*PEOPLE)
            program(server.binaries, "pg_basebackup", "-D", str(copy / "postgres"), "-d", source.dsn(), "-c", "fast")
            connection = await source.connect_async()
            for column in ("email", "note"):
                await seal_field(connection, MAP, f"people.{column}", CIPHERS)
            await connection.execute("SELECT pg_create_restore_point('sealed')")
            await connection.execute("DROP TABLE people; SELECT pg_switch_wal()")
            last = await connection.fetchval("SELECT pg_walfile_name(pg_current_wal_lsn())")
            while await connection.fetchval("SELECT coalesce(last_archived_wal, '') < $1 FROM pg_stat_archiver", last):
                await connection.execute("SELECT pg_switch_wal(); CHECKPOINT")
                await asyncio.sleep(0.05)
            await connection.close()
            shutil.copy(server.home / "postgres.password", copy / "postgres.password")
            (copy / "postgres" / "recovery.signal").touch()
            recovery = {
                "restore_command": f"cp {archive}/%f %p",
                "recovery_target_name": "sealed",
                "recovery_target_action": "promote",
            }
            recovered = Server(copy, durable=False, settings={**TEST_SETTINGS, **recovery})
            with running(recovered):
                database = Database(recovered, source.name)
                await promoted(database)
                await check(database)
    finally:
        for folder in (archive, copy):
            shutil.rmtree(folder, ignore_errors=True)


async def promoted(database: Database) -> None:
    for _ in range(300):
        with suppress(OSError, asyncpg.CannotConnectNowError):
            connection = await database.connect_async()
            recovering = await connection.fetchval("SELECT pg_is_in_recovery()")
            await connection.close()
            if not recovering:
                return
        await asyncio.sleep(0.1)
    raise AssertionError("the recovery did not end")


@pytest.mark.skipif(not (DEBIAN_15 / "pg_upgrade").exists(), reason="PostgreSQL 15 of Debian is not installed here")
async def test_pg_upgrade_from_15_to_18() -> None:
    trust = ("local all all trust", *DEFAULT_HBA)
    old = Server(new_home("old"), binaries=DEBIAN_15, durable=False, settings=TEST_SETTINGS, hba=trust)
    new = Server(new_home("new"), durable=False, settings=TEST_SETTINGS, hba=trust)
    work = new_home("upgrade")
    try:
        old.start()
        sealed = Database(old, "sealed")
        Database(old, "postgres").run("CREATE DATABASE sealed")
        await seal_all(sealed)
        old.stop()
        new.start()
        new.stop()
        work.mkdir(mode=0o711)
        give(work, server_user())
        program(DEBIAN_15, "pg_checksums", "--enable", "-D", str(old.data_dir), user=True, cwd=work)
        program(
            new.binaries, "pg_upgrade", "-b", str(DEBIAN_15), "-B", str(new.binaries), "-d", str(old.data_dir),
            "-D", str(new.data_dir), "-U", old.superuser, "-s", str(work), "--copy", user=True, cwd=work,
        )  # fmt: skip
        shutil.copy(old.home / "postgres.password", new.home / "postgres.password")
        new.start()
        await check(Database(new, "sealed"))
        with Database(new, "sealed").connect() as connection:
            assert connection.info.server_version >= 180000
    finally:
        old.stop()
        new.stop()
        for folder in (old.home, new.home, work):
            shutil.rmtree(folder, ignore_errors=True)
