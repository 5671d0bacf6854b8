"""Old term keys are disabled when nothing is of them, and destroyed in two phases."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from keys.errors import UnknownKey
from keys.keyring import KeyPurpose, subject_slots
from keys.records import StoredKey
from proxy.keywork.handler import Cancelled
from proxy.keywork.operation import OperationKind, Target
from proxy.rotation import term_use
from proxy.rotation.errors import RotationRefused
from proxy.rotation.retire import destroy_key, disable_key, enable_key
from proxy.sealing.ddl import check_constraint
from tests.rotation.test_rotate_terms import (
    EMAIL,
    NAME,
    OTHER,
    ROWS,
    connection,
    require_found,
    require_rotated,
    rotate,
    shop,
    steps_of,
)
from tests.rotation.working import Shop, Steps, cancel, operation_of
from tests.sealing.making import id_of

pytestmark = pytest.mark.integration
__all__ = ["connection", "shop"]


async def terms_of(shop: Shop, scope: str = "group:mail") -> list[StoredKey]:
    keys = (await shop.store.read()).keys
    return [k for k in keys if k.info.slot.scope == scope and k.info.slot.purpose is KeyPurpose.TERM]


async def states(shop: Shop) -> list[str]:
    return [key.info.state.value for key in await terms_of(shop)]


def about(key: StoredKey, kind: OperationKind = OperationKind.DISABLE_KEY, **more: object) -> Steps:
    return Steps(operation_of(kind, Target(key_id=key.name), **more))


async def test_from_active_to_destroyed(shop: Shop, connection: asyncpg.Connection) -> None:
    [old] = await terms_of(shop)
    with pytest.raises(RotationRefused, match="it is active"):
        await disable_key(shop.tools(), about(old))
    await rotate(shop, steps_of())
    work = about(old)
    await disable_key(shop.tools(), work)
    assert work.result == {"key": old.name, "scanned": [f"shop {EMAIL.name}", f"shop {OTHER.name}"]}
    assert await states(shop) == ["disabled", "active"]
    email = (await shop.ciphers()).cipher(id_of(EMAIL))
    email.term(b"x", 2)
    with pytest.raises(UnknownKey):
        email.term(b"x", 1)
    await require_found(shop, connection)
    await enable_key(shop.tools(), about(old))
    (await shop.ciphers()).cipher(id_of(EMAIL)).term(b"x", 1)
    await disable_key(shop.tools(), about(old))

    wanted = OperationKind.DESTROY_KEY
    with pytest.raises(RotationRefused, match="second person"):
        await destroy_key(shop.tools(), about(old, wanted))
    with pytest.raises(RotationRefused, match="disabled for 7 days"):
        await destroy_key(shop.tools(), about(old, wanted, approved_by="boris"))
    work = about(old, wanted, approved_by="boris")
    await destroy_key(shop.tools(), work, timedelta(0))
    assert await states(shop) == ["destroyed", "active"]
    assert "backups and WAL of the data" in str(work.result["remains"])
    await rotate(shop, steps_of())  # epochs go on behind a key that is gone
    await require_rotated(shop, connection, 3)
    await require_found(shop, connection)


async def test_a_rotation_that_is_not_at_its_end_keeps_the_old_key(shop: Shop, connection: asyncpg.Connection) -> None:
    [old] = await terms_of(shop)
    for step, why in (("key", "it is active"), ("re-encrypt", "it is active"), ("activated", "cells of another epoch")):
        work = steps_of()
        work.at[step] = cancel
        with pytest.raises(Cancelled):
            await rotate(shop, work)
        with pytest.raises(RotationRefused, match=why):
            await disable_key(shop.tools(), about(old))
    pending = (await terms_of(shop))[-1]
    assert await states(shop) == ["decrypt-only", "active"]
    assert pending.info.epoch == 2
    await rotate(shop, steps_of())
    await disable_key(shop.tools(), about(old))


async def test_a_key_that_is_waiting_to_be_active_is_not_disabled(shop: Shop, connection: asyncpg.Connection) -> None:
    """Its epoch would be left out, and the next rotation could not go on."""
    work = steps_of()
    work.at["key"] = cancel
    with pytest.raises(Cancelled):
        await rotate(shop, work)
    with pytest.raises(RotationRefused, match="no newer key"):
        await disable_key(shop.tools(), about((await terms_of(shop))[-1]))
    assert await states(shop) == ["active", "pre-active"]


@pytest.mark.parametrize("column", ["fg_email_eq", "fg_other_eq_7"])
async def test_a_column_that_is_left_keeps_the_key(shop: Shop, connection: asyncpg.Connection, column: str) -> None:
    [old] = await terms_of(shop)
    await rotate(shop, steps_of())
    await connection.execute(f"ALTER TABLE people ADD COLUMN {column} bytea")
    with pytest.raises(RotationRefused, match=f"people has the columns [^:]*{column}"):
        await disable_key(shop.tools(), about(old))
    await connection.execute(f"ALTER TABLE people DROP COLUMN {column}")
    await disable_key(shop.tools(), about(old))


async def test_a_cell_of_the_old_epoch_keeps_the_key(shop: Shop, connection: asyncpg.Connection) -> None:
    """Put back from a backup, around the CHECK, as its owner can; where another comes in meanwhile, it is enabled."""
    [old] = await terms_of(shop)
    cell = await connection.fetchval("SELECT other FROM people WHERE id = 1")
    await rotate(shop, steps_of())
    heads = (await shop.ciphers()).heads()[id_of(OTHER)]

    async def smuggle() -> None:
        await connection.execute(f"ALTER TABLE people DROP CONSTRAINT fg_{id_of(OTHER)}")
        await connection.execute("UPDATE people SET other = $1 WHERE id = 1", cell)
        await connection.execute(f"ALTER TABLE people ADD {check_constraint(OTHER, heads)} NOT VALID")
        await connection.execute(f"UPDATE pg_constraint SET convalidated = true WHERE conname = 'fg_{id_of(OTHER)}'")

    before = await connection.fetchval("SELECT other FROM people WHERE id = 1")
    work, first = about(old), f"scan shop {EMAIL.name}"

    async def second_time() -> None:
        work.at[first] = smuggle

    work.at["verify"] = second_time
    with pytest.raises(RotationRefused, match="1 cells of"):
        await disable_key(shop.tools(), work)
    assert await states(shop) == ["decrypt-only", "active"]
    with pytest.raises(RotationRefused, match="1 cells of"):
        await disable_key(shop.tools(), about(old))
    await connection.execute("UPDATE people SET other = $1 WHERE id = 1", before)
    await disable_key(shop.tools(), about(old))


async def test_terms_of_the_epoch_before_the_last_are_found_by_opening(
    shop: Shop, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their cells look like those of the active key, and the CHECK takes them."""
    first = (await terms_of(shop))[0]
    cell = await connection.fetchval("SELECT other FROM people WHERE id = 1")
    await rotate(shop, steps_of())
    await rotate(shop, steps_of())
    await connection.execute("UPDATE people SET other = $1 WHERE id = 1", cell)
    with pytest.raises(RotationRefused, match="1 have other terms"):
        await disable_key(shop.tools(), about(first))
    assert await states(shop) == ["decrypt-only", "decrypt-only", "active"]

    async def nothing(*_: object) -> None:
        pass

    monkeypatch.setattr(term_use, "_require_opened", nothing)
    await disable_key(shop.tools(), about(first))  # nothing else would have found it


