"""Our own login to the database server.  Pure: bytes in, bytes and events out.

    SSL_ANSWER --'S'--> TLS handshake --> AUTHENTICATION --AuthenticationOk--> GREETING --ReadyForQuery--> DONE
                                                               GREETING --ReadyForQuery--> LEARNING (one query) --> DONE

The server is hostile input too: lengths are bounded before use, exactly one byte is read as the answer to SSLRequest,
its SCRAM signature is required, iterations and nonces are bounded, a password never leaves except as configured.
What it says before TLS is established is never shown to anyone (CVE-2024-10977).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from proxy.errors import FieldgateError, ProtocolViolation, UpstreamUnavailable
from proxy.wire import backend
from proxy.wire.framing import BACKEND_LIMITS, HEADER_SIZE, capped, scan
from proxy.wire.frontend import build_query
from proxy.wire.scram import ScramKeys
from proxy.wire.startup import PROTOCOL_3_0, SSL_REQUEST_PACKET, StartupMessage

from .upstream_authentication import AuthenticationRules, NeedKeys, Secret, UpstreamAuthentication

_LIMITS = capped(BACKEND_LIMITS, 65_535)
_GREETING_LIMIT = 1 << 20
_LEARN = b"""SELECT pg_catalog.current_setting('search_path'), pg_catalog.current_setting('transaction_read_only'),
 pg_catalog.pg_is_in_recovery(), (SELECT pg_catalog.bool_or(r.rolsuper OR r.rolbypassrls OR r.rolreplication
 OR r.rolname = ANY ('{pg_read_all_data,pg_write_all_data,pg_read_server_files,pg_write_server_files,
pg_execute_server_program}'::pg_catalog.name[])) FROM pg_catalog.pg_roles AS r
 WHERE pg_catalog.pg_has_role(current_user, r.oid, 'MEMBER'))"""
_LEARNED = 4  # columns


@dataclass(frozen=True, slots=True)
class UpstreamRules:
    """`learn`: ask for what the server does not report by itself; `inspect`: ask always, also what the role may do."""

    tls: bool
    authentication: AuthenticationRules
    learn: bool = True
    inspect: bool = False


@dataclass(frozen=True, slots=True)
class StartUpstreamTls:
    """Begin TLS as client, then call `tls_established`."""


@dataclass(frozen=True, slots=True)
class UpstreamReady:
    """`greeting`: the notices and ParameterStatus messages as the server sent them."""

    greeting: bytes = field(repr=False)
    settings: dict[str, str]
    process_id: int | None
    cancel_key: bytes = field(repr=False)
    search_path: str | None
    read_only: bool | None
    in_recovery: bool | None
    over_privileged: bool | None  # the role, or one it is a member of, may read around every grant


@dataclass(frozen=True, slots=True)
class UpstreamRefused:
    """`server_error`: the server's own ErrorResponse, whole, when it may be shown; `sqlstate` is its code."""

    error: FieldgateError
    server_error: bytes | None = field(default=None, repr=False)
    sqlstate: str = ""


UpstreamEvent = StartUpstreamTls | NeedKeys | UpstreamReady | UpstreamRefused


class _State(Enum):
    SSL_ANSWER = auto()
    TLS = auto()
    AUTHENTICATION = auto()
    KEYS = auto()  # the shell derives keys
    GREETING = auto()
    LEARNING = auto()
    DONE = auto()


class _ServerSaid(Exception):
    """The server's ErrorResponse ends the login."""

    def __init__(self, raw: bytes, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.raw, self.sqlstate = raw, sqlstate


class UpstreamLogin:
    """One login.  Every call returns what the shell must do next."""

    def __init__(self, rules: UpstreamRules, startup: StartupMessage, secret: Secret) -> None:
        self._rules = rules
        self._startup = startup
        self._secret = secret
        self._buffer = b""
        self._output: list[bytes] = []
        self._authentication = self._authenticate(None)
        self._greeting: list[bytes] = []
        self._greeting_size = 0
        self._settings: dict[str, str] = {}
        self._key = backend.BackendKeyData(0, b"\0\0\0\0")
        self._has_key = False
        self._learned: tuple[bytes | None, ...] = ()
        self._state = _State.SSL_ANSWER if rules.tls else _State.AUTHENTICATION
        self._output.append(SSL_REQUEST_PACKET if rules.tls else startup.build())

    def receive(self, data: bytes) -> list[UpstreamEvent]:
        self._buffer += data
        return self._advance()

    def tls_established(self, end_point: bytes | None) -> list[UpstreamEvent]:
        """`end_point`: tls-server-end-point of the server's certificate."""
        if self._state is not _State.TLS:
            raise RuntimeError("no TLS handshake was asked for")
        self._authentication = self._authenticate(end_point)
        self._state = _State.AUTHENTICATION
        self._output.append(self._startup.build())
        return self._advance()

    def provide_keys(self, keys: ScramKeys) -> list[UpstreamEvent]:
        if self._state is not _State.KEYS:
            raise RuntimeError("no keys were asked for")
        self._output.append(self._authentication.provide_keys(keys))
        self._state = _State.AUTHENTICATION
        return self._advance()

    def closed(self) -> list[UpstreamEvent]:
        """The server closed the connection."""
        return [] if self._state is _State.DONE else [self._refused("the database server closed the connection")]

    def take_output(self) -> bytes:
        output = b"".join(self._output)
        self._output.clear()
        return output

    def take_rest(self) -> bytes:
        """What the server sent after ReadyForQuery (notices, notifications)."""
        rest, self._buffer = self._buffer, b""
        return rest

    def _advance(self) -> list[UpstreamEvent]:
        try:
            if self._state is _State.SSL_ANSWER:
                return self._ssl_answer()
            if self._state in (_State.TLS, _State.KEYS, _State.DONE):
                return []
            return self._messages()
        except _ServerSaid as said:
            self._state = _State.DONE
            error = UpstreamUnavailable("the database server refused the connection")
            return [UpstreamRefused(error, said.raw, said.sqlstate)]
        except UpstreamUnavailable as error:
            return [self._refused(error.message)]
        except FieldgateError:
            return [self._refused("the database server broke the protocol during login")]

    def _ssl_answer(self) -> list[UpstreamEvent]:
        if not self._buffer:
            return []
        if self._buffer != b"S":  # N, an error text from whomever, or bytes that came before TLS
            raise UpstreamUnavailable("the database server does not offer TLS")
        self._buffer = b""
        self._state = _State.TLS
        return [StartUpstreamTls()]

    def _messages(self) -> list[UpstreamEvent]:
        while True:
            spans, _ = scan(self._buffer, 0, _LIMITS)
            if not spans:
                return []
            tag, start, end = spans[0]
            raw, self._buffer = self._buffer[start:end], self._buffer[end:]
            if events := self._message(bytes((tag,)), raw):
                return events

    def _message(self, tag: bytes, raw: bytes) -> list[UpstreamEvent]:
        body = raw[HEADER_SIZE:]
        if tag == b"E":
            raise _ServerSaid(raw, backend.parse_error_response(body).get(b"C", b"").decode("ascii", "replace"))
        if tag == b"N":
            backend.parse_error_response(body)
            return self._keep(raw)
        if self._state is _State.AUTHENTICATION:
            return self._asked(tag, body)
        if tag == b"S":
            return self._parameter_status(raw, body)
        return self._started(tag, body) if self._state is _State.GREETING else self._learning(tag, body)

    def _keep(self, raw: bytes) -> list[UpstreamEvent]:
        self._greeting_size += len(raw)
        if self._greeting_size > _GREETING_LIMIT:
            raise ProtocolViolation("the server's greeting is too long")
        self._greeting.append(raw)
        return []

    def _parameter_status(self, raw: bytes, body: bytes) -> list[UpstreamEvent]:
        name, value = backend.parse_parameter_status(body)
        self._settings[name.decode("utf-8", "replace")] = value.decode("utf-8", "replace")
        return self._keep(raw)

    # -- authentication --

    def _authenticate(self, end_point: bytes | None) -> UpstreamAuthentication:
        return UpstreamAuthentication(self._rules.authentication, self._startup.user, self._secret, end_point)

    def _asked(self, tag: bytes, body: bytes) -> list[UpstreamEvent]:
        if tag == b"v":
            self._negotiated(body)
            return []
        if tag != b"R":
            raise ProtocolViolation("the server sends messages before the login is done")
        answer = self._authentication.request(body)
        if isinstance(answer, NeedKeys):
            self._state = _State.KEYS
            return [answer]
        self._output.append(answer)
        if self._authentication.done:
            self._state = _State.GREETING
        return []

    def _negotiated(self, body: bytes) -> None:
        offered = backend.parse_negotiate_protocol_version(body)
        newest = offered.protocol if offered.protocol >> 16 else PROTOCOL_3_0 | offered.protocol
        if offered.unknown_options or not PROTOCOL_3_0 <= newest < self._startup.protocol:
            raise ProtocolViolation("the server negotiates what was not asked for")

    # -- greeting --

    def _started(self, tag: bytes, body: bytes) -> list[UpstreamEvent]:
        if tag == b"K" and not self._has_key:
            self._key, self._has_key = backend.parse_backend_key_data(body), True
            return []
        if tag != b"Z" or backend.parse_ready_for_query(body) != b"I":
            raise ProtocolViolation("unexpected message in the server's greeting")
        told = {"search_path", "in_hot_standby", "default_transaction_read_only"} <= {*self._settings}
        if not self._rules.inspect and (told or not self._rules.learn):
            return self._ready()
        self._state = _State.LEARNING
        self._output.append(build_query(_LEARN))
        return []

    def _learning(self, tag: bytes, body: bytes) -> list[UpstreamEvent]:
        if tag == b"D":
            self._learned = backend.parse_data_row(body)
        elif tag == b"Z":
            if len(self._learned) != _LEARNED:
                raise ProtocolViolation("the server did not answer what was asked")
            return self._ready()
        elif tag not in (b"T", b"C"):
            raise ProtocolViolation("unexpected message in the server's greeting")
        return []

    def _ready(self) -> list[UpstreamEvent]:
        self._state = _State.DONE
        path, read_only, recovery, over_privileged = map(_text, self._learned or (None,) * _LEARNED)
        reported: dict[str, str | None] = dict(self._settings)
        return [
            UpstreamReady(
                greeting=b"".join(self._greeting),
                settings=dict(self._settings),
                process_id=self._key.process_id if self._has_key else None,
                cancel_key=self._key.key,
                search_path=reported.get("search_path", path),
                read_only=_truth(reported.get("default_transaction_read_only", read_only)),
                in_recovery=_truth(reported.get("in_hot_standby", recovery)),
                over_privileged=_truth(over_privileged),
            )
        ]

    def _refused(self, message: str) -> UpstreamRefused:
        self._state = _State.DONE
        self._buffer = b""
        return UpstreamRefused(UpstreamUnavailable(message))


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")


def _truth(value: str | None) -> bool | None:
    return None if value is None else value in ("on", "t", "true")
