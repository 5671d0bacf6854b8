"""The inner loop of every result: one run of DataRow messages, copied but for the values that are opened or looked at.

`transform` goes row by row and says what is meant.  `transform_all` does the same to rows that are as usual, column by
column, so that what opens cells is called once for all of them.  Both stay small, and apart from everything that is
decided once per result, so that they can be compiled later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from struct import Struct

from keys.errors import CryptoError
from proxy.errors import ProtocolViolation
from proxy.wire.framing import HEADER_SIZE, Span

from .apart import Values, taken_apart

Opener = Callable[[bytes], bytes]  # what the server sent for a value -> what the client gets
OpenAll = Callable[[Sequence[bytes]], Sequence[bytes]]  # the same for a whole column


@dataclass(frozen=True, slots=True)
class OpenRows:
    """The same where each value is opened with its row: NULLs are among what it gets, and among what it gives."""

    opener: Callable[[Values], Values]


_HEADER = Struct("!ciH")
_LENGTH = Struct("!i")
_FIRST_COLUMN = HEADER_SIZE + 2
_LENGTHS = tuple(length.to_bytes(4, "big") for length in range(1024))  # those of nearly all values, made once
_LONG = len(_LENGTHS)
_NULL = b"\xff\xff\xff\xff"


class ColumnUnreadable(Exception):
    """The cell in this column of the result cannot be opened."""

    def __init__(self, column: int) -> None:
        super().__init__(column)
        self.column = column


def transform(
    data: bytes,
    spans: Sequence[Span],
    columns: int,
    openers: Sequence[Opener | None],
    out: list[bytes],
    tag: bytes = b"D",
) -> None:
    """Append to `out`, in pieces, the client's messages for the server's at `spans`: DataRow, or COPY's binary rows.

    The server sends so many `columns`; those behind `openers` are stripped, and None copies.  Raises ColumnUnreadable,
    ProtocolViolation, and what openers raise; the rows before that one are then in `out`, and nothing of it is.
    """
    unpack, append, count = _LENGTH.unpack_from, out.append, columns.to_bytes(2, "big")
    mark, start, position = len(out), 0, 0
    try:
        for _, start, end in spans:
            mark = len(out)
            position = copied = start + _FIRST_COLUMN
            if data[position - 2 : position] != count:
                raise _malformed()
            append(b"")  # the header's place, until the size is known
            size = _FIRST_COLUMN - 1
            for opener in openers:
                if position + 4 > end:
                    raise _malformed()
                (length,) = unpack(data, position)
                follow = position + 4 + (length if length > 0 else 0)
                if follow > end or length < -1:
                    raise _malformed()
                if opener is not None and length >= 0:
                    if copied < position:
                        append(data[copied:position])
                    value = opener(data[position + 4 : follow])
                    append(_LENGTHS[len(value)] if len(value) < _LONG else _LENGTH.pack(len(value)))
                    append(value)
                    size += position - copied + 4 + len(value)
                    copied = follow
                position = follow
            if copied < position:
                append(data[copied:position])
                size += position - copied
            out[mark] = _HEADER.pack(tag, size, len(openers))
    except CryptoError:
        del out[mark:]
        raise ColumnUnreadable(_column_at(data, start, position)) from None
    except BaseException:
        del out[mark:]
        raise


def transform_all(
    data: bytes,
    spans: Sequence[Span],
    columns: int,
    openers: Sequence[OpenAll | OpenRows | None],
    out: list[bytes],
    tag: bytes = b"D",
) -> bytes | None:
    """As `transform`; returns what was copied.  None: nothing was done, a row is malformed.  Raises what openers raise.

    What is not opened is copied, and it is for the caller to look at it; then `out` has what `transform` would append.
    """
    parts: list[Sequence[bytes]] = []
    copies: list[list[bytes]] = []
    found = taken_apart(data, spans, columns, [opener is not None for opener in openers])
    if found is None:
        return None
    gaps, values, tails = found
    opening = (opener for opener in openers if opener is not None)
    for opener, gap, column in zip(opening, gaps, values, strict=True):
        parts += (gap, *_opened(column, opener))
        copies.append(gap)
    bodies = list(map(b"".join, zip(*parts, tails, strict=True)))
    sizes = list(map(len, bodies))
    heads = {size: _HEADER.pack(tag, _FIRST_COLUMN - 1 + size, len(openers)) for size in set(sizes)}
    out += chain.from_iterable(zip(map(heads.__getitem__, sizes), bodies, strict=True))
    return b"".join(chain(*copies, tails))


def _opened(column: Values, opener: OpenAll | OpenRows) -> tuple[Sequence[bytes], Sequence[bytes]]:
    """The values' lengths as they are sent, and the values."""
    if isinstance(opener, OpenRows):
        shown = opener.opener(column)
        return (
            [_NULL if each is None else _LENGTH.pack(len(each)) for each in shown],
            [b"" if each is None else each for each in shown],
        )
    given = [value for value in column if value is not None]
    opened = opener(given)
    sizes = {size: _LENGTH.pack(size) for size in set(map(len, opened))}
    lengths = list(map(sizes.__getitem__, map(len, opened)))
    if len(given) == len(column):
        return lengths, opened
    length, value = iter(lengths), iter(opened)
    return (
        [_NULL if each is None else next(length) for each in column],
        [b"" if each is None else next(value) for each in column],
    )


def _column_at(data: bytes, start: int, position: int) -> int:
    """Which column of the message that begins at `start` has its length at `position`."""
    at, column = start + _FIRST_COLUMN, 0
    while at < position:
        at += 4 + max(_LENGTH.unpack_from(data, at)[0], 0)
        column += 1
    return column


def _malformed() -> ProtocolViolation:
    return ProtocolViolation("the server sent a malformed row")
