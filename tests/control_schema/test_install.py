"""Brought up to date from any state, once, by any number of installers; never down, never by other files."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from proxy.control_schema.install import GRANTS, Installed, SchemaFile, install, schema_files, schema_problems
from proxy.errors import ConfigError
from tests.support.servers import Database

PLAIN = (
    SchemaFile(1, "001_one.sql", "CREATE TABLE fieldgate.one (a int)"),
    SchemaFile(2, "002_two.sql", "CREATE TABLE fieldgate.two (a int)"),
)


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[asyncpg.Connection]:
    connection = await database.connect_async()
    yield connection
    await connection.close()


@pytest.fixture
def user(database: Database) -> str:
    return database.role("control")


async def test_all_files_then_none(owner: asyncpg.Connection, user: str) -> None:
    names = tuple(file.name for file in schema_files())
    assert await install(owner, user) == Installed(names, len(names))
    assert await install(owner, user) == Installed((), len(names))


async def test_the_control_user_may_do_its_work_and_nothing_more(
    database: Database, owner: asyncpg.Connection, user: str
) -> None:
    await install(owner, user)
    control = await database.connect_async(user, "secret")
    try:
        assert await schema_problems(control) == []
        for statement in (
            "DELETE FROM fieldgate.data_keys",
            "TRUNCATE fieldgate.key_uses",
            "INSERT INTO fieldgate.keys_revision DEFAULT VALUES",
            "UPDATE fieldgate.schema_version SET number = 9",
            "CREATE TABLE fieldgate.mine (a int)",
            "ALTER TABLE fieldgate.data_keys DISABLE TRIGGER keep_key_rows",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await control.execute(statement)
    finally:
        await control.close()


async def test_others_have_nothing(database: Database, owner: asyncpg.Connection, user: str) -> None:
    await install(owner, user)
    other = await database.connect_async(database.role("other"), "secret")
    try:
        for table in GRANTS:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await other.fetch(f"SELECT * FROM fieldgate.{table}")
        [said] = await schema_problems(other)
        assert "control install" in said
    finally:
        await other.close()


async def test_too_many_grants_are_taken_back_and_missing_ones_told(
    database: Database, owner: asyncpg.Connection, user: str
) -> None:
    await install(owner, user)
    await owner.execute(
        f"GRANT DELETE ON fieldgate.data_keys TO {user}; REVOKE UPDATE ON fieldgate.data_keys FROM {user}"
    )
    control = await database.connect_async(user, "secret")
    try:
        assert await schema_problems(control) == [
            "the control user lacks UPDATE on fieldgate.data_keys: run `fieldgate control install`"
        ]
        await install(owner, user)
        assert await schema_problems(control) == []
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await control.execute("DELETE FROM fieldgate.data_keys")
    finally:
        await control.close()


async def test_a_file_that_fails_leaves_what_was_before_it(owner: asyncpg.Connection, user: str) -> None:
    broken = replace(PLAIN[1], sql="CREATE TABLE fieldgate.two (a int); SELECT 1 / 0")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await install(owner, user, (PLAIN[0], broken))
    assert await owner.fetchval("SELECT to_regclass('fieldgate.two')") is None
    assert await schema_problems(owner, PLAIN[:1]) == []
    assert (await install(owner, user, PLAIN)).applied == ("002_two.sql",)


async def test_a_newer_schema_is_refused(owner: asyncpg.Connection, user: str) -> None:
    await install(owner, user, PLAIN)
    with pytest.raises(ConfigError, match="newer Fieldgate"):
        await install(owner, user, PLAIN[:1])


async def test_other_files_under_the_same_number_are_refused(owner: asyncpg.Connection, user: str) -> None:
    await install(owner, user, PLAIN)
    with pytest.raises(ConfigError, match=r"another 001_one\.sql"):
        await install(owner, user, (replace(PLAIN[0], sql="SELECT 1"), PLAIN[1]))


async def test_a_later_file_is_told_of(owner: asyncpg.Connection, user: str) -> None:
    real = schema_files()
    await install(owner, user, real)
    later = SchemaFile(len(real) + 1, "999_later.sql", "SELECT 1")
    assert await schema_problems(owner, (*real, later)) == [
        "the control schema lacks 999_later.sql: run `fieldgate control install`"
    ]


async def test_installers_take_turns(database: Database, user: str) -> None:
    connections = [await database.connect_async() for _ in range(4)]
    try:
        done = await asyncio.gather(*(install(connection, user) for connection in connections))
    finally:
        for connection in connections:
            await connection.close()
    assert sorted(len(each.applied) for each in done) == [0, 0, 0, len(schema_files())]


@pytest.mark.parametrize("name", ['a"b', "a;b", "", "a b"])
async def test_a_user_that_is_no_plain_name(owner: asyncpg.Connection, name: str) -> None:
    with pytest.raises(ConfigError, match=r"control\.user"):
        await install(owner, name)


async def test_keys_that_people_chose_become_digests(owner: asyncpg.Connection, user: str) -> None:
    """6: a request that is repeated across the upgrade is still known; the proxy's own stay as they are."""
    await install(owner, user, schema_files()[:5])
    for person in ("olga", "fieldgate"):
        await owner.execute(
            "INSERT INTO fieldgate.operations"
            " (operation_id, kind, target, state, requested_by, idempotency_key, request_digest)"
            " VALUES (gen_random_uuid(), 'verify', '{}', 'done', $1, 'ivan-petrov', sha256(''))",
            person,
        )
    await owner.execute("INSERT INTO fieldgate.admin_answers VALUES ('olga', 'ivan-petrov', sha256(''), 200, '{}')")
    await install(owner, user, schema_files()[:6])
    digest = hashlib.sha256(b"ivan-petrov").hexdigest()
    kept = await owner.fetch("SELECT requested_by, idempotency_key FROM fieldgate.operations ORDER BY 1")
    assert [tuple(row) for row in kept] == [("fieldgate", "ivan-petrov"), ("olga", digest)]
    assert await owner.fetchval("SELECT idempotency_key FROM fieldgate.admin_answers") == digest
