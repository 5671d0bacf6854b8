"""A PKCS#11 token as a RemoteKek (`pkcs11:token=<label>;object=<label>`, the form of RFC 7512).

The token is used in one thread, because sessions are not shared between threads and vendors' libraries may hang.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import quote

from keys.ciphers import Unshareable
from keys.errors import ProviderRefused
from keys.provider import Wrapped, Wrapping

from .blob import Kind, parse
from .common import check_with_canary
from .one_thread import OneThread
from .pkcs11_token import Place, TokenKeys
from .secret import Secret

_Answer = TypeVar("_Answer")


class Pkcs11Kek(Unshareable):
    """Belongs to one event loop and one process: PKCS#11 libraries do not survive a fork."""

    __slots__ = ("_thread", "_token", "per_call", "uri")

    def __init__(self, place: Place, pin: Secret, *, per_call: int = 200) -> None:
        self.uri = f"pkcs11:token={quote(place.token, safe='')};object={quote(place.key, safe='')}"
        self._token, self.per_call = TokenKeys(self.uri, place, pin), per_call
        self._thread: OneThread | None = None

    @property
    def logins(self) -> int:
        return self._token.logins

    async def open(self) -> None:
        await self.close()
        self._thread = OneThread("pkcs11")
        try:
            await self._run(self._token.open)
            await check_with_canary(self)
        except BaseException:
            self._let_go()
            raise

    async def close(self) -> None:
        if self._thread is not None:
            try:
                await self._run(self._token.close)
            finally:
                self._let_go()

    async def wrap(self, items: Sequence[Wrapping]) -> list[bytes]:
        pairs = [(item.material, item.context) for item in items]
        return await self._run(lambda: self._token.wrap(pairs)) if pairs else []

    async def unwrap(self, items: Sequence[Wrapped]) -> list[bytes]:
        pairs = [(item.blob, item.context) for item in items]
        return await self._run(lambda: self._token.unwrap(pairs)) if pairs else []

    async def rewrap(self, items: Sequence[Wrapped]) -> list[bytes]:
        pairs = [(item.blob, item.context) for item in items]
        return await self._run(lambda: self._token.rewrap(pairs)) if pairs else []

    async def rotate(self) -> str:
        return str(await self._run(self._token.rotate))

    async def version(self) -> str:
        return str(await self._run(self._token.newest))

    def version_of(self, blob: bytes) -> str:
        return parse(blob, Kind.PKCS11).version

    async def check(self) -> None:
        await check_with_canary(self)

    async def _run(self, call: Callable[[], _Answer]) -> _Answer:
        if self._thread is None:
            raise ProviderRefused(f"{self.uri} is not open")
        return await self._thread.run(call)

    def _let_go(self) -> None:
        if self._thread is not None:
            self._thread.stop()
            self._thread = None
