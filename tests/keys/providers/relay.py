"""A relay in front of a real server: counts what passes, keeps what was said, and fails on demand."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import aiohttp
from aiohttp import web

HOP = frozenset({"host", "connection", "transfer-encoding", "content-length", "content-encoding", "accept-encoding"})
Fault = Callable[[web.Request], web.Response | None]


class Relay:
    """`fault` may answer in the server's place; with `hangs` nothing is answered at all."""

    def __init__(self, target: str, ca: Path | None = None) -> None:
        self._target, self._ca = target, ca
        self.paths: list[str] = []
        self.answers: list[bytes] = []
        self.fault: Fault | None = None
        self.hangs = False
        self._port = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        context = ssl.create_default_context(cafile=self._ca) if self._ca else True
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context), auto_decompress=True)
        application = web.Application(client_max_size=64 << 20)
        application.router.add_route("*", "/{path:.*}", self._pass)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await self.listen()

    async def listen(self) -> None:
        """Also again, on the same port, after `shut`."""
        self._site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await self._site.start()
        self._port = self._runner.addresses[0][1]

    async def shut(self) -> None:
        """Connections are refused from now on."""
        await self._site.stop()

    async def stop(self) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _pass(self, request: web.Request) -> web.Response:
        self.paths.append(request.headers.get("X-Amz-Target", request.path).removeprefix("/v1/"))
        if self.hangs:
            await asyncio.Event().wait()
        if self.fault is not None and (made := self.fault(request)) is not None:
            return made
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP}
        body = await request.read()
        async with self._session.request(
            request.method, self._target + request.path_qs, data=body, headers=headers, allow_redirects=False
        ) as answer:
            content = await answer.read()
            self.answers.append(content)
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP}
            return web.Response(status=answer.status, body=content, headers=kept)


def failing(status: int, body: str = '{"errors":["canary-error-text"]}', times: int = -1) -> Fault:
    """Answers everything with this status, `times` times."""
    left = [times]

    def fault(_: web.Request) -> web.Response | None:
        if left[0] == 0:
            return None
        left[0] -= 1
        return web.Response(status=status, text=body, content_type="application/json")

    return fault
