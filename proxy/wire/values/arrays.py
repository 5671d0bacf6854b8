"""Arrays, for `= ANY($1)`: from text and binary form to a list of elements and back.

One dimension only: that is what lists of values are; PostgreSQL's other arrays are rejected, not flattened.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from struct import Struct

from proxy.errors import SqlState, ValueRejected

from .codec import SPACE, bad_binary, bad_text, check_text

_DIMENSION = re.compile(rb"[ \t\n\v\f\r]*\[[ ]*([+-]?[0-9]{1,10})(?::([+-]?[0-9]{1,10}))?[ ]*\][ \t\n\v\f\r]*=")
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_PLAIN = re.compile(rb'(?:[^"\\{},]|\\.)+', re.DOTALL)
_SPACES = re.compile(rb"[ \t\n\v\f\r]*")
_BACKSLASHED = re.compile(rb"\\(.)", re.DOTALL)
_MUST_QUOTE = re.compile(rb'[\s"\\{},]|^$|^null$', re.IGNORECASE)
_HEAD = Struct("!iiI")
_BOUNDS = Struct("!ii")
_INT = Struct("!i")


def parse_text_array(raw: bytes) -> list[bytes | None]:
    """`{a,"b c",NULL}`, also behind `[1:3]=`, as array_in reads it."""
    check_text(raw)
    start, declared = _dimension(raw)
    start = _skip(raw, start)
    end = len(raw.rstrip(SPACE))
    if raw[start : start + 1] != b"{" or end <= start + 1 or raw[end - 1 : end] != b"}":
        raise _malformed(raw)
    position = _skip(raw, start + 1)
    items: list[bytes | None] = []
    if position == end - 1:  # {}
        position += 1
    while position < end:
        item, position = _element(raw, position)
        items.append(item)
        if raw[position : position + 1] not in (b",", b"}") or (raw[position] == 0x7D) != (position == end - 1):
            raise _malformed(raw)
        position += 1
    if declared is not None and declared != len(items):
        raise _malformed(raw)
    return items


def parse_binary_array(raw: bytes) -> tuple[int, list[bytes | None]]:
    """The elements' type OID and the elements, in their binary form."""
    if len(raw) < _HEAD.size:
        raise bad_binary("array")
    dimensions, flags, element_oid = _HEAD.unpack_from(raw)
    if flags not in (0, 1) or dimensions < 0 or dimensions > 6:
        raise bad_binary("array")
    if dimensions == 0:
        if len(raw) != _HEAD.size:
            raise bad_binary("array")
        return element_oid, []
    if dimensions > 1:
        raise _more_dimensions()
    if len(raw) < _HEAD.size + _BOUNDS.size:
        raise bad_binary("array")
    count, _ = _BOUNDS.unpack_from(raw, _HEAD.size)
    return element_oid, _binary_elements(raw, _HEAD.size + _BOUNDS.size, count)


def build_binary_array(element_oid: int, items: Sequence[bytes | None]) -> bytes:
    if not items:
        return _HEAD.pack(0, 0, element_oid)
    has_null = any(item is None for item in items)
    parts = [_HEAD.pack(1, has_null, element_oid), _BOUNDS.pack(len(items), 1)]
    for item in items:
        parts += (b"\xff\xff\xff\xff",) if item is None else (_INT.pack(len(item)), item)
    return b"".join(parts)


def build_text_array(items: Sequence[bytes | None]) -> bytes:
    """The text form, as array_out writes it."""
    return b"{" + b",".join([b"NULL" if item is None else _quoted(item) for item in items]) + b"}"


def _binary_elements(raw: bytes, position: int, count: int) -> list[bytes | None]:
    if count < 0:
        raise bad_binary("array")
    items: list[bytes | None] = []
    for _ in range(count):
        if position + 4 > len(raw):
            raise bad_binary("array")
        (size,) = _INT.unpack_from(raw, position)
        position += 4
        if size == -1:
            items.append(None)
            continue
        if size < 0 or position + size > len(raw):
            raise bad_binary("array")
        items.append(raw[position : position + size])
        position += size
    if position != len(raw):
        raise bad_binary("array")
    return items


def _dimension(raw: bytes) -> tuple[int, int | None]:
    """Where the braces begin, and how many elements the bounds before them declare."""
    match = _DIMENSION.match(raw)
    if match is None:
        return 0, None
    upper = int(match[2] if match[2] is not None else match[1])
    lower = int(match[1]) if match[2] is not None else 1
    if upper < lower:
        raise _malformed(raw)
    return match.end(), upper - lower + 1


def _element(raw: bytes, position: int) -> tuple[bytes | None, int]:
    """One element and the position after it and its spaces."""
    position = _skip(raw, position)
    quoted = _QUOTED.match(raw, position)
    if quoted is not None:
        return _BACKSLASHED.sub(rb"\1", quoted[1]), _skip(raw, quoted.end())
    if raw[position : position + 1] == b"{":
        raise _more_dimensions()
    plain = _PLAIN.match(raw, position)
    if plain is None:
        raise _malformed(raw)
    text = plain[0]
    if text.lower().strip(SPACE) == b"null":
        return None, plain.end()
    return _BACKSLASHED.sub(rb"\1", _trimmed(text)), plain.end()


def _trimmed(text: bytes) -> bytes:
    """Without trailing spaces, but not one that a backslash protects."""
    stripped = text.rstrip(SPACE)
    backslashes = len(stripped) - len(stripped.rstrip(b"\\"))
    return text[: len(stripped) + 1] if backslashes % 2 else stripped


def _quoted(item: bytes) -> bytes:
    if _MUST_QUOTE.search(item) is None:
        return item
    return b'"' + item.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _skip(raw: bytes, position: int) -> int:
    match = _SPACES.match(raw, position)
    return match.end() if match else position


def _malformed(raw: bytes) -> ValueRejected:
    rejection = bad_text(raw, "array")
    return ValueRejected("malformed array literal", sqlstate=rejection.sqlstate)


def _more_dimensions() -> ValueRejected:
    return ValueRejected(
        "arrays of more than one dimension cannot be used with a sealed field",
        sqlstate=SqlState.FEATURE_NOT_SUPPORTED,
    )
