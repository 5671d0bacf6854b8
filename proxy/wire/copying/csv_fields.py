"""The fields of one row in COPY's csv format, as PostgreSQL reads and writes them (CopyReadAttributesCSV).

Quotes may begin and end anywhere in a field.  Whether a field was quoted at all decides whether it can be NULL.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .options import CopyOptions, bad_format
from .text_fields import Column, EncodeAll

Split = Callable[[bytes], list[bytes]]
Decode = Callable[[bytes], tuple[bytes, bool]]


def csv_splitter(options: CopyOptions) -> Split:
    """Takes a row without its end apart, into fields as they stand, quotes included."""
    quote, delimiter = options.quote, options.delimiter
    if options.escape != quote:
        return _walker(options)

    def split(row: bytes) -> list[bytes]:
        parts = row.split(delimiter)
        if quote not in row:
            return parts
        fields: list[bytes] = []
        pending: list[bytes] = []
        for part in parts:
            odd = quote in part and part.count(quote) & 1
            if pending:
                pending.append(part)
                if odd:
                    fields.append(delimiter.join(pending))
                    pending = []
            elif odd:
                pending.append(part)
            else:
                fields.append(part)
        if pending:
            raise _unterminated()
        return fields

    return split


def _walker(options: CopyOptions) -> Split:
    quote, escape, delimiter = (re.escape(o) for o in (options.quote, options.escape, options.delimiter))
    quoted = quote + rb"(?:[^" + quote + escape + rb"]++|" + escape + rb".)*+" + quote
    field = re.compile(rb"(?:[^" + quote + delimiter + rb"]++|" + quoted + rb")*+", re.DOTALL)

    def split(row: bytes) -> list[bytes]:
        fields: list[bytes] = []
        position, size = 0, len(row)
        while True:
            found = field.match(row, position)
            end = found.end() if found is not None else position
            fields.append(row[position:end])
            if end == size:
                return fields
            if row[end : end + 1] != options.delimiter:
                raise _unterminated()
            position = end + 1

    return split


def csv_decoder(options: CopyOptions) -> Decode:
    """The value of a field as it stands, and whether any of it was quoted."""
    quote, escape = options.quote, options.escape
    q, e = re.escape(quote), re.escape(escape)
    inner = rb"(?:[^" + q + e + rb"]++|" + e + rb"[" + q + e + rb"]"
    inner += rb")*+" if quote == escape else rb"|" + e + rb")*+"
    part = re.compile(q + rb"(" + inner + rb")(" + q + rb")?|([^" + q + rb"]++)", re.DOTALL)
    pair = re.compile(e + rb"([" + q + e + rb"])")

    def decode(field: bytes) -> tuple[bytes, bool]:
        if quote not in field:
            return field, False
        inner = field[1:-1]  # nearly always there is a quote at either end, and none between
        if quote not in inner and escape not in inner and field[:1] == field[-1:] == quote and len(field) > 1:
            return inner, True
        parts: list[bytes] = []
        for found in part.finditer(field):
            inside, closed, outside = found.groups()
            if outside is not None:
                parts.append(outside)
            elif closed is None:
                raise _unterminated()
            else:
                parts.append(pair.sub(rb"\1", inside))
        return b"".join(parts), True

    return decode


def csv_encoder(options: CopyOptions, *, single: bool, always: bool) -> Callable[[bytes], bytes]:
    """Makes a value that is not NULL a field.  `single`: the row has no other; `always`: FORCE_QUOTE names it."""
    quote, escape = options.quote, options.escape
    needy = b"\r\n" + quote + options.delimiter
    special = re.compile(b"[" + re.escape(quote) + re.escape(escape) + b"]")
    null, dot = options.null, b"\\." if single else None

    def encode(value: bytes) -> bytes:
        if not always and value != null and value != dot and len(value.translate(None, needy)) == len(value):
            return value
        return quote + special.sub(lambda found: escape + found[0], value) + quote

    return encode


def csv_column_encoder(options: CopyOptions, *, single: bool, always: bool) -> EncodeAll:
    """The same for many values at once."""
    encode = csv_encoder(options, single=single, always=always)
    needy = b"\r\n" + options.quote + options.delimiter

    def encode_all(values: Column) -> Column:
        joined = b"".join(values)
        needed = always or options.null in values or (single and b"\\." in values)
        if needed or len(joined.translate(None, needy)) != len(joined):
            return list(map(encode, values))
        return values

    return encode_all


def _unterminated() -> Exception:
    return bad_format("unterminated CSV quoted field")
