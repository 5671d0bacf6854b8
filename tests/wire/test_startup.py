"""The first packets of a connection."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import ProtocolViolation, SqlState
from proxy.wire.startup import (
    GSSENC_REQUEST_PACKET,
    PROTOCOL_3_0,
    PROTOCOL_3_2,
    SSL_REQUEST_PACKET,
    CancelRequest,
    GssEncRequest,
    SslRequest,
    StartupMessage,
    build_options,
    is_direct_tls,
    parse_first_packet,
    parse_options,
)


def packet(body: bytes) -> bytes:
    return struct.pack("!i", len(body) + 4) + body


def startup(*items: bytes, protocol: int = PROTOCOL_3_0) -> bytes:
    return packet(struct.pack("!i", protocol) + b"".join(item + b"\0" for item in items) + b"\0")


def test_startup_message() -> None:
    parsed = parse_first_packet(startup(b"user", b"ann", b"database", b"shop", b"client_encoding", b"\xff\xfe"))
    assert isinstance(parsed, StartupMessage)
    assert (parsed.user, parsed.database, parsed.protocol) == (b"ann", b"shop", PROTOCOL_3_0)
    assert parsed.parameters[b"client_encoding"] == b"\xff\xfe"
    assert not parsed.needs_negotiation()
    assert parsed.build() == startup(b"user", b"ann", b"database", b"shop", b"client_encoding", b"\xff\xfe")


@pytest.mark.parametrize("items", [(b"user", b"ann"), (b"user", b"ann", b"database", b"")])
def test_the_database_defaults_to_the_user(items: tuple[bytes, ...]) -> None:
    parsed = parse_first_packet(startup(*items))
    assert isinstance(parsed, StartupMessage)
    assert parsed.database == b"ann"


def test_a_repeated_parameter_counts_with_its_last_value() -> None:
    parsed = parse_first_packet(startup(b"user", b"ann", b"user", b"bob"))
    assert isinstance(parsed, StartupMessage)
    assert parsed.user == b"bob"
    assert parsed.build() == startup(b"user", b"bob")


def test_protocol_negotiation() -> None:
    grease = parse_first_packet(
        startup(b"user", b"ann", b"_pq_.test_protocol_negotiation", b"", protocol=0x3_0000 | 9999)
    )
    assert isinstance(grease, StartupMessage)
    assert grease.needs_negotiation()
    assert grease.negotiated_minor() == 2
    assert list(grease.protocol_options) == [b"_pq_.test_protocol_negotiation"]
    assert list(grease.parameters) == [b"user"]
    current = parse_first_packet(startup(b"user", b"ann", protocol=PROTOCOL_3_2))
    assert isinstance(current, StartupMessage)
    assert not current.needs_negotiation()
    assert current.negotiated_minor() == 2


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(b"true", True), (b"database", True), (b"1", True), (b"yes", True), (b"off", False), (b"0", False), (b"f", False)],
)
def test_replication(value: bytes, wanted: bool) -> None:
    parsed = parse_first_packet(startup(b"user", b"ann", b"replication", value))
    assert isinstance(parsed, StartupMessage)
    assert parsed.replication is wanted


def test_requests() -> None:
    assert parse_first_packet(SSL_REQUEST_PACKET) == SslRequest()
    assert parse_first_packet(GSSENC_REQUEST_PACKET) == GssEncRequest()
    for size in (4, 32, 256):
        cancel = CancelRequest(0xFFFF_FFFE, bytes(range(size)))
        assert parse_first_packet(cancel.build()) == cancel


def test_a_cancel_key_is_not_in_the_repr() -> None:
    assert "secret" not in repr(CancelRequest(1, b"secret-key"))


@pytest.mark.parametrize(
    ("raw", "state"),
    [
        (packet(struct.pack("!i", 0x2_0000) + b"user"), SqlState.FEATURE_NOT_SUPPORTED),
        (startup(b"user", b"ann", protocol=0x4_0000), SqlState.FEATURE_NOT_SUPPORTED),
        (startup(b"database", b"shop"), SqlState.INVALID_AUTHORIZATION),
        (startup(b"user", b""), SqlState.INVALID_AUTHORIZATION),
        (startup(b"user", b"ann")[:-1], SqlState.PROTOCOL_VIOLATION),
        (packet(startup(b"user", b"ann")[4:-1]), SqlState.PROTOCOL_VIOLATION),  # no terminator
        (packet(startup(b"user", b"ann")[4:] + b"x"), SqlState.PROTOCOL_VIOLATION),  # bytes after it
        (packet(struct.pack("!i", PROTOCOL_3_0) + b"user\0"), SqlState.PROTOCOL_VIOLATION),  # a name without value
        (packet(struct.pack("!ii", 80877102, 1) + b"abc"), SqlState.PROTOCOL_VIOLATION),
        (packet(struct.pack("!ii", 80877102, 1) + b"a" * 257), SqlState.PROTOCOL_VIOLATION),
        (packet(struct.pack("!i", 80877103) + b"x"), SqlState.PROTOCOL_VIOLATION),
        (packet(struct.pack("!i", 80877104) + b"x"), SqlState.PROTOCOL_VIOLATION),
    ],
)
def test_malformed_first_packets(raw: bytes, state: SqlState) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        parse_first_packet(raw)
    assert caught.value.sqlstate is state


@given(st.binary(max_size=80))
def test_arbitrary_bytes_are_accepted_or_a_violation(body: bytes) -> None:
    for raw in (body, packet(body), packet(struct.pack("!i", PROTOCOL_3_0) + body)):
        try:
            parsed = parse_first_packet(raw)
        except ProtocolViolation:
            continue
        if isinstance(parsed, StartupMessage):
            assert parse_first_packet(parsed.build()) == parsed


@pytest.mark.parametrize(
    ("raw", "settings"),
    [
        (b"", ()),
        (b"   ", ()),
        (b"-c a=1", ((b"a", b"1"),)),
        (b"-ca=1 --b-c=2", ((b"a", b"1"), (b"b_c", b"2"))),
        (b"-c\tfieldgate.purpose=order\\ desk", ((b"fieldgate.purpose", b"order desk"),)),
        (rb"-c a=x\\y\-z", ((b"a", rb"x\y-z"),)),
        (b"-c a=b=c", ((b"a", b"b=c"),)),
        (b"-c a=", ((b"a", b""),)),
        (b"-c a=1 -c a=2", ((b"a", b"1"), (b"a", b"2"))),
        (b"-c a=end\\", ((b"a", b"end"),)),
    ],
)
def test_options(raw: bytes, settings: tuple[tuple[bytes, bytes], ...]) -> None:
    assert parse_options(raw) == settings


@pytest.mark.parametrize("raw", [b"-c", b"-c a", b"--a", b"--", b"-d 5", b"a=1", b"-c =1", b"-e", b"-c a=1 extra"])
def test_other_switches_are_refused(raw: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        parse_options(raw)


words = st.binary(min_size=1, max_size=12).filter(lambda raw: 0 not in raw)


@given(st.lists(st.tuples(words.filter(lambda n: b"=" not in n and b"-" not in n), words | st.just(b"")), max_size=4))
def test_options_survive_building_and_parsing(settings: list[tuple[bytes, bytes]]) -> None:
    assert parse_options(build_options(tuple(settings))) == tuple(settings)


@given(st.binary(max_size=40))
def test_options_are_parsed_or_a_violation(raw: bytes) -> None:
    try:
        parse_options(raw)
    except ProtocolViolation:
        pass


def test_direct_tls() -> None:
    assert is_direct_tls(b"\x16\x03\x01")
    assert not is_direct_tls(b"")
    assert not is_direct_tls(SSL_REQUEST_PACKET)


@pytest.mark.parametrize("name", [b"", b"a\0b"])
def test_a_startup_message_that_would_be_read_otherwise_is_not_built(name: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        StartupMessage({b"user": b"ann", name: b"x"}).build()
    with pytest.raises(ProtocolViolation):
        StartupMessage({b"user": b"ann", b"x": b"a\0b"}).build()
    with pytest.raises(ProtocolViolation):
        StartupMessage({b"user": b"a" * 10_000}).build()
