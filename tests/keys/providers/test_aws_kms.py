"""KMS as moto's server plays it: the conformity suite, and what AWS can answer.

moto is real in its protocol, its errors and its binding of contexts; it does not change key material when a key is
rotated, and does not mind a disabled key when it encrypts.  Those answers come from the relay in front of it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiobotocore.session import get_session
from aiohttp import web

from keys.errors import CryptoError, KeyringLocked, ProviderRefused, ProviderUnavailable
from keys.primitives import random_bytes
from keys.provider import KekProvider, Wrapped, Wrapping
from keys.providers.aws_kms import AwsKmsKek
from keys.providers.blob import Kind
from keys.providers.resilient import Patience, ResilientKek

from .clocks import InstantClock
from .conformity import CONTEXT, Conformity, Real, items, wrapped
from .relay import Fault, Relay
from .servers import moto

REGION = "eu-central-1"
SECRET = "canary-secret-access-key"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with moto(tmp_path_factory.mktemp("moto")) as address:
        yield address


def answering(code: str, status: int = 400, *, of: str = "", times: int = -1) -> Fault:
    """AWS's error with this code, for this operation or for all."""
    left = [times]

    def fault(request: web.Request) -> web.Response | None:
        if left[0] == 0 or not request.headers.get("X-Amz-Target", "").endswith(of):
            return None
        left[0] -= 1
        body = json.dumps({"__type": code, "message": "canary-error-text"})
        return web.Response(status=status, text=body, content_type="application/x-amz-json-1.1")

    return fault


class Admin:
    """What the administrator of the keys does, spoken to moto directly."""

    def __init__(self, address: str) -> None:
        self._host = address.removeprefix("http://")

    def __call__(self, operation: str, **parameters: object) -> dict[str, Any]:
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"TrentService.{operation}",
            "Authorization": f"AWS4-HMAC-SHA256 Credential=x/20260101/{REGION}/kms/aws4_request",
        }
        with contextlib.closing(http.client.HTTPConnection(self._host, timeout=20)) as connection:
            connection.request("POST", "/", json.dumps(parameters), headers)
            answer = connection.getresponse()
            content = answer.read()
        assert answer.status == 200, content
        return json.loads(content) or {}

    def new_key(self, **options: str) -> str:
        made = self("CreateKey", **{"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", **options})
        key: str = made["KeyMetadata"]["KeyId"]
        return key


class Kms(Real):
    kind = Kind.AWS_KMS
    secrets = (SECRET, "canary-error-text")

    def __init__(self, relay: Relay, admin: Admin, session: Any) -> None:
        self.relay, self.admin, self.key, self.session = relay, admin, admin.new_key(), session
        self.inner = self.another_door()
        self.provider: KekProvider = ResilientKek(self.inner, Patience(attempts=1))

    def another_door(self) -> AwsKmsKek:
        return self.door()

    def door(self, *, key: str = "", timeout: float = 10.0) -> AwsKmsKek:
        endpoint, clock = self.relay.address, InstantClock()
        return AwsKmsKek(
            key or self.key, region=REGION, endpoint=endpoint, timeout=timeout, clock=clock, session=self.session
        )

    def another_kek(self) -> AwsKmsKek:
        return self.door(key=self.admin.new_key())

    async def remove_key(self) -> None:
        self.admin("DisableKey", KeyId=self.key)

    def requests(self) -> int:
        return len(self.relay.paths)


