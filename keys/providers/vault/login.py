"""How one logs in to Vault: with a token that somebody else keeps fresh, by AppRole, or by a signed JWT.

Every secret is read from its file (mode 0600, links followed) or environment variable at each login, so that whoever
replaces it there need not restart anything; none is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from keys.ciphers import Unshareable
from keys.errors import ProviderRefused
from keys.providers.secret import Secret

from .transport import PermissionDenied, Rejected, Transport


@dataclass(frozen=True, slots=True, eq=False)
class Lease(Unshareable):
    """A token and for how many seconds from now it is good; 0: for ever.  `ours`: it was made for us alone."""

    token: str = field(repr=False)
    seconds: float
    renewable: bool
    ours: bool


class Login(Protocol):
    async def log_in(self, transport: Transport) -> Lease:
        """Raises ProviderUnavailable or ProviderRefused."""
        ...


@dataclass(frozen=True, slots=True)
class TokenLogin:
    """A token that an agent or a person puts into the file."""

    token: Secret

    async def log_in(self, transport: Transport) -> Lease:
        token = self.token.read()
        try:
            answer = await transport.call("GET", "auth/token/lookup-self", token=token)
        except PermissionDenied:
            raise ProviderRefused(
                f"the token in {self.token.origin} is not valid any more: put a new one there"
            ) from None
        data = answer.get("data")
        if not isinstance(data, dict):
            raise ProviderRefused(f"{transport.address} does not say how long the token is good")
        return Lease(token, _seconds(data.get("ttl")), data.get("renewable") is True, ours=False)


@dataclass(frozen=True, slots=True)
class AppRoleLogin:
    role_id: str
    secret_id: Secret
    mount: str = "approle"

    async def log_in(self, transport: Transport) -> Lease:
        body = {"role_id": self.role_id, "secret_id": self.secret_id.read()}
        return await _log_in(transport, self.mount, body, f"the role id, or the secret id in {self.secret_id.origin}")


@dataclass(frozen=True, slots=True)
class JwtLogin:
    """Also Kubernetes: mount `kubernetes`, and the service account's token as the JWT."""

    role: str
    jwt: Secret
    mount: str = "jwt"

    async def log_in(self, transport: Transport) -> Lease:
        body = {"role": self.role, "jwt": self.jwt.read()}
        return await _log_in(transport, self.mount, body, f"the role {self.role}, or the JWT in {self.jwt.origin}")


async def _log_in(transport: Transport, mount: str, body: dict[str, Any], what: str) -> Lease:
    try:
        answer = await transport.call("POST", f"auth/{mount}/login", body)
    except (PermissionDenied, Rejected):
        raise ProviderRefused(f"{transport.address} does not accept {what} at auth/{mount}: check both there") from None
    return lease_of(answer, transport.address)


def lease_of(answer: dict[str, Any], address: str) -> Lease:
    """From the `auth` part of an answer.  Raises ProviderRefused for another form."""
    auth = answer.get("auth")
    token = auth.get("client_token") if isinstance(auth, dict) else None
    if not isinstance(auth, dict) or not isinstance(token, str) or not token:
        raise ProviderRefused(f"{address} answers a login without a token")
    return Lease(token, _seconds(auth.get("lease_duration")), auth.get("renewable") is True, ours=True)


def _seconds(found: object) -> float:
    return float(found) if isinstance(found, int) and found > 0 else 0.0
