"""TLS for both legs, as bytes in and bytes out over `ssl.MemoryBIO`.

Why not the event loop's own TLS: one port must take plaintext requests, SSLRequest and direct TLS, whose first bytes
have been read before it is known what they are; and not one byte that arrived before the handshake may be taken as
one that arrived inside it (CVE-2021-23214).  Here the caller decides which bytes TLS sees.

Contract: `TlsLeg` raises TlsFailed and nothing else.  Messages name what failed, never data.
"""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from proxy.config import ListenerConfig, SslMode, TlsVersion
from proxy.errors import ConfigError

ALPN = "postgresql"
_CHUNK = 16 * 1024  # one record's most (RFC 8446 section 5.1); OpenSSL gives one at a time, and the buffer is allocated
_VERSIONS = {TlsVersion.TLS12: ssl.TLSVersion.TLSv1_2, TlsVersion.TLS13: ssl.TLSVersion.TLSv1_3}


class TlsFailed(Exception):
    """The handshake or a record was wrong; the connection ends."""


@dataclass(frozen=True, slots=True)
class TlsIdentity:
    """Our certificate, ready to serve.  `end_point` is its tls-server-end-point hash, if it has one."""

    context: ssl.SSLContext
    end_point: bytes | None


class TlsLeg:
    """One TLS connection.  Give it what the socket gave; send what `take_output` returns."""

    __slots__ = ("_incoming", "_outgoing", "_ssl", "closed", "established")

    def __init__(self, context: ssl.SSLContext, *, server_side: bool, server_hostname: str | None = None) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        try:
            self._ssl = context.wrap_bio(self._incoming, self._outgoing, server_side, server_hostname)
        except ValueError as error:  # a host name that can be none
            raise TlsFailed(f"TLS could not be started: {error}") from None
        self.established = False
        self.closed = False  # the peer said close_notify: nothing more will come

    def start(self) -> None:
        """The client side speaks first."""
        self._handshake()

    def receive(self, data: bytes) -> bytes:
        """Ciphertext in, plaintext out (often empty during the handshake)."""
        self._incoming.write(data)
        if not self.established and not self._handshake():
            return b""
        plain = self._read()
        if not self._incoming.pending and not self._ssl.pending():
            return plain  # the usual case: one record; asking again would only raise SSLWantReadError
        chunks = [plain]
        while not self.closed and (plain := self._read()):
            chunks.append(plain)
        return b"".join(chunks)

    def send(self, data: bytes) -> bytes:
        """Plaintext in, ciphertext out (with whatever else TLS has to say)."""
        try:
            written = self._ssl.write(data)
            if written < len(data):
                view = memoryview(data)
                while written < len(data):
                    written += self._ssl.write(view[written:])
        except ssl.SSLError as error:
            raise TlsFailed(f"TLS write failed: {_reason(error)}") from None
        return self._outgoing.read()

    def take_output(self) -> bytes:
        """Handshake messages and alerts to send now."""
        return self._outgoing.read() if self._outgoing.pending else b""

    def close(self) -> bytes:
        """Our close_notify.  The peer's is not waited for."""
        try:
            self._ssl.unwrap()
        except (ssl.SSLError, ValueError):
            pass  # wants the peer's answer, or never was established
        return self.take_output()

    def alpn(self) -> str | None:
        return self._ssl.selected_alpn_protocol()

    def peer_certificate(self) -> bytes | None:
        """The peer's certificate in DER; as server, only one that was verified against client_ca."""
        return self._ssl.getpeercert(binary_form=True)

    def _handshake(self) -> bool:
        try:
            self._ssl.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            raise TlsFailed(f"TLS handshake failed: {_reason(error)}") from None
        self.established = True
        return True

    def _read(self) -> bytes:
        try:
            plain = self._ssl.read(_CHUNK)
        except ssl.SSLWantReadError:
            return b""
        except ssl.SSLZeroReturnError:
            plain = b""
        except ssl.SSLError as error:
            raise TlsFailed(f"TLS read failed: {_reason(error)}") from None
        if not plain:
            self.closed = True
        return plain


