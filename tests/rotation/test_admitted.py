"""While a key is rotated: which key a proxy seals with follows from what the database takes, step by step (I7)."""

from __future__ import annotations

import asyncpg
import pytest

from keys.keyring import Keyring
from proxy.rotation.exchange import exchange_check
from proxy.rotation.fence import raise_fence
from proxy.rotation.survey import survey
from proxy.sealing.admitted import read_admitted
from proxy.sealing.needs import key_needs
from proxy.sealing.verify import verify_sealed
from tests.keys.making import CountedLeases
from tests.rotation.making import MAP, PHONE, activate, add_pre_active, ciphers_of, place_of, slot_of
from tests.rotation.test_exchange import in_turn
from tests.rotation.test_fence import run
from tests.sealing.making import id_of

pytestmark = pytest.mark.integration
FIELD = id_of(PHONE)


async def chosen(people: asyncpg.Connection, keyring: Keyring) -> bytes:
    """The id of the key that a proxy with this keyring seals PHONE with; all of it must verify."""
    admitted = await read_admitted(people, MAP)
    ciphers = keyring.ciphers(key_needs(MAP), CountedLeases(), admitted)
    assert await verify_sealed(people, MAP, ciphers.heads(), ciphers.known_heads()) == ()
    return ciphers.cipher(FIELD).head[4:]


async def test_the_sealing_key_through_a_rotation(people: asyncpg.Connection, keyring: Keyring) -> None:
    old = keyring.active(slot_of(PHONE))
    assert old is not None
    waiting, new = add_pre_active(keyring, slot_of(PHONE))
    switched = activate(waiting, new)
    first, second = ciphers_of(waiting).heads()[FIELD], ciphers_of(switched).heads()[FIELD]
    for ring in (keyring, waiting, switched):  # a proxy may be ahead of the database
        assert await chosen(people, ring) == old.info.key_id
    assert await exchange_check(people, PHONE, first | second, in_turn(people))  # type: ignore[arg-type]
    assert await chosen(people, waiting) == old.info.key_id
    assert await chosen(people, switched) == new
    await run(people, raise_fence(PHONE, *second, await survey(people, place_of(PHONE))))
    for ring in (waiting, switched):  # whatever the control database says, the fence decides
        assert await chosen(people, ring) == new
    await people.execute("UPDATE people SET phone = NULL")  # as if all were re-encrypted
    assert await exchange_check(people, PHONE, second, in_turn(people))  # type: ignore[arg-type]
    for ring in (waiting, switched):
        assert await chosen(people, ring) == new