@pytest.fixture(scope="module")
def session() -> Any:
    """Shared, because each session of aiobotocore reads AWS's definitions anew, which takes most of a second."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        return get_session()


@pytest.fixture
async def real(server: str, session: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Kms]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    relay = Relay(server)
    await relay.start()
    made = Kms(relay, Admin(server), session)
    await made.provider.open()
    yield made
    relay.fault, relay.hangs = None, False
    await made.provider.close()
    await relay.stop()


class TestConformity(Conformity):
    most = 200  # four calls; each key is a request, and 1,000 of them take a quarter of a minute beside other work
    # moto answers AccessDenied where AWS answers IncorrectKey and InvalidCiphertext, which are tested below.
    foreign = (KeyringLocked, ProviderRefused)

    def requests_for(self, count: int) -> int:
        """KMS has no batches; and each call of ours asks for the newest version once."""
        calls = -(-count // 50)
        return 2 * count + 2 * calls

    async def after_removal(self, real: Real) -> None:
        assert isinstance(real, Kms)
        real.relay.fault = answering("DisabledException", of="Encrypt")
        await super().after_removal(real)


async def one_blob(real: Kms) -> Wrapped:
    [blob] = await real.inner.wrap([Wrapping(random_bytes(32), CONTEXT)])
    return Wrapped(blob, CONTEXT)


async def test_rewrapped_material_never_leaves_kms(real: Kms) -> None:
    made = items(3)
    old = wrapped(await real.inner.wrap(made), made)
    await real.inner.rotate()
    del real.relay.paths[:]
    await real.inner.rewrap(old)
    operations = {path.removeprefix("TrentService.") for path in real.relay.paths}
    assert operations == {"DescribeKey", "ListKeyRotations", "ReEncrypt"}


async def test_an_alias_is_resolved_once(real: Kms) -> None:
    real.admin("CreateAlias", AliasName="alias/fieldgate", TargetKeyId=real.key)
    provider = real.door(key="alias/fieldgate")
    await provider.open()
    [blob] = await provider.wrap([Wrapping(random_bytes(32), CONTEXT)])
    real.admin("UpdateAlias", AliasName="alias/fieldgate", TargetKeyId=real.admin.new_key())
    assert len(await provider.unwrap([Wrapped(blob, CONTEXT)])) == 1
    await provider.close()
    await provider.open()
    with pytest.raises(KeyringLocked):
        await provider.rewrap([Wrapped(blob, CONTEXT)])
    await provider.close()
    real.admin("DeleteAlias", AliasName="alias/fieldgate")


@pytest.mark.parametrize("answer", ["Decrypt", "ReEncrypt", "Encrypt"])
async def test_an_answer_about_another_key_is_refused(real: Kms, answer: str) -> None:
    wrapped_key = await one_blob(real)
    body = {"CiphertextBlob": "eHh4", "Plaintext": "eHh4", "KeyId": "arn:other", "SourceKeyId": "arn:other"}

    def fault(request: web.Request) -> web.Response | None:
        return web.json_response(body) if request.headers["X-Amz-Target"].endswith("." + answer) else None

    real.relay.fault = fault
    call = {"Decrypt": real.inner.unwrap, "ReEncrypt": real.inner.rewrap}.get(answer)
    with pytest.raises(KeyringLocked, match="another key"):
        await (call([wrapped_key]) if call else real.inner.wrap([Wrapping(b"x", CONTEXT)]))


async def test_versions_are_named_by_their_material_where_kms_tells(real: Kms) -> None:
    material = ["a" * 64]

    def fault(request: web.Request) -> web.Response | None:
        if not request.headers["X-Amz-Target"].endswith("DescribeKey"):
            if request.headers["X-Amz-Target"].endswith("RotateKeyOnDemand"):
                material[0] = "b" * 64
            return None
        metadata = {"Arn": real.inner._arn, "CurrentKeyMaterialId": material[0]}
        return web.json_response({"KeyMetadata": metadata})

    real.relay.fault = fault
    wrapped_key = await one_blob(real)
    assert await real.inner.version() == real.inner.version_of(wrapped_key.blob) == "m" + "a" * 16
    assert await real.inner.rotate() == "m" + "b" * 16
    assert "TrentService.ListKeyRotations" not in real.relay.paths
    [new] = await real.inner.rewrap([wrapped_key])
    assert real.inner.version_of(new) == "m" + "b" * 16
    assert await real.inner.unwrap([Wrapped(new, CONTEXT)]) == await real.inner.unwrap([wrapped_key])


async def test_a_rotation_that_takes_long_is_told(real: Kms) -> None:
    real.relay.fault = lambda request: (
        web.json_response({"KeyId": "x"}) if request.headers["X-Amz-Target"].endswith("OnDemand") else None
    )
    with pytest.raises(ProviderUnavailable, match="has begun to make a new version"):
        await real.inner.rotate()


@pytest.mark.parametrize(
    "options",
    [
        {"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"},
        {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
    ],
)
async def test_a_key_of_the_wrong_kind_is_refused(real: Kms, options: dict[str, str]) -> None:
    key = real.admin.new_key(**options)
    with pytest.raises(ProviderRefused, match="no symmetric key"):
        await real.door(key=key).open()


async def test_a_key_that_is_about_to_be_deleted(real: Kms) -> None:
    real.admin("ScheduleKeyDeletion", KeyId=real.key, PendingWindowInDays=7)
    with pytest.raises(ProviderRefused, match="PendingDeletion: enable it, or cancel its deletion"):
        await real.door().open()


async def test_a_key_that_never_was(real: Kms) -> None:
    for key in ("alias/never", "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(ProviderRefused, match="there is no key aws-kms:"):
            await real.door(key=key).open()


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("ThrottlingException", 400, ProviderUnavailable),
        ("KMSInternalException", 500, ProviderUnavailable),
        ("DependencyTimeoutException", 503, ProviderUnavailable),
        ("KeyUnavailableException", 500, ProviderUnavailable),
        ("Unforeseen", 502, ProviderUnavailable),
        ("AccessDeniedException", 400, ProviderRefused),
        ("UnrecognizedClientException", 400, ProviderRefused),
        ("ExpiredTokenException", 400, ProviderRefused),
        ("DisabledException", 400, ProviderRefused),
        ("KMSInvalidStateException", 400, ProviderRefused),
        ("NotFoundException", 400, ProviderRefused),
        ("Unforeseen", 400, ProviderRefused),
        ("IncorrectKeyException", 400, KeyringLocked),
        ("InvalidCiphertextException", 400, KeyringLocked),
    ],
)
async def test_what_aws_may_answer(real: Kms, code: str, status: int, error: type[Exception]) -> None:
    wrapped_key = await one_blob(real)
    real.relay.fault = answering(code, status)
    before = real.requests()
    with pytest.raises(error) as caught:
        await real.inner.unwrap([wrapped_key])
    assert real.requests() == before + 1, "only our own wrapper repeats"
    assert "canary" not in str(caught.value)
    real.relay.fault = answering(code, status, times=1)
    if error is ProviderUnavailable:
        assert len(await ResilientKek(real.inner, Patience(), InstantClock()).unwrap([wrapped_key])) == 1


@pytest.mark.parametrize("status", [200, 502])
@pytest.mark.parametrize(
    "body", ["", "{}", "[]", "null", "<html>canary</html>", '{"KeyMetadata": 1}', '{"Plaintext": "#"}']
)
async def test_answers_that_no_kms_gives(real: Kms, status: int, body: str) -> None:
    wrapped_key = await one_blob(real)
    real.relay.fault = lambda _: web.Response(status=status, text=body, content_type="application/x-amz-json-1.1")
    for call in (real.inner.unwrap, real.inner.rewrap):
        with pytest.raises(ProviderUnavailable if status == 502 else CryptoError) as caught:
            await call([wrapped_key])
        assert "canary" not in str(caught.value)
    with pytest.raises(CryptoError):
        await real.door().open()


async def test_nobody_answers_and_then_somebody_does(real: Kms) -> None:
    wrapped_key = await one_blob(real)
    provider = ResilientKek(real.inner, Patience(timeout=0.3, attempts=2, failures=100), InstantClock())
    real.relay.hangs = True
    with pytest.raises(ProviderUnavailable, match=r"within 0\.3 s"):
        await provider.unwrap([wrapped_key])
    impatient = real.door(timeout=0.3)
    with pytest.raises(ProviderUnavailable, match="does not answer"):
        await impatient.open()
    real.relay.hangs = False
    await real.relay.shut()
    with pytest.raises(ProviderUnavailable, match="does not answer"):
        await provider.unwrap([wrapped_key])
    await real.relay.listen()
    assert len(await provider.unwrap([wrapped_key])) == 1


async def test_no_credentials(real: Kms, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(ProviderRefused, match="check region, credentials and endpoint"):
        await AwsKmsKek(real.key, region=REGION, endpoint=real.relay.address).open()


async def test_no_region(real: Kms) -> None:
    with pytest.raises(ProviderRefused, match="check region"):
        await AwsKmsKek(real.key, endpoint=None).open()


@pytest.mark.parametrize(
    "endpoint", ["http://kms.example", "https://a:canary@kms", "kms", "ftp://127.0.0.1", "https://x?y"]
)
def test_endpoints_that_are_refused(endpoint: str) -> None:
    with pytest.raises(ValueError, match="the endpoint") as caught:
        AwsKmsKek("alias/x", endpoint=endpoint)
    assert "canary" not in str(caught.value)


async def test_what_stands_in_cloudtrail_is_the_context_only(real: Kms) -> None:
    seen: list[dict[str, Any]] = []
    original = real.inner._client.encrypt

    async def encrypt(**parameters: Any) -> Any:
        seen.append(parameters)
        return await original(**parameters)

    real.inner._client.encrypt = encrypt
    await real.inner.wrap([Wrapping(b"canary", b"context")])
    assert seen[0]["EncryptionContext"] == {"fieldgate": "Y29udGV4dA==", "fieldgate-version": "r0"}


async def test_without_the_context_keys_would_change_places(real: Kms, monkeypatch: pytest.MonkeyPatch) -> None:
    """The binding is what refuses: with every context the same, another context unwraps."""
    monkeypatch.setattr("keys.providers.aws_kms._context", lambda *_: {"same": "same"})
    wrapped_key = await one_blob(real)
    assert len(await real.inner.unwrap([Wrapped(wrapped_key.blob, b"another")])) == 1
    monkeypatch.undo()
    with pytest.raises(KeyringLocked):
        await real.inner.unwrap([Wrapped(wrapped_key.blob, b"another")])
