"""An envelope is found wherever it stands, and nothing else is taken for one."""

from __future__ import annotations

import os
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.rows.envelopes import may_hold_envelope, row_holds_envelope, value_holds_envelope

ENVELOPE = b"\xf9\x67\x01\x01" + b"k" * 8 + b"t" * 16 + b"n" * 12 + b"c" * 20 + b"g" * 16


def data_row(*values: bytes | None) -> bytes:
    body = pack("!H", len(values))
    return body + b"".join(pack("!i", -1) if v is None else pack("!i", len(v)) + v for v in values)


FORMS = {
    "raw": ENVELOPE,
    "hex": b"\\x" + ENVELOPE.hex().encode(),
    "upper hex": b"\\x" + ENVELOPE.hex().upper().encode(),
    "escape": b"\\371g\\001\\001" + b"k" * 60,
    "text array": b'{"\\\\x' + ENVELOPE.hex().encode() + b'"}',
    "binary array": pack("!iiiii", 1, 0, 17, 1, 1) + pack("!i", len(ENVELOPE)) + ENVELOPE,
    "json": b'{"email": "\\\\x' + ENVELOPE.hex().encode() + b'"}',
    "record": b'(7,"\\\\x' + ENVELOPE.hex().encode() + b'")',
}


@pytest.mark.parametrize("form", FORMS)
def test_an_envelope_is_found_in_every_form(form: str) -> None:
    body = data_row(b"1", None, FORMS[form], b"after")
    assert may_hold_envelope(body, 0, len(body))
    assert row_holds_envelope(body, 0, len(body))


@given(st.lists(st.none() | st.binary(max_size=80), max_size=6), st.binary(max_size=40))
def test_wherever_it_stands(others: list[bytes | None], before: bytes) -> None:
    body = before + data_row(*others, ENVELOPE)
    assert may_hold_envelope(body, len(before), len(body))
    assert row_holds_envelope(body, len(before), len(body))


def test_a_strike_by_chance_is_no_envelope() -> None:
    noise = b"x" * 30 + b"\xf9\x67\x01\x01" + b"x" * 300
    assert may_hold_envelope(noise, 0, len(noise))
    assert not value_holds_envelope(noise)
    assert not value_holds_envelope(b"the code f967010 is a colour")


def test_large_random_values_are_not_taken_for_envelopes() -> None:
    for _ in range(20):
        assert not value_holds_envelope(b"\x00" + os.urandom(1_000_000))


def test_a_malformed_row_counts_as_yes() -> None:
    assert row_holds_envelope(pack("!Hi", 1, 500) + b"short", 0, 11)
