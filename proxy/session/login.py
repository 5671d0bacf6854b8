"""A client's way from its first byte to an authenticated login.  Pure: bytes in, bytes and events out.

    FIRST --SSLRequest, GSSENCRequest--> FIRST (each at most once)      FIRST --0x16--> TLS handshake --> FIRST
    FIRST --CancelRequest--> DONE                                       FIRST --StartupMessage--> VERIFIER or DONE
    VERIFIER --provide_verifier--> SASL_FIRST --> SASL_FINAL --> DONE   anything wrong --> DONE, with our error

What may be known only after authentication (which databases exist, which are protected) is not told before.  Nothing
that was received before a TLS handshake is read after it (CVE-2021-23214).  AuthenticationOk is left in `take_output`
for the shell to send in one write with the rest of the greeting.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto

from proxy.errors import FieldgateError, LoginRefused, ProtocolViolation, SqlState
from proxy.wire.authentication import AUTHENTICATION_OK, Authentication, AuthenticationKind
from proxy.wire.backend import error_response
from proxy.wire.framing import AUTHENTICATION_LIMITS, HEADER_SIZE, pending_size, startup_size
from proxy.wire.frontend import parse_sasl_initial_response
from proxy.wire.scram import ScramKeys, ScramServer, Verifier
from proxy.wire.startup import (
    HIGHEST_MINOR,
    PROTOCOL_3_0,
    CancelRequest,
    FirstPacket,
    GssEncRequest,
    SslRequest,
    StartupMessage,
    is_direct_tls,
    negotiate_protocol_version,
    parse_first_packet,
)

from .startup_settings import ClientSettings, read_settings

NAME_LIMIT = 63  # PostgreSQL cuts longer names of users and databases (NAMEDATALEN); what it cuts, we cut


class LoginMethod(StrEnum):
    """How clients prove who they are.  `trust` proves nothing: loopback only, and only if nothing is protected."""

    SCRAM = "scram"
    CERTIFICATE = "certificate"
    TRUST = "trust"


@dataclass(frozen=True, slots=True)
class LoginRules:
    """What holds for every client of a listener.  `mock_secret` makes up salts for logins that do not exist."""

    method: LoginMethod
    tls_available: bool
    plaintext_allowed: bool
    mock_secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class StartTls:
    """Begin TLS as server; `first_bytes` are what the handshake has already sent (direct TLS)."""

    first_bytes: bytes = b""


@dataclass(frozen=True, slots=True)
class NeedVerifier:
    """Call `provide_verifier` with this login's, or with None if it has none."""

    login: str


@dataclass(frozen=True, slots=True)
class CancelWanted:
    """Pass the cancel on, then close without an answer."""

    process_id: int
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Authenticated:
    """The login is proven.  `keys` open the upstream session in pass-through: as secret as a password."""

    login: str
    database: str
    settings: ClientSettings
    protocol: int
    keys: ScramKeys | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """The connection ends; `error` was put in the output unless the peer would not understand it."""

    error: FieldgateError
    login: str | None = None  # set when a proof was wrong: counts as a failed login


LoginEvent = StartTls | NeedVerifier | CancelWanted | Authenticated | Refused


class _State(Enum):
    FIRST = auto()
    TLS = auto()  # the shell does the handshake
    VERIFIER = auto()  # the shell looks for the verifier
    SASL_FIRST = auto()
    SASL_FINAL = auto()
    DONE = auto()


