"""Runs of rows taken apart by columns: the other way to walk them, for what is done to whole columns at once.

Rows that are all laid out alike, as those of numbers and dates are, are cut by one call; others one by one.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from proxy.wire.framing import HEADER_SIZE, Span

Values = list[bytes | None]

_LENGTH = struct.Struct("!i")
_FIRST_COLUMN = HEADER_SIZE + 2


def taken_apart(
    data: bytes, spans: Sequence[Span], columns: int, wanted: Sequence[bool]
) -> tuple[list[list[bytes]], list[Values], list[bytes]] | None:
    """For each wanted column its values and what stands before them in each row; and what stands behind the last.

    The server sends so many `columns`; those behind `wanted` are left out.  None: a row is malformed.
    """
    alike = _alike(data, spans, columns) if spans else None
    if alike is not None:
        return _cut(*alike, wanted)
    unpack, count = _LENGTH.unpack_from, columns.to_bytes(2, "big")
    gaps: list[list[bytes]] = [[] for each in wanted if each]
    values: list[Values] = [[] for _ in gaps]
    takers = iter([(gap.append, column.append) for gap, column in zip(gaps, values, strict=True)])
    walk = [next(takers) if each else None for each in wanted]
    tails: list[bytes] = []
    try:
        for _, start, end in spans:
            position = copied = start + _FIRST_COLUMN
            if data[position - 2 : position] != count:
                return None
            for taker in walk:
                (length,) = unpack(data, position)
                if length < -1:
                    return None
                follow = position + 4 + (length if length > 0 else 0)
                if taker is not None:
                    keep, take = taker
                    keep(data[copied:position])
                    take(data[position + 4 : follow] if length >= 0 else None)
                    copied = follow
                position = follow
            if position > end:  # and so it is as soon as any length was read, or reached, beyond the message
                return None
            tails.append(data[copied:position])
    except struct.error:
        return None
    return gaps, values, tails


def column_values(data: bytes, spans: Sequence[Span], columns: int, wanted: int) -> Values | None:
    """The values of one column of these rows; None: a row is malformed."""
    alike = _alike(data, spans, columns) if spans else None
    if alike is not None:
        rows, lengths = alike
        before = _FIRST_COLUMN + sum(lengths[:wanted]) + 4 * (wanted + 1)
        layout = f"{before}x{lengths[wanted]}s{sum(lengths[wanted + 1 :]) + 4 * (columns - wanted - 1)}x"
        return [value for (value,) in struct.iter_unpack(layout, rows)]
    unpack, count = _LENGTH.unpack_from, columns.to_bytes(2, "big")
    found: Values = []
    try:
        for _, start, end in spans:
            position = start + _FIRST_COLUMN
            if data[position - 2 : position] != count:
                return None
            value: bytes | None = None
            for column in range(columns):
                (length,) = unpack(data, position)
                if length < -1:
                    return None
                follow = position + 4 + (length if length > 0 else 0)
                if column == wanted and length >= 0:
                    value = data[position + 4 : follow]
                position = follow
            if position != end:
                return None
            found.append(value)
    except struct.error:
        return None
    return found


def _alike(data: bytes, spans: Sequence[Span], columns: int) -> tuple[bytes, list[int]] | None:
    """The rows one behind another and their columns' lengths, where each row has the first one's lengths, and no NULL.

    So it is where all columns are numbers, dates and the like.  None: go row by row; nothing is said of the rows then.
    """
    _, first, end = spans[0]
    size, lengths, position = end - first, [], first + _FIRST_COLUMN
    if spans[-1][2] - spans[-1][1] != size or data[position - 2 : position] != columns.to_bytes(2, "big"):
        return None
    for _ in range(columns):
        if position + 4 > end:
            return None
        (length,) = _LENGTH.unpack_from(data, position)
        if length < 0:
            return None
        lengths.append(length)
        position += 4 + length
    if position != end or {behind - start for _, start, behind in spans} != {size}:
        return None
    rows, at = b"".join([data[start:behind] for _, start, behind in spans]), _FIRST_COLUMN - 2
    for length, width in ((columns, 2), *((length, 4) for length in lengths)):
        for index, byte in enumerate(length.to_bytes(width, "big"), at):
            if rows[index::size].count(byte) != len(spans):
                return None
        at += width + (length if width == 4 else 0)
    return rows, lengths


def _cut(
    rows: bytes, lengths: list[int], wanted: Sequence[bool]
) -> tuple[list[list[bytes]], list[Values], list[bytes]]:
    """What `_taken_apart` finds in rows that are alike."""
    layout, gap = f"{_FIRST_COLUMN}x", 0
    for each, length in zip(wanted, lengths, strict=False):
        if each:
            layout, gap = f"{layout}{gap}s4x{length}s", 0
        else:
            gap += 4 + length
    rest = sum(lengths[len(wanted) :]) + 4 * len(lengths[len(wanted) :])
    parts = [list(part) for part in zip(*struct.iter_unpack(f"{layout}{gap}s{rest}x", rows), strict=True)]
    values: list[Values] = [[*part] for part in parts[1:-1:2]]
    return parts[:-1:2], values, parts[-1]
