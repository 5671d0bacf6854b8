"""SCRAM-SHA-256, both sides; scramp is the other side where it can be."""

from __future__ import annotations

import secrets
from base64 import b64decode, b64encode
from typing import Any

import pytest
import scramp
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import FieldgateError, LoginRefused, ProtocolViolation, UpstreamUnavailable
from proxy.wire.scram.client import ScramClient
from proxy.wire.scram.keys import (
    ScramKeys,
    derive_keys,
    make_verifier,
    mock_verifier,
    parse_verifier,
    prepare_password,
)
from proxy.wire.scram.messages import SCRAM_SHA_256, SCRAM_SHA_256_PLUS, new_nonce, read_nonce, split_attributes
from proxy.wire.scram.server import ScramServer

SECRET = b"a secret of this process"
END_POINT = b"\x07" * 32
BOTH = (SCRAM_SHA_256_PLUS, SCRAM_SHA_256)
VERIFIER = parse_verifier(make_verifier("pencil"))


def server(**options: Any) -> ScramServer:
    return ScramServer("user", options.pop("verifier", VERIFIER), mock_secret=SECRET, **options)


def run(client: ScramClient, other: ScramServer, password: str = "pencil") -> None:  # noqa: S107
    server_first = other.first(client.mechanism, client.first())
    client.verify(other.final(client.respond(server_first, password)))


# RFC 7677, section 3; the client there sends a user name, ours sends none, so each side is checked by itself.
RFC_CLIENT_FIRST = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
RFC_SERVER_FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
RFC_CLIENT_FINAL = (
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)
RFC_SERVER_FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
RFC_SALT = b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")


def rfc_server() -> ScramServer:
    verifier = parse_verifier(make_verifier("pencil", salt=RFC_SALT))
    return server(verifier=verifier, nonce=b"%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")


def test_rfc_7677_as_the_server() -> None:
    exchange = rfc_server()
    assert exchange.first(SCRAM_SHA_256, RFC_CLIENT_FIRST) == RFC_SERVER_FIRST
    assert exchange.final(RFC_CLIENT_FINAL) == RFC_SERVER_FINAL


def test_rfc_7677_as_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScramClient, "_bare", lambda self: b"n=user,r=rOprNGfwEbeRWgbNEkqO")
    client = ScramClient([SCRAM_SHA_256], nonce=b"rOprNGfwEbeRWgbNEkqO")
    assert client.first() == RFC_CLIENT_FIRST
    assert client.respond(RFC_SERVER_FIRST, "pencil") == RFC_CLIENT_FINAL
    client.verify(RFC_SERVER_FINAL)


@pytest.mark.parametrize(("end_point", "mechanism"), [(None, SCRAM_SHA_256), (END_POINT, SCRAM_SHA_256_PLUS)])
def test_a_whole_exchange(end_point: bytes | None, mechanism: bytes) -> None:
    other = server(end_point=end_point)
    client = ScramClient(other.mechanisms, end_point=end_point)
    assert client.mechanism == mechanism
    run(client, other)


def test_the_recovered_keys_log_in_elsewhere() -> None:
    front = server(end_point=END_POINT)
    run(ScramClient(front.mechanisms, end_point=END_POINT), front)
    assert front.keys == derive_keys("pencil", VERIFIER.salt, VERIFIER.iterations)
    back = server(end_point=b"\x08" * 32)
    client = ScramClient(back.mechanisms, end_point=b"\x08" * 32)
    client.challenge(back.first(client.mechanism, client.first()))
    client.verify(back.final(client.final(ScramKeys(front.client_key, front.server_key))))


def test_no_keys_before_the_proof() -> None:
    exchange = server()
    client = ScramClient([SCRAM_SHA_256])
    exchange.first(SCRAM_SHA_256, client.first())
    with pytest.raises(LoginRefused):
        _ = exchange.client_key


def test_wrong_password() -> None:
    with pytest.raises(LoginRefused):
        run(ScramClient([SCRAM_SHA_256]), server(), "pencils")


