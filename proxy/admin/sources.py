"""Where the admin port's answers come from: this process, or all worker processes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from proxy.metrics import merge_pages
from proxy.peers import Message, ask_all, worker_socket

from .api import Readiness

_WITHIN = 5.0  # seconds for a worker to answer


class OwnSource:
    """The only worker speaks for itself."""

    def __init__(self, metrics: Callable[[], str], readiness: Callable[[], Awaitable[Readiness]]) -> None:
        self._metrics = metrics
        self._readiness = readiness

    async def metrics(self) -> str:
        return self._metrics()

    async def readiness(self) -> Readiness:
        return await self._readiness()


class PeersSource:
    """The supervisor asks every worker; ready means that all of them are."""

    def __init__(self, run_dir: Path, workers: int) -> None:
        self._sockets = [worker_socket(run_dir, number) for number in range(workers)]

    async def metrics(self) -> str:
        replies = await ask_all(self._sockets, {"op": "metrics"}, _WITHIN)
        return merge_pages([str(reply.get("page", "")) for reply in replies])

    async def readiness(self) -> Readiness:
        replies = await ask_all(self._sockets, {"op": "ready"}, _WITHIN)
        checks = {"workers": len(replies) == len(self._sockets)}
        revisions: dict[str, str] = {}
        for reply in replies:
            found = readiness_from(reply)
            for name, fine in found.checks.items():
                checks[name] = checks.get(name, True) and fine
            for database, revision in found.revisions.items():
                checks["one_revision"] = (
                    checks.get("one_revision", True) and revisions.get(database, revision) == revision
                )
                revisions[database] = revision
        return Readiness(checks, revisions, len(replies))


def readiness_to(found: Readiness) -> Message:
    return {"checks": found.checks, "revisions": found.revisions}


def readiness_from(reply: Message) -> Readiness:
    checks, revisions = reply.get("checks"), reply.get("revisions")
    return Readiness(
        {str(name): bool(fine) for name, fine in checks.items()} if isinstance(checks, dict) else {},
        {str(name): str(revision) for name, revision in revisions.items()} if isinstance(revisions, dict) else {},
    )
