"""Connections to the database servers: dial, TLS, log in, choose among hosts, pass cancels on.

One upstream connection belongs to one client for its whole life.  Hosts are tried in the order of the configuration,
beginning with the one that was right last; a server that refuses the login itself is not gone around.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from proxy.errors import FieldgateError, UpstreamUnavailable
from proxy.session.upstream_authentication import AuthenticationRules, Secret
from proxy.session.upstream_login import (
    UpstreamLogin,
    UpstreamReady,
    UpstreamRules,
)
from proxy.wire.startup import CancelRequest, StartupMessage

from .config import CredentialConfig, SessionAttrs, SslMode, UpstreamConfig
from .config_types import split_host
from .dialling import CancelSender, Dial, KeyCache, ServerRefused, reason_of
from .leg import Leg
from .tls import client_context

_CANNOT_CONNECT_NOW = "57P03"  # starting up, shutting down, or a standby that takes no connections


@dataclass(frozen=True, slots=True)
class Host:
    """`name` is a host name, an address, or the folder of a unix socket."""

    name: str
    port: int

    @property
    def is_socket(self) -> bool:
        return self.name.startswith("/")

    def __str__(self) -> str:
        return f"{self.name}:{self.port}"


@dataclass(frozen=True, slots=True)
class Dialled:
    """A connection that is logged in, and what the server said on the way.  `rest`: bytes after ReadyForQuery."""

    leg: Leg
    host: Host
    ready: UpstreamReady
    rest: bytes = field(repr=False)


class Connector:
    """Opens upstream connections as the configuration says."""

    def __init__(self, config: UpstreamConfig, write_buffer: int) -> None:
        self._config = config
        self._hosts = [Host(*split_host(text)) for text in config.hosts]
        self._write_buffer = write_buffer
        self._keys = KeyCache()
        self._contexts: dict[tuple[Path, Path] | None, ssl.SSLContext] = {}
        if config.sslmode is not SslMode.DISABLE:
            self._contexts[None] = client_context(config.sslmode, config.ca)
            for credential in config.credentials.values():
                self._context(credential)  # a bad certificate is found at start
        self._best = 0  # index of the host that was right last

    async def open(
        self, startup: StartupMessage, secret: Secret, credential: CredentialConfig | None, *, inspect: bool
    ) -> Dialled:
        """Raises ServerRefused or UpstreamUnavailable."""
        problem: FieldgateError = UpstreamUnavailable("no database server could be reached")
        for wanted in _passes(self._config.target_session_attrs):
            for index in self._order():
                try:
                    dialled = await self._open_one(self._hosts[index], startup, secret, credential, inspect=inspect)
                except ServerRefused as error:
                    if error.server_sqlstate != _CANNOT_CONNECT_NOW:
                        raise
                    problem = error
                    continue
                except UpstreamUnavailable as error:
                    problem = error
                    continue
                if _suits(dialled.ready, wanted):
                    self._best = index
                    return dialled
                dialled.leg.owner = None
                dialled.leg.close()
                problem = UpstreamUnavailable(f"no database server is {wanted}")
        raise problem

    async def reachable(self) -> bool:
        """Whether any host accepts connections at all."""
        for index in self._order():
            try:
                async with asyncio.timeout(self._config.connect_timeout):
                    leg = await self._connect(self._hosts[index])
            except (OSError, TimeoutError):
                continue
            leg.close()
            return True
        return False

    async def cancel(self, host: Host, process_id: int, key: bytes) -> None:
        """Send a CancelRequest, by TLS if sessions use it, and wait until the server has closed."""
        try:
            async with asyncio.timeout(self._config.connect_timeout):
                leg = await self._connect(host)
                sender = CancelSender(leg, CancelRequest(process_id, key).build(), self._tls_for(host, None), host.name)
                try:
                    await sender.done.wait()
                finally:
                    leg.close()
        except (OSError, TimeoutError):
            pass  # a cancel may always be lost

    async def _open_one(
        self, host: Host, startup: StartupMessage, secret: Secret, credential: CredentialConfig | None, *, inspect: bool
    ) -> Dialled:
        context = self._tls_for(host, credential)
        choosing = self._config.target_session_attrs is not SessionAttrs.ANY and not startup.replication
        rules = UpstreamRules(
            tls=context is not None,
            authentication=AuthenticationRules(
                secure=context is not None or host.is_socket,
                binding=self._config.channel_binding,
                allow_md5=self._config.allow_md5,
            ),
            learn=choosing,
            inspect=inspect,
        )
        login = UpstreamLogin(rules, startup, secret)
        dial = Dial(login, context, host.name, self._keys)
        leg: Leg | None = None
        try:
            async with asyncio.timeout(self._config.connect_timeout):
                leg = await self._connect(host)
                leg.owner = dial
                dial.begin(leg)
                ready = await dial.outcome
        except TimeoutError:
            _drop(leg)
            raise UpstreamUnavailable(f"the database server {host} did not answer in time") from None
        except OSError as error:
            raise UpstreamUnavailable(f"the database server {host} cannot be reached: {reason_of(error)}") from None
        except BaseException:
            _drop(leg)
            raise
        return Dialled(leg, host, ready, login.take_rest())

    async def _connect(self, host: Host) -> Leg:
        loop = asyncio.get_running_loop()
        leg = Leg(None, self._write_buffer)
        if host.is_socket:
            await loop.create_unix_connection(lambda: leg, f"{host.name}/.s.PGSQL.{host.port}")
        else:
            await loop.create_connection(lambda: leg, host.name, host.port)
        return leg

    def _tls_for(self, host: Host, credential: CredentialConfig | None) -> ssl.SSLContext | None:
        if host.is_socket or self._config.sslmode is SslMode.DISABLE:
            return None
        return self._context(credential)

    def _context(self, credential: CredentialConfig | None) -> ssl.SSLContext:
        if credential is None or credential.certificate is None or credential.key is None:
            return self._contexts[None]
        pair = (credential.certificate, credential.key)
        if pair not in self._contexts:
            self._contexts[pair] = client_context(self._config.sslmode, self._config.ca, *pair)
        return self._contexts[pair]

    def _order(self) -> list[int]:
        others = [index for index in range(len(self._hosts)) if index != self._best]
        return [self._best, *others]


def _passes(attrs: SessionAttrs) -> tuple[SessionAttrs, ...]:
    return (SessionAttrs.STANDBY, SessionAttrs.ANY) if attrs is SessionAttrs.PREFER_STANDBY else (attrs,)


def _suits(ready: UpstreamReady, wanted: SessionAttrs) -> bool:
    """As libpq decides; what the server does not tell counts as primary and writable."""
    standby = bool(ready.in_recovery)
    read_only = standby or bool(ready.read_only)
    return {
        SessionAttrs.ANY: True,
        SessionAttrs.READ_WRITE: not read_only,
        SessionAttrs.READ_ONLY: read_only,
        SessionAttrs.PRIMARY: not standby,
        SessionAttrs.STANDBY: standby,
    }.get(wanted, True)


def _drop(leg: Leg | None) -> None:
    if leg is not None:
        leg.owner = None
        leg.abort()
