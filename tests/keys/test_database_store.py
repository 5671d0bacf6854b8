"""The store of wrapped keys: the same suite over the control database and over its fake in memory."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import asyncpg
import pytest

from keys.database_store import DatabaseKeyStore, Move
from keys.errors import KeyringInvalid, KeyringLocked, KeyTransitionRefused, ProviderRefused, ProviderUnavailable
from keys.key_tables import DatabaseTables, KeyTables, Uses
from keys.keyring import LEDGER_SLOT, KeyNeed, KeyPurpose, Slot
from keys.lifecycle import KeyState
from keys.provider import Wrapping
from tests.support.control_database import ControlDatabase, make_control
from tests.support.memory_keys import MemoryProvider, MemoryTables
from tests.support.servers import Database

NEEDS = (
    KeyNeed("shop", "a" * 32, "a", equality=True),
    KeyNeed("shop", "b" * 32, "b", equality=True, join_group="mail"),
    KeyNeed("shop", "c" * 32, "c"),
)
CELL = NEEDS[0].cell_slot


@pytest.fixture
def provider() -> MemoryProvider:
    return MemoryProvider()


@pytest.fixture
async def control(database: Database) -> ControlDatabase:
    return await make_control(database)


@pytest.fixture(params=["memory", "database"])
async def tables(request: pytest.FixtureRequest) -> KeyTables:
    if request.param == "memory":
        return MemoryTables()
    control = await make_control(request.getfixturevalue("database"))
    return DatabaseTables(control.connection)


@pytest.fixture
async def store(tables: KeyTables, provider: MemoryProvider) -> DatabaseKeyStore:
    made = DatabaseKeyStore(tables, provider)
    assert await made.initialise()
    await made.add_missing(NEEDS)
    return made


async def active(store: DatabaseKeyStore, slot: Slot = CELL) -> bytes:
    [found] = [k for k in (await store.read()).keys if k.info.slot == slot and k.info.state is KeyState.ACTIVE]
    return found.info.key_id


# -- making and loading


async def test_an_empty_database_says_what_to_do(tables: KeyTables, provider: MemoryProvider) -> None:
    with pytest.raises(KeyringInvalid, match="fieldgate init"):
        await DatabaseKeyStore(tables, provider).read()


async def test_it_is_made_once(store: DatabaseKeyStore) -> None:
    before = await store.read()
    assert not await store.initialise()
    assert (await store.read()).keys == before.keys


async def test_every_field_gets_its_keys_and_nothing_twice(store: DatabaseKeyStore) -> None:
    slots = sorted({slot for need in NEEDS for slot in need.slots} | {LEDGER_SLOT})
    keys = (await store.read()).keys
    assert sorted(key.info.slot for key in keys) == slots
    assert {key.info.epoch for key in keys} == {1} and {key.info.state for key in keys} == {KeyState.ACTIVE}
    assert len({key.info.key_id for key in keys}) == len(keys)
    assert await store.add_missing(NEEDS) == ()


async def test_what_one_loads_another_loads(store: DatabaseKeyStore, provider: MemoryProvider) -> None:
    one = await store.load()
    other = await DatabaseKeyStore(store.tables, provider).load()
    assert one.number == other.number
    assert {k.info: k.material for k in one.keyring.keys} == {k.info: k.material for k in other.keyring.keys}
    assert len({k.material for k in one.keyring.keys}) == len(one.keyring.keys)


async def test_keys_that_are_known_are_not_unwrapped_again(store: DatabaseKeyStore, provider: MemoryProvider) -> None:
    known = (await store.load()).keyring
    provider.calls.clear()
    again = await store.load(known)
    assert provider.calls == []
    await store.create([CELL])
    provider.calls.clear()
    more = await store.load(again.keyring)
    assert provider.calls == ["unwrap"] and len(more.keyring.keys) == len(known.keys) + 1


async def test_without_the_provider_nothing_is_loaded(store: DatabaseKeyStore, provider: MemoryProvider) -> None:
    provider.down = True
    with pytest.raises(ProviderUnavailable):
        await DatabaseKeyStore(store.tables, provider).load()


async def test_a_provider_that_nobody_names(store: DatabaseKeyStore) -> None:
    with pytest.raises(KeyringLocked, match=r"wrapped by memory:test, which \[keys.provider\] does not name"):
        await DatabaseKeyStore(store.tables, MemoryProvider("memory:other")).load()


async def test_a_wrapped_key_does_not_unwrap_for_another(store: DatabaseKeyStore, provider: MemoryProvider) -> None:
    """Even whoever can make codes cannot let one key stand in for another: the provider binds the context."""
    one, other = (await store.read()).keys[:2]
    codes = store._known_codes()
    moved = replace(one, wrapped=other.wrapped)
    await store._write(await store.read(), [moved], codes)
    with pytest.raises(KeyringLocked):
        await DatabaseKeyStore(store.tables, provider).load()


# -- states


async def test_a_key_walks_through_its_life(store: DatabaseKeyStore) -> None:
    old = await active(store)
    [new] = await store.create([CELL])
    assert (new.info.epoch, new.info.state, new.activated_at) == (2, KeyState.PRE_ACTIVE, None)
    key_id = new.info.key_id
    await store.transition(
        [Move(old, KeyState.ACTIVE, KeyState.DECRYPT_ONLY), Move(key_id, KeyState.PRE_ACTIVE, KeyState.ACTIVE)]
    )
    assert await active(store) == key_id
    await store.transition([Move(old, KeyState.DECRYPT_ONLY, KeyState.DISABLED)])
    assert old not in {key.info.key_id for key in (await store.load()).keyring.keys}
    await store.transition([Move(old, KeyState.DISABLED, KeyState.DESTROYED)])
    gone = (await store.read()).key(old)
    assert gone is not None and gone.wrapped is None and gone.kek_uri is None
    assert gone.activated_at and gone.retired_at and gone.disabled_at and gone.destroyed_at
    [third] = await store.create([CELL])
    assert third.info.epoch == 3


async def test_each_change_counts_the_revision(store: DatabaseKeyStore) -> None:
    before = (await store.read()).number
    await store.create([CELL])
    assert (await store.read()).number == before + 1


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (KeyState.DECRYPT_ONLY, KeyState.DISABLED, "is active, not decrypt-only"),
        (KeyState.ACTIVE, KeyState.DESTROYED, "must be disabled first"),
        (KeyState.ACTIVE, KeyState.DISABLED, "cannot become disabled"),
    ],
)
async def test_what_may_not_follow_is_refused(
    store: DatabaseKeyStore, before: KeyState, after: KeyState, said: str
) -> None:
    number = (await store.read()).number
    with pytest.raises(KeyTransitionRefused, match=said):
        await store.transition([Move(await active(store), before, after)])
    assert (await store.read()).number == number


async def test_all_changes_or_none(store: DatabaseKeyStore) -> None:
    old = await active(store)
    with pytest.raises(KeyTransitionRefused, match="no key 0000000000000000"):
        await store.transition(
            [Move(old, KeyState.ACTIVE, KeyState.DECRYPT_ONLY), Move(bytes(8), KeyState.ACTIVE, KeyState.DECRYPT_ONLY)]
        )
    assert await active(store) == old


async def test_two_keys_are_never_active_for_one_slot(store: DatabaseKeyStore) -> None:
    [new] = await store.create([CELL])
    with pytest.raises(KeyTransitionRefused, match="has an active cell key already"):
        await store.transition([Move(new.info.key_id, KeyState.PRE_ACTIVE, KeyState.ACTIVE)])
    with pytest.raises(KeyTransitionRefused, match="has an active cell key already"):
        await store.create([CELL], KeyState.ACTIVE)


async def test_the_store_s_own_key_stays(store: DatabaseKeyStore) -> None:
    with pytest.raises(KeyTransitionRefused, match="verified by"):
        await store.transition([Move(await active(store, LEDGER_SLOT), KeyState.ACTIVE, KeyState.DECRYPT_ONLY)])


async def test_a_key_does_not_begin_retired(store: DatabaseKeyStore) -> None:
    with pytest.raises(KeyTransitionRefused):
        await store.create([CELL], KeyState.DECRYPT_ONLY)


async def test_changes_at_once_are_made_one_after_the_other(store: DatabaseKeyStore, provider: MemoryProvider) -> None:
    others = [DatabaseKeyStore(store.tables, provider) for _ in range(5)]
    await asyncio.gather(*(other.create([CELL]) for other in others))
    keys = [key for key in (await store.read()).keys if key.info.slot == CELL]
    assert [key.info.epoch for key in keys] == [1, 2, 3, 4, 5, 6]


async def test_one_wins_and_the_other_hears_it(store: DatabaseKeyStore, provider: MemoryProvider) -> None:
    """Compare-and-set: of two that want the same transition only one makes it."""
    [new] = await store.create([CELL])
    move = [Move(new.info.key_id, KeyState.PRE_ACTIVE, KeyState.DISABLED)]
    other = DatabaseKeyStore(store.tables, provider)
    done = await asyncio.gather(store.transition(move), other.transition(move), return_exceptions=True)
    assert sorted(isinstance(each, KeyTransitionRefused) for each in done) == [False, True]


# -- rows that were changed by hand


CHANGES = {
    "state": "UPDATE fieldgate.data_keys SET state = 'disabled' WHERE key_id = $1",
    "wrapped": "UPDATE fieldgate.data_keys SET wrapped = set_byte(wrapped, 20, get_byte(wrapped, 20) # 1)"
    " WHERE key_id = $1",
    "KEK": "UPDATE fieldgate.data_keys SET kek_uri = 'memory:other' WHERE key_id = $1",
    "date": "UPDATE fieldgate.data_keys SET activated_at = activated_at - interval '1 day' WHERE key_id = $1",
    "code": "UPDATE fieldgate.data_keys SET code = set_byte(code, 0, get_byte(code, 0) # 1) WHERE key_id = $1",
    "another's": "UPDATE fieldgate.data_keys d SET wrapped = o.wrapped, code = o.code FROM fieldgate.data_keys o"
    " WHERE d.key_id = $1 AND o.purpose = 'term'",
}


@pytest.fixture
async def real(control: ControlDatabase, provider: MemoryProvider) -> DatabaseKeyStore:
    made = DatabaseKeyStore(DatabaseTables(control.connection), provider)
    await made.initialise()
    await made.add_missing(NEEDS)
    return made


@pytest.mark.parametrize("change", CHANGES)
async def test_a_row_that_was_changed_by_hand_is_refused(
    control: ControlDatabase, real: DatabaseKeyStore, change: str
) -> None:
    key_id = await active(real)
    owner = await control.database.connect_async()
    await owner.execute(CHANGES[change], key_id)
    await owner.close()
    with pytest.raises(KeyringLocked, match=key_id.hex()) as refused:
        await real.read()
    assert "by hand" in str(refused.value)


async def test_a_count_of_seals_is_not_part_of_the_code(control: ControlDatabase, real: DatabaseKeyStore) -> None:
    async with control.connection() as connection:
        await connection.execute("UPDATE fieldgate.data_keys SET seals_granted = 7")
    await real.read()


async def test_a_row_that_was_removed_or_put_back_is_noticed(control: ControlDatabase, real: DatabaseKeyStore) -> None:
    key_id = await active(real)
    owner = await control.database.connect_async()
    kept = await owner.fetchrow("SELECT state, code FROM fieldgate.data_keys WHERE key_id = $1", key_id)
    await real.transition([Move(key_id, KeyState.ACTIVE, KeyState.DECRYPT_ONLY)])
    await owner.execute(
        "UPDATE fieldgate.data_keys SET state = $2, code = $3, retired_at = NULL WHERE key_id = $1", key_id, *kept
    )
    with pytest.raises(KeyringLocked, match="put back"):
        await real.read()
    await owner.execute("ALTER TABLE fieldgate.data_keys DISABLE TRIGGER keep_key_rows")
    await owner.execute("DELETE FROM fieldgate.data_keys WHERE key_id = $1", key_id)
    with pytest.raises(KeyringLocked, match="removed"):
        await real.read()
    await owner.close()


async def test_keys_without_their_store_s_key_are_refused(control: ControlDatabase, real: DatabaseKeyStore) -> None:
    owner = await control.database.connect_async()
    await owner.execute("ALTER TABLE fieldgate.data_keys DISABLE TRIGGER keep_key_rows")
    await owner.execute("DELETE FROM fieldgate.data_keys WHERE purpose = 'ledger'")
    with pytest.raises(KeyringInvalid, match="is gone"):
        await real.read()
    await owner.execute("DELETE FROM fieldgate.data_keys")
    with pytest.raises(KeyringInvalid, match="is gone"):
        await real.read()
    with pytest.raises(KeyringInvalid, match="lost its keys"):
        await real.initialise()
    await owner.close()


async def test_a_kind_of_key_of_a_later_version(control: ControlDatabase, real: DatabaseKeyStore) -> None:
    owner = await control.database.connect_async()
    await owner.execute("ALTER TABLE fieldgate.data_keys DROP CONSTRAINT data_keys_purpose_check")
    await owner.execute(
        "INSERT INTO fieldgate.data_keys (key_id, controller, scope, purpose, epoch, state, code)"
        " VALUES ('\\x0102030405060708', '', 's', 'something', 1, 'destroyed', sha256(''))"
    )
    await owner.close()
    with pytest.raises(KeyringInvalid, match="0102030405060708"):
        await real.read()


async def test_the_database_itself_keeps_rows(control: ControlDatabase, real: DatabaseKeyStore) -> None:
    owner = await control.database.connect_async()
    for statement in ("DELETE FROM fieldgate.data_keys", "UPDATE fieldgate.data_keys SET epoch = epoch + 1"):
        with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError):
            await owner.execute(statement)
    await owner.close()


async def test_everyone_hears_of_a_change(control: ControlDatabase, real: DatabaseKeyStore) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    listener = await control.connect()
    await listener.add_listener("fieldgate_keys", lambda *said: heard.put_nowait(said[3]))
    await real.create([CELL])
    assert await asyncio.wait_for(heard.get(), 10) == str((await real.read()).number)
    await listener.close()


# -- rewrapping


async def test_rewrap_touches_every_key_and_changes_none(store: DatabaseKeyStore, provider: MemoryProvider) -> None:
    before = {key.info: key.material for key in (await store.load()).keyring.keys}
    assert await store.rewrap() == 0
    await provider.rotate()
    told: list[tuple[int, int]] = []

    async def tell(done: int, total: int) -> None:
        told.append((done, total))

    assert await store.rewrap(tell, batch=2) == len(before)
    assert {provider.version_of(key.wrapped or b"") for key in (await store.read()).keys} == {"2"}
    after = (await DatabaseKeyStore(store.tables, provider).load()).keyring
    assert {key.info: key.material for key in after.keys} == before
    assert told[0] == (2, len(before)) and told[-1] == (len(before), len(before))


async def test_rewrap_moves_keys_to_another_provider(store: DatabaseKeyStore, provider: MemoryProvider) -> None:
    before = {key.info: key.material for key in (await store.load()).keyring.keys}
    new = MemoryProvider("memory:new")
    moving = DatabaseKeyStore(store.tables, new, [provider])
    assert await moving.rewrap() == len(before)
    provider.down = True
    after = (await DatabaseKeyStore(store.tables, new).load()).keyring
    assert {key.info: key.material for key in after.keys} == before


async def test_a_provider_that_gives_back_something_else_changes_nothing(
    store: DatabaseKeyStore, provider: MemoryProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await store.read()

    async def broken(items: list[Wrapping]) -> list[bytes]:
        return [provider._wrapped(bytes(32), item.context) for item in items]

    monkeypatch.setattr(provider, "wrap", broken)
    with pytest.raises(ProviderRefused):
        await store.create([CELL])
    monkeypatch.setattr(provider, "rewrap", broken)
    await provider.rotate()
    with pytest.raises(ProviderRefused):
        await store.rewrap()
    assert (await store.read()).keys == before.keys


# -- holders and uses


async def test_holders_confirm_and_are_waited_for(tables: KeyTables, store: DatabaseKeyStore) -> None:
    number, one, other = (await store.read()).number, uuid4(), uuid4()
    assert await tables.confirm(one, number, 30) == (True, number)
    assert await tables.confirm(other, number, 30) == (True, number)
    await store.create([CELL])
    assert {holder.holder_id for holder in await tables.behind(number + 1)} == {one, other}
    assert await tables.confirm(one, number, 30) == (True, number + 1)  # it goes on, and is told
    assert await tables.confirm(other, number + 1, 30) == (True, number + 1)
    assert [holder.holder_id for holder in await tables.behind(number + 1)] == [one]
    await tables.leave(one)
    assert await tables.behind(number + 1) == ()


async def test_nobody_enters_under_an_old_number(tables: KeyTables, store: DatabaseKeyStore) -> None:
    number = (await store.read()).number
    assert await tables.confirm(uuid4(), number - 1, 30) == (False, number)
    assert await tables.behind(number) == ()


async def test_who_was_struck_off_must_enter_anew(tables: KeyTables, store: DatabaseKeyStore) -> None:
    number, late = (await store.read()).number, uuid4()
    await tables.confirm(late, number, -6.0)  # its lease ended six seconds ago
    await store.create([CELL])
    assert await tables.behind(number + 1) == ()
    assert await tables.confirm(late, number, 30) == (False, number + 1)
    assert await tables.confirm(late, number + 1, 30) == (True, number + 1)


async def test_a_lease_that_has_just_passed_is_still_waited_for(tables: KeyTables, store: DatabaseKeyStore) -> None:
    number, late = (await store.read()).number, uuid4()
    await tables.confirm(late, number, -1.0)
    await store.create([CELL])
    assert [holder.holder_id for holder in await tables.behind(number + 1)] == [late]
    assert await tables.confirm(late, number, 30) == (True, number + 1)


async def test_uses_add_up(tables: KeyTables, store: DatabaseKeyStore) -> None:
    key_id, today = await active(store), date(2026, 11, 29)
    await tables.count_uses(today, {})
    await tables.count_uses(today, {key_id: Uses(3, 5)})
    await tables.count_uses(today, {key_id: Uses(1, 0)})
    await tables.count_uses(today + timedelta(days=1), {key_id: Uses(0, 2)})
    assert await tables.uses() == {key_id: Uses(4, 7)}


def test_purposes_have_their_own_contexts() -> None:
    slots = [Slot("shop", "field:a", purpose) for purpose in KeyPurpose]
    from keys.keyring import KeyInfo

    contexts = {KeyInfo(bytes(8), slot, 1, KeyState.ACTIVE, "").context for slot in slots}
    assert len(contexts) == len(slots)
