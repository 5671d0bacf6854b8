"""Messages of the client: parse their bodies, build them whole.

`parse_*` takes a body (the bytes after tag and length) and returns a frozen message or raises ProtocolViolation;
`build_*` returns the whole message with tag and length.  What a Bind or a CopyData carries never shows in a repr.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from proxy.errors import ProtocolViolation

from .framing import message
from .reader import (
    Reader,
    pack_int32,
    pack_string,
    pack_uint16,
    pack_uint16s,
    pack_uint32,
    pack_uint32s,
    pack_values,
)

TEXT_FORMAT = 0
BINARY_FORMAT = 1

FLUSH = message(b"H", b"")
SYNC = message(b"S", b"")
TERMINATE = message(b"X", b"")
COPY_DONE = message(b"c", b"")

Kind = Literal[b"S", b"P"]  # a prepared statement or a portal


@dataclass(frozen=True, slots=True)
class Parse:
    """`parameter_types` are OIDs, 0 for "infer it"; there may be fewer than parameters in the text."""

    name: bytes
    query: bytes = field(repr=False)
    parameter_types: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Bind:
    """Formats come as none (all text), one (for all) or one for each; see `format_of`.

    How many result formats are right only the statement's description can say.
    """

    portal: bytes
    statement: bytes
    parameter_formats: tuple[int, ...] = ()
    values: tuple[bytes | None, ...] = field(default=(), repr=False)
    result_formats: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Describe:
    kind: Kind
    name: bytes


@dataclass(frozen=True, slots=True)
class Close:
    kind: Kind
    name: bytes


@dataclass(frozen=True, slots=True)
class Execute:
    """`maximum_rows` 0 or below: all."""

    portal: bytes
    maximum_rows: int = 0


@dataclass(frozen=True, slots=True)
class FunctionCall:
    function: int
    argument_formats: tuple[int, ...] = ()
    arguments: tuple[bytes | None, ...] = field(default=(), repr=False)
    result_format: int = TEXT_FORMAT


@dataclass(frozen=True, slots=True)
class SaslInitialResponse:
    mechanism: bytes
    data: bytes | None = field(default=None, repr=False)


def parse_query(body: bytes) -> bytes:
    """The text of a simple Query."""
    return _only_string(body, "Query")


def parse_parse(body: bytes) -> Parse:
    reader = Reader(body, "Parse")
    name, query = reader.string(), reader.string()
    types = reader.uint32s(reader.uint16())
    reader.finish()
    return Parse(name, query, types)


def parse_bind(body: bytes) -> Bind:
    reader = Reader(body, "Bind")
    portal, statement = reader.string(), reader.string()
    formats = reader.uint16s(reader.uint16())
    values = reader.values(reader.uint16())
    check_formats(formats, len(values))
    result_formats = reader.uint16s(reader.uint16())
    reader.finish()
    check_formats(result_formats, None)
    return Bind(portal, statement, formats, values, result_formats)


def bind_portal_name(data: bytes, start: int = 0) -> bytes:
    """Only the portal's name of the Bind whose body begins at `start`; the rest is not looked at."""
    end = data.find(0, start)
    if end < 0:
        raise ProtocolViolation("malformed Bind message")
    return data[start:end]


def bind_statement_name(data: bytes, start: int = 0) -> bytes:
    """Only the statement's name of the Bind whose body begins at `start`; the rest is not looked at."""
    begin = data.find(0, start) + 1
    end = data.find(0, begin)
    if begin == 0 or end < 0:
        raise ProtocolViolation("malformed Bind message")
    return data[begin:end]


def parse_describe(body: bytes) -> Describe:
    return Describe(*_kind_and_name(body, "Describe"))


def parse_close(body: bytes) -> Close:
    return Close(*_kind_and_name(body, "Close"))


def parse_execute(body: bytes) -> Execute:
    reader = Reader(body, "Execute")
    portal, maximum = reader.string(), reader.int32()
    reader.finish()
    return Execute(portal, maximum)


def execute_portal_name(data: bytes, start: int = 0) -> bytes:
    """Only the portal's name of the Execute whose body begins at `start` and ends where `data` does."""
    end = data.find(0, start)
    if end < 0 or len(data) - end != 5:
        raise ProtocolViolation("malformed Execute message")
    return data[start:end]


