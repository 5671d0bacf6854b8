"""All databases with protected tables of a worker: opened and verified before anyone comes in, reloaded, kept fresh.

The catalog is read again when a statement may have changed it, when another process says so, and from time to time;
while it cannot be read the old one stays, and `fresh` says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress

import asyncpg

from keys.errors import CryptoError
from keys.keyring import Keyring
from keys.subjects import SubjectName
from policies.holder import PolicyHolder
from proxy.errors import ConfigError, FieldgateError
from proxy.rows.finishing.arranging import FinishBounds
from proxy.session.searches import SearchLimits

from .config import Config, DatabaseConfig
from .control import Control
from .key_source import KeySource
from .logs import Logger, describe
from .metrics import WorkerStats
from .protected_database import Planning, ProtectedDatabase, load_policy_holder
from .sealing.needs import check_own_keys

TellPeers = Callable[[str], Awaitable[None]]
_SOONEST = 0.1  # seconds, doubled by each failure in a row, until a catalog that could not be read is read again
_OPENINGS = 5  # of a database whose keys are being rotated
_LONGEST_REST = 1.0  # seconds between two readings
_SLOWER = 10  # so often, then at the usual interval


class ProtectedDatabases:
    """All of a worker's."""

    def __init__(
        self,
        config: Config,
        control: Control | None,
        keys: KeySource | None,
        planning: Planning,
        logger: Logger,
        stats: WorkerStats,
        audit_available: Callable[[], bool],
        searches: SearchLimits,
        bounds: Callable[[], FinishBounds] = FinishBounds,
    ) -> None:
        self.by_name: dict[str, ProtectedDatabase] = {}
        self._config = config
        self._control = control
        self._keys = keys
        self._planning = planning
        self._logger = logger
        self._stats = stats
        self._audit_available = audit_available
        self._searches = searches
        self._bounds = bounds
        self._changing = asyncio.Lock()  # policies and keys are put in force one after the other
        self._tell_peers: TellPeers | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, tell_peers: TellPeers | None) -> None:
        """Load and verify everything.  Raises FieldgateError."""
        self._tell_peers = tell_peers
        if not self._config.databases or self._control is None or self._keys is None:
            return
        keyring = await self._keys.open()
        holders = {name: await _policy_for(name, config) for name, config in self._config.databases.items()}
        check_own_keys(holder.current.policy.data_map for holder in holders.values())
        for name, holder in holders.items():
            self.by_name[name] = await self._open_one(name, holder, self._control, self._keys, keyring)
        await self._keys.begin(self._adopt)

    async def _open_one(
        self, name: str, holder: PolicyHolder, control: Control, keys: KeySource, keyring: Keyring
    ) -> ProtectedDatabase:
        database = ProtectedDatabase(
            name, control, self._planning, holder, keys, self._audit_available, self._searches, self._bounds
        )
        for _ in range(_OPENINGS - 1):
            try:
                await database.open(keyring)
                return database
            except ConfigError:
                newer = await keys.newest()
                if newer.infos == keyring.infos:
                    raise
                keyring = newer  # a key was rotated meanwhile, and nobody waits for who does not serve yet
        await database.open(keyring)
        return database

    async def _adopt(self, keyring: Keyring | None) -> None:
        """Other keys, in force for all databases or for none; None: no keys any more."""
        async with self._changing:
            if keyring is None:
                for database in self.by_name.values():
                    database.forget_keys()
                return
            ready = [await database.prepare_keys(keyring) for database in self.by_name.values()]
            for put_in_force in ready:
                put_in_force()

    @property
    def keyring_loaded(self) -> bool:
        return self._keys is None or self._keys.state().keys > 0 or not self._config.databases

    @property
    def fresh(self) -> bool:
        return all(database.fresh for database in self.by_name.values())

    def revisions(self) -> dict[str, str]:
        return {name: database.revision_name for name, database in self.by_name.items()}

    def observed(self) -> list[str]:
        """What is not in force, said plainly."""
        return [
            f"{table.schema}.{table.table} of database {name} is observed only: the policy is not in force for it"
            for name, database in self.by_name.items()
            for table in database.holder.current.policy.data_map.observed
        ]

    async def reload(self) -> dict[str, str]:
        """New policies and keys, all or none.  Raises FieldgateError and keeps what is in force."""
        if not self.by_name or self._keys is None:
            return {}
        async with self._changing:
            keyring = await self._keys.newest()
            holders = [await asyncio.to_thread(load_policy_holder, d.holder.folder) for d in self.by_name.values()]
            check_own_keys(holder.current.policy.data_map for holder in holders)
            ready = [
                await database.prepare(holder, keyring)
                for database, holder in zip(self.by_name.values(), holders, strict=True)
            ]
            for put_in_force in ready:
                put_in_force()
        return self.revisions()

    def changed(self, database: str) -> None:
        """A statement of ours may have changed the catalog: read it soon, here and in the other workers."""
        self.refresh(database)
        found = self.by_name.get(database)
        if found is not None:
            self._spawn(self._announce(found))

    def refresh(self, database: str) -> None:
        found = self.by_name.get(database)
        if found is not None:
            found.stale.set()

    async def have_keys(self, database: str, counts: dict[str, int]) -> bool:
        found = self.by_name.get(database)
        try:
            if found is not None:
                await found.have_keys(counts)
        except (FieldgateError, asyncpg.PostgresError) as error:
            self._logger.error("sequence_unavailable", database=database, **describe(error))
            return False
        return found is not None

    async def have_secrets(self, database: str, names: Collection[SubjectName], make: bool) -> bool:
        """Data subjects' secrets at hand; with `make` one for each.  False: it cannot be known."""
        found = self.by_name.get(database)
        try:
            if found is not None:
                await found.secrets.have(names, make=make)
        except (FieldgateError, CryptoError, asyncpg.PostgresError, OSError, TimeoutError) as error:
            self._logger.error("secrets_unavailable", database=database, **describe(error))
            return False
        return found is not None

    def keep_fresh(self) -> None:
        """From now on: one watcher a database."""
        for remark in self.observed():
            self._logger.warning("observed_only", remark=remark)
        for database in self.by_name.values():
            self._spawn(self._watch(database))

    async def close(self) -> None:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)  # so that no connection is left half open
        for database in self.by_name.values():
            database.stop_listening()
        if self._keys is not None:
            await self._keys.close()

    async def _watch(self, database: ProtectedDatabase) -> None:
        """Never ends by itself: a proxy whose catalog is not read any more would go on with an old one."""
        interval = self._config.control.refresh_interval if self._config.control else 30.0
        loop, failures = asyncio.get_running_loop(), 0
        while True:
            database.stale.clear()
            began = loop.time()
            failures = 0 if await self._read_again(database) else failures + 1
            ended = loop.time()
            await self._renew()
            with suppress(TimeoutError):
                async with asyncio.timeout(_until_next(failures, interval)):
                    await database.stale.wait()
            # Who changes something all the time (temporary tables, say) leaves half of the time to everyone else.
            await asyncio.sleep(max(0.0, min(ended - began, _LONGEST_REST) - (loop.time() - ended)))

    async def _read_again(self, database: ProtectedDatabase) -> bool:
        try:
            await database.listen()
            if await database.load():
                self._stats.catalog_refreshes += 1
                self._logger.info("catalog_changed", database=database.name)
            await database.verify_changes()
        except Exception as error:  # noqa: BLE001 - whatever it is, the watcher tries again, and says so
            database.fresh = False
            self._logger.error("catalog_unreadable", database=database.name, **describe(error))
            return False
        return True

    async def _renew(self) -> None:
        try:
            if self._keys is not None:
                await self._keys.renew()
        except Exception as error:  # noqa: BLE001 - a seal that finds no lease left says so to its client
            self._logger.warning("leases_not_renewed", **describe(error))

    async def _announce(self, database: ProtectedDatabase) -> None:
        """Workers of this proxy by their sockets, other proxies by the server."""
        if self._tell_peers is not None:
            await self._tell_peers(database.name)
        try:
            await database.announce()
        except (FieldgateError, asyncpg.PostgresError) as error:
            self._logger.warning("catalog_not_announced", database=database.name, **describe(error))

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _until_next(failures: int, interval: float) -> float:
    return interval if not failures or failures > _SLOWER else min(interval, _SOONEST * 2**failures)


async def _policy_for(name: str, config: DatabaseConfig) -> PolicyHolder:
    holder = await asyncio.to_thread(load_policy_holder, config.policy)
    data_map = holder.current.policy.data_map
    if data_map.database != name:
        raise ConfigError(f"{config.policy}: the data map is for database {data_map.database}, not {name}")
    return holder
