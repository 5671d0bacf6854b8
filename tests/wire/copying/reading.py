"""What the modules of a format make of COPY data, put together as the data path puts them together."""

from __future__ import annotations

from collections.abc import Sequence

from proxy.errors import ValueRejected
from proxy.wire.copying.binary_rows import BinaryReader
from proxy.wire.copying.csv_fields import csv_decoder, csv_splitter
from proxy.wire.copying.lines import LineReader
from proxy.wire.copying.options import CopyFormat, CopyOptions
from proxy.wire.copying.text_fields import decode, text_splitter

Row = tuple[bytes | None, ...]


def pieces(data: bytes, sizes: Sequence[int]) -> list[bytes]:
    """The data cut into pieces of these sizes, in turn; without sizes whole."""
    found, position, turn = [], 0, 0
    while position < len(data):
        size = sizes[turn % len(sizes)] if sizes else len(data)
        found.append(data[position : position + size])
        position, turn = position + size, turn + 1
    return found


def lines(data: bytes, options: CopyOptions, sizes: Sequence[int] = ()) -> tuple[list[bytes], str | None]:
    """The rows of text or csv, and the SQLSTATE of what stands behind them."""
    reader = LineReader(options)
    rows = [row for piece in pieces(data, sizes) for row in reader.feed(piece)] + reader.finish()
    return rows, str(reader.failure.sqlstate) if reader.failure is not None else None


def read(data: bytes, options: CopyOptions, columns: int, sizes: Sequence[int] = ()) -> list[Row] | str:
    """The values, or the SQLSTATE of what is wrong."""
    if options.format is CopyFormat.BINARY:
        reader = BinaryReader(columns)
        found = [tuple(row) for piece in pieces(data, sizes) for row in reader.feed(piece)]
        found += [tuple(row) for row in reader.finish()]
        return found if reader.failure is None else str(reader.failure.sqlstate)
    rows, failure = lines(data, options, sizes)
    take_apart = _csv_row if options.format is CopyFormat.CSV else _text_row
    try:
        values = [take_apart(row, options) for row in rows]
    except ValueRejected as error:
        return str(error.sqlstate)
    if failure is not None or any(len(row) != columns for row in values):
        return failure or "22P04"
    return values


def _text_row(row: bytes, options: CopyOptions) -> Row:
    fields = text_splitter(options.delimiter)(row)
    return tuple(None if field == options.null else decode(field) for field in fields)


def _csv_row(row: bytes, options: CopyOptions) -> Row:
    values = []
    for field in csv_splitter(options)(row):
        value, quoted = csv_decoder(options)(field)
        values.append(None if value == options.null and not quoted else value)
    return tuple(values)
