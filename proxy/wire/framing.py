"""Where messages begin and end in a buffer.  Nothing here looks into a message's body.

A typed message is a tag byte and a big-endian int32 that counts itself and the body.  The first packets of a client
have no tag.  A length is compared with its limits before it is used for anything else, arithmetic included; a tag that
may not arrive at all has the limit 0.  `scan` is the inner loop of the whole proxy: keep it small.
"""

from __future__ import annotations

from struct import Struct

from proxy.errors import ProtocolViolation

HEADER_SIZE = 5  # tag and length
SMALL_LIMIT = 10_000  # PostgreSQL's PQ_SMALL_MESSAGE_LIMIT
AUTHENTICATION_LIMIT = 65_535  # PG_MAX_AUTH_TOKEN_LENGTH
LARGE_LIMIT = 0x3FFF_FFFE  # PQ_LARGE_MESSAGE_LIMIT: MaxAllocSize - 1
BACKEND_SMALL_LIMIT = 30_000  # what libpq believes of the messages that it does not expect to be long
STARTUP_MINIMUM = 8  # the length itself and a version or request code
STARTUP_MAXIMUM = 10_000

Limits = tuple[int, ...]  # by tag: the greatest allowed value of the length field; 0 means the tag is not allowed
Span = tuple[int, int, int]  # tag, position of the tag, position after the message

_HEADER = Struct("!Bi")
_LENGTH = Struct("!i")


def limits_by_tag(limits: dict[bytes, int]) -> Limits:
    """A table for `scan` from {tags: limit}; each byte of a key is a tag."""
    table = [0] * 256
    for tags, limit in limits.items():
        for tag in tags:
            table[tag] = limit
    return tuple(table)


def capped(limits: Limits, maximum: int) -> Limits:
    """The same table with no limit above `maximum`."""
    return tuple(min(limit, maximum) for limit in limits)


# As SocketBackend() in postgres.c has them; 'p' is legal only while the client authenticates.
FRONTEND_LIMITS = limits_by_tag({b"QFBPd": LARGE_LIMIT, b"XCDEHScf": SMALL_LIMIT})
AUTHENTICATION_LIMITS = limits_by_tag({b"p": AUTHENTICATION_LIMIT})
# As libpq's VALID_LONG_MESSAGE_TYPE, and 't', which 65,535 parameters make longer than libpq's bound.
BACKEND_LIMITS = limits_by_tag(
    {b"TDdVENAt": LARGE_LIMIT, b"RKSZCGHWv": BACKEND_SMALL_LIMIT, b"123Icns": 4}  # the last have no body
)


def scan(buffer: bytes | bytearray | memoryview, position: int, limits: Limits) -> tuple[list[Span], int]:
    """All complete messages from `position`, and the position of the first byte that belongs to none of them.

    A message's body is `buffer[start + HEADER_SIZE : end]`; adjacent messages are one slice.
    """
    spans: list[Span] = []
    size = len(buffer)
    last_header = size - HEADER_SIZE
    unpack = _HEADER.unpack_from
    while position <= last_header:
        tag, length = unpack(buffer, position)
        if length < 4 or length > limits[tag]:
            raise _bad_message(tag, limits)
        end = position + 1 + length
        if end > size:
            break
        spans.append((tag, position, end))
        position = end
    return spans, position


def pending_size(buffer: bytes | bytearray | memoryview, position: int, limits: Limits) -> int | None:
    """How many bytes the message that begins at `position` has in all; None while its header is incomplete."""
    if len(buffer) - position < HEADER_SIZE:
        return None
    tag, length = _HEADER.unpack_from(buffer, position)
    if length < 4 or length > limits[tag]:
        raise _bad_message(tag, limits)
    return int(length) + 1


def startup_size(buffer: bytes | bytearray | memoryview, position: int = 0) -> int | None:
    """How many bytes the untyped first packet at `position` has, its length included; None while that is unknown."""
    if len(buffer) - position < 4:
        return None
    (length,) = _LENGTH.unpack_from(buffer, position)
    if length < STARTUP_MINIMUM or length > STARTUP_MAXIMUM:
        raise ProtocolViolation("invalid length of startup packet")
    return int(length)


def message(tag: bytes, body: bytes) -> bytes:
    """One typed message.  A body that does not fit the length field is refused, never wrapped (CVE-2024-27304)."""
    if len(body) > LARGE_LIMIT - 4:
        raise ProtocolViolation("message is too long")
    return tag + _LENGTH.pack(len(body) + 4) + body


def _bad_message(tag: int, limits: Limits) -> ProtocolViolation:
    if limits[tag] == 0:
        return ProtocolViolation(f"invalid message type 0x{tag:02x}")
    return ProtocolViolation(f"invalid length of message of type 0x{tag:02x}")
