"""The composition root: the only module that knows every concrete class.

`Worker.assemble` loads and verifies everything, and raises a FieldgateError if anything is wrong (I9); nothing listens
before it has returned.  `reload` does the same beside what runs, and swaps only when all of it is right.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from policies.errors import AuditSinkFailed
from policies.model import Principal
from proxy.errors import AuditUnavailable, ConfigError
from proxy.rows.finishing.arranging import FinishBounds
from proxy.session.conversation import Conversation
from proxy.session.login import LoginRules
from proxy.session.search_path import parse_search_path
from proxy.session.searches import SearchLimits, SearchRates
from proxy.session.services import SessionServices

from .admin.api import Readiness
from .audit_process import AuditProcess
from .cancel import AskPeers, CancelDesk, CancelKeys
from .catalog_loader import load_catalog
from .config import AuditConfig, Config, LimitsConfig, altered
from .control import Control
from .databases import PlainDatabase
from .doorman import Credentials, Door, load_verifiers
from .hba import find_exposures
from .key_source import KeySource
from .key_stores import make_source
from .limits import ConnectionLimits, FailedLogins
from .listener import Listener
from .logs import Logger
from .metrics import StatsCollector, WorkerStats, page
from .protected import ProtectedDatabases
from .protected_database import Planning
from .reception import ReceptionServices
from .relaying import ConversationLike, RelayServices
from .sql.cache import CachedPlanner
from .tls import server_identity
from .upstream import Connector

_HBA_UNREAD = (
    "pg_hba.conf was not looked at, since {user} may not read it: with pass-through it must admit roles from the proxy "
    "only (GRANT SELECT ON pg_hba_file_rules, GRANT EXECUTE ON FUNCTION pg_hba_file_rules() TO {user})"
)
_RESTART_SECTIONS = ("listener", "control", "keys", "audit", "admin", "process", "logs")
_RELOADED_IN_LISTENER = ("tls_certificate", "tls_key", "tls_min_version", "client_ca")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a worker gets from the process that starts it."""

    number: int = 0
    passphrase: Callable[[], str] | None = None  # asked once, when the configuration has a keyring
    mock_secret: bytes = b"\0" * 32
    ask_peers: AskPeers | None = None
    tell_peers: Callable[[str], Awaitable[None]] | None = None  # this database's catalog changed


