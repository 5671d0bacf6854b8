"""A certificate authority of our own and certificates from it, for the demo and for tests.

EC P-256 keys; private keys are written 0600.  The authority is good for nothing but the folder that it lies in: its key
stays there, and nobody trusts it who was not given `ca.crt`.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .osuser import write_private

_DAYS = 825
_CLOCK_SKEW = datetime.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The two files of one certificate, as every TLS library wants them."""

    certificate: Path
    key: Path


class Authority:
    """`ca.crt` and `ca.key` in one folder; made there when they are missing."""

    def __init__(self, folder: Path, name: str = "Fieldgate demo CA") -> None:
        self.folder = folder
        self.certificate = folder / "ca.crt"
        self._key_file = folder / "ca.key"
        folder.mkdir(parents=True, exist_ok=True)
        if not (self.certificate.exists() and self._key_file.exists()):
            self._make(name)
        self._issuer = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        key = serialization.load_pem_private_key(self._key_file.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{self._key_file} holds no EC key")
        self._key = key

    def _make(self, name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name)
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        made = (
            _builder(subject, subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        _write_key(self._key_file, key)
        self.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def server(self, name: str, hosts: Sequence[str] = ("localhost", "127.0.0.1", "::1")) -> KeyPair:
        """A server's certificate, valid for the host names and addresses."""
        return self._issue(name, name, hosts, ExtendedKeyUsageOID.SERVER_AUTH)

    def client(self, login: str) -> KeyPair:
        """A client's certificate whose common name is the login."""
        return self._issue(f"client-{login}", login, (), ExtendedKeyUsageOID.CLIENT_AUTH)

    def _issue(self, file_name: str, common_name: str, hosts: Sequence[str], use: x509.ObjectIdentifier) -> KeyPair:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(_name(common_name), self._issuer.subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName([_host(h) for h in hosts]), critical=False)
        files = KeyPair(self.folder / f"{file_name}.crt", self.folder / f"{file_name}.key")
        _write_key(files.key, key)
        files.certificate.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        return files


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_private(path, pem.decode())
