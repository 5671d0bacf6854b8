"""The audit trail of work over keys: a record is durable before what it says is done (I8).

`asking` writes what is asked before it is done and what came of it after; without a sink nothing is done.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Protocol

from policies.audit.events import Line
from policies.audit.key_events import Author, KeyRecord, Outcome

from .operation import Operation
from .refusals import Code, Refusal

_SELDOM = 60.0  # seconds
_REMEMBERED = 1000


class Sink(Protocol):
    """The audit sink as the rest of the proxy has it; `done` hears whether the line is durable."""

    @property
    def available(self) -> bool: ...

    def submit(self, line: Line, done: Callable[[bool], None]) -> None: ...


class Trail:
    """`clock` is monotonic, in seconds."""

    def __init__(self, sink: Sink, clock: Callable[[], float] = time.monotonic) -> None:
        self._sink = sink
        self._clock = clock
        self._looked: OrderedDict[tuple[Author, str | None], float] = OrderedDict()

    async def write(self, record: KeyRecord) -> None:
        """Raises Refusal when the record is not durable."""
        durable: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def done(fine: bool) -> None:
            if not durable.done():
                durable.set_result(fine)

        if self._sink.available:
            self._sink.submit(record.line(), done)
        else:
            done(False)
        if not await durable:
            raise Refusal(Code.AUDIT_UNAVAILABLE, "the audit record cannot be written, so nothing is done; try later")

    async def write_seldom(self, record: KeyRecord) -> None:
        """For who looks at the same thing again and again: one record in a minute.  Raises as `write`."""
        seen = (record.author, record.kind)
        if not self._sink.available or self._clock() - self._looked.get(seen, -_SELDOM) >= _SELDOM:
            await self.write(record)
            self._looked[seen] = self._clock()
            self._looked.move_to_end(seen)
            while len(self._looked) > _REMEMBERED:
                self._looked.popitem(last=False)

    @contextlib.asynccontextmanager
    async def asking(self, record: KeyRecord) -> AsyncIterator[None]:
        """Durable before the block runs.  What came of it is said after; a sink that fails then undoes nothing."""
        await self.write(replace(record, outcome=Outcome.ASKED))
        try:
            yield
        except Refusal as refused:
            await self._afterwards(refusal_record(record, refused))
            raise
        except Exception:
            await self._afterwards(replace(record, outcome=Outcome.FAILED))
            raise
        await self._afterwards(replace(record, outcome=Outcome.DONE))

    async def refused(self, record: KeyRecord, refused: Refusal) -> None:
        """Never hides the refusal itself: a sink that does not work changes nothing about it."""
        await self._afterwards(refusal_record(record, refused))

    async def _afterwards(self, record: KeyRecord) -> None:
        with contextlib.suppress(Refusal):
            await self.write(record)


def refusal_record(record: KeyRecord, refused: Refusal) -> KeyRecord:
    return replace(record, outcome=Outcome.REFUSED, error=refused.code.value)


def about(record: KeyRecord, operation: Operation) -> KeyRecord:
    """The record with the names of an operation."""
    target = operation.target
    return replace(
        record,
        operation=str(operation.operation_id),
        kind=operation.kind.value,
        database=target.database,
        field=target.field,
        keys=(target.key_id,) if target.key_id else (),
        subject=target.subject,
    )
