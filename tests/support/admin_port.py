"""The admin port with people who may log in, over a key service in memory; and a client that speaks to it."""

from __future__ import annotations

import contextlib
import itertools
import json
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from multidict import CIMultiDict

from proxy.admin.answers import Answer, Known
from proxy.admin.api import AdminServer, Readiness
from proxy.admin.login import Authenticator
from proxy.admin.oidc import OidcVerifier
from proxy.admin.people import People, Person
from proxy.admin.sources import OwnSource
from proxy.admin.tokens import Token, make_token
from proxy.admin.v1 import Endpoints
from proxy.config import LimitsConfig
from proxy.keywork.trail import Trail
from tests.support.keywork import Desk, make_desk

PEOPLE = {
    "olga": Person(
        frozenset({"key-admin", "security-admin"}), frozenset({"olga.admins.example"}), frozenset({"olga-at-idp"})
    ),
    "pavel": Person(frozenset({"security-admin"}), frozenset({"pavel.admins.example"}), frozenset({"pavel-at-idp"})),
    "anna": Person(frozenset({"auditor"})),
    "dina": Person(frozenset({"dpo"})),
    "kirill": Person(frozenset({"key-admin"})),
}
_numbers = itertools.count(1)


@dataclass
class MemoryTokens:
    rows: dict[str, Token] = field(default_factory=dict)
    asked: int = 0

    async def add(self, token: Token) -> None:
        self.rows[token.token_id] = token

    async def find(self, token_id: str) -> Token | None:
        self.asked += 1
        return self.rows.get(token_id)

    async def revoke(self, token_id: str) -> bool:
        if token_id in self.rows:
            self.rows[token_id] = replace(self.rows[token_id], revoked_at=datetime.now(UTC))
        return token_id in self.rows

    async def all(self) -> Sequence[Token]:
        return list(self.rows.values())


@dataclass
class MemoryAnswers:
    """`lost`: what is to be kept or given up is not."""

    rows: dict[tuple[str, str], Known] = field(default_factory=dict)
    lost: bool = False

    async def claim(self, person: str, key: str, digest: bytes) -> Known | None:
        known = self.rows.get((person, key))
        self.rows.setdefault((person, key), Known(digest, None))
        return known

    async def keep(self, person: str, key: str, answer: Answer) -> None:
        if self.lost:
            raise ConnectionError
        self.rows[person, key] = replace(self.rows[person, key], answer=answer)

    async def give_up(self, person: str, key: str) -> None:
        if self.lost:
            raise ConnectionError
        del self.rows[person, key]


@dataclass(frozen=True)
class Said:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)

    @property
    def problem(self) -> str:
        """The code of a problem; fails on what is none."""
        assert self.headers["Content-Type"] == "application/problem+json", self.status
        assert self.body["status"] == self.status
        return str(self.body["type"]).removeprefix("/problems/")


@dataclass
class Port:
    desk: Desk
    tokens: MemoryTokens
    answers: MemoryAnswers
    people: People
    server: AdminServer
    scheme: str = "http"

    async def token(self, person: str, *roles: str, expires: timedelta = timedelta(days=1)) -> str:
        wanted = frozenset(roles) or self.people.people[person].roles
        shown, row = make_token(person, wanted, "test", datetime.now(UTC) + expires)
        await self.tokens.add(row)
        return shown

    async def ask(
        self,
        method: str,
        path: str,
        token: str | None = None,
        *,
        body: Any = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        key: str | None = "",
        context: ssl.SSLContext | None = None,
    ) -> Said:
        """A POST has a new idempotency key unless one is given, or None."""
        sent = CIMultiDict(headers or {})
        if token is not None:
            sent.setdefault("Authorization", f"Bearer {token}")
        if method == "POST" and key is not None:
            sent.setdefault("Idempotency-Key", key or f"test-key-{next(_numbers):06}")
        url = f"{self.scheme}://127.0.0.1:{self.server.port}{path}"
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                method, url, json=body, data=data, headers=sent, ssl=context or True, allow_redirects=False
            ) as answer,
        ):
            return Said(answer.status, answer.headers.copy(), await answer.text())


async def ready() -> Readiness:
    return Readiness({"upstream": True})


@contextlib.asynccontextmanager
async def running_port(
    *,
    oidc: OidcVerifier | None = None,
    limits: LimitsConfig | None = None,
    context: ssl.SSLContext | None = None,
    body_limit: int = 64 * 1024,
    import_limit: int = 1024 * 1024,
) -> AsyncIterator[Port]:
    desk, tokens, answers, people = await make_desk(), MemoryTokens(), MemoryAnswers(), People(PEOPLE)
    times = itertools.count()
    trail = Trail(desk.sink)
    authenticator = Authenticator(
        lambda: people,
        tokens,
        oidc,
        trail,
        limits or LimitsConfig(failed_logins=1000),
        lambda: float(next(times)) / 1e6,
    )
    endpoints = Endpoints(desk.service, authenticator, answers, body_limit, import_limit)
    server = AdminServer(OwnSource(lambda: "", ready), endpoints)
    await server.start("127.0.0.1", 0, context)
    try:
        yield Port(desk, tokens, answers, people, server, "https" if context else "http")
    finally:
        await server.stop()