def server_identity(config: ListenerConfig) -> TlsIdentity | None:
    """Our certificate as the configuration names it; None for a plaintext (loopback) listener."""
    if config.tls_certificate is None or config.tls_key is None:
        return None
    context = server_context(config.tls_certificate, config.tls_key, config.tls_min_version)
    context.set_alpn_protocols([ALPN])
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET | ssl.OP_NO_COMPRESSION
    context.num_tickets = 0  # each connection is authenticated anew, as in PostgreSQL
    if config.client_ca is not None:
        context.verify_mode = ssl.CERT_OPTIONAL  # who needs one is decided at login
        _load_ca(context, config.client_ca)
    return TlsIdentity(context, end_point_hash(_first_certificate(config.tls_certificate)))


def server_context(certificate: Path, key: Path, minimum: TlsVersion = TlsVersion.TLS12) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[minimum]
    _load_chain(context, certificate, key)
    return context


def admin_context(certificate: Path, key: Path, client_ca: Path | None) -> ssl.SSLContext:
    """The admin port's; with a CA, a client may show a certificate, and one that is wrong ends the handshake."""
    context = server_context(certificate, key)
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET | ssl.OP_NO_COMPRESSION
    context.num_tickets = 0
    if client_ca is not None:
        context.verify_mode = ssl.CERT_OPTIONAL
        _load_ca(context, client_ca)
    return context


def client_context(
    sslmode: SslMode, ca: Path | None, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """How we verify the database server, and who we are to it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = sslmode is SslMode.VERIFY_FULL
    context.set_alpn_protocols([ALPN])
    if ca is not None:
        _load_ca(context, ca)
    if certificate is not None and key is not None:
        _load_chain(context, certificate, key)
    return context


def end_point_hash(certificate: bytes) -> bytes | None:
    """tls-server-end-point (RFC 5929): the certificate hashed by its own signature's hash, SHA-256 for MD5 and SHA-1.

    None when the signature has no such hash (Ed25519): PostgreSQL then offers no channel binding either.
    """
    try:
        algorithm = x509.load_der_x509_certificate(certificate).signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        return None
    if algorithm is None:
        return None
    name = "sha256" if algorithm.name in ("md5", "sha1") else algorithm.name
    return hashlib.new(name, certificate).digest()


def certificate_names(certificate: bytes) -> frozenset[str]:
    """The logins a client certificate speaks for: its dNSNames, or, if it has none, its common name."""
    parsed = x509.load_der_x509_certificate(certificate)
    try:
        alternative = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = frozenset(alternative.get_values_for_type(x509.DNSName))
    except (x509.ExtensionNotFound, ValueError):
        names = frozenset()
    common = parsed.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return names or frozenset(str(attribute.value) for attribute in common)


def _load_chain(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ssl.SSLError, ValueError) as error:
        raise ConfigError(f"{certificate}, {key}: not a usable certificate and key: {_reason(error)}") from None


def _load_ca(context: ssl.SSLContext, ca: Path) -> None:
    try:
        context.load_verify_locations(ca)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"{ca}: not a usable CA file: {_reason(error)}") from None


def _first_certificate(path: Path) -> bytes:
    text = path.read_text(encoding="ascii", errors="ignore")
    end = "-----END CERTIFICATE-----"
    start = text.find("-----BEGIN CERTIFICATE-----")
    if start < 0 or end not in text:
        raise ConfigError(f"{path}: holds no PEM certificate")
    return ssl.PEM_cert_to_DER_cert(text[start : text.index(end, start) + len(end)])


def _no_password() -> str:
    raise ValueError("the key is encrypted; give an unencrypted key file with mode 0600")


def _reason(error: Exception) -> str:
    """OpenSSL's short reason, without source lines."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not accepted: {error.verify_message}"
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None)
    return str(reason or error).lower().replace("_", " ")