def test_an_unknown_login_looks_like_a_wrong_password() -> None:
    firsts = []
    for _ in range(2):
        exchange = server(verifier=None)
        client = ScramClient([SCRAM_SHA_256])
        server_first = exchange.first(SCRAM_SHA_256, client.first())
        firsts.append(server_first.partition(b",")[2])
        with pytest.raises(LoginRefused) as caught:
            exchange.final(client.respond(server_first, "pencil"))
        assert str(caught.value) == "password authentication failed"
    assert firsts[0] == firsts[1]  # the same salt each time
    known = server().first(SCRAM_SHA_256, b"n,,n=,r=abc").partition(b",")[2]
    assert len(known) == len(firsts[0])
    assert known.endswith(b",i=4096")
    assert firsts[0].endswith(b",i=4096")


def test_an_unknown_login_is_refused_even_with_the_keys_of_the_mock() -> None:
    """Were the mock's keys known, its proof must not be enough."""
    exchange = server(verifier=None)
    keys = derive_keys("pencil", b"salt", 1)
    exchange._verifier = type(VERIFIER)(1, b"salt", keys.stored_key, keys.server_key)
    client = ScramClient([SCRAM_SHA_256])
    client.challenge(exchange.first(SCRAM_SHA_256, client.first()))
    with pytest.raises(LoginRefused):
        exchange.final(client.final(keys))


def test_mock_salts_differ_by_login_and_secret() -> None:
    salts = {mock_verifier(login, secret).salt for login in ("ann", "bob") for secret in (b"1", b"2")}
    assert len(salts) == 4
    assert all(len(salt) == len(VERIFIER.salt) for salt in salts)


def test_a_downgrade_is_seen() -> None:
    """The client has TLS and was told that there is no PLUS, while we offered it."""
    exchange = server(end_point=END_POINT)
    client = ScramClient([SCRAM_SHA_256], end_point=END_POINT)
    assert client.first().startswith(b"y,,")
    with pytest.raises(LoginRefused):
        exchange.first(client.mechanism, client.first())


def test_y_is_fine_when_plus_was_not_offered() -> None:
    run(ScramClient([SCRAM_SHA_256], end_point=END_POINT), server())


def test_n_is_fine_when_plus_was_offered() -> None:
    run(ScramClient([SCRAM_SHA_256]), server(end_point=END_POINT))


def test_another_certificate_is_refused() -> None:
    with pytest.raises(LoginRefused):
        run(ScramClient(BOTH, end_point=b"\x08" * 32), server(end_point=END_POINT))


