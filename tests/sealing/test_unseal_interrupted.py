"""Unsealing under fire: killed at every step, and while applications write cells.  Nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import asyncpg
import pytest

from keys.providers.local import LOWEST_COST
from keys.store import add_missing_keys, init_keyring, open_keyring
from proxy.sealing.errors import SealingFailed
from proxy.sealing.job import seal_field, unseal_field
from proxy.sealing.needs import key_needs
from proxy.sealing.run import SealOptions
from proxy.sealing.unseal_run import UnsealRun
from tests.sealing.making import id_of
from tests.support.servers import Database

from .test_seal_interrupted import (
    CIPHERS,
    EMAIL,
    MAP,
    NOTE,
    PEOPLE,
    QUICK,
    Killed,
    Mortal,
    dying_connection,
    stop_at,
    values,
)

pytestmark = pytest.mark.integration


def cell(column: str, value: str, number: int) -> bytes:
    """As a proxy would send it."""
    if column == "note":
        return CIPHERS.cipher(id_of(NOTE)).seal(value.encode(), row_key=b"%d" % number)
    return CIPHERS.cipher(id_of(EMAIL)).seal(value.encode(), term_input=value.encode())


@pytest.mark.parametrize("column", ["email", "note"])
async def test_broken_off_at_every_call_and_gone_on(database: Database, column: str) -> None:
    database.run(*PEOPLE)
    application = await database.connect_async()
    await seal_field(application, MAP, f"people.{column}", CIPHERS, options=QUICK)
    truth = await values(application)
    kills = 0
    while True:
        connection = await asyncpg.connect(database.url(), connection_class=Mortal)
        try:
            await unseal_field(dying_connection(connection, kills), MAP, f"people.{column}", CIPHERS, options=QUICK)
            break
        except (Killed, SealingFailed):
            assert connection.is_closed()
            kills += 1 if kills < 12 else 2
        assert await values(application) == truth
        number = kills % 40 + 1
        changed = f"changed at {kills}"
        try:
            sealed = cell(column, changed, number).hex()
            await application.execute(f"UPDATE people SET {column} = '\\x{sealed}'::bytea WHERE id = {number}")
        except asyncpg.SerializationError:
            continue  # it is plain, and the fence refuses cells
        email, note = truth[number]
        truth[number] = (changed, note) if column == "email" else (email, changed)
    assert kills > 20
    await connection.close()
    assert await values(application) == truth
    left = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'people'::regclass AND attname LIKE 'fg_%'"
    assert await application.fetchval(left) == 0
    await application.close()


CHILD = textwrap.dedent(
    """
    import asyncio, os, signal, sys
    from pathlib import Path
    import asyncpg
    from keys.store import open_keyring
    from proxy.sealing.job import unseal_field
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
        options = SealOptions(batch=5, settle_seconds=0)
        await unseal_field(connection, MAP, "people.email", ciphers, options=options, progress=progress)

    asyncio.run(main())
    """
)


async def test_a_process_that_is_killed_is_followed_by_the_same_command(database: Database, tmp_path: Path) -> None:
    database.run(*PEOPLE)
    keyring = tmp_path / "keyring"
    init_keyring(keyring, "a passphrase of tests", cost=LOWEST_COST)
    add_missing_keys(keyring, "a passphrase of tests", key_needs(MAP))
    opened = open_keyring(keyring, "a passphrase of tests")
    ciphers = opened.keyring.ciphers(key_needs(MAP), opened.leases())
    connection = await database.connect_async()
    before = {row["id"]: row["email"] for row in await connection.fetch("SELECT id, email FROM people")}
    await seal_field(connection, MAP, "people.email", ciphers, options=QUICK)
    for step, done in (("fill", 15), ("switch", 1)):
        arguments = [sys.executable, "-c", CHILD, database.url(), str(keyring), step, str(done)]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        finished = await asyncio.to_thread(
            subprocess.run, arguments, capture_output=True, text=True, check=False, env=environment
        )
        assert finished.returncode == -signal.SIGKILL, finished.stderr
    outcome = await unseal_field(connection, MAP, "people.email", ciphers, options=QUICK)
    assert (outcome.already, outcome.filled) == (False, 0)
    assert {row["id"]: row["email"] for row in await connection.fetch("SELECT id, email FROM people")} == before
    await connection.close()


@pytest.mark.parametrize("isolation", ["read_committed", "repeatable_read"])
async def test_writes_meanwhile_are_carried_or_refused(database: Database, isolation: str) -> None:
    """Two writers insert, change, empty and delete cells at random while the field is unsealed in small batches."""
    database.run(*PEOPLE)
    connection = await database.connect_async()
    await seal_field(connection, MAP, "people.email", CIPHERS, options=QUICK)
    writers = [await database.connect_async() for _ in range(2)]
    truth = {number: value for number, (value, _) in (await values(connection)).items()}
    plain = asyncio.Event()
    written = [0, 0]

    async def write(mine: int) -> None:
        chance, writer = random.Random(mine), writers[mine]
        while not plain.is_set():
            number = chance.randrange(1, 40) * 2 + mine
            value = None if chance.random() < 0.2 else f"{mine} wrote {written[mine]}"
            made = f"'\\x{cell('email', value, number).hex()}'::bytea" if value else "NULL::bytea"
            try:
                async with writer.transaction(isolation=isolation):
                    if chance.random() < 0.2:
                        await writer.execute("DELETE FROM people WHERE id = $1", number)
                        after = None
                    else:
                        await writer.execute(
                            f"""INSERT INTO people (id, email) VALUES ({number}, {made})
                                ON CONFLICT (id) DO UPDATE SET email = excluded.email"""
                        )
                        after = (value,)
            except asyncpg.SerializationError as refused:
                if "column was unsealed" in str(refused):
                    return
                continue
            written[mine] += 1
            truth.pop(number, None)
            if after is not None:
                truth[number] = after[0]

    tasks = [asyncio.create_task(write(mine)) for mine in range(2)]
    options = SealOptions(batch=5, pause=0.002, passes=6, settle_seconds=0.5)
    outcome = await unseal_field(connection, MAP, "people.email", CIPHERS, options=options)
    plain.set()
    await asyncio.gather(*tasks)
    assert min(written) > 5
    assert outcome.corrected == 0
    assert {number: value for number, (value, _) in (await values(connection)).items()} == truth
    for each in (connection, *writers):
        await each.close()


@pytest.mark.parametrize("around", ["ALTER TABLE people DISABLE TRIGGER ALL", "SET session_replication_role = replica"])
async def test_writes_around_the_trigger_are_found_by_the_comparison(database: Database, around: str) -> None:
    database.run(*PEOPLE)
    connection, writer = await database.connect_async(), await database.connect_async()
    await seal_field(connection, MAP, "people.email", CIPHERS, options=QUICK)
    with pytest.raises(Killed):
        await unseal_field(connection, MAP, "people.email", CIPHERS, options=QUICK, progress=stop_at("verify"))
    await writer.execute(around)
    await writer.execute("UPDATE people SET email = $1 WHERE id = 3", cell("email", "around", 3))
    await writer.execute(f'ALTER TABLE people ENABLE ALWAYS TRIGGER "~fg_open_{id_of(EMAIL)}"')
    outcome = await unseal_field(connection, MAP, "people.email", CIPHERS, options=QUICK)
    assert (outcome.filled, outcome.corrected) == (1, 1 if "DISABLE" in around else 0)
    assert (await values(connection))[3][0] == "around"
    await writer.close()
    await connection.close()


async def test_the_row_key_of_a_bound_cell_may_change(database: Database) -> None:
    database.run(*PEOPLE)
    connection = await database.connect_async()
    await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    with pytest.raises(Killed):
        await unseal_field(connection, MAP, "people.note", CIPHERS, options=QUICK, progress=stop_at("verify"))
    await connection.execute("UPDATE people SET id = 1001, note = $1 WHERE id = 1", cell("note", "moved", 1001))
    outcome = await unseal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    assert (outcome.filled, outcome.corrected) == (1, 0)
    assert (await values(connection))[1001][1] == "moved"
    await connection.close()


@pytest.mark.parametrize("fence", [True, False], ids=["fence", "no fence"])
async def test_a_transaction_from_before_is_fenced_off(
    database: Database, monkeypatch: pytest.MonkeyPatch, fence: bool
) -> None:
    """Without the fence a DELETE of an older snapshot says "0 rows" where 40 are."""
    if not fence:
        monkeypatch.setattr(UnsealRun, "raise_fence", lambda self, xid: ())
    database.run(*PEOPLE)
    older, connection = await database.connect_async(), await database.connect_async()
    await seal_field(connection, MAP, "people.email", CIPHERS, options=QUICK)
    transaction = older.transaction(isolation="repeatable_read")
    await transaction.start()
    await older.fetch("SELECT 1 FROM pg_class")
    outcome = await unseal_field(
        connection, MAP, "people.email", CIPHERS, options=SealOptions(fence_seconds=0, settle_seconds=0)
    )
    assert outcome.fenced is fence
    if fence:
        with pytest.raises(asyncpg.SerializationError, match="was unsealed after"):
            await older.execute("DELETE FROM people")
    else:
        assert await older.execute("DELETE FROM people") == "DELETE 0"
    await transaction.rollback()
    again = await unseal_field(connection, MAP, "people.email", CIPHERS, options=QUICK)
    assert (again.already, again.fenced) == (True, False)
    await older.close()
    await connection.close()
