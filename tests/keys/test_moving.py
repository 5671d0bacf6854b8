"""A keyring file's keys in the control database: the same keys, the same counts, once, whatever is killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from keys import moving
from keys.database_store import DatabaseKeyStore
from keys.errors import KeyringInvalid, KeyringLocked, KeyTransitionRefused, ProviderUnavailable
from keys.keyring import LEDGER_SLOT, KeyNeed, Keyring
from keys.leases import FIRST_BLOCK
from keys.lifecycle import KeyState
from keys.moving import ASIDE, move_keyring
from keys.providers.local import LOWEST_COST
from keys.store import add_missing_keys, init_keyring, open_keyring
from tests.support.memory_keys import MemoryProvider, MemoryTables

PASSPHRASE = "a passphrase of tests"
NEEDS = (KeyNeed("shop", "a" * 32, "a", equality=True), KeyNeed("shop", "b" * 32, "b"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "keyring"
    init_keyring(made, PASSPHRASE, cost=LOWEST_COST)
    add_missing_keys(made, PASSPHRASE, NEEDS)
    return made


@pytest.fixture
async def store() -> DatabaseKeyStore:
    made = DatabaseKeyStore(MemoryTables(), MemoryProvider())
    await made.initialise()
    return made


def names(path: Path) -> set[str]:
    return {found.name for found in path.parent.iterdir() if not found.name.endswith(".lock")}


def materials(keyring: Keyring) -> dict[object, bytes]:
    """By everything that is known of a key; each store has a key of its own for its rows."""
    return {key.info: key.material for key in keyring.keys if key.info.slot != LEDGER_SLOT}


async def test_keys_and_counts_are_the_same(path: Path, store: DatabaseKeyStore) -> None:
    opened = open_keyring(path, PASSPHRASE)
    before, cell = materials(opened.keyring), opened.keyring.active(NEEDS[0].cell_slot)
    assert cell is not None
    opened.leases().lease(cell.info.key_id)
    moved = await move_keyring(store, path, PASSPHRASE)
    assert moved.keys == len(before) == 3
    assert materials((await store.load()).keyring) == before
    found = (await store.read()).key(cell.info.key_id)
    assert found is not None and found.seals_granted == FIRST_BLOCK
    assert await store.add_missing(NEEDS) == ()


async def test_nobody_seals_from_the_file_afterwards(path: Path, store: DatabaseKeyStore) -> None:
    running = open_keyring(path, PASSPHRASE)
    cell = running.keyring.active(NEEDS[0].cell_slot)
    assert cell is not None
    await move_keyring(store, path, PASSPHRASE)
    with pytest.raises(KeyringInvalid, match="does not exist"):
        running.leases().lease(cell.info.key_id)
    with pytest.raises(KeyringInvalid, match="does not exist"):
        open_keyring(path, PASSPHRASE)


async def test_it_goes_on_after_a_failure_at_any_point(
    path: Path, store: DatabaseKeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = materials(open_keyring(path, PASSPHRASE).keyring)
    provider = store.provider
    assert isinstance(provider, MemoryProvider)
    await store.read()
    provider.down = True
    with pytest.raises(ProviderUnavailable):
        await move_keyring(store, path, PASSPHRASE)
    provider.down = False
    with monkeypatch.context() as patched:
        patched.setattr(moving, "_set_aside", lambda _: (_ for _ in ()).throw(KeyringInvalid("killed")))
        with pytest.raises(KeyringInvalid, match="killed"):
            await move_keyring(store, path, PASSPHRASE)
    assert materials((await store.load()).keyring) == before
    assert (await move_keyring(store, path, PASSPHRASE)).keys == 0  # they were there
    assert names(path) == {"keyring" + ASIDE, "keyring.seals" + ASIDE}


async def test_collisions_are_refused(path: Path, store: DatabaseKeyStore) -> None:
    await store.add_missing(NEEDS[1:])
    with pytest.raises(KeyringInvalid, match="has another cell key"):
        await move_keyring(store, path, PASSPHRASE)


async def test_an_active_key_beside_another_is_refused(path: Path, store: DatabaseKeyStore) -> None:
    [key] = await store.create([NEEDS[1].cell_slot])
    assert key.info.state is KeyState.PRE_ACTIVE and key.info.epoch == 1
    with pytest.raises((KeyringInvalid, KeyTransitionRefused)):
        await move_keyring(store, path, PASSPHRASE)


async def test_two_ledgers_are_a_question_for_a_person(path: Path, store: DatabaseKeyStore) -> None:
    ledger = path.with_name("keyring.seals")
    ledger.with_name(ledger.name + ASIDE).write_bytes(ledger.read_bytes())
    with pytest.raises(KeyringInvalid, match="both there"):
        await move_keyring(store, path, PASSPHRASE)
    assert {"keyring", "keyring.seals"} <= names(path)


async def test_a_wrong_passphrase_moves_nothing(path: Path, store: DatabaseKeyStore) -> None:
    with pytest.raises(KeyringLocked):
        await move_keyring(store, path, "another passphrase")
    assert names(path) == {"keyring", "keyring.seals"}
