"""Short steps that need a lock: they never stand long before everyone else, and are tried until they have it.

Whoever waits for a table's lock makes all others wait behind it.  So a step lets go after a moment and comes back
later; what holds it up (a long transaction, a stopped process) may take as long as it likes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import asyncpg

from proxy.sealing.facts import Connection, fix_settings

Step = Callable[[], Awaitable[None]]
_RETRIED = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


async def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Locking:
    """`waiting` is awaited after each attempt that could not have its locks: it may raise, to give up."""

    connection: Connection
    waiting: Step = _nothing
    seconds: float = 0.3
    pause: float = 0.7

    async def __call__(self, step: Step) -> None:
        """Runs the step in a transaction of its own, again until it has its locks."""
        while True:
            try:
                async with self.connection.transaction(isolation="read_committed"):
                    await fix_settings(self.connection)
                    await self.connection.execute(
                        "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;"
                        f"SET LOCAL lock_timeout = {int(self.seconds * 1000)}"
                    )
                    await step()
                    return
            except _RETRIED:
                await self.waiting()
                await asyncio.sleep(self.pause)