@pytest.mark.parametrize(
    ("mechanism", "message"),
    [
        (SCRAM_SHA_256, b""),
        (SCRAM_SHA_256, b"n,n=,r=abc"),
        (SCRAM_SHA_256, b"n,,n="),
        (SCRAM_SHA_256, b"n,,r=abc"),
        (SCRAM_SHA_256, b"n,,n=,r="),
        (SCRAM_SHA_256, b"n,,n=,r=a\x7fc"),
        (SCRAM_SHA_256, b"n,,n=,r=" + b"a" * 1025),
        (SCRAM_SHA_256, b"n,a=user,n=,r=abc"),
        (SCRAM_SHA_256, b"n,,m=x,n=,r=abc"),
        (SCRAM_SHA_256, b"x,,n=,r=abc"),
        (SCRAM_SHA_256, b"p=tls-server-end-point,,n=,r=abc"),
        (SCRAM_SHA_256, b"n,,n=,r=abc,zz"),
        (SCRAM_SHA_256_PLUS, b"n,,n=,r=abc"),
        (SCRAM_SHA_256_PLUS, b"y,,n=,r=abc"),
        (SCRAM_SHA_256_PLUS, b"p=tls-unique,,n=,r=abc"),
        (b"SCRAM-SHA-1", b"n,,n=,r=abc"),
        (b"", b""),
    ],
)
def test_malformed_client_first(mechanism: bytes, message: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        server(end_point=END_POINT).first(mechanism, message)


def test_plus_without_an_offer_is_refused() -> None:
    with pytest.raises(ProtocolViolation):
        server().first(SCRAM_SHA_256_PLUS, b"p=tls-server-end-point,,n=,r=abc")


@pytest.mark.parametrize(
    "tampered",
    [
        RFC_CLIENT_FINAL.replace(b"c=biws", b"c=eSws"),
        RFC_CLIENT_FINAL.replace(b"r=rOp", b"r=rOq"),
        RFC_CLIENT_FINAL.replace(b"p=dH", b"p=eH"),
        RFC_CLIENT_FINAL.replace(b",p=", b",x=1,p="),
        RFC_CLIENT_FINAL[:-4],
        RFC_CLIENT_FINAL + b"AAAA",
        RFC_CLIENT_FINAL.partition(b",p=")[0],
        b"",
        b"p=",
    ],
)
def test_tampered_client_final(tampered: bytes) -> None:
    exchange = rfc_server()
    exchange.first(SCRAM_SHA_256, RFC_CLIENT_FIRST)
    with pytest.raises((LoginRefused, ProtocolViolation)):
        exchange.final(tampered)


def test_a_right_proof_over_another_nonce_is_refused() -> None:
    """A client that knows the password, but not the server's nonce of this login, replays or is replayed."""
    exchange = server()
    client = ScramClient([SCRAM_SHA_256])
    client.challenge(exchange.first(SCRAM_SHA_256, client.first()))
    client._nonce = b"another"
    final = client.final(derive_keys("pencil", VERIFIER.salt, VERIFIER.iterations))
    with pytest.raises(ProtocolViolation):
        exchange.final(final)


def test_final_before_first_is_refused() -> None:
    with pytest.raises(ProtocolViolation):
        rfc_server().final(RFC_CLIENT_FINAL)


@given(st.binary(max_size=60), st.sampled_from(BOTH))
def test_arbitrary_bytes_are_accepted_or_our_error(message: bytes, mechanism: bytes) -> None:
    exchange = server(end_point=END_POINT)
    for variant in (message, b"n,,n=,r=" + message):
        try:
            exchange.first(mechanism, variant)
        except (ProtocolViolation, LoginRefused):
            pass
    exchange.first(SCRAM_SHA_256, b"n,,n=,r=abc")
    for variant in (message, message + b",p=" + b64encode(bytes(32)), b"c=biws,r=" + message + b",p=AAAA"):
        with pytest.raises((ProtocolViolation, LoginRefused)):
            exchange.final(variant)
    client = ScramClient([SCRAM_SHA_256], nonce=b"abc")
    for variant in (message, b"r=abc" + message, b"r=abcd,s=AAAA,i=" + message):
        try:
            client.challenge(variant)
        except (ProtocolViolation, UpstreamUnavailable):
            pass


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b"r=other,s=AAAA,i=4096", UpstreamUnavailable),
        (b"r=abc,s=AAAA,i=4096", UpstreamUnavailable),  # the server added nothing
        (b"r=abcd,s=AAAA,i=1000001", UpstreamUnavailable),
        (b"r=abcd,s=AAAA,i=99999999999999999999", ProtocolViolation),
        (b"r=abcd,s=AAAA,i=0", ProtocolViolation),
        (b"r=abcd,s=AAAA,i=-1", ProtocolViolation),
        (b"r=abcd,s=,i=4096", ProtocolViolation),
        (b"r=abcd,s=*,i=4096", ProtocolViolation),
        (b"r=abcd,i=4096,s=AAAA", ProtocolViolation),
        (b"r=abc" + b"d" * 1024 + b",s=AAAA,i=4096", ProtocolViolation),
        (b"e=other-error", ProtocolViolation),
    ],
)
def test_a_server_that_misbehaves(message: bytes, error: type[FieldgateError]) -> None:
    with pytest.raises(error):
        ScramClient([SCRAM_SHA_256], nonce=b"abc").challenge(message)


def test_a_server_without_the_verifier_is_found_out() -> None:
    client = ScramClient([SCRAM_SHA_256])
    exchange = server()
    exchange._verifier = type(VERIFIER)(4096, VERIFIER.salt, VERIFIER.stored_key, secrets.token_bytes(32))
    server_first = exchange.first(SCRAM_SHA_256, client.first())
    answer = exchange.final(client.respond(server_first, "pencil"))
    with pytest.raises(UpstreamUnavailable):
        client.verify(answer)
    with pytest.raises(UpstreamUnavailable):
        client.verify(b"e=invalid-proof")
    with pytest.raises(ProtocolViolation):
        ScramClient([SCRAM_SHA_256]).verify(answer)


