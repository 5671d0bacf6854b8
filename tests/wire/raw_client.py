"""A client made of nothing but proxy.wire and a blocking socket, to try messages on a real server."""

from __future__ import annotations

import socket
import ssl
from types import TracebackType

from proxy.wire import backend, frontend
from proxy.wire.authentication import AuthenticationKind, parse_authentication
from proxy.wire.framing import BACKEND_LIMITS, HEADER_SIZE, scan
from proxy.wire.scram import ScramClient, ScramKeys, derive_keys
from proxy.wire.startup import SSL_REQUEST_PACKET, StartupMessage

Received = tuple[bytes, bytes]  # tag, body


class RawClient:
    """`log_in` first; then `send` messages and `receive` up to a tag."""

    def __init__(self, host: str, port: int) -> None:
        self.socket: socket.socket = socket.create_connection((host, port), timeout=20)
        self._buffer = bytearray()

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.socket.close()

    def start_tls(self) -> bytes:
        """The server's certificate, in DER."""
        self.socket.sendall(SSL_REQUEST_PACKET)
        assert self.socket.recv(1) == b"S"
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the test looks at the certificate's hash, not at its name
        encrypted = context.wrap_socket(self.socket)
        self.socket = encrypted
        certificate = encrypted.getpeercert(binary_form=True)
        assert certificate is not None
        return certificate

    def send(self, *messages: bytes) -> None:
        self.socket.sendall(b"".join(messages))

    def receive(self, last: bytes) -> list[Received]:
        """All messages up to the first of this tag, an error included; read in small pieces on purpose."""
        found: list[Received] = []
        while True:
            spans, consumed = scan(self._buffer, 0, BACKEND_LIMITS)
            for number, (tag, start, end) in enumerate(spans):
                found.append((bytes((tag,)), bytes(self._buffer[start + HEADER_SIZE : end])))
                if found[-1][0] in (last, b"E" if last == b"R" else last):
                    del self._buffer[: spans[number][2]]
                    return found
            del self._buffer[:consumed]
            piece = self.socket.recv(7)
            if not piece:
                return found
            self._buffer += piece

    def log_in(
        self, startup: StartupMessage, secret: str | ScramKeys, *, end_point: bytes | None = None
    ) -> list[Received]:
        """Everything up to ReadyForQuery; the last message is an ErrorResponse if the server refuses."""
        self.send(startup.build())
        greeting = self.receive(b"R")
        if greeting[-1][0] == b"E":
            return greeting
        offered = parse_authentication(greeting[-1][1])
        assert offered.kind is AuthenticationKind.SASL
        exchange = ScramClient(offered.mechanisms, end_point=end_point)
        self.send(frontend.build_sasl_initial_response(exchange.mechanism, exchange.first()))
        server_first = parse_authentication(self.receive(b"R")[-1][1]).data
        salt, iterations = exchange.challenge(server_first)
        keys = secret if isinstance(secret, ScramKeys) else derive_keys(secret, salt, iterations)
        self.send(frontend.build_sasl_response(exchange.final(keys)))
        answer = self.receive(b"R")
        if answer[-1][0] == b"E":
            return answer
        exchange.verify(parse_authentication(answer[-1][1]).data)
        return greeting + self.receive(b"Z")


def error_of(received: list[Received]) -> backend.ErrorFields:
    return backend.parse_error_response(next(body for tag, body in received if tag == b"E"))
