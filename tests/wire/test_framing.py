"""Where messages begin and end, also when bytes come one at a time."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import ProtocolViolation
from proxy.wire.framing import (
    AUTHENTICATION_LIMITS,
    BACKEND_LIMITS,
    FRONTEND_LIMITS,
    HEADER_SIZE,
    LARGE_LIMIT,
    SMALL_LIMIT,
    capped,
    message,
    pending_size,
    scan,
    startup_size,
)

messages = st.lists(
    st.tuples(st.sampled_from([b"Q", b"P", b"B", b"d", b"S", b"H"]), st.binary(max_size=40)), max_size=8
)


@given(messages)
def test_scan_finds_every_message(parts: list[tuple[bytes, bytes]]) -> None:
    buffer = b"".join(message(tag, body) for tag, body in parts)
    spans, position = scan(buffer, 0, FRONTEND_LIMITS)
    assert position == len(buffer)
    assert [(bytes([tag]), buffer[start + HEADER_SIZE : end]) for tag, start, end in spans] == parts


@given(messages)
def test_scan_one_byte_at_a_time(parts: list[tuple[bytes, bytes]]) -> None:
    whole = b"".join(message(tag, body) for tag, body in parts)
    found: list[tuple[bytes, bytes]] = []
    buffer = bytearray()
    for byte in whole:
        buffer.append(byte)
        spans, position = scan(buffer, 0, FRONTEND_LIMITS)
        found += [(bytes([tag]), bytes(buffer[start + HEADER_SIZE : end])) for tag, start, end in spans]
        del buffer[:position]
    assert found == parts
    assert not buffer


@given(st.binary(max_size=60), st.integers(0, 60))
def test_arbitrary_bytes_are_accepted_or_a_violation(data: bytes, position: int) -> None:
    for limits in (FRONTEND_LIMITS, BACKEND_LIMITS, AUTHENTICATION_LIMITS):
        try:
            spans, consumed = scan(data, position, limits)
        except ProtocolViolation:
            continue
        assert position <= consumed <= max(len(data), position)
        assert all(end - start >= HEADER_SIZE for _, start, end in spans)
        assert [start for _, start, _ in spans] == [position, *[end for _, _, end in spans]][: len(spans)]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_every_buffer_kind_is_scanned(kind: type) -> None:
    data = message(b"S", b"") + message(b"Q", b"select 1\0") + b"B\0"
    spans, position = scan(kind(data), 0, FRONTEND_LIMITS)
    assert spans == [(ord("S"), 0, 5), (ord("Q"), 5, 19)]
    assert position == 19


def test_scan_starts_at_a_position() -> None:
    data = b"junk" + message(b"S", b"")
    assert scan(data, 4, FRONTEND_LIMITS) == ([(ord("S"), 4, 9)], 9)


@pytest.mark.parametrize("length", [-(2**31), -1, 0, 3, LARGE_LIMIT + 1, 2**31 - 1])
def test_a_bad_length_is_refused_from_the_header_alone(length: int) -> None:
    header = b"Q" + struct.pack("!i", length)
    with pytest.raises(ProtocolViolation):
        scan(header, 0, FRONTEND_LIMITS)
    with pytest.raises(ProtocolViolation):
        pending_size(header, 0, FRONTEND_LIMITS)


@pytest.mark.parametrize(
    ("limits", "tag", "greatest"),
    [
        (FRONTEND_LIMITS, b"S", SMALL_LIMIT),
        (FRONTEND_LIMITS, b"X", SMALL_LIMIT),
        (FRONTEND_LIMITS, b"D", SMALL_LIMIT),
        (FRONTEND_LIMITS, b"f", SMALL_LIMIT),
        (FRONTEND_LIMITS, b"B", LARGE_LIMIT),
        (FRONTEND_LIMITS, b"d", LARGE_LIMIT),
        (AUTHENTICATION_LIMITS, b"p", 65_535),
        (BACKEND_LIMITS, b"D", LARGE_LIMIT),
        (BACKEND_LIMITS, b"Z", 30_000),
        (capped(FRONTEND_LIMITS, 1_000_000), b"Q", 1_000_000),
        (capped(FRONTEND_LIMITS, 1_000_000), b"S", SMALL_LIMIT),
    ],
)
def test_the_limit_of_each_tag(limits: tuple[int, ...], tag: bytes, greatest: int) -> None:
    assert scan(tag + struct.pack("!i", greatest), 0, limits) == ([], 0)
    with pytest.raises(ProtocolViolation):
        scan(tag + struct.pack("!i", greatest + 1), 0, limits)


@pytest.mark.parametrize(
    ("limits", "tag"),
    [
        (FRONTEND_LIMITS, b"p"),  # a password after the login
        (FRONTEND_LIMITS, b"\0"),
        (FRONTEND_LIMITS, b"R"),
        (AUTHENTICATION_LIMITS, b"Q"),  # a statement before the login
        (BACKEND_LIMITS, b"Q"),
        (BACKEND_LIMITS, b"\xff"),
    ],
)
def test_a_tag_that_may_not_arrive_is_refused(limits: tuple[int, ...], tag: bytes) -> None:
    with pytest.raises(ProtocolViolation, match="invalid message type"):
        scan(tag + b"\0\0\0\4", 0, limits)


def test_pending_size() -> None:
    assert pending_size(b"Q\0\0\1", 0, FRONTEND_LIMITS) is None
    assert pending_size(b"xQ\0\0\1\0", 1, FRONTEND_LIMITS) == 257


@pytest.mark.parametrize(("length", "fine"), [(7, False), (8, True), (10_000, True), (10_001, False), (-1, False)])
def test_startup_size(length: int, fine: bool) -> None:
    packet = struct.pack("!i", length)
    assert startup_size(packet[:3]) is None
    if fine:
        assert startup_size(packet) == length
    else:
        with pytest.raises(ProtocolViolation):
            startup_size(packet)


def test_a_message_that_would_wrap_its_length_is_not_built() -> None:
    class Huge(bytes):
        def __len__(self) -> int:
            return 2**32 - 4

    with pytest.raises(ProtocolViolation):
        message(b"d", Huge())
