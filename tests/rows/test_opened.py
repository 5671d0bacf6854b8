"""A cell that was looked at is not opened again, and what is remembered is its own field's and its own batch's."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from keys.errors import CryptoError
from keys.field import FieldCiphers
from proxy.rows.opened import RememberingCiphers
from tests.keys.making import FIELD_A, FIELD_B, cipher

SEALING = {FIELD_A: cipher(field_id=FIELD_A), FIELD_B: cipher(field_id=FIELD_B)}


class Counted:
    """Opens as the field's cipher does, and counts."""

    def __init__(self) -> None:
        self.opened = 0

    def cipher(self, field_id: str) -> Counted:
        self._field = field_id
        return self

    def open(self, envelope: bytes, *, row_key: bytes | None = None) -> bytes:
        self.opened += 1
        return SEALING[self._field].open(envelope, row_key=row_key)

    def open_all(self, envelopes: Sequence[bytes]) -> list[bytes]:
        return [self.open(envelope) for envelope in envelopes]

    def open_rows(self, envelopes: Sequence[bytes | None], row_keys: Sequence[bytes | None]) -> list[bytes | None]:
        return [None if e is None else self.open(e, row_key=k) for e, k in zip(envelopes, row_keys, strict=True)]


def test_what_was_looked_at_is_opened_once() -> None:
    counted = Counted()
    ciphers = RememberingCiphers(counted)  # type: ignore[arg-type]
    cell = SEALING[FIELD_A].seal(b"Anna")
    one = ciphers.cipher(FIELD_A)
    assert (one.look(cell), one.look(cell), one.open(cell), counted.opened) == (b"Anna", b"Anna", b"Anna", 1)
    ciphers.forget()
    assert (one.open(cell), one.open(cell), counted.opened) == (b"Anna", b"Anna", 3)


def test_what_was_looked_at_together_is_opened_once() -> None:
    counted = Counted()
    one = RememberingCiphers(counted).cipher(FIELD_A)  # type: ignore[arg-type]
    cells = [SEALING[FIELD_A].seal(name) for name in (b"Anna", b"Bob", b"Eva")]
    assert (one.look_at_all(cells[:2]), one.open_all(cells[:2]), counted.opened) == ([b"Anna", b"Bob"],) * 2 + (2,)
    assert (one.open(cells[1]), one.open_all(cells), counted.opened) == (b"Bob", [b"Anna", b"Bob", b"Eva"], 3)


def test_another_field_and_a_row_key_are_not_served_by_it() -> None:
    ciphers = RememberingCiphers(SEALED)
    cell = SEALING[FIELD_A].seal(b"Anna")
    assert ciphers.cipher(FIELD_A).look(cell) == b"Anna"
    with pytest.raises(CryptoError):
        ciphers.cipher(FIELD_B).open(cell)
    with pytest.raises(CryptoError):
        ciphers.cipher(FIELD_A).open(cell, row_key=b"1")
    with pytest.raises(CryptoError):
        ciphers.cipher(FIELD_A).look(cell[:-1] + bytes((cell[-1] ^ 1,)))


class _Sealed:
    def cipher(self, field_id: str) -> object:
        return SEALING[field_id]


SEALED: FieldCiphers = _Sealed()  # type: ignore[assignment]
