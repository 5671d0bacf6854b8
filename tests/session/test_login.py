"""A client's login as a conversation, whole and one byte at a time."""

from __future__ import annotations

import hashlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.errors import FieldgateError, SqlState
from proxy.session.login import (
    Authenticated,
    CancelWanted,
    ClientLogin,
    LoginMethod,
    NeedVerifier,
    Refused,
    StartTls,
)
from proxy.wire.authentication import AUTHENTICATION_OK, parse_authentication
from proxy.wire.frontend import build_sasl_initial_response
from proxy.wire.scram import ScramClient
from proxy.wire.startup import (
    GSSENC_REQUEST_PACKET,
    PROTOCOL_3_2,
    SSL_REQUEST_PACKET,
    CancelRequest,
    StartupMessage,
)
from tests.support.login_client import (
    END_POINT,
    PASSWORD,
    VERIFIER,
    Talk,
    error_fields,
    messages,
    prove,
    rules,
    startup,
)

STEPS = pytest.mark.parametrize("step", [0, 1])


def in_tls(step: int = 0, **kwargs: object) -> Talk:
    talk = Talk(ClientLogin(rules()), step, **kwargs)  # type: ignore[arg-type]
    assert talk.send(SSL_REQUEST_PACKET) == b"S"
    talk.tls()
    return talk


@STEPS
def test_tls_then_scram_plus_then_authenticated(step: int) -> None:
    talk = in_tls(step)
    offered = talk.send(startup(database="shop", application_name="test"))
    final = prove(talk.send, offered)
    done = talk.last
    assert isinstance(done, Authenticated)
    assert (done.login, done.database, done.protocol) == ("app", "shop", 0x00030000)
    assert done.settings.parameters == {b"application_name": b"test"}
    assert done.keys is not None and hashlib.sha256(done.keys.client_key).digest() == VERIFIER.stored_key
    assert final.endswith(AUTHENTICATION_OK)
    assert parse_authentication(messages(offered)[-1][1]).mechanisms == (b"SCRAM-SHA-256-PLUS", b"SCRAM-SHA-256")


@STEPS
def test_gss_is_declined_then_tls_is_taken(step: int) -> None:
    talk = Talk(ClientLogin(rules()), step)
    assert talk.send(GSSENC_REQUEST_PACKET) == b"N"
    assert talk.send(SSL_REQUEST_PACKET) == b"S"
    assert talk.events == [StartTls()]


def test_without_a_certificate_tls_is_declined_and_plaintext_may_go_on() -> None:
    talk = Talk(ClientLogin(rules(tls=False, plaintext=True)))
    assert talk.send(SSL_REQUEST_PACKET) == b"N"
    offered = talk.send(startup())
    assert parse_authentication(messages(offered)[-1][1]).mechanisms == (b"SCRAM-SHA-256",)
    prove(talk.send, offered, end_point=None)
    assert isinstance(talk.last, Authenticated)


def test_plaintext_is_refused_before_any_authentication() -> None:
    talk = Talk(ClientLogin(rules()))
    fields = error_fields(talk.send(startup()))
    assert (fields["C"], fields["S"]) == ("28000", "FATAL")
    assert not any(isinstance(event, NeedVerifier) for event in talk.events)


@pytest.mark.parametrize("request_packet", [SSL_REQUEST_PACKET, GSSENC_REQUEST_PACKET])
def test_bytes_behind_an_encryption_request_end_the_connection_without_an_answer(request_packet: bytes) -> None:
    talk = Talk(ClientLogin(rules(plaintext=True)))
    assert talk.send(request_packet + startup()) == b""
    assert isinstance(talk.last, Refused) and len(talk.events) == 1


@pytest.mark.parametrize("request_packet", [SSL_REQUEST_PACKET, GSSENC_REQUEST_PACKET])
def test_encryption_requests_are_not_repeated_and_not_made_inside_tls(request_packet: bytes) -> None:
    repeated = Talk(ClientLogin(rules(tls=False, plaintext=True)))
    repeated.send(request_packet)
    assert repeated.send(request_packet) == b"" and isinstance(repeated.last, Refused)
    inside = in_tls()
    assert inside.send(request_packet) == b"" and isinstance(inside.last, Refused)


@STEPS
def test_direct_tls_needs_its_application_protocol(step: int) -> None:
    for alpn in (None, "h2"):
        talk = Talk(ClientLogin(rules()), step)
        assert talk.send(b"\x16\x03\x01") == b""
        assert talk.events[0] == StartTls(b"\x16\x03\x01"[: step or 3])
        talk.tls(alpn=alpn)
        assert isinstance(talk.last, Refused) and talk.said == b""
    fine = Talk(ClientLogin(rules()), step)
    fine.send(b"\x16")
    fine.tls(alpn="postgresql")
    assert parse_authentication(messages(fine.send(startup()))[-1][1]).mechanisms[0] == b"SCRAM-SHA-256-PLUS"


