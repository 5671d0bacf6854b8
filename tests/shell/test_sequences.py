"""Row keys come from sequences in blocks, each value once."""

from __future__ import annotations

import asyncio

from proxy.sequences import BLOCK, SequencePool


class Source:
    def __init__(self) -> None:
        self.next = 1
        self.asked: list[tuple[str, int]] = []

    async def fetch(self, sequence: str, count: int) -> list[bytes]:
        self.asked.append((sequence, count))
        await asyncio.sleep(0)
        values = [str(number).encode() for number in range(self.next, self.next + count)]
        self.next += count
        return values


async def test_values_come_in_blocks_and_once() -> None:
    source = Source()
    pool = SequencePool(source.fetch)
    assert pool.draw("s", 1) is None
    await pool.have({"s": 2})
    assert source.asked == [("s", BLOCK)]
    assert pool.draw("s", 2) == [b"1", b"2"] and pool.draw("s", 1) == [b"3"]
    assert pool.draw("s", BLOCK) is None  # not enough, and nothing is lost
    assert len(pool.draw("s", BLOCK - 3) or []) == BLOCK - 3


async def test_more_than_a_block_and_several_at_once() -> None:
    source = Source()
    pool = SequencePool(source.fetch)
    await asyncio.gather(pool.have({"s": 500}), pool.have({"s": 500, "t": 1}))
    assert source.asked == [("s", 500), ("t", BLOCK)]
    drawn = pool.draw("s", 500)
    assert drawn is not None and len(set(drawn)) == 500
