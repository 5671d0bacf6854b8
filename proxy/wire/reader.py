"""Reading and building the bodies of messages, with every length checked.

Whatever a peer sends is either understood or a ProtocolViolation; whatever does not fit its 16 or 32 bits is never
written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from struct import Struct, unpack

from proxy.errors import ProtocolViolation

INT16_MAX = 0x7FFF
UINT16_MAX = 0xFFFF
INT32_MAX = 0x7FFF_FFFF
VALUE_LIMIT = 0x3FFF_FFFF  # MaxAllocSize: no value of PostgreSQL's is longer

_UINT8 = Struct("!B")
_INT16 = Struct("!h")
_UINT16 = Struct("!H")
_INT32 = Struct("!i")
_UINT32 = Struct("!I")


class Reader:
    """A position in one message's body.  `what` names the message in errors."""

    __slots__ = ("body", "position", "what")

    def __init__(self, body: bytes, what: str, position: int = 0) -> None:
        self.body = body
        self.what = what
        self.position = position

    @property
    def left(self) -> int:
        return len(self.body) - self.position

    def _number(self, kind: Struct) -> int:
        if self.left < kind.size:
            raise self.malformed()
        (value,) = kind.unpack_from(self.body, self.position)
        self.position += kind.size
        return int(value)

    def uint8(self) -> int:
        return self._number(_UINT8)

    def int16(self) -> int:
        return self._number(_INT16)

    def uint16(self) -> int:
        """Counts: PostgreSQL's "Int16" counts reach 65,535 (parameters, columns)."""
        return self._number(_UINT16)

    def int32(self) -> int:
        return self._number(_INT32)

    def uint32(self) -> int:
        """OIDs and process ids."""
        return self._number(_UINT32)

    def take(self, size: int) -> bytes:
        if size < 0 or size > self.left:
            raise self.malformed()
        self.position += size
        return self.body[self.position - size : self.position]

    def string(self) -> bytes:
        """A string that ends with NUL; the NUL is eaten."""
        end = self.body.find(0, self.position)
        if end < 0:
            raise self.malformed()
        found = self.body[self.position : end]
        self.position = end + 1
        return found

    def value(self) -> bytes | None:
        """An int32 length and so many bytes; -1 is NULL."""
        size = self.int32()
        return None if size == -1 else self.take(size)

    def values(self, count: int) -> tuple[bytes | None, ...]:
        """As many times `value`; written out, because rows and Binds are many."""
        body, position = self.body, self.position
        last = len(body) - 4
        unpack_size = _INT32.unpack_from
        found: list[bytes | None] = []
        for _ in range(count):
            if position > last:
                raise self.malformed()
            (size,) = unpack_size(body, position)
            position += 4
            if size == -1:
                found.append(None)
                continue
            end = position + size
            if size < 0 or end > last + 4:
                raise self.malformed()
            found.append(body[position:end])
            position = end
        self.position = position
        return tuple(found)

    def uint16s(self, count: int) -> tuple[int, ...]:
        return self._run(count, "H", 2)

    def uint32s(self, count: int) -> tuple[int, ...]:
        return self._run(count, "I", 4)

    def _run(self, count: int, code: str, size: int) -> tuple[int, ...]:
        return unpack(f"!{count}{code}", self.take(count * size)) if count else ()

    def rest(self) -> bytes:
        return self.take(self.left)

    def finish(self) -> None:
        """Nothing may follow."""
        if self.left:
            raise self.malformed()

    def malformed(self) -> ProtocolViolation:
        return ProtocolViolation(f"malformed {self.what} message")


def pack_uint16(number: int) -> bytes:
    if not 0 <= number <= UINT16_MAX:
        raise ProtocolViolation("number does not fit 16 bits")
    return _UINT16.pack(number)


def pack_int16(number: int) -> bytes:
    if not -INT16_MAX - 1 <= number <= INT16_MAX:
        raise ProtocolViolation("number does not fit 16 bits")
    return _INT16.pack(number)


def pack_int32(number: int) -> bytes:
    if not -INT32_MAX - 1 <= number <= INT32_MAX:
        raise ProtocolViolation("number does not fit 32 bits")
    return _INT32.pack(number)


def pack_uint32(number: int) -> bytes:
    if not 0 <= number <= 0xFFFF_FFFF:
        raise ProtocolViolation("number does not fit 32 bits")
    return _UINT32.pack(number)


def pack_uint16s(numbers: Sequence[int]) -> bytes:
    """A 16-bit count and so many 16-bit numbers."""
    return pack_uint16(len(numbers)) + b"".join(map(pack_uint16, numbers))


def pack_uint32s(numbers: Sequence[int]) -> bytes:
    """A 16-bit count and so many 32-bit numbers."""
    return pack_uint16(len(numbers)) + b"".join(map(pack_uint32, numbers))


def pack_string(text: bytes) -> bytes:
    if 0 in text:
        raise ProtocolViolation("NUL byte in a string")
    return text + b"\0"


def pack_values(values: Iterable[bytes | None]) -> bytes:
    """For each value its int32 length and bytes; NULL is the length -1.  No count."""
    parts: list[bytes] = []
    for value in values:
        if value is None:
            parts.append(b"\xff\xff\xff\xff")
            continue
        if len(value) > VALUE_LIMIT:
            raise ProtocolViolation("value is too long")
        parts += (_INT32.pack(len(value)), value)
    return b"".join(parts)
