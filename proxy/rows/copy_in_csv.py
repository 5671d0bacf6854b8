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
_SPECIAL = re.compile(rb"[\\\b\f\n\r\t\v]")


def csv_row_taker(options: CopyOptions) -> Callable[[bytes], list[bytes]]:
    """The result's function raises ValueRejected for what is no csv."""
    split, value_of = csv_splitter(options), csv_decoder(options)
    quote, null, default = options.quote, options.null, options.default
    plain_fields = not options.force_null and not options.force_not_null
    encode = text_encoder(b"\t")

    def take(row: bytes) -> list[bytes]:
        fields = split(row)
        if plain_fields and quote not in row and _SPECIAL.search(row) is None:
            return [_NULL if f == null else _DEFAULT if f == default else f for f in fields]
        return [field(index, raw) for index, raw in enumerate(fields)]

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
