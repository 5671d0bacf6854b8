"""One socket of the proxy, a client's or a server's: transport, TLS, backpressure.  Knows no PostgreSQL.

Contract: the owner gets plaintext in `received`, exactly one `lost` at the end, and `congested` when the peer does not
take what was sent.  Whatever the owner raises ends the leg, never the process.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Protocol, cast

from .tls import TlsFailed, TlsLeg


class LegOwner(Protocol):
    """Who gets a leg's bytes and news."""

    def received(self, data: bytes) -> None: ...

    def tls_ready(self) -> None:
        """The handshake that `start_tls` began is done."""
        ...

    def ended(self) -> None:
        """The peer will send no more (FIN or close_notify); it may still be listening."""
        ...

    def lost(self, error: Exception | None) -> None:
        """The connection is gone; `error` says why if we know."""
        ...

    def congested(self, full: bool) -> None: ...


class Leg(asyncio.Protocol):
    """An asyncio.Protocol, not streams: no task and no await for a message."""

    __slots__ = ("_closing", "_ended", "_lost", "_paused", "_transport", "owner", "peer", "tls", "write_buffer")

    def __init__(self, owner: LegOwner | None, write_buffer: int) -> None:
        self.owner = owner
        self.write_buffer = write_buffer
        self.tls: TlsLeg | None = None
        self.peer: object = None
        self._transport: asyncio.Transport | None = None
        self._closing = self._ended = self._lost = self._paused = False

    # -- what the event loop calls --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by inheritance
        self._transport.set_write_buffer_limits(high=self.write_buffer)
        self.peer = transport.get_extra_info("peername")
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def data_received(self, data: bytes) -> None:
        tls, owner = self.tls, self.owner
        if self._closing or owner is None:
            return  # what comes after our last word is nobody's
        if tls is not None:
            try:
                data = self._decrypt(tls, data)
            except TlsFailed as error:
                self._fail(error)
                return
        if data:
            owner.received(data)
        if tls is not None and tls.closed:
            self._end()

    def eof_received(self) -> bool:
        self._end()
        return True  # the other direction stays open until the owner closes it

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        if not self._lost:
            self._lost = True
            if self.owner is not None:
                self.owner.lost(exc)

    def pause_writing(self) -> None:
        if self.owner is not None:
            self.owner.congested(True)

    def resume_writing(self) -> None:
        if self.owner is not None:
            self.owner.congested(False)

    # -- what the owner calls --

    @property
    def alive(self) -> bool:
        """Neither side has said that it will send no more."""
        return not (self._closing or self._ended or self._lost)

    def send(self, data: bytes) -> None:
        """Plaintext in; one write."""
        if self._closing or self._transport is None:
            return
        if self.tls is not None:
            try:
                data = self.tls.send(data)
            except TlsFailed as error:
                self._fail(error)
                return
        self._transport.write(data)

    def start_tls(
        self, context: ssl.SSLContext, *, server_side: bool, hostname: str | None = None, first_bytes: bytes = b""
    ) -> None:
        """From here on the socket speaks TLS; the owner hears `tls_ready`, or `lost`."""
        try:
            self.tls = TlsLeg(context, server_side=server_side, server_hostname=hostname)
            if not server_side:
                self.tls.start()
        except TlsFailed as error:
            self._fail(error)
            return
        self._write(self.tls.take_output())
        if first_bytes:
            self.data_received(first_bytes)

    def pause(self, paused: bool) -> None:
        """Stop or go on reading from the socket."""
        if self._transport is None or paused is self._paused or self._transport.is_closing():
            return
        self._paused = paused
        if paused:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def close(self) -> None:
        """Send what was written, then close; the owner hears `lost` once that is done."""
        if self._closing or self._transport is None:
            return
        if self.tls is not None:
            self._write(self.tls.close())
        self._closing = True
        self._transport.close()

    def finish(self, linger: float) -> None:
        """Say that nothing more will come, and give the peer `linger` seconds to take what was sent and to close.

        Closing a socket with unread data in it resets the connection, and the peer would lose our last words.
        """
        if self._closing or self._transport is None:
            return
        if self.tls is not None:
            self._write(self.tls.close())
        self.pause(False)
        self._closing = True
        if self._transport.can_write_eof() and not self._ended:
            self._transport.write_eof()
            asyncio.get_running_loop().call_later(linger, self._transport.abort)
        else:
            self._transport.close()

    def abort(self) -> None:
        """Drop everything at once."""
        self._closing = True
        if self._transport is not None:
            self._transport.abort()

    # -- inside --

    def _decrypt(self, tls: TlsLeg, data: bytes) -> bytes:
        established = tls.established
        try:
            plain = tls.receive(data)
        except TlsFailed:
            self._write(tls.take_output())  # the alert
            raise
        self._write(tls.take_output())
        if not established and tls.established and self.owner is not None:
            self.owner.tls_ready()
        return plain

    def _write(self, data: bytes) -> None:
        if data and self._transport is not None:
            self._transport.write(data)

    def _end(self) -> None:
        if self._ended:
            return
        self._ended = True
        if self._closing:
            if self._transport is not None:
                self._transport.close()
        elif self.owner is not None:
            self.owner.ended()

    def _fail(self, error: Exception) -> None:
        """Tell the owner now; the transport closes after the alert has gone out."""
        self._closing = True
        if self._transport is not None:
            self._transport.close()
        self.connection_lost(error)
