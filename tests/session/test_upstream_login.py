"""Our login upstream against a scripted server, friendly and hostile, whole and one byte at a time."""

from __future__ import annotations

import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.session.upstream_authentication import AuthenticationRules, Binding, NeedKeys, Secret
from proxy.session.upstream_login import (
    StartUpstreamTls,
    UpstreamEvent,
    UpstreamLogin,
    UpstreamReady,
    UpstreamRefused,
    UpstreamRules,
)
from proxy.wire import backend
from proxy.wire.authentication import AUTHENTICATION_OK, CLEARTEXT_PASSWORD, Authentication, AuthenticationKind
from proxy.wire.framing import HEADER_SIZE, message
from proxy.wire.frontend import build_password, build_query, parse_sasl_initial_response
from proxy.wire.scram import SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramServer, derive_keys
from proxy.wire.startup import PROTOCOL_3_2, SSL_REQUEST_PACKET, StartupMessage, negotiate_protocol_version
from tests.support.login_client import END_POINT, PASSWORD, VERIFIER

STARTUP = StartupMessage({b"user": b"role", b"database": b"shop"}, PROTOCOL_3_2)
STEPS = pytest.mark.parametrize("step", [0, 1])
READY = backend.build_ready_for_query(b"I")
GREETING = (
    backend.build_parameter_status(b"server_version", b"18.0")
    + backend.notice("hello")
    + backend.build_backend_key_data(77, b"k" * 32)
    + READY
)


class Server:
    """The server's half of the talk, by hand."""

    def __init__(self, rules: UpstreamRules, secret: Secret, step: int = 0) -> None:
        self.login = UpstreamLogin(rules, STARTUP, secret)
        self.step = step
        self.events: list[UpstreamEvent] = []

    def heard(self) -> bytes:
        return self.login.take_output()

    def say(self, data: bytes) -> bytes:
        size = self.step or max(len(data), 1)
        for start in range(0, len(data), size):
            self.take(self.login.receive(data[start : start + size]))
        return self.heard()

    def take(self, events: list[UpstreamEvent]) -> None:
        for event in events:
            self.events.append(event)
            if isinstance(event, NeedKeys):
                self.take(self.login.provide_keys(derive_keys(event.password, event.salt, event.iterations)))

    @property
    def last(self) -> UpstreamEvent | None:
        return self.events[-1] if self.events else None

    def refusal(self) -> UpstreamRefused:
        assert isinstance(self.last, UpstreamRefused)
        return self.last


def rules(
    *,
    tls: bool = False,
    secure: bool = True,
    binding: Binding = Binding.PREFER,
    md5: bool = False,
    learn: bool = False,
    inspect: bool = False,
) -> UpstreamRules:
    return UpstreamRules(tls, AuthenticationRules(secure, binding, md5), learn, inspect)


PASSWORD_SECRET = Secret(password=PASSWORD.encode())


def plain(given: UpstreamRules | None = None, step: int = 0) -> Server:
    server = Server(given or rules(), PASSWORD_SECRET, step)
    assert server.heard() == STARTUP.build()
    return server


def in_tls(secret: Secret, given: UpstreamRules | None = None, step: int = 0) -> Server:
    server = Server(given or rules(tls=True), secret, step)
    assert server.heard() == SSL_REQUEST_PACKET
    assert server.say(b"S") == b"" and server.last == StartUpstreamTls()
    server.take(server.login.tls_established(END_POINT))
    assert server.heard() == STARTUP.build()
    return server


def scram(server: Server, mechanisms: tuple[bytes, ...], end_point: bytes | None) -> bytes:
    """The server's side of SCRAM to its end; what it would say last is returned, not sent."""
    exchange = ScramServer("role", VERIFIER, mock_secret=b"", end_point=end_point)
    initial = parse_sasl_initial_response(
        server.say(Authentication(AuthenticationKind.SASL, mechanisms).build())[HEADER_SIZE:]
    )
    assert initial.data is not None
    first = exchange.first(initial.mechanism, initial.data)
    final = server.say(Authentication(AuthenticationKind.SASL_CONTINUE, data=first).build())[HEADER_SIZE:]
    return Authentication(AuthenticationKind.SASL_FINAL, data=exchange.final(final)).build()


@STEPS
@pytest.mark.parametrize(
    "secret",
    [Secret(password=PASSWORD.encode()), Secret(keys=derive_keys(PASSWORD, VERIFIER.salt, VERIFIER.iterations))],
)
def test_scram_plus_by_password_and_by_recovered_keys(secret: Secret, step: int) -> None:
    server = in_tls(secret, step=step)
    final = scram(server, (SCRAM_SHA_256_PLUS, SCRAM_SHA_256), END_POINT)
    server.say(final + AUTHENTICATION_OK + GREETING)
    ready = server.last
    assert isinstance(ready, UpstreamReady)
    assert (ready.process_id, ready.cancel_key) == (77, b"k" * 32)
    assert ready.settings == {"server_version": "18.0"}
    assert ready.greeting == GREETING[: -len(READY)].replace(backend.build_backend_key_data(77, b"k" * 32), b"")
    assert PASSWORD not in repr(server.events) and "k" * 32 not in repr(ready)


