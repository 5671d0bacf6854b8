"""PostgreSQL's two compressions of stored values, undone as far as the bytes go.  Pure.

Written here because what is looked at may be torn: a library gives an error where half a value is there, and pglz has
none.  Formats: src/common/pg_lzcompress.c of PostgreSQL; the block format of LZ4 (lz4_Block_format.md).
"""

from __future__ import annotations


def pglz(data: bytes, limit: int) -> bytes:
    """What `data` decompresses to, `limit` bytes at most; what comes before the first byte that makes no sense."""
    out, at, size = bytearray(), 0, len(data)
    while at < size and len(out) < limit:
        control, at = data[at], at + 1
        for bit in range(8):
            if at >= size or len(out) >= limit:
                break
            if not control >> bit & 1:
                out.append(data[at])
                at += 1
                continue
            if at + 1 >= size:
                return bytes(out)
            length, offset = (data[at] & 0x0F) + 3, (data[at] & 0xF0) << 4 | data[at + 1]
            at += 2
            if length == 18:
                if at >= size:
                    return bytes(out)
                length, at = length + data[at], at + 1
            if not _repeat(out, offset, length, limit):
                return bytes(out)
    return bytes(out[:limit])


def lz4(data: bytes, limit: int) -> bytes:
    """The same for one LZ4 block."""
    out, at, size = bytearray(), 0, len(data)
    while at < size and len(out) < limit:
        token, at = data[at], at + 1
        literals, at = _length(data, token >> 4, at)
        out += data[at : at + literals]
        at += literals
        if at + 1 >= size:
            break
        offset, at = data[at] | data[at + 1] << 8, at + 2
        length, at = _length(data, token & 0x0F, at)
        if not _repeat(out, offset, length + 4, limit):
            break
    return bytes(out[:limit])


def _length(data: bytes, length: int, at: int) -> tuple[int, int]:
    """LZ4's lengths go on while a byte is 255."""
    if length == 15:
        while at < len(data):
            more, at = data[at], at + 1
            length += more
            if more != 255:
                break
    return length, at


def _repeat(out: bytearray, offset: int, length: int, limit: int) -> bool:
    """Copies what stands `offset` back; the copy may overlap itself."""
    if not 0 < offset <= len(out):
        return False
    length = min(length, limit - len(out))
    if length > 0:
        piece = out[-offset:]
        out += (piece * (length // offset + 1))[:length]
    return True
