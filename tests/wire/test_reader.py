"""Reading and building bodies of messages."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import ProtocolViolation
from proxy.wire.reader import (
    Reader,
    pack_int16,
    pack_int32,
    pack_string,
    pack_uint16,
    pack_uint16s,
    pack_uint32,
    pack_uint32s,
    pack_values,
)


def test_reading_in_order() -> None:
    reader = Reader(b"\x07\xff\xfe\xff\xfe\xff\xff\xff\xfe\xff\xff\xff\xfename\0rest", "Test")
    assert (reader.uint8(), reader.int16(), reader.uint16()) == (7, -2, 65534)
    assert (reader.int32(), reader.uint32()) == (-2, 2**32 - 2)
    assert (reader.string(), reader.take(2), reader.left, reader.rest()) == (b"name", b"re", 2, b"st")
    reader.finish()


@pytest.mark.parametrize(
    "read",
    [
        Reader.uint8,
        Reader.int16,
        Reader.uint16,
        Reader.int32,
        Reader.uint32,
        Reader.string,
        Reader.value,
        lambda reader: reader.take(1),
        lambda reader: reader.take(-1),
        lambda reader: reader.values(1),
        lambda reader: reader.uint16s(1),
        lambda reader: reader.uint32s(65_535),
    ],
)
def test_the_end_is_a_violation_that_names_the_message(read: Callable[[Reader], object]) -> None:
    with pytest.raises(ProtocolViolation, match="malformed Test message"):
        read(Reader(b"", "Test"))


def test_what_is_left_over_is_a_violation() -> None:
    with pytest.raises(ProtocolViolation):
        Reader(b"x", "Test").finish()


@given(st.lists(st.none() | st.binary(max_size=9), max_size=6), st.binary(max_size=5))
def test_values(items: list[bytes | None], after: bytes) -> None:
    reader = Reader(pack_values(items) + after, "Test")
    assert reader.values(len(items)) == tuple(items)
    assert reader.rest() == after
    one_by_one = Reader(pack_values(items), "Test")
    assert [one_by_one.value() for _ in items] == items


@given(st.binary(max_size=20), st.integers(0, 5))
def test_values_of_arbitrary_bytes(raw: bytes, count: int) -> None:
    try:
        found = Reader(raw, "Test").values(count)
    except ProtocolViolation:
        return
    assert raw.startswith(pack_values(found))


@given(st.lists(st.integers(0, 65_535), max_size=6))
def test_runs_of_numbers(numbers: list[int]) -> None:
    for pack, read in ((pack_uint16s, Reader.uint16s), (pack_uint32s, Reader.uint32s)):
        reader = Reader(pack(numbers), "Test")
        assert read(reader, reader.uint16()) == tuple(numbers)


@pytest.mark.parametrize(
    ("pack", "code", "lowest", "highest"),
    [
        (pack_int16, "!h", -(2**15), 2**15 - 1),
        (pack_uint16, "!H", 0, 2**16 - 1),
        (pack_int32, "!i", -(2**31), 2**31 - 1),
        (pack_uint32, "!I", 0, 2**32 - 1),
    ],
)
def test_numbers_never_wrap(pack: Callable[[int], bytes], code: str, lowest: int, highest: int) -> None:
    for number in (lowest, highest):
        assert pack(number) == struct.pack(code, number)
    for number in (lowest - 1, highest + 1, 2**32 + 1):
        with pytest.raises(ProtocolViolation):
            pack(number)


def test_counts_never_wrap() -> None:
    for pack in (pack_uint16s, pack_uint32s):
        with pytest.raises(ProtocolViolation):
            pack([0] * 65_536)


def test_strings_end_where_they_end() -> None:
    assert pack_string(b"a") == b"a\0"
    with pytest.raises(ProtocolViolation):
        pack_string(b"a\0b")
