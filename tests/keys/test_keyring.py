"""The keyring in memory: consistent or refused, complete or named, and silent about its material."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import pytest

import keys.keyring
from keys.errors import KeyringInvalid, UnknownKey
from keys.keyring import HeldKey, KeyInfo, KeyNeed, KeyPurpose, Keyring, Slot
from keys.lifecycle import KeyState
from keys.primitives import random_bytes
from tests.keys.making import FIELD_A, FIELD_B, CountedLeases

EMAIL = KeyNeed("shop", FIELD_A, "customers.email", equality=True, join_group="email")
NOTE = KeyNeed("shop", FIELD_B, "health_records.note", row_bound=True, pad_to=32)
CONTACT = KeyNeed("shop", "c" * 32, "customer_contacts.value", equality=True, join_group="email")
LOGIN = KeyNeed("shop", "d" * 32, "access_accounts.login", equality=True)
NEEDS = (EMAIL, NOTE, CONTACT, LOGIN)


def keyring_for(*needs: KeyNeed) -> Keyring:
    return Keyring(()).with_new_keys(Keyring(()).missing_for(needs), "2026-01-01T00:00:00+00:00")


def held(slot: Slot, epoch: int = 1, state: KeyState = KeyState.ACTIVE, key_id: bytes | None = None) -> HeldKey:
    return HeldKey(KeyInfo(key_id or random_bytes(8), slot, epoch, state, ""), random_bytes(32))


def test_one_key_for_cells_of_each_field_and_one_for_terms_of_each_scope() -> None:
    slots = [info.slot for info in keyring_for(*NEEDS).infos]
    assert slots == sorted(slots)
    assert [s.scope for s in slots if s.purpose is KeyPurpose.CELL] == [f"field:{c * 32}" for c in "abcd"]
    assert [s.scope for s in slots if s.purpose is KeyPurpose.TERM] == ["field:" + "d" * 32, "group:email"]


def test_what_is_missing_is_named_and_nothing_else() -> None:
    keyring = keyring_for(EMAIL, NOTE)
    assert keyring.missing_for((EMAIL, NOTE)) == ()
    assert keyring.missing_for(NEEDS) == tuple(sorted({CONTACT.cell_slot, *LOGIN.slots}))
    other = dataclasses.replace(NOTE, controller="another")
    assert keyring.missing_for([other]) == (other.cell_slot,)


def test_ciphers_are_made_for_complete_needs_only() -> None:
    with pytest.raises(KeyringInvalid, match=r"for access_accounts\.login, customer_contacts\.value: run"):
        keyring_for(EMAIL, NOTE).ciphers(NEEDS, CountedLeases())


def test_ciphers_seal_and_open_as_the_needs_say() -> None:
    ciphers = keyring_for(*NEEDS).ciphers(NEEDS, CountedLeases())
    email, contact, note = (ciphers.cipher(n.field_id) for n in (EMAIL, CONTACT, NOTE))
    assert email.term(b"a@example.org") == contact.term(b"a@example.org")
    assert email.term(b"a@example.org") != ciphers.cipher(LOGIN.field_id).term(b"a@example.org")
    assert email.open(email.seal(b"a", term_input=b"a")) == b"a"
    assert note.open(note.seal(b"n", row_key=b"1"), row_key=b"1") == b"n"
    assert len(note.seal(b"n", row_key=b"1")) == 12 + 12 + 32 + 16
    assert ciphers.heads()[NOTE.field_id] == {note.head}
    with pytest.raises(UnknownKey):
        ciphers.cipher("e" * 32)


def test_an_older_key_opens_and_only_the_active_one_seals() -> None:
    old = held(NOTE.cell_slot, 1)
    retired = HeldKey(dataclasses.replace(old.info, state=KeyState.DECRYPT_ONLY), old.material)
    new = held(NOTE.cell_slot, 2)
    before = Keyring((old,)).ciphers([NOTE], CountedLeases()).cipher(NOTE.field_id)
    after = Keyring((retired, new)).ciphers([NOTE], CountedLeases()).cipher(NOTE.field_id)
    assert after.open(before.seal(b"n", row_key=b"1"), row_key=b"1") == b"n"
    assert after.head[4:] == new.info.key_id
    assert Keyring((retired,)).missing_for([NOTE]) == (NOTE.cell_slot,)


def test_contradictions_are_refused() -> None:
    slot, other = NOTE.cell_slot, EMAIL.cell_slot
    one = held(slot)
    for wrong in (
        (one, held(other, key_id=one.info.key_id)),
        (one, held(slot, 1, KeyState.DECRYPT_ONLY)),
        (one, held(slot, 2)),
        (HeldKey(one.info, b"short"),),
        (HeldKey(dataclasses.replace(one.info, key_id=b"short"), one.material),),
    ):
        with pytest.raises(KeyringInvalid):
            Keyring(wrong)


def test_a_key_id_is_never_given_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = held(NOTE.cell_slot)
    answers = [taken.info.key_id, taken.info.key_id, b"fresh id"]

    def scripted(count: int) -> bytes:
        return answers.pop(0) if count == 8 else bytes(count)

    monkeypatch.setattr(keys.keyring, "random_bytes", scripted)
    keyring = Keyring((taken,)).with_new_keys([EMAIL.cell_slot], "")
    assert [info.key_id for info in keyring.infos] == [taken.info.key_id, b"fresh id"]


def test_reprs_show_no_material() -> None:
    keyring = keyring_for(*NEEDS)
    shown = repr(keyring) + repr(keyring.keys) + repr(keyring.ciphers(NEEDS, CountedLeases()))
    for key in keyring.keys:
        assert repr(key.material)[2:-1] not in shown
        assert key.material.hex() not in shown


def test_a_keyring_is_frozen_and_neither_copied_nor_pickled() -> None:
    keyring = keyring_for(NOTE)
    with pytest.raises(dataclasses.FrozenInstanceError):
        keyring.keys = ()  # type: ignore[misc]
    for holder in (keyring, keyring.keys[0], keyring.ciphers([NOTE], CountedLeases())):
        for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match="key material"):
                attempt(holder)


def test_leases_are_used_by_the_field_that_seals_only() -> None:
    leases = CountedLeases(block=10)
    ciphers = keyring_for(*NEEDS).ciphers(NEEDS, leases)
    ciphers.cipher(NOTE.field_id).seal(b"n", row_key=b"1")
    ciphers.renew(below=20)
    assert {key_id for key_id, _ in leases.granted} == {ciphers.cipher(NOTE.field_id).head[4:]}
    ciphers.close()
    assert [count for _, count in leases.returned] == [19]


# -- which key seals


def two_epochs(old: KeyState, new: KeyState) -> tuple[Keyring, bytes, bytes]:
    keys = (held(NOTE.cell_slot, 1, old), held(NOTE.cell_slot, 2, new))
    return Keyring(keys), keys[0].info.key_id, keys[1].info.key_id


def seals_by(keyring: Keyring, *admitted: bytes) -> bytes:
    heads = {FIELD_B: [b"\xf9\x67\x01\x06" + key_id for key_id in admitted]}
    return keyring.ciphers([NOTE], CountedLeases(), heads).cipher(FIELD_B).head[4:]


@pytest.mark.parametrize(("old", "new"), [("decrypt-only", "active"), ("active", "pre-active")])
def test_the_active_key_seals_where_the_database_takes_its_cells_else_another(old: str, new: str) -> None:
    keyring, one, two = two_epochs(KeyState(old), KeyState(new))
    active = one if old == "active" else two
    assert seals_by(keyring, one, two) == active
    assert seals_by(keyring, one) == one
    assert seals_by(keyring, two) == two
    assert seals_by(keyring, bytes(8)) == active  # the database is verified by it, and refuses
    assert seals_by(keyring) == active


def test_of_several_others_the_newest_seals() -> None:
    keys = [held(NOTE.cell_slot, n, KeyState.DECRYPT_ONLY) for n in (1, 2)] + [held(NOTE.cell_slot, 3)]
    one, two, _ = (key.info.key_id for key in keys)
    assert seals_by(Keyring(tuple(keys)), one, two) == two


def test_a_key_that_opens_nothing_never_seals() -> None:
    keyring, one, two = two_epochs(KeyState.DISABLED, KeyState.ACTIVE)
    assert seals_by(keyring, one) == two


def test_cells_of_every_key_that_opens_are_opened_and_counted() -> None:
    keyring, one, two = two_epochs(KeyState.ACTIVE, KeyState.PRE_ACTIVE)
    heads = {FIELD_B: [b"\xf9\x67\x01\x06" + two]}
    first, second = keyring.ciphers([NOTE], CountedLeases()), keyring.ciphers([NOTE], CountedLeases(), heads)
    cells = [made.cipher(FIELD_B).seal(b"n", row_key=b"1") for made in (first, second, second)]
    for cell in cells:
        assert first.cipher(FIELD_B).open(cell, row_key=b"1") == b"n"
    assert first.uses() == {one: (1, 1), two: (0, 2)}
    assert second.uses() == {one: (0, 0), two: (2, 0)}
    second.close()
    assert second.uses()[two] == (2, 0)
    assert (first.sealing_keys(), second.sealing_keys()) == ({one}, {two})


def test_what_does_not_open_is_not_counted_and_leases_are_no_seals() -> None:
    ciphers = keyring_for(NOTE).ciphers([NOTE], CountedLeases(block=10))
    cipher = ciphers.cipher(FIELD_B)
    cell = cipher.seal(b"n", row_key=b"1")
    with pytest.raises(Exception, match="changed"):
        cipher.open(cell, row_key=b"2")
    for _ in range(20):
        cipher.seal(b"n", row_key=b"1")
    cipher.renew(100)
    [(sealed, opened)] = ciphers.uses().values()
    assert (sealed, opened) == (21, 0)
