"""Cells under their subjects' secrets: nothing opens without the secret, and memory forgets when it is told to."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.envelope import Scheme, minimum_size, parse
from keys.errors import (
    CipherMisused,
    EnvelopeInvalid,
    SealBudgetExhausted,
    SubjectDestroyed,
    SubjectSecretNeeded,
    UnknownKey,
)
from keys.field import DataKey, FieldKeyCipher, TermKey
from keys.primitives import random_bytes
from keys.subjects import SubjectCache, SubjectFieldCipher, SubjectName
from tests.keys.making import FIELD_A, FIELD_B, CountedLeases, cipher, data_key, term_key

ANNA, BORIS = SubjectName("customer", b"1"), SubjectName("customer", b"2")


def cache_of(*names: SubjectName, capacity: int = 100) -> SubjectCache:
    cache = SubjectCache(capacity)
    for name in names:
        cache.put(name, random_bytes(32))
    return cache


def subject_cipher(
    cache: SubjectCache,
    key: DataKey | None = None,
    *,
    field_id: str = FIELD_A,
    readable: tuple[DataKey, ...] = (),
    term: TermKey | None = None,
    pad_to: int = 0,
    leases: CountedLeases | None = None,
) -> SubjectFieldCipher:
    return SubjectFieldCipher(
        secrets=cache.of_kind("customer"),
        controller="shop",
        field_id=field_id,
        primary=key or data_key(),
        readable=readable,
        leases=leases or CountedLeases(),
        term_key=term,
        pad_to=pad_to,
    )


@given(st.data())
def test_what_is_needed_together_is_there_together(data: st.DataObject) -> None:
    """Whatever room there is; and there is no more in memory than that, or than is needed."""
    names = st.builds(
        SubjectName, st.sampled_from(["customer", "employee"]), st.sampled_from([b"%d" % n for n in range(9)])
    )
    cache = SubjectCache(data.draw(st.integers(1, 6)))
    capacity = cache._capacity
    for needed in data.draw(st.lists(st.sets(names), max_size=6)):
        missing = cache.missing(needed)
        cache.put_all(dict.fromkeys(missing, b""), needed)
        assert not cache.missing(needed)
        assert not missing or len(cache) <= max(capacity, len(needed))
        assert len(cache) == sum(len(kind.known) for kind in cache._kinds.values())


@given(st.binary(max_size=200), st.sampled_from([0, 16]), st.booleans())
def test_what_is_sealed_opens_with_the_secret(plaintext: bytes, pad_to: int, with_term: bool) -> None:
    made = subject_cipher(cache_of(ANNA), pad_to=pad_to, term=term_key() if with_term else None)
    cell = made.seal(plaintext, term_input=plaintext if with_term else None, row_key=b"1")
    assert made.open(cell, row_key=b"1") == plaintext
    assert cell.startswith(made.head) and parse(cell).scheme & Scheme.SUBJECT
    assert len(cell) >= minimum_size(made.head[3], pad_to)


def test_the_data_key_alone_opens_nothing() -> None:
    key, cache = data_key(), cache_of(ANNA)
    cell = subject_cipher(cache, key).seal(b"Anna", row_key=b"1")
    with pytest.raises(EnvelopeInvalid):
        cipher(key, row_bound=True).open(cell, row_key=b"1")
    other = cache_of(ANNA)  # another secret for the same subject
    with pytest.raises(EnvelopeInvalid):
        subject_cipher(other, key).open(cell, row_key=b"1")


def test_the_secret_alone_opens_nothing() -> None:
    cache = cache_of(ANNA)
    cell = subject_cipher(cache).seal(b"Anna", row_key=b"1")
    with pytest.raises(UnknownKey):
        subject_cipher(cache).open(cell, row_key=b"1")


def test_a_plain_cell_of_the_same_field_does_not_pass_for_a_subject_s() -> None:
    key, cache = data_key(), cache_of(ANNA)
    plain = cipher(key, row_bound=True).seal(b"planted", row_key=b"1")
    forged = plain[:3] + bytes((plain[3] | Scheme.SUBJECT,)) + plain[4:]
    for cell in (plain, forged):
        with pytest.raises(EnvelopeInvalid):
            subject_cipher(cache, key).open(cell, row_key=b"1")


def test_a_cell_opens_for_its_own_subject_and_field_only() -> None:
    key, cache = data_key(), cache_of(ANNA, BORIS)
    cell = subject_cipher(cache, key).seal(b"Anna", row_key=b"1")
    with pytest.raises(EnvelopeInvalid):
        subject_cipher(cache, key).open(cell, row_key=b"2")
    with pytest.raises(EnvelopeInvalid):
        subject_cipher(cache, key, field_id=FIELD_B).open(cell, row_key=b"1")


def test_what_is_not_in_memory_is_asked_for_by_name() -> None:
    made = subject_cipher(cache_of())
    with pytest.raises(SubjectSecretNeeded) as needed:
        made.seal(b"Anna", row_key=b"1")
    assert needed.value.name == ANNA
    assert "1" not in str(needed.value) and "customer" not in str(needed.value)


def test_a_destroyed_secret_is_told_from_one_that_never_was() -> None:
    cache = cache_of(ANNA)
    made = subject_cipher(cache)
    cell = made.seal(b"Anna", row_key=b"1")
    cache.put(ANNA, b"")
    cache.put(BORIS, None)
    with pytest.raises(SubjectDestroyed):
        made.open(cell, row_key=b"1")
    with pytest.raises(SubjectDestroyed):
        made.seal(b"again", row_key=b"1")
    with pytest.raises(UnknownKey):
        made.seal(b"Boris", row_key=b"2")


def test_nothing_is_kept_when_all_is_forgotten() -> None:
    cache = cache_of(ANNA)
    made = subject_cipher(cache)
    cell = made.seal(b"Anna", row_key=b"1")
    assert made.open(cell, row_key=b"1") == b"Anna"
    cache.forget()
    assert not len(cache)
    with pytest.raises(SubjectSecretNeeded):
        made.open(cell, row_key=b"1")


def test_a_refused_seal_costs_nothing() -> None:
    leases = CountedLeases(limit=1, block=1)
    cache = cache_of(ANNA)
    made = subject_cipher(cache, leases=leases)
    with pytest.raises(SubjectSecretNeeded):
        made.seal(b"x", row_key=b"2")
    made.seal(b"x", row_key=b"1")
    with pytest.raises(SealBudgetExhausted):
        made.seal(b"x", row_key=b"1")


def test_a_cell_is_always_bound() -> None:
    made = subject_cipher(cache_of(ANNA))
    with pytest.raises(CipherMisused):
        made.seal(b"x")
    with pytest.raises(EnvelopeInvalid):
        made.open(made.seal(b"x", row_key=b"1"))


def test_older_data_keys_still_open() -> None:
    old, new, cache = data_key(), data_key(), cache_of(ANNA)
    cell = subject_cipher(cache, old).seal(b"Anna", row_key=b"1")
    assert subject_cipher(cache, new, readable=(old,)).open(cell, row_key=b"1") == b"Anna"


@given(st.data())
def test_no_byte_can_be_changed(data: st.DataObject) -> None:
    made = subject_cipher(cache_of(ANNA), term=term_key())
    cell = bytearray(made.seal(b"Anna", term_input=b"Anna", row_key=b"1"))
    at = data.draw(st.integers(0, len(cell) - 1))
    cell[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises((EnvelopeInvalid, UnknownKey)):
        made.open(bytes(cell), row_key=b"1")


def test_a_cell_is_sealed_anew_under_another_data_key() -> None:
    old, new, cache, terms = data_key(), data_key(), cache_of(ANNA), term_key()
    cell = subject_cipher(cache, old, term=terms).seal(b"Anna", term_input=b"Anna", row_key=b"1")
    made = subject_cipher(cache, new, readable=(old,), term=terms)
    again = made.reseal(cell, row_key=b"1")
    assert again.startswith(made.head) and parse(again).term == parse(cell).term
    assert made.open(again, row_key=b"1") == b"Anna"


def test_uses_are_counted() -> None:
    key, cache = data_key(), cache_of(ANNA)
    made = subject_cipher(cache, key)
    cell = made.seal(b"Anna", row_key=b"1")
    made.open(cell, row_key=b"1")
    made.open(cell, row_key=b"1")
    assert list(made.uses()) == [(key.key_id, 1, 2)]


def test_memory_is_bounded_and_says_what_is_missing() -> None:
    names = [SubjectName("customer", b"%d" % number) for number in range(10)]
    cache = cache_of(*names, capacity=4)
    assert len(cache) == 4
    assert cache.missing(names) == set(names[:6])
    cache.put(names[9], None)
    assert cache.missing(names[9:]) == set()
    assert cache.absent(names[8:]) == {names[9]}


def test_kinds_of_subjects_are_apart() -> None:
    cache = cache_of(ANNA)
    assert cache.missing([SubjectName("employee", b"1")])
    with pytest.raises(SubjectSecretNeeded):
        cache.of_kind("employee").sealer(b"1")


def test_memory_is_neither_copied_nor_shown() -> None:
    cache = cache_of(ANNA)
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="key material"):
            attempt(cache)
    with pytest.raises(ValueError, match="32 bytes"):
        cache.put(BORIS, b"short")


def test_an_ordinary_cipher_does_not_open_subjects_cells() -> None:
    key = data_key()
    cell = subject_cipher(cache_of(ANNA), key).seal(b"x", row_key=b"1")
    ordinary: FieldKeyCipher = cipher(key)
    with pytest.raises(EnvelopeInvalid):
        ordinary.open(cell)


SOMEBODY = st.sampled_from([None, b"1", b"2", b"3", b"4"])


@given(st.lists(st.tuples(SOMEBODY, st.binary(max_size=8)), max_size=12), st.data())
def test_rows_together_are_opened_as_one_by_one(rows: list[tuple[bytes | None, bytes]], data: st.DataObject) -> None:
    key = data_key()
    cache = cache_of(*(SubjectName("customer", b"%d" % n) for n in (1, 2, 3)))
    made = subject_cipher(cache, key, pad_to=data.draw(st.sampled_from([0, 8])))
    cells = [None if who in (None, b"4") else made.seal(value, row_key=who) for who, value in rows]
    cache.put(SubjectName("customer", b"3"), b"")
    expected: list[bytes | None] = []
    for (who, _), cell in zip(rows, cells, strict=True):
        expected.append(None if cell is None or who == b"3" else made.open(cell, row_key=who))
    assert made.open_rows(cells, [who for who, _ in rows]) == expected


def test_one_bad_row_fails_all_of_them() -> None:
    made = subject_cipher(cache_of(ANNA, BORIS))
    good, bad = made.seal(b"x", row_key=b"1"), made.seal(b"y", row_key=b"2")
    for cells, keys in (
        ([good, bad[:-1]], [b"1", b"2"]),
        ([good, bad], [b"2", b"1"]),
        ([good, bad], [b"1", None]),
        ([good, b""], [b"1", b"2"]),
    ):
        with pytest.raises(EnvelopeInvalid):
            made.open_rows(cells, keys)
    with pytest.raises(SubjectSecretNeeded):
        made.open_rows([good, bad], [b"1", b"9"])
