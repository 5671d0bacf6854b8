"""A worker of the proxy in this process, a scripted server behind it, and a client that speaks the protocol by hand."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from proxy.app import Circumstances, Worker
from proxy.config import Config, LogConfig, parse_config
from proxy.demo.certificates import Authority
from proxy.demo.osuser import write_private
from proxy.logs import LogStream, make_logger
from proxy.wire import backend
from proxy.wire.authentication import AUTHENTICATION_OK, parse_authentication
from proxy.wire.framing import HEADER_SIZE
from proxy.wire.frontend import build_query, build_sasl_initial_response, build_sasl_response
from proxy.wire.scram import ScramClient, make_verifier
from proxy.wire.startup import (
    SSL_REQUEST_PACKET,
    CancelRequest,
    SslRequest,
    StartupMessage,
    parse_first_packet,
)
from tests.support.login_client import PASSWORD, startup

WITHIN = 10.0  # seconds that anything here may take
READY = backend.build_ready_for_query(b"I")
REPORTED = (
    (b"server_version", b"18.0"),
    (b"client_encoding", b"UTF8"),
    (b"search_path", b'"$user", public'),
    (b"in_hot_standby", b"off"),
    (b"default_transaction_read_only", b"off"),
)


def greeting(pid: int = 4242, key: bytes = b"kkkk", reported: tuple[tuple[bytes, bytes], ...] = REPORTED) -> bytes:
    statuses = b"".join(backend.build_parameter_status(name, value) for name, value in reported)
    return AUTHENTICATION_OK + statuses + backend.build_backend_key_data(pid, key) + READY


class Peer:
    """One end of a connection, by messages."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def read(self, size: int) -> bytes:
        async with asyncio.timeout(WITHIN):
            return await self.reader.readexactly(size)

    async def message(self) -> tuple[bytes, bytes]:
        head = await self.read(HEADER_SIZE)
        return head[:1], await self.read(int.from_bytes(head[1:], "big") - 4)

    async def until(self, tag: bytes) -> list[tuple[bytes, bytes]]:
        """Messages up to and with the first of this tag."""
        found = []
        while not found or found[-1][0] != tag:
            found.append(await self.message())
        return found

    async def packet(self) -> bytes:
        """One untyped packet."""
        head = await self.read(4)
        return head + await self.read(int.from_bytes(head, "big") - 4)

    async def rest(self) -> bytes:
        """Everything up to the end."""
        async with asyncio.timeout(WITHIN):
            return await self.reader.read()

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        async with asyncio.timeout(WITHIN):
            await self.writer.drain()

    async def start_tls(self, context: ssl.SSLContext, hostname: str | None = "localhost") -> None:
        await self.writer.start_tls(context, server_hostname=hostname)

    def close(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        self.writer.transport.abort()


def error_of(found: list[tuple[bytes, bytes]] | tuple[bytes, bytes]) -> dict[str, str]:
    """The fields of an ErrorResponse, which the (last) message must be."""
    tag, body = found[-1] if isinstance(found, list) else found
    assert tag == b"E", f"no error but {tag!r}"
    return {part[:1].decode(): part[1:].decode() for part in body.split(b"\0") if part}


Script = Callable[[Peer], Awaitable[None]]


async def echo_forever(peer: Peer) -> None:
    """Answers each simple query with a command tag, until Terminate."""
    while True:
        tag, _ = await peer.message()
        if tag == b"X":
            return
        await peer.send(backend.build_command_complete(b"SELECT 0") + READY)


@dataclass
class FakeServer:
    """A PostgreSQL of our own words.  `script` begins after the greeting; when it returns, the server closes."""

    script: Script = echo_forever
    said: bytes = field(default_factory=greeting)  # the whole answer to the startup packet
    tls: ssl.SSLContext | None = None
    startups: list[StartupMessage] = field(default_factory=list)
    cancels: list[CancelRequest] = field(default_factory=list)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)  # a session is over, by either side
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        with contextlib.suppress(asyncio.IncompleteReadError, OSError, TimeoutError):
            await self._session(peer)
        writer.close()

    async def _session(self, peer: Peer) -> None:
        packet = parse_first_packet(await peer.packet())
        if isinstance(packet, SslRequest):
            await peer.send(b"S" if self.tls else b"N")
            if self.tls is None:
                return
            await peer.start_tls(self.tls, None)
            packet = parse_first_packet(await peer.packet())
        if isinstance(packet, CancelRequest):
            self.cancels.append(packet)
            self.cancelled.set()
            return
        assert isinstance(packet, StartupMessage)
        self.startups.append(packet)
        await peer.send(self.said)
        try:
            await self.script(peer)
        finally:
            self.ended.set()


