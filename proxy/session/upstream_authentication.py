"""How we prove an upstream role, and what proof we demand of the server.  Pure.

One method per login: what a server asks after its first question must belong to it.  A password leaves in cleartext
only over a transport where nobody listens, as md5 only where the configuration says so; where channel binding is
required nothing but SCRAM-SHA-256-PLUS will do, and a server that asks for nothing at all is refused too.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum

from proxy.errors import ProtocolViolation, UpstreamUnavailable
from proxy.wire.authentication import Authentication, AuthenticationKind, parse_authentication
from proxy.wire.frontend import build_password, build_sasl_initial_response, build_sasl_response
from proxy.wire.scram import ScramClient, ScramKeys


class Binding(StrEnum):
    """SCRAM channel binding to the server's certificate."""

    PREFER = "prefer"
    REQUIRE = "require"
    DISABLE = "disable"


@dataclass(frozen=True, slots=True)
class AuthenticationRules:
    """`secure`: the transport is TLS or a unix socket."""

    secure: bool
    binding: Binding = Binding.PREFER
    allow_md5: bool = False


@dataclass(frozen=True, slots=True)
class Secret:
    """What we prove the role with: a password, SCRAM keys (pass-through), or nothing (certificate, peer)."""

    password: bytes | None = field(default=None, repr=False)
    keys: ScramKeys | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class NeedKeys:
    """Derive SCRAM keys from the password (slow: not on the event loop), then call `provide_keys`."""

    password: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    iterations: int


class UpstreamAuthentication:
    """The server's requests in, our answers out.  `end_point`: tls-server-end-point of the server's certificate."""

    def __init__(self, rules: AuthenticationRules, user: bytes, secret: Secret, end_point: bytes | None) -> None:
        self._rules = rules
        self._user = user
        self._secret = secret
        self._end_point = end_point if rules.binding is not Binding.DISABLE else None
        self._scram: ScramClient | None = None
        self._expected: AuthenticationKind | None = None  # the only request that may come next, besides OK
        self._answered = False
        self._proven = False  # the server has shown that it knows the secret
        self.done = False

    def request(self, body: bytes) -> bytes | NeedKeys:
        """The answer to send (it may be empty), or what it needs first."""
        asked = parse_authentication(body)
        if asked.kind is AuthenticationKind.OK:
            return self._ok()
        if self._answered and asked.kind is not self._expected:
            raise ProtocolViolation("unexpected authentication request")
        if asked.kind is AuthenticationKind.SASL_CONTINUE and self._scram is not None:
            return self._challenge(self._scram, asked.data)
        if asked.kind is AuthenticationKind.SASL_FINAL and self._scram is not None:
            return self._final(self._scram, asked.data)
        self._answered = True
        if asked.kind is AuthenticationKind.SASL:
            return self._sasl(asked)
        self._require_no_binding()
        return self._password(asked)

    def provide_keys(self, keys: ScramKeys) -> bytes:
        if self._scram is None:
            raise RuntimeError("no keys were asked for")
        return build_sasl_response(self._scram.final(keys))

    def _ok(self) -> bytes:
        if self._scram is None:
            self._require_no_binding()
        elif not self._proven:
            raise ProtocolViolation("the server did not finish SCRAM")
        self.done = True
        return b""

    def _require_no_binding(self) -> None:
        if self._rules.binding is Binding.REQUIRE:
            raise UpstreamUnavailable("the database server does not offer channel binding")

    def _password(self, asked: Authentication) -> bytes:
        password = self._secret.password
        if asked.kind is AuthenticationKind.CLEARTEXT_PASSWORD:
            if not self._rules.secure or password is None:
                raise UpstreamUnavailable("the database server asks for a cleartext password, which it does not get")
            return build_password(password)
        if asked.kind is AuthenticationKind.MD5_PASSWORD:
            if not self._rules.allow_md5 or password is None:
                raise UpstreamUnavailable("the database server asks for an md5 password, which it does not get")
            return build_password(_md5_answer(self._user, password, asked.data))
        raise UpstreamUnavailable("the database server asks for an authentication that is not supported")

    def _sasl(self, asked: Authentication) -> bytes:
        if self._secret.password is None and self._secret.keys is None:
            raise UpstreamUnavailable("the database server asks for a password, and none is configured for this role")
        require = self._rules.binding is Binding.REQUIRE
        self._scram = ScramClient(asked.mechanisms, end_point=self._end_point, require_binding=require)
        self._expected = AuthenticationKind.SASL_CONTINUE
        return build_sasl_initial_response(self._scram.mechanism, self._scram.first())

    def _challenge(self, scram: ScramClient, data: bytes) -> bytes | NeedKeys:
        salt, iterations = scram.challenge(data)
        self._expected = AuthenticationKind.SASL_FINAL
        if self._secret.keys is not None:
            return build_sasl_response(scram.final(self._secret.keys))
        return NeedKeys(self._secret.password or b"", salt, iterations)

    def _final(self, scram: ScramClient, data: bytes) -> bytes:
        scram.verify(data)
        self._proven, self._expected = True, None
        return b""


def _md5_answer(user: bytes, password: bytes, salt: bytes) -> bytes:
    inner = hashlib.md5(password + user, usedforsecurity=False).hexdigest().encode()
    return b"md5" + hashlib.md5(inner + salt, usedforsecurity=False).hexdigest().encode()
