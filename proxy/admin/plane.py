"""What /v1 works with, put together from the configuration: a control connection, the audit sink, the people file.

It runs in the only worker, or in the supervisor of several; it holds no keys and reaches no data database.  What an
import brings is unwrapped once, to see whether proxies could, and forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from keys.database_store import DatabaseKeyStore
from keys.key_tables import DatabaseTables
from policies.admin_rights import AdminRights
from policies.errors import AuditSinkFailed, PolicyError
from policies.loader import load_policy
from proxy.audit_process import AuditProcess
from proxy.config import AdminConfig, Config
from proxy.control import Control
from proxy.control_schema.install import schema_problems
from proxy.errors import AuditUnavailable, ConfigError
from proxy.key_stores import make_store
from proxy.keywork.escrow_check import ProviderCheck
from proxy.keywork.escrow_database import DatabaseEscrow
from proxy.keywork.fields import FieldIndex
from proxy.keywork.records_database import DatabaseRecords
from proxy.keywork.service import KeyService, ServiceParts
from proxy.keywork.trail import Sink, Trail
from proxy.logs import Logger, describe

from .answers import DatabaseAnswers
from .login import Authenticator
from .oidc import OidcVerifier
from .people import PeopleFile, mark_of
from .tokens import DatabaseTokens
from .v1 import Endpoints


class AdminPlane:
    """`open` raises FieldgateError for whatever is wrong; nothing listens before."""

    def __init__(self, config: Config, logger: Logger, sink: Sink | None = None) -> None:
        """Without a sink of somebody else's it has a writer of its own, into the same file."""
        admin, control, audit = config.admin, config.control, config.audit
        if admin is None or admin.people is None or control is None or audit is None:
            raise ConfigError("admin.people needs [control] and [audit]")
        self._own_audit = AuditProcess(audit.path, audit.mode, logger) if sink is None else None
        self._control = Control(control, config.upstream)
        self._fields = PolicyFields(config, logger)
        self.endpoints = self._endpoints(config, admin, sink or self._own_audit, logger)

    async def open(self) -> None:
        async with self._lend() as connection:
            problems = await schema_problems(connection)
        if problems:
            raise ConfigError(f"admin.people: {problems[0]}")
        try:
            if self._own_audit is not None:
                await self._own_audit.start()
        except AuditSinkFailed as error:
            raise AuditUnavailable(str(error)) from None

    async def close(self) -> None:
        await self._control.close()
        if self._own_audit is not None:
            await self._own_audit.close()

    @asynccontextmanager
    async def _lend(self) -> AsyncIterator[Any]:
        async with self._control.connection(lane="admin") as connection:
            yield connection

    def _endpoints(self, config: Config, admin: AdminConfig, sink: Sink | None, logger: Logger) -> Endpoints:
        if admin.people is None or sink is None:
            raise ConfigError("admin.people needs [audit]")
        trail = Trail(sink)
        parts = ServiceParts(
            records=DatabaseRecords(self._lend),
            keys=DatabaseTables(self._lend),
            escrow=DatabaseEscrow(self._lend),
            check=ProviderCheck(self._store_maker(config, logger)),
            fields=self._fields.now,
            rights=AdminRights(),
            trail=trail,
            destroy_after=timedelta(seconds=admin.destroy_after),
        )
        authenticator = Authenticator(
            PeopleFile(admin.people, logger).now,
            DatabaseTokens(self._lend) if admin.tokens else None,
            OidcVerifier(admin.oidc) if admin.oidc is not None else None,
            trail,
            config.limits,
            asyncio.get_running_loop().time,
        )
        answers = DatabaseAnswers(self._lend)
        return Endpoints(KeyService(parts), authenticator, answers, admin.body_limit, admin.import_limit)

    def _store_maker(self, config: Config, logger: Logger) -> Callable[[], DatabaseKeyStore] | None:
        """The providers of the configuration, made anew each time: they are opened for an import only."""
        keys = config.keys
        if keys is None:
            return None
        return lambda: make_store(keys, self._control, lambda said: logger.warning("key_provider", said=said))


class PolicyFields:
    """The fields of the configured policies as their files have them now; wrong files keep what was known."""

    def __init__(self, config: Config, logger: Logger) -> None:
        """Raises PolicyError."""
        self._folders = [database.policy for database in config.databases.values()]
        self._logger = logger
        self._marks = self._seen()
        self._index = self._load()

    def now(self) -> FieldIndex:
        marks = self._seen()
        if marks != self._marks:
            self._marks = marks
            try:
                self._index = self._load()
            except PolicyError as error:
                self._logger.error("admin_fields_refused", **describe(error))
        return self._index

    def _load(self) -> FieldIndex:
        return FieldIndex(load_policy(folder).data_map for folder in self._folders)

    def _seen(self) -> list[tuple[int, ...]]:
        return [mark_of(folder / "datamap.toml") for folder in self._folders]
