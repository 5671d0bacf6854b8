"""The demo's certificates: a client that was given the authority's certificate connects, any other does not."""

from __future__ import annotations

import socket
import ssl
import stat
import threading
from pathlib import Path

import pytest

from proxy.demo.certificates import Authority, KeyPair


def shake_hands(pair: KeyPair, client: ssl.SSLContext, host: str, server_ca: Path | None = None) -> dict[str, object]:
    """A TLS handshake over a socket pair; what the server learned of the client."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pair.certificate, pair.key)
    if server_ca is not None:
        server.load_verify_locations(server_ca)
        server.verify_mode = ssl.CERT_REQUIRED
    here, there = socket.socketpair()
    learned: dict[str, object] = {}

    def serve() -> None:
        try:
            with server.wrap_socket(there, server_side=True) as wrapped:
                learned["peer"] = wrapped.getpeercert()
                wrapped.recv(1)
        except OSError as error:
            learned["error"] = error

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(here, server_hostname=host) as wrapped:
            wrapped.sendall(b"x")
    finally:
        here.close()
        thread.join()
        there.close()
    return learned


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_client_that_knows_the_authority_connects(tmp_path: Path, host: str) -> None:
    authority = Authority(tmp_path)
    context = ssl.create_default_context(cafile=str(authority.certificate))
    assert "error" not in shake_hands(authority.server("localhost"), context, host)


def test_a_client_that_does_not_know_it_refuses(tmp_path: Path) -> None:
    pair = Authority(tmp_path / "a").server("localhost")
    other = ssl.create_default_context(cafile=str(Authority(tmp_path / "b").certificate))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(pair, other, "localhost")


def test_another_host_name_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = ssl.create_default_context(cafile=str(authority.certificate))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(authority.server("localhost"), context, "db.example")


def test_a_clients_certificate_carries_its_login(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    mine = authority.client("support")
    context = ssl.create_default_context(cafile=str(authority.certificate))
    context.load_cert_chain(mine.certificate, mine.key)
    learned = shake_hands(authority.server("localhost"), context, "localhost", authority.certificate)
    assert "support" in str(learned["peer"])


def test_keys_are_private_and_the_authority_is_kept(tmp_path: Path) -> None:
    first = Authority(tmp_path).certificate.read_bytes()
    pair = Authority(tmp_path).server("localhost")
    assert Authority(tmp_path).certificate.read_bytes() == first
    assert {stat.S_IMODE(f.stat().st_mode) for f in (pair.key, tmp_path / "ca.key")} == {0o600}
