"""One Vault server over HTTP: JSON out, JSON back, and what each answer means.  Knows no key and no token's life.

Certificates are verified, redirects are not followed (a token would go along), proxies of the environment are not
used, answers are bounded, and no text of the server's enters a message: Vault repeats parts of requests in some.
"""

from __future__ import annotations

import json
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from keys.errors import ProviderRefused, ProviderUnavailable

MAX_ANSWER = 64 << 20
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
# 412: a replica is behind; 429: too many requests; 472, 473: a standby that does not serve.
_LATER = frozenset({408, 412, 429, 472, 473, 500, 502, 503, 504})


class PermissionDenied(ProviderRefused):
    """403: the token may not do this, or is no token any more."""


class Rejected(ProviderRefused):
    """400 or 404, with what Vault said: for code that knows what may be in it, not for messages."""

    def __init__(self, message: str, status: int, answer: dict[str, Any]) -> None:
        super().__init__(message)
        self.status, self.answer = status, answer

    def says(self, part: str) -> bool:
        errors = self.answer.get("errors")
        return isinstance(errors, list) and any(part in str(error) for error in errors)


class Transport:
    """Belongs to one event loop.  `ca` is a file of certificates; without it, those of the system are trusted."""

    def __init__(self, address: str, *, namespace: str | None, ca: Path | None, timeout: float) -> None:
        require_address(address)
        self.address = address.rstrip("/")
        self._namespace, self._ca, self._timeout = namespace, ca, timeout
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        await self.close()
        headers = {"X-Vault-Request": "true"}
        if self._namespace is not None:
            headers["X-Vault-Namespace"] = self._namespace
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._tls(), limit=16),
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=self._timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, token: str | None = None
    ) -> dict[str, Any]:
        """The answer's JSON object; empty for none.  Raises ProviderUnavailable, PermissionDenied or Rejected."""
        if self._session is None:
            raise ProviderRefused(f"{self.address} is not open")
        headers = {} if token is None else {"X-Vault-Token": token}
        try:
            async with self._session.request(
                method, f"{self.address}/v1/{path}", json=body, headers=headers, allow_redirects=False
            ) as answer:
                content = await _bounded(answer)
                status = answer.status
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError):
            raise ProviderRefused(
                f"{self.address} does not show a certificate that is trusted here: name its authority in `ca`"
            ) from None
        except TimeoutError:
            raise ProviderUnavailable(f"{self.address} does not answer within {self._timeout:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as failure:
            raise ProviderUnavailable(f"{self.address} does not answer ({type(failure).__name__})") from None
        return self._judged(status, path, _object(content))

    def _judged(self, status: int, path: str, answer: dict[str, Any] | None) -> dict[str, Any]:
        if 200 <= status < 300:
            if answer is None:
                raise ProviderUnavailable(f"{self.address} answered {path} with something that is not JSON")
            return answer
        if status == 503 and answer is not None and "sealed" in str(answer.get("errors")):
            raise ProviderUnavailable(f"{self.address} is sealed: unseal it")
        if 300 <= status < 400:
            raise ProviderUnavailable(f"{self.address} points elsewhere: name the active node or a load balancer")
        if status in _LATER or status >= 500:
            raise ProviderUnavailable(f"{self.address} answers {path} with status {status}")
        if status == 403:
            raise PermissionDenied(f"{self.address} refuses {path}: the token's policy must allow it")
        raise Rejected(f"{self.address} answers {path} with status {status}", status, answer or {})

    def _tls(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self._ca)
        except OSError:
            raise ProviderRefused(f"{self._ca} is no readable file of certificates") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def require_address(address: str) -> None:
    """`https://host[:port]`, or http on loopback; nothing else stands in it.  Raises ValueError."""
    parts = urlsplit(address)
    if parts.username is not None or parts.password is not None:
        raise ValueError("the address of Vault holds no login")
    if parts.query or parts.fragment or parts.path not in ("", "/") or not parts.hostname:
        raise ValueError("the address of Vault is written https://host:port")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ValueError("the address of Vault begins with https:// (http:// for loopback only)")


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for part in answer.content.iter_chunked(1 << 16):
        content += part
        if len(content) > MAX_ANSWER:
            raise ValueError("the answer is too long")
    return bytes(content)


def _object(content: bytes) -> dict[str, Any] | None:
    if not content:
        return {}
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None
