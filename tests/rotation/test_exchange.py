"""Exchanging a column's CHECK: at every point it is sealed, and what stands there decides what is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from keys.keyring import Keyring
from proxy.rotation.errors import RotationRefused
from proxy.rotation.exchange import admitted_now, exchange_check, next_check
from proxy.sealing.verify import verify_sealed
from tests.rotation.making import EMAIL, MAP, ciphers_of, rotated, seal
from tests.sealing.making import id_of

pytestmark = pytest.mark.integration


def in_turn(connection: asyncpg.Connection, then: Callable[[], Awaitable[None]] | None = None) -> object:
    async def retrying(step: Callable[[], Awaitable[None]]) -> None:
        async with connection.transaction():
            await step()
        if then is not None:
            await then()

    return retrying


async def test_wider_and_narrower_with_the_column_sealed_at_every_point(
    people: asyncpg.Connection, keyring: Keyring
) -> None:
    before, after = ciphers_of(keyring), ciphers_of(rotated(keyring, EMAIL))
    [old], [new] = before.heads()[id_of(EMAIL)], after.heads()[id_of(EMAIL)]
    seen = []

    async def look() -> None:
        seen.append(await verify_sealed(people, MAP, before.heads(), after.known_heads()))

    assert await exchange_check(people, EMAIL, {old, new}, in_turn(people, look))  # type: ignore[arg-type]
    assert seen == [(), (), ()]
    assert await admitted_now(people, EMAIL) == {old, new}
    await people.execute("UPDATE people SET email = $1 WHERE id = 1", seal(EMAIL, "a@b", 1, after))
    # Old cells are left, so it cannot become narrower yet, and stays as it is.
    assert not await exchange_check(people, EMAIL, {new}, in_turn(people))  # type: ignore[arg-type]
    assert await admitted_now(people, EMAIL) == {old, new}
    await people.execute("DELETE FROM people WHERE id > 1")
    assert await exchange_check(people, EMAIL, {new}, in_turn(people))  # type: ignore[arg-type]
    assert await verify_sealed(people, MAP, after.heads()) == ()
    with pytest.raises(asyncpg.CheckViolationError):
        await people.execute("UPDATE people SET email = $1", seal(EMAIL, "a@b", 1, before))


@pytest.mark.parametrize("kept", range(3))
async def test_broken_off_after_each_step_it_goes_on(people: asyncpg.Connection, keyring: Keyring, kept: int) -> None:
    after = ciphers_of(rotated(keyring, EMAIL))
    heads = ciphers_of(keyring).heads()[id_of(EMAIL)] | after.heads()[id_of(EMAIL)]
    left = kept

    async def dying() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await exchange_check(people, EMAIL, heads, in_turn(people, dying))  # type: ignore[arg-type]
    assert await exchange_check(people, EMAIL, heads, in_turn(people))  # type: ignore[arg-type]
    assert await admitted_now(people, EMAIL) == heads
    assert not await people.fetchval("SELECT count(*) FROM pg_constraint WHERE conname = $1", next_check(EMAIL))


async def test_without_a_sound_check_nothing_is_exchanged(people: asyncpg.Connection, keyring: Keyring) -> None:
    await people.execute(f"ALTER TABLE people DROP CONSTRAINT fg_{id_of(EMAIL)}")
    with pytest.raises(RotationRefused, match="not sealed"):
        await exchange_check(people, EMAIL, {bytes(12)}, in_turn(people))  # type: ignore[arg-type]