@contextlib.asynccontextmanager
async def serving(server: FakeServer) -> AsyncIterator[FakeServer]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


@dataclass(slots=True)
class Proxy:
    """A worker that listens, and what it logs."""

    worker: Worker
    log: StringIO
    authority: Authority
    peers: list[Peer] = field(default_factory=list)

    @property
    def port(self) -> int:
        return self.worker.port

    def client_tls(self, alpn: bool = False) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        if alpn:
            context.set_alpn_protocols(["postgresql"])
        return context

    async def raw(self, **tls: Any) -> Peer:
        """A connection on which nothing was said yet."""
        peer = Peer(*await asyncio.open_connection("127.0.0.1", self.port, **tls))
        self.peers.append(peer)
        return peer

    async def in_tls(self) -> Peer:
        peer = await self.raw()
        await peer.send(SSL_REQUEST_PACKET)
        assert await peer.read(1) == b"S"
        await peer.start_tls(self.client_tls())
        return peer

    async def login(self, user: str = "app", password: str = PASSWORD, **parameters: Any) -> Client:
        """Logged in by TLS and SCRAM; `greeting` is what came after the proof."""
        peer = await self.in_tls()
        await peer.send(startup(user, **parameters))
        return await finish_login(peer, password, self.end_point)

    @property
    def end_point(self) -> bytes | None:
        identity = self.worker._running_services().identity
        return identity.end_point if identity else None


@dataclass(slots=True)
class Client:
    """A session."""

    peer: Peer
    greeting: list[tuple[bytes, bytes]]

    @property
    def key(self) -> tuple[int, bytes]:
        body = next(body for tag, body in self.greeting if tag == b"K")
        return int.from_bytes(body[:4], "big"), body[4:]

    async def query(self, text: bytes = b"SELECT 1") -> list[tuple[bytes, bytes]]:
        await self.peer.send(build_query(text))
        return await self.peer.until(b"Z")


async def finish_login(peer: Peer, password: str, end_point: bytes | None) -> Client:
    """SCRAM by hand, after the startup packet was sent; raises AssertionError when the login is refused."""
    tag, body = await peer.message()
    while tag == b"v":
        tag, body = await peer.message()
    assert tag == b"R", error_of((tag, body))
    scram = ScramClient(parse_authentication(body).mechanisms, end_point=end_point)
    await peer.send(build_sasl_initial_response(scram.mechanism, scram.first()))
    tag, body = await peer.message()
    assert tag == b"R", error_of((tag, body))
    await peer.send(build_sasl_response(scram.respond(parse_authentication(body).data, password)))
    found = [await peer.message()]
    while found[-1][0] != b"Z":
        assert found[-1][0] != b"E", error_of(found)
        found.append(await peer.message())
    return Client(peer, found)


LOGINS = ("app", "other")


def settings(folder: Path, upstream_port: int, **sections: dict[str, Any]) -> Config:
    """A configuration on loopback: TLS to clients, mapped logins with one password, plaintext to the fake server."""
    authority = Authority(folder / "tls")
    pair = authority.server("localhost")
    verifier = make_verifier(PASSWORD)
    write_private(folder / "logins", "".join(f'{login} = "{verifier}"\n' for login in LOGINS))
    write_private(folder / "password", f"{PASSWORD}\n")
    data: dict[str, Any] = {
        "logins": "logins",
        "listener": {"port": 0, "tls_certificate": str(pair.certificate), "tls_key": str(pair.key)},
        "upstream": {
            "hosts": [f"127.0.0.1:{upstream_port}"],
            "sslmode": "disable",
            "allow_plaintext": True,
            "other_databases": "forward",
            "credentials": {login: {"password_file": "password"} for login in LOGINS},
        },
    }
    for name, values in sections.items():
        data[name] = {**data.get(name, {}), **values}
    return parse_config(data, folder / "fieldgate.toml")


def logger_into(log: StringIO) -> Any:
    stream = LogStream(None)
    stream._file = log
    return make_logger(LogConfig(level="debug"), stream)


@contextlib.asynccontextmanager
async def running(config: Config, folder: Path, circumstances: Circumstances | None = None) -> AsyncIterator[Proxy]:
    log = StringIO()
    worker = Worker(config, logger_into(log), circumstances or Circumstances())
    await worker.assemble()
    await worker.start()
    proxy = Proxy(worker, log, Authority(folder / "tls"))
    try:
        yield proxy
    finally:
        for peer in proxy.peers:
            peer.reset()  # else the worker would wait a moment for them to take its last words
        await worker.stop()
