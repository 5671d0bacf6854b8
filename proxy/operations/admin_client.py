"""A client of the admin port, for the shell: one person's token or certificate, and answers or their problems.

A request that was sent and not answered is sent again with the same idempotency key, so nothing is done twice.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from proxy.config import AdminConfig
from proxy.control import read_secret
from proxy.errors import ConfigError, FieldgateError

_TRIES = 4
_WITHIN = 60.0
_PAUSE = 0.5
_TOKEN = re.compile(r"[\x21-\x7e]+")
_ANYWHERE = ("0.0.0.0", "::", "127.0.0.1", "::1")  # noqa: S104  (addresses to recognise, not to listen on)


class AdminRefused(FieldgateError):
    """The admin port's own words; `code` is the problem's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Access:
    """Where the admin port is, and who we are to it."""

    url: str
    token_file: Path | None = None
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ConfigError("--url begins with https:// or http://")
        if self.token_file is None and self.certificate is None:
            raise ConfigError(
                "say who you are: --token-file (or FIELDGATE_TOKEN_FILE), or --certificate and --certificate-key"
            )
        if (self.certificate is None) != (self.key is None):
            raise ConfigError("--certificate and --certificate-key go together")

    def headers(self) -> dict[str, str]:
        token = read_secret(self.token_file)
        if token is not None and not _TOKEN.fullmatch(token):
            raise ConfigError(f"{self.token_file}: holds no bearer token, but something that cannot be sent")
        return {} if token is None else {"Authorization": f"Bearer {token}"}

    def context(self) -> ssl.SSLContext | bool:
        if self.url.startswith("http://"):
            return True
        try:
            made = ssl.create_default_context(cafile=None if self.ca is None else str(self.ca))
            if self.certificate is not None and self.key is not None:
                made.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"the certificates cannot be used: {error.strerror or type(error).__name__}") from None
        return made


def url_of(config: AdminConfig) -> str:
    """The configuration's own admin port, as it is reached from this machine."""
    scheme = "http" if config.tls_certificate is None else "https"
    host = "localhost" if config.host in _ANYWHERE else config.host
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{config.port}"


class AdminClient:
    """Each method raises AdminRefused."""

    def __init__(self, session: aiohttp.ClientSession, access: Access) -> None:
        self._session, self._url = session, access.url.rstrip("/")
        self._context = access.context()

    async def get(self, path: str, **query: str) -> Any:
        return await self._again("GET", path, query, None, {})

    async def post(self, path: str, body: object = None) -> Any:
        headers = {"Idempotency-Key": secrets.token_urlsafe(18)}
        return await self._again("POST", path, {}, {} if body is None else body, headers)

    async def _again(self, method: str, path: str, query: dict[str, str], body: object, headers: dict[str, str]) -> Any:
        for left in reversed(range(_TRIES)):
            try:
                return await self._once(method, path, query, body, headers)
            except (aiohttp.ClientConnectionError, TimeoutError) as error:
                if isinstance(error, aiohttp.ClientSSLError):
                    raise AdminRefused(
                        "tls", "the admin port's certificate was not accepted: name its CA by --ca"
                    ) from None
                if not left:
                    raise AdminRefused("unreachable", f"the admin port does not answer at {self._url}") from None
                await asyncio.sleep(_PAUSE)
        raise AssertionError

    async def _once(self, method: str, path: str, query: dict[str, str], body: object, headers: dict[str, str]) -> Any:
        sent = None if body is None else json.dumps(body).encode()
        more = {} if sent is None else {"Content-Type": "application/json"}
        async with self._session.request(
            *(method, self._url + path),
            params=query,
            data=sent,
            headers={**headers, **more},
            ssl=self._context,
            allow_redirects=False,
        ) as answer:
            text = await answer.read()
        try:
            found = json.loads(text)
        except ValueError:
            raise AdminRefused("strange", f"what answers at {self._url} is no admin port of Fieldgate") from None
        if answer.status >= 400:
            said = found if isinstance(found, dict) else {}
            code = str(said.get("type", "")).removeprefix("/problems/")
            words = ": ".join(str(part) for part in (said.get("title"), said.get("detail")) if part)
            raise AdminRefused(code, words or f"refused with status {answer.status}")
        return found


@asynccontextmanager
async def admin_client(access: Access) -> AsyncIterator[AdminClient]:
    timeout = aiohttp.ClientTimeout(total=_WITHIN)
    async with aiohttp.ClientSession(headers=access.headers(), timeout=timeout, trust_env=False) as session:
        yield AdminClient(session, access)