class Worker:
    """One process's share of the proxy."""

    def __init__(self, config: Config, logger: Logger, circumstances: Circumstances) -> None:
        self.config = config
        self.stats = WorkerStats()
        self._logger = logger
        self._circumstances = circumstances
        self._clock = asyncio.get_running_loop().time
        self._listener = Listener(config.listener, config.limits, self._clock, logger)
        self._audit = _make_audit(config.audit, logger)
        self._control = Control(config.control, config.upstream) if config.control else None
        self._keys = _make_keys(config, self._control, circumstances.passphrase, logger)
        self._searches = SearchLimits(_rates(config.limits), self._clock)
        self._protected = ProtectedDatabases(
            config,
            self._control,
            self._keys,
            Planning(CachedPlanner, load_catalog),
            logger,
            self.stats,
            self._audit_available,
            self._searches,
            lambda: _finish_bounds(self.config.limits),
        )
        self._services: ReceptionServices | None = None
        self._stopping = False

    async def assemble(self) -> None:
        """Raises FieldgateError for whatever is wrong."""
        await _start_audit(self._audit)
        await self._protected.open(self._circumstances.tell_peers)
        self._services = self._make_services()

    async def start(self, **listen: Any) -> None:
        """Only now clients are heard."""
        if self._services is None:
            raise RuntimeError("a worker is assembled before it starts")
        self._protected.keep_fresh()
        await self._listener.start(self._services, **listen)

    async def reload(self, config: Config) -> dict[str, str]:
        """Policies, certificates, logins, credentials and limits anew; raises and changes nothing if one is wrong.

        Returns the policy revisions in force by database; what needs a restart is logged.
        """
        try:
            kept = self._reloadable(config)
            made = _Parts.make(self, kept)
            revisions = await self._protected.reload()
        except Exception:
            self.stats.reloads["refused"] += 1
            raise
        self.config = kept
        made.put_into(self._running_services())
        self._searches.configure(_rates(kept.limits))
        self.stats.reloads["done"] += 1
        self._logger.info("reloaded", revisions=revisions)
        return revisions

    async def stop(self) -> None:
        self._stopping = True
        await self._listener.stop(self.config.process.drain_timeout)
        await self._protected.close()
        if self._audit is not None:
            await self._audit.close()
        if self._control is not None:
            await self._control.close()

    async def remarks(self) -> list[str]:
        """What is not wrong enough to refuse to start, and should be known; for `check`."""
        observed = self._protected.observed()
        if self._control is None or self.config.control is None or not self.config.upstream.pass_through:
            return observed
        async with self._control.connection() as connection:
            found = await find_exposures(connection, self.config.control.user)
        if found is None:
            return [*observed, _HBA_UNREAD.format(user=self.config.control.user)]
        return [*observed, *map(str, found)]

    # -- what others may ask --

    @property
    def audit(self) -> AuditProcess | None:
        return self._audit

    @property
    def port(self) -> int:
        return self._listener.port

    def metrics(self) -> str:
        return page(
            StatsCollector(
                self.stats,
                lambda: self._listener.open_sessions,
                self._protected.revisions,
                self._keys.state if self._keys is not None else None,
                self._circumstances.number,
            )
        )

    async def readiness(self) -> Readiness:
        services = self._running_services()
        checks = {
            "serving": not self._stopping,
            "upstream": await services.connector.reachable(),
            "keyring": self._protected.keyring_loaded,
            "keys": self._keys is None or self._keys.refusal() is None,
            "audit": self._audit_available(),
            "catalog": self._protected.fresh,
        }
        return Readiness(checks, self._protected.revisions())

    async def cancel_here(self, pid: int, secret: bytes) -> bool:
        return await self._running_services().cancels.cancel_here(pid, secret)

    def refresh_catalog(self, database: str) -> None:
        self._protected.refresh(database)

    # -- inside --

    def _suspect_keys(self) -> None:
        if self._keys is not None:
            self._keys.suspect()

    def _audit_available(self) -> bool:
        return self._audit is None or self._audit.available

    def _running_services(self) -> ReceptionServices:
        if self._services is None:
            raise RuntimeError("the worker is not assembled")
        return self._services

    def make_door(self, config: Config) -> Door:
        through = config.upstream.pass_through and self._control is not None
        return Door(
            config.upstream,
            Credentials.load(config.upstream),
            load_verifiers(config.logins),
            self._protected.by_name,
            PlainDatabase,
            self._control.verifier if through and self._control is not None else None,
            make_conversation,
        )

    def _make_services(self) -> ReceptionServices:
        config, circumstances = self.config, self._circumstances
        parts = _Parts.make(self, config)
        rules = LoginRules(
            config.listener.method,
            tls_available=parts.identity is not None,
            plaintext_allowed=config.listener.allow_plaintext,
            mock_secret=circumstances.mock_secret,
        )
        return ReceptionServices(
            rules=rules,
            identity=parts.identity,
            doorman=parts.door,
            connector=parts.connector,
            relay=self._make_relay_services(parts.connector),
            limits=ConnectionLimits(config.limits),
            failed_logins=FailedLogins(config.limits, self._clock),
            cancels=CancelDesk(
                CancelKeys(circumstances.number), circumstances.ask_peers, config.limits.cancels_in_progress
            ),
            logger=self._logger,
            started=self._listener.session_began,
            gone=self._listener.login_over,
        )

    def _make_relay_services(self, connector: Connector) -> RelayServices:
        return RelayServices(
            stats=self.stats,
            logger=self._logger,
            connector=connector,
            audit=self._audit,
            refresh_catalog=self._protected.changed,
            suspect_keys=self._suspect_keys,
            have_keys=self._protected.have_keys,
            have_secrets=self._protected.have_secrets,
            clock=self._clock,
            client_linger=self.config.limits.client_write_timeout,
            ended=self._listener.session_ended,
            gone=self._listener.session_gone,
        )

    def _reloadable(self, config: Config) -> Config:
        """The new configuration where it can change, the old one elsewhere."""
        ours = self.config
        fixed = {section: getattr(ours, section) for section in _RESTART_SECTIONS}
        tls = {name: getattr(config.listener, name) for name in _RELOADED_IN_LISTENER}
        fixed["listener"] = altered(ours.listener, **tls)
        kept = altered(config, **fixed, databases=ours.databases)
        if kept != config:
            self._logger.warning("reload_needs_restart", sections=_differing(kept, config))
        if (kept.listener.tls_certificate is None) != (ours.listener.tls_certificate is None):
            raise ConfigError("listener: TLS cannot be switched on or off by a reload")
        return kept


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a reload makes anew."""

    identity: Any
    connector: Connector
    door: Door
    config: Config

    @classmethod
    def make(cls, worker: Worker, config: Config) -> _Parts:
        connector = Connector(config.upstream, config.limits.write_buffer)
        return cls(server_identity(config.listener), connector, worker.make_door(config), config)

    def put_into(self, services: ReceptionServices) -> None:
        """For logins from now on; sessions go on as they are."""
        services.identity, services.connector, services.doorman = self.identity, self.connector, self.door
        services.relay.connector = self.connector
        services.limits.configure(self.config.limits)
        services.failed_logins.configure(self.config.limits)


async def check_all(config: Config, logger: Logger, passphrase: Callable[[], str] | None) -> list[str]:
    """Everything that a start would verify; nothing listens.  Raises FieldgateError; returns remarks."""
    worker = Worker(config, logger, Circumstances(passphrase=passphrase))
    try:
        await worker.assemble()
        return await worker.remarks()
    finally:
        await worker.stop()


def make_conversation(
    services: SessionServices, principal: Principal, settings: dict[str, str], search_path: str | None, session_id: str
) -> ConversationLike:
    path = None if search_path is None else parse_search_path(search_path)
    return Conversation(services, principal, settings, path, session_id)


def _finish_bounds(limits: LimitsConfig) -> FinishBounds:
    return FinishBounds(limits.finish_rows, limits.finish_bytes, limits.locked_rows)


def _rates(limits: LimitsConfig) -> SearchRates:
    return SearchRates(limits.searches_per_person, limits.searches_per_service)


def _differing(one: Config, other: Config) -> list[str]:
    names = (*_RESTART_SECTIONS, "databases")
    return [name for name in names if getattr(one, name) != getattr(other, name)]


def _make_keys(
    config: Config, control: Control | None, passphrase: Callable[[], str] | None, logger: Logger
) -> KeySource | None:
    if control is None or not config.databases:
        return None
    return make_source(config, control, passphrase, logger)


def _make_audit(config: AuditConfig | None, logger: Logger) -> AuditProcess | None:
    return None if config is None else AuditProcess(config.path, config.mode, logger)


async def _start_audit(sink: AuditProcess | None) -> None:
    try:
        if sink is not None:
            await sink.start()
    except AuditSinkFailed as error:
        raise AuditUnavailable(str(error)) from None
