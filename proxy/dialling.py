"""The owners of a server's socket until a session takes it over: one logs in, one carries a CancelRequest."""

from __future__ import annotations

import asyncio
import ssl
from collections import OrderedDict

from proxy.errors import FieldgateError, UpstreamUnavailable
from proxy.session.upstream_authentication import NeedKeys
from proxy.session.upstream_login import (
    StartUpstreamTls,
    UpstreamEvent,
    UpstreamLogin,
    UpstreamReady,
    UpstreamRefused,
)
from proxy.wire.scram import ScramKeys, derive_keys
from proxy.wire.startup import SSL_REQUEST_PACKET

from .leg import Leg
from .tls import TlsFailed, end_point_hash

_KEYS_REMEMBERED = 256


class ServerRefused(FieldgateError):
    """The server said no; `raw` is its ErrorResponse, which the client may see."""

    def __init__(self, raw: bytes, sqlstate: str) -> None:
        super().__init__(f"the database server refused the login ({sqlstate})", sqlstate=UpstreamUnavailable.sqlstate)
        self.raw = raw
        self.server_sqlstate = sqlstate


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


class Dial:
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
                UpstreamUnavailable(f"the connection to the database server failed: {reason_of(error)}")
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


class CancelSender:
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


def reason_of(error: Exception) -> str:
    """Why a connection failed, without addresses and paths that the system may put into the text."""
    if isinstance(error, OSError) and error.strerror and error.errno:
        return error.strerror.lower()
    return str(error) if isinstance(error, FieldgateError | TlsFailed) else "error"
