"""Which state of a key may follow which."""

from __future__ import annotations

import pytest

from keys.errors import KeyTransitionRefused
from keys.keyring import HeldKey, KeyInfo, KeyNeed, Keyring
from keys.lifecycle import OPENING, KeyState, may_follow, require_transition
from keys.primitives import random_bytes

ALLOWED = {
    ("pre-active", "active"),
    ("pre-active", "disabled"),
    ("active", "decrypt-only"),
    ("decrypt-only", "disabled"),
    ("disabled", "decrypt-only"),
    ("disabled", "destroyed"),
}


def test_exactly_these_transitions_are_allowed() -> None:
    assert {(a.value, b.value) for a in KeyState for b in KeyState if may_follow(a, b)} == ALLOWED


def test_a_refusal_says_what_comes_first() -> None:
    with pytest.raises(KeyTransitionRefused, match="active cannot become destroyed: it must be disabled first"):
        require_transition(KeyState.ACTIVE, KeyState.DESTROYED)


def test_nothing_leads_to_pre_active() -> None:
    with pytest.raises(KeyTransitionRefused, match=r"decrypt-only cannot become pre-active$"):
        require_transition(KeyState.DECRYPT_ONLY, KeyState.PRE_ACTIVE)


class Unlimited:
    def lease(self, key_id: bytes) -> int:
        return 10

    def give_back(self, key_id: bytes, unused: int) -> None:
        pass


@pytest.mark.parametrize("state", KeyState)
def test_only_keys_in_an_opening_state_open(state: KeyState) -> None:
    need = KeyNeed("c", "0" * 32)
    material = random_bytes(32)
    other = HeldKey(KeyInfo(b"other678", need.cell_slot, 1, state, "2026-01-01T00:00:00+00:00"), material)
    if state is KeyState.ACTIVE:
        ring, cell = Keyring((other,)), None
    else:
        now = HeldKey(
            KeyInfo(b"now45678", need.cell_slot, 2, KeyState.ACTIVE, "2026-01-01T00:00:00+00:00"), random_bytes(32)
        )
        ring = Keyring((other, now))
    before = HeldKey(KeyInfo(b"other678", need.cell_slot, 1, KeyState.ACTIVE, "2026-01-01T00:00:00+00:00"), material)
    cell = Keyring((before,)).ciphers([need], Unlimited()).cipher(need.field_id).seal(b"value")
    cipher = ring.ciphers([need], Unlimited()).cipher(need.field_id)
    if state in OPENING:
        assert cipher.open(cell) == b"value"
    else:
        with pytest.raises(Exception, match="not among the keys"):
            cipher.open(cell)
