"""A client's row of csv made into the fields of a row of text, which goes on to the server in its place.

Text has one way to say what csv says in several: NULL, a default, a value with line ends.  So the server can not see
other rows or other fields than we do.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from proxy.wire.copying.csv_fields import csv_decoder, csv_splitter
from proxy.wire.copying.options import CopyOptions
from proxy.wire.copying.text_fields import text_encoder

_NULL, _DEFAULT = b"\\N", b"\\D"
_SPECIAL = b"\\\b\f\n\r\t\v"  # what text writes otherwise than csv

Take = Callable[[bytes], list[bytes]]


def csv_row_taker(options: CopyOptions) -> Take:
    """The result's function raises ValueRejected for what is no csv."""
    exact = _exact(options)
    if options.force_null or options.force_not_null or options.escape != options.quote:
        return exact
    return _quick(options, exact)


def _exact(options: CopyOptions) -> Take:
    split, value_of = csv_splitter(options), csv_decoder(options)
    null, default, encode = options.null, options.default, text_encoder(b"\t")

    def take(row: bytes) -> list[bytes]:
        return [field(index, raw) for index, raw in enumerate(split(row))]

    def field(index: int, raw: bytes) -> bytes:
        value, quoted = value_of(raw)
        if not quoted and value == null:
            return encode(null) if index in options.force_not_null else _NULL
        if not quoted and value == default:
            return _DEFAULT
        if value == null and index in options.force_null:
            return _NULL
        return encode(value)

    return take


def _quick(options: CopyOptions, exact: Take) -> Take:
    """The usual row: nothing in it that text writes otherwise, quotes around whole fields only."""
    quote, delimiter, null, default = options.quote, options.delimiter, options.null, options.default
    q, d = re.escape(quote), re.escape(delimiter)
    fields_of = re.compile(rb"(%b[^%b]*+(?:%b%b[^%b]*+)*+%b|[^%b%b]*+)%b" % (q, q, q, q, q, q, q, d, d)).findall
    twice = quote + quote
    unquoted_special = _SPECIAL.replace(delimiter, b"")

    def take(row: bytes) -> list[bytes]:
        if quote not in row:
            if len(row.translate(None, unquoted_special)) != len(row):
                return exact(row)
            fields = row.split(delimiter)
            return [plain(f) for f in fields] if null in fields or default in fields else fields
        fields = fields_of(row + delimiter)
        whole = sum(map(len, fields)) + len(fields) == len(row) + 1
        if not whole or len(row.translate(None, _SPECIAL)) != len(row):
            return exact(row)
        return [f[1:-1].replace(twice, quote) if f.startswith(quote) else plain(f) for f in fields]

    def plain(field: bytes) -> bytes:
        return _NULL if field == null else _DEFAULT if field == default else field

    return take
