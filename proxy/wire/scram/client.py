"""The client's side: our logins at the database server.  The server is as little trusted as a client."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from proxy.errors import UpstreamUnavailable

from .keys import ScramKeys, derive_keys
from .messages import (
    BINDING_NAME,
    SCRAM_SHA_256,
    SCRAM_SHA_256_PLUS,
    base64,
    hmac_sha256,
    malformed,
    new_nonce,
    read_nonce,
    split_attributes,
    unbase64,
    xor,
)

MAXIMUM_ITERATIONS = 1_000_000  # what a server may make us compute (CVE-2026-42198)


class ScramClient:
    """One login of ours at a server: `first`, then `challenge` and `final`, then `verify`.

    `offered`: the server's mechanisms.  `end_point`: tls-server-end-point hash of its certificate, None without TLS.
    """

    def __init__(
        self,
        offered: Sequence[bytes],
        *,
        end_point: bytes | None = None,
        require_binding: bool = False,
        maximum_iterations: int = MAXIMUM_ITERATIONS,
        nonce: bytes | None = None,
    ) -> None:
        self._own_nonce = new_nonce() if nonce is None else nonce
        self._maximum_iterations = maximum_iterations
        plus = end_point is not None and SCRAM_SHA_256_PLUS in offered
        if require_binding and not plus:
            raise UpstreamUnavailable("channel binding is required, but the server does not offer it")
        if not plus and SCRAM_SHA_256 not in offered:
            raise UpstreamUnavailable("the server offers no SCRAM-SHA-256 authentication")
        self.mechanism = SCRAM_SHA_256_PLUS if plus else SCRAM_SHA_256
        if end_point is None:
            self._header, self._binding = b"n,,", b""
        elif plus:
            self._header, self._binding = b"p=" + BINDING_NAME + b",,", end_point
        else:
            self._header, self._binding = b"y,,", b""
        self._first_messages = b""
        self._nonce = b""
        self._expected_signature: bytes | None = None

    def first(self) -> bytes:
        """The client-first-message.  The user name is the startup packet's; here it is empty, as libpq has it."""
        return self._header + self._bare()

    def challenge(self, server_first: bytes) -> tuple[bytes, int]:
        """Salt and iterations with which `derive_keys` makes the keys for `final`."""
        attributes = split_attributes(server_first)
        if len(attributes) < 3 or attributes[1][0] != b"s" or attributes[2][0] != b"i":
            raise malformed()
        nonce = read_nonce(attributes[0])
        if not nonce.startswith(self._own_nonce) or len(nonce) == len(self._own_nonce):
            raise UpstreamUnavailable("invalid SCRAM response of the server (nonce mismatch)")
        salt, count = unbase64(attributes[1][1]), attributes[2][1]
        if not salt or not count.isdigit() or len(count) > 10 or int(count) < 1:
            raise malformed()
        if int(count) > self._maximum_iterations:
            raise UpstreamUnavailable(f"the server asks for more than {self._maximum_iterations} SCRAM iterations")
        self._nonce = nonce
        self._first_messages = self._bare() + b"," + server_first
        return salt, int(count)

    def final(self, keys: ScramKeys) -> bytes:
        """The client-final-message, from keys derived of a password or recovered by `ScramServer`."""
        if not self._first_messages:
            raise malformed()
        without_proof = b"c=" + base64(self._header + self._binding) + b",r=" + self._nonce
        message = self._first_messages + b"," + without_proof
        proof = xor(keys.client_key, hmac_sha256(keys.stored_key, message))
        self._expected_signature = hmac_sha256(keys.server_key, message)
        return without_proof + b",p=" + base64(proof)

    def respond(self, server_first: bytes, password: str | bytes) -> bytes:
        """`challenge`, `derive_keys` and `final` in one.  Runs PBKDF2: not on an event loop."""
        salt, iterations = self.challenge(server_first)
        return self.final(derive_keys(password, salt, iterations))

    def verify(self, server_final: bytes) -> None:
        """The server must prove that it knows the password's verifier."""
        name, value = split_attributes(server_final)[0]
        if name == b"e":
            raise UpstreamUnavailable("the server refused the SCRAM login")
        if name != b"v" or self._expected_signature is None:
            raise malformed()
        if not hmac.compare_digest(unbase64(value), self._expected_signature):
            raise UpstreamUnavailable("the server's SCRAM signature is wrong: it does not know the password")

    def _bare(self) -> bytes:
        return b"n=,r=" + self._own_nonce
