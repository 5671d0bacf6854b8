"""Databases with protected tables: policy, catalog, keys and planner of each, verified before anyone comes in (I9).

A `Revision` (catalog, decisions, ciphers) is replaced as a whole.  The catalog is read again when a statement may have
changed it, when another process says so, and from time to time; while it cannot be read the old one stays, and
`fresh` says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg

from keys.errors import CryptoError
from keys.keyring import KeyringCiphers
from keys.store import OpenKeyring, open_keyring
from policies.errors import PolicyError, PrincipalRefused
from policies.fields import DataMap
from policies.holder import PolicyHolder, Published
from policies.model import Principal
from policies.policy_set import PolicySet
from proxy.errors import ConfigError, FieldgateError, SqlState, UpstreamUnavailable
from proxy.session.services import Revision, SessionServices

from .config import Config, DatabaseConfig, KeysConfig
from .control import Connection, Control
from .grants.command import finding_text, verify_grants
from .logs import Logger, describe
from .metrics import WorkerStats
from .sealing.needs import key_needs
from .sealing.verify import verify_sealed
from .sequences import SequencePool
from .sql.catalog import Catalog
from .sql.planner import Planner

CATALOG_CHANNEL = "fieldgate_catalog"
_SHOWN_PROBLEMS = 20
TellPeers = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Planning:
    """The concrete planner and catalog loader; the loader takes a connection, the data map and the new version."""

    make_planner: Callable[[], Planner]
    load_catalog: Callable[[Connection, DataMap, int], Awaitable[Catalog]]


class ProtectedDatabase:
    """One of them.  Made by `open`; `policy` and `services` are what sessions see."""

    def __init__(
        self,
        name: str,
        control: Control,
        planning: Planning,
        holder: PolicyHolder,
        ciphers: KeyringCiphers,
        audit_available: Callable[[], bool],
    ) -> None:
        self.name = name
        self.fresh = False
        self.holder = holder
        self.ciphers = ciphers
        self.stale = asyncio.Event()
        self._control = control
        self._listener: Connection | None = None
        self._planning = planning
        self._pool = SequencePool(self._next_values)
        self._revision: Revision | None = None
        self._version = 0
        self.services = SessionServices(
            planning.make_planner(), self.current, audit_available, self._pool.draw, self._identify
        )

    @property
    def policy(self) -> PolicySet | None:
        return self.holder.current.policy

    @property
    def revision_name(self) -> str:
        return self.holder.current.revision

    def current(self) -> Revision:
        if self._revision is None:
            raise RuntimeError("a database is loaded before it is used")
        return self._revision

    def _identify(self, asked: Principal) -> Principal:
        """The same rules as at login.  Raises FieldgateError."""
        try:
            return self.holder.current.policy.principal(
                asked.login,
                person=asked.person if asked.person != asked.login else None,
                purpose=asked.purpose,
                case=asked.case,
                subject=asked.subject,
            )
        except PrincipalRefused as refused:
            raise FieldgateError(str(refused), sqlstate=SqlState.INVALID_AUTHORIZATION) from None

    async def load(self) -> bool:
        """Read the catalog; True when it differs from what was known.  Raises UpstreamUnavailable, ConfigError."""
        return self._adopt(await self._read_catalog(self.holder.current))

    async def _read_catalog(self, policy: Published) -> Catalog:
        async with self._control.connection(self.name) as connection:
            try:
                return await self._planning.load_catalog(connection, policy.policy.data_map, self._version + 1)
            except asyncpg.PostgresError as error:
                raise UpstreamUnavailable(f"the catalog of {self.name} cannot be read ({error.sqlstate})") from None

    def _adopt(self, catalog: Catalog) -> bool:
        self.fresh = True
        known = self._revision
        if known is not None and replace(catalog, version=known.catalog.version) == known.catalog:
            return False
        self._version += 1
        decisions = self.holder.current.decisions
        self._revision = Revision(replace(catalog, version=self._version), decisions, self.ciphers)
        return True

    async def prepare(self, holder: PolicyHolder, ciphers: KeyringCiphers) -> Callable[[], None]:
        """Verify a new policy against the database; the result puts it in force, all at once."""
        data_map, old = holder.current.policy.data_map, self.holder.current.policy.data_map
        if (data_map.controller, data_map.database) != (old.controller, old.database):
            raise ConfigError(f"{holder.folder}: controller and database cannot change while the proxy runs")
        await self._verify(holder.current.policy, ciphers)
        catalog = await self._read_catalog(holder.current)

        def put_in_force() -> None:
            self.holder, self.ciphers = holder, ciphers
            self._revision = None
            self._adopt(catalog)

        return put_in_force

    async def verify(self) -> None:
        """The database must be as the data map says.  Raises ConfigError."""
        await self._verify(self.holder.current.policy, self.ciphers)

    async def _verify(self, policy: PolicySet, ciphers: KeyringCiphers) -> None:
        async with self._control.connection(self.name) as connection:
            try:
                sealed = await verify_sealed(connection, policy.data_map, ciphers.heads())
                granted = await verify_grants(connection, policy)
            except asyncpg.PostgresError as error:
                raise UpstreamUnavailable(f"database {self.name} cannot be verified ({error.sqlstate})") from None
        _require_none(f"database {self.name} is not as its data map says", map(str, sealed))
        _require_none(f"upstream roles of database {self.name} may do too much", map(finding_text, granted))

    async def listen(self) -> None:
        """Hear of changes from other proxies and from the event trigger; called again, mends what was lost."""
        if self._listener is None or self._listener.is_closed():
            self._listener = await self._control.listener(self.name, CATALOG_CHANNEL, self.stale.set)
            self.stale.set()  # whatever happened before we listened

    async def announce(self) -> None:
        """Tell other proxies that the catalog may have changed."""
        async with self._control.connection(self.name) as connection:
            await connection.execute("SELECT pg_catalog.pg_notify($1, '')", CATALOG_CHANNEL)

    def stop_listening(self) -> None:
        if self._listener is not None:
            self._listener.terminate()

    async def have_keys(self, counts: dict[str, int]) -> None:
        await self._pool.have(counts)

    async def _next_values(self, sequence: str, count: int) -> list[bytes]:
        async with self._control.connection(self.name, lane="sequences") as connection:
            rows = await connection.fetch(
                "SELECT pg_catalog.nextval($1::pg_catalog.text::pg_catalog.regclass)::pg_catalog.text"
                " FROM pg_catalog.generate_series(1, $2::pg_catalog.int4)",
                sequence,
                count,
            )
        return [row[0].encode() for row in rows]


class ProtectedDatabases:
    """All of a worker's."""

    def __init__(
        self,
        config: Config,
        control: Control | None,
        planning: Planning,
        logger: Logger,
        stats: WorkerStats,
        audit_available: Callable[[], bool],
    ) -> None:
        self.by_name: dict[str, ProtectedDatabase] = {}
        self._config = config
        self._control = control
        self._planning = planning
        self._logger = logger
        self._stats = stats
        self._audit_available = audit_available
        self._keyring: OpenKeyring | None = None
        self._passphrase: Callable[[], str] | None = None
        self._tell_peers: TellPeers | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, passphrase: Callable[[], str] | None, tell_peers: TellPeers | None) -> None:
        """Load and verify everything.  Raises FieldgateError."""
        self._passphrase, self._tell_peers = passphrase, tell_peers
        if not self._config.databases or self._control is None or self._config.keys is None:
            return
        self._keyring = await asyncio.to_thread(_unlock, self._config.keys, passphrase)
        for name, database in self._config.databases.items():
            self.by_name[name] = await self._open_one(name, database, self._control, self._keyring)

    async def _open_one(
        self, name: str, config: DatabaseConfig, control: Control, keyring: OpenKeyring
    ) -> ProtectedDatabase:
        holder = await asyncio.to_thread(_load_policy, config.policy)
        data_map = holder.current.policy.data_map
        if data_map.database != name:
            raise ConfigError(f"{config.policy}: the data map is for database {data_map.database}, not {name}")
        ciphers = _ciphers(keyring, holder)
        database = ProtectedDatabase(name, control, self._planning, holder, ciphers, self._audit_available)
        await database.verify()
        await database.load()
        return database

    @property
    def keyring_loaded(self) -> bool:
        return self._keyring is not None or not self._config.databases

    @property
    def fresh(self) -> bool:
        return all(database.fresh for database in self.by_name.values())

    def revisions(self) -> dict[str, str]:
        return {name: database.revision_name for name, database in self.by_name.items()}

    async def reload(self) -> dict[str, str]:
        """New policies and keys, all or none.  Raises FieldgateError and keeps what is in force."""
        if not self.by_name or self._config.keys is None:
            return {}
        keyring = await asyncio.to_thread(_unlock, self._config.keys, self._passphrase)
        ready = []
        for database in self.by_name.values():
            holder = await asyncio.to_thread(_load_policy, database.holder.folder)
            ready.append(await database.prepare(holder, _ciphers(keyring, holder)))
        for put_in_force in ready:
            put_in_force()
        self._keyring = keyring
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

    def keep_fresh(self) -> None:
        """From now on: one watcher a database."""
        for database in self.by_name.values():
            self._spawn(self._watch(database))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        for database in self.by_name.values():
            database.stop_listening()
            await asyncio.to_thread(database.ciphers.close)

    async def _watch(self, database: ProtectedDatabase) -> None:
        interval = self._config.control.refresh_interval if self._config.control else 30.0
        while True:
            database.stale.clear()
            await self._read_again(database)
            await asyncio.to_thread(database.ciphers.renew)
            try:
                async with asyncio.timeout(interval):
                    await database.stale.wait()
            except TimeoutError:
                pass

    async def _read_again(self, database: ProtectedDatabase) -> None:
        try:
            await database.listen()
            if await database.load():
                self._stats.catalog_refreshes += 1
                self._logger.info("catalog_changed", database=database.name)
                await database.verify()
        except FieldgateError as error:
            database.fresh = False
            self._logger.error("catalog_unreadable", database=database.name, **describe(error))

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


def _unlock(config: KeysConfig, passphrase: Callable[[], str] | None) -> OpenKeyring:
    """Slow on purpose: not on the event loop."""
    if passphrase is None:
        raise ConfigError(f"{config.keyring}: the keyring needs its passphrase")
    try:
        return open_keyring(config.keyring, passphrase())
    except CryptoError as error:
        raise ConfigError(str(error)) from None


def _require_none(headline: str, problems: Iterable[str]) -> None:
    found = list(problems)
    if found:
        shown = "".join(f"\n  {problem}" for problem in found[:_SHOWN_PROBLEMS])
        more = f"\n  and {len(found) - _SHOWN_PROBLEMS} more" if len(found) > _SHOWN_PROBLEMS else ""
        raise ConfigError(f"{headline}:{shown}{more}")


def _load_policy(folder: Path) -> PolicyHolder:
    try:
        return PolicyHolder.load(folder)
    except PolicyError as error:
        raise ConfigError(f"{folder}: {error}") from None


def _ciphers(keyring: OpenKeyring, holder: PolicyHolder) -> KeyringCiphers:
    try:
        return keyring.keyring.ciphers(key_needs(holder.current.policy.data_map), keyring.leases())
    except CryptoError as error:
        raise ConfigError(str(error)) from None