@STEPS
def test_one_query_learns_what_the_server_does_not_report(step: int) -> None:
    server = plain(rules(learn=True), step)
    asked = server.say(AUTHENTICATION_OK + GREETING)
    assert asked.startswith(b"Q") and b"search_path" in asked and b" FROM pg_catalog.pg_roles" in asked
    row = backend.build_data_row([b'"$user", public', b"off", b"f", b"t"])
    server.say(backend.build_row_description([]) + row + backend.build_command_complete(b"SELECT 1") + READY)
    ready = server.last
    assert isinstance(ready, UpstreamReady)
    assert (ready.search_path, ready.read_only, ready.in_recovery) == ('"$user", public', False, False)
    assert ready.over_privileged is True


def test_a_server_that_reports_everything_is_not_asked_unless_the_role_is_inspected() -> None:
    reports = b"".join(
        backend.build_parameter_status(name, value)
        for name, value in (
            (b"search_path", b""),
            (b"in_hot_standby", b"on"),
            (b"default_transaction_read_only", b"off"),
        )
    )
    server = plain(rules(learn=True))
    assert server.say(AUTHENTICATION_OK + reports + READY) == b""
    ready = server.last
    assert isinstance(ready, UpstreamReady)
    assert (ready.search_path, ready.in_recovery, ready.over_privileged) == ("", True, None)
    assert ready.process_id is None
    inspected = plain(rules(inspect=True))
    assert inspected.say(AUTHENTICATION_OK + reports + READY).startswith(b"Q")


def test_what_comes_after_ready_is_kept_for_the_session() -> None:
    server = plain()
    notification = backend.build_notification_response(1, b"c", b"p")
    server.say(AUTHENTICATION_OK + GREETING + notification)
    assert isinstance(server.last, UpstreamReady) and server.login.take_rest() == notification


@STEPS
def test_an_older_protocol_is_accepted(step: int) -> None:
    for offered in (negotiate_protocol_version(0x00030000, ()), negotiate_protocol_version(0, ())):
        server = plain(step=step)
        server.say(offered + AUTHENTICATION_OK + GREETING)
        assert isinstance(server.last, UpstreamReady)


@pytest.mark.parametrize("answer", [b"N", b"SS", b"S" + AUTHENTICATION_OK, b"E", b"\0"])
def test_anything_but_one_byte_of_assent_ends_it_before_tls(answer: bytes) -> None:
    """Bytes behind the `S` were sent by someone in between; an error text is not authenticated either."""
    server = Server(rules(tls=True), PASSWORD_SECRET)
    server.heard()
    assert server.say(answer) == b""
    assert server.refusal().server_error is None and "TLS" in server.refusal().error.message


def test_the_servers_own_refusal_is_kept_as_it_is() -> None:
    server = plain()
    said = backend.build_error_response({b"S": b"FATAL", b"C": b"3D000", b"M": b"no such database"})
    server.say(said)
    assert (server.refusal().server_error, server.refusal().sqlstate) == (said, "3D000")
    bare = plain()
    bare.say(backend.build_error_response({b"M": b"no SQLSTATE"}))
    assert bare.refusal().sqlstate == ""


def test_passwords_in_cleartext_only_where_nobody_listens() -> None:
    fine = plain()
    assert fine.say(CLEARTEXT_PASSWORD) == build_password(PASSWORD.encode())
    open_air = Server(rules(secure=False), PASSWORD_SECRET)
    open_air.heard()
    assert open_air.say(CLEARTEXT_PASSWORD) == b""
    assert "cleartext" in open_air.refusal().error.message


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).hexdigest().encode()


def test_md5_only_where_it_is_allowed() -> None:
    asked = Authentication(AuthenticationKind.MD5_PASSWORD, data=b"salt").build()
    server = plain()
    assert server.say(asked) == b"" and "md5" in server.refusal().error.message
    allowed = plain(rules(md5=True))
    answer = allowed.say(asked)
    assert answer == build_password(b"md5" + _md5(_md5(PASSWORD.encode() + b"role") + b"salt"))


@pytest.mark.parametrize("kind", [AuthenticationKind.KERBEROS_V5, AuthenticationKind.GSS, AuthenticationKind.SSPI])
def test_other_authentication_is_refused(kind: AuthenticationKind) -> None:
    server = plain()
    assert server.say(Authentication(kind).build()) == b""
    assert "not supported" in server.refusal().error.message


def test_required_channel_binding_is_required_of_every_method() -> None:
    asked = (
        AUTHENTICATION_OK,
        CLEARTEXT_PASSWORD,
        Authentication(AuthenticationKind.MD5_PASSWORD, data=b"salt").build(),
        Authentication(AuthenticationKind.SASL, (SCRAM_SHA_256,)).build(),
    )
    for request in asked:
        server = in_tls(PASSWORD_SECRET, rules(tls=True, binding=Binding.REQUIRE, md5=True))
        assert server.say(request) == b""
        assert "channel binding" in server.refusal().error.message


