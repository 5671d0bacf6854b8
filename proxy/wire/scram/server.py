"""The server's side: clients that log in to us."""

from __future__ import annotations

import hashlib
import hmac

from proxy.errors import LoginRefused, ProtocolViolation

from .keys import DEFAULT_ITERATIONS, ScramKeys, Verifier, mock_verifier
from .messages import (
    BINDING_NAME,
    KEY_SIZE,
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


class ScramServer:
    """One login of a client.

    `verifier` None: the login is unknown, and the exchange runs to its failing end on `mock_verifier`, which the
    client can not tell from a wrong password; `iterations` should be what real verifiers have.  `end_point`: the
    tls-server-end-point hash of our certificate, None without TLS; when there is one, PLUS is offered and a client
    that says it has seen no offer (`y`) is refused.
    """

    def __init__(
        self,
        login: str,
        verifier: Verifier | None,
        *,
        mock_secret: bytes,
        iterations: int = DEFAULT_ITERATIONS,
        end_point: bytes | None = None,
        nonce: bytes | None = None,
    ) -> None:
        self._known = verifier is not None
        self._verifier = verifier or mock_verifier(login, mock_secret, iterations)
        self._end_point = end_point
        self._keys: ScramKeys | None = None
        self._own_nonce = new_nonce() if nonce is None else nonce
        self._expected_binding = b""
        self._nonce = b""
        self._first_messages = b""

    @property
    def mechanisms(self) -> tuple[bytes, ...]:
        """What AuthenticationSASL offers, the strongest first."""
        return (SCRAM_SHA_256,) if self._end_point is None else (SCRAM_SHA_256_PLUS, SCRAM_SHA_256)

    def first(self, mechanism: bytes, client_first: bytes) -> bytes:
        """The server-first-message, for the data of AuthenticationSASLContinue."""
        if mechanism not in self.mechanisms:
            raise ProtocolViolation("client selected an invalid SASL authentication mechanism")
        header, bare = _split_client_first(client_first)
        self._expected_binding = base64(header + self._check_header(mechanism, header))
        attributes = split_attributes(bare)
        if attributes[0][0] == b"m":
            raise ProtocolViolation("client requires an unsupported SCRAM extension")
        if len(attributes) < 2 or attributes[0][0] != b"n":
            raise malformed()
        self._nonce = read_nonce(attributes[1]) + self._own_nonce
        verifier = self._verifier
        server_first = b"r=%s,s=%s,i=%d" % (self._nonce, base64(verifier.salt), verifier.iterations)
        self._first_messages = bare + b"," + server_first
        return server_first

    @property
    def keys(self) -> ScramKeys:
        """After `final`: what the client proved its password with, to log in elsewhere with the same verifier."""
        if self._keys is None:
            raise LoginRefused("password authentication failed")
        return self._keys

    @property
    def client_key(self) -> bytes:
        return self.keys.client_key

    @property
    def server_key(self) -> bytes:
        return self.keys.server_key

    def final(self, client_final: bytes) -> bytes:
        """The server-final-message, for AuthenticationSASLFinal; LoginRefused if the proof is wrong or none can be."""
        without_proof, separator, proof_text = client_final.rpartition(b",p=")
        if not separator or not self._first_messages:
            raise malformed()
        proof = unbase64(proof_text)
        attributes = split_attributes(without_proof)
        if len(proof) != KEY_SIZE or [name for name, _ in attributes[:2]] != [b"c", b"r"]:
            raise malformed()
        if not hmac.compare_digest(attributes[0][1], self._expected_binding):
            raise LoginRefused("SCRAM channel binding check failed")
        if not hmac.compare_digest(attributes[1][1], self._nonce):
            raise ProtocolViolation("nonce in SCRAM message does not match")
        message = self._first_messages + b"," + without_proof
        client_key = xor(proof, hmac_sha256(self._verifier.stored_key, message))
        right = hmac.compare_digest(hashlib.sha256(client_key).digest(), self._verifier.stored_key)
        if not right or not self._known:
            raise LoginRefused("password authentication failed")
        server_key = self._verifier.server_key
        self._keys = ScramKeys(client_key, server_key)
        return b"v=" + base64(hmac_sha256(server_key, message))

    def _check_header(self, mechanism: bytes, header: bytes) -> bytes:
        """The channel binding data that the client must prove it knows."""
        flag, authorization, _ = header.split(b",")
        if authorization:
            raise ProtocolViolation("client uses authorization identity, but it is not supported")
        if mechanism == SCRAM_SHA_256_PLUS:
            if flag != b"p=" + BINDING_NAME or self._end_point is None:
                raise ProtocolViolation("unsupported SCRAM channel-binding type")
            return self._end_point
        if flag == b"y" and self._end_point is not None:
            raise LoginRefused("SCRAM channel binding negotiation error")  # someone took PLUS out of our offer
        if flag not in (b"n", b"y"):
            raise malformed()
        return b""


def _split_client_first(message: bytes) -> tuple[bytes, bytes]:
    """GS2 header (with its second comma) and the bare message."""
    second = message.find(b",", message.find(b",") + 1)
    if message.count(b",") < 2:
        raise malformed()
    return message[: second + 1], message[second + 1 :]
