"""The custodian of a worker's keys when they are kept in the control database (I7).

It loads them through the provider, hears of changes (NOTIFY, and the answer to each confirmation), puts new ones in
force without dropping a session, and confirms what it has: `serving` is true until the lease of the last confirmation
has passed by this process's own clock, and until the provider has not answered for longer than `survive_outage`.  After
that statements over protected fields are refused, and the keys are forgotten if it is the provider that is gone.

The clock goes on while the machine sleeps, where the system has such a clock; a process that was stopped finds its
lease passed.  A confirmation counts from the moment before it was asked for, and one that took too long does not count.
Nothing here is awaited by a statement.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg

from keys.ciphers import SealLeases
from keys.database_leases import DatabaseLeases
from keys.database_store import DatabaseKeyStore
from keys.errors import CryptoError
from keys.key_tables import GRACE, KeyTables
from keys.keyring import Keyring, KeyringCiphers
from keys.provider import KekProvider
from proxy.errors import ConfigError, FieldgateError, SqlState

from .key_source import Adopt, KeysState
from .key_uses import UseCounter
from .logs import Logger, describe

SAFETY = 0.9  # of a lease is used: clocks do not run alike
_FIRST_PAUSE = 0.5  # seconds after a failure to load
_AT_ONCE = 5  # attempts to enter while others change keys
_FAILURES = (
    FieldgateError, CryptoError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)  # fmt: skip


class KeysUnconfirmed(FieldgateError):
    """Protected fields are not available, because it is not known whether the keys here are still the right ones."""

    sqlstate = SqlState.CANNOT_CONNECT_NOW


@dataclass(frozen=True, slots=True)
class CustodySettings:
    """Seconds.  `lease` is how long keys count without being confirmed."""

    lease: float = 30.0
    survive_outage: float = 3600.0
    check_provider: float = 30.0
    count_uses: float = 60.0
    suspicion: float = 1.0  # at least between two reloads that a refused cell has caused

    @property
    def beat(self) -> float:
        return self.lease / 3

    @property
    def check(self) -> float:
        return min(self.check_provider, self.survive_outage / 3)


@dataclass(frozen=True, slots=True)
class Channel:
    """An open LISTEN: whether it still hears, and its end."""

    alive: Callable[[], bool]
    close: Callable[[], None]


def boot_clock() -> float:
    """Seconds that count on while the machine sleeps."""
    return time.clock_gettime(_CLOCK)


_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class KeyCustodian:
    """A KeySource.  `beats` are the store's tables over a connection of their own, so that confirming never waits."""

    def __init__(
        self,
        store: DatabaseKeyStore,
        beats: KeyTables,
        leases: DatabaseLeases,
        listen: Callable[[Callable[[], None]], Awaitable[Channel]],
        settings: CustodySettings,
        logger: Logger,
        clock: Callable[[], float] = boot_clock,
        before: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._before = before  # looks at the database before anything is read there
        self._store, self._beats, self._leases, self._listen = store, beats, leases, listen
        self._settings, self._logger, self._clock = settings, logger, clock
        self._holder = uuid4()
        self._keyring: Keyring | None = None
        self._number = 0
        self._serving_until = self._lease_until = self._trusted_until = float("-inf")
        self._answered_at = float("-inf")
        self._provider_answers = False
        self._adopt: Adopt | None = None
        self._changed, self._soon = asyncio.Event(), asyncio.Event()
        self._suspected, self._suspected_at = False, float("-inf")
        self._channel: Channel | None = None
        self._uses = UseCounter()
        self._in_use: list[KeyringCiphers] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._reloads = self._failures = 0

    # -- KeySource --

    keeps_secrets = True

    async def open(self) -> Keyring:
        try:
            if self._before is not None:
                await self._before()
            await self._store.open()
            loaded = await self._store.load()
        except CryptoError as error:
            raise ConfigError(f"keys cannot be loaded: {error}") from None
        except asyncpg.PostgresError as error:
            raise ConfigError(
                f"keys cannot be read from the control database ({error.sqlstate}): see `fieldgate control install`"
            ) from None
        self._provider_answered()
        self._keyring, self._number = loaded.keyring, loaded.number
        self._leases.start()
        return loaded.keyring

    async def begin(self, adopt: Adopt) -> None:
        self._adopt = adopt
        try:
            await asyncio.to_thread(self._leases.prepare, self._sealing_keys())
            await self._provider.check()  # verifying everything may have taken long
            self._provider_answered()
            for left in reversed(range(_AT_ONCE)):
                if await self._confirm() == self._number and self.refusal() is None:
                    break
                try:
                    await self._follow()
                except ConfigError:  # as a rule those of keys that were rotated once more, meanwhile
                    if not left:
                        raise
            else:
                raise ConfigError("keys are being changed all the time: the proxy could not confirm any state of them")
        except (CryptoError, asyncpg.PostgresError, OSError, TimeoutError) as error:
            raise ConfigError(f"keys cannot be confirmed in the control database: {_short(error)}") from None
        self._spawn(self._keep_confirming(), self._keep_following(), self._keep_checking(), self._keep_counting())

    async def newest(self) -> Keyring:
        try:
            loaded = await self._store.load(self._keyring)
        except (CryptoError, asyncpg.PostgresError, OSError, TimeoutError) as error:
            raise ConfigError(f"keys cannot be loaded: {_short(error)}") from None
        if loaded.number != self._number:
            self._changed.set()  # in force, and confirmed, by the usual way
        return loaded.keyring

    def leases(self) -> SealLeases:
        return self._leases

    def refusal(self) -> FieldgateError | None:
        return None if self._clock() < self._serving_until else self._why()

    def suspect(self) -> None:
        self._suspected = True
        self._changed.set()

    def in_use(self, ciphers: KeyringCiphers) -> None:
        self._in_use.append(ciphers)
        self._uses.watch(ciphers)

    def retire(self, ciphers: KeyringCiphers) -> None:
        """What is left of its leases goes to the ciphers that follow; it does not wait for anything."""
        self._in_use.remove(ciphers)
        self._uses.retire(ciphers)
        ciphers.close()

    def state(self) -> KeysState:
        now = self._clock()
        return KeysState(
            keys=len(self._keyring.keys) if self._keyring is not None else 0,
            serving=now < self._serving_until,
            revision=self._number,
            lease_seconds=max(0.0, self._lease_until - now),
            provider_answers=self._provider_answers,
            outage_seconds=0.0 if self._provider_answers else max(0.0, now - self._answered_at),
            reloads=self._reloads,
            failures=self._failures,
        )

    async def renew(self) -> None:
        """The leases do it by themselves."""

    async def close(self) -> None:
        """Gives everything back; nothing of it may keep the process from ending."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._serving_until = float("-inf")
        if self._channel is not None:
            self._channel.close()
        for ciphers in self._in_use:
            ciphers.close()
        if self._keyring is not None:
            await asyncio.to_thread(self._leases.close)
            with contextlib.suppress(*_FAILURES):
                async with asyncio.timeout(GRACE):
                    await self._count()
                    await self._beats.leave(self._holder)
        with contextlib.suppress(*_FAILURES):
            await self._store.close()

    # -- confirming --

    async def _confirm(self) -> int:
        """Extends the lease, if the database agrees in time; returns the newest revision's number."""
        before = self._clock()
        async with asyncio.timeout(min(GRACE, self._settings.lease)):
            extended, newest = await self._beats.confirm(self._holder, self._number, self._settings.lease)
        if extended and self._clock() - before < GRACE:
            self._lease_until = before + SAFETY * self._settings.lease
            self._judge()
        if newest != self._number:
            self._changed.set()
        return newest

    async def _keep_confirming(self) -> None:
        while True:
            try:
                await self._keep_listening()
                await self._confirm()
            except Exception as error:  # noqa: BLE001 - whatever it is: a custodian that stops would never know
                self._failed("keys_unconfirmed", error)
            await self._rest(self._soon, self._settings.beat)

    async def _keep_listening(self) -> None:
        if self._channel is None or not self._channel.alive():
            self._channel = await self._listen(self._soon.set)

    # -- following --

    async def _keep_following(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._follow()
                pause = _FIRST_PAUSE
            except Exception as error:  # noqa: BLE001 - whatever it is: a custodian that stops would never know
                self._failed("keys_not_loaded", error)
                self._changed.set()
                await asyncio.sleep(pause)
                pause = min(2 * pause, max(_FIRST_PAUSE, self._settings.beat))
            if self._suspected and not self._changed.is_set():  # so soon after the last time
                await asyncio.sleep(self._settings.suspicion)
                self._changed.set()

    async def _follow(self) -> None:
        """Loads what has changed and puts it in force; the next confirmation says so."""
        suspected = self._suspected and self._clock() >= self._suspected_at + self._settings.suspicion
        loaded = await self._store.load(self._keyring)
        if loaded.number == self._number and self._keyring is not None and not suspected:
            return
        if self._adopt is not None:
            await self._adopt(loaded.keyring)
        if suspected:
            self._suspected, self._suspected_at = False, self._clock()
        self._keyring, self._number = loaded.keyring, loaded.number
        self._reloads += 1
        self._logger.info("keys_loaded", revision=self._number, keys=len(loaded.keyring.keys))
        self._judge()
        self._soon.set()

    # -- the provider --

    @property
    def _provider(self) -> KekProvider:
        return self._store.provider

    async def _keep_checking(self) -> None:
        while True:
            await asyncio.sleep(self._settings.check)
            try:
                async with asyncio.timeout(max(self._settings.check, 10.0)):
                    await self._provider.check()
                self._provider_answered()
            except Exception as error:  # noqa: BLE001 - no answer is no answer, whatever the reason
                self._provider_answers = False
                self._failed("key_provider_failed", error)
            if self._keyring is None and self._provider_answers:
                self._changed.set()
            if self._keyring is not None and self._clock() >= self._trusted_until:
                await self._forget()

    def _provider_answered(self) -> None:
        self._provider_answers, self._answered_at = True, self._clock()
        self._trusted_until = self._answered_at + self._settings.survive_outage
        self._judge()

    async def _forget(self) -> None:
        """The provider is the one who says whether keys may still be used; it has been gone for too long."""
        self._keyring = None
        self._judge()
        self._logger.error("keys_forgotten", after=self._settings.survive_outage)
        if self._adopt is not None:
            await self._adopt(None)

    # -- inside --

    def _judge(self) -> None:
        known = self._keyring is not None
        self._serving_until = min(self._lease_until, self._trusted_until) if known else float("-inf")

    def _why(self) -> KeysUnconfirmed:
        if self._keyring is None or self._clock() >= self._trusted_until:
            return KeysUnconfirmed(
                "protected fields are not available: the provider of their keys has not answered for longer than"
                f" keys.survive_outage ({self._settings.survive_outage:g} s)",
                hint="Try again later; the operator finds the reason in the log (key_provider_failed).",
            )
        return KeysUnconfirmed(
            "protected fields are not available: this proxy could not confirm its keys in the control database within"
            f" their lease ({self._settings.lease:g} s)",
            hint="Try again in a few seconds; if it stays so, the control database cannot be reached.",
        )

    def _sealing_keys(self) -> set[bytes]:
        return {key_id for ciphers in self._in_use for key_id in ciphers.sealing_keys()}

    async def _keep_counting(self) -> None:
        while True:
            await asyncio.sleep(self._settings.count_uses)
            await self._count()

    async def _count(self) -> None:
        taken = self._uses.take()
        try:
            await self._beats.count_uses(datetime.now(UTC).date(), taken)
        except Exception as error:  # noqa: BLE001 - counting goes on
            self._uses.put_back(taken)
            self._failed("key_uses_not_counted", error)

    async def _rest(self, event: asyncio.Event, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()
        event.clear()

    def _failed(self, what: str, error: BaseException) -> None:
        self._failures += 1
        told = describe(error) if isinstance(error, FieldgateError) else {"reason": _short(error)}
        self._logger.warning(what, **told)

    def _spawn(self, *work: Coroutine[Any, Any, None]) -> None:
        self._tasks += [asyncio.get_running_loop().create_task(each) for each in work]


def _short(error: BaseException) -> str:
    """Ours says what is the matter; of others only the kind, since their text may repeat anything."""
    if isinstance(error, CryptoError):
        return str(error)
    return f"{type(error).__name__} {getattr(error, 'sqlstate', None) or ''}".rstrip()
