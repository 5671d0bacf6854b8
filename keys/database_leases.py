"""The ledger of seals in the control database: what a key may have sealed is counted there before it is sealed.

`lease` is called by the data path and cannot wait for a database.  So a thread of its own, with its own event loop and
connection, keeps a reserve for each key that is used: a block is granted durably (the row's count goes up), and only
then can it be taken; taking it asks for the next one, twice as large.  Only when a reserve has run dry does `lease`
wait, for `PATIENCE` at most, and then the sealing fails for now; for a while after that nobody waits again, so that a
database that is gone does not stop everything else.

A block counts as used once it is granted, whatever happens to the process; an orderly end gives the rest back.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

from .errors import SealBudgetExhausted, SealBudgetUnavailable
from .field import Unshareable
from .leases import FIRST_BLOCK, LARGEST_BLOCK, SEALS_PER_KEY

PATIENCE = 1.0  # seconds that a sealing waits when its reserve has run dry
PAUSE = 2.0  # seconds after that in which none waits again
CLOSING = 5.0  # seconds for giving the rest back
_RETRY = (0.1, 2.0)  # seconds between attempts: the first, the longest
_FAILURES = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

Connect = Callable[[], Awaitable[Any]]
"""Makes an asyncpg connection in the calling thread's event loop.  Raises OSError when the server is not there."""


@dataclass(slots=True)
class _Account:
    reserve: int = 0
    block: int = FIRST_BLOCK
    wanted: bool = False
    spent: bool = False
    known: bool = True  # the control database has a key of this id that may seal

    @property
    def answered(self) -> bool:
        return self.reserve > 0 or self.spent or not self.known


