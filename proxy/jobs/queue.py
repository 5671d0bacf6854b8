"""The queue of operations, by PgQueuer, in a schema of its own of the control database.  The only importer of PgQueuer.

A job holds nothing but an operation's id.  An operation stands in the queue once, however often it is put there; whose
runner gives no sign of life for `heartbeat` seconds, is handed to another.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import Channel

from proxy.keywork.handler import Connection

SCHEMA = "fieldgate_jobs"
ENTRYPOINT = "operation"
_SETTINGS = DBSettings(db_schema=SCHEMA, prefix="", channel=Channel("fieldgate_jobs"))
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")


class TryAgain(Exception):
    """Raised by what carries out an operation: it is to be handed out again after so many seconds."""

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(reason)
        self.seconds, self.reason = seconds, reason


CarryOut = Callable[[UUID], Awaitable[None]]


def _queries(connection: Connection) -> Queries:
    return Queries(
        AsyncpgDriver(connection),
        QueryBuilderEnvironment(_SETTINGS),
        QueryQueueBuilder(_SETTINGS),
        QuerySchedulerBuilder(_SETTINGS),
    )


async def install_queue(connection: Connection, control_user: str) -> None:
    """Makes the queue's schema, or brings it up to date, for a control user that does not own it.  Idempotent."""
    if not _IDENTIFIER.fullmatch(control_user):
        raise ValueError("the control user's name is no plain identifier")
    queries = _queries(connection)
    if await queries.schema_is_installed():
        await queries.upgrade()
    else:
        await queries.install()
    await connection.execute(
        f'GRANT USAGE ON SCHEMA {SCHEMA} TO "{control_user}";'
        f'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {SCHEMA} TO "{control_user}";'
        f'GRANT USAGE ON ALL SEQUENCES IN SCHEMA {SCHEMA} TO "{control_user}"'
    )


class Queue:
    """Over one connection to the control database, which it takes for itself.  Ends when that connection does."""

    def __init__(self, connection: Connection, heartbeat: float, at_a_time: int) -> None:
        self._connection, self._heartbeat, self._at_a_time = connection, heartbeat, at_a_time
        self._queries = _queries(connection)
        self._manager: QueueManager | None = None
        self._stopped = False

    async def put(self, operation_id: UUID) -> None:
        """Handed out soon; it is no second time in the queue."""
        name = str(operation_id)
        await self._queries.enqueue(ENTRYPOINT, name.encode(), dedupe_key=name, on_conflict="skip")

    async def run(self, carry_out: CarryOut) -> None:
        """Hands out operations until `stop`, or until the connection is lost: then it raises, whatever asyncpg says."""
        if self._stopped:
            return
        manager = self._manager = QueueManager(self._queries, channel=_SETTINGS.channel)

        async def one(job: Job) -> None:
            try:
                await carry_out(UUID((job.payload or b"").decode()))
            except TryAgain as again:
                raise RetryRequested(timedelta(seconds=again.seconds), again.reason) from None

        manager.entrypoint(ENTRYPOINT)(one)
        await manager.run(
            dequeue_timeout=timedelta(seconds=self._heartbeat / 2),
            batch_size=1,
            max_concurrent_tasks=max(2, self._at_a_time),
            shutdown_on_listener_failure=True,
            heartbeat_timeout=timedelta(seconds=self._heartbeat),
        )

    def stop(self) -> None:
        """No more are handed out; `run` returns when those that are being carried out have ended."""
        self._stopped = True
        if self._manager is not None:
            self._manager.shutdown.set()

    def close(self) -> None:
        with suppress(Exception):
            self._connection.terminate()
