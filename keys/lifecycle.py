"""The states of a key and what may follow what (NIST SP 800-57 part 1, section 7).  Pure.

    pre-active -> active -> decrypt-only -> disabled -> destroyed
                                    ^-----------'

A pre-active key opens cells already, so that every process knows it before the first cell is sealed by it.  A disabled
key opens nothing and can be enabled again; only a disabled key is destroyed, after its time of waiting.
"""

from __future__ import annotations

from enum import StrEnum

from .errors import KeyTransitionRefused


class KeyState(StrEnum):
    PRE_ACTIVE = "pre-active"
    ACTIVE = "active"
    DECRYPT_ONLY = "decrypt-only"
    DISABLED = "disabled"
    DESTROYED = "destroyed"


OPENING = frozenset({KeyState.PRE_ACTIVE, KeyState.ACTIVE, KeyState.DECRYPT_ONLY})

_NEXT = {
    KeyState.PRE_ACTIVE: frozenset({KeyState.ACTIVE, KeyState.DISABLED}),
    KeyState.ACTIVE: frozenset({KeyState.DECRYPT_ONLY}),
    KeyState.DECRYPT_ONLY: frozenset({KeyState.DISABLED}),
    KeyState.DISABLED: frozenset({KeyState.DECRYPT_ONLY, KeyState.DESTROYED}),
    KeyState.DESTROYED: frozenset[KeyState](),
}


def may_follow(state: KeyState, following: KeyState) -> bool:
    return following in _NEXT[state]


def require_transition(state: KeyState, following: KeyState) -> None:
    """Raises KeyTransitionRefused, which says what would have to come first."""
    if not may_follow(state, following):
        before = " or ".join(sorted(each for each in KeyState if following in _NEXT[each]))
        raise KeyTransitionRefused(
            f"a key that is {state} cannot become {following}" + (f": it must be {before} first" if before else "")
        )
