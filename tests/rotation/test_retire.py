"""Keys are disabled when nothing is under them, destroyed in two phases, verified cell by cell, and wrapped anew."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from keys.errors import UnknownKey
from keys.keyring import KeyPurpose
from keys.lifecycle import KeyState
from keys.records import StoredKey
from proxy.keywork.handler import Cancelled
from proxy.keywork.operation import OperationKind, Target
from proxy.rotation.due import Limits, due_keys, wishes
from proxy.rotation.errors import CellsDamaged, RotationRefused
from proxy.rotation.keks import rewrap, rotate_kek
from proxy.rotation.places import places_of
from proxy.rotation.retire import destroy_key, disable_key, enable_key
from proxy.rotation.rotate import rotate_data_key
from proxy.rotation.verify import verify_field
from proxy.sealing.ddl import check_constraint
from tests.rotation.making import EMAIL, MAP, NAME, NOTE, fill, place_of, seal, truth
from tests.rotation.working import Shop, Steps, all_opened, cancel, make_shop, operation_of
from tests.sealing.making import id_of
from tests.support.servers import Database

pytestmark = pytest.mark.integration


@pytest.fixture
async def shop(database: Database) -> Shop:
    return await make_shop(database)


@pytest.fixture
async def connection(shop: Shop) -> AsyncIterator[asyncpg.Connection]:
    made = await shop.database.connect_async()
    await fill(made, await shop.ciphers(), 20)
    yield made
    await made.close()


async def keys_of_email(shop: Shop) -> list[StoredKey]:
    scope = f"field:{id_of(EMAIL)}"
    keys = (await shop.store.read()).keys
    return [k for k in keys if k.info.slot.scope == scope and k.info.slot.purpose is KeyPurpose.CELL]


def about(key: StoredKey, kind: OperationKind = OperationKind.DISABLE_KEY, **more: object) -> Steps:
    return Steps(operation_of(kind, Target(key_id=key.name), **more))


async def rotate(shop: Shop, *cancelled: str) -> None:
    work = Steps(operation_of(OperationKind.ROTATE_DATA_KEY, Target("shop", EMAIL.name)))
    work.at = dict.fromkeys(cancelled, cancel)
    await rotate_data_key(shop.tools(), work)


async def test_from_active_to_destroyed(shop: Shop, connection: asyncpg.Connection) -> None:
    [old] = await keys_of_email(shop)
    with pytest.raises(RotationRefused, match="it is active"):
        await disable_key(shop.tools(), about(old))
    late = seal(EMAIL, "from a backup", 1, await shop.ciphers())
    await rotate(shop)
    work = about(old)
    await disable_key(shop.tools(), work)
    assert work.result == {"key": old.name, "scanned": [f"shop {EMAIL.name}"]}
    assert await shop.key_states(EMAIL) == ["disabled", "active"]
    with pytest.raises(UnknownKey):
        (await shop.ciphers()).cipher(id_of(EMAIL)).open(late)
    await enable_key(shop.tools(), about(old))
    assert (await shop.ciphers()).cipher(id_of(EMAIL)).open(late) == b"from a backup"
    await disable_key(shop.tools(), about(old))

    wanted = OperationKind.DESTROY_KEY
    with pytest.raises(RotationRefused, match="second person"):
        await destroy_key(shop.tools(), about(old, wanted))
    with pytest.raises(RotationRefused, match="second person"):
        await destroy_key(shop.tools(), about(old, wanted, approved_by="anna"))
    with pytest.raises(RotationRefused, match="disabled for 7 days"):
        await destroy_key(shop.tools(), about(old, wanted, approved_by="boris"))
    work = about(old, wanted, approved_by="boris")
    await destroy_key(shop.tools(), work, timedelta(0))
    assert await shop.key_states(EMAIL) == ["destroyed", "active"]
    assert "backups" in str(work.result["remains"])
    await destroy_key(shop.tools(), work, timedelta(0))  # killed before that was recorded
    with pytest.raises(RotationRefused, match="destroyed"):
        await enable_key(shop.tools(), about(old))
    assert await all_opened(shop, connection) == truth(20)


async def test_a_key_with_cells_under_it_stays(shop: Shop, connection: asyncpg.Connection) -> None:
    """Put back from a backup, around CHECK and fence, as its owner can."""
    [old] = await keys_of_email(shop)
    cell = seal(EMAIL, "from a backup", 1, await shop.ciphers())
    await rotate(shop)
    await connection.execute(f"ALTER TABLE people DROP CONSTRAINT fg_{id_of(EMAIL)}")
    await connection.execute("UPDATE people SET email = $1 WHERE id = 1", cell)
    heads = (await shop.ciphers()).heads()[id_of(EMAIL)]
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(f"ALTER TABLE people ADD {check_constraint(EMAIL, heads)}")
    await connection.execute(f"ALTER TABLE people ADD {check_constraint(EMAIL, heads)} NOT VALID")
    with pytest.raises(RotationRefused, match="not sealed"):
        await disable_key(shop.tools(), about(old))
    await connection.execute(f"UPDATE pg_constraint SET convalidated = true WHERE conname = 'fg_{id_of(EMAIL)}'")
    with pytest.raises(RotationRefused, match="1 cells of"):
        await disable_key(shop.tools(), about(old))
    assert await shop.key_states(EMAIL) == ["decrypt-only", "active"]


async def test_a_key_that_is_still_admitted_stays(shop: Shop, connection: asyncpg.Connection) -> None:
    [old] = await keys_of_email(shop)
    with pytest.raises(Cancelled):
        await rotate(shop, "narrow")
    assert await connection.fetchval("SELECT count(*) FROM people WHERE substr(email, 5, 8) = $1", old.info.key_id) == 0
    with pytest.raises(RotationRefused, match="still admits its cells"):
        await disable_key(shop.tools(), about(old))


async def test_a_cell_that_comes_in_meanwhile_brings_the_key_back(shop: Shop, connection: asyncpg.Connection) -> None:
    [old] = await keys_of_email(shop)
    cell = seal(EMAIL, "x", 1, await shop.ciphers())
    await rotate(shop)
    work = about(old)

    async def smuggle() -> None:
        async def second() -> None:
            name = f"fg_{id_of(EMAIL)}"
            query = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = $1"
            definition = await connection.fetchval(query, name)
            await connection.execute(f"ALTER TABLE people DROP CONSTRAINT {name}")
            await connection.execute("UPDATE people SET email = $1 WHERE id = 1", cell)
            await connection.execute(f"ALTER TABLE people ADD CONSTRAINT {name} {definition} NOT VALID")
            await connection.execute("UPDATE pg_constraint SET convalidated = true WHERE conname = $1", name)

        work.at[scan] = second

    scan = f"scan shop {EMAIL.name}"
    work.at[scan] = smuggle
    with pytest.raises(RotationRefused, match="1 cells of"):
        await disable_key(shop.tools(), work)
    assert await shop.key_states(EMAIL) == ["decrypt-only", "active"]


async def test_a_cancelled_disabling_is_taken_back(shop: Shop, connection: asyncpg.Connection) -> None:
    [old] = await keys_of_email(shop)
    await rotate(shop)
    work, scan = about(old), f"scan shop {EMAIL.name}"

    async def second_time() -> None:
        work.at[scan] = cancel

    work.at[scan] = second_time
    with pytest.raises(Cancelled):
        await disable_key(shop.tools(), work)
    assert await shop.key_states(EMAIL) == ["decrypt-only", "active"]


async def test_a_destruction_is_not_cancelled_when_it_is_done(shop: Shop, connection: asyncpg.Connection) -> None:
    [old] = await keys_of_email(shop)
    await rotate(shop)
    await disable_key(shop.tools(), about(old))
    await shop.store.tables.confirm(uuid4(), (await shop.store.read()).number, 1.0)  # it stops when its lease is over
    work = about(old, OperationKind.DESTROY_KEY, approved_by="boris")
    waiting = "destroyed: waiting for 1 processes to load the keys"
    work.at[waiting] = cancel
    await destroy_key(shop.tools(), work, timedelta(0))
    assert waiting in work.seen and "destroyed" in work.result


async def test_verify_counts_what_does_not_open_or_would_not_be_found(
    shop: Shop, connection: asyncpg.Connection
) -> None:
    def of(field: object) -> Steps:
        return Steps(operation_of(OperationKind.VERIFY, Target("shop", field.name)))  # type: ignore[attr-defined]

    for field in (EMAIL, NAME, NOTE):
        work = of(field)
        await verify_field(shop.tools(batch=7), work)
        [report] = work.result["verified"]  # type: ignore[misc]
        cells = await connection.fetchval(f'SELECT count("{field.column}") FROM people')
        assert (report["cells"], report["damaged"], report["wrong_terms"]) == (cells, 0, 0)
        assert list(report["by_key"].values()) == [cells]
        assert work.progress == (cells, cells)
    ciphers = await shop.ciphers()
    wrong = ciphers.cipher(id_of(EMAIL)).seal(b"one", term_input=b"another")
    moved = await connection.fetchval("SELECT note FROM people WHERE id = 2")
    await connection.execute("UPDATE people SET email = $1, note = $2 WHERE id = 1", wrong, moved)
    for field, damaged, wrong_terms in ((EMAIL, 0, 1), (NOTE, 1, 0)):
        work = of(field)
        with pytest.raises(CellsDamaged, match="1 cells"):
            await verify_field(shop.tools(), work)
        [report] = work.result["verified"]  # type: ignore[misc]
        assert (report["damaged"], report["wrong_terms"]) == (damaged, wrong_terms)


async def test_wrapping_anew_touches_no_cell(shop: Shop, connection: asyncpg.Connection) -> None:
    before = await connection.fetch("SELECT * FROM people ORDER BY id")
    wrapped = {key.name: key.wrapped for key in (await shop.store.read()).keys}
    work = Steps(operation_of(OperationKind.ROTATE_KEK, Target()))
    await rotate_kek(shop.tools(), work)
    assert work.result["rewrapped"] == len(wrapped)
    assert work.result["kek_version"] == "2"
    after = {key.name: key.wrapped for key in (await shop.store.read()).keys}
    assert all(after[name] != blob for name, blob in wrapped.items())
    await rotate_kek(shop.tools(), work)  # killed before its end was recorded: no third version, nothing to wrap
    assert (work.result["rewrapped"], work.result["kek_version"]) == (0, "2")
    work = Steps(operation_of(OperationKind.REWRAP, Target()))
    await rewrap(shop.tools(), work)
    assert work.result["rewrapped"] == 0
    assert await connection.fetch("SELECT * FROM people ORDER BY id") == before
    assert await all_opened(shop, connection) == truth(20)


async def test_what_is_due_is_asked_for_once(shop: Shop) -> None:
    snapshot = await shop.store.read()
    assert due_keys(snapshot, Limits()) == []
    assert len(due_keys(snapshot, Limits(after=timedelta(0)))) == 4
    scope = f"field:{id_of(NOTE)}"
    grown = [replace(k, seals_granted=1 << 30) if k.info.slot.scope == scope else k for k in snapshot.keys]
    snapshot = replace(snapshot, keys=tuple(grown))
    [key] = due_keys(snapshot, Limits(after=None))
    assert key.info.state is KeyState.ACTIVE
    assert due_keys(snapshot, Limits(after=None, after_cells=1 << 32)) == []
    [wish] = wishes([key], places_of({"shop": MAP}))
    assert wish.target == Target("shop", NOTE.name)
    assert wish.requested_by == "fieldgate"
    assert wish.locks == (f"keys shop/field:{id_of(NOTE)}",)
    [again] = wishes([key], places_of({"shop": MAP}))
    assert (again.idempotency_key, again.digest) == (wish.idempotency_key, wish.digest)
    assert list(wishes([key], [])) == []


async def test_cells_under_subjects_secrets_are_due_as_others(shop: Shop) -> None:
    sealing = replace(NOTE.sealing, subject_kind="customer")  # type: ignore[type-var]
    place = replace(place_of(NOTE), field=replace(NOTE, sealing=sealing))
    due = due_keys(await shop.store.read(), Limits(after=timedelta(0)))
    assert [wish.target.field for wish in wishes(due, [place])] == [NOTE.name]
