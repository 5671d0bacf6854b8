"""One key, one canonical form, whatever way it comes."""

from __future__ import annotations

import uuid
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import ValueRejected
from proxy.rows.row_key import row_key_bytes
from proxy.wire.oids import BYTEA, INT4, INT8, TEXT, UUID


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_agree_in_text_and_binary(number: int) -> None:
    text = row_key_bytes(str(number).encode(), binary=False, type_oid=0, key_oid=INT8)
    assert text == row_key_bytes(pack("!q", number), binary=True, type_oid=INT8, key_oid=INT8) == b"%d" % number


def test_an_int4_parameter_names_an_int8_key() -> None:
    assert row_key_bytes(pack("!i", -7), binary=True, type_oid=INT4, key_oid=INT8) == b"-7"


@given(st.uuids())
def test_uuids_agree(value: uuid.UUID) -> None:
    upper = str(value).upper().encode()
    assert row_key_bytes(upper, binary=False, type_oid=0, key_oid=UUID) == str(value).encode()
    assert row_key_bytes(value.bytes, binary=True, type_oid=UUID, key_oid=UUID) == str(value).encode()


def test_text_is_its_own_form() -> None:
    assert row_key_bytes(b" a ", binary=True, type_oid=TEXT, key_oid=TEXT) == b" a "


@pytest.mark.parametrize(
    ("raw", "binary", "type_oid", "key_oid"),
    [
        (b"seven", False, 0, INT8),
        (b"\0\0", True, INT8, INT8),
        (b"\xff", False, 0, INT8),
        (b"not-a-uuid", False, 0, UUID),
        (b"x", False, 0, BYTEA),
    ],
)
def test_what_is_no_key_is_refused_without_its_value(raw: bytes, binary: bool, type_oid: int, key_oid: int) -> None:
    with pytest.raises(ValueRejected) as caught:
        row_key_bytes(raw, binary=binary, type_oid=type_oid, key_oid=key_oid)
    assert "seven" not in str(caught.value)
