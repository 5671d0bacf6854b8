"""Logins by JWT, with an issuer of our own on loopback: what is taken, what is not, and when the issuer is away."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from proxy.admin.oidc import OidcVerifier
from proxy.config import OidcConfig
from tests.support.admin_port import Port, running_port
from tests.support.keywork import EMAIL

ISSUER, AUDIENCE = "https://idp.example", "fieldgate-admin"
RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
STRANGER = rsa.generate_private_key(65537, 2048)
VERIFY = f"/v1/fields/shop/{EMAIL}/verify"


def jwk(key: Any, kid: str, **more: str) -> dict[str, Any]:
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, "use": "sig", **more}


@dataclass
class Issuer:
    keys: list[dict[str, Any]] = field(default_factory=lambda: [jwk(RSA_KEY, "rsa"), jwk(EC_KEY, "ec", alg="ES256")])
    fetched: int = 0
    broken: bytes | int | None = None
    url: str = ""

    async def elsewhere(self, _request: web.Request) -> web.Response:
        return web.json_response({"keys": self.keys})

    async def answer(self, _request: web.Request) -> web.Response:
        self.fetched += 1
        if isinstance(self.broken, int):
            return web.Response(status=self.broken, headers={"Location": self.url.replace("/keys", "/elsewhere")})
        return web.Response(body=self.broken if self.broken is not None else json.dumps({"keys": self.keys}).encode())


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Issuer]:
    issuer = Issuer()
    app = web.Application()
    app.router.add_get("/keys", issuer.answer)
    app.router.add_get("/elsewhere", issuer.elsewhere)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    issuer.url = f"http://127.0.0.1:{runner.addresses[0][1]}/keys"
    yield issuer
    await runner.cleanup()


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    made = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": "olga-at-idp", "groups": ["keys", "unrelated"], "iat": now, "nbf": now,
        "exp": now + 300,
    }  # fmt: skip
    return {name: value for name, value in {**made, **changes}.items() if value is not ...}


def signed(key: Any = RSA_KEY, algorithm: str = "RS256", kid: str | None = "rsa", **changes: Any) -> str:
    return jwt.encode(claims(**changes), key, algorithm, headers={"kid": kid} if kid else {})


def config(issuer: Issuer, **changes: Any) -> OidcConfig:
    roles = {"keys": "key-admin", "watch": "security-admin"}
    return OidcConfig(**{"issuer": ISSUER, "audience": AUDIENCE, "keys_url": issuer.url, "roles": roles, **changes})


@dataclass
class Stage:
    issuer: Issuer
    port: Port
    clock: Clock

    async def problem(self, token: str) -> str:
        return (await self.port.ask("GET", "/v1/keys", token)).problem

    async def status(self, token: str) -> int:
        return (await self.port.ask("GET", "/v1/keys", token)).status


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    clock = Clock()
    async with serving() as issuer, running_port(oidc=OidcVerifier(config(issuer), clock)) as port:
        yield Stage(issuer, port, clock)


async def test_a_jwt_is_a_login_with_the_roles_of_its_groups(stage: Stage) -> None:
    made = await stage.port.ask("POST", VERIFY, signed())
    assert (made.status, made.body["requested_by"]) == (202, "olga")
    assert stage.port.desk.sink.records[0] | {"id": "", "at": ""} == stage.port.desk.sink.records[0] | {
        "id": "", "at": "", "via": "oidc", "roles": ["key-admin"],
    }  # fmt: skip
    assert (await stage.port.ask("POST", VERIFY, signed(EC_KEY, "ES256", "ec"))).status == 202
    assert (await stage.port.ask("POST", VERIFY, signed(algorithm="PS256"))).status == 202
    assert stage.issuer.fetched == 1


async def test_roles_are_those_of_groups_and_person_both(stage: Stage) -> None:
    watching = signed(groups=["watch"])
    assert (await stage.port.ask("POST", "/v1/keks/rewrap", watching)).problem == "forbidden"
    pavel = signed(sub="pavel-at-idp", groups=["keys"])  # the issuer says more than the people file
    assert (await stage.port.ask("POST", "/v1/keks/rewrap", pavel)).problem == "forbidden"
    assert (await stage.port.ask("GET", "/v1/keys", signed(groups=...))).problem == "forbidden"


async def test_who_asks_by_jwt_does_not_approve_by_token(stage: Stage) -> None:
    key = await stage.port.desk.disabled_key()
    made = await stage.port.ask("POST", f"/v1/keys/{key.name}/destroy", signed())
    approve = f"/v1/operations/{made.body['operation_id']}/approve"
    assert (await stage.port.ask("POST", approve, await stage.port.token("olga"))).problem == "same-person"
    assert (await stage.port.ask("POST", approve, signed(groups=["watch"]))).problem == "same-person"
    pavel = signed(sub="pavel-at-idp", groups=["watch"])
    assert (await stage.port.ask("POST", approve, pavel)).body["approved_by"] == "pavel"


def unsigned(algorithm: str = "none") -> str:
    def part(data: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()

    return f"{part({'alg': algorithm, 'typ': 'JWT', 'kid': 'rsa'})}.{part(claims())}."


def confused() -> str:
    """HS256 with the public key as the shared secret."""
    public = RSA_KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    head = unsigned("HS256")[:-1]
    code = hmac.new(public, head.encode(), hashlib.sha256).digest()
    return f"{head}.{base64.urlsafe_b64encode(code).rstrip(b'=').decode()}"


def tampered() -> str:
    head, body, code = signed().split(".")
    other = json.loads(base64.urlsafe_b64decode(body + "==")) | {"sub": "pavel-at-idp"}
    return f"{head}.{base64.urlsafe_b64encode(json.dumps(other).encode()).rstrip(b'=').decode()}.{code}"


BAD: list[tuple[str, Callable[[], str]]] = [
    ("no signature", unsigned),
    ("no signature, other spelling", lambda: unsigned("nOnE")),
    ("a public key as a shared secret", confused),
    ("changed", tampered),
    ("another's signature", lambda: signed(STRANGER)),
    ("the key of another algorithm", lambda: signed(kid="ec")),
    ("an algorithm that is not on the list", lambda: signed(algorithm="RS512")),
    ("no key named", lambda: signed(kid=None)),
    ("an unknown key", lambda: signed(STRANGER, kid="stranger")),
    ("another audience", lambda: signed(aud="other")),
    ("no audience", lambda: signed(aud=...)),
    ("another issuer", lambda: signed(iss="https://evil.example")),
    ("no issuer", lambda: signed(iss=...)),
    ("expired", lambda: signed(exp=int(time.time()) - 60)),
    ("no expiry", lambda: signed(exp=...)),
    ("not yet valid", lambda: signed(nbf=int(time.time()) + 120)),
    ("made in the future", lambda: signed(iat=int(time.time()) + 120)),
    ("nobody", lambda: signed(sub=...)),
    ("nobody we know", lambda: signed(sub="stranger")),
    ("a person's name instead of the claim", lambda: signed(sub="olga")),
    ("too long", lambda: signed(note="x" * 9000)),
    ("no jwt", lambda: "a.b.c"),
]


@pytest.mark.parametrize(("what", "make"), BAD, ids=[what for what, _ in BAD])
async def test_what_is_wrong_is_401(stage: Stage, what: str, make: Callable[[], str]) -> None:
    assert await stage.problem(make()) in ("unauthenticated", "invalid-request")
    assert await stage.status(signed()) == 200  # and the right one still works


async def test_a_critical_header_that_is_not_understood_is_refused(stage: Stage) -> None:
    token = jwt.encode(claims(), RSA_KEY, "RS256", headers={"kid": "rsa", "crit": ["exp2"], "exp2": 1})
    assert await stage.problem(token) == "unauthenticated"


async def test_new_keys_are_fetched_when_named_and_seldom(stage: Stage) -> None:
    assert await stage.status(signed()) == 200
    fresh = signed(STRANGER, kid="fresh")
    stage.issuer.keys = [jwk(STRANGER, "fresh")]
    for _ in range(5):
        assert await stage.problem(fresh) == "unauthenticated"  # asked a moment ago
    assert stage.issuer.fetched == 1
    stage.clock.now += 31
    assert await stage.status(fresh) == 200
    assert await stage.problem(signed()) == "unauthenticated"  # withdrawn
    assert stage.issuer.fetched == 2


async def test_many_at_once_fetch_once(stage: Stage) -> None:
    answers = await asyncio.gather(*(stage.status(signed()) for _ in range(5)))
    assert answers == [200] * 5 and stage.issuer.fetched == 1


async def test_an_outage_is_survived_for_as_long_as_keys_may_be_kept(stage: Stage) -> None:
    assert await stage.status(signed()) == 200
    stage.issuer.broken = 503
    stage.clock.now += 3599
    assert await stage.status(signed()) == 200
    stage.clock.now += 2
    assert await stage.problem(signed()) == "issuer-unavailable"
    stage.issuer.broken = None
    stage.clock.now += 31
    assert await stage.status(signed()) == 200


@pytest.mark.parametrize(
    "broken",
    [302, 500, b"{", b"[]", b'{"keys": []}', b'{"keys": [{"kty": "oct", "kid": "rsa", "k": "AA"}]}', b" " * 300_000],
)
async def test_a_strange_issuer_is_an_issuer_that_is_away(stage: Stage, broken: bytes | int) -> None:
    stage.issuer.broken = broken
    assert await stage.problem(signed()) == "issuer-unavailable"


async def test_keys_for_encryption_and_shared_secrets_are_left_out(stage: Stage) -> None:
    stage.issuer.keys = [jwk(RSA_KEY, "rsa", use="enc"), jwk(EC_KEY, "ec")]
    assert await stage.problem(signed()) == "unauthenticated"
    assert await stage.status(signed(EC_KEY, "ES256", "ec")) == 200


@pytest.mark.parametrize(
    "change",
    [
        {"keys_url": "http://idp.example/keys"},
        {"keys_url": "file:///etc/passwd"},
        {"algorithms": ("HS256",)},
        {"algorithms": ("none",)},
        {"algorithms": ()},
        {"roles": {}},
        {"roles": {"x": "root"}},
    ],
)
def test_what_may_not_be_configured(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        config(Issuer(url="https://idp.example/keys"), **change)


async def test_an_issuer_with_a_certificate_of_nobody_we_trust_is_away(tmp_path: Path) -> None:
    verifier = OidcVerifier(config(Issuer(url="https://127.0.0.1:9/keys")))
    async with running_port(oidc=verifier) as port:
        assert (await port.ask("GET", "/v1/keys", signed())).problem == "issuer-unavailable"
