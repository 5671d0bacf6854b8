"""Blocking calls in a thread of their own: in order, with their errors, and never in the way of who leaves."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from keys.providers.one_thread import OneThread


async def test_calls_are_made_one_after_another_in_one_thread() -> None:
    thread, seen = OneThread("test"), list[tuple[int, int]]()
    await asyncio.gather(*(thread.run(lambda n=n: seen.append((n, threading.get_ident()))) for n in range(20)))
    assert [number for number, _ in seen] == list(range(20))
    assert len({ident for _, ident in seen}) == 1 and seen[0][1] != threading.get_ident()
    thread.stop()


async def test_errors_arrive_where_the_call_was_awaited() -> None:
    thread = OneThread("test")

    def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await thread.run(fail)
    assert await thread.run(lambda: 1) == 1
    thread.stop()


async def test_a_caller_that_leaves_does_not_disturb_the_next() -> None:
    thread, begun, release, seen = OneThread("test"), threading.Event(), threading.Event(), list[str]()
    first = asyncio.create_task(thread.run(lambda: begun.set() or release.wait()))
    await asyncio.to_thread(begun.wait, 10)
    second = asyncio.create_task(thread.run(lambda: seen.append("left before its turn")))
    await asyncio.sleep(0)
    for task in (first, second):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    release.set()
    await thread.run(lambda: seen.append("next"))
    assert seen == ["next"]
    thread.stop()


async def test_it_ends_when_told() -> None:
    thread = OneThread("ends when told")
    await thread.run(lambda: None)
    [running] = [found for found in threading.enumerate() if found.name == "ends when told"]
    thread.stop()
    await asyncio.to_thread(running.join, 10)
    assert not running.is_alive()


def test_a_call_that_hangs_does_not_keep_the_process() -> None:
    program = (
        "import asyncio, time\n"
        "from keys.providers.one_thread import OneThread\n"
        "async def main():\n"
        "    async with asyncio.timeout(0.05):\n"
        "        await OneThread('hanging').run(lambda: time.sleep(600))\n"
        "try:\n    asyncio.run(main())\nexcept TimeoutError:\n    print('left')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], timeout=30, capture_output=True, text=True, check=True)
    assert done.stdout == "left\n"