class ClientLogin:
    """One client's login.  Every call returns what the shell must do next, in order."""

    def __init__(self, rules: LoginRules) -> None:
        self._rules = rules
        self._state = _State.FIRST
        self._buffer = b""
        self._output: list[bytes] = []
        self._asked_ssl = self._asked_gss = self._begun = self._direct = False
        self._tls = False
        self._end_point: bytes | None = None
        self._certificate_names: frozenset[str] = frozenset()
        self._startup: StartupMessage | None = None
        self._settings: ClientSettings | None = None
        self._login = self._database = ""
        self._scram: ScramServer | None = None

    def receive(self, data: bytes) -> list[LoginEvent]:
        self._buffer += data
        return self._guarded()

    def tls_established(
        self, *, end_point: bytes | None, alpn: str | None, certificate_names: frozenset[str] = frozenset()
    ) -> list[LoginEvent]:
        """The handshake is done.  `certificate_names`: what the client's verified certificate speaks for."""
        if self._state is not _State.TLS:
            raise RuntimeError("no TLS handshake was asked for")
        self._tls, self._end_point, self._certificate_names = True, end_point, certificate_names
        self._state = _State.FIRST
        if self._direct and alpn != "postgresql":
            return [self._end(ProtocolViolation("direct TLS without the application protocol postgresql"), say=False)]
        return []

    def provide_verifier(self, verifier: Verifier | None) -> list[LoginEvent]:
        if self._state is not _State.VERIFIER:
            raise RuntimeError("no verifier was asked for")
        self._scram = ScramServer(self._login, verifier, mock_secret=self._rules.mock_secret, end_point=self._end_point)
        self._output.append(Authentication(AuthenticationKind.SASL, self._scram.mechanisms).build())
        self._state = _State.SASL_FIRST
        return self._guarded()

    def refuse(self, error: FieldgateError) -> None:
        """The shell says no (limits, an unknown database, the server is away)."""
        self._end(error)

    def take_output(self) -> bytes:
        output = b"".join(self._output)
        self._output.clear()
        return output

    def take_rest(self) -> bytes:
        """What the client sent after its proof: the beginning of its conversation."""
        rest, self._buffer = self._buffer, b""
        return rest

    def _guarded(self) -> list[LoginEvent]:
        try:
            return self._advance()
        except LoginRefused as error:
            return [self._end(self._neutral(error), login=self._login)]
        except FieldgateError as error:
            return [self._end(error, say=self._startup is not None or error.sqlstate != SqlState.PROTOCOL_VIOLATION)]

    def _advance(self) -> list[LoginEvent]:
        while True:
            if self._state is _State.FIRST:
                events = self._first()
            elif self._state is _State.SASL_FIRST or self._state is _State.SASL_FINAL:
                events = self._sasl()
            else:
                return []
            if events is None:
                return []  # needs more bytes
            if events:
                return events

    def _first(self) -> list[LoginEvent] | None:
        if not self._begun and self._buffer:
            self._begun = True
            if is_direct_tls(self._buffer):
                return self._direct_tls()
        size = startup_size(self._buffer)
        if size is None or len(self._buffer) < size:
            return None
        packet, self._buffer = self._buffer[:size], self._buffer[size:]
        return self._packet(parse_first_packet(packet))

    def _direct_tls(self) -> list[LoginEvent]:
        if not self._rules.tls_available:
            raise ProtocolViolation("direct TLS, but the listener has no certificate")
        first_bytes, self._buffer = self._buffer, b""
        self._direct, self._state = True, _State.TLS
        return [StartTls(first_bytes)]

    def _packet(self, packet: FirstPacket) -> list[LoginEvent]:
        if isinstance(packet, SslRequest | GssEncRequest):
            return self._encryption(packet)
        if isinstance(packet, CancelRequest):
            self._state = _State.DONE
            return [CancelWanted(packet.process_id, packet.key)]
        return self._started(packet)

    def _encryption(self, packet: SslRequest | GssEncRequest) -> list[LoginEvent]:
        repeated = self._asked_ssl if isinstance(packet, SslRequest) else self._asked_gss
        if repeated or self._tls or self._buffer:
            # Bytes behind the request were sent in plaintext, by whomever; inside TLS there is nothing to ask for.
            raise ProtocolViolation("unexpected data around an encryption request")
        if isinstance(packet, GssEncRequest):
            self._asked_gss = True
            self._output.append(b"N")
            return []
        self._asked_ssl = True
        self._output.append(b"S" if self._rules.tls_available else b"N")
        if not self._rules.tls_available:
            return []
        self._state = _State.TLS
        return [StartTls()]

    def _started(self, startup: StartupMessage) -> list[LoginEvent]:
        self._startup = startup
        if not self._tls and not self._rules.plaintext_allowed:
            raise FieldgateError(
                "connections without TLS are not accepted",
                sqlstate=SqlState.INVALID_AUTHORIZATION,
                hint="Connect with sslmode=verify-full.",
            )
        if startup.needs_negotiation():
            protocol = PROTOCOL_3_0 | startup.negotiated_minor()
            self._output.append(negotiate_protocol_version(protocol, tuple(startup.protocol_options)))
        self._settings = read_settings(startup)
        self._login = startup.user[:NAME_LIMIT].decode("utf-8", "replace")
        self._database = startup.database[:NAME_LIMIT].decode("utf-8", "replace")
        if self._rules.method is LoginMethod.TRUST:
            return self._finish()
        if self._rules.method is LoginMethod.CERTIFICATE:
            return self._by_certificate()
        self._state = _State.VERIFIER
        return [NeedVerifier(self._login)]

    def _by_certificate(self) -> list[LoginEvent]:
        if self._login not in self._certificate_names:
            raise LoginRefused(
                "this login needs a client certificate that names it", sqlstate=SqlState.INVALID_AUTHORIZATION
            )
        return self._finish()

    def _sasl(self) -> list[LoginEvent] | None:
        size = pending_size(self._buffer, 0, AUTHENTICATION_LIMITS)
        if size is None or len(self._buffer) < size:
            return None
        body, self._buffer = self._buffer[HEADER_SIZE:size], self._buffer[size:]
        assert self._scram is not None  # noqa: S101 - by the state
        if self._state is _State.SASL_FIRST:
            initial = parse_sasl_initial_response(body)
            if initial.data is None:
                raise ProtocolViolation("SASLInitialResponse without a response")
            answer = self._scram.first(initial.mechanism, initial.data)
            self._output.append(Authentication(AuthenticationKind.SASL_CONTINUE, data=answer).build())
            self._state = _State.SASL_FINAL
            return []
        answer = self._scram.final(body)
        self._output.append(Authentication(AuthenticationKind.SASL_FINAL, data=answer).build())
        return self._finish(self._scram.keys)

    def _finish(self, keys: ScramKeys | None = None) -> list[LoginEvent]:
        assert self._startup is not None and self._settings is not None  # noqa: S101 - by the state
        self._output.append(AUTHENTICATION_OK)
        self._state = _State.DONE
        protocol = PROTOCOL_3_0 | min(self._startup.minor, HIGHEST_MINOR)
        return [Authenticated(self._login, self._database, self._settings, protocol, keys)]

    def _neutral(self, error: LoginRefused) -> LoginRefused:
        """PostgreSQL's own sentence, whatever was wrong."""
        if self._scram is None:
            return error
        return LoginRefused(f'password authentication failed for user "{self._login}"', sqlstate=error.sqlstate)

    def _end(self, error: FieldgateError, *, say: bool = True, login: str | None = None) -> Refused:
        self._state = _State.DONE
        self._buffer = b""
        if say:
            self._output.append(error_response(error, severity="FATAL"))
        return Refused(error, login)
