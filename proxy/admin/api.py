"""The admin port: is it alive, may it be given work, what does it count; and, where people may log in, /v1.

/healthz   200 as long as the process answers
/readyz    200 when the server, the keyring and the audit sink are there and nothing is ending, else 503 with reasons
/metrics   Prometheus
/v1        keys and operations (proxy/admin/v1.py); / is a page for people

The first three hold no data and take no commands, and ask for no login.  Every error, also of a request that is no
HTTP, is problem+json and repeats nothing of the request.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiohttp import web

from proxy.keywork.refusals import Refusal
from proxy.logs import Logger, describe

from .problems import Problem, from_http, from_refusal, response_of
from .v1 import Endpoints

_METRICS = "text/plain; version=0.0.4; charset=utf-8"
# No access log; a compressed body is refused where it is read, and never unpacked before.
_CONNECTION: dict[str, Any] = {"access_log": None, "keepalive_timeout": 75.0, "auto_decompress": False}
_HEADERS = {
    "Server": "fieldgate",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_NOTHING_LOADS = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_ONLY_TLS = "max-age=31536000"


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


def make_app(source: AdminSource, endpoints: Endpoints | None = None, logger: Logger | None = None) -> web.Application:
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

    app = web.Application(middlewares=[_guard, _problems(logger)])
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    if endpoints is not None:
        endpoints.add_to(app)
    return app


@web.middleware
async def _guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Nothing here is for browsers to keep, frame, guess at, or show to other sites: no CORS header is ever sent."""
    response = await handler(request)
    protect(response, secure=request.secure)
    return response


def protect(response: web.StreamResponse, *, secure: bool) -> None:
    for name, value in _HEADERS.items():
        response.headers[name] = value
    response.headers.setdefault("Content-Security-Policy", _NOTHING_LOADS)
    if secure:
        response.headers["Strict-Transport-Security"] = _ONLY_TLS


def _problems(logger: Logger | None) -> Any:  # aiohttp's type of middlewares is private
    @web.middleware
    async def problems(request: web.Request, handler: _Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Problem as problem:
            return response_of(problem)
        except Refusal as refused:
            return response_of(from_refusal(refused))
        except web.HTTPException as error:
            return response_of(from_http(error))
        except Exception as error:  # noqa: BLE001  (a defect of ours: its place is logged, and nobody hears of it)
            if logger is not None:
                logger.error("admin_failed", **describe(error))
            return response_of(Problem("internal"))

    return problems


class _Connection(web.RequestHandler):
    """What is no HTTP is answered as everything else is; aiohttp would repeat parts of it."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        return _ended(request, "invalid-request" if status < 500 else "internal")

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """What no handler of ours has answered (aiohttp answers a wrong Expect by itself, and repeats it)."""
        if resp.headers.get("Server") != _HEADERS["Server"]:
            resp = _ended(request, "invalid-request")
        return await super().finish_response(request, resp, start_time)


def _ended(request: web.BaseRequest, code: str) -> web.Response:
    """The last answer on a connection."""
    response = response_of(Problem(code))
    protect(response, secure=request.secure)
    response.force_close()
    return response


class AdminServer:
    """The running port."""

    def __init__(self, source: AdminSource, endpoints: Endpoints | None = None, logger: Logger | None = None) -> None:
        self._runner = web.AppRunner(make_app(source, endpoints, logger), access_log=None, shutdown_timeout=1.0)
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int, context: ssl.SSLContext | None) -> None:
        await self._runner.setup()
        loop, manager = asyncio.get_running_loop(), self._runner.server
        assert manager is not None  # noqa: S101  (setup has made it)

        def connection() -> asyncio.Protocol:
            return _Connection(manager, loop=loop, **_CONNECTION)

        self._server = await loop.create_server(connection, host, port, ssl=context)

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1]) if self._server and self._server.sockets else 0

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._runner.cleanup()