class DatabaseLeases(Unshareable):
    """SealLeases for all ciphers of one process.  `start` after a fork; `close` at an orderly end."""

    __slots__ = ("_accounts", "_changed", "_closing", "_connect", "_limit", "_loop", "_resting", "_thread", "_wake")

    def __init__(self, connect: Connect, *, limit: int = SEALS_PER_KEY) -> None:
        if not 0 < limit <= SEALS_PER_KEY:
            raise ValueError("a key seals at most 2^32 cells")
        self._connect, self._limit = connect, limit
        self._accounts: dict[bytes, _Account] = {}
        self._changed = threading.Condition()
        self._closing = False
        self._resting = 0.0  # until when nobody waits
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="fieldgate-seal-leases", daemon=True)
        self._thread.start()

    def prepare(self, key_ids: Iterable[bytes], seconds: float = 10.0) -> None:
        """Has a first block of each at hand: waits for it, off the data path.  Raises as `lease`."""
        wanted = tuple(key_ids)
        with self._changed:
            accounts = [self._wish(key_id) for key_id in wanted]
            self._changed.wait_for(lambda: all(account.answered for account in accounts), seconds)
            for key_id, account in zip(wanted, accounts, strict=True):
                if not account.reserve and not account.spent:
                    raise _reason(key_id, account, self._limit)

    def lease(self, key_id: bytes) -> int:
        with self._changed:
            account = self._wish(key_id)
            if not account.answered and time.monotonic() >= self._resting:
                self._resting = 0.0 if self._changed.wait_for(lambda: account.answered, PATIENCE) else _rest()
            taken, account.reserve = account.reserve, 0
            if not taken:
                raise _reason(key_id, account, self._limit)
            self._wish(key_id)
            return taken

    def give_back(self, key_id: bytes, unused: int) -> None:
        """Into the reserve, for the next cipher of this process; what nobody takes goes back at the end."""
        with self._changed:
            self._accounts.setdefault(key_id, _Account()).reserve += max(0, unused)

    def close(self) -> None:
        """Waits `CLOSING` seconds at most; what could not be given back is forfeited."""
        with self._changed:
            self._closing = True
            self._nudge()
        if self._thread is not None:
            self._thread.join(CLOSING)

    # -- under the lock --

    def _wish(self, key_id: bytes) -> _Account:
        account = self._accounts.setdefault(key_id, _Account())
        if not account.reserve and not account.spent and not account.wanted:
            account.wanted = account.known = True
            self._nudge()
        return account

    def _nudge(self) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._wake.set)

    # -- the thread --

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        with self._changed:
            self._loop = asyncio.get_running_loop()
            self._wake.set()  # for what was wished before the thread ran
        connection: Any = None
        delay = _RETRY[0]
        while not self._closing:
            await self._wake.wait()
            self._wake.clear()
            with self._changed:
                asked = {key_id: a.block for key_id, a in self._accounts.items() if a.wanted}
            if not asked or self._closing:
                continue
            try:
                if connection is None or connection.is_closed():
                    connection = await self._connect()
                self._enter(asked, await _granted(connection, asked, self._limit))
                delay = _RETRY[0]
            except _FAILURES:
                _drop(connection)
                connection = None
                await self._pause(delay)
                delay = min(2 * delay, _RETRY[1])
        await self._return_all(connection)

    async def _pause(self, delay: float) -> None:
        """Then tries again; the end of the process cuts it short."""
        deadline = asyncio.get_running_loop().time() + delay
        while not self._closing and (left := deadline - asyncio.get_running_loop().time()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._wake.wait()
            self._wake.clear()
        self._wake.set()

    def _enter(self, asked: Mapping[bytes, int], granted: Mapping[bytes, int]) -> None:
        with self._changed:
            for key_id in asked:
                account = self._accounts[key_id]
                given = granted.get(key_id)
                account.wanted = False
                account.known, account.spent = given is not None, given == 0
                if given:
                    account.reserve += given
                    account.block = min(2 * account.block, LARGEST_BLOCK)
            self._resting = 0.0
            self._changed.notify_all()

    async def _return_all(self, connection: Any) -> None:
        with self._changed:
            unused = {key_id: account.reserve for key_id, account in self._accounts.items() if account.reserve}
            for account in self._accounts.values():
                account.reserve = 0
        try:
            async with asyncio.timeout(CLOSING):
                if unused:
                    connection = await self._connect() if connection is None else connection
                    await connection.execute(_RETURN, list(unused), list(unused.values()))
                if connection is not None:
                    await connection.close()
        except _FAILURES:
            _drop(connection)


def _reason(key_id: bytes, account: _Account, limit: int) -> SealBudgetExhausted:
    if account.spent:
        return SealBudgetExhausted(f"the key {key_id.hex()} has sealed {limit} cells and must be rotated")
    if not account.known:
        return SealBudgetUnavailable(f"the control database has no key {key_id.hex()} that may seal")
    return SealBudgetUnavailable(f"no more seals of the key {key_id.hex()} could be had: the control database is slow")


def _drop(connection: Any) -> None:
    if connection is not None:
        connection.terminate()


def _rest() -> float:
    return time.monotonic() + PAUSE


async def _granted(connection: Any, asked: Mapping[bytes, int], limit: int) -> dict[bytes, int]:
    """What was granted of each, 0: it is spent; a key that is not there, or may not seal, is left out."""
    rows = await connection.fetch(_GRANT, list(asked), list(asked.values()), limit)
    return {row["key_id"]: row["given"] for row in rows}


# Rows are locked in one order, so that no two processes wait for each other; the count is then as nobody can change it.
_GRANT = """
WITH held AS (
    SELECT d.key_id, LEAST(a.block, $3::int8 - d.seals_granted) AS given
    FROM ROWS FROM (pg_catalog.unnest($1::bytea[]), pg_catalog.unnest($2::int8[])) AS a (key_id, block)
    JOIN fieldgate.data_keys d ON d.key_id = a.key_id
    WHERE d.purpose IN ('cell', 'subject') AND d.state IN ('pre-active', 'active', 'decrypt-only')
    ORDER BY d.key_id FOR UPDATE OF d
), raised AS (
    UPDATE fieldgate.data_keys d SET seals_granted = d.seals_granted + held.given
    FROM held WHERE d.key_id = held.key_id AND held.given > 0 AND d.seals_granted + held.given <= $3
    RETURNING d.key_id, held.given
)
SELECT held.key_id, coalesce(raised.given, 0)::int8 AS given FROM held LEFT JOIN raised USING (key_id)
"""
_RETURN = """
UPDATE fieldgate.data_keys d SET seals_granted = d.seals_granted - a.unused
FROM ROWS FROM (pg_catalog.unnest($1::bytea[]), pg_catalog.unnest($2::int8[])) AS a (key_id, unused)
WHERE d.key_id = a.key_id AND a.unused BETWEEN 1 AND d.seals_granted
"""