def test_direct_tls_without_a_certificate_of_ours_ends_silently() -> None:
    talk = Talk(ClientLogin(rules(tls=False, plaintext=True)))
    assert talk.send(b"\x16\x03\x01") == b"" and isinstance(talk.last, Refused)


@STEPS
def test_newer_minor_versions_and_unknown_options_are_negotiated(step: int) -> None:
    talk = in_tls(step)
    asked = StartupMessage({b"user": b"app"}, 0x0003270F, {b"_pq_.test_protocol_negotiation": b""})
    said = messages(talk.send(asked.build()))
    assert said[0] == (b"v", struct.pack("!II", PROTOCOL_3_2, 1) + b"_pq_.test_protocol_negotiation\0")
    prove(talk.send, talk.said[-len(b"R") - 4 - len(said[-1][1]) :])
    assert isinstance(talk.last, Authenticated) and talk.last.protocol == PROTOCOL_3_2


def test_protocol_2_hears_which_versions_there_are() -> None:
    talk = in_tls()
    fields = error_fields(talk.send(struct.pack("!II", 8 + 5, 0x00020000) + b"user\0"))
    assert fields["C"] == "0A000" and "3.0" in fields["M"]


@STEPS
def test_a_wrong_password_and_an_unknown_login_cannot_be_told_apart(step: int) -> None:
    shapes = []
    for verifier, password in ((VERIFIER, "wrong"), (None, PASSWORD)):
        talk = in_tls(step, verifier=verifier)
        final = prove(talk.send, talk.send(startup()), password)
        assert isinstance(talk.last, Refused) and talk.last.login == "app"
        assert error_fields(final) == {
            "S": "FATAL",
            "V": "FATAL",
            "C": "28P01",
            "M": 'password authentication failed for user "app"',
        }
        shapes.append([(tag, len(body)) for tag, body in messages(talk.said[1:])])
    assert shapes[0] == shapes[1]


def test_an_unknown_login_gets_the_same_salt_each_time() -> None:
    challenges = set()
    for _ in range(2):
        talk = in_tls(verifier=None)
        mechanisms = parse_authentication(messages(talk.send(startup("nobody")))[-1][1]).mechanisms
        scram = ScramClient(mechanisms, end_point=END_POINT)
        answer = talk.send(build_sasl_initial_response(scram.mechanism, scram.first()))
        challenges.add(parse_authentication(messages(answer)[-1][1]).data.split(b",s=")[1])
    assert len(challenges) == 1


def test_another_certificate_in_between_is_noticed() -> None:
    talk = in_tls()
    final = prove(talk.send, talk.send(startup()), end_point=b"another" * 4)
    assert error_fields(final)["C"] == "28P01"


def test_a_client_certificate_must_name_the_login() -> None:
    for names, fine in ((frozenset({"app"}), True), (frozenset({"other"}), False), (frozenset[str](), False)):
        talk = Talk(ClientLogin(rules(LoginMethod.CERTIFICATE)))
        talk.send(SSL_REQUEST_PACKET)
        talk.tls(names=names)
        said = talk.send(startup())
        assert isinstance(talk.last, Authenticated) is fine
        assert said.endswith(AUTHENTICATION_OK) if fine else error_fields(said)["C"] == "28000"


def test_settings_of_ours_are_ours_and_the_rest_is_the_servers() -> None:
    talk = in_tls()
    options = r"-c fieldgate.purpose=audit --work-mem=4MB -c search_path=a\ b -c FieldGate.Case=7"
    prove(talk.send, talk.send(startup(options=options, **{"fieldgate.person": "eve"})))
    done = talk.last
    assert isinstance(done, Authenticated)
    assert done.settings.own == {"purpose": "audit", "case": "7", "person": "eve"}
    assert done.settings.options == ((b"work_mem", b"4MB"), (b"search_path", b"a b"))
    upstream = done.settings.upstream(b"role", b"shop", "eve -c role=x", utf8=False)
    assert upstream[b"options"] == (rb"-c work_mem=4MB -c search_path=a\ b -c fieldgate.principal=eve\ -c\ role=x")
    assert set(upstream) == {b"user", b"database", b"options"}


def test_the_principal_is_not_for_clients_to_set() -> None:
    for parameters in ({"options": "-c fieldgate.principal=dpo"}, {"fieldgate.principal": "dpo"}):
        talk = in_tls()
        assert error_fields(talk.send(startup(**parameters)))["C"] == "28000"


