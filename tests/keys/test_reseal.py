"""A cell under a newer key: the same value, the same term and tokens, and nothing that opening did not authenticate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.envelope import HEAD_SIZE, Scheme, parse
from keys.errors import CipherMisused, EnvelopeInvalid, SealBudgetExhausted, UnknownKey
from keys.field import FieldKeyCipher, TermKey, TokenKey
from tests.keys.making import CountedLeases, cipher, data_key, term_key

OLD, NEW = data_key(), data_key()
TERM = term_key()
TOKENS = TokenKey(TERM.material, ("match.1",))


def pair(
    *, term: TermKey | None = None, tokens: TokenKey | None = None, bound: bool = False, pad_to: int = 0
) -> tuple[FieldKeyCipher, FieldKeyCipher]:
    before = cipher(OLD, term=term, tokens=tokens, row_bound=bound, pad_to=pad_to)
    return before, cipher(NEW, readable=(OLD,), term=term, tokens=tokens, row_bound=bound, pad_to=pad_to)


@given(
    value=st.text(max_size=40).map(str.encode),
    with_term=st.booleans(),
    with_tokens=st.booleans(),
    bound=st.booleans(),
    pad_to=st.sampled_from([0, 16, 64]),
)
def test_value_term_and_tokens_stay(value: bytes, with_term: bool, with_tokens: bool, bound: bool, pad_to: int) -> None:
    term, tokens = TERM if with_term else None, TOKENS if with_tokens else None
    before, after = pair(term=term, tokens=tokens, bound=bound, pad_to=pad_to)
    term_input, row_key = value if with_term else None, b"7" if bound else None
    old = before.seal(value, term_input=term_input, row_key=row_key)
    new = after.reseal(old, row_key=row_key)
    assert new[:HEAD_SIZE] == after.head
    assert after.open(new, row_key=row_key) == value
    assert (parse(new).term, parse(new).tokens) == (parse(old).term, parse(old).tokens)
    fresh = parse(after.seal(value, term_input=term_input, row_key=row_key))
    assert (parse(new).term, parse(new).tokens, parse(new).scheme) == (fresh.term, fresh.tokens, fresh.scheme)
    assert parse(new).nonce != parse(old).nonce


def test_nothing_is_made_of_a_cell_that_does_not_open() -> None:
    before, after = pair(term=TERM)
    old = before.seal(b"value", term_input=b"value")
    forged = old[:HEAD_SIZE] + bytes(16) + old[HEAD_SIZE + 16 :]
    with pytest.raises(EnvelopeInvalid):
        after.reseal(forged)
    with pytest.raises(UnknownKey):
        after.reseal(cipher(term=TERM).seal(b"value", term_input=b"value"))


def test_a_bound_cell_stays_in_its_row() -> None:
    before, after = pair(bound=True)
    old = before.seal(b"value", row_key=b"7")
    for wrong in (b"8", None):
        with pytest.raises(EnvelopeInvalid):
            after.reseal(old, row_key=wrong)
    with pytest.raises(EnvelopeInvalid):
        after.open(after.reseal(old, row_key=b"7"), row_key=b"8")


def test_tokens_and_padding_are_as_they_are_written_now() -> None:
    bare = cipher(OLD, term=TERM)
    full = cipher(NEW, readable=(OLD,), term=TERM, tokens=TOKENS, pad_to=32)
    new = full.reseal(bare.seal(b"a value", term_input=b"a value"))
    assert new[:HEAD_SIZE] == full.head
    assert parse(new).tokens == parse(full.seal(b"a value", term_input=b"a value")).tokens
    back = cipher(OLD, readable=(NEW,), term=TERM)
    again = back.reseal(new)
    assert again[:HEAD_SIZE] == back.head
    assert parse(again).scheme == Scheme.TERM
    assert back.open(again) == b"a value"


def test_terms_of_another_epoch_are_made_anew() -> None:
    next_term = TermKey(TERM.scope, bytes(32), epoch=2)
    before, after = cipher(OLD, term=TERM), cipher(NEW, readable=(OLD,), term=next_term)
    old = before.seal(b"value", term_input=b"VALUE")
    new = after.reseal(old, term_input=bytes.upper)
    assert parse(new).term == after.term(b"VALUE") != parse(old).term
    with pytest.raises(CipherMisused):
        after.reseal(old)


def test_each_counts_as_a_seal() -> None:
    leases = CountedLeases(limit=2, block=2)
    after = cipher(NEW, readable=(OLD,), leases=leases)
    old = cipher(OLD).seal(b"value")
    after.reseal(old)
    after.reseal(old)
    with pytest.raises(SealBudgetExhausted):
        after.reseal(old)
    assert leases.granted == [(NEW.key_id, 2)]


def test_known_heads_are_of_every_key_that_opens() -> None:
    before, after = pair(term=TERM, pad_to=16)
    both = {head[:3] + bytes([head[3] | Scheme.SECOND]) + head[4:] for head in (before.head, after.head)}
    assert after.known_heads == {before.head, after.head} | both  # a rotation of the term key begins with these
