"""The proxy's own connections to the database server, by asyncpg: catalog, verifiers, checks, sequences.

Contract: every statement sent here is fully qualified and runs under `search_path = ''`, so that nothing a client can
create is ever called (CVE-2025-12819).  At most one connection a database and lane, opened when needed and again when
lost.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from proxy.errors import ConfigError, UpstreamUnavailable
from proxy.wire.scram import Verifier, parse_verifier

from .config import ControlConfig, SslMode, UpstreamConfig
from .config_types import split_host
from .tls import client_context

_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*")
_TIMEOUT = 30.0

# An InternalClientError is what asyncpg makes of a connection that the server ended while nobody listened.
_LOST = (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError, asyncpg.InternalClientError)

Connection = Any  # asyncpg has no types that mypy can check


class Control:
    """One for a worker.  `connection(database)` is exclusive: its users take turns."""

    def __init__(self, config: ControlConfig, upstream: UpstreamConfig) -> None:
        if not _IDENTIFIER.fullmatch(config.scram_function):
            raise ConfigError("control.scram_function: write schema.function, in lower case")
        self._config = config
        self._upstream = upstream
        self._password = read_secret(config.password_file)
        self._connections: dict[tuple[str, str], Connection] = {}
        self._turns: dict[tuple[str, str], asyncio.Lock] = {}

    @asynccontextmanager
    async def connection(self, database: str | None = None, lane: str = "") -> AsyncIterator[Connection]:
        """Raises UpstreamUnavailable when the server cannot be reached.  Lanes do not wait for each other."""
        database = database or self._config.database
        name = (database, lane)
        async with self._turns.setdefault(name, asyncio.Lock()):
            known = self._connections.get(name)
            if known is None or known.is_closed():
                known = self._connections[name] = await self._connect(database)
            try:
                yield known
            except _LOST:
                known.terminate()
                raise UpstreamUnavailable("the control connection was lost") from None

    async def verifier(self, login: str) -> Verifier | None:
        """The server's own SCRAM verifier of a role that may log in now; None for any other."""
        async with self.connection(lane="logins") as connection:
            try:
                text = await connection.fetchval(
                    f"SELECT {self._config.scram_function}($1)",
                    login,
                    timeout=_TIMEOUT,
                )
            except asyncpg.PostgresError as error:
                raise UpstreamUnavailable(f"the verifier function failed ({error.sqlstate})") from None
        try:
            return parse_verifier(text) if text else None
        except ValueError:
            return None  # an md5 password, or none: no SCRAM login

    async def listener(self, database: str, channel: str, heard: Callable[[], None]) -> Connection:
        """A connection of its own that calls `heard` for each notification; it is the caller's to close."""
        connection = await self._connect(database)
        listening = False
        try:
            await connection.add_listener(channel, lambda *_: heard())
            listening = True
        except (OSError, asyncpg.InterfaceError, asyncpg.PostgresError):
            raise UpstreamUnavailable("the server does not let the proxy listen for notifications") from None
        finally:
            if not listening:  # cancelled, too: nobody else knows of it
                connection.terminate()
        return connection

    async def close(self) -> None:
        for connection in self._connections.values():
            connection.terminate()
        self._connections.clear()

    async def _connect(self, database: str) -> Connection:
        return await connect(self._upstream, self._config.user, self._password, database)


async def connect(
    upstream: UpstreamConfig,
    user: str,
    password: str | None,
    database: str,
    *,
    command_timeout: float | None = _TIMEOUT,
) -> Connection:
    """A connection as the configuration reaches the server.  Raises UpstreamUnavailable, without any address."""
    hosts = [split_host(text) for text in upstream.hosts]
    secure = any(not host.startswith("/") for host, _ in hosts) and upstream.sslmode is not SslMode.DISABLE
    try:
        return await asyncpg.connect(
            host=[host for host, _ in hosts],
            port=[port for _, port in hosts],
            user=user,
            password=password,
            database=database,
            ssl=client_context(upstream.sslmode, upstream.ca) if secure else False,
            timeout=upstream.connect_timeout,
            command_timeout=command_timeout,
            server_settings={"search_path": "", "application_name": "fieldgate control"},
            target_session_attrs=upstream.target_session_attrs.value,
        )
    except (OSError, TimeoutError, asyncpg.InterfaceError) as error:
        raise UpstreamUnavailable(f"the control connection failed: {type(error).__name__}") from None
    except asyncpg.PostgresError as error:
        raise UpstreamUnavailable(f"the server refused user {user} on {database} ({error.sqlstate})") from None


def read_secret(path: Path | None) -> str | None:
    """A password file's only line; the file must be for its owner alone."""
    if path is None:
        return None
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"{path}: must not be readable by group or others (chmod 600)")
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
