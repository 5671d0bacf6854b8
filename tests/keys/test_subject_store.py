"""Secrets of data subjects in the control database: batches, wrapping, and that what is destroyed stays destroyed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import asyncpg
import pytest

from keys.errors import KeyringInvalid, SealBudgetExhausted, SubjectSecretInvalid
from keys.keyring import KeyNeed, Keyring
from keys.subject_store import SubjectKeys, SubjectStore
from keys.subjects import SubjectName
from tests.keys.making import CountedLeases
from tests.support.control_database import ControlDatabase, make_control
from tests.support.servers import Database

NEED = KeyNeed("shop", "a" * 32, "a", row_bound=True, subject_kind="customer")
ANNA, BORIS = SubjectName("customer", b"1"), SubjectName("customer", b"2")


def keyring() -> Keyring:
    return Keyring(()).with_new_keys(sorted(NEED.slots), "2026-01-01T00:00:00+00:00")


@dataclass
class Place:
    control: ControlDatabase
    ring: Keyring

    def store(
        self, ring: Keyring | None = None, controller: str = "shop", leases: CountedLeases | None = None
    ) -> SubjectStore:
        keys = {"customer": SubjectKeys.of(ring or self.ring, "shop", "customer")}
        return SubjectStore(controller, keys, self.control.connection, leases or CountedLeases())

    async def execute(self, statement: str) -> None:
        owner = await self.control.database.connect_async()
        try:
            await owner.execute(statement)
        finally:
            await owner.close()

    async def rows(self) -> list[asyncpg.Record]:
        async with self.control.connection() as connection:
            rows: list[asyncpg.Record] = await connection.fetch("SELECT * FROM fieldgate.subject_secrets ORDER BY tag")
            return rows


@pytest.fixture
async def place(database: Database) -> Place:
    made = Place(await make_control(database), keyring())
    for key in made.ring.keys:
        info = key.info
        await made.execute(
            "INSERT INTO fieldgate.data_keys (key_id, controller, scope, purpose, epoch, state, kek_uri, wrapped, code)"
            f" VALUES ('\\x{info.key_id.hex()}', '{info.slot.controller}', '{info.slot.scope}', '{info.slot.purpose}',"
            f" 1, 'active', 'x', 'x', sha256(''))"
        )
    return made


async def test_a_secret_is_made_once_and_found_again(place: Place) -> None:
    made = await place.store().make([ANNA, BORIS])
    assert len(set(made.values())) == 2 and all(len(secret or b"") == 32 for secret in made.values())
    assert await place.store().make([ANNA, BORIS]) == made
    assert await place.store().load([ANNA, BORIS]) == made


async def test_who_has_none_is_told(place: Place) -> None:
    await place.store().make([ANNA])
    loaded = await place.store().load([ANNA, BORIS])
    assert loaded[ANNA] and loaded[BORIS] is None


async def test_a_batch_is_two_round_trips_at_the_most(place: Place) -> None:
    store = place.store()
    names = [SubjectName("customer", b"%d" % number) for number in range(10_000)]
    made = await store.make(names)
    assert len(made) == 10_000 and None not in made.values()
    assert store.round_trips == 3  # looked for, made, looked for again
    again = place.store()
    assert await again.load(names) == made
    assert again.round_trips == 1


async def test_two_processes_make_one_secret(place: Place) -> None:
    names = [SubjectName("customer", b"%d" % number) for number in range(200)]
    first, second = await asyncio.gather(place.store().make(names), place.store().make(reversed(names)))
    assert first == second


async def test_what_is_destroyed_stays_so(place: Place) -> None:
    store = place.store()
    await store.make([ANNA, BORIS])
    assert await store.destroy(ANNA) and not await store.destroy(ANNA)
    assert await store.destroyed(ANNA) and not await store.destroyed(BORIS)
    assert (await store.make([ANNA]))[ANNA] == b""
    assert {row["wrapped"] is None for row in await place.rows()} == {True, False}


async def test_a_subject_that_never_had_one_gets_none_after_its_destruction(place: Place) -> None:
    store = place.store()
    assert await store.destroy(ANNA)
    assert (await store.make([ANNA]))[ANNA] == b""


async def test_the_database_keeps_tombstones(place: Place) -> None:
    store = place.store()
    await store.make([BORIS])
    await store.destroy(ANNA)
    for statement in (
        "DELETE FROM fieldgate.subject_secrets",
        "UPDATE fieldgate.subject_secrets SET wrapped = 'x', destroyed_at = NULL WHERE wrapped IS NULL",
        "UPDATE fieldgate.subject_secrets SET kind = 'other'",
    ):
        with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError):
            await place.execute(statement)


async def test_a_row_that_was_changed_does_not_unwrap(place: Place) -> None:
    store = place.store()
    await store.make([ANNA, BORIS])
    await place.execute(
        "UPDATE fieldgate.subject_secrets s SET wrapped = o.wrapped FROM fieldgate.subject_secrets o"
        f" WHERE s.tag = '\\x{store.tag(ANNA).hex()}' AND o.tag = '\\x{store.tag(BORIS).hex()}'"
    )
    with pytest.raises(SubjectSecretInvalid):
        await place.store().load([ANNA])
    await place.store().load([BORIS])


async def test_the_table_names_nobody(place: Place) -> None:
    name = SubjectName("customer", b"canary-subject-77")
    made = await place.store().make([name])
    shown = "".join(repr(tuple(row.values())) for row in await place.rows())
    assert "canary" not in shown
    assert (made[name] or b"?") not in b"".join(bytes(row["wrapped"]) for row in await place.rows())
    other = place.store(ring=keyring())
    assert place.store().tag(name) != other.tag(name)
    assert place.store().tag(name) != place.store(controller="another").tag(name)


async def test_secrets_are_counted_as_seals(place: Place) -> None:
    leases = CountedLeases(limit=2, block=2)
    store = place.store(leases=leases)
    await store.make([ANNA, BORIS])
    with pytest.raises(SealBudgetExhausted):
        await store.make([SubjectName("customer", b"3")])


async def test_a_kind_without_keys_is_an_error(place: Place) -> None:
    with pytest.raises(KeyringInvalid, match="employee"):
        await place.store().load([SubjectName("employee", b"1")])
    with pytest.raises(KeyringInvalid, match="fieldgate keys add"):
        SubjectKeys.of(place.ring, "shop", "employee")
