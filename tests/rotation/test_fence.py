"""The write fence: from its moment on only the new head comes in, and old cells that are left hinder nobody."""

from __future__ import annotations

import asyncpg
import pytest

from keys.keyring import Keyring, KeyringCiphers
from policies.fields import Field
from proxy.rotation.exchange import exchange_check
from proxy.rotation.fence import fence_state, lower_fence, raise_fence
from proxy.rotation.survey import survey
from proxy.sealing.fences import FENCE_MESSAGE
from proxy.sealing.verify import verify_sealed
from tests.rotation.making import EMAIL, MAP, PHONE, ciphers_of, creation, place_of, rotated, row_of, seal
from tests.rotation.test_exchange import in_turn
from tests.sealing.making import data_map, field_of, id_of
from tests.support.servers import Database

pytestmark = pytest.mark.integration


async def run(connection: asyncpg.Connection, statements: tuple[str, ...]) -> None:
    async with connection.transaction():
        for statement in statements:
            await connection.execute(statement)


async def fenced(connection: asyncpg.Connection, field: Field, before: Keyring, after: Keyring) -> KeyringCiphers:
    """The CHECK admits both heads and the fence the new one; returns the ciphers of the new key."""
    ciphers = ciphers_of(after)
    heads = ciphers_of(before).heads()[id_of(field)] | ciphers.heads()[id_of(field)]
    assert await exchange_check(connection, field, heads, in_turn(connection))  # type: ignore[arg-type]
    [head] = ciphers.heads()[id_of(field)]
    await run(connection, raise_fence(field, head, await survey(connection, place_of(field))))
    return ciphers


WRITES = (
    "INSERT INTO people (id, email) VALUES (1000, $1)",
    "UPDATE people SET email = $1 WHERE id = 1",
    "INSERT INTO people (id, email) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET email = excluded.email",
    """MERGE INTO people p USING (VALUES (1)) s(id) ON p.id = s.id WHEN MATCHED THEN UPDATE SET email = $1""",
)


@pytest.mark.parametrize("statement", WRITES)
@pytest.mark.parametrize("role", ["origin", "replica"])
async def test_the_old_head_does_not_come_in(
    people: asyncpg.Connection, keyring: Keyring, statement: str, role: str
) -> None:
    after = await fenced(people, EMAIL, keyring, rotated(keyring, EMAIL))
    await people.execute(f"SET session_replication_role = {role}")
    with pytest.raises(asyncpg.SerializationError, match=FENCE_MESSAGE):
        await people.execute(statement, seal(EMAIL, "new@example.org", 1, ciphers_of(keyring)))
    await people.execute(statement, seal(EMAIL, "new@example.org", 1, after))


async def test_without_the_fence_it_would(people: asyncpg.Connection, keyring: Keyring) -> None:
    """The CHECK alone admits both heads: this is what the fence is for."""
    await fenced(people, EMAIL, keyring, rotated(keyring, EMAIL))
    await run(people, lower_fence(EMAIL, await survey(people, place_of(EMAIL))))
    await people.execute(WRITES[0], seal(EMAIL, "new@example.org", 1, ciphers_of(keyring)))
    assert await people.fetchval("SELECT count(*) FROM pg_proc WHERE proname LIKE 'fg_%'") == 0


async def test_copy_is_fenced(people: asyncpg.Connection, keyring: Keyring) -> None:
    await fenced(people, EMAIL, keyring, rotated(keyring, EMAIL))
    with pytest.raises(asyncpg.SerializationError, match=FENCE_MESSAGE):
        await people.copy_records_to_table(
            "people",
            records=[row_of(1000, ciphers_of(keyring))],
            columns=["id", "email", "Full Name", "note", "phone", "city"],
        )


async def test_old_cells_that_stay_as_they_are_hinder_nobody(people: asyncpg.Connection, keyring: Keyring) -> None:
    await fenced(people, EMAIL, keyring, rotated(keyring, EMAIL))
    assert await people.execute("UPDATE people SET city = 'elsewhere', email = email") == "UPDATE 60"
    await people.execute("UPDATE people SET phone = NULL")
    await people.execute("DELETE FROM people WHERE id < 10")


