"""CancelRequests: keys of our own, and the way from one to the session it names, in this process or in another.

A client knows the server's process id and a secret of ours.  In protocol 3.2 the secret has 32 bytes and begins with
the worker that issued it; in 3.0 it has 4, all of them random, so a request for another worker's session asks them all.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable
from typing import Protocol

NARROW = 4  # bytes of a secret in protocol 3.0
WIDE = 32  # and in 3.2: as many as PostgreSQL itself makes
_WORKER = 2  # leading bytes of a wide secret


class CancelTarget(Protocol):
    async def cancel_upstream(self) -> None:
        """Pass the request on; returns once the server has closed the connection that carried it."""
        ...


class CancelKeys:
    """The keys of this worker's sessions."""

    def __init__(self, worker: int) -> None:
        self._prefix = worker.to_bytes(_WORKER, "big")
        self._targets: dict[int, list[tuple[bytes, CancelTarget]]] = {}

    def issue(self, pid: int, *, wide: bool, target: CancelTarget) -> bytes:
        secret = self._prefix + secrets.token_bytes(WIDE - _WORKER) if wide else secrets.token_bytes(NARROW)
        self._targets.setdefault(pid, []).append((secret, target))
        return secret

    def withdraw(self, pid: int, target: CancelTarget) -> None:
        """Several servers may have given the same process id, so a pid may name several sessions."""
        left = [entry for entry in self._targets.get(pid, ()) if entry[1] is not target]
        if left:
            self._targets[pid] = left
        else:
            self._targets.pop(pid, None)

    def find(self, pid: int, secret: bytes) -> CancelTarget | None:
        for known, target in self._targets.get(pid, ()):
            if hmac.compare_digest(known, secret):
                return target
        return None

    def issuer(self, secret: bytes) -> int | None:
        """The worker that a secret says it comes from; None when it does not say."""
        return int.from_bytes(secret[:_WORKER], "big") if len(secret) == WIDE else None


AskPeers = Callable[[int, bytes, int | None], Awaitable[bool]]  # pid, secret, the one worker to ask or None for all


class CancelDesk:
    """Carries requests out, a bounded number at a time; what is beyond is dropped, as a cancel may always be."""

    def __init__(self, keys: CancelKeys, ask_peers: AskPeers | None, limit: int) -> None:
        self.keys = keys
        self._ask_peers = ask_peers
        self._limit = limit
        self._in_progress = 0

    async def cancel(self, pid: int, secret: bytes) -> bool:
        """For a request that a client made to this worker.  True when a session was found."""
        return await self._bounded(pid, secret, peers=True)

    async def cancel_here(self, pid: int, secret: bytes) -> bool:
        """For a request that another worker passes on."""
        return await self._bounded(pid, secret, peers=False)

    async def _bounded(self, pid: int, secret: bytes, *, peers: bool) -> bool:
        if self._in_progress >= self._limit:
            return False
        self._in_progress += 1
        try:
            if (target := self.keys.find(pid, secret)) is not None:
                await target.cancel_upstream()
                return True
            if peers and self._ask_peers is not None:
                return await self._ask_peers(pid, secret, self.keys.issuer(secret))
            return False
        finally:
            self._in_progress -= 1
