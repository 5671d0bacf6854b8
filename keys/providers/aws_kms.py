"""AWS KMS as a RemoteKek (`aws-kms:<alias, id or ARN>`); the only importer of aiobotocore and botocore.

The name is resolved to a key once, at `open`; wrapped keys of any other key are refused, also when AWS would decrypt
them, because whoever can write wrapped keys could else bring in keys of his own.  The encryption context holds the
context and the version's name, and stands in CloudTrail.  Rewrapping is ReEncrypt: material does not leave KMS.

A version's name is the beginning of KMS's key material id, or `r` and the number of rotations where KMS tells no id.
KMS has no batches: a call of ours is as many requests as keys, a few at a time.  Retries and time limits are those of
resilient.py; botocore's own are off.  Credentials come from AWS's standard chain.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
import botocore.exceptions as failures
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from keys.ciphers import Unshareable
from keys.errors import CryptoError, KeyringLocked, ProviderRefused, ProviderUnavailable
from keys.provider import Wrapped, Wrapping

from .blob import Kind, build, parse
from .common import Clock, SystemClock, check_with_canary

# At DEBUG botocore writes whole requests and answers into its log, and with them the material of keys.
for _name in ("botocore", "aiobotocore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

CONCURRENCY = 10
ROTATION_POLLS = 6
_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")
_CHANGED = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})
_STATE = frozenset({"DisabledException", "KMSInvalidStateException"})
_LATER = frozenset(
    {
        "ConflictException",
        "DependencyTimeoutException",
        "InternalFailure",
        "KeyUnavailableException",
        "KMSInternalException",
        "LimitExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


class AwsKmsKek(Unshareable):
    """Belongs to one event loop.  `session` is one of aiobotocore that several providers share."""

    __slots__ = (
        "_arn", "_client", "_clock", "_endpoint", "_key", "_region", "_session", "_stack", "_timeout", "per_call",
    )  # fmt: skip

    def __init__(
        self,
        key: str,
        *,
        region: str | None = None,
        endpoint: str | None = None,
        timeout: float = 10.0,
        per_call: int = 50,
        clock: Clock | None = None,
        session: Any = None,
    ) -> None:
        if endpoint is not None:
            require_endpoint(endpoint)
        self._key, self._region, self._endpoint, self._timeout = key, region, endpoint, timeout
        self._clock, self.per_call = clock or SystemClock(), per_call
        self._session = session or get_session()
        self._stack = AsyncExitStack()
        self._client: Any = None
        self._arn = ""

    @property
    def uri(self) -> str:
        return f"aws-kms:{self._key}"

    async def open(self) -> None:
        await self.close()
        try:
            config = AioConfig(
                connect_timeout=self._timeout,
                read_timeout=self._timeout,
                max_pool_connections=CONCURRENCY,
                retries={"total_max_attempts": 1, "mode": "standard"},
            )
            made = self._session.create_client(
                "kms", region_name=self._region, endpoint_url=self._endpoint, config=config
            )
            self._client = await self._stack.enter_async_context(made)
            self._arn = self._require_kind(await self._described(self._key))
        except (failures.BotoCoreError, ValueError) as failure:
            await self.close()
            raise self._judged(failure) from None
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        stack, self._stack, self._client, self._arn = self._stack, AsyncExitStack(), None, ""
        await stack.aclose()

    async def wrap(self, items: Sequence[Wrapping]) -> list[bytes]:
        if not items:
            return []
        version = await self.version()

        async def one(item: Wrapping) -> bytes:
            answer = await self._ask(
                "encrypt", KeyId=self._arn, Plaintext=item.material, EncryptionContext=_context(version, item.context)
            )
            return build(Kind.AWS_KMS, version, self._own(answer, "CiphertextBlob", "KeyId"))

        return await _each(one, items)

    async def unwrap(self, items: Sequence[Wrapped]) -> list[bytes]:
        parsed = [(parse(item.blob, Kind.AWS_KMS), item.context) for item in items]

        async def one(item: tuple[Any, bytes]) -> bytes:
            blob, context = item
            answer = await self._ask(
                "decrypt",
                KeyId=self._arn,
                CiphertextBlob=blob.payload,
                EncryptionContext=_context(blob.version, context),
            )
            return self._own(answer, "Plaintext", "KeyId")

        return await _each(one, parsed)

    async def rewrap(self, items: Sequence[Wrapped]) -> list[bytes]:
        parsed = [(parse(item.blob, Kind.AWS_KMS), item.context) for item in items]
        if not parsed:
            return []
        version = await self.version()

        async def one(item: tuple[Any, bytes]) -> bytes:
            blob, context = item
            answer = await self._ask(
                "re_encrypt",
                CiphertextBlob=blob.payload,
                SourceKeyId=self._arn,
                SourceEncryptionContext=_context(blob.version, context),
                DestinationKeyId=self._arn,
                DestinationEncryptionContext=_context(version, context),
            )
            self._own(answer, "CiphertextBlob", "SourceKeyId")
            return build(Kind.AWS_KMS, version, self._own(answer, "CiphertextBlob", "KeyId"))

        return await _each(one, parsed)

    async def rotate(self) -> str:
        """KMS rotates in the background; waits a while for the new version to be the current one."""
        before = await self.version()
        await self._ask("rotate_key_on_demand", KeyId=self._arn)
        for _ in range(ROTATION_POLLS):
            if (now := await self.version()) != before:
                return now
            await self._clock.sleep(1.0)
        raise ProviderUnavailable(f"{self.uri} has begun to make a new version: ask for its version in some minutes")

    async def version(self) -> str:
        """The newest version that KMS vouches for; what is encrypted after this answer is under it or a newer one."""
        metadata = await self._described(self._arn)
        material = metadata.get("CurrentKeyMaterialId")
        if isinstance(material, str) and material:
            return f"m{material[:16]}"
        return f"r{await self._rotations()}"

    def version_of(self, blob: bytes) -> str:
        return parse(blob, Kind.AWS_KMS).version

    async def check(self) -> None:
        await check_with_canary(self)

    async def _rotations(self) -> int:
        count = 0
        marker: dict[str, str] = {}
        while True:
            answer = await self._ask("list_key_rotations", KeyId=self._arn, **marker)
            count += len(answer.get("Rotations", ()))
            if not answer.get("Truncated"):
                return count
            if not isinstance(answer.get("NextMarker"), str):
                raise self._no_kms()
            marker = {"Marker": answer["NextMarker"]}

    async def _described(self, key: str) -> dict[str, Any]:
        metadata = (await self._ask("describe_key", KeyId=key)).get("KeyMetadata")
        if not isinstance(metadata, dict) or not isinstance(metadata.get("Arn"), str):
            raise self._no_kms()
        return metadata

    def _require_kind(self, metadata: dict[str, Any]) -> str:
        if metadata.get("KeySpec") != "SYMMETRIC_DEFAULT" or metadata.get("KeyUsage") != "ENCRYPT_DECRYPT":
            raise ProviderRefused(f"{self.uri} is refused: it is no symmetric key for encryption and decryption")
        if metadata.get("KeyState") != "Enabled":
            raise ProviderRefused(f"{self.uri} is {metadata.get('KeyState')}: enable it, or cancel its deletion")
        arn: str = metadata["Arn"]
        return arn

    def _own(self, answer: dict[str, Any], wanted: str, key: str) -> bytes:
        if answer.get(key) != self._arn:
            raise KeyringLocked(f"a wrapped key is of another key than {self.uri}")
        found = answer.get(wanted)
        if not isinstance(found, bytes):
            raise self._no_kms()
        return found

    def _no_kms(self) -> CryptoError:
        return ProviderRefused(f"{self.uri} answers in a form that is not KMS's: check the endpoint")

    async def _ask(self, operation: str, **parameters: Any) -> dict[str, Any]:
        if self._client is None:
            raise ProviderRefused(f"{self.uri} is not open")
        try:
            answer: dict[str, Any] = await getattr(self._client, operation)(**parameters)
        except (failures.BotoCoreError, failures.ClientError, aiohttp.ClientError, OSError, ValueError) as failure:
            raise self._judged(failure) from None
        except (AttributeError, LookupError, TypeError):  # botocore on JSON of another shape
            raise ProviderUnavailable(f"{self.uri} answers in a form that is not KMS's") from None
        return answer

    def _judged(self, failure: Exception) -> CryptoError:
        """Of the exception only its class or AWS's code enters the message."""
        if isinstance(failure, failures.ClientError):
            return self._judged_code(failure)
        name = type(failure).__name__
        later = (failures.HTTPClientError, failures.ConnectionError, aiohttp.ClientError, OSError)
        if isinstance(failure, later) and not isinstance(failure, failures.SSLError):
            return ProviderUnavailable(f"{self.uri} does not answer ({name})")
        if isinstance(failure, failures.CredentialRetrievalError):
            return ProviderUnavailable(f"{self.uri}: the credentials could not be fetched")
        return ProviderRefused(f"{self.uri} cannot be asked ({name}): check region, credentials and endpoint")

    def _judged_code(self, failure: Any) -> CryptoError:
        code = str(failure.response.get("Error", {}).get("Code", ""))
        status = failure.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        shown = code if code.isalnum() else "an unknown code"
        if code in _CHANGED:
            return KeyringLocked(f"a wrapped key was changed, or is of another key than {self.uri} or another context")
        if code == "NotFoundException":
            return ProviderRefused(f"there is no key {self.uri}: make it, restore it, or name another")
        if code in _STATE:
            return ProviderRefused(f"{self.uri} is disabled or about to be deleted: enable it, or cancel its deletion")
        if code in _LATER or status >= 500 or status == 429:
            return ProviderUnavailable(f"{self.uri} cannot answer now ({shown})")
        return ProviderRefused(f"{self.uri} refuses ({shown}): check the credentials, the key's policy and IAM")


def require_endpoint(endpoint: str) -> None:
    """`https://host[:port]`, or http on loopback.  Raises ValueError."""
    parts = urlsplit(endpoint)
    loopback = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if parts.username is not None or parts.password is not None or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("the endpoint is written https://host:port")
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise ValueError("the endpoint begins with https:// (http:// for loopback only)")


def _context(version: str, context: bytes) -> dict[str, str]:
    return {"fieldgate": base64.b64encode(context).decode("ascii"), "fieldgate-version": version}


async def _each(call: Callable[[_Item], Awaitable[_Answer]], items: Sequence[_Item]) -> list[_Answer]:
    """In order, a few at a time; the first failure ends the others."""
    gate = asyncio.Semaphore(CONCURRENCY)

    async def one(item: _Item) -> _Answer:
        async with gate:
            return await call(item)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]
