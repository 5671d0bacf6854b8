"""Search tokens of cells, made and found again through the cipher."""

from __future__ import annotations

import pytest

from keys.envelope import ANY_TOKEN, MAX_TOKENS, TOKEN_SIZE, parse
from keys.errors import CipherMisused, EnvelopeInvalid, TokensUnusable
from keys.field import TokenKey
from keys.primitives import random_bytes
from keys.tokens import MATCH, PREFIX, inputs_of
from tests.keys.making import FIELD_A, FIELD_B, cipher, data_key, term_key

KEY = TokenKey(random_bytes(32), (MATCH,))


def test_a_cell_holds_the_tokens_of_its_value() -> None:
    found = parse(cipher(tokens=KEY).seal(b"Anna")).tokens
    inputs = inputs_of([MATCH])(b"anna")
    assert inputs is not None
    assert found == b"".join(cipher(tokens=KEY).tokens(inputs))
    assert len(found) == 4 * TOKEN_SIZE
    assert [found[n : n + 4] for n in range(0, 16, 4)] == sorted(found[n : n + 4] for n in range(0, 16, 4))


def test_fields_and_controllers_have_tokens_of_their_own() -> None:
    made = {
        tuple(cipher(tokens=KEY, field_id=field, controller=controller).tokens([b"x"]))
        for field in (FIELD_A, FIELD_B)
        for controller in ("shop", "other")
    }
    assert len(made) == 4


def test_tokens_belong_to_the_sealed_header() -> None:
    sealer = cipher(tokens=KEY, term=term_key())
    cell = bytearray(sealer.seal(b"Anna", term_input=b"Anna"))
    assert sealer.open(bytes(cell)) == b"Anna"
    cell[30] ^= 1
    with pytest.raises(EnvelopeInvalid):
        sealer.open(bytes(cell))
    for short in (29, 31, 46, 60):
        with pytest.raises(EnvelopeInvalid):
            sealer.open(bytes(cell[:short]))


def test_cells_with_and_without_tokens_open_each_under_the_other() -> None:
    key = data_key()
    bare, tokened = cipher(key, pad_to=16), cipher(key, tokens=KEY)
    assert tokened.open(bare.seal(b"Anna")) == bare.open(tokened.seal(b"Anna")) == b"Anna"


def test_what_can_not_be_told_and_what_is_too_much_is_found_by_every_search() -> None:
    sealer = cipher(tokens=KEY)
    many = "".join(chr(0x4E00 + n) for n in range(MAX_TOKENS + 1))
    for value in ("\u0378", many):
        cell = sealer.seal(value.encode())
        assert parse(cell).tokens == ANY_TOKEN
        assert sealer.open(cell) == value.encode()


def test_misuse() -> None:
    with pytest.raises(CipherMisused):
        cipher().tokens([b"x"])
    with pytest.raises(TokensUnusable, match="no such mode"):
        cipher(tokens=TokenKey(random_bytes(32), ("match.9",)))
    assert inputs_of([PREFIX])(b"a") == frozenset()
