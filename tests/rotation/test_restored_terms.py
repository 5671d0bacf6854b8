"""A table that is restored from before rotations of its term key: it is not served as it is, but sealed anew."""

from __future__ import annotations

import asyncpg
import pytest

from proxy.sealing.job import seal_field, unseal_field
from proxy.sealing.plan import plan_lines, plan_sealing
from proxy.sealing.run import SealOptions
from proxy.sealing.verify import verify_sealed
from tests.rotation.test_rotate_tokens import MAP, NAME, NOTE, connection, require_found, rotate, shop, steps_of
from tests.rotation.working import Shop
from tests.sealing.making import create_sealed

pytestmark = pytest.mark.integration
__all__ = ["connection", "shop"]
QUICK = SealOptions(batch=20, settle_seconds=0)


@pytest.mark.parametrize("times", [1, 2])
async def test_a_restored_table(shop: Shop, connection: asyncpg.Connection, times: int) -> None:
    """After two rotations its CHECK and cells look just like those of the active key."""
    table = create_sealed(MAP, await shop.ciphers())
    backup = await connection.fetch("SELECT id, name, note, born FROM people")
    for _ in range(times):
        await rotate(shop, steps_of(NAME))
        await rotate(shop, steps_of(NOTE))
    await connection.execute("DROP TABLE people")
    for statement in table:
        await connection.execute(statement)
    await connection.executemany("INSERT INTO people (id, name, note, born) VALUES ($1, $2, $3, $4)", backup)

    ciphers = await shop.ciphers()
    if times == 2:
        assert await verify_sealed(connection, MAP, ciphers.heads(), ciphers.known_heads()) == ()
    problems = await verify_sealed(connection, MAP, ciphers.heads(), ciphers.known_heads(), ciphers.epochs())
    assert {problem.field for problem in problems} == {NAME.name, NOTE.name}
    if times == 2:
        assert "column fg_note_tk is of epoch 1 of its term key, and cells would be written by epoch 3" in str(problems)

    assert any(
        "dropped  column fg_name_tk," in line
        for line in plan_lines(await plan_sealing(connection, MAP, NAME.name, seals=False))
    )
    for field in (NAME, NOTE):
        await unseal_field(connection, MAP, field.name, ciphers, options=QUICK)
        await seal_field(connection, MAP, field.name, ciphers, options=QUICK)
        assert (await seal_field(connection, MAP, field.name, ciphers, options=QUICK)).already
    assert await verify_sealed(connection, MAP, ciphers.heads(), ciphers.known_heads(), ciphers.epochs()) == ()
    await require_found(shop, connection)
