"""Messages of the server: parse their bodies, build them whole; and the one conversion of our errors to the wire.

The server is as little trusted as the client: any field of an error may be missing (CVE-2026-6666), every count and
length is checked.  `parse_*` takes a body, `build_*` returns the whole message with tag and length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from proxy.errors import FieldgateError, ProtocolViolation

from .framing import message
from .reader import (
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

PARSE_COMPLETE = message(b"1", b"")
BIND_COMPLETE = message(b"2", b"")
CLOSE_COMPLETE = message(b"3", b"")
NO_DATA = message(b"n", b"")
EMPTY_QUERY_RESPONSE = message(b"I", b"")
PORTAL_SUSPENDED = message(b"s", b"")
COPY_DONE = message(b"c", b"")
KEY_MAXIMUM = 256

CopyTag = Literal[b"G", b"H", b"W"]  # CopyInResponse, CopyOutResponse, CopyBothResponse
ErrorFields = dict[bytes, bytes]  # one-letter code -> text; any may be missing


@dataclass(frozen=True, slots=True)
class FieldDescription:
    """One column of a RowDescription.  `table_oid` and `attnum` are 0 for what is not a plain column of a table."""

    name: bytes
    table_oid: int
    attnum: int
    type_oid: int
    type_size: int
    type_modifier: int
    format: int


@dataclass(frozen=True, slots=True)
class BackendKeyData:
    """`key` is a secret of 4 bytes in protocol 3.0, of up to 256 in 3.2."""

    process_id: int
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CopyResponse:
    format: int
    column_formats: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NotificationResponse:
    process_id: int
    channel: bytes
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class NegotiateProtocolVersion:
    """`protocol` is major << 16 | minor."""

    protocol: int
    unknown_options: tuple[bytes, ...]


def parse_row_description(body: bytes) -> list[FieldDescription]:
    reader = Reader(body, "RowDescription")
    fields = [_field_description(reader) for _ in range(reader.uint16())]
    reader.finish()
    return fields


def parse_parameter_description(body: bytes) -> tuple[int, ...]:
    """The type OIDs."""
    reader = Reader(body, "ParameterDescription")
    types = reader.uint32s(reader.uint16())
    reader.finish()
    return types


def parse_data_row(body: bytes) -> tuple[bytes | None, ...]:
    reader = Reader(body, "DataRow")
    values = reader.values(reader.uint16())
    reader.finish()
    return values


def parse_command_complete(body: bytes) -> bytes:
    """The command tag."""
    reader = Reader(body, "CommandComplete")
    tag = reader.string()
    reader.finish()
    return tag


def parse_ready_for_query(body: bytes) -> bytes:
    """The transaction status: `I` idle, `T` in a transaction, `E` in a failed one."""
    if body not in (b"I", b"T", b"E"):
        raise ProtocolViolation("malformed ReadyForQuery message")
    return body


def parse_error_response(body: bytes) -> ErrorFields:
    """The fields of an ErrorResponse or a NoticeResponse.  They may hold values of rows."""
    reader = Reader(body, "ErrorResponse")
    fields: ErrorFields = {}
    while (code := reader.take(1)) != b"\0":
        fields[code] = reader.string()
    reader.finish()
    return fields


def parse_parameter_status(body: bytes) -> tuple[bytes, bytes]:
    """Name and value."""
    reader = Reader(body, "ParameterStatus")
    name, value = reader.string(), reader.string()
    reader.finish()
    return name, value


def parse_backend_key_data(body: bytes) -> BackendKeyData:
    reader = Reader(body, "BackendKeyData")
    process_id = reader.uint32()
    if not 0 < reader.left <= KEY_MAXIMUM:
        raise reader.malformed()
    return BackendKeyData(process_id, reader.rest())


def parse_copy_response(body: bytes) -> CopyResponse:
    """The body of a CopyInResponse, CopyOutResponse or CopyBothResponse."""
    reader = Reader(body, "CopyResponse")
    overall = reader.uint8()
    formats = reader.uint16s(reader.uint16())
    reader.finish()
    if overall > 1 or any(code > 1 for code in formats):
        raise reader.malformed()
    return CopyResponse(overall, formats)


def parse_notification_response(body: bytes) -> NotificationResponse:
    reader = Reader(body, "NotificationResponse")
    process_id, channel, payload = reader.uint32(), reader.string(), reader.string()
    reader.finish()
    return NotificationResponse(process_id, channel, payload)


def parse_negotiate_protocol_version(body: bytes) -> NegotiateProtocolVersion:
    reader = Reader(body, "NegotiateProtocolVersion")
    protocol, count = reader.uint32(), reader.int32()
    if not 0 <= count <= reader.left:  # each name takes at least its NUL
        raise reader.malformed()
    names = tuple([reader.string() for _ in range(count)])
    reader.finish()
    return NegotiateProtocolVersion(protocol, names)


def build_row_description(fields: Sequence[FieldDescription]) -> bytes:
    parts = [pack_uint16(len(fields))]
    for f in fields:
        parts += (
            pack_string(f.name),
            pack_uint32(f.table_oid),
            pack_int16(f.attnum),
            pack_uint32(f.type_oid),
            pack_int16(f.type_size),
            pack_int32(f.type_modifier),
            pack_uint16(f.format),
        )
    return message(b"T", b"".join(parts))


def build_parameter_description(types: Sequence[int]) -> bytes:
    return message(b"t", pack_uint32s(types))


def build_data_row(values: Sequence[bytes | None]) -> bytes:
    return message(b"D", pack_uint16(len(values)) + pack_values(values))


def build_command_complete(tag: bytes) -> bytes:
    return message(b"C", pack_string(tag))


def build_portal_suspended() -> bytes:
    return message(b"s", b"")


def build_ready_for_query(status: bytes) -> bytes:
    return message(b"Z", parse_ready_for_query(status))


def build_error_response(fields: Mapping[bytes, bytes]) -> bytes:
    return message(b"E", _error_body(fields))


def build_notice_response(fields: Mapping[bytes, bytes]) -> bytes:
    return message(b"N", _error_body(fields))


def build_parameter_status(name: bytes, value: bytes) -> bytes:
    return message(b"S", pack_string(name) + pack_string(value))


def build_backend_key_data(process_id: int, key: bytes) -> bytes:
    if not 0 < len(key) <= KEY_MAXIMUM:
        raise ProtocolViolation("invalid length of cancel key")
    return message(b"K", pack_uint32(process_id) + key)


def build_copy_response(tag: CopyTag, overall: int, column_formats: Sequence[int]) -> bytes:
    if overall not in (0, 1):
        raise ProtocolViolation("unsupported format code")
    return message(tag, bytes((overall,)) + pack_uint16s(column_formats))


def build_notification_response(process_id: int, channel: bytes, payload: bytes) -> bytes:
    return message(b"A", pack_uint32(process_id) + pack_string(channel) + pack_string(payload))


def error_response(error: FieldgateError, *, severity: str = "ERROR") -> bytes:
    """The one place where an error of ours becomes bytes for a client."""
    return build_error_response(error_fields(error, severity=severity))


def error_fields(error: FieldgateError, *, severity: str = "ERROR") -> ErrorFields:
    """The same before it is framed."""
    fields = {b"S": severity, b"V": severity, b"C": str(error.sqlstate), b"M": error.message}
    if error.detail is not None:
        fields[b"D"] = error.detail
    if error.hint is not None:
        fields[b"H"] = error.hint
    if error.position is not None:
        fields[b"P"] = str(error.position)
    if error.context is not None:
        fields[b"W"] = error.context
    if error.routine is not None:
        fields[b"R"] = error.routine
    return {code: _plain(text) for code, text in fields.items()}


def notice(text: str, *, sqlstate: str = "01000", severity: str = "WARNING") -> bytes:
    """A NoticeResponse of our own."""
    fields = {b"S": severity, b"V": severity, b"C": sqlstate, b"M": text}
    return build_notice_response({code: _plain(value) for code, value in fields.items()})


def _field_description(reader: Reader) -> FieldDescription:
    return FieldDescription(
        name=reader.string(),
        table_oid=reader.uint32(),
        attnum=reader.int16(),
        type_oid=reader.uint32(),
        type_size=reader.int16(),
        type_modifier=reader.int32(),
        format=reader.uint16(),
    )


def _error_body(fields: Mapping[bytes, bytes]) -> bytes:
    parts: list[bytes] = []
    for code, text in fields.items():
        if len(code) != 1 or code == b"\0":
            raise ProtocolViolation("invalid field code in an error")
        parts += (code, pack_string(text))
    return b"".join(parts) + b"\0"


def _plain(text: str) -> bytes:
    return text.replace("\0", "?").encode("utf-8", "replace")
