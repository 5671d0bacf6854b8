"""Transit of a real OpenBao server: the conformity suite, logins and their renewal, and what can be wrong there."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from itertools import count as counting
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keys.errors import KeyringLocked, ProviderRefused, ProviderUnavailable
from keys.primitives import random_bytes
from keys.provider import KekProvider, Wrapped, Wrapping
from keys.providers.blob import Kind
from keys.providers.common import Clock
from keys.providers.resilient import Patience, ResilientKek
from keys.providers.secret import Secret
from keys.providers.vault.login import AppRoleLogin, JwtLogin, Login, TokenLogin
from keys.providers.vault.transit import PER_CALL, TransitKek
from keys.providers.vault.transport import Transport

from .clocks import HeldClock, InstantClock
from .conformity import CONTEXT, Conformity, Real, items, wrapped
from .relay import Relay, failing
from .servers import Bao, bao

POLICY = """
path "transit/keys/{key}" {{ capabilities = ["read"] }}
path "transit/encrypt/{key}" {{ capabilities = ["update"] }}
path "transit/decrypt/{key}" {{ capabilities = ["update"] }}
path "transit/rewrap/{key}" {{ capabilities = ["update"] }}
path "transit/keys/{key}/rotate" {{ capabilities = ["update"] }}
"""
_numbers = counting(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with bao(tmp_path_factory.mktemp("bao")) as started:
        started.api("POST", "sys/mounts/transit", {"type": "transit"})
        started.api("POST", "sys/auth/approle", {"type": "approle"})
        started.api("POST", "sys/auth/jwt", {"type": "jwt"})
        yield started


def new_key(server: Bao, **options: object) -> str:
    """A key of its own, with a policy of the same name."""
    key = f"kek{next(_numbers)}"
    server.api("POST", f"transit/keys/{key}", {"type": "aes256-gcm96", "derived": True, **options})
    server.api("PUT", f"sys/policies/acl/{key}", {"policy": POLICY.format(key=key)})
    return key


def secret_file(path: Path, content: str) -> Secret:
    path.touch(mode=0o600)
    path.write_text(content + "\n")
    return Secret(file=path)


@dataclass(eq=False)
class Transit(Real):
    server: Bao
    relay: Relay
    folder: Path
    key: str
    token: str
    kind = Kind.VAULT

    def __post_init__(self) -> None:
        self.secrets = (self.token, "canary-error-text")
        self.token_file = self.folder / "token"
        secret_file(self.token_file, self.token)
        self.transit = self.another_door()
        self.provider: KekProvider = ResilientKek(self.transit)

    def door(
        self,
        *,
        login: Login | None = None,
        key: str = "",
        clock: Clock | None = None,
        timeout: float = 10.0,
        namespace: str | None = None,
        notice: Callable[[str], None] = lambda _: None,
        per_call: int = PER_CALL,
    ) -> TransitKek:
        return TransitKek(
            Transport(self.relay.address, namespace=namespace, ca=None, timeout=timeout),
            login or TokenLogin(Secret(file=self.token_file)),
            mount="transit",
            key=key or self.key,
            clock=clock,
            notice=notice,
            per_call=per_call,
        )

    def another_door(self) -> TransitKek:
        return self.door()

    def another_kek(self) -> TransitKek:
        key = new_key(self.server)
        return self.door(login=self.login_for(key), key=key)

    def login_for(self, policy: str, **options: object) -> TokenLogin:
        token = self.server.token([policy], **options)
        return TokenLogin(secret_file(self.folder / f"token{next(_numbers)}", token))

    async def remove_key(self) -> None:
        self.server.api("POST", f"transit/keys/{self.key}/config", {"deletion_allowed": True})
        self.server.api("DELETE", f"transit/keys/{self.key}")

    def requests(self) -> int:
        return len(self.relay.paths)


@pytest.fixture
async def real(server: Bao, tmp_path: Path) -> AsyncIterator[Transit]:
    relay = Relay(server.address, server.ca)
    await relay.start()
    key = new_key(server)
    made = Transit(server, relay, tmp_path, key, server.token([key]))
    await made.provider.open()
    yield made
    relay.fault, relay.hangs = None, False
    await made.provider.close()
    await relay.stop()


class TestConformity(Conformity):
    def requests_for(self, count: int) -> int:
        return 2 * -(-count // PER_CALL)


async def test_a_batch_that_is_too_long_says_so(real: Transit) -> None:
    with pytest.raises(ProviderRefused, match="lower `batch`"):
        await real.transit.wrap(items(300))


async def one_blob(real: Transit) -> Wrapped:
    [blob] = await real.transit.wrap([Wrapping(random_bytes(32), CONTEXT)])
    return Wrapped(blob, CONTEXT)


async def test_rewrapped_material_never_leaves_the_server(real: Transit) -> None:
    made = items(50)
    old = wrapped(await real.transit.wrap(made), made)
    await real.transit.rotate()
    del real.relay.paths[:], real.relay.answers[:]
    await real.transit.rewrap(old)
    assert real.relay.paths == [f"transit/rewrap/{real.key}"]
    assert not any(base64.b64encode(m.material) in answer for m in made for answer in real.relay.answers)


async def test_long_lists_are_cut_into_calls(real: Transit) -> None:
    provider = ResilientKek(real.transit)
    made = items(500)
    del real.relay.paths[:]
    blobs = await provider.wrap(made)
    assert real.relay.paths == [f"transit/encrypt/{real.key}"] * 3
    assert await provider.unwrap(wrapped(blobs, made)) == [item.material for item in made]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"type": "chacha20-poly1305"}, "type aes256-gcm96"),
        ({"type": "ed25519"}, "type aes256-gcm96"),
        ({"derived": False}, "not derived"),
        ({"exportable": True}, "exported"),
        ({"allow_plaintext_backup": True}, "plaintext"),
        ({"convergent_encryption": True}, "convergent"),
    ],
)
async def test_a_key_of_the_wrong_kind_is_refused(real: Transit, options: dict[str, object], reason: str) -> None:
    key = new_key(real.server, **options)
    with pytest.raises(ProviderRefused, match=reason):
        await real.door(login=real.login_for(key), key=key).open()


async def test_a_key_that_never_was_is_not_made(real: Transit) -> None:
    real.server.api("PUT", "sys/policies/acl/never", {"policy": POLICY.format(key="never")})
    with pytest.raises(ProviderRefused, match="there is no key vault:transit/never: make it"):
        await real.door(login=real.login_for("never"), key="never").open()


@pytest.mark.parametrize("policy", ["root", "creator"])
async def test_a_token_that_could_make_keys_is_refused(real: Transit, policy: str) -> None:
    text = POLICY.format(key=real.key).replace('["update"]', '["create", "update"]')
    real.server.api("PUT", "sys/policies/acl/creator", {"policy": text})
    with pytest.raises(ProviderRefused, match="not create, sudo or root"):
        await real.door(login=real.login_for(policy)).open()


async def test_what_the_policy_does_not_allow(real: Transit) -> None:
    wrapped_key = await one_blob(real)
    text = POLICY.format(key=real.key).replace(f'"transit/decrypt/{real.key}"', '"transit/decrypt/other"')
    real.server.api("PUT", f"sys/policies/acl/{real.key}", {"policy": text})
    await real.transit.wrap([Wrapping(random_bytes(32), CONTEXT)])
    for call in (real.transit.unwrap([wrapped_key]), real.transit.check()):
        with pytest.raises(ProviderRefused, match=f"transit/decrypt/{real.key}: the token's policy must allow it"):
            await call
    assert real.transit.logins == 1, "the token is good: no other login can help"


async def test_a_version_below_the_minimum(real: Transit) -> None:
    wrapped_key = await one_blob(real)
    await real.transit.rotate()
    real.server.api("POST", f"transit/keys/{real.key}/config", {"min_decryption_version": 2})
    with pytest.raises(ProviderRefused, match="min_decryption_version"):
        await real.transit.unwrap([wrapped_key])


async def test_a_key_that_is_deleted_meanwhile(real: Transit) -> None:
    wrapped_key = await one_blob(real)
    await real.remove_key()
    for call in (real.transit.unwrap([wrapped_key]), real.transit.rewrap([wrapped_key]), real.transit.version()):
        with pytest.raises(ProviderRefused, match="there is no key"):
            await call
    with pytest.raises(ProviderRefused):
        await real.transit.wrap([Wrapping(random_bytes(32), CONTEXT)])
    with pytest.raises(http.client.HTTPException, match="404"):
        real.server.api("GET", f"transit/keys/{real.key}")


async def test_certificates_are_verified(real: Transit) -> None:
    def transport(ca: Path | None) -> TransitKek:
        made = Transport(real.server.address, namespace=None, ca=ca, timeout=10)
        return TransitKek(made, TokenLogin(Secret(file=real.token_file)), mount="transit", key=real.key)

    trusting = transport(real.server.ca)
    await trusting.open()
    await trusting.check()
    await trusting.close()
    with pytest.raises(ProviderRefused, match="certificate that is trusted"):
        await transport(None).open()
    with pytest.raises(ProviderRefused, match="no readable file of certificates"):
        await transport(real.folder / "absent").open()


@pytest.mark.parametrize(
    "address",
    [
        "http://vault.example:8200",
        "https://user:canary@vault",
        "https://vault/v1",
        "https://vault?x",
        "vault",
        "ftp://vault",
    ],
)
def test_addresses_that_are_refused(address: str) -> None:
    with pytest.raises(ValueError, match="address of Vault") as caught:
        Transport(address, namespace=None, ca=None, timeout=1)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a/../b", "/a", "a/", "a b", "a?b", "..", "%2e"])
def test_names_that_would_lead_elsewhere(name: str) -> None:
    transport = Transport("https://vault", namespace=None, ca=None, timeout=1)
    login = TokenLogin(Secret(variable="X"))
    for mount, key in ((name, "key"), ("transit", name), ("transit", "a/b")):
        with pytest.raises(ValueError, match="names as they stand"):
            TransitKek(transport, login, mount=mount, key=key)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 472, 473, 412])
async def test_trouble_that_may_pass(real: Transit, status: int) -> None:
    wrapped_key = await one_blob(real)
    real.relay.fault = failing(status)
    with pytest.raises(ProviderUnavailable, match=str(status)) as caught:
        await real.transit.unwrap([wrapped_key])
    assert "canary" not in str(caught.value)
    real.relay.fault = failing(status, times=2)
    assert len(await ResilientKek(real.transit, Patience(), InstantClock()).unwrap([wrapped_key])) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "no json"),
        (200, "[]"),
        (200, "{}"),
        (200, '{"data": []}'),
        (200, '{"data": null}'),
        (200, '{"data": {"batch_results": []}}'),
        (200, '{"data": {"batch_results": [[]]}}'),
        (200, '{"data": {"batch_results": [{"plaintext": 1}]}}'),
        (200, '{"data": {"batch_results": [{"plaintext": "###"}]}}'),
        (200, '{"data": {"batch_results": [{"error": "canary"}]}}'),
        (400, "{}"),
        (418, "canary"),
        (307, "{}"),
    ],
)
async def test_answers_that_no_vault_gives(real: Transit, status: int, body: str) -> None:
    wrapped_key = await one_blob(real)
    real.relay.fault = failing(status, body)
    with pytest.raises((ProviderUnavailable, ProviderRefused)) as caught:
        await real.transit.unwrap([wrapped_key])
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    ["{}", '{"data": []}', '{"data": {}}', '{"data": {"ttl": "x"}}', '{"auth": []}', '{"auth": {"client_token": 1}}'],
)
async def test_answers_to_a_login_that_no_vault_gives(real: Transit, body: str) -> None:
    for login in (TokenLogin(Secret(file=real.token_file)), app_role(real)):
        real.relay.fault = failing(200, body)
        with pytest.raises(ProviderRefused):
            await real.door(login=login).open()


async def test_nobody_answers_and_then_somebody_does(real: Transit) -> None:
    patience = Patience(timeout=0.3, attempts=2, failures=100)
    provider, wrapped_key = ResilientKek(real.transit, patience, InstantClock()), await one_blob(real)
    real.relay.hangs = True
    with pytest.raises(ProviderUnavailable, match=r"within 0\.3 s"):
        await provider.unwrap([wrapped_key])
    real.relay.hangs = False
    await real.relay.shut()
    with pytest.raises(ProviderUnavailable, match="does not answer"):
        await provider.unwrap([wrapped_key])
    with pytest.raises(ProviderUnavailable):
        await real.another_door().open()
    await real.relay.listen()
    assert len(await provider.unwrap([wrapped_key])) == 1


async def test_a_sealed_server(real: Transit) -> None:
    wrapped_key = await one_blob(real)
    real.server.api("POST", "sys/seal")
    try:
        for call in (real.transit.unwrap([wrapped_key]), real.another_door().open(), real.transit.check()):
            with pytest.raises(ProviderUnavailable, match="sealed: unseal it"):
                await call
    finally:
        real.server.unseal()
    await patiently(lambda: real.transit.check())
    assert len(await real.transit.unwrap([wrapped_key])) == 1


async def patiently(call: Callable[[], object]) -> None:
    """After unsealing, the server needs a moment."""
    deadline = time.monotonic() + 20
    while True:
        try:
            found = call()
            assert asyncio.iscoroutine(found)
            await found
            return
        except ProviderUnavailable:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)


async def test_a_token_that_was_revoked_and_replaced(real: Transit) -> None:
    wrapped_key = await one_blob(real)
    real.server.api("POST", "auth/token/revoke", {"token": real.token})
    with pytest.raises(ProviderRefused, match="not valid any more: put a new one there"):
        await real.transit.unwrap([wrapped_key])
    secret_file(real.token_file, real.server.token([real.key]))
    assert len(await real.transit.unwrap([wrapped_key])) == 1


async def test_a_token_is_renewed_before_it_expires(real: Transit) -> None:
    provider = real.door(login=real.login_for(real.key, period="2s"))
    await provider.open()
    try:
        started = time.monotonic()
        while provider.renewals < 2:
            assert time.monotonic() - started < 30
            await asyncio.sleep(0.05)
        assert time.monotonic() - started > 2, "it would have expired without"
        await provider.check()
        assert provider.logins == 1
    finally:
        await provider.close()


def app_role(real: Transit, **options: object) -> AppRoleLogin:
    role = f"auth/approle/role/{real.key}"
    real.server.api("POST", role, {"token_policies": [real.key], **options})
    role_id = real.server.api("GET", f"{role}/role-id")["data"]["role_id"]
    secret_id = real.server.api("POST", f"{role}/secret-id", {})["data"]["secret_id"]
    return AppRoleLogin(role_id, secret_file(real.folder / "secret-id", secret_id))


async def test_when_renewal_ends_it_logs_in_anew(real: Transit) -> None:
    provider = real.door(login=app_role(real, token_ttl="2s", token_max_ttl="3s"))
    await provider.open()
    try:
        deadline = time.monotonic() + 30
        while provider.logins < 2:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        await provider.check()
    finally:
        await provider.close()


async def test_a_dead_token_is_replaced_once_for_all_calls(real: Transit) -> None:
    provider = real.door(login=app_role(real))
    await provider.open()
    good = [await one_blob(real)] * 20
    real.server.api("POST", f"auth/approle/role/{real.key}/secret-id", {})
    for accessor in real.server.api("LIST", "auth/token/accessors")["data"]["keys"]:
        if (
            real.key
            in real.server.api("POST", "auth/token/lookup-accessor", {"accessor": accessor})["data"]["policies"]
        ):
            real.server.api("POST", "auth/token/revoke-accessor", {"accessor": accessor})
    answers = await asyncio.gather(*(provider.unwrap([item]) for item in good))
    assert len(answers) == 20 and provider.logins == 2
    await provider.close()


async def test_its_own_token_ends_with_it(real: Transit) -> None:
    provider = real.door(login=app_role(real))
    before = len(real.server.api("LIST", "auth/token/accessors")["data"]["keys"])
    await provider.open()
    assert len(real.server.api("LIST", "auth/token/accessors")["data"]["keys"]) == before + 1
    await provider.close()
    assert len(real.server.api("LIST", "auth/token/accessors")["data"]["keys"]) == before


async def test_a_wrong_secret_id(real: Transit) -> None:
    login = app_role(real)
    secret_file(real.folder / "secret-id", "canary-wrong-secret-id")
    with pytest.raises(ProviderRefused, match="role id, or the secret id in") as caught:
        await real.door(login=login).open()
    assert "canary" not in str(caught.value).replace(str(real.folder), "")


def jwt(key: Ed25519PrivateKey, **claims: object) -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": "EdDSA", "typ": "JWT"}, claims)]
    text = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    return (text + b"." + base64.urlsafe_b64encode(key.sign(text)).rstrip(b"=")).decode()


async def test_login_by_jwt_as_kubernetes_does(real: Transit) -> None:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    real.server.api("POST", "auth/jwt/config", {"jwt_validation_pubkeys": [public], "jwt_supported_algs": ["EdDSA"]})
    role = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"], "token_policies": [real.key]}
    real.server.api("POST", "auth/jwt/role/fieldgate", role)
    now = int(time.time())
    good = jwt(key, sub="fieldgate", aud="vault", iat=now, nbf=now, exp=now + 60)
    file = secret_file(real.folder / "jwt", good)
    provider = real.door(login=JwtLogin("fieldgate", file))
    await provider.open()
    await provider.check()
    await provider.close()
    secret_file(real.folder / "jwt", jwt(Ed25519PrivateKey.generate(), sub="fieldgate", aud="vault", exp=now + 60))
    with pytest.raises(ProviderRefused, match="the JWT in"):
        await provider.open()


async def test_a_namespace_of_its_own(real: Transit) -> None:
    real.server.api("POST", "sys/namespaces/team", {})
    real.server.api("POST", "sys/mounts/transit", {"type": "transit"}, namespace="team")
    real.server.api("POST", "transit/keys/inner", {"type": "aes256-gcm96", "derived": True}, namespace="team")
    real.server.api("PUT", "sys/policies/acl/inner", {"policy": POLICY.format(key="inner")}, namespace="team")
    made = real.server.api("POST", "auth/token/create", {"policies": ["inner"]}, namespace="team")
    login = TokenLogin(secret_file(real.folder / "inner", made["auth"]["client_token"]))
    provider = real.door(login=login, key="inner", namespace="team")
    await provider.open()
    await provider.check()
    await provider.close()
    with pytest.raises(ProviderRefused):
        await real.door(login=login, key="inner").open()


async def test_an_outage_at_renewal_is_told_and_survived(real: Transit) -> None:
    clock, heard = HeldClock(), asyncio.Queue[str]()
    provider = real.door(login=app_role(real, token_ttl="1h"), clock=clock, notice=heard.put_nowait)
    await provider.open()
    try:
        assert await clock.next_sleep() == pytest.approx(2400)
        real.relay.fault = failing(503)
        clock.advance(2400)
        assert "could not be renewed" in await heard.get()
        pause = await clock.next_sleep()
        assert 1 <= pause <= 5
        real.relay.fault = None
        clock.advance(pause)
        assert await clock.next_sleep() == pytest.approx(2400, abs=5)
        assert provider.renewals == 1 and provider.logins == 1
    finally:
        await provider.close()


async def test_a_token_that_nobody_replaces_is_told_of(real: Transit) -> None:
    clock, heard = HeldClock(), asyncio.Queue[str]()
    login = real.login_for(real.key, ttl="1h", explicit_max_ttl="1h", renewable=False)
    provider = real.door(login=login, clock=clock, notice=heard.put_nowait)
    await provider.open()
    try:
        await clock.next_sleep()
        real.relay.fault = lambda request: (
            failing(200, '{"data": {"ttl": 900, "renewable": false}}')(request) if "lookup" in request.path else None
        )
        clock.advance(2400)
        assert "expires in 900 s and is not renewed: put a new one" in await heard.get()
    finally:
        await provider.close()


async def test_associated_data_would_not_survive_a_rewrap(real: Transit) -> None:
    """Why keys are derived: the engine's rewrap does not know associated data.  When this fails, read the decision."""
    body = {"type": "aes256-gcm96"}
    real.server.api("POST", "transit/keys/plain", body)
    data = base64.b64encode(b"data").decode()
    entry = {"plaintext": data, "associated_data": data}
    made = real.server.api("POST", "transit/encrypt/plain", {"batch_input": [entry]})
    again = {"ciphertext": made["data"]["batch_results"][0]["ciphertext"], "associated_data": data}
    answer = real.server.api("POST", "transit/rewrap/plain", {"batch_input": [again]})
    assert "authentication failed" in answer["data"]["batch_results"][0]["error"]


async def test_without_the_context_keys_would_change_places(real: Transit, monkeypatch: pytest.MonkeyPatch) -> None:
    """The binding is what refuses: with every context the same, another context unwraps."""
    monkeypatch.setattr("keys.providers.vault.transit._context", lambda _: base64.b64encode(b"same").decode())
    [blob] = await real.transit.wrap([Wrapping(b"m" * 32, CONTEXT)])
    assert await real.transit.unwrap([Wrapped(blob, b"another")]) == [b"m" * 32]
    monkeypatch.undo()
    with pytest.raises(KeyringLocked):
        await real.transit.unwrap([Wrapped(blob, b"another")])
