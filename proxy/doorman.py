"""Who may come in, as whom, and with which upstream credentials.

Mapped logins have their SCRAM verifier in the logins file and act upstream as the role that the policy names, with the
proxy's own credentials.  In pass-through a login is a role of the server's: its verifier is asked of the server, and
the client's proof opens the upstream session as that very role.
"""

from __future__ import annotations

import tomllib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from policies.errors import PrincipalRefused
from policies.model import Principal
from policies.policy_set import PolicySet
from proxy.errors import ConfigError, FieldgateError, LoginRefused, SqlState
from proxy.session.login import Authenticated
from proxy.session.services import SessionServices
from proxy.session.upstream_authentication import Secret
from proxy.wire.scram import Verifier, parse_verifier

from .admission import Admission
from .config import CredentialConfig, OtherDatabases, UpstreamConfig
from .control import read_secret
from .relaying import ConversationLike

Converse = Callable[[SessionServices, Principal, dict[str, str], str | None, str], ConversationLike]
"""Makes a conversation of services, principal, reported settings, search_path as reported, session id."""


class Database(Protocol):
    """A database that is open for sessions.  `policy` None: nothing in it is protected."""

    @property
    def policy(self) -> PolicySet | None: ...

    @property
    def services(self) -> SessionServices: ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """The proxy's own, by upstream role."""

    config: Mapping[str, CredentialConfig]
    passwords: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def load(cls, config: UpstreamConfig) -> Credentials:
        passwords = {
            role: password.encode()
            for role, credential in config.credentials.items()
            if (password := read_secret(credential.password_file)) is not None
        }
        return cls(config.credentials, passwords)


class Door:
    """The doorman of a worker.  `database` finds what is open; `server_verifier` is None without pass-through."""

    def __init__(
        self,
        upstream: UpstreamConfig,
        credentials: Credentials,
        verifiers: Mapping[str, Verifier],
        protected: Mapping[str, Database],
        other: Callable[[str], Database],
        server_verifier: Callable[[str], Awaitable[Verifier | None]] | None,
        converse: Converse,
    ) -> None:
        self._converse = converse
        self._upstream = upstream
        self._credentials = credentials
        self._verifiers = verifiers
        self._protected = protected
        self._other = other
        self._server_verifier = server_verifier

    async def verifier(self, login: str) -> Verifier | None:
        mapped = self._verifiers.get(login)
        if mapped is None and self._server_verifier is not None:
            return await self._server_verifier(login)
        return mapped

    def admit(self, who: Authenticated) -> Admission:
        self._check_replication(who)
        database = self._database(who.database)
        passes_through = self._upstream.pass_through and who.login not in self._verifiers
        role = who.login if passes_through else self._role(who.login, database.policy)
        secret = Secret(keys=who.keys) if passes_through else Secret(password=self._credentials.passwords.get(role))
        principal = _principal(who, database.policy)
        protected = database.policy is not None
        if protected and not who.settings.utf8:
            raise FieldgateError(
                "client_encoding must be UTF8 in a database with protected tables",
                sqlstate=SqlState.FEATURE_NOT_SUPPORTED,
            )
        return Admission(
            principal=principal,
            role=role,
            secret=secret,
            credential=None if passes_through else self._credentials.config.get(role),
            protected=protected,
            show_server_errors=passes_through,
            converse=partial(self._converse, database.services, principal),
        )

    def _check_replication(self, who: Authenticated) -> None:
        """A walsender reads every database's WAL and files, whichever it is connected to."""
        if who.settings.replication and self._protected:
            raise FieldgateError(
                "replication connections are refused: the write-ahead log holds protected tables",
                sqlstate=SqlState.FEATURE_NOT_SUPPORTED,
                hint="Connect to the server directly.",
            )

    def _database(self, name: str) -> Database:
        found = self._protected.get(name)
        if found is not None:
            return found
        if self._upstream.other_databases is OtherDatabases.REFUSE:
            raise FieldgateError(f'database "{name}" does not exist', sqlstate=SqlState.UNDEFINED_DATABASE)
        return self._other(name)

    def _role(self, login: str, policy: PolicySet | None) -> str:
        policies = [policy] if policy is not None else [database.policy for database in self._protected.values()]
        known = next((p.logins[login] for p in policies if p is not None and login in p.logins), None)
        role = known.upstream_role if known is not None else login
        if role not in self._credentials.config:
            raise LoginRefused(
                "no upstream credentials are configured for this login", sqlstate=SqlState.INVALID_AUTHORIZATION
            )
        return role


def _principal(who: Authenticated, policy: PolicySet | None) -> Principal:
    own = who.settings.own
    if policy is None:
        return Principal(who.login, own.get("person", who.login), frozenset(), "", own.get("purpose", ""))
    try:
        return policy.principal(
            who.login,
            person=own.get("person"),
            purpose=own.get("purpose"),
            case=own.get("case"),
            subject=own.get("subject"),
        )
    except PrincipalRefused as refused:
        raise FieldgateError(str(refused), sqlstate=SqlState.INVALID_AUTHORIZATION) from None


def load_verifiers(path: Path | None) -> dict[str, Verifier]:
    """The logins file: `"login" = "SCRAM-SHA-256$..."`, one a line, readable by its owner only."""
    text = read_secret(path)
    if text is None:
        return {}
    try:
        entries = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise ConfigError(f"{path}: is not TOML") from None  # the parser's message would quote the line
    found = {}
    for login, verifier in entries.items():
        try:
            found[login] = parse_verifier(verifier)
        except (ValueError, AttributeError):
            raise ConfigError(f"{path}: {login}: not a SCRAM-SHA-256 verifier") from None
    return found
