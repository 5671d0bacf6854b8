"""Bytes of a COPY until a row is whole, without walking a long row again for each piece of it that comes."""

from __future__ import annotations

from .options import LONGEST_ROW, too_long

_SMALL = 64 * 1024


class Chunks:
    """What is left of a row waits; after a fruitless look the next one comes when there is twice as much."""

    __slots__ = ("_needed", "_parts", "_size")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._needed = 0

    def add(self, data: bytes) -> bytes | None:
        """All bytes that wait, if it is time to look for rows in them."""
        self._parts.append(data)
        self._size += len(data)
        return self.take() if self._size >= self._needed else None

    def take(self) -> bytes:
        joined = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts, self._size, self._needed = [], 0, 0
        return joined

    def keep(self, rest: bytes) -> None:
        """The beginning of a row.  Raises ValueRejected when it is longer than a row may be."""
        size = len(rest)
        if size > LONGEST_ROW:
            raise too_long()
        if rest:
            self._parts, self._size = [rest], size
        self._needed = min(2 * size, LONGEST_ROW + 1) if size > _SMALL else 0
