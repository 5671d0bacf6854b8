"""What stands compressed or cut in pieces in PostgreSQL's pages, put together again without the catalog's help.  Pure.

Deleted rows count as much as live ones, so nothing here asks whether a tuple is alive.  Layouts: storage/bufpage.h,
access/htup_details.h, varatt.h; little-endian, pages of 8 kB.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import unpack_from

from .decompress import lz4, pglz

PAGE = 8192
LIMIT = 32 << 20  # bytes of one value that are looked at
_HEADER, _LINE = 24, 4
_LAYOUT = 0x2004  # page size and version 4
_RAW_SIZE = 0x3FFFFFFF
_METHODS = {0: pglz, 1: lz4}


def is_page(page: bytes) -> bool:
    """Whether it has the header of a page; a torn or empty one is still searched as it is."""
    return len(page) == PAGE and bool(unpack_from("<H", page, 18)[0] == _LAYOUT)


def inflated(info: int, data: bytes) -> bytes:
    """`info`: the word before the data that says method and size.  Empty when it is no such word."""
    method = _METHODS.get(info >> 30)
    return b"" if method is None else method(data, min(info & _RAW_SIZE, LIMIT))


def inline_values(page: bytes) -> Iterator[bytes]:
    """Values that stand compressed in a row or an index entry: any word that may begin one is tried."""
    words = memoryview(page).cast("I")
    for at, word in enumerate(words[:-2]):
        if word & 3 != 2:
            continue
        size, info = word >> 2, words[at + 1]
        # As it is only stored compressed when that is shorter, and no such value is longer than its page.
        if not 8 < size <= PAGE - 4 * at or info >> 30 not in _METHODS or not size - 8 < info & _RAW_SIZE <= LIMIT:
            continue
        value = inflated(info, page[4 * at + 8 : 4 * at + size])
        if len(value) == info & _RAW_SIZE:
            yield value


def chunks(page: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(value's number, place, bytes) of the rows of a page of a TOAST table."""
    if not is_page(page):
        return
    lower = min(unpack_from("<H", page, 12)[0], PAGE)
    for at in range(_HEADER, lower - _LINE + 1, _LINE):
        (line,) = unpack_from("<I", page, at)
        start, size = line & 0x7FFF, line >> 17
        if size < 32 or start + size > PAGE:
            continue
        begin = start + page[start + 22]
        if begin + 9 > start + size:
            continue
        number, place = unpack_from("<Ii", page, begin)
        data = _bytes_of(page, begin + 8, start + size)
        if data is not None and place >= 0:
            yield number, place, data


def _bytes_of(page: bytes, at: int, end: int) -> bytes | None:
    """A variable-length value that is neither compressed nor elsewhere."""
    first = page[at]
    if first & 1:
        length = first >> 1
        return page[at + 1 : at + length] if 1 < length <= end - at else None
    if first & 3 or at + 4 > end:
        return None
    length = unpack_from("<I", page, at)[0] >> 2
    return page[at + 4 : at + length] if 4 < length <= end - at else None


def put_together(pieces: dict[int, bytes]) -> Iterator[bytes]:
    """The value as it stands, and decompressed if it is compressed; as far as its pieces follow each other."""
    whole, place = bytearray(), 0
    while place in pieces and len(whole) < LIMIT:
        whole += pieces[place]
        place += 1
    data = bytes(whole)
    yield data
    if len(data) > 4:
        yield inflated(unpack_from("<I", data)[0], data[4:])
