"""text, varchar, integers, bool, uuid, bytea and the moments, one property each."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.fields import LogicalType
from proxy.errors import ValueRejected
from proxy.wire import oids
from proxy.wire.values import DEFAULT_SETTINGS, ValueSettings
from proxy.wire.values.boolean import BooleanCodec
from proxy.wire.values.bytea import ByteaCodec
from proxy.wire.values.codec import bad_text, is_text
from proxy.wire.values.dates import timestamp_codec
from proxy.wire.values.integers import IntegerCodec, parse_integer
from proxy.wire.values.text import TextCodec, VarcharCodec
from proxy.wire.values.uuid_ import UuidCodec

any_text = st.text(max_size=12).filter(lambda text: "\0" not in text)


@given(any_text, st.integers(1, 8))
def test_varchar_keeps_cuts_or_refuses(text: str, limit: int) -> None:
    raw, typmod = text.encode(), limit + 4
    if text[limit:].strip(" "):
        with pytest.raises(ValueRejected) as caught:
            VarcharCodec().from_text(raw, typmod, DEFAULT_SETTINGS)
        assert caught.value.sqlstate == "22001"
        return
    assert VarcharCodec().from_text(raw, typmod, DEFAULT_SETTINGS) == text[:limit].encode()
    assert VarcharCodec().from_binary(raw, typmod) == text[:limit].encode()


@given(any_text)
def test_text_is_itself_but_not_from_character(text: str) -> None:
    raw = text.encode()
    assert TextCodec().from_text(raw, -1, DEFAULT_SETTINGS) == raw
    assert TextCodec().from_text(raw, -1, DEFAULT_SETTINGS, oids.BPCHAR) == raw.rstrip(b" ")
    assert TextCodec().from_text(raw * 20, -1, DEFAULT_SETTINGS, oids.NAME).decode() in (raw * 20).decode()


@given(st.binary(max_size=12))
def test_is_text(raw: bytes) -> None:
    try:
        expected = "\0" not in raw.decode()
    except UnicodeDecodeError:
        expected = False
    assert is_text(raw) is expected
    assert bad_text(raw, "x").sqlstate == ("22P02" if expected else "22021")


@given(st.integers(-(2**70), 2**70), st.sampled_from(["d", "#x", "#o", "#b", "_", "#X"]))
def test_integers_in_every_spelling(number: int, spelling: str) -> None:
    assert parse_integer(format(number, spelling).encode(), "integer") == number


@given(st.integers(-(2**31) - 5, 2**31 + 4))
def test_int4_has_its_range(number: int) -> None:
    codec = IntegerCodec(LogicalType.INT4, oids.INT4)
    wide = number.to_bytes(8, "big", signed=True)
    if not -(2**31) <= number < 2**31:
        with pytest.raises(ValueRejected):
            codec.from_binary(wide, -1, oids.INT8)
        return
    cell = codec.from_binary(wide, -1, oids.INT8)
    assert codec.to_text(cell, DEFAULT_SETTINGS) == str(number).encode()
    assert codec.from_text(str(number).encode(), -1, DEFAULT_SETTINGS) == cell


@given(st.integers(0, 255))
def test_any_byte_but_zero_is_true(byte: int) -> None:
    cell = BooleanCodec().from_binary(bytes((byte,)), -1)
    assert BooleanCodec().to_text(cell, DEFAULT_SETTINGS) == (b"t" if byte else b"f")


@given(st.uuids())
def test_uuid(value: UUID) -> None:
    codec = UuidCodec()
    for text in (str(value), value.hex, f"{{{value}}}".upper()):
        assert codec.from_text(text.encode(), -1, DEFAULT_SETTINGS) == value.bytes
    assert codec.to_text(value.bytes, DEFAULT_SETTINGS) == str(value).encode()


@given(st.binary(max_size=20), st.sampled_from(["hex", "escape"]))
def test_bytea_in_both_formats(value: bytes, output: str) -> None:
    codec, settings = ByteaCodec(), ValueSettings(bytea_output=output)
    written = codec.to_text(value, settings)
    assert written.isascii()
    assert codec.from_text(written, -1, settings) == value


@given(st.datetimes(), st.integers(0, 6))
def test_timestamps_are_rounded_to_their_precision(when: datetime, precision: int) -> None:
    cell = timestamp_codec().from_text(when.isoformat().encode(), precision, DEFAULT_SETTINGS)
    exact = (when - datetime(2000, 1, 1)) // timedelta(microseconds=1)
    found, step = int.from_bytes(cell, "big", signed=True), 10 ** (6 - precision)
    assert found % step == 0
    assert abs(found - exact) * 2 <= step
