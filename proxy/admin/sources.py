"""Where the admin port's answers come from: this process, or all worker processes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from proxy.metrics import merge_pages
from proxy.peers import Message, ask_all, jobs_socket, worker_socket

from .api import Readiness

_WITHIN = 5.0  # seconds for a worker to answer


class OwnSource:
    """The only worker speaks for itself."""

    def __init__(
        self, metrics: Callable[[], str], readiness: Callable[[], Awaitable[Readiness]], jobs: Path | None = None
    ) -> None:
        self._metrics = metrics
        self._readiness = readiness
        self._jobs = jobs  # the socket of a job runner beside it

    async def metrics(self) -> str:
        if self._jobs is None or not self._jobs.exists():
            return self._metrics()
        replies = await ask_all([self._jobs], {"op": "metrics"}, _WITHIN)
        return merge_pages([self._metrics(), *(str(reply.get("page", "")) for reply in replies)])

    async def readiness(self) -> Readiness:
        return await self._readiness()


class PeersSource:
    """The supervisor asks every worker; ready means that all of them are."""

    def __init__(self, run_dir: Path, workers: int) -> None:
        self._sockets = [worker_socket(run_dir, number) for number in range(workers)]
        self._jobs = jobs_socket(run_dir)

    async def metrics(self) -> str:
        sockets = [*self._sockets, self._jobs] if self._jobs.exists() else self._sockets
        replies = await ask_all(sockets, {"op": "metrics"}, _WITHIN)
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
