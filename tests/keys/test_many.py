"""Sealing many cells at once gives just what sealing each of them gives, and spends the same lease."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.envelope import MAX_PLAINTEXT
from keys.errors import CipherMisused
from keys.field import DataKey, FieldKeyCipher, TermKey, TokenKey

PRIMARY = DataKey(b"primary!", b"p" * 32)


class Leases:
    """Blocks of ten."""

    def __init__(self) -> None:
        self.granted = self.returned = 0

    def lease(self, key_id: bytes) -> int:
        self.granted += 10
        return 10

    def give_back(self, key_id: bytes, unused: int) -> None:
        self.returned += unused


def cipher(leases: Leases, **more: object) -> FieldKeyCipher:
    return FieldKeyCipher(controller="c", field_id="a" * 32, primary=PRIMARY, leases=leases, **more)  # type: ignore[arg-type]


@given(st.lists(st.binary(max_size=40), max_size=35), st.sampled_from([0, 16]), st.booleans(), st.booleans())
def test_each_opens_and_is_counted(plain: list[bytes], pad_to: int, equality: bool, tokens: bool) -> None:
    leases = Leases()
    made = cipher(
        leases,
        pad_to=pad_to,
        term_key=TermKey("f", b"t" * 32) if equality else None,
        token_key=TokenKey(b"k" * 32, ("match.1",)) if tokens else None,
    )
    inputs = [b"in " + each for each in plain] if equality else None
    plain = [each.hex().encode() for each in plain]  # tokens are made of text
    envelopes = made.seal_all(plain, inputs)
    assert [made.open(envelope) for envelope in envelopes] == plain
    assert len({envelope[-64:] for envelope in envelopes}) == len(plain)
    if inputs is not None:
        assert all(made.term(given) in envelope for given, envelope in zip(inputs, envelopes, strict=True))
    made.close()
    assert leases.granted - leases.returned == len(plain)


def test_no_two_have_the_same_nonce() -> None:
    made = cipher(Leases())
    made.seal(b"the lease begins")
    envelopes = made.seal_all([b"same"] * 9)
    assert len({envelope[12:24] for envelope in envelopes}) == 9


def test_misuse() -> None:
    made = cipher(Leases())
    with pytest.raises(CipherMisused):
        made.seal_all([b"a"], [b"a"])
    made.seal(b"the lease begins")
    with pytest.raises(CipherMisused):
        made.seal_all([b"a"], [b"a"])
    with pytest.raises(CipherMisused):
        made.seal_all([b"a", b"b" * (MAX_PLAINTEXT + 1)])
    with pytest.raises(CipherMisused):
        cipher(Leases(), term_key=TermKey("f", b"t" * 32)).seal_all([b"a"])
    with pytest.raises(CipherMisused):
        cipher(Leases(), row_bound=True).seal_all([b"a"])
