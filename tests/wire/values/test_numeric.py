"""numeric, with Python's decimal as the oracle."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import ValueRejected
from proxy.wire.values import DEFAULT_SETTINGS
from proxy.wire.values.numeric import NumericCodec, read_binary, read_text, without_trailing_zeros

CODEC = NumericCodec()
CONTEXT = Context(prec=2000, rounding=ROUND_HALF_UP, Emin=-99999, Emax=99999)
numbers = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent, CONTEXT),
    st.integers(-(10**40), 10**40),
    st.integers(-40, 40),
)


def typmod(precision: int, scale: int) -> int:
    return ((precision << 16) | (scale & 0x7FF)) + 4


@given(numbers)
def test_canonical_text_is_the_number_with_its_scale(number: Decimal) -> None:
    expected = format(number, "f") if number else format(abs(number), "f")
    assert read_text(str(number).encode(), -1) == expected.encode()
    assert read_text(format(number, "f").encode(), -1) == expected.encode()
    assert read_text(expected.encode(), -1) == expected.encode()


@given(numbers, st.integers(1, 60), st.integers(-10, 40))
def test_a_typmod_rounds_half_away_from_zero(number: Decimal, precision: int, scale: int) -> None:
    rounded = number.quantize(Decimal(1).scaleb(-scale), context=CONTEXT)
    fits = abs(rounded) < Decimal(10) ** (precision - scale)
    if not fits and rounded:
        with pytest.raises(ValueRejected) as caught:
            read_text(str(number).encode(), typmod(precision, scale))
        assert caught.value.sqlstate == "22003"
        return
    text = read_text(str(number).encode(), typmod(precision, scale))
    assert Decimal(text.decode()) == rounded
    assert len(text.partition(b".")[2]) == max(scale, 0)


@given(numbers)
def test_binary_and_back(number: Decimal) -> None:
    cell = CODEC.from_text(str(number).encode(), -1, DEFAULT_SETTINGS)
    assert read_binary(CODEC.to_binary(cell), -1) == cell


@given(numbers, st.integers(0, 9))
def test_terms_do_not_know_the_scale(number: Decimal, zeros: int) -> None:
    plain = read_text(format(number, "f").encode(), -1)
    longer = plain + (b"." if b"." not in plain else b"") + b"0" * max(zeros, 1)
    assert without_trailing_zeros(plain) == without_trailing_zeros(longer)
    assert Decimal(without_trailing_zeros(plain).decode()) == number


def test_a_binary_scale_hides_digits() -> None:
    """numeric_recv cuts digits beyond the scale off, and does not round."""
    raw = CODEC.to_binary(b"1.9999")
    assert read_binary(raw[:6] + b"\0\1" + raw[8:], -1) == b"1.9"


@pytest.mark.parametrize("text", ["1" * 131_073, "0." + "1" * 16_384, "1e131072", "1e-16384", "0e-16384"])
def test_beyond_the_format(text: str) -> None:
    with pytest.raises(ValueRejected) as caught:
        read_text(text.encode(), -1)
    assert caught.value.sqlstate == "22003"


def test_the_longest_number() -> None:
    longest = b"9" * 131_072 + b"." + b"9" * 16_383
    assert read_text(longest, -1) == longest
    assert read_binary(CODEC.to_binary(longest), -1) == longest
    assert read_text(b"9" * 999 + b".5", typmod(1000, 0)) == b"1" + b"0" * 999