def test_required_channel_binding() -> None:
    assert ScramClient(BOTH, end_point=END_POINT, require_binding=True).mechanism == SCRAM_SHA_256_PLUS
    for offered, end_point in (((SCRAM_SHA_256,), END_POINT), (BOTH, None)):
        with pytest.raises(UpstreamUnavailable):
            ScramClient(offered, end_point=end_point, require_binding=True)
    with pytest.raises(UpstreamUnavailable):
        ScramClient((b"OAUTHBEARER",))


@pytest.mark.parametrize("end_point", [None, END_POINT])
def test_scramp_logs_in_with_us(end_point: bytes | None) -> None:
    binding = None if end_point is None else ("tls-server-end-point", end_point)
    exchange = server(end_point=end_point)
    offered = [name.decode() for name in exchange.mechanisms]
    client = scramp.ScramClient(offered, "user", "pencil", channel_binding=binding)
    server_first = exchange.first(client.mechanism_name.encode(), client.get_client_first().encode())
    client.set_server_first(server_first.decode())
    client.set_server_final(exchange.final(client.get_client_final().encode()).decode())


def test_verifiers() -> None:
    text = make_verifier("pencil", salt=RFC_SALT)
    assert text == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )
    assert str(parse_verifier(text)) == text
    assert make_verifier("pencil") != make_verifier("pencil")
    for secret in (VERIFIER.salt, VERIFIER.stored_key):
        assert repr(secret) not in repr(VERIFIER)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "md5a3556571e93b0d20722ba62be61e8c2d",
        "SCRAM-SHA-256$4096:AAAA",
        "SCRAM-SHA-256$0:AAAA$" + "A" * 43 + "=:" + "A" * 43 + "=",
        "SCRAM-SHA-256$4096:$" + "A" * 43 + "=:" + "A" * 43 + "=",
        "SCRAM-SHA-1$4096:AAAA$" + "A" * 43 + "=:" + "A" * 43 + "=",
        "SCRAM-SHA-256$4096:AAAA$AAAA:" + "A" * 43 + "=",
        "SCRAM-SHA-256$x:AAAA$" + "A" * 43 + "=:" + "A" * 43 + "=",
        "SCRAM-SHA-256$4096:A*AA$" + "A" * 43 + "=:" + "A" * 43 + "=",
    ],
)
def test_what_is_no_verifier(text: str) -> None:
    with pytest.raises(ValueError, match="not a SCRAM-SHA-256 verifier"):
        parse_verifier(text)


@pytest.mark.parametrize(
    ("password", "prepared"),
    [
        ("pencil", b"pencil"),
        ("\u2168", b"IX"),  # NFKC
        ("I\u00adX", b"IX"),  # mapped to nothing
        ("a\u00a0b", b"a b"),
        ("a\u200bb", b"a b"),
        ("a\tb", b"a\tb"),  # prohibited, so as it is
        ("\u0627\u0031", "\u0627\u0031".encode()),  # malformed bidi
        ("\u00ad", "\u00ad".encode()),  # empty once prepared
        ("", b""),
        (b"\xff\xfe", b"\xff\xfe"),
    ],
)
def test_passwords_are_prepared_as_postgresql_does(password: str | bytes, prepared: bytes) -> None:
    assert prepare_password(password) == prepared


def test_nonces_are_new_and_readable() -> None:
    nonces = {new_nonce() for _ in range(50)}
    assert len(nonces) == 50
    assert all(read_nonce((b"r", nonce)) == nonce and len(nonce) == 32 for nonce in nonces)


def test_attributes_keep_their_order_and_their_equals_signs() -> None:
    assert split_attributes(b"r=a=b,s=,x==") == [(b"r", b"a=b"), (b"s", b""), (b"x", b"=")]
    for wrong in (b"", b",", b"r", b"1=a", b"rr=a", b"r=a,"):
        with pytest.raises(ProtocolViolation):
            split_attributes(wrong)
