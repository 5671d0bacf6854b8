"""One database with protected tables: its policy, catalog, keys and planner, and whether all of them agree (I9).

A `Revision` (catalog, decisions, ciphers) is replaced as a whole, so that a statement is planned under exactly one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg

from keys.errors import CryptoError
from keys.keyring import Keyring, KeyringCiphers
from keys.subject_store import SubjectKeys, SubjectStore
from keys.subjects import SubjectCache
from policies.errors import PolicyError, PrincipalRefused
from policies.fields import DataMap
from policies.holder import PolicyHolder, Published
from policies.model import Principal
from policies.policy_set import LoginKind, PolicySet
from proxy.errors import ConfigError, FieldgateError, SqlState, UpstreamUnavailable
from proxy.rows.finishing.arranging import FinishBounds
from proxy.rows.params import Spend
from proxy.session.searches import SearchLimits
from proxy.session.services import Revision, SessionServices

from .control import Connection, Control
from .grants.command import finding_text, verify_grants
from .key_source import KeySource
from .sealing.admitted import read_admitted
from .sealing.needs import key_needs
from .sealing.verify import verify_sealed
from .sequences import SequencePool
from .sql.catalog import Catalog
from .sql.planner import Planner
from .stored_forms import searched_alike, stored_forms
from .subject_keeper import SubjectKeeper

CATALOG_CHANNEL = "fieldgate_catalog"
_SHOWN_PROBLEMS = 20
_READINGS = 5  # of a catalog that changes while it is read


Catalogs = tuple[Catalog, Catalog | None]  # what is in force; as if what is observed only were


@dataclass(frozen=True, slots=True)
class Planning:
    """The concrete planner and catalog loader; the loader takes a connection, the data map, the new version, and the
    catalog that was known last."""

    make_planner: Callable[[], Planner]
    load_catalog: Callable[[Connection, DataMap, int, Catalog | None], Awaitable[Catalog]]


class ProtectedDatabase:
    """One of them.  Made by `open`; `policy` and `services` are what sessions see."""

    def __init__(
        self,
        name: str,
        control: Control,
        planning: Planning,
        holder: PolicyHolder,
        keys: KeySource,
        audit_available: Callable[[], bool],
        searches: SearchLimits,
        bounds: Callable[[], FinishBounds] = FinishBounds,
    ) -> None:
        self.name = name
        self._limits = searches
        self.fresh = False
        self.holder = holder
        self.keys = keys
        self.ciphers = KeyringCiphers({})  # until `open`, and when they have been forgotten
        keys.in_use(self.ciphers)
        self._forgotten = False
        self.stale = asyncio.Event()
        self._control = control
        self._listener: Connection | None = None
        self._planning = planning
        self._pool = SequencePool(self._next_values)
        self.secrets = SubjectKeeper(SubjectCache())
        self._revision: Revision | None = None
        self._version = 0
        self._verified = False  # the catalog that is in force
        self.services = SessionServices(
            planning.make_planner(),
            self.current,
            audit_available,
            self._pool.draw,
            self._identify,
            searches=self._searches,
            bounds=bounds,
            secrets=self.secrets.cache,
            keys_refusal=keys.refusal,
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

    def _searches(self, who: Principal) -> Spend:
        known = self.holder.current.policy.logins.get(who.login)
        return self._limits.spender(who, service=known is not None and known.kind is LoginKind.SERVICE)

    async def open(self, keyring: Keyring) -> None:
        """Verify and load everything.  Raises FieldgateError."""
        ciphers = await self._make_ciphers(self.holder.current.policy, keyring)
        await self._verify(self.holder.current.policy, ciphers)
        self._use(ciphers, self._make_secrets(self.holder.current.policy, keyring))
        await self.load()
        self._verified = self.fresh = True

    async def load(self) -> bool:
        """Read the catalog; True when it differs from what was known.  Raises UpstreamUnavailable, ConfigError.

        Policies and keys may be put in force while it is read: what was read for another policy, or before what is
        known now, is read again, so that no catalog takes effect under rules that it was not read for (I9).
        """
        while True:
            policy, adopted = self.holder.current, self._version
            catalogs = await self._read_catalog(policy)
            if (policy, adopted) == (self.holder.current, self._version):
                return self._adopt(catalogs)

    async def _read_catalog(self, policy: Published) -> Catalogs:
        """What is in force; and, where tables are observed only, as if these were in force too.

        PostgreSQL's own functions look at the catalogs as they are now, also in a transaction that sees them as they
        were: what was dropped meanwhile gives an internal error, and is not there any more when it is read again.
        """
        for _ in range(_READINGS - 1):
            with suppress(asyncpg.InternalServerError, asyncpg.SyntaxOrAccessError):
                return await self._read_once(policy)
        try:
            return await self._read_once(policy)
        except asyncpg.PostgresError as error:
            raise UpstreamUnavailable(f"the catalog of {self.name} cannot be read ({error.sqlstate})") from None

    async def _read_once(self, policy: Published) -> Catalogs:
        whole, known = policy.policy.data_map, self._revision
        enforced, load = whole.enforced(), self._planning.load_catalog
        async with self._control.connection(self.name) as connection:
            made = await load(connection, enforced, self._version + 1, known.catalog if known else None)
            if enforced is whole:
                return made, None
            before = known.observed if known else None
            return replace(made, observing=True), await load(connection, whole, self._version + 1, before)

    def _adopt(self, catalogs: Catalogs) -> bool:
        known = self._revision
        if known is not None and _numbered(catalogs, known.catalog.version) == (known.catalog, known.observed):
            return False
        self._version += 1
        self._verified = False
        catalog, observed = _numbered(catalogs, self._version)
        self._revision = Revision(catalog, self.holder.current.decisions, self.ciphers, observed)
        return True

    async def prepare_keys(self, keyring: Keyring) -> Callable[[], None]:
        """Verify other keys against the database; the result puts them in force.  Sessions and plans stay."""
        policy, known = self.holder.current.policy, self._revision
        ciphers, secrets = await self._make_ciphers(policy, keyring), self._make_secrets(policy, keyring)
        await self._verify_sealed(policy, ciphers)
        # Whoever confirms keys plans by the term columns as they are by then (proxy/rotation/rotate_terms.py).
        moved = known is not None and await self._terms_moved(policy, known)
        catalogs = await self._read_catalog(self.holder.current) if moved else None

        def put_in_force() -> None:
            self._use(ciphers, secrets)
            if catalogs is not None:
                self._adopt(catalogs)
                self.stale.set()  # another reading may have ended between ours and now
            now = self._revision or known
            if now is not None:
                self._revision = replace(now, ciphers=ciphers)

        return put_in_force

    async def _terms_moved(self, policy: PolicySet, known: Revision) -> bool:
        """Whether fields are searched by terms or tokens of other epochs than the catalog here says."""
        async with self._control.connection(self.name) as connection:
            try:
                searched = await stored_forms(connection, policy.data_map)
            except asyncpg.PostgresError as error:
                raise self._unverifiable(error) from None
        tables = [each.protected for each in known.catalog.relations.values() if each.protected is not None]
        return not searched_alike(searched, tables)

    def forget_keys(self) -> None:
        """Nothing opens, and nothing is sealed, until there are keys again."""
        self._use(KeyringCiphers({}), None)
        self._forgotten = True
        if self._revision is not None:
            self._revision = replace(self._revision, ciphers=self.ciphers)

    def _use(self, ciphers: KeyringCiphers, secrets: SubjectStore | None) -> None:
        before, self.ciphers, self._forgotten = self.ciphers, ciphers, False
        self.secrets.use(secrets)  # whatever has been destroyed meanwhile is forgotten
        self.keys.in_use(ciphers)
        self.keys.retire(before)

    async def _make_ciphers(self, policy: PolicySet, keyring: Keyring) -> KeyringCiphers:
        """Each field's sealing key is one whose cells the database takes now (I7)."""
        async with self._control.connection(self.name) as connection:
            try:
                admitted = await read_admitted(connection, policy.data_map)
            except asyncpg.PostgresError as error:
                raise self._unverifiable(error) from None
        try:
            subjects = self.secrets.cache if self.keys.keeps_secrets else None
            return keyring.ciphers(key_needs(policy.data_map), self.keys.leases(), admitted, subjects)
        except CryptoError as error:
            raise ConfigError(str(error)) from None

    def _make_secrets(self, policy: PolicySet, keyring: Keyring) -> SubjectStore | None:
        """Where data subjects' secrets are; None when nothing is sealed under such.  Raises ConfigError."""
        controller = policy.data_map.controller
        kinds = {table.subject_kind for table in policy.data_map.tables.values() if table.subject_kind is not None}
        if not kinds:
            return None
        try:
            made = {kind: SubjectKeys.of(keyring, controller, kind) for kind in kinds}
        except CryptoError as error:
            raise ConfigError(str(error)) from None
        return SubjectStore(controller, made, lambda: self._control.connection(lane="secrets"), self.keys.leases())

    async def prepare(self, holder: PolicyHolder, keyring: Keyring) -> Callable[[], None]:
        """Verify a new policy against the database; the result puts it in force, all at once."""
        data_map, old = holder.current.policy.data_map, self.holder.current.policy.data_map
        if (data_map.controller, data_map.database) != (old.controller, old.database):
            raise ConfigError(f"{holder.folder}: controller and database cannot change while the proxy runs")
        ciphers = await self._make_ciphers(holder.current.policy, keyring)
        secrets = self._make_secrets(holder.current.policy, keyring)
        await self._verify(holder.current.policy, ciphers)
        catalogs = await self._read_catalog(holder.current)

        def put_in_force() -> None:
            self.holder = holder
            self._use(ciphers, secrets)
            self._revision = None
            self._adopt(catalogs)
            self._verified = self.fresh = True
            self.stale.set()  # another reading may have ended between ours and now

        return put_in_force

    async def verify_changes(self) -> None:
        """The database must be as the data map says, in each catalog that is in force.  Raises ConfigError.

        Until it is, every call looks again.
        """
        version = self._version
        if not self._verified and not self._forgotten:  # it is verified when there are keys again
            await self._verify(self.holder.current.policy, self.ciphers)
            self._verified = version == self._version
        self.fresh = True

    async def _verify(self, policy: PolicySet, ciphers: KeyringCiphers) -> None:
        await self._verify_sealed(policy, ciphers)
        async with self._control.connection(self.name) as connection:
            try:
                granted = await verify_grants(connection, policy)
            except asyncpg.PostgresError as error:
                raise self._unverifiable(error) from None
        _require_none(f"upstream roles of database {self.name} may do too much", map(finding_text, granted))

    async def _verify_sealed(self, policy: PolicySet, ciphers: KeyringCiphers) -> None:
        async with self._control.connection(self.name) as connection:
            try:
                sealed = await verify_sealed(
                    connection, policy.data_map, ciphers.heads(), ciphers.known_heads(), ciphers.epochs()
                )
            except asyncpg.PostgresError as error:
                raise self._unverifiable(error) from None
        _require_none(f"database {self.name} is not as its data map says", map(str, sealed))

    def _unverifiable(self, error: asyncpg.PostgresError) -> UpstreamUnavailable:
        return UpstreamUnavailable(f"database {self.name} cannot be verified ({error.sqlstate})")

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


def _numbered(catalogs: Catalogs, version: int) -> Catalogs:
    catalog, observed = catalogs
    return replace(catalog, version=version), replace(observed, version=version) if observed is not None else None


def _require_none(headline: str, problems: Iterable[str]) -> None:
    found = list(problems)
    if found:
        shown = "".join(f"\n  {problem}" for problem in found[:_SHOWN_PROBLEMS])
        more = f"\n  and {len(found) - _SHOWN_PROBLEMS} more" if len(found) > _SHOWN_PROBLEMS else ""
        raise ConfigError(f"{headline}:{shown}{more}")


def load_policy_holder(folder: Path) -> PolicyHolder:
    try:
        return PolicyHolder.load(folder)
    except PolicyError as error:
        raise ConfigError(f"{folder}: {error}") from None