def parse_function_call(body: bytes) -> FunctionCall:
    reader = Reader(body, "FunctionCall")
    function = reader.uint32()
    formats = reader.uint16s(reader.uint16())
    arguments = reader.values(reader.uint16())
    check_formats(formats, len(arguments))
    result_format = reader.uint16()
    reader.finish()
    check_formats((result_format,), 1)
    return FunctionCall(function, formats, arguments, result_format)


def parse_copy_fail(body: bytes) -> bytes:
    """The client's reason."""
    return _only_string(body, "CopyFail")


def parse_empty(body: bytes, what: str) -> None:
    """Flush, Sync, Terminate and CopyDone have no body."""
    Reader(body, what).finish()


def parse_password(body: bytes) -> bytes:
    """PasswordMessage, cleartext or md5, with the NUL taken off.  (A SASLResponse is its body as it is.)"""
    return _only_string(body, "Password")


def parse_sasl_initial_response(body: bytes) -> SaslInitialResponse:
    reader = Reader(body, "SASLInitialResponse")
    mechanism, data = reader.string(), reader.value()
    reader.finish()
    return SaslInitialResponse(mechanism, data)


def build_query(text: bytes) -> bytes:
    return message(b"Q", pack_string(text))


def build_parse(name: bytes, query: bytes, parameter_types: Sequence[int] = ()) -> bytes:
    return message(b"P", pack_string(name) + pack_string(query) + pack_uint32s(parameter_types))


def build_bind(
    portal: bytes,
    statement: bytes,
    parameter_formats: Sequence[int] = (),
    values: Sequence[bytes | None] = (),
    result_formats: Sequence[int] = (),
) -> bytes:
    check_formats(parameter_formats, len(values))
    check_formats(result_formats, None)
    body = (
        pack_string(portal),
        pack_string(statement),
        pack_uint16s(parameter_formats),
        pack_uint16(len(values)),
        pack_values(values),
        pack_uint16s(result_formats),
    )
    return message(b"B", b"".join(body))


def build_describe(kind: Kind, name: bytes) -> bytes:
    return message(b"D", kind + pack_string(name))


def build_close(kind: Kind, name: bytes) -> bytes:
    return message(b"C", kind + pack_string(name))


def build_execute(portal: bytes, maximum_rows: int = 0) -> bytes:
    return message(b"E", pack_string(portal) + pack_int32(maximum_rows))


def build_function_call(
    function: int,
    argument_formats: Sequence[int] = (),
    arguments: Sequence[bytes | None] = (),
    result_format: int = TEXT_FORMAT,
) -> bytes:
    check_formats(argument_formats, len(arguments))
    head = pack_uint32(function) + pack_uint16s(argument_formats) + pack_uint16(len(arguments))
    return message(b"F", head + pack_values(arguments) + pack_uint16(result_format))


def build_copy_data(data: bytes) -> bytes:
    return message(b"d", data)


def build_copy_fail(reason: bytes) -> bytes:
    return message(b"f", pack_string(reason))


def build_password(password: bytes) -> bytes:
    return message(b"p", pack_string(password))


def build_sasl_initial_response(mechanism: bytes, data: bytes | None) -> bytes:
    return message(b"p", pack_string(mechanism) + pack_values((data,)))


def build_sasl_response(data: bytes) -> bytes:
    return message(b"p", data)


def check_formats(formats: Sequence[int], count: int | None) -> None:
    """None, one for all, or one for each of `count` (None: not known yet); only text and binary exist."""
    if len(formats) > 1 and count is not None and len(formats) != count:
        raise ProtocolViolation(f"message has {len(formats)} formats but {count} values")
    if any(not TEXT_FORMAT <= code <= BINARY_FORMAT for code in formats):
        raise ProtocolViolation("unsupported format code")


def format_of(formats: Sequence[int], index: int) -> int:
    """The format of value `index`, for formats that `check_formats` has passed with the right count."""
    if not formats:
        return TEXT_FORMAT
    return formats[0] if len(formats) == 1 else formats[index]


def _only_string(body: bytes, what: str) -> bytes:
    reader = Reader(body, what)
    text = reader.string()
    reader.finish()
    return text


def _kind_and_name(body: bytes, what: str) -> tuple[Kind, bytes]:
    kind: Kind
    if body.startswith(b"S"):
        kind = b"S"
    elif body.startswith(b"P"):
        kind = b"P"
    else:
        raise ProtocolViolation(f"malformed {what} message")
    return kind, _only_string(body[1:], what)
