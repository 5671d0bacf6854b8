"""Who is asking: a bearer token, a JWT or a client certificate, and always one person of the people file.

A request may come with a certificate and a token; then both must be the same person's.  Failures are counted by the
address of the connection (never by a header) and by the token's id, and slowed down as failed logins of clients are.
What was wrong is not said.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from policies.audit.key_events import Author, KeyEvent, KeyRecord
from proxy.config import LimitsConfig
from proxy.keywork.refusals import Code, Refusal
from proxy.keywork.service import Actor
from proxy.keywork.trail import Trail
from proxy.limits import FailedLogins, LimitReached, address_key
from proxy.tls import certificate_names

from .oidc import IssuerUnavailable, OidcRefused, OidcVerifier
from .people import People
from .problems import Problem
from .tokens import PREFIX, TokenTable, check_token, token_id_of

_RETRY_AFTER = "60"  # seconds; the real wait is at most limits.failed_login_delay_max


@dataclass(frozen=True, slots=True)
class Found:
    """What one credential says."""

    person: str
    via: str
    roles: frozenset[str]


class Authenticator:
    """`tokens` and `oidc` are None where that way of logging in is switched off."""

    def __init__(
        self,
        people: Callable[[], People],
        tokens: TokenTable | None,
        oidc: OidcVerifier | None,
        trail: Trail,
        limits: LimitsConfig,
        clock: Callable[[], float],
    ) -> None:
        self._people, self._tokens, self._oidc, self._trail = people, tokens, oidc, trail
        self._failed = FailedLogins(limits, clock)

    async def actor(self, request: web.Request) -> Actor:
        """Raises Problem; Refusal when the control database cannot be asked."""
        address = address_key(request.transport.get_extra_info("peername") if request.transport else None)
        presented = bearer_of(request)
        login = (token_id_of(presented) or "") if presented is not None else ""
        try:
            self._failed.check(address, login or address)
        except LimitReached:
            raise Problem("too-many-failures", headers={"Retry-After": _RETRY_AFTER}) from None
        der = _certificate_of(request)
        certificate = self._by_certificate(der) if der else None
        bearer = await self._by_bearer(presented) if presented is not None else None
        found = bearer or certificate
        wrong = (presented is not None and bearer is None) or (
            bearer is not None and der is not None and (certificate is None or bearer.person != certificate.person)
        )
        if found is None or wrong:
            if presented is not None or found is not None:
                self._failed.failed(address, login or address)
                await self._record(login)
            raise Problem("unauthenticated", headers={"WWW-Authenticate": 'Bearer realm="fieldgate admin"'})
        self._failed.succeeded(address, login or address)
        return Actor(found.person, found.via, found.roles)

    def _by_certificate(self, der: bytes) -> Found | None:
        people = self._people()
        person = people.by_certificate(certificate_names(der))
        return None if person is None else Found(person, "certificate", people.people[person].roles)

    async def _by_bearer(self, presented: str) -> Found | None:
        if presented.startswith(PREFIX):
            return await self._by_token(presented)
        return await self._by_oidc(presented)

    async def _by_token(self, presented: str) -> Found | None:
        if self._tokens is None:
            return None
        try:
            token = await check_token(presented, self._tokens, datetime.now(UTC))
        except Exception as error:
            raise Refusal(Code.STORE_UNAVAILABLE, "the control database cannot be asked now; try later") from error
        person = self._people().people.get(token.person) if token is not None else None
        if token is None or person is None:
            return None
        return Found(token.person, f"token:{token.token_id}", token.roles & person.roles)

    async def _by_oidc(self, presented: str) -> Found | None:
        if self._oidc is None:
            return None
        try:
            claims = await self._oidc.verify(presented)
        except OidcRefused:
            return None
        except IssuerUnavailable:
            raise Problem("issuer-unavailable") from None
        people = self._people()
        person = people.by_oidc(claims.person)
        return None if person is None else Found(person, "oidc", claims.roles & people.people[person].roles)

    async def _record(self, login: str) -> None:
        """The person is not known; the token's id is no secret."""
        author = Author("unknown", f"token:{login}" if login else "unknown")
        await self._trail.refused(KeyRecord(KeyEvent.LOGIN_REFUSED, author), Refusal(Code.FORBIDDEN, "login refused"))


def _certificate_of(request: web.Request) -> bytes | None:
    """The TLS library has verified it against client_ca already."""
    tls = request.transport.get_extra_info("ssl_object") if request.transport else None
    der = tls.getpeercert(binary_form=True) if isinstance(tls, ssl.SSLObject | ssl.SSLSocket) else None
    return der or None


def bearer_of(request: web.Request) -> str | None:
    """What stands after `Bearer`; None without the header.  Raises Problem for two of them, or another scheme."""
    found = request.headers.getall("Authorization", [])
    if not found:
        return None
    scheme, _, rest = found[0].partition(" ")
    presented = rest.strip()
    if len(found) > 1 or scheme.lower() != "bearer" or not presented or not presented.isascii() or " " in presented:
        raise Problem("invalid-request", "one Authorization: Bearer header is taken, and no other scheme")
    return presented
