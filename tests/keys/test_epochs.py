"""Cells while a term key is rotated: both epochs' terms and tokens, one after the other and one at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.envelope import ANY_TOKEN, MAX_TOKENS, TOKEN_SIZE, Scheme, parse
from keys.errors import EnvelopeInvalid, UnknownKey
from keys.field import DataKey, FieldKeyCipher, Searching, TermKey, TokenKey
from keys.primitives import random_bytes
from keys.searching import merged
from tests.keys.making import FIELD_A, CountedLeases, data_key

MODES = ("match.1",)


@dataclass
class Rotation:
    """One field's ciphers before, during and after a rotation, all under one data key."""

    key: DataKey = field(default_factory=data_key)
    terms: bool = True
    tokens: bool = True
    row_bound: bool = False
    materials: list[bytes] = field(default_factory=lambda: [random_bytes(32) for _ in range(3)])

    def searching(self, epoch: int) -> Searching:
        material = self.materials[epoch - 1]
        return Searching(
            TermKey("group:x", material, (), epoch) if self.terms else None,
            TokenKey(material, MODES, epoch) if self.tokens else None,
        )

    def cipher(self, epoch: int, *, both: bool = False, search_next: bool = False) -> FieldKeyCipher:
        now = self.searching(epoch)
        return FieldKeyCipher(
            controller="shop",
            field_id=FIELD_A,
            primary=self.key,
            leases=CountedLeases(),
            term_key=now.term,
            token_key=now.tokens,
            next_searching=self.searching(epoch + 1) if both else None,
            search_next=search_next,
            row_bound=self.row_bound,
        )

    def seal(self, cipher: FieldKeyCipher, value: bytes) -> bytes:
        return cipher.seal(value, term_input=value if self.terms else None, row_key=b"1" if self.row_bound else None)


KINDS = [(True, True), (True, False), (False, True)]
kinds = pytest.mark.parametrize(("terms", "tokens"), KINDS)


@kinds
@pytest.mark.parametrize("row_bound", [False, True])
def test_cells_of_every_phase_open_in_every_phase(terms: bool, tokens: bool, row_bound: bool) -> None:
    rotation = Rotation(terms=terms, tokens=tokens, row_bound=row_bound)
    phases = [
        rotation.cipher(1),
        rotation.cipher(1, both=True),
        rotation.cipher(1, both=True, search_next=True),
        rotation.cipher(2),
        rotation.cipher(2, both=True),
        rotation.cipher(3),
    ]
    cells = [rotation.seal(phase, b"Anna") for phase in phases]
    assert len({phase.head for phase in phases}) == len({cell[3] for cell in cells}) == 4
    for phase in phases:
        for cell in cells:
            assert phase.open(cell, row_key=b"1" if row_bound else None) == b"Anna"


def test_each_phase_answers_with_the_term_that_its_cells_carry() -> None:
    rotation = Rotation()
    old, new = rotation.cipher(1), rotation.cipher(2)
    both, turned = rotation.cipher(1, both=True), rotation.cipher(1, both=True, search_next=True)
    cell = parse(rotation.seal(both, b"Anna"))
    assert cell.term == old.term(b"Anna") == both.term(b"Anna")
    assert cell.second_term == new.term(b"Anna") == turned.term(b"Anna") != cell.term
    after = parse(rotation.seal(new, b"Anna"))
    assert (after.term, after.second_term) == (new.term(b"Anna"), None)


def test_a_cell_of_both_is_found_by_tokens_of_either() -> None:
    rotation = Rotation(terms=False)
    cell = parse(rotation.seal(rotation.cipher(1, both=True), b"Anna"))
    found = [cell.tokens[at : at + TOKEN_SIZE] for at in range(0, len(cell.tokens), TOKEN_SIZE)]
    assert found == sorted(found)
    for asked in (rotation.cipher(1), rotation.cipher(1, both=True, search_next=True)):
        assert set(asked.tokens([b"match.1\0ann"])) <= set(found)


