"""Calls that block, made one after another in a thread of their own, which does not keep the process from ending.

concurrent.futures waits for its threads when the interpreter exits: a library that hangs would hang the exit too.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

_Answer = TypeVar("_Answer")
_Call = Callable[[], None]


class OneThread:
    """Belongs to one event loop.  A caller that is cancelled leaves at once; its call still runs to its end."""

    __slots__ = ("_calls",)

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        threading.Thread(target=self._serve, name=name, daemon=True).start()

    async def run(self, call: Callable[[], _Answer]) -> _Answer:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_Answer] = loop.create_future()

        def work() -> None:
            if future.cancelled():
                return
            try:
                answer = call()
            except BaseException as failure:  # noqa: BLE001  (it is raised where the call was awaited)
                _hand_over(loop, future, future.set_exception, failure)
            else:
                _hand_over(loop, future, future.set_result, answer)

        self._calls.put(work)
        return await future

    def stop(self) -> None:
        """After the calls that wait already."""
        self._calls.put(None)

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


def _hand_over(
    loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any], setter: Callable[[Any], None], value: object
) -> None:
    def settle() -> None:
        if not future.done():
            setter(value)

    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:
        pass  # the loop has ended meanwhile; nobody waits any more
