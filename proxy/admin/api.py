"""The admin port: is it alive, may it be given work, what does it count.  Holds no data and takes no commands.

/healthz   200 as long as the process answers
/readyz    200 when the server, the keyring and the audit sink are there and nothing is ending, else 503 with reasons
/metrics   Prometheus
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

_METRICS = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Readiness:
    """Each check by name; `revisions` are the policy revisions in force, by database."""

    checks: dict[str, bool] = field(default_factory=dict)
    revisions: dict[str, str] = field(default_factory=dict)
    workers: int = 1

    @property
    def ready(self) -> bool:
        return bool(self.checks) and all(self.checks.values())


class AdminSource(Protocol):
    """Whoever knows: the one worker itself, or the supervisor that asks all of them."""

    async def metrics(self) -> str: ...
    async def readiness(self) -> Readiness: ...


_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(source: AdminSource) -> web.Application:
    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def readyz(_request: web.Request) -> web.Response:
        found = await source.readiness()
        body = {
            "ready": found.ready,
            "checks": found.checks,
            "revisions": found.revisions,
            "workers": found.workers,
        }
        return web.json_response(body, status=200 if found.ready else 503)

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=(await source.metrics()).encode(), headers={"Content-Type": _METRICS})

    app = web.Application(middlewares=[_guard])
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    return app


@web.middleware
async def _guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Nothing here is for browsers to keep, frame or guess at."""
    response = await handler(request)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


class AdminServer:
    """The running port."""

    def __init__(self, source: AdminSource) -> None:
        self._runner = web.AppRunner(make_app(source), access_log=None, shutdown_timeout=1.0)
        self._site: web.TCPSite | None = None

    async def start(self, host: str, port: int, context: ssl.SSLContext | None) -> None:
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, host, port, ssl_context=context)
        await self._site.start()

    @property
    def port(self) -> int:
        return int(self._runner.addresses[0][1]) if self._runner.addresses else 0

    async def stop(self) -> None:
        await self._runner.cleanup()
