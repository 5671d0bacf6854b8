"""The fields of one row in COPY's text format.  A field is NULL by its bytes as they stand, before they are decoded."""

from __future__ import annotations

import re
from collections.abc import Callable

_NAMED = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_ENCODED = re.compile(rb"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(.)|\Z)", re.DOTALL)
_LETTERS = {value: b"\\" + letter for letter, value in _NAMED.items()}

Split = Callable[[bytes], list[bytes]]


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


def text_encoder(delimiter: bytes) -> Callable[[bytes], bytes]:
    """Makes a value that is not NULL a field, as PostgreSQL writes it (copyto.c, CopyAttributeOutText)."""
    marks = b"\\\b\f\n\r\t\v" + delimiter
    special = re.compile(b"[" + re.escape(marks) + b"]")
    written = {**_LETTERS, b"\\": b"\\\\", delimiter: b"\\" + (b"t" if delimiter == b"\t" else delimiter)}

    def encode(value: bytes) -> bytes:
        if len(value.translate(None, marks)) == len(value):  # the quickest way to see that there is none
            return value
        return special.sub(lambda found: written[found[0]], value)

    return encode
