"""Sealing or opening many cells at once gives just what one by one gives, and spends the same lease."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.envelope import MAX_PLAINTEXT
from keys.errors import CipherMisused, CryptoError
from keys.field import DataKey, FieldKeyCipher, Searching, TermKey, TokenKey

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


def following(equality: bool, tokens: bool) -> Searching | None:
    """The next epoch of the same."""
    term = TermKey("f", b"n" * 32, epoch=2) if equality else None
    made = TokenKey(b"m" * 32, ("match.1",), epoch=2) if tokens else None
    return Searching(term, made) if term or made else None


def cipher(leases: Leases, **more: object) -> FieldKeyCipher:
    return FieldKeyCipher(controller="c", field_id="a" * 32, primary=PRIMARY, leases=leases, **more)  # type: ignore[arg-type]


@given(
    st.lists(st.binary(max_size=40), max_size=35),
    st.sampled_from([0, 16]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_each_opens_and_is_counted(
    plain: list[bytes], pad_to: int, equality: bool, tokens: bool, changing: bool
) -> None:
    leases = Leases()
    made = cipher(
        leases,
        pad_to=pad_to,
        term_key=TermKey("f", b"t" * 32) if equality else None,
        token_key=TokenKey(b"k" * 32, ("match.1",)) if tokens else None,
        next_searching=following(equality, tokens) if changing else None,
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


OLD = DataKey(b"earlier!", b"o" * 32)
KINDS = [
    {"pad_to": pad_to, "token_key": tokens}
    for pad_to in (0, 16)
    for tokens in (None, TokenKey(b"k" * 32, ("match.1",)))
]


@given(st.data(), st.booleans())
def test_opening_together_is_opening_each(data: st.DataObject, equality: bool) -> None:
    """Cells of any kind that the field has ever had, whole, changed, cut, or none at all."""
    term = {"term_key": TermKey("f", b"t" * 32)} if equality else {}
    sealing = [
        FieldKeyCipher(
            controller="c",
            field_id="a" * 32,
            primary=key,
            leases=Leases(),
            next_searching=following(equality, kind["token_key"] is not None) if changing else None,
            **kind,  # type: ignore[arg-type]
            **term,  # type: ignore[arg-type]
        )
        for key in (PRIMARY, OLD, DataKey(b"unknown!", b"u" * 32))
        for kind in KINDS
        for changing in (False, True)
    ]
    chosen = data.draw(st.lists(st.sampled_from(sealing), min_size=1, max_size=2))
    cells = [
        data.draw(st.sampled_from(chosen)).seal(b"%d" % number, term_input=b"%d" % number if equality else None)
        for number in range(data.draw(st.integers(0, 6)))
    ]
    for index in range(len(cells)):
        how = data.draw(st.sampled_from(["whole", "whole", "whole", "cut", "changed"]))
        at = data.draw(st.integers(0, len(cells[index]) - 1))
        if how == "cut":
            cells[index] = cells[index][:at]
        elif how == "changed":
            cells[index] = cells[index][:at] + bytes((cells[index][at] ^ 1,)) + cells[index][at + 1 :]
    opening = cipher(Leases(), readable=(OLD,), **term)

    def outcome(act: Callable[[], list[bytes]]) -> list[bytes] | str:
        try:
            return act()
        except CryptoError as error:
            return f"{type(error)} {error}"

    assert outcome(lambda: opening.open_all(cells)) == outcome(lambda: [opening.open(cell) for cell in cells])


def test_a_cell_that_is_bound_to_its_row_is_not_opened_without_its_key() -> None:
    bound = cipher(Leases(), row_bound=True)
    with pytest.raises(CryptoError):
        bound.open_all([bound.seal(b"x", row_key=b"1")])


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
