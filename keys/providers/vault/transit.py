"""The Transit engine of Vault or OpenBao as a RemoteKek (`vault:<mount>/<key>`).

The key must be of type aes256-gcm96, `derived`, and neither exportable nor open to plaintext backup:

    vault write transit/keys/fieldgate type=aes256-gcm96 derived=true

A derived key makes an own AES key out of each context, which binds a wrapped key to its context as firmly as associated
data would.  Associated data is not used, because the engine's `rewrap` does not take it (OpenBao 2.7.2): a key bound in
that way could only be rewrapped by letting its material out.  One request carries a whole batch.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import Any

from keys.ciphers import Unshareable
from keys.envelope import prefixed
from keys.errors import CryptoError, KeyringLocked, ProviderRefused
from keys.provider import Wrapped, Wrapping
from keys.providers.blob import Kind, build, parse
from keys.providers.common import Clock, SystemClock, check_with_canary

from .login import Login
from .session import Notice, VaultSession
from .transport import Rejected, Transport

KEY_TYPE = "aes256-gcm96"
PER_CALL = 200  # OpenBao takes at most 1,000 strings in a request, and a key is four of them
_PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")
_CIPHERTEXT = re.compile(r"vault:v([1-9][0-9]{0,9}):[A-Za-z0-9+/]+={0,2}")
_LABEL = prefixed(b"fieldgate vault v1")
_FORBIDDEN = frozenset({"create", "root", "sudo"})


class TransitKek(Unshareable):
    """Belongs to one event loop."""

    __slots__ = ("_key", "_mount", "_session", "_transport", "per_call")

    def __init__(
        self,
        transport: Transport,
        login: Login,
        *,
        mount: str,
        key: str,
        per_call: int = PER_CALL,
        clock: Clock | None = None,
        notice: Notice = lambda _: None,
    ) -> None:
        if not _PATH.fullmatch(mount) or not _PATH.fullmatch(key) or "/" in key:
            raise ValueError("the mount and the key are names as they stand in a path of Vault")
        self._transport, self._mount, self._key, self.per_call = transport, mount, key, per_call
        self._session = VaultSession(transport, login, clock or SystemClock(), notice)

    @property
    def uri(self) -> str:
        return f"vault:{self._mount}/{self._key}"

    @property
    def logins(self) -> int:
        return self._session.logins

    @property
    def renewals(self) -> int:
        return self._session.renewals

    async def open(self) -> None:
        await self._session.close()
        await self._session.open()
        try:
            self._require_kind(await self._description())
            await self._require_no_creation()
        except BaseException:
            await self._session.close()
            raise

    async def close(self) -> None:
        await self._session.close()

    async def wrap(self, items: Sequence[Wrapping]) -> list[bytes]:
        entries = [{"plaintext": _base64(item.material), "context": _context(item.context)} for item in items]
        return [_blob(text) for text in await self._batch("encrypt", entries, "ciphertext")]

    async def unwrap(self, items: Sequence[Wrapped]) -> list[bytes]:
        return [_bytes(text) for text in await self._batch("decrypt", _ciphertexts(items), "plaintext")]

    async def rewrap(self, items: Sequence[Wrapped]) -> list[bytes]:
        return [_blob(text) for text in await self._batch("rewrap", _ciphertexts(items), "ciphertext")]

    async def rotate(self) -> str:
        await self._call("POST", f"keys/{self._key}/rotate", {})
        return await self.version()

    async def version(self) -> str:
        return str(self._latest(await self._description()))

    def version_of(self, blob: bytes) -> str:
        return _parsed(blob)[0]

    async def check(self) -> None:
        await check_with_canary(self)

    async def _batch(self, operation: str, entries: list[dict[str, str]], wanted: str) -> list[str]:
        if not entries:
            return []
        try:
            answer = await self._call("POST", f"{operation}/{self._key}", {"batch_input": entries})
        except Rejected as failure:
            answer = failure.answer  # 400 when one item of the batch failed: the answer says which
            if not _data(answer):
                raise self._explained(failure) from None
        results = _data(answer).get("batch_results")
        if not isinstance(results, list) or len(results) != len(entries):
            raise ProviderRefused(f"{self.uri} answers {operation} in a form that is not Transit's")
        return [self._item(result, wanted, number, len(results)) for number, result in enumerate(results, 1)]

    def _item(self, result: object, wanted: str, number: int, total: int) -> str:
        if not isinstance(result, dict) or result.get("error") or not isinstance(result.get(wanted), str):
            error = str(result.get("error", "")) if isinstance(result, dict) else ""
            raise self._item_failure(error, f"wrapped key {number} of {total}")
        found: str = result[wanted]
        return found

    def _item_failure(self, error: str, which: str) -> CryptoError:
        if "too old" in error:
            return ProviderRefused(f"{which} is older than min_decryption_version of {self.uri} allows: lower it there")
        if "message authentication failed" in error or "invalid ciphertext" in error:
            return KeyringLocked(f"{which} was changed, or is of another key than {self.uri} or another context")
        return ProviderRefused(f"{self.uri} does not process {which}")

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return await self._session.call(method, f"{self._mount}/{path}", body)

    async def _description(self) -> dict[str, Any]:
        try:
            answer = await self._call("GET", f"keys/{self._key}")
        except Rejected as failure:
            raise self._explained(failure) from None
        data = _data(answer)
        if not data:
            raise ProviderRefused(f"{self.uri} is described in a form that is not Transit's")
        return data

    def _explained(self, failure: Rejected) -> CryptoError:
        if failure.status == 404 or failure.says("encryption key not found"):
            return ProviderRefused(
                f"there is no key {self.uri}: make it with `write {self._mount}/keys/{self._key} "
                f"type={KEY_TYPE} derived=true`, or restore it"
            )
        if failure.says("complexity"):
            return ProviderRefused(f"{self.uri}: {self.per_call} keys in one request are too many: lower `batch`")
        return ProviderRefused(f"{self.uri}: the request was not accepted (status {failure.status})")

    def _latest(self, data: dict[str, Any]) -> int:
        latest = data.get("latest_version")
        if not isinstance(latest, int) or latest < 1:
            raise ProviderRefused(f"{self.uri} does not say its newest version")
        return latest

    def _require_kind(self, data: dict[str, Any]) -> None:
        wrong: list[tuple[Callable[[], bool], str]] = [
            (lambda: data.get("type") != KEY_TYPE, f"it is not of type {KEY_TYPE}"),
            (lambda: data.get("derived") is not True, "it is not derived, so it cannot bind keys to their context"),
            (lambda: data.get("exportable") is not False, "it may be exported"),
            (lambda: data.get("allow_plaintext_backup") is not False, "it may be backed up in plaintext"),
            (lambda: data.get("convergent_encryption") is True, "it is convergent"),
            (lambda: data.get("soft_deleted") is True, "it is deleted; restore it"),
        ]
        found = [reason for is_wrong, reason in wrong if is_wrong()]
        if found:
            raise ProviderRefused(f"{self.uri} is refused: {'; '.join(found)}")

    async def _require_no_creation(self) -> None:
        """Transit makes a missing key when a token with `create` encrypts: a deleted key would come back as another."""
        path = f"{self._mount}/encrypt/{self._key}"
        try:
            answer = await self._session.call("POST", "sys/capabilities-self", {"paths": [path]})
        except ProviderRefused:
            raise ProviderRefused(
                f"{self.uri}: the token's policy must allow update of sys/capabilities-self"
            ) from None
        found = _data(answer).get(path)
        if not isinstance(found, list) or "update" not in found or _FORBIDDEN & set(map(str, found)):
            raise ProviderRefused(
                f"{self.uri}: the token must have the capability update, and not create, sudo or root, on {path}"
            )


def _data(answer: dict[str, Any]) -> dict[str, Any]:
    data = answer.get("data")
    return data if isinstance(data, dict) else {}


def _parsed(blob: bytes) -> tuple[str, str]:
    """Version and ciphertext; both versions that stand in the blob are the same."""
    parsed = parse(blob, Kind.VAULT)
    match = _CIPHERTEXT.fullmatch(parsed.payload.decode("latin-1"))
    if match is None or match[1] != parsed.version:
        raise KeyringLocked("a wrapped key is damaged")
    return parsed.version, match[0]


def _ciphertexts(items: Sequence[Wrapped]) -> list[dict[str, str]]:
    return [{"ciphertext": _parsed(item.blob)[1], "context": _context(item.context)} for item in items]


def _blob(ciphertext: str) -> bytes:
    match = _CIPHERTEXT.fullmatch(ciphertext)
    if match is None:
        raise ProviderRefused("Transit answers with a ciphertext of an unknown form")
    return build(Kind.VAULT, match[1], ciphertext.encode())


def _context(context: bytes) -> str:
    return _base64(_LABEL + context)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ProviderRefused("Transit answers with a plaintext of an unknown form") from None
