"""Which term key a field has, and what the head of a cell tells of its epoch.  Pure."""

from __future__ import annotations

from keys.envelope import Scheme
from keys.keyring import KeyPurpose, Slot
from proxy.sealing.ddl import sealing_of

from .places import Place

SCHEME_AT = 3
TWO_EPOCHS = Scheme.SECOND | Scheme.EVEN


def term_slot_of(place: Place) -> Slot | None:
    sealing = sealing_of(place.field)
    if not sealing.equality and not sealing.tokens:
        return None
    scope = f"field:{sealing.field_id}" if sealing.join_group is None else f"group:{sealing.join_group}"
    return Slot(place.controller, scope, KeyPurpose.TERM)


def bits_of(epoch: int) -> Scheme:
    """Of the scheme of a cell of one epoch."""
    return Scheme.EVEN if epoch % 2 == 0 else Scheme(0)


def is_first(head: bytes, epoch: int) -> bool:
    """Whether the first of a cell's terms may be of this epoch."""
    return Scheme(head[SCHEME_AT]) & Scheme.EVEN == bits_of(epoch)


def with_bits(head: bytes, bits: Scheme) -> bytes:
    return head[:SCHEME_AT] + bytes([head[SCHEME_AT] & ~TWO_EPOCHS | bits]) + head[SCHEME_AT + 1 :]