def test_protected_databases_speak_utf8_upstream() -> None:
    talk = in_tls()
    prove(talk.send, talk.send(startup(client_encoding="SQL_ASCII")))
    done = talk.last
    assert isinstance(done, Authenticated) and done.settings.utf8
    upstream = done.settings.upstream(b"r", b"d", "p", utf8=True)
    assert b"client_encoding" not in upstream and b"-c client_encoding=UTF8" in upstream[b"options"]
    other = in_tls()
    prove(other.send, other.send(startup(options="-c client_encoding=GBK")))
    assert isinstance(other.last, Authenticated) and not other.last.settings.utf8


def test_names_are_cut_where_postgresql_cuts_them() -> None:
    talk = in_tls()
    prove(talk.send, talk.send(startup("u" * 70, database="d" * 70)))
    assert isinstance(talk.last, Authenticated)
    assert (talk.last.login, talk.last.database) == ("u" * 63, "d" * 63)


@STEPS
def test_a_cancel_request_is_passed_on_in_plaintext_and_inside_tls(step: int) -> None:
    packet = CancelRequest(7, b"k" * 32).build()
    plain = Talk(ClientLogin(rules()), step)
    assert plain.send(packet) == b"" and plain.events == [CancelWanted(7, b"k" * 32)]
    inside = in_tls(step)
    assert inside.send(packet) == b"" and inside.last == CancelWanted(7, b"k" * 32)


def test_what_follows_the_proof_begins_the_conversation() -> None:
    talk = in_tls()
    offered = talk.send(startup())
    scram = ScramClient(parse_authentication(messages(offered)[-1][1]).mechanisms, end_point=END_POINT)
    challenge = talk.send(build_sasl_initial_response(scram.mechanism, scram.first()))
    final = scram.respond(parse_authentication(messages(challenge)[-1][1]).data, PASSWORD)
    talk.send(b"p" + struct.pack("!I", 4 + len(final)) + final + b"Q\0\0\0\5\0")
    assert isinstance(talk.last, Authenticated)
    assert talk.login.take_rest() == b"Q\0\0\0\5\0"


def test_the_shell_may_refuse_at_any_time() -> None:
    talk = in_tls()
    talk.send(startup())
    talk.login.refuse(FieldgateError("too many connections", sqlstate=SqlState.TOO_MANY_CONNECTIONS))
    assert error_fields(talk.login.take_output())["C"] == "53300"
    assert talk.login.receive(b"p\0\0\0\5x") == []


@pytest.mark.parametrize(
    "packet",
    [
        b"p\0\0\0\5x",  # a password before anything
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0\0\0\0\0\0\0\0",
        b"\xff\xff\xff\xff",
        struct.pack("!I", 10_001),
        struct.pack("!II", 9, 0x00030000) + b"\0",  # no user
        startup()[:-1] + b"x",  # no terminator
    ],
)
def test_garbage_instead_of_a_startup_packet_ends_the_login(packet: bytes) -> None:
    talk = Talk(ClientLogin(rules(plaintext=True)))
    talk.send(packet)
    assert isinstance(talk.last, Refused)
    assert talk.said == b"" or error_fields(talk.said)["S"] == "FATAL"


@pytest.mark.parametrize(
    "answer",
    [
        b"Q\0\0\0\4",  # not a password message
        b"p\0\0\0\3",
        b"p\x7f\xff\xff\xff",
        b"p\0\0\0\4",
        build_sasl_initial_response(b"PLAIN", b"x"),
        build_sasl_initial_response(b"SCRAM-SHA-256", None),
        build_sasl_initial_response(b"SCRAM-SHA-256", b"n,,n=,r="),
    ],
)
def test_garbage_instead_of_a_proof_ends_the_login(answer: bytes) -> None:
    talk = in_tls()
    talk.send(startup())
    fields = error_fields(talk.send(answer))
    assert fields["S"] == "FATAL" and fields["C"] in ("08P01", "28P01")
    assert isinstance(talk.last, Refused)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from([SSL_REQUEST_PACKET, GSSENC_REQUEST_PACKET, startup(), b"p\0\0\0\x08abcd", b"\x16"]),
        ),
        max_size=6,
    ),
    st.sampled_from(LoginMethod),
    st.booleans(),
)
def test_whatever_comes_is_accepted_or_refused_and_nothing_else(
    pieces: list[bytes], method: LoginMethod, tls: bool
) -> None:
    talk = Talk(ClientLogin(rules(method, tls=tls, plaintext=not tls)), step=3)
    for piece in pieces:
        heard = len(talk.events)
        talk.send(piece)
        if isinstance(talk.last, StartTls) and len(talk.events) > heard:
            talk.tls()
    refused = [event for event in talk.events if isinstance(event, Refused)]
    assert len(refused) <= 1
    if method is not LoginMethod.TRUST:
        assert not any(isinstance(event, Authenticated) for event in talk.events)
