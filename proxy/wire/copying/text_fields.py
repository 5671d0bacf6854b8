"""The fields of one row in COPY's text format.  A field is NULL by its bytes as they stand, before they are decoded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

_NAMED = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_ENCODED = re.compile(rb"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(.)|\Z)", re.DOTALL)
_LETTERS = {value: b"\\" + letter for letter, value in _NAMED.items()}

_MARKS = b"\\\b\f\n\r\t\v"  # what is written as something else

Split = Callable[[bytes], list[bytes]]
Encode = Callable[[bytes], bytes]
Column = Sequence[bytes]
Columns = list[Column]
EncodeAll = Callable[[Column], Column]
TakeAll = Callable[[Sequence[bytes]], Columns | None]  # many rows to columns; None: not all rows are equally wide


def text_splitter(delimiter: bytes) -> Split:
    """Takes a row without its end apart, into fields as they stand."""
    escaped = b"\\" + delimiter
    edge = re.compile(rb"\\.|" + re.escape(delimiter), re.DOTALL)

    def split(row: bytes) -> list[bytes]:
        if escaped not in row:
            return row.split(delimiter)
        fields, start = [], 0
        for found in edge.finditer(row):
            if found[0] == delimiter:
                fields.append(row[start : found.start()])
                start = found.end()
        fields.append(row[start:])
        return fields

    return split


def text_columns(delimiter: bytes, width: int) -> TakeAll:
    """The same for many rows at once."""
    split, escaped = text_splitter(delimiter), b"\\" + delimiter

    def columns(rows: Sequence[bytes]) -> Columns | None:
        if escaped in b"\n".join(rows):
            return in_columns(map(split, rows), width)
        return in_columns([row.split(delimiter) for row in rows], width)

    return columns


def in_columns(rows: Iterable[list[bytes]], width: int) -> Columns | None:
    fields = list(rows)
    return list(zip(*fields, strict=True)) if set(map(len, fields)) == {width} else None


def decode(field: bytes) -> bytes:
    """The value of a field that is not NULL."""
    return _ENCODED.sub(_decoded, field) if b"\\" in field else field


def _decoded(found: re.Match[bytes]) -> bytes:
    octal, hexadecimal, letter = found.groups()
    if octal is not None:
        return bytes((int(octal, 8) & 0xFF,))
    if hexadecimal is not None:
        return bytes((int(hexadecimal, 16),))
    return _NAMED.get(letter, letter) if letter is not None else b""


def text_encoder(delimiter: bytes) -> Encode:
    """Makes a value that is not NULL a field, as PostgreSQL writes it (copyto.c, CopyAttributeOutText)."""
    marks = _MARKS + delimiter
    special = re.compile(b"[" + re.escape(marks) + b"]")
    written = {**_LETTERS, b"\\": b"\\\\", delimiter: b"\\" + (b"t" if delimiter == b"\t" else delimiter)}

    def encode(value: bytes) -> bytes:
        if len(value.translate(None, marks)) == len(value):  # the quickest way to see that there is none
            return value
        return special.sub(lambda found: written[found[0]], value)

    return encode


def text_column_encoder(delimiter: bytes) -> EncodeAll:
    """The same for many values at once."""
    encode, marks = text_encoder(delimiter), _MARKS + delimiter

    def encode_all(values: Column) -> Column:
        joined = b"".join(values)
        return values if len(joined.translate(None, marks)) == len(joined) else list(map(encode, values))

    return encode_all
