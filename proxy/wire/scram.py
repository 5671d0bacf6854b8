"""SCRAM-SHA-256 (RFC 5802, RFC 7677) as PostgreSQL speaks it, both sides, with tls-server-end-point channel binding.

The exchanges are our own because scramp's can not serve here: it refuses the empty user name that libpq sends, does
not give the client key out, and can not log in with keys instead of a password.  scramp gives SASLprep, and is the
other side in the tests.  Messages are bytes, exactly as they stand in the SASL messages; the AuthMessage is made of
what was really sent.  A malformed message is a ProtocolViolation, a failed proof LoginRefused, and a server that fails
its own proof or asks too much UpstreamUnavailable.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field

from scramp import ScramException
from scramp.utils import saslprep

from proxy.errors import LoginRefused, ProtocolViolation, UpstreamUnavailable

SCRAM_SHA_256 = b"SCRAM-SHA-256"
SCRAM_SHA_256_PLUS = b"SCRAM-SHA-256-PLUS"
BINDING_NAME = b"tls-server-end-point"
DEFAULT_ITERATIONS = 4096  # PostgreSQL's scram_iterations
MAXIMUM_ITERATIONS = 1_000_000  # what a server may make us compute (CVE-2026-42198)
MAXIMUM_NONCE = 1024  # CVE-2026-6665
SALT_SIZE = 16
KEY_SIZE = 32
_NONCE_SIZE = 24
_PRINTABLE = frozenset(range(0x21, 0x7F)) - {ord(",")}


@dataclass(frozen=True, slots=True)
class ScramKeys:
    """What proves a password without being it.  As secret as the password itself."""

    client_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)

    @property
    def stored_key(self) -> bytes:
        return hashlib.sha256(self.client_key).digest()


@dataclass(frozen=True, slots=True)
class Verifier:
    """What a server stores of a password, as in pg_authid.rolpassword; `str()` gives that form."""

    iterations: int
    salt: bytes = field(repr=False)
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)

    def __str__(self) -> str:
        salt, stored, server = (_b64(part).decode() for part in (self.salt, self.stored_key, self.server_key))
        return f"SCRAM-SHA-256${self.iterations}:{salt}${stored}:{server}"


def make_verifier(password: str | bytes, *, iterations: int = DEFAULT_ITERATIONS, salt: bytes | None = None) -> str:
    """The verifier of a password, to be stored.  Runs PBKDF2: not on an event loop."""
    salt = secrets.token_bytes(SALT_SIZE) if salt is None else salt
    keys = derive_keys(password, salt, iterations)
    return str(Verifier(iterations, salt, keys.stored_key, keys.server_key))


def parse_verifier(text: str) -> Verifier:
    """Raises ValueError, which does not show the text."""
    try:
        scheme, first, second = text.split("$")
        iterations, salt = first.split(":")
        stored_key, server_key = (b64decode(part, validate=True) for part in second.split(":"))
        parsed = Verifier(int(iterations), b64decode(salt, validate=True), stored_key, server_key)
    except ValueError:
        raise ValueError("not a SCRAM-SHA-256 verifier") from None
    fine = scheme == "SCRAM-SHA-256" and parsed.iterations > 0 and parsed.salt
    if not fine or len(stored_key) != KEY_SIZE or len(server_key) != KEY_SIZE:
        raise ValueError("not a SCRAM-SHA-256 verifier")
    return parsed


def mock_verifier(login: str, secret: bytes, iterations: int = DEFAULT_ITERATIONS) -> Verifier:
    """For a login that does not exist: always the same salt for one name and secret, and keys that nobody has."""
    salt = hmac.digest(secret, b"scram mock salt\0" + login.encode("utf-8", "surrogateescape"), "sha256")[:SALT_SIZE]
    return Verifier(iterations, salt, secrets.token_bytes(KEY_SIZE), secrets.token_bytes(KEY_SIZE))


def derive_keys(password: str | bytes, salt: bytes, iterations: int) -> ScramKeys:
    """Runs PBKDF2: not on an event loop."""
    salted = hashlib.pbkdf2_hmac("sha256", prepare_password(password), salt, iterations)
    return ScramKeys(_hmac(salted, b"Client Key"), _hmac(salted, b"Server Key"))


def prepare_password(password: str | bytes) -> bytes:
    """SASLprep; what it can not prepare is used as it is, as PostgreSQL does (pg_saslprep)."""
    raw = password.encode("utf-8", "surrogateescape") if isinstance(password, str) else password
    try:
        # U+200B is a space to PostgreSQL (RFC 4013 maps spaces first), and nothing to scramp.
        prepared = saslprep(raw.decode("utf-8").replace("\u200b", " "))
    except (ScramException, UnicodeDecodeError):
        return raw
    return str(prepared).encode() or raw


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
        self._own_nonce = _new_nonce() if nonce is None else nonce
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
        self._expected_binding = _b64(header + self._check_header(mechanism, header))
        attributes = _attributes(bare)
        if attributes[0][0] == b"m":
            raise ProtocolViolation("client requires an unsupported SCRAM extension")
        if len(attributes) < 2 or attributes[0][0] != b"n":
            raise _malformed()
        self._nonce = _nonce(attributes[1]) + self._own_nonce
        verifier = self._verifier
        server_first = b"r=%s,s=%s,i=%d" % (self._nonce, _b64(verifier.salt), verifier.iterations)
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
            raise _malformed()
        proof = _unb64(proof_text)
        attributes = _attributes(without_proof)
        if len(proof) != KEY_SIZE or [name for name, _ in attributes[:2]] != [b"c", b"r"]:
            raise _malformed()
        if not hmac.compare_digest(attributes[0][1], self._expected_binding):
            raise LoginRefused("SCRAM channel binding check failed")
        if not hmac.compare_digest(attributes[1][1], self._nonce):
            raise ProtocolViolation("nonce in SCRAM message does not match")
        message = self._first_messages + b"," + without_proof
        client_key = _xor(proof, _hmac(self._verifier.stored_key, message))
        right = hmac.compare_digest(hashlib.sha256(client_key).digest(), self._verifier.stored_key)
        if not right or not self._known:
            raise LoginRefused("password authentication failed")
        server_key = self._verifier.server_key
        self._keys = ScramKeys(client_key, server_key)
        return b"v=" + _b64(_hmac(server_key, message))

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
            raise _malformed()
        return b""


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
        self._own_nonce = _new_nonce() if nonce is None else nonce
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
        attributes = _attributes(server_first)
        if len(attributes) < 3 or attributes[1][0] != b"s" or attributes[2][0] != b"i":
            raise _malformed()
        nonce = _nonce(attributes[0])
        if not nonce.startswith(self._own_nonce) or len(nonce) == len(self._own_nonce):
            raise UpstreamUnavailable("invalid SCRAM response of the server (nonce mismatch)")
        salt, count = _unb64(attributes[1][1]), attributes[2][1]
        if not salt or not count.isdigit() or len(count) > 10 or int(count) < 1:
            raise _malformed()
        if int(count) > self._maximum_iterations:
            raise UpstreamUnavailable(f"the server asks for more than {self._maximum_iterations} SCRAM iterations")
        self._nonce = nonce
        self._first_messages = self._bare() + b"," + server_first
        return salt, int(count)

    def final(self, keys: ScramKeys) -> bytes:
        """The client-final-message, from keys derived of a password or recovered by `ScramServer`."""
        if not self._first_messages:
            raise _malformed()
        without_proof = b"c=" + _b64(self._header + self._binding) + b",r=" + self._nonce
        message = self._first_messages + b"," + without_proof
        proof = _xor(keys.client_key, _hmac(keys.stored_key, message))
        self._expected_signature = _hmac(keys.server_key, message)
        return without_proof + b",p=" + _b64(proof)

    def respond(self, server_first: bytes, password: str | bytes) -> bytes:
        """`challenge`, `derive_keys` and `final` in one.  Runs PBKDF2: not on an event loop."""
        salt, iterations = self.challenge(server_first)
        return self.final(derive_keys(password, salt, iterations))

    def verify(self, server_final: bytes) -> None:
        """The server must prove that it knows the password's verifier."""
        name, value = _attributes(server_final)[0]
        if name == b"e":
            raise UpstreamUnavailable("the server refused the SCRAM login")
        if name != b"v" or self._expected_signature is None:
            raise _malformed()
        if not hmac.compare_digest(_unb64(value), self._expected_signature):
            raise UpstreamUnavailable("the server's SCRAM signature is wrong: it does not know the password")

    def _bare(self) -> bytes:
        return b"n=,r=" + self._own_nonce


def _split_client_first(message: bytes) -> tuple[bytes, bytes]:
    """GS2 header (with its second comma) and the bare message."""
    second = message.find(b",", message.find(b",") + 1)
    if message.count(b",") < 2:
        raise _malformed()
    return message[: second + 1], message[second + 1 :]


def _attributes(message: bytes) -> list[tuple[bytes, bytes]]:
    found: list[tuple[bytes, bytes]] = []
    for part in message.split(b","):
        if len(part) < 2 or part[1:2] != b"=" or not part[:1].isalpha():
            raise _malformed()
        found.append((part[:1], part[2:]))
    return found


def _nonce(attribute: tuple[bytes, bytes]) -> bytes:
    name, value = attribute
    if name != b"r" or not 0 < len(value) <= MAXIMUM_NONCE or not _PRINTABLE.issuperset(value):
        raise _malformed()
    return value


def _malformed() -> ProtocolViolation:
    return ProtocolViolation("malformed SCRAM message")


def _new_nonce() -> bytes:
    return _b64(secrets.token_bytes(_NONCE_SIZE))


def _b64(raw: bytes) -> bytes:
    return b64encode(raw)


def _unb64(text: bytes) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise _malformed() from None


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
