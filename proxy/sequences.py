"""Values of sequences, drawn over the proxy's own connection before a row's cells are bound to its key.

Values come in blocks and are given out once; what is left at an end is a gap, as with any cached sequence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

BLOCK = 64
Fetch = Callable[[str, int], Awaitable[list[bytes]]]


class SequencePool:
    """One for a database.  `fetch` asks the server for so many values of a sequence."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._values: dict[str, list[bytes]] = {}
        self._turn = asyncio.Lock()

    def draw(self, sequence: str, count: int) -> list[bytes] | None:
        """So many values, lowest first; None when they are not at hand."""
        values = self._values.get(sequence)
        if values is None or len(values) < count:
            return None
        taken, self._values[sequence] = values[:count], values[count:]
        return taken

    async def have(self, counts: dict[str, int]) -> None:
        """Afterwards at least these many values are at hand, unless someone else draws them first."""
        async with self._turn:
            for sequence, count in counts.items():
                missing = count - len(self._values.get(sequence, ()))
                if missing > 0:
                    fresh = await self._fetch(sequence, max(missing, BLOCK))
                    self._values.setdefault(sequence, []).extend(fresh)
