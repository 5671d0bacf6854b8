"""The client's side of a login, as bytes, for tests of the state machine and of the listener."""

from __future__ import annotations

from collections.abc import Callable

from proxy.session.login import ClientLogin, LoginEvent, LoginMethod, LoginRules, NeedVerifier
from proxy.wire.authentication import parse_authentication
from proxy.wire.framing import BACKEND_LIMITS, HEADER_SIZE, scan
from proxy.wire.frontend import build_sasl_initial_response, build_sasl_response
from proxy.wire.scram import ScramClient, Verifier, make_verifier, parse_verifier
from proxy.wire.startup import StartupMessage

PASSWORD = "correct horse"
VERIFIER: Verifier = parse_verifier(make_verifier(PASSWORD, iterations=4096, salt=b"0123456789abcdef"))
END_POINT = b"e" * 32


def rules(method: LoginMethod = LoginMethod.SCRAM, *, tls: bool = True, plaintext: bool = False) -> LoginRules:
    return LoginRules(method, tls_available=tls, plaintext_allowed=plaintext, mock_secret=b"m" * 32)


def startup(user: str = "app", protocol: int = 0x00030000, **parameters: str) -> bytes:
    named = {b"user": user.encode()} | {k.encode(): v.encode() for k, v in parameters.items()}
    return StartupMessage(named, protocol).build()


def messages(data: bytes) -> list[tuple[bytes, bytes]]:
    """Whole messages as (tag, body); nothing may be left over."""
    spans, end = scan(data, 0, BACKEND_LIMITS)
    assert end == len(data), "an incomplete message was sent"
    return [(bytes((tag,)), data[start + HEADER_SIZE : stop]) for tag, start, stop in spans]


def error_fields(data: bytes) -> dict[str, str]:
    """The fields of the last message, which must be an ErrorResponse."""
    tag, body = messages(data)[-1]
    assert tag == b"E"
    return {part[:1].decode(): part[1:].decode() for part in body.split(b"\0") if part}


class Talk:
    """Feeds a ClientLogin in pieces of `step` bytes (0: whole) and gathers what it says."""

    def __init__(self, login: ClientLogin, step: int = 0, verifier: Verifier | None = VERIFIER) -> None:
        self.login = login
        self.step = step
        self.verifier = verifier
        self.events: list[LoginEvent] = []
        self.said = b""

    def send(self, data: bytes) -> bytes:
        """What the login answers to these bytes."""
        size = self.step or max(len(data), 1)
        before = len(self.said)
        for start in range(0, len(data), size):
            self._take(self.login.receive(data[start : start + size]))
        return self.said[before:]

    def tls(
        self, end_point: bytes | None = END_POINT, alpn: str | None = None, names: frozenset[str] = frozenset()
    ) -> None:
        self._take(self.login.tls_established(end_point=end_point, alpn=alpn, certificate_names=names))

    def _take(self, events: list[LoginEvent]) -> None:
        self.said += self.login.take_output()
        for event in events:
            self.events.append(event)
            if isinstance(event, NeedVerifier):
                self._take(self.login.provide_verifier(self.verifier))

    @property
    def last(self) -> LoginEvent | None:
        return self.events[-1] if self.events else None


def prove(
    send: Callable[[bytes], bytes],
    offered: bytes,
    password: str = PASSWORD,
    end_point: bytes | None = END_POINT,
) -> bytes:
    """Answer AuthenticationSASL in `offered` by SCRAM; the last answer of the server."""
    mechanisms = parse_authentication(messages(offered)[-1][1]).mechanisms
    scram = ScramClient(mechanisms, end_point=end_point)
    challenge = send(build_sasl_initial_response(scram.mechanism, scram.first()))
    final = scram.respond(parse_authentication(messages(challenge)[-1][1]).data, password)
    return send(build_sasl_response(final))
