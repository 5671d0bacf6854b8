"""Connections to the database servers: dial, TLS, log in, choose among hosts, pass cancels on.

One upstream connection belongs to one client for its whole life.  Hosts are tried in the order of the configuration,
beginning with the one that was right last; a server that refuses the login itself is not gone around.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

from proxy.errors import FieldgateError, UpstreamUnavailable
from proxy.session.upstream_authentication import AuthenticationRules, NeedKeys, Secret
from proxy.session.upstream_login import (
    StartUpstreamTls,
    UpstreamEvent,
    UpstreamLogin,
    UpstreamReady,
    UpstreamRefused,
    UpstreamRules,
)
from proxy.wire.scram import ScramKeys, derive_keys
from proxy.wire.startup import SSL_REQUEST_PACKET, CancelRequest, StartupMessage

from .config import CredentialConfig, SessionAttrs, SslMode, UpstreamConfig, split_host
from .leg import Leg
from .tls import client_context, end_point_hash

_KEYS_REMEMBERED = 256
_CANNOT_CONNECT_NOW = "57P03"  # starting up, shutting down, or a standby that takes no connections


class ServerRefused(FieldgateError):
    """The server said no; `raw` is its ErrorResponse, which the client may see."""

    def __init__(self, raw: bytes, sqlstate: str) -> None:
        super().__init__(f"the database server refused the login ({sqlstate})", sqlstate=UpstreamUnavailable.sqlstate)
        self.raw = raw
        self.server_sqlstate = sqlstate


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


class KeyCache:
    """SCRAM keys derived from the proxy's own passwords, so that PBKDF2 runs once and never on the event loop."""

    def __init__(self) -> None:
        self._keys: OrderedDict[tuple[bytes, bytes, int], ScramKeys] = OrderedDict()

    async def keys(self, need: NeedKeys) -> ScramKeys:
        name = (need.password, need.salt, need.iterations)
        found = self._keys.get(name)
        if found is None:
            found = await asyncio.to_thread(derive_keys, *name)
            self._keys[name] = found
            if len(self._keys) > _KEYS_REMEMBERED:
                self._keys.popitem(last=False)
        return found


class _Dial:
    """The owner of a server's leg until its login is done."""

    def __init__(self, login: UpstreamLogin, context: ssl.SSLContext | None, hostname: str, keys: KeyCache) -> None:
        self.outcome: asyncio.Future[UpstreamReady] = asyncio.get_running_loop().create_future()
        self._login = login
        self._context = context
        self._hostname = hostname
        self._keys = keys
        self._leg: Leg | None = None
        self._deriving: asyncio.Task[None] | None = None

    def begin(self, leg: Leg) -> None:
        self._leg = leg
        self._after([])

    def received(self, data: bytes) -> None:
        self._after(self._login.receive(data))

    def tls_ready(self) -> None:
        tls = self._leg.tls if self._leg else None
        certificate = tls.peer_certificate() if tls else None
        self._after(self._login.tls_established(end_point_hash(certificate) if certificate else None))

    def ended(self) -> None:
        self._after(self._login.closed())

    def lost(self, error: Exception | None) -> None:
        if error is not None and not self.outcome.done():
            self.outcome.set_exception(
                UpstreamUnavailable(f"the connection to the database server failed: {_say(error)}")
            )
        self._after(self._login.closed())

    def congested(self, full: bool) -> None:
        """A login fits every buffer."""

    def _after(self, events: list[UpstreamEvent]) -> None:
        if self._leg is None:
            return
        if output := self._login.take_output():
            self._leg.send(output)
        for event in events:
            if isinstance(event, StartUpstreamTls) and self._context is not None:
                self._leg.start_tls(self._context, server_side=False, hostname=self._hostname)
            elif isinstance(event, NeedKeys):
                self._deriving = asyncio.create_task(self._derive(event))
            elif not self.outcome.done():
                self._settle(event)

    def _settle(self, event: UpstreamEvent) -> None:
        if isinstance(event, UpstreamReady):
            if self._leg is not None:
                self._leg.pause(True)  # until the session takes over
            self.outcome.set_result(event)
        elif isinstance(event, UpstreamRefused):
            said = event.server_error
            self.outcome.set_exception(ServerRefused(said, event.sqlstate) if said else event.error)

    async def _derive(self, need: NeedKeys) -> None:
        keys = await self._keys.keys(need)
        if not self.outcome.done():
            self._after(self._login.provide_keys(keys))


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
                sender = _CancelSender(
                    leg, CancelRequest(process_id, key).build(), self._tls_for(host, None), host.name
                )
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
        dial = _Dial(login, context, host.name, self._keys)
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
            raise UpstreamUnavailable(f"the database server {host} cannot be reached: {_say(error)}") from None
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


class _CancelSender:
    """The owner of the leg that carries one CancelRequest."""

    def __init__(self, leg: Leg, packet: bytes, context: ssl.SSLContext | None, hostname: str) -> None:
        self.done = asyncio.Event()
        self._leg = leg
        self._packet = packet
        self._context = context
        self._hostname = hostname
        leg.owner = self
        leg.send(packet if context is None else SSL_REQUEST_PACKET)

    def received(self, data: bytes) -> None:
        if self._leg.tls is None and self._context is not None and data == b"S":
            self._leg.start_tls(self._context, server_side=False, hostname=self._hostname)
        else:
            self.done.set()  # the server has nothing to say here

    def tls_ready(self) -> None:
        self._leg.send(self._packet)

    def ended(self) -> None:
        self.done.set()

    def lost(self, error: Exception | None) -> None:
        del error
        self.done.set()

    def congested(self, full: bool) -> None:
        """A cancel fits every buffer."""


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


def _say(error: Exception) -> str:
    """Why a connection failed, without addresses and paths that the system may put into the text."""
    if isinstance(error, OSError) and error.strerror and error.errno:
        return error.strerror.lower()
    return (
        str(error)
        if isinstance(error, FieldgateError | ConnectionError) or type(error).__name__ == "TlsFailed"
        else "error"
    )
