"""Carries out operations that the queue hands out, and puts those into it that have become due.

What becomes of an operation:
    its handler returns       done
    Cancelled                 cancelled, as its handler left it
    a fault that may pass     it stays as it is, and is tried again after a while, for as long as it takes
    any other error of ours   failed, with the error's own sentence, which names no value
    anything else             failed, with a neutral sentence; the log has the kind of the error

A runner that dies says nothing: its job is handed to another one, which claims the operation anew.  One that was only
asleep finds its claim lost and leaves the operation alone.

How an operation ended is told in the audit record behind the commit that ends it.  What a runner could not tell any
more the next one tells; a record may come twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from keys.errors import CryptoError
from policies.audit.key_events import Author, KeyEvent, KeyRecord, Outcome
from proxy.errors import FieldgateError
from proxy.keywork.handler import Cancelled, Connection, Handler
from proxy.keywork.operation import Operation, OperationKind, OperationState
from proxy.keywork.records import CHANNEL, ClaimLost, Records
from proxy.keywork.refusals import Refusal
from proxy.keywork.trail import Trail, about
from proxy.logs import Logger
from proxy.rotation.due import PRINCIPAL
from proxy.rotation.errors import is_transient

from .queue import Queue, TryAgain
from .stats import JobStats
from .work import ClaimedWork

FIRST_DELAY, LONGEST_DELAY = 1.0, 60.0
AUTHOR = Author(PRINCIPAL, "runner")
_DUE_AT_ONCE = 100


@dataclass(slots=True)
class Runner:
    """`connect` makes a connection to the control database.  Seconds: `heartbeat`, `look` (for what has become due)."""

    records: Records
    handlers: Mapping[OperationKind, Handler]
    connect: Callable[[], Awaitable[Connection]]
    trail: Trail
    logger: Logger
    stats: JobStats = field(default_factory=JobStats)
    heartbeat: float = 10.0
    look: float = 5.0
    at_a_time: int = 2
    longest_delay: float = LONGEST_DELAY
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _faults: dict[UUID, int] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _queue: Queue | None = None

    async def run(self) -> None:
        """Until `stop`.  A control database that is gone is waited for."""
        delay = FIRST_DELAY
        while not self._stopping.is_set():
            try:
                await self._serve()
                delay = FIRST_DELAY
            except Exception as error:  # noqa: BLE001 (asyncpg and the queue raise many kinds; each means: once more)
                self.logger.warning("jobs_interrupted", kind=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
            delay = min(2 * delay, self.longest_delay)

    def stop(self) -> None:
        """What is being carried out is broken off, and handed out again when there is a runner."""
        self._stopping.set()
        if self._queue is not None:
            self._queue.stop()
        for task in tuple(self._tasks):
            task.cancel()

    async def _serve(self) -> None:
        """On one pair of connections, until one of them is lost."""
        connection = await self.connect()
        try:
            heard = await self.connect()
            try:
                if self._stopping.is_set():
                    return
                self._queue = queue = Queue(connection, self.heartbeat, self.at_a_time)
                filling = asyncio.create_task(self._fill(queue, heard))
                running = asyncio.create_task(queue.run(self.carry_out))
                try:
                    done, _ = await asyncio.wait({filling, running}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    self._queue = None
                    queue.stop()
                    filling.cancel()
                    for task in tuple(self._tasks):
                        task.cancel()
                    await asyncio.gather(filling, running, return_exceptions=True)
                for task in done:
                    task.result()
            finally:
                heard.terminate()
        finally:
            connection.terminate()

    async def _fill(self, queue: Queue, connection: Connection) -> None:
        """Puts into the queue what is due: when something has changed, and from time to time."""
        changed = asyncio.Event()
        await connection.add_listener(CHANNEL, lambda *_: changed.set())
        while True:
            changed.clear()
            for operation_id in await self.records.due(_DUE_AT_ONCE, timedelta(seconds=3 * self.heartbeat)):
                await queue.put(operation_id)
            for operation, state in await self.records.untold(_DUE_AT_ONCE, timedelta(seconds=3 * self.heartbeat)):
                await self._tell(operation, state)
            await connection.fetchval("SELECT 1", timeout=self.heartbeat)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), self.look)

    async def carry_out(self, operation_id: UUID) -> None:
        """Raises TryAgain for a fault that may pass; everything else ends the operation."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (always within one)
        self._tasks.add(task)
        try:
            await self._claimed(operation_id, task)
        except ClaimLost:
            self.logger.info("operation_left", operation=str(operation_id))
        except asyncio.CancelledError:
            raise TryAgain(0.0, "the runner was stopped") from None
        except Exception as error:
            if not is_transient(error) and not isinstance(error, Refusal):
                raise
            raise self._again(operation_id, error) from None
        finally:
            self._tasks.discard(task)

    def _again(self, operation_id: UUID, error: BaseException) -> TryAgain:
        self.stats.retries += 1
        faults = self._faults[operation_id] = self._faults.get(operation_id, 0) + 1
        delay = min(FIRST_DELAY * 2 ** min(faults - 1, 16), self.longest_delay)
        self.logger.warning(
            "operation_interrupted", operation=str(operation_id), kind=type(error).__name__, again=delay
        )
        return TryAgain(delay, type(error).__name__)

    async def _claimed(self, operation_id: UUID, task: asyncio.Task[None]) -> None:
        claim = await self.records.claim(operation_id)
        if claim is None:
            return  # it has ended, or is to rest, since it was put into the queue
        operation, work = claim.operation, ClaimedWork(self.records, claim)
        handler = self.handlers.get(operation.kind)
        await self.trail.write(about(KeyRecord(KeyEvent.STARTED, AUTHOR), operation))
        self.logger.info("operation_started", operation=str(operation_id), operation_kind=operation.kind.value)
        self.stats.running[operation.kind.value] += 1
        alive = asyncio.create_task(work.alive())
        try:
            state, problem = await self._outcome(handler, work, alive)
        finally:
            alive.cancel()
            await asyncio.gather(alive, return_exceptions=True)
            self.stats.running[operation.kind.value] -= 1
        self._tasks.discard(task)  # what is left is short: whoever stops the runner waits for it
        ended = await self.records.finish(claim, state, problem)
        self._faults.pop(operation_id, None)
        self.stats.ended[operation.kind.value, state.value] += 1
        self.logger.info("operation_ended", operation=str(operation_id), state=state.value)
        await self._tell(ended, state)

    async def _outcome(
        self, handler: Handler | None, work: ClaimedWork, alive: asyncio.Task[None]
    ) -> tuple[OperationState, str | None]:
        """What it ends with.  Raises what is to be tried again, and ClaimLost."""
        if handler is None:
            return OperationState.FAILED, "this runner has no handler for it: is it of an older version?"
        try:
            await _while_alive(handler(work), alive)
        except Cancelled:
            return OperationState.CANCELLED, None
        except ClaimLost:
            raise
        except Exception as error:
            if is_transient(error):
                raise
            self.logger.error("operation_failed", kind=type(error).__name__)
            if isinstance(error, (FieldgateError, CryptoError)):
                return OperationState.FAILED, str(error)
            told = getattr(error, "sqlstate", None) or type(error).__name__
            return OperationState.FAILED, f"it stopped at an error that was not foreseen ({told})"
        return OperationState.DONE, None

    async def _tell(self, operation: Operation, state: OperationState) -> None:
        """It has ended, whatever becomes of the record: without the sink it stays untold until that is back."""
        outcome = Outcome.FAILED if state is OperationState.FAILED else Outcome.DONE
        record = about(KeyRecord(KeyEvent.FINISHED, AUTHOR, outcome, state=state.value), operation)
        with contextlib.suppress(Refusal):
            await self.trail.write(record)
            await self.records.told(operation.operation_id, state)


async def _while_alive(handling: Awaitable[None], alive: asyncio.Task[None]) -> None:
    """The handler, unless the signs of life fail: then somebody else may have the operation already."""
    task = asyncio.ensure_future(handling)
    try:
        await asyncio.wait({task, alive}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            alive.result()
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