async def test_a_key_of_tokens(shop: Shop, connection: asyncpg.Connection) -> None:
    cipher = (await shop.ciphers()).cipher(id_of(NAME))
    await connection.execute("UPDATE people SET name = $1", cipher.seal(b"Anna", term_input=b"Anna"))
    [old] = await terms_of(shop, f"field:{id_of(NAME)}")
    await rotate(shop, steps_of(NAME))
    await connection.execute("ALTER TABLE people RENAME COLUMN fg_name_tk_2 TO fg_name_tk")
    with pytest.raises(RotationRefused, match="has the columns fg_name_eq_2, fg_name_tk, and the active key's are"):
        await disable_key(shop.tools(), about(old))
    await connection.execute("ALTER TABLE people RENAME COLUMN fg_name_tk TO fg_name_tk_2")
    await disable_key(shop.tools(), about(old))
    with pytest.raises(UnknownKey):
        (await shop.ciphers()).cipher(id_of(NAME)).tokens([b"x"], 1)
    assert await connection.fetchval("SELECT count(*) FROM people WHERE fg_name_tk_2 <> '{}'") == ROWS


def test_the_key_that_finds_subjects_secrets_is_none_of_fields() -> None:
    wrapping, finding = subject_slots("shop", "customer")
    assert not term_use.makes_terms(wrapping)
    assert not term_use.makes_terms(finding)
