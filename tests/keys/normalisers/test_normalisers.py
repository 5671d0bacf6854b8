"""Normalisers by name, one after the other, and the terms that are made through them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.errors import NormaliserUnusable
from keys.field import TermKey
from keys.normalisers import fingerprint, normaliser_of
from tests.keys.making import cipher, term_key

KEY = term_key()
CHAINS = [
    ("trim.1",), ("casefold.1",), ("nfc.1",), ("email.1",), ("e164.1:DE",),
    ("trim.1", "casefold.1", "nfc.1"), ("nfc.1", "casefold.1"), ("trim.1", "email.1"), ("trim.1", "e164.1:RU"),
]  # fmt: skip
chains = st.sampled_from(CHAINS)
alike = st.text("aAäÄ\u0308 \u00a0@.+490 ßsS", max_size=6) | st.text(max_size=6)


def term(chain: tuple[str, ...], value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return cipher(term=TermKey(KEY.scope, KEY.material, chain)).term(raw)


@given(chains, alike, alike)
def test_terms_are_equal_iff_the_normalised_values_are(chain: tuple[str, ...], left: str, right: str) -> None:
    normalise = normaliser_of(chain)
    same = normalise(left.encode()) == normalise(right.encode())
    assert (term(chain, left) == term(chain, right)) == same


@given(chains, st.binary(max_size=20))
def test_they_are_total(chain: tuple[str, ...], value: bytes) -> None:
    done = normaliser_of(chain)(value)
    try:
        value.decode()
    except UnicodeDecodeError:
        assert done == value
    assert len(term(chain, value)) == 16


@given(chains, alike)
def test_the_cell_keeps_the_value_as_it_was_written(chain: tuple[str, ...], value: str) -> None:
    made = cipher(term=TermKey(KEY.scope, KEY.material, chain))
    cell = made.seal(value.encode(), term_input=value.encode())
    assert made.open(cell) == value.encode()
    assert cell[12:28] == made.term(value.encode())


def test_they_are_applied_in_their_order() -> None:
    assert normaliser_of(("trim.1", "e164.1:RU"))("\u3000+7 912 345 67 89".encode()) == b"+79123456789"
    assert normaliser_of(("e164.1:RU", "trim.1"))("\u3000+7 912 345 67 89".encode()) == b"+7 912 345 67 89"


def test_no_two_chains_share_a_term_or_a_fingerprint() -> None:
    every = [(), *CHAINS]
    assert len({term(chain, "x") for chain in every}) == len(every)
    assert len({fingerprint(chain) for chain in every}) == len(every)
    assert fingerprint(()) == ""
    assert all(len(fingerprint(chain)) == 16 for chain in CHAINS)


@pytest.mark.parametrize(
    "name", ["", "trim", "trim.2", "Trim.1", "lower.1", "e164.1", "e164.1:", "e164.1:XX", "e164.1:ru", "trim.1:DE"]
)
def test_an_unknown_name_is_refused_before_anything_is_sealed(name: str) -> None:
    with pytest.raises(NormaliserUnusable):
        normaliser_of((name,))
    with pytest.raises(NormaliserUnusable):
        term((name,), "x")
