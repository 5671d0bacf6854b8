"""What a handler of operations is given, and how it says where it stands.

A handler does one kind of operation, idempotently: killed at any point and run again, it goes on from what the
databases say.  It calls `checkpoint` between batches, which waits while the operation is paused and raises `Cancelled`
when somebody wants it cancelled; a handler that can no longer go back goes on with `NoWayBack`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from .operation import Operation


class Cancelled(Exception):
    """Somebody wants the operation cancelled; the handler has left everything usable, as it stands in its contract."""


class Work(Protocol):
    """One operation being carried out."""

    @property
    def operation(self) -> Operation: ...

    async def checkpoint(self, step: str, done: int = 0, total: int = 0) -> None:
        """Records progress (at most once a second) and obeys pause and cancel.  Raises Cancelled."""
        ...

    async def report(self, result: Mapping[str, object]) -> None:
        """Puts names, counts and dates into the operation's result; never a value."""
        ...


@dataclass(frozen=True, slots=True)
class NoWayBack:
    """A Work of which the rest is done whatever is wanted: it still rests when it is paused, and is never cancelled."""

    work: Work

    @property
    def operation(self) -> Operation:
        return self.work.operation

    async def checkpoint(self, step: str, done: int = 0, total: int = 0) -> None:
        with suppress(Cancelled):
            await self.work.checkpoint(step, done, total)

    async def report(self, result: Mapping[str, object]) -> None:
        await self.work.report(result)


Handler = Callable[[Work], Awaitable[None]]
Connection = Any  # asyncpg has no types that mypy can check
