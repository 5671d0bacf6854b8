"""A login at Vault that lasts: the token is renewed before it expires, and made anew when that is not enough.

Renewal happens in the background at two thirds of the token's life.  A token that comes back with less than half of
what it had (its maximum is near) or is not renewable is replaced by a new login.  A call that is refused with 403 finds
out whether the token is dead or the policy says no; a dead one is replaced once, and the call repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from keys.errors import CryptoError, ProviderRefused, ProviderUnavailable
from keys.providers.common import Clock

from .login import Lease, Login, lease_of
from .transport import PermissionDenied, Transport

RENEW_AT = 2 / 3
RETRY_SECONDS = 5.0
Notice = Callable[[str], None]


class VaultSession:
    """Belongs to one event loop.  `notice` hears, in whole sentences without secrets, what goes wrong meanwhile."""

    __slots__ = (
        "_clock", "_lease", "_lock", "_login", "_notice", "_renewal", "_transport", "_whole", "logins", "renewals",
    )  # fmt: skip

    def __init__(self, transport: Transport, login: Login, clock: Clock, notice: Notice) -> None:
        self._transport, self._login, self._clock, self._notice = transport, login, clock, notice
        self._lease: Lease | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._whole = 0.0  # how long the token was good when it was new
        self._lock = asyncio.Lock()
        self.logins = self.renewals = 0

    async def open(self) -> None:
        await self._transport.open()
        try:
            self._keep(await self._log_in())
        except BaseException:
            await self._transport.close()
            raise

    async def close(self) -> None:
        lease, self._lease = self._lease, None
        self._stop_renewal()
        try:
            if lease is not None and lease.ours:
                with contextlib.suppress(CryptoError):  # it dies by itself when its time is over
                    await self._transport.call("POST", "auth/token/revoke-self", token=lease.token)
        finally:
            await self._transport.close()

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        lease = self._lease
        if lease is None:
            raise ProviderRefused(f"{self._transport.address} is not open")
        try:
            return await self._transport.call(method, path, body, token=lease.token)
        except PermissionDenied:
            if await self._is_alive(lease):
                raise
        fresh = await self._replaced(lease)
        return await self._transport.call(method, path, body, token=fresh.token)

    async def _is_alive(self, lease: Lease) -> bool:
        try:
            await self._transport.call("GET", "auth/token/lookup-self", token=lease.token)
        except PermissionDenied:
            return False
        return True

    async def _replaced(self, dead: Lease) -> Lease:
        """One login for all calls that found the same token dead."""
        async with self._lock:
            lease = self._lease
            if lease is None or lease is dead:
                lease = await self._log_in()
                self._keep(lease)
            return lease

    async def _log_in(self) -> Lease:
        before, lease = self._lease, await self._login.log_in(self._transport)
        if before is None or before.token != lease.token:
            self._whole = lease.seconds
        elif lease.seconds * 2 < self._whole:
            self._notice(
                f"the token for {self._transport.address} expires in {lease.seconds:.0f} s and is not renewed: "
                "put a new one in its place"
            )
        self._lease = lease
        self.logins += 1
        return lease

    def _keep(self, lease: Lease) -> None:
        self._stop_renewal()
        if lease.seconds:
            self._renewal = asyncio.create_task(self._keep_alive())

    def _stop_renewal(self) -> None:
        if self._renewal is not None:
            self._renewal.cancel()
            self._renewal = None

    async def _keep_alive(self) -> None:
        while (lease := self._lease) is not None and lease.seconds:
            await self._clock.sleep(lease.seconds * RENEW_AT)
            await self._extend(lease)

    async def _extend(self, lease: Lease) -> None:
        """Until there is another lease, however long that takes."""
        while self._lease is lease:
            try:
                async with self._lock:
                    if self._lease is lease:
                        await self._renew_or_log_in(lease)
                return
            except (ProviderUnavailable, ProviderRefused) as failure:
                self._notice(f"the login at {self._transport.address} could not be renewed: {failure}")
                await self._clock.sleep(min(RETRY_SECONDS, max(1.0, lease.seconds / 10)))

    async def _renew_or_log_in(self, lease: Lease) -> None:
        if lease.renewable:
            try:
                answer = await self._transport.call("POST", "auth/token/renew-self", {}, token=lease.token)
            except ProviderRefused:
                pass  # revoked, or its policy does not allow it: a new login decides
            else:
                renewed = lease_of(answer, self._transport.address)
                if not renewed.seconds or renewed.seconds * 2 >= self._whole:
                    self.renewals += 1
                    self._lease = Lease(renewed.token, renewed.seconds, renewed.renewable, lease.ours)
                    return
        await self._log_in()
