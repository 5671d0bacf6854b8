"""Keyrings with several epochs in memory, their ciphers, and a sealed table of people."""

from __future__ import annotations

from dataclasses import replace

import asyncpg

from keys.keyring import HeldKey, KeyInfo, KeyPurpose, Keyring, KeyringCiphers, Slot
from keys.lifecycle import KeyState
from keys.primitives import random_bytes
from policies.fields import DataMap, Field
from proxy.rotation.places import Place
from proxy.sealing.needs import key_needs
from tests.keys.making import CountedLeases
from tests.sealing.making import KEY, create_sealed, data_map, field_of, id_of

EMAIL = field_of("email", 1, equality=True, unique=True, not_null=True)
NAME = field_of("Full Name", 2, equality=True, tokens=("match.1",))
NOTE = field_of("note", 3, row_bound=True)
PHONE = field_of("phone", 4, pad_to=32)
MAP = data_map(KEY, EMAIL, NAME, NOTE, PHONE, Field("public", "people", "city", "pd.test"))
SEALED = (EMAIL, NAME, NOTE, PHONE)


def first_keyring(made: DataMap = MAP) -> Keyring:
    empty = Keyring(())
    return empty.with_new_keys(empty.missing_for(key_needs(made)), "")


def slot_of(field: Field, controller: str = "shop") -> Slot:
    return Slot(controller, f"field:{id_of(field)}", KeyPurpose.CELL)


def with_state(keyring: Keyring, key_id: bytes, state: KeyState) -> Keyring:
    keys = [HeldKey(replace(k.info, state=state), k.material) if k.info.key_id == key_id else k for k in keyring.keys]
    return Keyring(tuple(keys))


def add_pre_active(keyring: Keyring, slot: Slot) -> tuple[Keyring, bytes]:
    epoch = max(i.epoch for i in keyring.infos if i.slot == slot) + 1
    key_id = random_bytes(8)
    info = KeyInfo(key_id, slot, epoch, KeyState.PRE_ACTIVE, "")
    return Keyring((*keyring.keys, HeldKey(info, random_bytes(32)))), key_id


def activate(keyring: Keyring, key_id: bytes) -> Keyring:
    slot = next(i.slot for i in keyring.infos if i.key_id == key_id)
    active = keyring.active(slot)
    if active is not None:
        keyring = with_state(keyring, active.info.key_id, KeyState.DECRYPT_ONLY)
    return with_state(keyring, key_id, KeyState.ACTIVE)


def rotated(keyring: Keyring, *fields: Field) -> Keyring:
    """The keyring with a new active key for each field, the old ones for opening."""
    for field in fields:
        keyring, key_id = add_pre_active(keyring, slot_of(field))
        keyring = activate(keyring, key_id)
    return keyring


def ciphers_of(keyring: Keyring, made: DataMap = MAP) -> KeyringCiphers:
    return keyring.ciphers(key_needs(made), CountedLeases())


def place_of(field: Field, made: DataMap = MAP) -> Place:
    return Place(made.database, made.controller, made.tables[field.schema, field.table], field)


def creation(ciphers: KeyringCiphers, made: DataMap = MAP) -> list[str]:
    return create_sealed(made, ciphers)


def values_of(number: int) -> tuple[str, str | None, str | None, str | None]:
    return (
        f"person{number}@example.org",
        None if number % 4 == 0 else f"Иван Person {number % 7}",
        None if number % 5 == 0 else f"note of {number}",
        "" if number % 6 == 0 else f"+7 900 {number:07}",
    )


def row_of(
    number: int, ciphers: KeyringCiphers
) -> tuple[int, bytes | None, bytes | None, bytes | None, bytes | None, str]:
    sealed = []
    for field, value in zip(SEALED, values_of(number), strict=True):
        sealed.append(None if value is None else seal(field, value, number, ciphers))
    return (number, *sealed, f"city {number % 3}")  # type: ignore[return-value]


def seal(field: Field, value: str, number: int, ciphers: KeyringCiphers) -> bytes:
    assert field.sealing is not None
    return ciphers.cipher(id_of(field)).seal(
        value.encode(),
        term_input=value.encode() if field.sealing.equality else None,
        row_key=b"%d" % number if field.sealing.row_bound else None,
    )


async def fill(connection: asyncpg.Connection, ciphers: KeyringCiphers, count: int) -> None:
    await connection.copy_records_to_table(
        "people",
        records=[row_of(number, ciphers) for number in range(1, count + 1)],
        columns=["id", "email", "Full Name", "note", "phone", "city"],
    )


async def opened(connection: asyncpg.Connection, ciphers: KeyringCiphers) -> dict[int, tuple[str | None, ...]]:
    found = {}
    for row in await connection.fetch('SELECT id, email, "Full Name", note, phone FROM people'):
        values = []
        for field in SEALED:
            cell, cipher = row[field.column], ciphers.cipher(id_of(field))
            key = b"%d" % row["id"] if field is NOTE else None
            values.append(None if cell is None else cipher.open(cell, row_key=key).decode())
        found[row["id"]] = tuple(values)
    return found


def truth(count: int) -> dict[int, tuple[str | None, ...]]:
    return {number: values_of(number) for number in range(1, count + 1)}