async def test_null_passes(people: asyncpg.Connection, keyring: Keyring) -> None:
    await fenced(people, PHONE, keyring, rotated(keyring, PHONE))
    await people.execute("UPDATE people SET phone = NULL")


async def test_it_waits_for_who_has_written(people: asyncpg.Connection, keyring: Keyring, database: Database) -> None:
    """A transaction with an old cell that is not committed yet holds the fence up: afterwards its cell is there."""
    writer = await database.connect_async()
    transaction = writer.transaction()
    await transaction.start()
    await writer.execute("UPDATE people SET email = $1 WHERE id = 1", seal(EMAIL, "x", 1, ciphers_of(keyring)))
    await people.execute("SET lock_timeout = '50ms'")
    statements = raise_fence(EMAIL, bytes(12), await survey(people, place_of(EMAIL)))
    with pytest.raises(asyncpg.LockNotAvailableError):
        await run(people, statements)
    await transaction.rollback()
    await run(people, statements)
    await writer.close()


async def test_it_is_read_back_whole_or_not_at_all(people: asyncpg.Connection, keyring: Keyring) -> None:
    members = await survey(people, place_of(EMAIL))
    assert (await fence_state(people, EMAIL, members)).head is None
    after = await fenced(people, EMAIL, keyring, rotated(keyring, EMAIL))
    [head] = after.heads()[id_of(EMAIL)]
    assert (await fence_state(people, EMAIL, members)).head == head
    trigger = f'"~fg_fence_{id_of(EMAIL)}_key_upd"'
    await people.execute(f"ALTER TABLE people DISABLE TRIGGER {trigger}")
    assert (await fence_state(people, EMAIL, members)).head is None
    await people.execute(f"DROP TRIGGER {trigger} ON people")
    assert (await fence_state(people, EMAIL, members)).head is None


async def test_a_proxy_that_would_write_the_old_head_learns_it(people: asyncpg.Connection, keyring: Keyring) -> None:
    after = await fenced(people, EMAIL, keyring, rotated(keyring, EMAIL))
    assert await verify_sealed(people, MAP, after.heads(), after.known_heads()) == ()
    [problem] = await verify_sealed(people, MAP, ciphers_of(keyring).heads(), after.known_heads())
    assert "write fence" in problem.reason
    [admits, fence] = await verify_sealed(people, MAP, ciphers_of(keyring).heads())
    assert "may not be written now" in admits.reason
    assert "write fence" in fence.reason


async def test_partitions_old_and_new_are_fenced(database: Database) -> None:
    code = field_of("code", 7)
    made = data_map(code, row_key=None)
    from tests.rotation.making import first_keyring

    keyring = first_keyring(made)
    before, after = ciphers_of(keyring, made), ciphers_of(rotated(keyring, code), made)
    [create] = creation(before, made)
    database.run(
        f"{create.replace('%', '%%')} PARTITION BY RANGE (id)",
        "CREATE TABLE people_1 PARTITION OF people FOR VALUES FROM (0) TO (100)",
    )
    connection = await database.connect_async()
    heads = before.heads()[id_of(code)] | after.heads()[id_of(code)]
    assert await exchange_check(connection, code, heads, in_turn(connection))  # type: ignore[arg-type]
    members = await survey(connection, place_of(code, made))
    assert [m.name for m in members] == ["people_1"]
    [head] = after.heads()[id_of(code)]
    await run(connection, raise_fence(code, head, members))
    await connection.execute("CREATE TABLE people_2 PARTITION OF people FOR VALUES FROM (100) TO (200)")
    old = before.cipher(id_of(code)).seal(b"x")
    for number in (1, 101):
        with pytest.raises(asyncpg.SerializationError):
            await connection.execute("INSERT INTO people (id, code) VALUES ($1, $2)", number, old)
        await connection.execute("SET session_replication_role = replica")
        with pytest.raises(asyncpg.SerializationError):
            await connection.execute("INSERT INTO people (id, code) VALUES ($1, $2)", number, old)
        await connection.execute("SET session_replication_role = origin")
    members = await survey(connection, place_of(code, made))
    assert (await fence_state(connection, code, members)).head == head
    await run(connection, lower_fence(code, members))
    assert await connection.fetchval("SELECT count(*) FROM pg_trigger WHERE tgname LIKE '~fg%'") == 0
    await connection.close()
