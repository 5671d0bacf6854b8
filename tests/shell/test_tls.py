"""TLS as bytes in and bytes out, one byte at a time too."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from cryptography import x509

from proxy.config import ListenerConfig, SslMode, TlsVersion
from proxy.demo.certificates import Authority
from proxy.errors import ConfigError
from proxy.tls import (
    TlsFailed,
    TlsLeg,
    certificate_names,
    client_context,
    end_point_hash,
    server_context,
    server_identity,
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


def pair_of(authority: Authority, *, step: int = 0) -> tuple[TlsLeg, TlsLeg]:
    files = authority.server("localhost")
    config = ListenerConfig(tls_certificate=str(files.certificate), tls_key=str(files.key))  # type: ignore[arg-type]
    identity = server_identity(config)
    assert identity is not None
    server = TlsLeg(identity.context, server_side=True)
    client = TlsLeg(
        client_context(SslMode.VERIFY_FULL, authority.certificate), server_side=False, server_hostname="localhost"
    )
    client.start()
    for _ in range(4):
        feed(server, client.take_output(), step)
        feed(client, server.take_output(), step)
    assert server.established and client.established
    return client, server


def feed(leg: TlsLeg, data: bytes, step: int = 0) -> bytes:
    size = step or max(len(data), 1)
    return b"".join(leg.receive(data[start : start + size]) for start in range(0, len(data), size))


@pytest.mark.parametrize("step", [0, 1, 1000])
def test_what_is_sent_arrives(authority: Authority, step: int) -> None:
    client, server = pair_of(authority, step=step)
    for data in (b"x", b"y" * 100_000, b"z" * 1_000_001):
        assert feed(server, client.send(data), step if len(data) < 200_000 else 0) == data
        assert feed(client, server.send(data), step if len(data) < 200_000 else 0) == data
    assert server.alpn() == client.alpn() == "postgresql"


def test_the_end_is_said(authority: Authority) -> None:
    client, server = pair_of(authority)
    assert server.receive(client.send(b"last") + client.close()) == b"last"
    assert server.closed


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 70_000, b"\0" * 20])
def test_garbage_is_our_error(authority: Authority, garbage: bytes) -> None:
    files = authority.server("garbage")
    leg = TlsLeg(server_context(files.certificate, files.key), server_side=True)
    with pytest.raises(TlsFailed):
        leg.receive(garbage)


def test_a_bent_record_is_our_error(authority: Authority) -> None:
    client, server = pair_of(authority)
    record = bytearray(client.send(b"SELECT 1"))
    record[-1] ^= 1
    with pytest.raises(TlsFailed):
        server.receive(bytes(record))


def test_a_stranger_is_not_believed(authority: Authority, tmp_path: Path) -> None:
    files = Authority(tmp_path).server("localhost")
    server = TlsLeg(server_context(files.certificate, files.key), server_side=True)
    client = TlsLeg(
        client_context(SslMode.VERIFY_FULL, authority.certificate), server_side=False, server_hostname="localhost"
    )
    client.start()
    server.receive(client.take_output())
    with pytest.raises(TlsFailed, match="certificate not accepted"):
        client.receive(server.take_output())


def test_old_versions_are_refused(authority: Authority) -> None:
    files = authority.server("modern")
    assert server_context(files.certificate, files.key).minimum_version.name == "TLSv1_2"
    assert server_context(files.certificate, files.key, TlsVersion.TLS13).minimum_version.name == "TLSv1_3"


def test_the_end_point_hash_is_of_the_certificate_that_is_served(authority: Authority) -> None:
    client, _ = pair_of(authority)
    der = client.peer_certificate()
    assert der is not None and end_point_hash(der) == hashlib.sha256(der).digest()
    assert end_point_hash(b"no certificate") is None


def test_a_client_certificate_speaks_for_its_names(authority: Authority) -> None:
    der = x509.load_pem_x509_certificate(authority.client("app").certificate.read_bytes())
    with_names = x509.load_pem_x509_certificate(
        authority.server("srv", ("one.example", "two.example")).certificate.read_bytes()
    )
    from cryptography.hazmat.primitives.serialization import Encoding

    assert certificate_names(der.public_bytes(Encoding.DER)) == {"app"}
    assert certificate_names(with_names.public_bytes(Encoding.DER)) == {"one.example", "two.example"}


def test_unusable_files_are_named(authority: Authority, tmp_path: Path) -> None:
    files, other = authority.server("mine"), authority.server("other")
    with pytest.raises(ConfigError, match="not a usable certificate and key"):
        server_context(files.certificate, other.key)
    with pytest.raises(ConfigError, match="none"):
        server_context(tmp_path / "none", files.key)
    with pytest.raises(ConfigError, match="not a usable CA"):
        client_context(SslMode.VERIFY_FULL, files.key)
