"""Sealing under fire: killed at every step, and while applications write.  Nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from keys.providers.local import LOWEST_COST
from keys.store import add_missing_keys, init_keyring, open_keyring
from proxy.sealing.errors import SealingFailed
from proxy.sealing.fence import fence_name
from proxy.sealing.job import seal_field
from proxy.sealing.needs import key_needs
from proxy.sealing.run import Progress, SealOptions, SealStep
from proxy.sealing.verify import verify_sealed
from tests.sealing.making import KEY, ciphers_for, data_map, field_of, id_of
from tests.support.servers import Database

pytestmark = pytest.mark.integration

EMAIL = field_of("email", 1, equality=True, unique=True)
NOTE = field_of("note", 2, row_bound=True)
MAP = data_map(KEY, EMAIL, NOTE)
CIPHERS = ciphers_for(MAP)
QUICK = SealOptions(batch=5, settle_seconds=0)
PEOPLE = (
    "CREATE TABLE people (id bigint PRIMARY KEY, email text UNIQUE, note text)",
    "INSERT INTO people SELECT n, 'person' || n || '@example.org', 'note ' || n FROM generate_series(1, 40) n",
)


async def values(connection: asyncpg.Connection) -> dict[int, tuple[str | None, str | None]]:
    """What an application sees, whether a column is sealed yet or not."""

    def seen(field: Any, stored: Any, key: int) -> str | None:
        if not isinstance(stored, bytes):
            return stored  # type: ignore[no-any-return]
        row_key = b"%d" % key if field is NOTE else None
        return CIPHERS.cipher(id_of(field)).open(stored, row_key=row_key).decode()

    rows = await connection.fetch("SELECT id, email, note FROM people")
    return {r["id"]: (seen(EMAIL, r["email"], r["id"]), seen(NOTE, r["note"], r["id"])) for r in rows}


class Killed(BaseException):
    """The process ends here, and its connection with it."""


def dying_connection(connection: asyncpg.Connection, after: int) -> asyncpg.Connection:
    """Breaks off at the n-th call to the server, without a word to it."""
    left = after

    def dying(method: Any) -> Any:
        async def call(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                connection.terminate()
                raise Killed
            return await method(*arguments, **options)

        return call

    for name in ("execute", "fetch", "fetchrow", "fetchval"):
        setattr(connection, name, dying(getattr(connection, name)))
    return connection


class Mortal(asyncpg.Connection):
    """A connection whose methods can be replaced."""


@pytest.mark.parametrize("column", ["email", "note"])
async def test_broken_off_at_every_call_and_gone_on(database: Database, column: str) -> None:
    """Each run gets a call or two further; between runs the application writes, and reads all that it wrote."""
    database.run(*PEOPLE)
    application = await database.connect_async()
    truth = await values(application)
    kills = 0
    while True:
        connection = await asyncpg.connect(database.url(), connection_class=Mortal)
        try:
            await seal_field(dying_connection(connection, kills), MAP, f"people.{column}", CIPHERS, options=QUICK)
            break
        except (Killed, SealingFailed):
            assert connection.is_closed()
            kills += 1 if kills < 12 else 2  # the first calls prepare, the later ones mostly repeat
        assert await values(application) == truth
        number = kills % 40 + 1
        try:
            changed = f"changed at {kills}"
            await application.execute(f"UPDATE people SET {column} = $1::text::text WHERE id = $2", changed, number)
        except (asyncpg.CheckViolationError, asyncpg.DatatypeMismatchError):
            continue  # it is sealed: the database refuses plaintext
        email, note = truth[number]
        truth[number] = (changed, note) if column == "email" else (email, changed)
    assert kills > 20
    await connection.close()
    assert await values(application) == truth
    sealed_only = data_map(KEY, EMAIL if column == "email" else NOTE)
    assert await verify_sealed(application, sealed_only, CIPHERS.heads()) == ()
    await application.close()


def stop_at(name: str) -> Progress:
    """Ends the job at the first word of a step."""

    def progress(step: SealStep, done: int, total: int) -> None:
        if step.value == name:
            raise Killed

    return progress


CHILD = textwrap.dedent(
    """
    import asyncio, os, signal, sys
    from pathlib import Path
    import asyncpg
    from keys.store import open_keyring
    from proxy.sealing.job import seal_field
    from proxy.sealing.needs import key_needs
    from proxy.sealing.run import SealOptions
    from tests.sealing.test_seal_interrupted import MAP

    def progress(step, done, total):
        if step.value == sys.argv[3] and done >= int(sys.argv[4]):
            os.kill(os.getpid(), signal.SIGKILL)

    async def main():
        opened = open_keyring(Path(sys.argv[2]), "a passphrase of tests")
        ciphers = opened.keyring.ciphers(key_needs(MAP), opened.leases())
        connection = await asyncpg.connect(sys.argv[1])
        await seal_field(connection, MAP, "people.email", ciphers, options=SealOptions(batch=5), progress=progress)

    asyncio.run(main())
    """
)


async def test_a_process_that_is_killed_is_followed_by_the_same_command(database: Database, tmp_path: Path) -> None:
    database.run(*PEOPLE)
    keyring = tmp_path / "keyring"
    init_keyring(keyring, "a passphrase of tests", cost=LOWEST_COST)
    add_missing_keys(keyring, "a passphrase of tests", key_needs(MAP))
    for step, done in (("prepare", 1), ("fill", 15), ("verify", 40), ("switch", 0), ("switch", 1)):
        arguments = [sys.executable, "-c", CHILD, database.url(), str(keyring), step, str(done)]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        finished = await asyncio.to_thread(
            subprocess.run, arguments, capture_output=True, text=True, check=False, env=environment
        )
        assert finished.returncode == -signal.SIGKILL, finished.stderr
    opened = open_keyring(keyring, "a passphrase of tests")
    ciphers = opened.keyring.ciphers(key_needs(MAP), opened.leases())
    connection = await database.connect_async()
    outcome = await seal_field(connection, MAP, "people.email", ciphers, options=QUICK)
    assert outcome.filled == 0
    assert not outcome.already
    rows = await connection.fetch("SELECT id, email FROM people")
    cipher = ciphers.cipher(id_of(EMAIL))
    assert {row["id"]: cipher.open(row["email"]) for row in rows} == {
        n: b"person%d@example.org" % n for n in range(1, 41)
    }
    await connection.close()


@pytest.mark.parametrize("isolation", ["read_committed", "repeatable_read"])
async def test_writes_meanwhile_are_carried_or_refused(database: Database, isolation: str) -> None:
    """Two writers insert, change, empty and delete at random while the field is sealed in small batches."""
    database.run(*PEOPLE)
    connection = await database.connect_async()
    writers = [await database.connect_async() for _ in range(2)]
    truth = {number: value for number, (value, _) in (await values(connection)).items()}
    sealed = asyncio.Event()
    written = [0, 0]

    async def write(mine: int) -> None:
        chance, writer = random.Random(mine), writers[mine]
        while not sealed.is_set():
            number = chance.randrange(1, 40) * 2 + mine  # each writer has rows of its own, so the truth is known
            value = None if chance.random() < 0.2 else f"{mine} wrote {written[mine]}"
            try:
                async with writer.transaction(isolation=isolation):
                    if chance.random() < 0.2:
                        await writer.execute("DELETE FROM people WHERE id = $1", number)
                        after = None
                    else:
                        await writer.execute(
                            f"""INSERT INTO people (id, email) VALUES ({number}, {f"'{value}'" if value else "NULL"})
                                ON CONFLICT (id) DO UPDATE SET email = excluded.email"""
                        )
                        after = (value,)
            except asyncpg.SerializationError:
                continue
            except (asyncpg.CheckViolationError, asyncpg.DatatypeMismatchError):
                return  # sealed now
            written[mine] += 1
            truth.pop(number, None)
            if after is not None:
                truth[number] = after[0]

    tasks = [asyncio.create_task(write(mine)) for mine in range(2)]
    options = SealOptions(batch=5, pause=0.002, passes=6)
    outcome = await seal_field(connection, MAP, "people.email", CIPHERS, options=options)
    sealed.set()
    await asyncio.gather(*tasks)
    assert min(written) > 5
    assert outcome.corrected == 0
    assert {number: value for number, (value, _) in (await values(connection)).items()} == truth
    for each in (connection, *writers):
        await each.close()


async def test_a_row_that_someone_holds_is_filled_later(database: Database) -> None:
    """The passes go around a locked row; the switch waits for it, and gives up rather than stand in the way."""
    database.run(*PEOPLE)
    holder, connection = await database.connect_async(), await database.connect_async()
    with pytest.raises(Killed):
        await seal_field(connection, MAP, "people.email", CIPHERS, options=QUICK, progress=stop_at("fill"))
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("UPDATE people SET email = 'held' WHERE id = 7")
    waiting = SealOptions(batch=5, lock_seconds=0.1, attempts=2)
    with pytest.raises(SealingFailed, match="never free"):
        await seal_field(connection, MAP, "people.email", CIPHERS, options=waiting)
    filled = await connection.fetchval(f"SELECT count(fg_new_{id_of(EMAIL)}) FROM people")
    assert filled == 39
    await transaction.commit()
    assert (await seal_field(connection, MAP, "people.email", CIPHERS, options=QUICK)).filled == 1
    assert (await values(connection))[7][0] == "held"
    await holder.close()
    await connection.close()


@pytest.mark.parametrize("around", ["ALTER TABLE people DISABLE TRIGGER ALL", "SET session_replication_role = replica"])
async def test_writes_around_the_trigger_are_found_by_the_comparison(database: Database, around: str) -> None:
    """As logical replication or a restore would write.  ENABLE ALWAYS covers the one, the comparison the other."""
    database.run(*PEOPLE)
    connection, writer = await database.connect_async(), await database.connect_async()
    with pytest.raises(Killed):
        await seal_field(connection, MAP, "people.email", CIPHERS, options=QUICK, progress=stop_at("verify"))
    await writer.execute(around)
    await writer.execute("UPDATE people SET email = 'around' WHERE id = 3")
    await writer.execute(f'ALTER TABLE people ENABLE ALWAYS TRIGGER "~fg_new_{id_of(EMAIL)}"')
    outcome = await seal_field(connection, MAP, "people.email", CIPHERS, options=QUICK)
    assert (outcome.filled, outcome.corrected) == (1, 1 if "DISABLE" in around else 0)
    assert (await values(connection))[3][0] == "around"
    await writer.close()
    await connection.close()


async def test_the_row_key_of_a_bound_cell_may_change(database: Database) -> None:
    database.run(*PEOPLE)
    connection = await database.connect_async()

    with pytest.raises(Killed):
        await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK, progress=stop_at("verify"))
    await connection.execute("UPDATE people SET id = id + 1000 WHERE id <= 4")
    outcome = await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    assert (outcome.filled, outcome.corrected) == (4, 0)
    assert (await values(connection))[1003][1] == "note 3"
    await connection.close()


@pytest.mark.parametrize(
    "statement", ["DELETE FROM people WHERE id = 1", "UPDATE people SET note = 'x'", "TRUNCATE people"]
)
async def test_a_transaction_from_before_is_fenced_off(database: Database, statement: str) -> None:
    """Its snapshot does not see the rewritten table's rows: without the fence, DELETE would say that there are none."""
    database.run(*PEOPLE)
    older, connection = await database.connect_async(), await database.connect_async()
    transaction = older.transaction(isolation="repeatable_read")
    await transaction.start()
    await older.fetch("SELECT 1 FROM pg_class")
    outcome = await seal_field(connection, MAP, "people.email", CIPHERS, options=SealOptions(fence_seconds=0))
    assert outcome.fenced
    raised = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    assert await connection.fetchval(raised) == f"~{fence_name(EMAIL)}"
    with pytest.raises(asyncpg.SerializationError, match="was sealed after"):
        await older.execute(statement)
    await transaction.rollback()
    await older.execute(statement)
    again = await seal_field(connection, MAP, "people.email", CIPHERS, options=QUICK)
    assert (again.already, again.fenced) == (True, False)
    assert await connection.fetchval("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal") == 0
    assert await connection.fetchval("SELECT count(*) FROM pg_proc WHERE proname LIKE 'fg_%'") == 0
    await older.close()
    await connection.close()


async def test_who_cannot_see_other_snapshots_leaves_the_fence(database: Database) -> None:
    database.run(*PEOPLE)
    owner = database.role("owner")
    database.run(f"ALTER TABLE people OWNER TO {owner}", f"GRANT ALL ON SCHEMA public TO {owner}")
    connection = await database.connect_async(owner, "secret")
    assert (await seal_field(connection, MAP, "people.email", CIPHERS, options=QUICK)).fenced
    await connection.close()
    superuser = await database.connect_async()
    assert not (await seal_field(superuser, MAP, "people.email", CIPHERS, options=QUICK)).fenced
    await superuser.close()
