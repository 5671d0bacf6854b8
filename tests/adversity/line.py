"""One raw protocol connection, to the server or through the proxy, and what it hears: whole messages, nothing hidden.

No driver stands between: what is sent is what a test wrote, in the pieces that it chose.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType

from proxy.wire import backend, frontend
from proxy.wire.authentication import AuthenticationKind, parse_authentication
from proxy.wire.framing import BACKEND_LIMITS, HEADER_SIZE, scan
from proxy.wire.scram import ScramClient
from proxy.wire.startup import PROTOCOL_3_0, SSL_REQUEST_PACKET, StartupMessage

Heard = tuple[str, bytes]  # tag, body

_ASYNCHRONOUS = frozenset("NSA")


class LineEnded(Exception):
    """The peer closed before the answer was complete; `heard` is what came until then."""

    def __init__(self, heard: list[Heard]) -> None:
        super().__init__("the connection was closed")
        self.heard = heard


class Line:
    """`tls` names the CA file of a proxy; None speaks in the clear, as to the server itself."""

    def __init__(self, host: str, port: int, tls: Path | None = None, timeout: float = 15) -> None:
        plain = socket.create_connection((host, port), timeout=timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket: socket.socket = plain
        self.process_id, self.key = 0, b""
        self._buffer = bytearray()
        if tls is not None:
            plain.sendall(SSL_REQUEST_PACKET)
            if plain.recv(1) != b"S":
                raise LineEnded([])
            self.socket = ssl.create_default_context(cafile=str(tls)).wrap_socket(plain, server_hostname="localhost")

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    # -- login --

    def log_in(
        self, user: str, database: str, password: str, *, protocol: int = PROTOCOL_3_0, **more: str
    ) -> list[Heard]:
        """Everything up to ReadyForQuery; ends with an `E` when the login is refused."""
        parameters = {"user": user, "database": database, **more}
        raw = StartupMessage({k.encode(): v.encode() for k, v in parameters.items()}, protocol).build()
        self.socket.sendall(raw)
        heard = [self.hear()]
        while heard[-1][0] in "vN":
            heard.append(self.hear())
        if heard[-1][0] == "R" and parse_authentication(heard[-1][1]).kind is AuthenticationKind.SASL:
            heard += self._prove(heard[-1][1], password)
        while heard[-1][0] not in "ZE":
            heard.append(self.hear())
        for tag, body in heard:
            if tag == "K":
                key = backend.parse_backend_key_data(body)
                self.process_id, self.key = key.process_id, key.key
        return heard

    def _prove(self, offer: bytes, password: str) -> list[Heard]:
        mechanisms = [m for m in parse_authentication(offer).mechanisms if m != b"SCRAM-SHA-256-PLUS"]
        scram = ScramClient(mechanisms)
        self.send(frontend.build_sasl_initial_response(scram.mechanism, scram.first()))
        challenge = self.hear()
        if challenge[0] != "R":
            return [challenge]
        final = scram.respond(parse_authentication(challenge[1]).data, password)
        self.send(frontend.build_sasl_response(final))
        return [challenge, self.hear()]

    # -- conversation --

    def send(self, *messages: bytes, pieces: Iterable[int] = ()) -> None:
        """`pieces`: sizes of the first writes; what is left goes out whole."""
        data = b"".join(messages)
        for size in pieces:
            if not data:
                return
            self.socket.sendall(data[:size])
            data = data[size:]
        if data:
            self.socket.sendall(data)

    def hear(self) -> Heard:
        """The next message.  Raises LineEnded."""
        while True:
            spans, _ = scan(self._buffer, 0, BACKEND_LIMITS)
            if spans:
                tag, start, end = spans[0]
                body = bytes(self._buffer[start + HEADER_SIZE : end])
                del self._buffer[:end]
                return chr(tag), body
            piece = self._receive()
            if not piece:
                raise LineEnded([])
            self._buffer += piece

    def _receive(self) -> bytes:
        try:
            return self.socket.recv(1 << 16)
        except (ConnectionResetError, ssl.SSLError):
            return b""

    def until(self, last: str, times: int = 1) -> list[Heard]:
        """Up to the n-th message with this tag.  Raises LineEnded with what was heard."""
        heard: list[Heard] = []
        while times:
            try:
                heard.append(self.hear())
            except LineEnded:
                raise LineEnded(heard) from None
            times -= heard[-1][0] == last
        return heard

    def talk(self, *messages: bytes, ready: int = 1) -> list[Heard]:
        """Send, and hear all up to so many ReadyForQuery."""
        self.send(*messages)
        return self.until("Z", ready)

    def to_the_end(self) -> list[Heard]:
        """Everything until the peer closes."""
        heard: list[Heard] = []
        while True:
            try:
                heard.append(self.hear())
            except LineEnded:
                return heard

    def rows(self, sql: str) -> list[tuple[bytes | None, ...]]:
        """By simple Query, in text.  An error is an AssertionError."""
        heard = self.talk(frontend.build_query(sql.encode()))
        assert "E" not in tags(heard), errors(heard)
        return [backend.parse_data_row(body) for tag, body in heard if tag == "D"]


def tags(heard: Sequence[Heard]) -> str:
    """What an application can tell apart: notices, reports and notifications come when they come."""
    return "".join(tag for tag, _ in heard if tag not in _ASYNCHRONOUS)


def statuses(heard: Sequence[Heard]) -> str:
    return "".join(body.decode() for tag, body in heard if tag == "Z")


def errors(heard: Sequence[Heard]) -> list[dict[str, str]]:
    return [
        {code.decode(): text.decode("utf-8", "replace") for code, text in backend.parse_error_response(body).items()}
        for tag, body in heard
        if tag == "E"
    ]


def states(heard: Sequence[Heard]) -> list[str]:
    """The SQLSTATE of each error."""
    return [error.get("C", "") for error in errors(heard)]