def test_a_server_that_does_not_know_the_password_is_noticed() -> None:
    forged = Authentication(AuthenticationKind.SASL_FINAL, data=b"v=" + b"A" * 43 + b"=").build()
    for last in (forged, b""):  # a wrong signature, and none at all
        server = plain()
        scram(server, (SCRAM_SHA_256,), None)
        server.say(last + AUTHENTICATION_OK + GREETING)
        server.refusal()


@pytest.mark.parametrize(
    "challenge",
    [
        b"r=short,s=c2FsdHNhbHQ=,i=4096",  # not our nonce
        b"r=" + b"n" * 5000 + b",s=c2FsdHNhbHQ=,i=4096",
        b"i=1",
        b"",
    ],
)
def test_hostile_challenges_are_refused(challenge: bytes) -> None:
    server = plain()
    server.say(Authentication(AuthenticationKind.SASL, (SCRAM_SHA_256,)).build())
    assert server.say(Authentication(AuthenticationKind.SASL_CONTINUE, data=challenge).build()) == b""
    server.refusal()


@pytest.mark.parametrize(
    "second",
    [
        Authentication(AuthenticationKind.SASL, (SCRAM_SHA_256,)).build(),
        Authentication(AuthenticationKind.SASL_FINAL, data=b"v=AAAA").build(),
        CLEARTEXT_PASSWORD,
    ],
)
def test_a_server_keeps_to_the_method_it_began_with(second: bytes) -> None:
    server = plain()
    server.say(Authentication(AuthenticationKind.SASL, (SCRAM_SHA_256,)).build())
    assert server.say(second) == b""
    server.refusal()


def test_iterations_are_bounded() -> None:
    server = plain()
    initial = parse_sasl_initial_response(
        server.say(Authentication(AuthenticationKind.SASL, (SCRAM_SHA_256,)).build())[HEADER_SIZE:]
    )
    assert initial.data is not None
    nonce = initial.data.split(b"r=")[1]
    challenge = b"r=" + nonce + b"more,s=c2FsdHNhbHQ=,i=4000000000"
    server.say(Authentication(AuthenticationKind.SASL_CONTINUE, data=challenge).build())
    assert "iterations" in server.refusal().error.message


@pytest.mark.parametrize(
    "said",
    [
        message(b"D", b"\0\0"),  # rows before anything
        b"R\x7f\xff\xff\xff",
        b"R\0\0\0\1",
        AUTHENTICATION_OK + message(b"T", b"\0\0"),
        AUTHENTICATION_OK + backend.build_ready_for_query(b"T"),
        AUTHENTICATION_OK + message(b"K", b"\0\0\0\1"),
        AUTHENTICATION_OK + message(b"K", struct.pack("!I", 1) + b"k" * 257),
        AUTHENTICATION_OK + 20 * backend.build_parameter_status(b"x", b"y" * 60_000) + READY,
        negotiate_protocol_version(0x00030003, ()),
        negotiate_protocol_version(0x00030000, (b"_pq_.what",)),
        AUTHENTICATION_OK + AUTHENTICATION_OK,
    ],
)
def test_a_server_that_breaks_the_protocol_is_left(said: bytes) -> None:
    server = plain()
    server.say(said)
    refusal = server.refusal()
    assert refusal.server_error is None and refusal.error.sqlstate == "08001"


def test_a_server_that_goes_away_is_said_to_have_gone_once() -> None:
    server = plain()
    server.take(server.login.closed())
    assert "closed" in server.refusal().error.message
    assert server.login.closed() == [] and server.login.receive(b"x") == []


def test_an_answer_of_the_wrong_shape_is_refused_when_learning() -> None:
    server = plain(rules(learn=True))
    server.say(AUTHENTICATION_OK + GREETING)
    server.say(READY)
    server.refusal()


def test_only_the_one_query_is_ever_asked() -> None:
    server = plain(rules(learn=True))
    asked = server.say(AUTHENTICATION_OK + GREETING)
    assert asked == build_query(asked[5:-1])


@given(
    st.lists(
        st.one_of(st.binary(max_size=30), st.sampled_from([AUTHENTICATION_OK, GREETING, READY, b"S"])), max_size=6
    ),
    st.booleans(),
)
def test_whatever_a_server_says_is_understood_or_refused(pieces: list[bytes], tls: bool) -> None:
    server = Server(rules(tls=tls, inspect=True), PASSWORD_SECRET, step=3)
    for piece in pieces:
        heard = len(server.events)
        server.say(piece)
        if isinstance(server.last, StartUpstreamTls) and len(server.events) > heard:
            server.take(server.login.tls_established(END_POINT))
    assert sum(isinstance(event, UpstreamRefused | UpstreamReady) for event in server.events) <= 1
