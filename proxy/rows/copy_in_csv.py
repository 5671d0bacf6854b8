"""A client's row of csv made into the fields of a row of text, which goes on to the server in its place.

Text has one way to say what csv says in several: NULL, a default, a value with line ends.  So the server can not see
other rows or other fields than we do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from proxy.wire.copying.csv_fields import csv_decoder, csv_splitter
from proxy.wire.copying.options import CopyOptions
from proxy.wire.copying.text_fields import Column, Columns, TakeAll, in_columns, text_encoder

_NULL, _DEFAULT = b"\\N", b"\\D"
_SPECIAL = b"\\\b\f\n\r\t\v"  # what text writes otherwise than csv
_STAND_IN = b"\0"  # for a delimiter inside quotes; no text holds it

Take = Callable[[bytes], list[bytes]]


def csv_row_taker(options: CopyOptions) -> Take:
    """The result's function raises ValueRejected for what is no csv."""
    exact = _exact(options)
    return _quick(options, exact) if _usual(options) else exact


def csv_columns_taker(options: CopyOptions, width: int) -> TakeAll:
    """The same for many rows at once."""
    take, quick = csv_row_taker(options), _quick_columns(options, width)

    def columns(rows: Sequence[bytes]) -> Columns | None:
        found = quick(rows) if _usual(options) else None
        return in_columns(map(take, rows), width) if found is None else found

    return columns


def _usual(options: CopyOptions) -> bool:
    return not (options.force_null or options.force_not_null or options.escape != options.quote)


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


def _quick_columns(options: CopyOptions, width: int) -> TakeAll:
    """Usual rows, as above, with no doubled quote; the work is done by a few calls for all of them.

    The function gives None for any other rows.
    """
    delimiter, null, default = options.delimiter, options.null, options.default
    special = (_SPECIAL + _STAND_IN).replace(delimiter, b"").replace(b"\n", b"")

    def columns(rows: Sequence[bytes]) -> Columns | None:
        data = b"\n".join(rows)
        if data.count(b"\n") != len(rows) - 1 or len(data.translate(None, special)) != len(data):
            return None
        bare = _unquoted(data, options) if options.quote in data else data
        taken = None if bare is None else in_columns([row.split(delimiter) for row in bare.split(b"\n")], width)
        if bare is None or taken is None:
            return None
        stand_ins = _STAND_IN in bare
        return [written(_restored(column, delimiter) if stand_ins else column) for column in taken]

    def written(column: Column) -> Column:
        if null not in column and default not in column:
            return column
        return [_NULL if field == null else _DEFAULT if field == default else field for field in column]

    return columns


def _unquoted(data: bytes, options: CopyOptions) -> bytes | None:
    """Without the quotes around whole fields, and with stand-ins for delimiters inside them; None: unusual."""
    quote, delimiter = options.quote, options.delimiter
    parts = (b"\n" + data + b"\n").split(quote)
    inside, outside = parts[1::2], parts[::2]
    edges = {part[:1] for part in outside} | {part[-1:] for part in outside}
    if len(parts) % 2 == 0 or not edges <= {delimiter, b"\n"} or options.null in inside or options.default in inside:
        return None
    joined = quote.join(inside)
    if b"\n" in joined:  # a quote that is left open in one row, and closed in another
        return None
    if delimiter in joined:
        if delimiter in _SPECIAL:
            return None
        parts[1::2] = joined.replace(delimiter, _STAND_IN).split(quote)
    return b"".join(parts)[1:-1]


def _restored(column: Column, delimiter: bytes) -> Column:
    joined = b"\n".join(column)
    return joined.replace(_STAND_IN, delimiter).split(b"\n") if _STAND_IN in joined else column