def test_tokens_of_an_epoch_are_had_by_its_number_while_its_key_is_held() -> None:
    rotation = Rotation(terms=False)
    own = {epoch: rotation.cipher(epoch).tokens([b"x"]) for epoch in (1, 2, 3)}
    both = rotation.cipher(1, both=True)
    assert [both.tokens([b"x"], epoch) for epoch in (1, 2)] == [own[1], own[2]]
    later = FieldKeyCipher(
        controller="shop",
        field_id=FIELD_A,
        primary=rotation.key,
        leases=CountedLeases(),
        token_key=rotation.searching(3).tokens,
        others=[rotation.searching(2)],
    )
    assert [later.tokens([b"x"], epoch) for epoch in (None, 2, 3)] == [own[3], own[2], own[3]]
    with pytest.raises(UnknownKey):
        later.tokens([b"x"], 1)


def test_the_scheme_tells_the_epoch_of_the_first_term() -> None:
    rotation = Rotation()
    for epoch, both in ((1, False), (2, False), (3, False), (1, True), (2, True)):
        scheme = parse(rotation.seal(rotation.cipher(epoch, both=both), b"x")).scheme
        assert bool(scheme & Scheme.EVEN) == (epoch % 2 == 0)
        assert bool(scheme & Scheme.SECOND) == both


@given(st.data())
def test_no_byte_of_a_cell_of_both_can_be_changed(data: st.DataObject) -> None:
    rotation = Rotation()
    cipher = rotation.cipher(1, both=True)
    cell = bytearray(rotation.seal(cipher, b"Anna"))
    at = data.draw(st.integers(0, len(cell) - 1))
    cell[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises((EnvelopeInvalid, UnknownKey)):
        cipher.open(bytes(cell))


def test_a_second_term_cannot_be_cut_out_or_put_in() -> None:
    rotation = Rotation(tokens=False)
    both, one = rotation.cipher(1, both=True), rotation.cipher(1)
    cell = rotation.seal(both, b"Anna")
    cut = cell[:3] + bytes((cell[3] & ~Scheme.SECOND,)) + cell[4:28] + cell[44:]
    with pytest.raises(EnvelopeInvalid):
        one.open(cut)
    short = rotation.seal(one, b"Anna")
    put_in = short[:3] + bytes((short[3] | Scheme.SECOND,)) + short[4:28] + cell[28:44] + short[28:]
    with pytest.raises(EnvelopeInvalid):
        both.open(put_in)


@given(st.sets(st.binary(min_size=4, max_size=4), max_size=20), st.sets(st.binary(min_size=4, max_size=4), max_size=20))
def test_merged_tokens_are_the_union_in_order(left: set[bytes], right: set[bytes]) -> None:
    left, right = left - {ANY_TOKEN}, right - {ANY_TOKEN}
    assert merged(b"".join(sorted(left)), b"".join(sorted(right))) == b"".join(sorted(left | right))


def test_what_has_too_many_tokens_is_found_by_every_search() -> None:
    many = b"".join(number.to_bytes(4, "big") for number in range(1, MAX_TOKENS))
    assert merged(many, b"\xff\xff\xff\xfe\xff\xff\xff\xff") == ANY_TOKEN
    assert merged(many, ANY_TOKEN) == merged(ANY_TOKEN, many) == ANY_TOKEN


@pytest.mark.parametrize(
    ("now", "following", "search_next"),
    [
        (Searching(TermKey("s", bytes(32))), None, True),
        (Searching(TermKey("s", bytes(32))), Searching(TermKey("s", bytes(32), (), 3)), False),
        (Searching(TermKey("s", bytes(32))), Searching(TermKey("s", bytes(32))), False),
        (Searching(TermKey("s", bytes(32))), Searching(tokens=TokenKey(bytes(32), MODES, 2)), False),
        (Searching(), Searching(), False),
    ],
    ids=["nothing to turn to", "an epoch left out", "the same epoch", "another kind", "nothing to find by"],
)
def test_epochs_that_do_not_fit_are_a_mistake(now: Searching, following: Searching | None, search_next: bool) -> None:
    with pytest.raises(ValueError, match=r"epoch|kinds"):
        FieldKeyCipher(
            controller="shop",
            field_id=FIELD_A,
            primary=data_key(),
            leases=CountedLeases(),
            term_key=now.term,
            token_key=now.tokens,
            next_searching=following,
            search_next=search_next,
        )
