"""Messages of the server, and our errors on the wire."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import FieldgateError, ProtocolViolation, Refused, SqlState
from proxy.wire import backend
from proxy.wire.authentication import (
    AUTHENTICATION_OK,
    Authentication,
    AuthenticationKind,
    parse_authentication,
)
from proxy.wire.framing import HEADER_SIZE
from proxy.wire.startup import negotiate_protocol_version

strings = st.binary(max_size=12).filter(lambda raw: 0 not in raw)
oids = st.integers(0, 2**32 - 1)
fields = st.builds(
    backend.FieldDescription,
    name=strings,
    table_oid=oids,
    attnum=st.integers(-(2**15), 2**15 - 1),
    type_oid=oids,
    type_size=st.integers(-(2**15), 2**15 - 1),
    type_modifier=st.integers(-(2**31), 2**31 - 1),
    format=st.integers(0, 1),
)

PARSERS: list[Callable[[bytes], Any]] = [
    backend.parse_row_description,
    backend.parse_parameter_description,
    backend.parse_data_row,
    backend.parse_command_complete,
    backend.parse_ready_for_query,
    backend.parse_error_response,
    backend.parse_parameter_status,
    backend.parse_backend_key_data,
    backend.parse_copy_response,
    backend.parse_notification_response,
    backend.parse_negotiate_protocol_version,
    parse_authentication,
]


def body_of(message: bytes, tag: bytes) -> bytes:
    assert message[:1] == tag
    assert struct.unpack("!i", message[1:5]) == (len(message) - 1,)
    return message[HEADER_SIZE:]


@given(st.lists(fields, max_size=4))
def test_row_description(columns: list[backend.FieldDescription]) -> None:
    assert backend.parse_row_description(body_of(backend.build_row_description(columns), b"T")) == columns


@given(st.lists(oids, max_size=5))
def test_parameter_description(types: list[int]) -> None:
    body = body_of(backend.build_parameter_description(types), b"t")
    assert backend.parse_parameter_description(body) == tuple(types)


@given(st.lists(st.none() | st.binary(max_size=12), max_size=5))
def test_data_row(row: list[bytes | None]) -> None:
    body = body_of(backend.build_data_row(row), b"D")
    assert backend.parse_data_row(body) == tuple(row)
    for cut in range(len(body)):
        with pytest.raises(ProtocolViolation):
            backend.parse_data_row(body[:cut])


@given(st.dictionaries(st.sampled_from([b"S", b"V", b"C", b"M", b"D", b"?"]), strings))
def test_error_fields_may_be_missing(error: dict[bytes, bytes]) -> None:
    assert backend.parse_error_response(body_of(backend.build_error_response(error), b"E")) == error
    assert backend.parse_error_response(body_of(backend.build_notice_response(error), b"N")) == error


def test_the_rest() -> None:
    assert backend.parse_command_complete(body_of(backend.build_command_complete(b"INSERT 0 1"), b"C")) == b"INSERT 0 1"
    for status in (b"I", b"T", b"E"):
        assert backend.parse_ready_for_query(body_of(backend.build_ready_for_query(status), b"Z")) == status
    status_body = body_of(backend.build_parameter_status(b"TimeZone", b"UTC"), b"S")
    assert backend.parse_parameter_status(status_body) == (b"TimeZone", b"UTC")
    for size in (1, 4, 32, 256):
        key = backend.BackendKeyData(7, b"k" * size)
        assert backend.parse_backend_key_data(body_of(backend.build_backend_key_data(7, key.key), b"K")) == key
    for tag in (b"G", b"H", b"W"):
        body = body_of(backend.build_copy_response(tag, 1, [1, 1]), tag)  # type: ignore[arg-type]
        assert backend.parse_copy_response(body) == backend.CopyResponse(1, (1, 1))
    body = body_of(backend.build_notification_response(9, b"channel", b"payload"), b"A")
    assert backend.parse_notification_response(body) == backend.NotificationResponse(9, b"channel", b"payload")
    body = body_of(negotiate_protocol_version(0x3_0002, (b"_pq_.x", b"_pq_.y")), b"v")
    assert backend.parse_negotiate_protocol_version(body) == backend.NegotiateProtocolVersion(
        0x3_0002, (b"_pq_.x", b"_pq_.y")
    )


def test_authentication() -> None:
    assert parse_authentication(body_of(AUTHENTICATION_OK, b"R")) == Authentication(AuthenticationKind.OK)
    md5 = Authentication(AuthenticationKind.MD5_PASSWORD, data=b"salt").build()
    assert parse_authentication(body_of(md5, b"R")).data == b"salt"
    sasl = parse_authentication(
        body_of(Authentication(AuthenticationKind.SASL, (b"SCRAM-SHA-256-PLUS", b"SCRAM-SHA-256")).build(), b"R")
    )
    assert sasl.mechanisms == (b"SCRAM-SHA-256-PLUS", b"SCRAM-SHA-256")
    for kind in (AuthenticationKind.SASL_CONTINUE, AuthenticationKind.SASL_FINAL):
        assert parse_authentication(body_of(Authentication(kind, (), b"v=x").build(), b"R")) == Authentication(
            kind, (), b"v=x"
        )


@pytest.mark.parametrize(
    ("parser", "body"),
    [
        (parse_authentication, struct.pack("!i", 99)),
        (parse_authentication, struct.pack("!i", 0) + b"x"),
        (parse_authentication, struct.pack("!i", 5) + b"abc"),
        (parse_authentication, struct.pack("!i", 10) + b"SCRAM-SHA-256\0"),
        (backend.parse_ready_for_query, b"X"),
        (backend.parse_ready_for_query, b""),
        (backend.parse_ready_for_query, b"II"),
        (backend.parse_error_response, b"Sxyz\0"),
        (backend.parse_error_response, b""),
        (backend.parse_backend_key_data, struct.pack("!i", 1)),
        (backend.parse_backend_key_data, struct.pack("!i", 1) + b"k" * 257),
        (backend.parse_copy_response, b"\2\0\0"),
        (backend.parse_copy_response, b"\0\0\1\0\2"),
        (backend.parse_negotiate_protocol_version, struct.pack("!ii", 0x3_0000, 2**31 - 1)),
        (backend.parse_negotiate_protocol_version, struct.pack("!ii", 0x3_0000, -1)),
        (backend.parse_data_row, b"\xff\xff"),
        (backend.parse_row_description, b"\xff\xff"),
    ],
)
def test_malformed(parser: Callable[[bytes], Any], body: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        parser(body)


@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_accepted_or_a_violation(body: bytes) -> None:
    for parser in PARSERS:
        for variant in (body, b"\0\1" + body, b"\0\0\0\x0a" + body):
            try:
                parser(variant)
            except ProtocolViolation:
                pass


def test_an_error_of_ours_on_the_wire() -> None:
    error = Refused("no", detail="because", hint="ask", position=7)
    assert backend.parse_error_response(body_of(backend.error_response(error), b"E")) == {
        b"S": b"ERROR",
        b"V": b"ERROR",
        b"C": b"42501",
        b"M": b"no",
        b"D": b"because",
        b"H": b"ask",
        b"P": b"7",
    }
    fatal = backend.error_response(FieldgateError("bad\0\ud800", sqlstate=SqlState.IO_ERROR), severity="FATAL")
    assert backend.parse_error_response(fatal[HEADER_SIZE:]) == {
        b"S": b"FATAL",
        b"V": b"FATAL",
        b"C": b"58030",
        b"M": b"bad??",
    }


def test_a_notice_of_ours() -> None:
    body = body_of(backend.notice("observe mode"), b"N")
    assert backend.parse_error_response(body)[b"M"] == b"observe mode"


@pytest.mark.parametrize("code", [b"", b"\0", b"SS"])
def test_an_error_that_would_be_read_otherwise_is_not_built(code: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        backend.build_error_response({code: b"x"})
    with pytest.raises(ProtocolViolation):
        backend.build_error_response({b"M": b"a\0b"})


@pytest.mark.parametrize("number", [-1, 2**32])
def test_numbers_that_do_not_fit_are_not_built(number: int) -> None:
    with pytest.raises(ProtocolViolation):
        backend.build_parameter_description([number])
    with pytest.raises(ProtocolViolation):
        backend.build_row_description(
            [backend.FieldDescription(b"a", 0, number, 0, 0, 0, 0)]
            if number > 0
            else [backend.FieldDescription(b"a", number, 0, 0, 0, 0, 0)]
        )


def test_values_are_not_in_the_repr() -> None:
    assert "secret" not in repr(backend.BackendKeyData(1, b"secret"))
    assert "secret" not in repr(backend.NotificationResponse(1, b"c", b"secret"))
