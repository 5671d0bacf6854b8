"""FieldKeyCipher: what is sealed opens where it belongs, and nowhere and in no form else."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.envelope import MAX_PLAINTEXT, Scheme, build_head, parse
from keys.errors import CipherMisused, EnvelopeInvalid, SealBudgetExhausted, UnknownKey
from keys.field import DataKey, FieldKeyCipher
from tests.keys.making import FIELD_B, CountedLeases, cipher, data_key, term_key

PRIMARY, TERM = data_key(), term_key()
SECRET = b"Ewa Nowak, +48 600 100 200"


def cipher_of_scheme(scheme: int, primary: DataKey = PRIMARY, controller: str = "shop") -> FieldKeyCipher:
    return cipher(
        primary,
        controller=controller,
        term=TERM if scheme & Scheme.TERM else None,
        row_bound=bool(scheme & Scheme.ROW_BOUND),
        pad_to=16 if scheme & Scheme.PADDED else 0,
    )


def sealed_by(made: FieldKeyCipher, scheme: int, plaintext: bytes = SECRET) -> tuple[bytes, bytes | None]:
    row_key = b"17" if scheme & Scheme.ROW_BOUND else None
    return made.seal(plaintext, term_input=plaintext if scheme & Scheme.TERM else None, row_key=row_key), row_key


every_scheme = pytest.mark.parametrize("scheme", range(8))


@given(st.integers(0, 7), st.binary(max_size=500))
def test_round_trip(scheme: int, plaintext: bytes) -> None:
    made = cipher_of_scheme(scheme)
    envelope, row_key = sealed_by(made, scheme, plaintext)
    assert made.open(envelope, row_key=row_key) == plaintext
    assert envelope.startswith(made.head)
    assert parse(envelope).scheme == scheme


@every_scheme
def test_every_flipped_bit_is_refused(scheme: int) -> None:
    made = cipher_of_scheme(scheme)
    envelope, row_key = sealed_by(made, scheme)
    for bit in range(8 * len(envelope)):
        changed = bytearray(envelope)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((EnvelopeInvalid, UnknownKey)):
            made.open(bytes(changed), row_key=row_key)


@every_scheme
def test_every_truncation_and_extension_is_refused(scheme: int) -> None:
    made = cipher_of_scheme(scheme)
    envelope, row_key = sealed_by(made, scheme)
    for length in range(len(envelope)):
        for cut in (envelope[:length], envelope[len(envelope) - length :]):
            with pytest.raises(EnvelopeInvalid):
                made.open(cut, row_key=row_key)
    for longer in (envelope + b"\0", envelope + envelope):
        with pytest.raises(EnvelopeInvalid):
            made.open(longer, row_key=row_key)


@given(st.binary(max_size=120), st.integers(0, 7), st.booleans())
def test_any_bytes_raise_our_errors_only(value: bytes, scheme: int, with_head: bool) -> None:
    made = cipher_of_scheme(scheme)
    with pytest.raises((EnvelopeInvalid, UnknownKey)):
        made.open(made.head + value if with_head else value, row_key=b"1" if scheme & Scheme.ROW_BOUND else None)


@every_scheme
def test_a_cell_opens_in_its_own_field_only(scheme: int) -> None:
    envelope, row_key = sealed_by(cipher_of_scheme(scheme), scheme)
    other = cipher(
        PRIMARY,
        field_id=FIELD_B,
        term=TERM if scheme & Scheme.TERM else None,
        row_bound=bool(scheme & Scheme.ROW_BOUND),
        pad_to=16 if scheme & Scheme.PADDED else 0,
    )
    with pytest.raises(EnvelopeInvalid):
        other.open(envelope, row_key=row_key)


@every_scheme
def test_a_cell_opens_for_its_own_controller_only(scheme: int) -> None:
    envelope, row_key = sealed_by(cipher_of_scheme(scheme), scheme)
    with pytest.raises(EnvelopeInvalid):
        cipher_of_scheme(scheme, controller="shop2").open(envelope, row_key=row_key)


def test_a_row_bound_cell_opens_in_its_own_row_only() -> None:
    made = cipher(row_bound=True)
    envelope = made.seal(SECRET, row_key=b"17")
    assert made.open(envelope, row_key=b"17") == SECRET
    for row_key in (b"18", b"", b"1", b"170", None):
        with pytest.raises(EnvelopeInvalid):
            made.open(envelope, row_key=row_key)


def test_row_binding_cannot_be_left_out_or_put_in() -> None:
    bound, free = cipher(PRIMARY, row_bound=True), cipher(PRIMARY)
    with pytest.raises(EnvelopeInvalid):
        bound.open(free.seal(SECRET), row_key=b"17")
    with pytest.raises(EnvelopeInvalid):
        free.open(bound.seal(SECRET, row_key=b"17"))
    with pytest.raises(EnvelopeInvalid):
        free.open(free.seal(SECRET), row_key=b"17")


def test_a_cell_without_term_is_no_cell_of_a_searchable_field() -> None:
    with pytest.raises(EnvelopeInvalid):
        cipher(PRIMARY, term=TERM).open(cipher(PRIMARY).seal(SECRET))


def test_a_term_of_another_value_cannot_be_put_before_a_cell() -> None:
    made = cipher(term=TERM)
    one, two = made.seal(b"one", term_input=b"one"), made.seal(b"two", term_input=b"two")
    with pytest.raises(EnvelopeInvalid):
        made.open(one[:12] + two[12:28] + one[28:])


def test_the_same_bytes_under_another_key_are_refused() -> None:
    envelope = cipher(PRIMARY).seal(SECRET)
    with pytest.raises(UnknownKey):
        cipher().open(envelope)
    impostor = DataKey(PRIMARY.key_id, data_key().material)
    with pytest.raises(EnvelopeInvalid):
        cipher(impostor).open(envelope)


def test_old_keys_still_open_and_never_seal() -> None:
    old, new = data_key(), data_key()
    before, after = cipher(old), cipher(new, readable=(old,))
    assert after.open(before.seal(SECRET)) == SECRET
    assert parse(after.seal(SECRET)).key_id == new.key_id
    with pytest.raises(UnknownKey):
        before.open(after.seal(SECRET))


def test_padding_hides_the_length_within_a_bucket_and_can_be_switched() -> None:
    padded, plain = cipher(PRIMARY, pad_to=32), cipher(PRIMARY)
    assert {len(padded.seal(b"x" * n)) for n in range(29)} == {12 + 12 + 32 + 16}
    assert len(padded.seal(b"x" * 29)) == 12 + 12 + 64 + 16
    assert plain.open(padded.seal(SECRET)) == padded.open(plain.seal(SECRET)) == SECRET


def test_two_seals_of_one_value_share_nothing_but_head_and_term() -> None:
    made = cipher(term=TERM)
    one, two = made.seal(SECRET, term_input=SECRET), made.seal(SECRET, term_input=SECRET)
    assert one[:28] == two[:28]
    assert one[28:40] != two[28:40]
    assert one[40:] != two[40:]


@given(st.binary(max_size=64), st.binary(max_size=64))
def test_terms_are_equal_iff_inputs_are(left: bytes, right: bytes) -> None:
    made = cipher(term=TERM)
    assert (made.term(left) == made.term(right)) == (left == right)
    assert len(made.term(left)) == 16


def test_terms_differ_between_scopes_keys_and_controllers_but_not_inside_a_join_group() -> None:
    def of(controller: str = "shop", field_id: str = "a" * 32, scope: str = TERM.scope, material: bytes = b"") -> bytes:
        key = type(TERM)(scope, material or TERM.material)
        return cipher(field_id=field_id, controller=controller, term=key).term(SECRET)

    assert of() == of(field_id=FIELD_B)
    assert len({of(), of(controller="other"), of(scope="group:other"), of(material=bytes(32))}) == 4


def test_a_lease_is_taken_before_the_first_seal_and_when_it_is_spent() -> None:
    leases = CountedLeases(limit=5, block=2)
    made = cipher(PRIMARY, leases=leases)
    assert leases.granted == []
    for _ in range(5):
        made.seal(SECRET)
    assert leases.granted == [(PRIMARY.key_id, 2), (PRIMARY.key_id, 2), (PRIMARY.key_id, 1)]
    with pytest.raises(SealBudgetExhausted):
        made.seal(SECRET)
    assert made.open(cipher(PRIMARY).seal(SECRET)) == SECRET


def test_leases_are_renewed_early_and_given_back() -> None:
    leases = CountedLeases(block=10)
    made = cipher(PRIMARY, leases=leases)
    made.renew(below=5)
    assert leases.granted == []
    made.seal(SECRET)
    made.renew(below=5)
    assert leases.granted == [(PRIMARY.key_id, 10)]
    made.renew(below=10)
    assert leases.granted == [(PRIMARY.key_id, 10)] * 2
    made.close()
    made.close()
    assert leases.returned == [(PRIMARY.key_id, 19)]
    made.seal(SECRET)
    assert len(leases.granted) == 3


def test_a_lease_that_is_renewed_meanwhile_loses_no_seal() -> None:
    """Another thread renews while this one seals: here the lease itself seals, in the midst of being granted."""

    class Interleaved(CountedLeases):
        def lease(self, key_id: bytes) -> int:
            if self.granted and not nested:
                nested.append(True)
                made.seal(SECRET)
            return super().lease(key_id)

    nested: list[bool] = []
    leases = Interleaved(block=10)
    made = cipher(PRIMARY, leases=leases)
    for _ in range(3):
        made.seal(SECRET)
    made.renew(below=10)
    made.close()
    assert nested
    assert leases.returned == [(PRIMARY.key_id, 20 - 4)]


def test_misuse_is_refused_before_anything_is_sealed() -> None:
    leases = CountedLeases()
    free, bound, searched = (
        cipher(leases=leases),
        cipher(row_bound=True, leases=leases),
        cipher(term=TERM, leases=leases),
    )
    for attempt in (
        lambda: free.seal(SECRET, term_input=SECRET),
        lambda: free.seal(SECRET, row_key=b"1"),
        lambda: free.term(SECRET),
        lambda: free.seal(bytes(MAX_PLAINTEXT + 1)),
        lambda: bound.seal(SECRET),
        lambda: searched.seal(SECRET),
    ):
        with pytest.raises(CipherMisused):
            attempt()
    assert leases.granted == []


def test_errors_and_reprs_show_no_secret() -> None:
    made = cipher(PRIMARY, term=TERM)
    envelope = made.seal(SECRET, term_input=SECRET)
    with pytest.raises(EnvelopeInvalid) as failure:
        made.open(envelope[:-1] + bytes((envelope[-1] ^ 1,)))
    shown = repr((made, PRIMARY, TERM, failure.value)) + str(failure.value)
    for secret in (PRIMARY.material, TERM.material, SECRET, envelope):
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown
    assert failure.value.__cause__ is None
    assert failure.value.__suppress_context__


@pytest.mark.parametrize("holder", [cipher(PRIMARY), PRIMARY, TERM], ids=["cipher", "data key", "term key"])
def test_key_material_is_neither_copied_nor_pickled(holder: object) -> None:
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="key material"):
            attempt(holder)


def test_parts_that_do_not_fit_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="padded"):
        cipher(pad_to=-1)
    with pytest.raises(ValueError, match="padded"):
        cipher(pad_to=1 << 30)
    with pytest.raises(ValueError, match="hex"):
        cipher(field_id="customers.email")
    with pytest.raises(ValueError, match="8 bytes"):
        build_head(Scheme.PLAIN, b"short")
