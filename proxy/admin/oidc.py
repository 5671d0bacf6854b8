"""OpenID Connect: a JWT of the configured issuer says who somebody is, and which groups they are in.

Only signatures by the issuer's public keys count, by algorithms of a short list, so a token without a signature, or one
that was made with a public key as if it were a shared secret, is refused before anything else of it is believed.  Keys
are fetched when first needed, kept for `keys_max_age` at most, and asked for again when a token names an unknown one,
but never more often than every half minute: what is being guessed at is not the issuer's to bear.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import jwt

from proxy.config import OidcConfig
from proxy.errors import ConfigError

_MOST_BYTES = 256 * 1024
_MOST_TOKEN = 8 * 1024
_WITHIN = 5.0
_SELDOM = 30.0  # seconds between two tries
_LEEWAY = 30.0
_SIGNING = ("RSA", "EC", "OKP")
_Jwk = dict[str, Any]


class OidcRefused(Exception):
    """The token is not good.  Says which rule it broke, never what it said."""


class IssuerUnavailable(Exception):
    """The issuer's keys cannot be fetched, and those at hand are too old or do not name the token's."""


@dataclass(frozen=True, slots=True)
class Claims:
    """`person` is the value of the person claim; `roles` what its groups are mapped to."""

    person: str
    roles: frozenset[str]


class OidcVerifier:
    def __init__(self, config: OidcConfig, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises ConfigError."""
        self._config, self._clock = config, clock
        self._context = _context(config)
        self._keys: dict[str, _Jwk] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._fetching = asyncio.Lock()

    async def verify(self, token: str) -> Claims:
        """Raises OidcRefused, IssuerUnavailable."""
        if len(token) > _MOST_TOKEN:
            raise OidcRefused("it is too long")
        kid, algorithm = _header(token, self._config.algorithms)
        key = _key_for(await self._key(kid), algorithm)
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._config.audience,
                issuer=self._config.issuer,
                leeway=_LEEWAY,
                options={"require": ["exp", "iat", "aud", "iss", self._config.person_claim]},
            )
        except jwt.PyJWTError as error:
            raise OidcRefused(f"it was refused ({type(error).__name__})") from None
        return self._claims(claims)

    def _claims(self, claims: dict[str, Any]) -> Claims:
        person = claims.get(self._config.person_claim)
        groups = claims.get(self._config.roles_claim, [])
        if not isinstance(person, str) or not person:
            raise OidcRefused("its person claim is no text")
        if not isinstance(groups, list):
            groups = [groups]
        mapped = {
            self._config.roles[group] for group in groups if isinstance(group, str) and group in self._config.roles
        }
        return Claims(person, frozenset(mapped))

    async def _key(self, kid: str) -> _Jwk:
        if self._fresh() and kid in self._keys:
            return self._keys[kid]
        await self._fetch_seldom()
        if not self._fresh():
            raise IssuerUnavailable
        if kid not in self._keys:
            raise OidcRefused("it names a key that the issuer does not have")
        return self._keys[kid]

    def _fresh(self) -> bool:
        return self._fetched_at is not None and self._clock() - self._fetched_at < self._config.keys_max_age

    async def _fetch_seldom(self) -> None:
        async with self._fetching:
            if self._tried_at is not None and self._clock() - self._tried_at < _SELDOM:
                return
            self._tried_at = self._clock()
            try:
                self._keys = _public_keys(await self._download())
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError, jwt.PyJWTError):
                return  # the keys at hand stay good until they are too old
            self._fetched_at = self._clock()

    async def _download(self) -> object:
        timeout = aiohttp.ClientTimeout(total=_WITHIN)
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
            session.get(self._config.keys_url, allow_redirects=False, ssl=self._context or True) as answer,
        ):
            if answer.status != 200:
                raise ValueError("the issuer did not answer with its keys")
            body = await answer.content.read(_MOST_BYTES + 1)
            while len(body) <= _MOST_BYTES and (more := await answer.content.read(_MOST_BYTES)):
                body += more
        if len(body) > _MOST_BYTES:
            raise ValueError("the issuer's keys are too many")
        return json.loads(body)


def _header(token: str, algorithms: tuple[str, ...]) -> tuple[str, str]:
    """The key and the algorithm that the token names.  Raises OidcRefused."""
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise OidcRefused("it is no JWT") from None
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise OidcRefused("its algorithm is not on the list")
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise OidcRefused("it names no key")
    return kid, algorithm


def _key_for(entry: _Jwk, algorithm: str) -> jwt.PyJWK:
    """A key is used by the algorithm that it says, and by one of its own kind.  Raises OidcRefused."""
    if entry.get("alg", algorithm) != algorithm:
        raise OidcRefused("its key is for another algorithm")
    try:
        return jwt.PyJWK.from_dict(entry, algorithm=algorithm)
    except jwt.PyJWTError:
        raise OidcRefused("its key is for another algorithm") from None


def _public_keys(document: object) -> dict[str, _Jwk]:
    """Keys for signatures, by id; one that we cannot use is left out, and none at all is an error."""
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("no key set")
    found: dict[str, _Jwk] = {}
    for entry in listed:
        if not isinstance(entry, dict) or entry.get("kty") not in _SIGNING or entry.get("use", "sig") != "sig":
            continue
        if isinstance(entry.get("kid"), str) and "d" not in entry:  # a private one should not be there
            found[entry["kid"]] = entry
    if not found:
        raise ValueError("no usable key")
    return found


def _context(config: OidcConfig) -> ssl.SSLContext | None:
    if config.ca is None:
        return None
    try:
        return ssl.create_default_context(cafile=str(config.ca))
    except (OSError, ssl.SSLError):
        raise ConfigError(f"admin.oidc.ca: {config.ca}: not a usable CA file") from None
