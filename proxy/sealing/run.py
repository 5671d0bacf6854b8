"""One run of sealing or unsealing a column: the steps that job.py describes, each a transaction of its own.

What differs between the two directions stands in seal_run.py and unseal_run.py.  A step that cannot have its locks in
time lets go and is tried again, so that it never stands before everyone else.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import asyncpg

from keys.keyring import KeyringCiphers
from keys.subjects import SubjectName
from policies.fields import Field, ProtectedTable
from proxy.wire.values.codecs import codec_for

from .cells import CellMaker
from .ddl import sealing_of
from .errors import SealingFailed, SealingInterrupted, SealingRefused
from .facts import Connection, TableFacts, fix_settings, read_tables
from .fence import lower_fence, passed_by_all, row_fence_stands
from .staging import Staging
from .survey import Survey

T = TypeVar("T")
FIRST_BATCH = 16
BATCH_BYTES = 16 << 20  # of plaintext in memory at a time, once the size of the values is known
ANNOUNCE = "SELECT pg_catalog.pg_notify('fieldgate_catalog', '')"  # heard when the transaction commits
_RETRIED = (
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)


class SealStep(StrEnum):
    PREPARE = "prepare"
    FILL = "fill"
    VERIFY = "verify"
    SWITCH = "switch"


@dataclass(frozen=True, slots=True)
class SealOptions:
    """`lock_seconds`: how long to wait for a lock, since everyone else waits behind us; then we try again."""

    batch: int = 500
    pause: float = 0.0  # between batches, to leave the server to others
    lock_seconds: float = 3.0
    attempts: int = 20
    passes: int = 3  # over the table, before the rest is filled under lock
    fence_seconds: float = 30.0  # to wait for transactions that began before the switch
    settle_seconds: float = (
        30.0  # cells are refused in a plain column so long: until every proxy knows that it is plain
    )


@dataclass(frozen=True, slots=True)
class SealOutcome:
    """`filled` counts this run; `corrected` cells did not match their plaintext at the end and were made again.

    `fenced`: the fence still stands (proxy/sealing/fence.py); the same command, later, lifts it.
    """

    already: bool
    rows: int = 0
    filled: int = 0
    corrected: int = 0
    fenced: bool = False


Progress = Callable[[SealStep, int, int], None]
Between = Callable[[SealStep, int, int], Awaitable[None]]
InSwitch = Callable[[Connection], Awaitable[None]]
Secrets = Callable[[Collection[SubjectName]], Awaitable[None]]


def _tell_nobody(step: SealStep, done: int, total: int) -> None:
    pass


async def _go_on(step: SealStep, done: int, total: int) -> None:
    pass


async def _nothing_more(connection: Connection) -> None:
    pass


async def _no_secrets(names: Collection[SubjectName]) -> None:
    raise SealingFailed("its cells need data subjects' secrets: ask for an operation (fieldgate keys seal, unseal)")


@dataclass(frozen=True, slots=True)
class Hooks:
    """Who is told, and who has a say.

    `progress` is called often.  `between` is awaited between batches, outside of any transaction: it may wait, or raise
    to stop the run, and nothing is half done then.  `in_switch` is awaited in the transaction that switches, last: what
    must change with the form of the column, such as privileges.  `secrets` is awaited before cells are made or opened
    that need the secrets of these data subjects.
    """

    progress: Progress = _tell_nobody
    between: Between = _go_on
    in_switch: InSwitch = _nothing_more
    secrets: Secrets = _no_secrets


async def facts_of(connection: Connection, table: ProtectedTable) -> TableFacts:
    found = await read_tables(connection, [(table.schema, table.table)])
    members = found.get((table.schema, table.table))
    if not members:
        raise SealingRefused(f"{table.schema}.{table.table}", ["the table does not exist"])
    return members[0]


class Run(ABC):
    """The state of one run; `statements` and `maker` follow the newest survey."""

    statements: Staging
    maker: CellMaker

    def __init__(
        self,
        connection: Connection,
        table: ProtectedTable,
        field: Field,
        ciphers: KeyringCiphers,
        options: SealOptions,
        hooks: Hooks,
    ) -> None:
        self.connection, self.table, self.field = connection, table, field
        self.cipher = ciphers.cipher(sealing_of(field).field_id)
        self.options, self.hooks, self.progress = options, hooks, hooks.progress
        self.filled = self.total = self.corrected = 0
        self._missing = 0
        self._batch = min(FIRST_BATCH, options.batch)

    async def run(self) -> SealOutcome:
        if await self.already():
            return SealOutcome(already=True, fenced=not await self._lift_fence())
        await self.hooks.between(SealStep.PREPARE, 0, 1)
        await self._retrying(self._prepare)
        for _ in range(self.options.passes):
            if not await self._fill_pass():
                break
        await self.hooks.between(SealStep.SWITCH, 0, 1)
        await self._retrying(self._switch)
        fenced = not await self._lift_fence()
        return SealOutcome(False, self.total, self.filled, self.corrected, fenced)

    # --- what the direction says

    @abstractmethod
    async def already(self) -> bool:
        """Whether there is nothing left to do."""

    @abstractmethod
    async def look(self) -> tuple[Survey, Staging]:
        """The survey as things are now, and the statements that follow from it."""

    @abstractmethod
    def is_staged(self, facts: TableFacts) -> bool:
        """Whether the second column is there as `look`'s statements would make it now."""

    @abstractmethod
    def made(self, row: Any) -> bytes | str:
        """The second value of a row of `Staging.batch`.  Raises SealingFailed."""

    @abstractmethod
    def size(self, row: Any) -> int:
        """Bytes that a row of `Staging.batch` holds, roughly."""

    @abstractmethod
    def matches(self, row: Any) -> bool:
        """Whether a row's two values are one."""

    @abstractmethod
    async def refuse_switch(self) -> None:
        """Raises SealingFailed when the switch would fail for the values' sake; nobody writes now."""

    @abstractmethod
    def raise_fence(self, xid: str) -> tuple[str, ...]:
        """The statements that fence off transactions from before (fence.py)."""

    @abstractmethod
    def require_sound(self, facts: TableFacts) -> None:
        """Raises SealingRefused when the result is not what it should be."""

    # --- what both directions share

    async def _survey(self) -> Staging:
        found, statements = await self.look()
        obstacles = list(found.obstacles)
        if found.user_triggers and not await self._hush():
            names = ", ".join(found.user_triggers)
            obstacles.append(
                f"its triggers would fire for every row ({names}): run this as a superuser, or disable them"
            )
        if obstacles:
            raise SealingRefused(self.field.name, obstacles)
        oid = found.row_key.type_oid if found.row_key else None
        self.maker = CellMaker(self.field, self.cipher, codec_for(sealing_of(self.field).logical_type), oid)
        self.statements = statements
        return statements

    async def _hush(self) -> bool:
        """Keeps the application's triggers quiet in this transaction: filling changes nothing that they watch."""
        try:
            async with self.connection.transaction():
                await self.connection.execute("SET LOCAL session_replication_role = replica")
        except asyncpg.InsufficientPrivilegeError:
            return False
        return True

    async def _begin(self) -> None:
        await fix_settings(self.connection)
        await self.connection.execute(
            "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;"
            f"SET LOCAL lock_timeout = {int(self.options.lock_seconds * 1000)}"
        )

    async def _retrying(self, step: Callable[[], Awaitable[T]]) -> T:
        """Runs a step in a transaction of its own; again, when it could not have its locks."""
        for attempt in range(self.options.attempts):
            try:
                async with self.connection.transaction(isolation="read_committed"):
                    await self._begin()
                    return await step()
            except _RETRIED:
                await asyncio.sleep(min(0.1 * 2**attempt, 5.0))
        raise SealingInterrupted(f"{self.field.name}: the table was never free for {self.options.lock_seconds} seconds")

    # --- prepare and fill

    async def _prepare(self) -> None:
        statements = await self._survey()
        self.progress(SealStep.PREPARE, 0, 1)
        if not await self._is_prepared():
            for statement in (*statements.abandon(), *statements.prepare(), ANNOUNCE):
                await self.connection.execute(statement)
        self.progress(SealStep.PREPARE, 1, 1)

    async def _is_prepared(self) -> bool:
        """Whether an earlier run prepared just what this one would, and the trigger is always on."""
        facts = await facts_of(self.connection, self.table)
        if not self.is_staged(facts):
            return False
        enabled = await self.connection.fetchval(
            "SELECT tgenabled::text FROM pg_catalog.pg_trigger WHERE tgrelid = $1::int8::oid AND tgname = $2",
            facts.oid,
            f"~{self.statements.staged}",
        )
        return bool(enabled == "A")

    async def _fill_pass(self) -> int:
        """One walk over the rows without a cell, by primary key; rows that someone holds are left for later."""
        await self._count()
        last: list[str] = []
        filled = 0

        async def next_batch() -> list[Any]:
            await self._hush()
            return await self._fill_batch(last, skip_locked=True)

        while rows := await self._retrying(next_batch):
            filled += len(rows)
            last = rows[-1]["key"]
            await self.hooks.between(SealStep.FILL, max(0, self.total - self._missing), self.total)
            await asyncio.sleep(self.options.pause)
        return filled

    async def _count(self) -> int:
        row = await self.connection.fetchrow(self.statements.count())
        missing, self.total = int(row["missing"]), int(row["total"])
        self.progress(SealStep.FILL, self.total - missing, self.total)
        self._missing = missing
        return missing

    async def _fill_batch(self, last: list[str], *, skip_locked: bool) -> list[Any]:
        query = self.statements.batch(first=not last, skip_locked=skip_locked)
        rows: list[Any] = await self.connection.fetch(query, self._batch, *last)
        if rows:
            average = sum(map(self.size, rows)) // len(rows) + 1
            self._batch = max(1, min(BATCH_BYTES // average, self.options.batch))
            await self._have_secrets(rows)
            await self._store(rows, [self.made(row) for row in rows])
            self.filled += len(rows)
            self._missing -= len(rows)
            self.progress(SealStep.FILL, max(0, self.total - self._missing), self.total)
        return rows

    async def _have_secrets(self, rows: Sequence[Any]) -> None:
        kind = sealing_of(self.field).subject_kind
        if kind is None or not rows:
            return
        keys = {self.maker.row_key(row["bound"]) for row in rows}
        await self.hooks.secrets({SubjectName(kind, key) for key in keys if key is not None})

    async def _store(self, rows: list[Any], made: Sequence[bytes | str | None]) -> None:
        keys = [[row["key"][n] for row in rows] for n in range(len(self.statements.keys))]
        done = await self.connection.execute(self.statements.fill(), *keys, made)
        if done != f"UPDATE {len(rows)}":
            raise SealingFailed(f"{self.field.name}: the primary key's text does not find its rows again")

    # --- switch

    async def _switch(self) -> None:
        statements = await self._survey()
        await self.connection.execute(statements.stop_writers())
        statements = await self._survey()  # nobody can change the table any more
        await self._hush()
        await self._fill_rest()
        wrong = await self._mismatches()
        if wrong:
            self.corrected += len(wrong)
            for start in range(0, len(wrong), self.options.batch):
                rows = wrong[start : start + self.options.batch]
                await self._store(rows, [None] * len(rows))
            await self._fill_rest()
            if await self._mismatches():
                raise SealingFailed(
                    f"{self.field.name}: cells do not match their plaintext; something else writes them"
                )
        await self.refuse_switch()
        await self.connection.execute(statements.stop_everyone())
        self.progress(SealStep.SWITCH, 0, 1)
        xid = await self.connection.fetchval("SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text")
        for statement in (*statements.switch(), *self.raise_fence(xid)):
            await self.connection.execute(statement)
        self.require_sound(await facts_of(self.connection, self.table))
        await self.hooks.in_switch(self.connection)
        await self.connection.execute(ANNOUNCE)
        self.progress(SealStep.SWITCH, 1, 1)

    async def _lift_fence(self) -> bool:
        """Takes the fence down once nobody needs it.  Not being able to is no failure: it harms nobody."""
        if await row_fence_stands(self.connection, self.field):
            await asyncio.sleep(self.options.settle_seconds)
        if not await passed_by_all(self.connection, self.field, seconds=self.options.fence_seconds):
            return False

        async def lift() -> None:
            for statement in lower_fence(self.field):
                await self.connection.execute(statement)

        try:
            await self._retrying(lift)
        except SealingFailed:
            return False
        return True

    async def _fill_rest(self) -> None:
        await self._count()
        last: list[str] = []
        while rows := await self._fill_batch(last, skip_locked=False):
            last = rows[-1]["key"]

    async def _mismatches(self) -> list[Any]:
        """Opens every cell and compares it with its plaintext; the rows where they differ."""
        wrong: list[Any] = []
        some: list[Any] = []
        done = 0

        async def judge() -> None:
            await self._have_secrets(some)
            wrong.extend(row for row in some if not self.matches(row))
            self.progress(SealStep.VERIFY, min(done, self.total), self.total)
            some.clear()

        async for row in self.connection.cursor(self.statements.all_rows(), prefetch=self._batch):
            some.append(row)
            done += 1
            if len(some) >= self._batch:
                await judge()
        await judge()
        self.progress(SealStep.VERIFY, self.total, self.total)
        return wrong
